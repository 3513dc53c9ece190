package trade

import "lockstep/types"

// Passed reports whether a deadline lies behind a moment of the ledger clock. A step may be taken up to and including its
// deadline: every rule on a deadline is this comparison.
func Passed(deadline, clock types.Time) bool { return clock > deadline }

// PhaseAt returns the phase of a trade at a moment of the ledger clock: a deadline that passes changes it without a transaction.
func PhaseAt(t *types.Trade, clock types.Time) types.Phase {
	return PhaseAfter(t.Phase, &t.Agreement.Deadlines, clock)
}

// PhaseAfter returns the phase at a moment of the ledger clock, of a trade with a recorded phase and these deadlines.
func PhaseAfter(recorded types.Phase, d *types.Deadlines, clock types.Time) types.Phase {
	if deadline, next := Expiry(recorded, d); Passed(deadline, clock) {
		return next
	}
	return recorded
}

// Expiry returns the deadline of a phase and the phase that follows if no step is taken by then: lapsed or refunded. The other
// phases have no deadline; for them it returns zero and the phase itself.
func Expiry(phase types.Phase, d *types.Deadlines) (deadline types.Time, next types.Phase) {
	switch phase {
	case types.PhaseAgreed:
		return d.PayBy, types.PhaseLapsed
	case types.PhasePaid:
		return d.DeliverBy, types.PhaseRefunded
	}
	return 0, phase
}

// Running reports whether a trade in a phase can still take a step that divides its money.
func Running(phase types.Phase) bool { return phase <= types.PhaseDelivered }

// Reachable reports whether a trade in one phase is in another one now or can still get there, under some terms.
func Reachable(from, to types.Phase) bool {
	switch {
	case from == to || !Running(from):
		return from == to
	case to == types.PhaseLapsed:
		return from == types.PhaseAgreed
	case to == types.PhaseRefunded:
		return from <= types.PhasePaid
	}
	return from < to
}

// EndingStep returns the step that brings a trade into a phase in which its money is divided; zero for other phases.
func EndingStep(phase types.Phase) types.StepKind {
	switch phase {
	case types.PhaseReleased:
		return types.StepReleased
	case types.PhaseSplit:
		return types.StepSplit
	case types.PhaseSettled:
		return types.StepSettled
	case types.PhaseAwarded:
		return types.StepAwarded
	}
	return 0
}

// Over reports whether a trade has ended: nothing is locked in it and no step can follow.
func Over(t *types.Trade) bool { return len(t.Locked) == 0 && t.Phase != types.PhaseAgreed }

// Owner is the rule of the whole protocol: the key that may spend a part of the trade at a moment of the ledger clock. The
// return is locked like the payment: the release gives the return to the consumer and the payment to the producer.
// It is false while no key may spend the part. A part that has an owner keeps that owner.
func Owner(t *types.Trade, part types.Part, clock types.Time) (types.PublicKey, bool) {
	switch PhaseAt(t, clock) {
	case types.PhaseReleased:
		switch part {
		case types.PartPayment, types.PartBond:
			return t.Agreement.Producer, true
		case types.PartReturn:
			return t.Agreement.Consumer, true
		}
	case types.PhaseRefunded:
		switch part {
		case types.PartPayment, types.PartDeposit:
			return t.Agreement.Consumer, true
		case types.PartBond: // a staked one
			return t.Agreement.Producer, true
		}
	}
	return types.PublicKey{}, false
}

// Entitled returns the key that may spend a part of the trade once the ledger clock is past a moment, if no other step comes
// first; zero is now. It is false while that needs a step of a party. Deliver-by is the only deadline that gives a part to a key.
func Entitled(t *types.Trade, part types.Part) (owner types.PublicKey, after types.Time, ok bool) {
	if owner, ok = Owner(t, part, 0); ok {
		return owner, 0, true
	}
	owner, ok = Owner(t, part, types.MaxTime)
	return owner, t.Agreement.Deadlines.DeliverBy, ok
}

// PutIn returns the party that paid for a part of the trade. The return counts as the consumer's: it replaces the deposit.
func PutIn(t *types.Trade, part types.Part) types.PublicKey {
	if part == types.PartBond {
		return t.Agreement.Producer
	}
	return t.Agreement.Consumer
}
