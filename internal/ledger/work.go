package ledger

import (
	"bytes"

	"lockstep/types"
)

// A block's work is bounded and counted, not timed, so that all validators agree on the bound. A unit is about 4 microseconds of
// one validator on two cores (BenchmarkFullBlocks).
const (
	// MaxBlockWork is the most that the transactions of a block may cost together.
	MaxBlockWork = 1 << 17
	// MaxTxWork is the most that one transaction may cost, so that each fits into a block's reserve for running trades.
	MaxTxWork = MaxBlockWork / 16

	txWork        = 1 // reading it
	signatureWork = 3
	inputWork     = 1 // a coin
	partWork      = 8 // a part of a trade, which may end with it
	outputWork    = 2
	actionWork    = 4   // a step of a trade, or an entry that is due
	orderWork     = 2   // an order that is cleared
	mandates      = 2   // signatures in an agreement or a split
	settleWork    = 8   // with the allotment of a full slot
	recordWork    = 12  // a meter record of a gateway
	ocmfWork      = 400 // one that may be signed on the slowest curve
	recordBytes   = 24  // so many bytes of a record cost one unit
	hashesPerUnit = 32  // of a chain of instalments
)

// Work is the greatest cost of executing a transaction, in units, by its form alone.
func Work(tx *types.Tx) uint64 {
	body := &tx.Body
	work := uint64(txWork + signatureWork*len(tx.Signatures) + outputWork*len(body.Outputs))
	for _, input := range body.Inputs {
		if _, _, part := input.Trade(); part {
			work += partWork
		} else {
			work += inputWork
		}
	}
	for _, action := range body.Actions {
		work += actionCost(action)
	}
	return work
}

// CheckWork refuses a transaction that costs more than one may.
func CheckWork(tx *types.Tx) error {
	if work := Work(tx); work > MaxTxWork {
		return types.Refuse(types.CodeTooLarge, "the transaction is %d units of work, at most %d are allowed: divide it into several", work, MaxTxWork)
	}
	return nil
}

func actionCost(action types.Action) uint64 {
	switch a := action.(type) {
	case *types.Release:
		return actionWork + (uint64(a.Instalment)+uint64(len(a.Path)))/hashesPerUnit
	case *types.Settle:
		return settleWork
	case *types.Agree, *types.Split:
		return actionWork + mandates*signatureWork
	case *types.Govern:
		cost := uint64(actionWork + signatureWork*len(a.Signatures))
		for _, act := range a.Decision.Acts {
			cost += actionCost(act)
		}
		return cost
	case *types.SetValidator:
		return actionWork + signatureWork*uint64(len(a.Consent))
	case *types.Reading:
		cost := uint64(actionWork)
		for _, record := range a.Records {
			cost += recordWork + uint64(len(record))/recordBytes
			if bytes.Contains(record, []byte("OCMF")) {
				cost += ocmfWork
			}
		}
		return cost
	case *types.Issue, *types.Redeem, *types.Post, *types.Cancel, *types.Take, *types.Place, *types.Withdraw, *types.Pay, *types.Deliver,
		*types.Award, *types.Admit, *types.Enrol, *types.Exchange, *types.Retire,
		*types.Accept, *types.Decline, *types.Draw, *types.Recognise, *types.Unrecognise,
		*types.SetParams, *types.SetMarket, *types.Dismiss:
	}
	return actionWork
}

// WorkLeft is the work of transactions that a proposer puts into the block: due entries and auctions come first, but a quarter is
// always left to transactions.
func (s *State) WorkLeft() uint64 {
	return MaxBlockWork - min(s.spent+s.slotWork, MaxBlockWork-MaxBlockWork/4)
}
