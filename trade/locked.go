package trade

import "lockstep/types"

// mostLocked is the largest number of parts that are locked at once: the payment, the deposit or the return, and the bond.
const mostLocked = 3

// Locks returns the parts that a paid or delivered trade has locked by the rules: its bond from the delivery on, or if it was staked before.
func Locks(t *types.Trade) []types.Locked {
	return appendLocks(nil, t, t.Phase == types.PhaseDelivered || held(t, types.PartBond) > 0)
}

// appendLocks appends the parts that a paid or delivered trade has locked, in order. They follow from its agreement, its phase and the
// instalments released so far; the bond is there from the delivery on, or from the payment if it was staked before.
func appendLocks(to []types.Locked, t *types.Trade, bond bool) []types.Locked {
	a := &t.Agreement
	to = append(to, types.Locked{Part: types.PartPayment, Amount: a.Price - Due(a, t.Released)})
	second := types.PartDeposit
	if t.Phase == types.PhaseDelivered {
		second = types.PartReturn // locked like the payment
	}
	to = append(to, types.Locked{Part: second, Amount: a.Deposit})
	if bond && a.Bond > 0 {
		to = append(to, types.Locked{Part: types.PartBond, Amount: a.Bond})
	}
	return to
}

// bondToLock returns the bond that a delivery locks: none if it was staked before.
func bondToLock(t *types.Trade) types.Amount {
	if _, staked := t.Find(types.PartBond); staked {
		return 0
	}
	return t.Agreement.Bond
}

// CheckShares refuses a division that does not add up to the money that the trade has locked.
func CheckShares(t *types.Trade, toProducer, toConsumer types.Amount) error {
	if total, ok := toProducer.Add(toConsumer); !ok || total != t.LockedSum() {
		return types.Refuse(types.CodeSplit, "%s to the producer and %s to the consumer are not the %s that the trade has locked: divide all of it",
			toProducer, toConsumer, t.LockedSum())
	}
	return nil
}

// CheckMandates refuses mandates that are not by the two parties in their places, or that are not valid in a block of a time; no
// mandate may be valid for longer than the span. The signatures are verified with those of the transaction.
func CheckMandates(m *types.Mandates, a *types.Agreement, blockTime types.Time, longest types.Duration) error {
	switch {
	case m.Producer.Key != a.Producer:
		return types.Refuse(types.CodeMandate, "the producer's mandate is by %s, the producer is %s", m.Producer.Key, a.Producer)
	case m.Consumer.Key != a.Consumer:
		return types.Refuse(types.CodeMandate, "the consumer's mandate is by %s, the consumer is %s", m.Consumer.Key, a.Consumer)
	case m.ValidUntil < blockTime:
		return types.Refuse(types.CodeExpired, "the parties' mandates were valid until %s, the block is of %s", m.ValidUntil, blockTime)
	case m.ValidUntil > blockTime.Add(longest):
		return types.Refuse(types.CodeValidity, "the parties' mandates are valid until %s, more than %s ahead of the block of %s",
			m.ValidUntil, longest, blockTime)
	}
	return nil
}
