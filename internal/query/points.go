package query

import (
	"context"

	"lockstep/client/wire"
	"lockstep/internal/ledger"
	"lockstep/internal/store"
	"lockstep/types"
)

// Bounds of an answer on claims.
const (
	maxClaims     = 2_000  // in the answer
	claimsScanned = 20_000 // open trades of the owner that are looked at
)

func (l *Ledger) Point(_ context.Context, id types.PointID) (wire.Point, error) {
	return fromHead(l, func(s *store.Head) (wire.Point, error) {
		point, ok := s.Point(id)
		if !ok {
			return wire.Point{}, types.Refuse(types.CodeNotFound, "no connection point %s is enrolled", id)
		}
		return wire.Point{ID: id, Point: *point}, nil
	})
}

// Bounds of an answer on the points of a key.
const (
	maxPoints     = 100    // in the answer
	pointsScanned = 10_000 // points of anybody that are looked through
)

func (l *Ledger) KeyPoints(_ context.Context, key types.PublicKey) (wire.Points, error) {
	return fromHead(l, func(s *store.Head) (wire.Points, error) {
		points := wire.Points{Points: []wire.Point{}}
		looked := 0
		for point := range s.Points() {
			if looked++; looked > pointsScanned || len(points.Points) == maxPoints {
				points.Partial = true
				break
			}
			if point.Owner == key {
				points.Points = append(points.Points, wire.Point{ID: point.ID(), Point: *point})
			}
		}
		return points, nil
	})
}

func (l *Ledger) Claims(_ context.Context, flow types.Flow, from types.Time) (wire.Claims, error) {
	return read(l, func(s *store.IndexedSnapshot) (wire.Claims, error) {
		point, ok := s.Point(flow.Point)
		if !ok {
			return wire.Claims{}, types.Refuse(types.CodeNotFound, "no connection point %s is enrolled", flow.Point)
		}
		var finding error
		partial := false
		slots := s.Places(flow, from, func(yield func(types.TradeID, *types.Trade) bool) {
			left := claimsScanned
			for entry, err := range s.Trades(point.Owner, true, "") {
				if finding = err; err != nil {
					return
				}
				if partial = left == 0; partial || !yield(entry.ID, entry.Trade) {
					return
				}
				left--
			}
		})
		claims := claimsOf(flow, slots, maxClaims)
		claims.Height, claims.Clock = s.Height(), s.Clock().Now()
		claims.Partial = claims.Partial || partial
		return claims, finding
	})
}

// claimsOf writes places as the API shows them, up to so many.
func claimsOf(flow types.Flow, slots []ledger.SlotPlaces, most int) wire.Claims {
	claims := wire.Claims{Point: flow.Point, Direction: flow.Direction, Slots: []wire.SlotClaims{}}
	for _, slot := range slots {
		shown := wire.SlotClaims{From: slot.From, Until: slot.Until, Claims: []wire.Claim{}, Read: slot.Read}
		for _, place := range slot.Places {
			shown.Quantity += place.Quantity
			if most == 0 {
				claims.Partial = true
				continue
			}
			most--
			shown.Claims = append(shown.Claims, wire.Claim{
				Trade: place.Trade, Height: place.Height, Quantity: place.Quantity, ReadingBy: place.ReadingBy, Delivered: place.Delivered,
			})
		}
		claims.Slots = append(claims.Slots, shown)
	}
	return claims
}
