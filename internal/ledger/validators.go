package ledger

import (
	"slices"

	"lockstep/types"
)

// The validators of the state are those that the consensus engine has two blocks later. The engine halts when it is told of a key twice, of
// one that it does not know, or of none at all. So it is told the difference between two sets of the state, each of which is sorted and
// not empty.

// setValidator gives a validator its power.
func (x *execution) setValidator(a *types.SetValidator) error {
	g := x.governance()
	if len(g.Validators) == 0 {
		return types.Refuse(types.CodeValidator, "this ledger began without validators")
	}
	if err := a.Key.Check("validator"); err != nil {
		return err
	}
	if a.Power > types.MaxPower {
		return types.Refuse(types.CodeValidator, "a power of %d: at most 2^40 is possible", a.Power)
	}
	seat := types.Seat{Validator: types.Validator{Key: a.Key, Power: a.Power}}
	at, found := slices.BinarySearchFunc(g.Validators, seat, compareSeats)
	next := *g
	next.Validators = slices.Clone(g.Validators)
	switch {
	case !found && a.Power == 0:
		return types.Refuse(types.CodeValidator, "%s is no validator", a.Key)
	case !found:
		if err := x.checkConsent(a); err != nil {
			return err
		}
		if len(g.Validators) >= types.MaxValidators {
			return types.Refuse(types.CodeValidator, "there are %d validators, and no room for one more", len(g.Validators))
		}
		seat.Silent = 1
		next.Validators = slices.Insert(next.Validators, at, seat)
	case len(a.Consent) > 0:
		return types.Refuse(types.CodeValidator, "%s is a validator already: it needs no consent", a.Key)
	case a.Power == 0 && len(g.Validators) == 1:
		return types.Refuse(types.CodeValidator, "%s is the only validator: a ledger without one makes no block", a.Key)
	case a.Power == 0:
		next.Validators = slices.Delete(next.Validators, at, at+1)
	case a.Power == g.Validators[at].Validator.Power:
		return types.Refuse(types.CodeValidator, "%s has a power of %d already", a.Key, a.Power)
	default:
		next.Validators[at].Validator.Power = a.Power
	}
	x.put(governanceKey(), &next)
	return nil
}

// checkConsent wants a newcomer's signature of a checkpoint. That it fits its key is known, as of all signatures in the transaction.
func (x *execution) checkConsent(a *types.SetValidator) error {
	if len(a.Consent) != 1 {
		return types.Refuse(types.CodeValidator, "%s is new and has not agreed to be a validator: lockstep node consent makes its consent", a.Key)
	}
	at := a.Consent[0].At
	if kept, known := get[checkpoint](x.State, checkpointKey(at)); !known || kept.Hash != at.Hash || at.Until < x.now {
		return types.Refuse(types.CodeValidator, "the consent of %s is of block %d with the hash %s, which is no checkpoint of the last %s: make it anew",
			a.Key, at.Height, at.Hash, types.ConsentValidity)
	}
	return nil
}

// checkPower keeps a decision from moving too much power at once, and from letting validators decide that have signed no block yet.
func (x *execution) checkPower(before *types.Governance, insist bool) error {
	g := x.governance()
	given, taken := moved(before.Validators, g.Validators)
	if given+taken == 0 {
		return nil
	}
	next := *g
	next.Moves = nil
	sum := types.PowerMove{Given: given, Taken: taken}
	for _, m := range g.Moves {
		if m.Height+types.MoveWindow > x.clock.Height {
			next.Moves = append(next.Moves, m)
			sum.Given, sum.Taken = sum.Given+m.Given, sum.Taken+m.Taken
		}
	}
	total, silent := g.Power() // sums that fit, as each is at most three times MaxValidators of MaxPower
	start := total + sum.Taken - sum.Given
	switch {
	case 3*sum.Given > total:
		return types.Refuse(types.CodeValidator, "within %d blocks validators would be given a power of %d, more than a third of the %d of all: give less now and the rest later",
			types.MoveWindow, sum.Given, total)
	case 3*sum.Taken > start:
		return types.Refuse(types.CodeValidator, "within %d blocks a power of %d would be taken from validators, more than a third of the %d of all: take less now and the rest later",
			types.MoveWindow, sum.Taken, start)
	case silent > 0 && 3*(total-silent) <= 2*total && !insist:
		return types.Refuse(types.CodeValidator, "validators with a power of %d of %d have signed no block yet, and without them the ledger would stand still: "+
			"give them less until they sign, or propose it with --insist", silent, total)
	}
	next.Moves = append(next.Moves, types.PowerMove{Height: x.clock.Height, Given: given, Taken: taken})
	x.put(governanceKey(), &next)
	return nil
}

// moved returns the power that was given and taken between two sets of validators.
func moved(before, after []types.Seat) (given, taken uint64) {
	for _, change := range updates(before, after) {
		old := uint64(0)
		if at, found := slices.BinarySearchFunc(before, types.Seat{Validator: change}, compareSeats); found {
			old = before[at].Validator.Power
		}
		if change.Power > old {
			given += change.Power - old
		} else {
			taken += old - change.Power
		}
	}
	return given, taken
}

// updates lists the validators whose power differs between two sets, in order of their keys, with their power in the second.
func updates(before, after []types.Seat) (changed []types.Validator) {
	for _, seat := range before {
		if _, found := slices.BinarySearchFunc(after, seat, compareSeats); !found {
			changed = append(changed, types.Validator{Key: seat.Validator.Key})
		}
	}
	for _, seat := range after {
		at, found := slices.BinarySearchFunc(before, seat, compareSeats)
		if !found || before[at].Validator.Power != seat.Validator.Power {
			changed = append(changed, seat.Validator)
		}
	}
	slices.SortFunc(changed, func(a, b types.Validator) int { return types.CompareKeys(a.Key, b.Key) })
	return changed
}
