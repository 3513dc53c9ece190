package types

// Move is something that a party can do now.
type Move struct {
	Who  PublicKey `json:"who,omitzero"`
	Role string    `json:"role"` // "producer", "consumer", "both", "arbiter" or "anyone"
	What string    `json:"what"` // "pay", "deliver", "release", "split", "collect", "take_return", "refund",
	// "read", "settle", "award"
	Until Time `json:"until,omitzero"` // zero: no deadline
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
		t.deliveredMoves(clock, &moves)
		split(0)
	case PhaseReleased:
		if t.holds(PartPayment) || t.holds(PartBond) {
			producer("collect", 0)
		}
		if t.holds(PartReturn) {
			consumer("take_return", 0)
		}
	case PhaseRefunded:
		if t.holds(PartPayment) || t.holds(PartDeposit) {
			consumer("refund", 0)
		}
	}
	return moves
}

func (t *Trade) holds(part Part) bool {
	_, locked := t.Find(part)
	return locked
}

// deliveredMoves are those of a trade that waits for its release: up to confirm-by, or for ever under hold; then what its
// fallback terms say.
func (t *Trade) deliveredMoves(clock Time, moves *[]Move) {
	a := &t.Agreement
	_, hold := a.Fallback.(*Hold)
	if hold || clock <= a.Deadlines.ConfirmBy {
		until := a.Deadlines.ConfirmBy
		if hold {
			until = 0
		}
		*moves = append(*moves, Move{a.Consumer, "consumer", "release", until})
	}
	over := clock > a.Deadlines.ConfirmBy
	switch fallback := a.Fallback.(type) {
	case *Hold: // nothing but the release, ever
	case *Meter:
		if clock <= a.Deadlines.ReadingBy {
			*moves = append(*moves, Move{a.Producer, "producer", "read", a.Deadlines.ReadingBy})
		}
		if over {
			*moves = append(*moves, Move{PublicKey{}, "anyone", "settle", 0})
		}
	case *Arbiter:
		if over {
			*moves = append(*moves, Move{fallback.Key, "arbiter", "award", 0})
		}
	}
}
