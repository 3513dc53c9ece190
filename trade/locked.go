package trade

import "lockstep/types"

// mostLocked is the largest number of parts that are locked at once: the payment, the deposit or the return, and the bond.
const mostLocked = 3

// Locks returns the parts that a paid or delivered trade has locked. They follow from its agreement, its phase and the
// instalments released so far.
func Locks(t *types.Trade) []types.Locked { return appendLocks(nil, t) }

// appendLocks appends the parts of [Locks], in order.
func appendLocks(to []types.Locked, t *types.Trade) []types.Locked {
	a := &t.Agreement
	to = append(to, types.Locked{Part: types.PartPayment, Amount: a.Price - Due(a, t.Released)})
	if t.Phase != types.PhaseDelivered {
		return append(to, types.Locked{Part: types.PartDeposit, Amount: a.Deposit})
	}
	to = append(to, types.Locked{Part: types.PartReturn, Amount: a.Deposit}) // locked like the payment
	if a.Bond > 0 {
		to = append(to, types.Locked{Part: types.PartBond, Amount: a.Bond})
	}
	return to
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
