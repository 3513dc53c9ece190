package goods

import (
	"lockstep/trade"
	"lockstep/types"
)

// Step is the next step of a party.
type Step string

// The steps.
const (
	Wait    Step = "wait"    // for the other side or for a deadline
	Deliver Step = "deliver" // the seller records the delivery: from then on the payment can't go back to the buyer alone
	Hand    Step = "hand"    // the seller seals the file to the buyer's key and hands it over
	Fetch   Step = "fetch"   // the buyer gets the sealed file, opens and checks it
	Release Step = "release" // the buyer's file is the agreed one
	Ask     Step = "ask"     // a person decides: the goods are no file, are missing, or are not the agreed ones
	Done    Step = "done"    // nothing is left to do for the goods
)

// Finding is the result of the buyer's look at the goods.
type Finding int

// The findings.
const (
	NotSeen Finding = iota
	Agreed          // opened, and the agreed file by its SHA-256
	Other           // opened or not, and not the agreed file
)

// View is a party's own knowledge of a trade.
type View struct {
	Stock  bool    // the seller has a file with the agreed SHA-256
	Handed bool    // the seller has handed the sealed file over
	Seen   Finding // by the buyer
}

// Next returns the next step of the holder of a key in a trade of a file. It releases if and only if the file was found to be the agreed
// one; it hands over only after the payment is locked beyond the buyer's reach. For goods that no SHA-256 names, a person is asked.
func Next(t *types.Trade, clock types.Time, key types.PublicKey, view View) Step {
	_, named := ParseNote(t.Agreement.Goods.Note)
	named = named && t.Agreement.Goods.Unit == types.UnitItem
	switch trade.RoleOf(&t.Agreement, key) {
	case trade.Producer:
		return nextOfSeller(t, clock, named, view)
	case trade.Consumer:
		return nextOfBuyer(t, clock, named, view)
	}
	return Wait
}

func nextOfSeller(t *types.Trade, clock types.Time, named bool, view View) Step {
	switch trade.PhaseAt(t, clock) {
	case types.PhaseAgreed:
		return Wait
	case types.PhasePaid:
		if trade.May(t, trade.MoveDeliver, clock) != nil {
			return Wait
		}
		if !named || !view.Stock {
			return Ask
		}
		return Deliver
	case types.PhaseDelivered, types.PhaseReleased:
		switch {
		case view.Handed:
			return doneUnless(trade.PhaseAt(t, clock) == types.PhaseDelivered)
		case named && view.Stock:
			return Hand
		case trade.PhaseAt(t, clock) == types.PhaseReleased:
			return Done
		}
		return Ask
	}
	return Done
}

func nextOfBuyer(t *types.Trade, clock types.Time, named bool, view View) Step {
	switch trade.PhaseAt(t, clock) {
	case types.PhaseAgreed, types.PhasePaid:
		return Wait
	case types.PhaseDelivered:
		switch {
		case trade.May(t, trade.MoveRelease, clock) != nil:
			return Wait
		case !named || view.Seen == Other:
			return Ask
		case view.Seen == Agreed:
			return Release
		}
		return Fetch
	}
	return Done
}

func doneUnless(waits bool) Step {
	if waits {
		return Wait
	}
	return Done
}

// Due returns the instalment up to which the buyer releases now, for a quantity that came by its own meter; 0 for none.
func Due(t *types.Trade, clock types.Time, key types.PublicKey, quantity uint64) uint16 {
	if t.Agreement.Consumer != key || trade.May(t, trade.MoveRelease, clock) != nil {
		return 0
	}
	if k := trade.Flowed(&t.Agreement, quantity); k > t.Released {
		return k
	}
	return 0
}
