package types

// Move is something that a party can do now.
type Move struct {
	Who   PublicKey `json:"who"`
	Role  string    `json:"role"`  // "producer", "consumer" or "both"
	What  string    `json:"what"`  // "pay", "deliver", "release", "split", "collect", "take_return", "refund"
	Until Time      `json:"until"` // zero: no deadline
}

// Moves lists what each side can do at a moment of the ledger clock. The first is the one that the trade waits for.
// A split needs both signatures, so it stands last and is nobody's turn.
func (t *Trade) Moves(clock Time) []Move {
	var moves []Move
	producer := func(what string, until Time) {
		moves = append(moves, Move{t.Agreement.Producer, "producer", what, until})
	}
	consumer := func(what string, until Time) {
		moves = append(moves, Move{t.Agreement.Consumer, "consumer", what, until})
	}
	split := func(until Time) {
		moves = append(moves, Move{PublicKey{}, "both", "split", until})
	}
	switch t.PhaseAt(clock) {
	case PhaseAgreed:
		consumer("pay", t.Agreement.Deadlines.PayBy)
	case PhasePaid:
		producer("deliver", t.Agreement.Deadlines.DeliverBy)
		split(t.Agreement.Deadlines.DeliverBy)
	case PhaseDelivered:
		until := t.Agreement.Deadlines.ConfirmBy
		if _, hold := t.Agreement.Fallback.(*Hold); hold {
			until = 0
		}
		consumer("release", until)
		split(0)
	case PhaseReleased, PhaseRefunded:
		for _, locked := range t.Locked {
			switch owner, _ := t.Owner(locked.Part, clock); {
			case owner == t.Agreement.Producer && locked.Part == PartPayment:
				producer("collect", 0)
			case owner == t.Agreement.Consumer && locked.Part == PartReturn:
				consumer("take_return", 0)
			case owner == t.Agreement.Consumer && locked.Part == PartPayment:
				consumer("refund", 0)
			}
		}
	}
	return moves
}
