package client

import (
	"context"
	"net/url"

	"lockstep/client/wire"
	"lockstep/types"
)

// Point returns a connection point. Its id is checked against its first meter; the rest is the node's word.
func (c *Client) Point(ctx context.Context, id types.PointID) (point wire.Point, err error) {
	if err = c.get(ctx, "/v1/points/"+id.String(), nil, &point); err == nil {
		if point.ID != id || len(point.Point.Meters) == 0 || point.Point.ID() != id {
			err = c.lied("its answer for connection point %s has another hash", id)
		}
	}
	return point, wrap("point "+id.String(), err)
}

// KeyPoints returns the connection points of a key. What names each is checked; that there are no others is the node's word.
func (c *Client) KeyPoints(ctx context.Context, key types.PublicKey) (points wire.Points, err error) {
	err = c.get(ctx, "/v1/keys/"+key.String()+"/points", nil, &points)
	for i := range points.Points {
		point := &points.Points[i]
		if err == nil && (len(point.Point.Meters) == 0 || point.Point.ID() != point.ID || point.Point.Owner != key) {
			err = c.lied("connection point %s is none of %s, or has another hash", point.ID, key)
		}
	}
	return points, wrap("points of "+key.String(), err)
}

// Claims returns the places of trades in the slot of a flow that begins at from, or, if from is zero, in every slot that has some.
// A node that leaves some out can't be told from one that has none.
func (c *Client) Claims(ctx context.Context, flow types.Flow, from types.Time) (claims wire.Claims, err error) {
	query := url.Values{}
	if from != 0 {
		query.Set("from", from.String())
	}
	if err = c.get(ctx, "/v1/points/"+flow.Point.String()+"/claims/"+flow.Direction.String(), query, &claims); err == nil {
		if claims.Point != flow.Point || claims.Direction != flow.Direction {
			err = c.lied("its claims are of another point or direction")
		}
		for _, slot := range claims.Slots {
			if err == nil && from != 0 && slot.From != from {
				err = c.lied("its claims are of the slot of %s, asked for was that of %s", slot.From, from)
			}
		}
	}
	return claims, wrap("claims of "+flow.Point.String(), err)
}
