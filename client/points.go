package client

import (
	"context"
	"iter"
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

// SlotReading is a reading of a slot, with the transaction that posted it.
type SlotReading struct {
	Height  uint64
	At      types.Time
	Tx      types.TxID
	Reading *types.Reading // nil if the node has pruned the transaction's body: whether one is of the slot is then unknown
}

// Readings finds the readings of the slot that a trade is about, each once, in the blocks from one height up to another. It
// ends after an error, which is the context's own if the context ends before all blocks were read.
func (c *Client) Readings(ctx context.Context, goods *types.Goods, from, until uint64) iter.Seq2[SlotReading, error] {
	return func(yield func(SlotReading, error) bool) {
		point, err := c.Point(ctx, goods.Flow.Point)
		if err != nil {
			yield(SlotReading{}, err)
			return
		}
		var last types.TxID // with two readings it has two events, one after the other
		for event, err := range c.Events(ctx, EventsOptions{From: max(from, 1), Until: max(until, 1), Key: point.Point.Owner}) {
			if err != nil {
				yield(SlotReading{}, err)
				return
			}
			if event.Kind != types.EventRead || event.Tx == last {
				continue
			}
			last = event.Tx
			found, err := c.slotReadings(ctx, &event.Event, goods)
			if err != nil {
				yield(SlotReading{}, err)
				return
			}
			for i := range found {
				if !yield(found[i], nil) {
					return
				}
			}
		}
		if ctx.Err() != nil {
			yield(SlotReading{}, ctx.Err())
		}
	}
}

// slotReadings fetches the readings of a slot in the transaction that an event tells of.
func (c *Client) slotReadings(ctx context.Context, event *types.Event, goods *types.Goods) (found []SlotReading, err error) {
	for tx, err := range c.AllBlockTxs(ctx, event.Height) {
		if err != nil {
			return nil, err
		}
		if tx.ID != event.Tx {
			continue
		}
		one := SlotReading{Height: event.Height, At: event.At, Tx: event.Tx}
		if tx.Tx == nil {
			return []SlotReading{one}, nil
		}
		for _, action := range tx.Tx.Body.Actions {
			reading, ok := action.(*types.Reading)
			if ok && reading.Flow == goods.Flow && reading.From == goods.From {
				one.Reading = reading
				found = append(found, one)
			}
		}
		break
	}
	return found, nil
}
