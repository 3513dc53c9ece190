package apitest

import (
	"context"

	"lockstep/client/wire"
	"lockstep/types"
)

// Point implements [api.Points].
func (l *Ledger) Point(_ context.Context, id types.PointID) (wire.Point, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	point, ok := l.reader().Point(id)
	if !ok {
		return wire.Point{}, types.Refuse(types.CodeNotFound, "connection point %s", id)
	}
	return wire.Point{ID: id, Point: *point}, nil
}

// KeyPoints implements [api.Points].
func (l *Ledger) KeyPoints(_ context.Context, key types.PublicKey) (wire.Points, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var points wire.Points
	for point := range l.reader().Points() {
		if point.Owner == key {
			points.Points = append(points.Points, wire.Point{ID: point.ID(), Point: *point})
		}
	}
	return points, nil
}

// Claims implements [api.Points].
func (l *Ledger) Claims(_ context.Context, flow types.Flow, from types.Time) (wire.Claims, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.reader().Point(flow.Point); !ok {
		return wire.Claims{}, types.Refuse(types.CodeNotFound, "connection point %s", flow.Point)
	}
	slots := l.reader().Places(flow, from, func(yield func(types.TradeID, *types.Trade) bool) {
		for trade := range l.reader().Trades() {
			if !yield(trade.ID(), trade) {
				return
			}
		}
	})
	clock := l.reader().Clock()
	claims := wire.Claims{Height: clock.Height, Clock: clock.Now(), Point: flow.Point, Direction: flow.Direction}
	for _, slot := range slots {
		shown := wire.SlotClaims{From: slot.From, Until: slot.Until, Read: slot.Read}
		for _, place := range slot.Places {
			shown.Quantity += place.Quantity
			shown.Claims = append(shown.Claims, wire.Claim{
				Trade: place.Trade, Height: place.Height, Quantity: place.Quantity, ReadingBy: place.ReadingBy, Delivered: place.Delivered,
			})
		}
		claims.Slots = append(claims.Slots, shown)
	}
	return claims, nil
}
