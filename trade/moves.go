package trade

import "lockstep/types"

// Move is a step that a party can take in a trade.
type Move uint8

// The moves, in the order in which [Moves] lists them.
const (
	MovePay        Move = iota + 1 // E1
	MoveDeliver                    // E2
	MoveRelease                    // E3, of one instalment or of all
	MoveRead                       // a reading of the meter, towards a settlement
	MoveSettle                     // meter terms
	MoveAward                      // arbiter terms
	MoveSplit                      // by both parties
	MoveCollect                    // E4: spend the payment and the bond
	MoveTakeReturn                 // spend the return
	MoveRefund                     // spend the payment and the deposit of a trade without a delivery
	MoveTakeBond                   // spend the bond of one, if it was staked
	lastMove       = MoveTakeBond
)

// window is one line of the table of windows: the phases in which a move is possible, and the time.
type window struct {
	name, by string     // the move, and the role that makes it
	in       phases     // the phase must be one of these
	late     phases     // in these phases the move is refused as too late, in others as impossible
	after    deadline   // opens once this deadline has passed
	upTo     deadline   // closes with this deadline; a phase that ends by time closes it anyway
	terms    string     // only under these fallback terms
	code     types.Code // for other terms
	noLimit  string     // under these fallback terms upTo does not count
	spends   bool       // it spends locked parts, of which the party must own one
}

// phases is a set of phases.
type phases uint16

const (
	agreed    phases = 1 << types.PhaseAgreed
	paid      phases = 1 << types.PhasePaid
	delivered phases = 1 << types.PhaseDelivered
	released  phases = 1 << types.PhaseReleased
	refunded  phases = 1 << types.PhaseRefunded
	lapsed    phases = 1 << types.PhaseLapsed
)

func (s phases) has(phase types.Phase) bool { return s>>phase&1 == 1 }

// deadline names one of an agreement's deadlines.
type deadline uint8

const (
	none deadline = iota
	readingBy
	confirmBy
)

func (d deadline) String() string {
	if d == readingBy {
		return "reading-by"
	}
	return "confirm-by"
}

func (d deadline) of(a *types.Agreement) types.Time {
	if d == readingBy {
		return a.Deadlines.ReadingBy
	}
	return a.Deadlines.ConfirmBy
}

// windowOf is the table of protocol sections 3 and 4: all conditions of a move except the money and the secret. Pay, deliver and
// split end with the phase of the trade: pay-by ends agreed, deliver-by ends paid, see [PhaseAt]. No two parties can make a move
// of their own in the same window.
func windowOf(m Move) window {
	switch m {
	case MovePay:
		return window{name: "pay", by: "consumer", in: agreed, late: lapsed}
	case MoveDeliver:
		return window{name: "deliver", by: "producer", in: paid, late: refunded}
	case MoveRelease:
		return window{name: "release", by: "consumer", in: delivered, upTo: confirmBy, noLimit: "hold"}
	case MoveRead:
		return window{name: "read", by: "producer", in: delivered, upTo: readingBy, terms: "meter", code: types.CodePhase}
	case MoveSettle:
		return window{name: "settle", by: "anyone", in: delivered, after: confirmBy, terms: "meter", code: types.CodePhase}
	case MoveAward:
		return window{name: "award", by: "arbiter", in: delivered, after: confirmBy, terms: "arbiter", code: types.CodeArbiter}
	case MoveSplit:
		return window{name: "split", by: "both", in: paid | delivered}
	case MoveCollect:
		return window{name: "collect", by: "producer", in: released, spends: true}
	case MoveTakeReturn:
		return window{name: "take_return", by: "consumer", in: released, spends: true}
	case MoveRefund:
		return window{name: "refund", by: "consumer", in: refunded, spends: true}
	case MoveTakeBond:
		return window{name: "take_bond", by: "producer", in: refunded, spends: true}
	}
	return window{name: "none"}
}

func (m Move) String() string { return windowOf(m).name }

// May reports whether a move is possible at a moment of the ledger clock: nil, or a refusal with the reason.
func May(t *types.Trade, m Move, clock types.Time) error {
	w, a := windowOf(m), &t.Agreement
	switch phase, code := PhaseAt(t, clock), w.judge(t, clock); {
	case code == types.CodeOK:
		return nil
	case code == types.CodeTooEarly:
		return types.Refuse(code, "%s is possible once %s has passed, the ledger clock is at %s", m, w.after.of(a), clock)
	case w.late.has(phase): // of a move under any terms
		passed, _ := Expiry(t.Phase, &a.Deadlines)
		return types.Refuse(code, "%s was possible until %s: the trade is %s", m, passed, phase)
	case code == types.CodeTooLate:
		return types.Refuse(code, "%s was possible until %s %s: the trade ends by its %s terms", m, w.upTo, w.upTo.of(a), types.FallbackKind(a.Fallback))
	case w.otherTerms(a):
		return types.Refuse(code, "%s needs %s terms, this trade has %s terms", m, w.terms, types.FallbackKind(a.Fallback))
	default:
		return types.Refuse(code, "%s is impossible: the trade is %s", m, phase)
	}
}

// judge returns the code with which a move is refused, or that of success.
func (w *window) judge(t *types.Trade, clock types.Time) types.Code {
	a, phase := &t.Agreement, PhaseAt(t, clock)
	switch {
	case w.otherTerms(a):
		return w.code
	case w.late.has(phase):
		return types.CodeTooLate
	case !w.in.has(phase):
		return types.CodePhase
	case w.after != none && !Passed(w.after.of(a), clock):
		return types.CodeTooEarly
	case w.limited(a) && Passed(w.upTo.of(a), clock):
		return types.CodeTooLate
	}
	return types.CodeOK
}

func (w *window) otherTerms(a *types.Agreement) bool {
	return w.terms != "" && w.terms != types.FallbackKind(a.Fallback)
}

func (w *window) limited(a *types.Agreement) bool {
	return w.upTo != none && w.noLimit != types.FallbackKind(a.Fallback)
}

// until returns the deadline of a move that is possible in a phase; zero without one.
func (w *window) until(a *types.Agreement, phase types.Phase) types.Time {
	if w.limited(a) {
		return w.upTo.of(a)
	}
	deadline, _ := Expiry(phase, &a.Deadlines)
	return deadline
}

// Moves lists the moves that are possible at a moment of the ledger clock. The trade waits for the first. A split needs both
// signatures and is no side's turn: it comes last.
func Moves(t *types.Trade, clock types.Time) []types.Move {
	var moves []types.Move
	for m := MovePay; m <= lastMove; m++ {
		w := windowOf(m)
		if w.judge(t, clock) != types.CodeOK {
			continue
		}
		if who := keyOf(&t.Agreement, w.by); !w.spends || owns(t, who, clock) {
			moves = append(moves, types.Move{Who: who, Role: w.by, What: w.name, Until: w.until(&t.Agreement, PhaseAt(t, clock))})
		}
	}
	return moves
}

// keyOf returns the key of a role; zero for both and for anyone.
func keyOf(a *types.Agreement, role string) types.PublicKey {
	switch role {
	case "producer":
		return a.Producer
	case "consumer":
		return a.Consumer
	case "arbiter":
		return a.Fallback.(*types.Arbiter).Key
	}
	return types.PublicKey{}
}

// owns reports whether a key may spend a locked part of the trade.
func owns(t *types.Trade, key types.PublicKey, clock types.Time) bool {
	for _, locked := range t.Locked {
		if owner, owned := Owner(t, locked.Part, clock); owned && owner == key {
			return true
		}
	}
	return false
}
