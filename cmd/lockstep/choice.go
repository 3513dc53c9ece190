package main

import (
	"context"
	"strings"
	"time"

	"lockstep/trade/words"
	"lockstep/types"
)

// The names of terms on the command line.
const (
	holdTerms    = "hold"
	meterTerms   = "meter"
	arbiterTerms = "arbiter"
)

// choosePoint sets the connection point of the goods when no flag names one: the point that an operator has enrolled for the
// seller. Among several the user must choose.
func (f *pointFlags) choosePoint(ctx context.Context, s *session, seller types.PublicKey, instead string) error {
	told, err := s.node.KeyPoints(ctx, seller)
	if err != nil {
		return err
	}
	var own []types.PointID
	for i := range told.Points {
		point := &told.Points[i].Point
		last := &point.Meters[len(point.Meters)-1]
		if point.RetiredAt == 0 && len(last.Registers(directionOf(f.Direction))) > 0 {
			own = append(own, told.Points[i].ID)
		}
	}
	switch len(own) {
	case 0:
		return nil
	case 1:
		f.Point = &own[0]
		return nil
	}
	var names []string
	for _, id := range own {
		names = append(names, short(id))
	}
	if instead != "" {
		instead = "; or add " + instead + " for goods that no meter measures"
	}
	return misuse("the seller has several connection points: name the one that measures these goods with --point: %s%s", strings.Join(names, ", "), instead)
}

// resolve returns the goods, the deadlines and the terms that the flags describe, for goods of a seller. Without --fallback,
// energy that a meter of the seller measures is under meter terms, and all other goods are under hold terms.
func (f *termsFlags) resolve(ctx context.Context, s *session, seller types.PublicKey) (goods types.Goods, d types.Deadlines, fallback types.Fallback, err error) {
	if f.Fallback == "" && f.Point == nil && unitOf(f.Unit) == types.UnitWattHour {
		if err := f.choosePoint(ctx, s, seller, "--fallback hold"); err != nil {
			return goods, d, nil, err
		}
	}
	switch {
	case f.Fallback != "":
	case f.Point != nil:
		f.Fallback = meterTerms
	default:
		f.Fallback = holdTerms
	}
	if goods, d, err = f.describe(s.status.Clock, &s.params); err != nil {
		return goods, d, nil, err
	}
	if now := max(s.status.BlockTime, s.status.Clock); goods.From != 0 && goods.From < now {
		return goods, d, nil, misuse("the slot has begun already: %s, and it is %s; the next that is possible with these deadlines begins at %s",
			slotText(&words.Printer{}, &goods), stamp(now), stamp(firstSlot(max(d.DeliverBy, now), f.slot(&s.params))))
	}
	fallback, err = f.fallback()
	return goods, d, fallback, err
}

// firstSlot returns the begin of the first slot that begins at a moment or later.
func firstSlot(at types.Time, slot types.Duration) types.Time {
	length := types.Time(max(slot, 1))
	return (at + length - 1) / length * length
}

// checkOpen refuses a slot whose gate has closed.
func (s *session) checkOpen(from types.Time) error {
	product := types.Product{From: from}
	if product.Gate(&s.params) >= s.status.BlockTime {
		return nil
	}
	next := nextSlot(max(s.status.BlockTime, types.TimeOf(time.Now())), &s.params)
	return misuse("the slot that begins at %s takes no more orders, since its gate has closed; the next that is possible begins at %s (--from next)",
		stamp(from), stamp(next))
}
