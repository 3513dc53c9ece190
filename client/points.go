package client

import (
	"context"
	"net/url"

	"lockstep/client/wire"
	"lockstep/types"
)

// Point returns a connection point. The client checks its id against its first meter and trusts the node for the rest.
func (c *Client) Point(ctx context.Context, id types.PointID) (point wire.Point, err error) {
	if err = c.get(ctx, "/v1/points/"+id.String(), nil, &point); err == nil {
		if point.ID != id || len(point.Point.Meters) == 0 || point.Point.ID() != id {
			err = c.lied("its answer for connection point %s has another hash", id)
		}
	}
	return point, wrap("point "+id.String(), err)
}

// KeyPoints returns the connection points of a key. The client checks the id of each; a node that omits points can't be detected.
func (c *Client) KeyPoints(ctx context.Context, key types.PublicKey) (points wire.Points, err error) {
	err = c.get(ctx, "/v1/keys/"+key.String()+"/points", nil, &points)
	for i := range points.Points {
		point := &points.Points[i]
		if err == nil && (len(point.Point.Meters) == 0 || point.Point.ID() != point.ID || point.Point.Owner != key) {
			err = c.lied("connection point %s is not of %s, or has another hash", point.ID, key)
		}
	}
	return points, wrap("points of "+key.String(), err)
}

// Claims returns the claims of trades on the slot of a flow that begins at from, or, if from is zero, on every slot with claims. A node
// that omits claims can't be detected.
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
				err = c.lied("its claims are of the slot of %s instead of %s", slot.From, from)
			}
		}
	}
	return claims, wrap("claims of "+flow.Point.String(), err)
}
