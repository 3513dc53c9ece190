package types

import "fmt"

// Trade is an agreement on the ledger, with its phase, its lock and its locked sums.
type Trade struct {
	_         struct{}  `cbor:",toarray"`
	Agreement Agreement `json:"agreement"`
	Phase     Phase     `json:"phase"`             // as last recorded; a deadline that passes changes it, see package trade
	Height    uint64    `json:"agreed_height"`     // of the block that recorded the agreement
	Digest    Hash      `json:"digest,omitzero"`   // D: the secret hashed once for each instalment; of a match, the root of the bid's tree
	Depth     uint8     `json:"depth,omitzero"`    // of the tree, whose leaf is named by the agreement; 0 is one digest, without a tree
	Released  uint16    `json:"released"`          // k: instalments released so far
	Preimage  Secret    `json:"preimage,omitzero"` // of instalment k, when k > 0: it yields all earlier ones
	Allotted  uint64    `json:"allotted"`          // of the goods' quantity, by the readings, once settled
	Locked    []Locked  `json:"locked"`            // its unspent outputs, by part
	Steps     []Step    `json:"steps"`             // what happened, in order; one of each kind
}

// Locked is one unspent output of a trade; see [TradeID.Outpoint] for its address.
type Locked struct {
	_      struct{} `cbor:",toarray"`
	Part   Part     `json:"part"`
	Amount Amount   `json:"amount"`
}

// Step is a thing that happened to a trade.
type Step struct {
	_    struct{} `cbor:",toarray"`
	Kind StepKind `json:"kind"`
	At   Time     `json:"at"`          // ledger clock
	Tx   TxID     `json:"tx,omitzero"` // absent when no transaction did it
}

// Phase is where a trade stands (protocol section 3).
type Phase uint8

// The phases. Lapsed and refunded are told by the clock, see package trade.
const (
	PhaseAgreed    Phase = 1
	PhasePaid      Phase = 2
	PhaseDelivered Phase = 3
	PhaseReleased  Phase = 4
	PhaseSplit     Phase = 5
	PhaseSettled   Phase = 6
	PhaseAwarded   Phase = 7
	PhaseRefunded  Phase = 8
	PhaseLapsed    Phase = 9
)

var phaseNames = map[Phase]string{ //nolint:gochecknoglobals // a constant table
	PhaseAgreed: "agreed", PhasePaid: "paid", PhaseDelivered: "delivered", PhaseReleased: "released", PhaseSplit: "split",
	PhaseSettled: "settled", PhaseAwarded: "awarded", PhaseRefunded: "refunded", PhaseLapsed: "lapsed",
}

func (p Phase) String() string {
	if name, ok := phaseNames[p]; ok {
		return name
	}
	return fmt.Sprintf("phase_%d", uint8(p))
}

// MarshalText writes the phase's name.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a phase's name.
func (p *Phase) UnmarshalText(text []byte) error {
	return unmarshalName(p, phaseNames, text, "a phase")
}

// StepKind is the kind of a step.
type StepKind uint8

// The kinds of steps. E1 to E4 are the patent's.
const (
	StepAgreed    StepKind = 1
	StepPaid      StepKind = 2 // E1
	StepDelivered StepKind = 3 // E2
	StepReleased  StepKind = 4 // E3, the last release so far
	StepSplit     StepKind = 5
	StepCollected StepKind = 6 // E4: the producer spent the payment
	StepReturned  StepKind = 7 // the consumer spent the return
	StepRefunded  StepKind = 8 // the consumer spent payment or deposit after deliver-by
	StepSettled   StepKind = 9
	StepAwarded   StepKind = 10
	StepMatched   StepKind = 11 // agreed by an auction
)

var stepNames = map[StepKind]string{ //nolint:gochecknoglobals // a constant table
	StepAgreed: "agreed", StepPaid: "paid", StepDelivered: "delivered", StepReleased: "released",
	StepSplit: "split", StepCollected: "collected", StepReturned: "returned", StepRefunded: "refunded", StepSettled: "settled", StepAwarded: "awarded", StepMatched: "matched",
}

func (k StepKind) String() string {
	if name, ok := stepNames[k]; ok {
		return name
	}
	return fmt.Sprintf("step_%d", uint8(k))
}

// MarshalText writes the step's name.
func (k StepKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a step's name.
func (k *StepKind) UnmarshalText(text []byte) error {
	return unmarshalName(k, stepNames, text, "a step of a trade")
}

// ID names the trade.
func (t *Trade) ID() TradeID { return t.Agreement.ID() }

// Find returns the trade's unspent output of a part.
func (t *Trade) Find(part Part) (Locked, bool) {
	for _, locked := range t.Locked {
		if locked.Part == part {
			return locked, true
		}
	}
	return Locked{}, false
}

// Step returns the step of a kind.
func (t *Trade) Step(kind StepKind) (Step, bool) {
	for _, step := range t.Steps {
		if step.Kind == kind {
			return step, true
		}
	}
	return Step{}, false
}

// LockedSum is all that the trade has locked. It always fits: price, deposit and bond were checked to add up.
func (t *Trade) LockedSum() Amount {
	var total Amount
	for _, locked := range t.Locked {
		total += locked.Amount
	}
	return total
}
