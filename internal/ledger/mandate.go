package ledger

import "lockstep/types"

// submitted notes that an action needs its submitter's signature, which is for the transaction alone.
func (x *execution) submitted(by types.PublicKey) error {
	x.need(by)
	return by.Check("submitter")
}

// checkMandates wants the mandates of the two parties of an agreement, in their places, and not past their valid-until. Whether
// the signatures are good is known before, with those of the transaction: see [State.Execute].
func (x *execution) checkMandates(m *types.Mandates, agreement *types.Agreement) error {
	now := x.clock.BlockTime
	switch {
	case m.Producer.Key != agreement.Producer:
		return types.Refuse(types.CodeMandate, "the producer's mandate is by %s, the producer is %s", m.Producer.Key, agreement.Producer)
	case m.Consumer.Key != agreement.Consumer:
		return types.Refuse(types.CodeMandate, "the consumer's mandate is by %s, the consumer is %s", m.Consumer.Key, agreement.Consumer)
	case m.ValidUntil < now:
		return types.Refuse(types.CodeExpired, "the parties' mandates were valid until %s, the block is of %s", m.ValidUntil, now)
	case m.ValidUntil > now.Add(x.params.MaxValidity):
		return types.Refuse(types.CodeValidity, "the parties' mandates are valid until %s, more than %s ahead of the block of %s",
			m.ValidUntil, x.params.MaxValidity, now)
	}
	return nil
}
