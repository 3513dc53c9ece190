package light

import (
	"fmt"
	"strings"
	"time"

	"lockstep/trade"
	"lockstep/types"
)

// Step is a step that can cost goods or money.
type Step string

// The steps.
const (
	Order    Step = "place an order; post or take an offer"
	Pay      Step = "pay (E1)"
	Deliver  Step = "record the delivery (E2)"
	HandOver Step = "let the goods go"
	Release  Step = "release (E3)"
	Collect  Step = "collect, refund, settle"
)

// Basis is how an actor knows a fact.
type Basis string

// The bases.
const (
	Proved Basis = "proved"              // by a leaf and a header that the validators have signed, or by a hash
	Fresh  Basis = "fresh"               // by the own clock and a header not older than [MaxAge]
	Own    Basis = "own"                 // by the actor's own eyes, meter or wallet
	Said   Basis = "as the node says"    // not proved; a lie about it does the harm of the row
	Never  Basis = "nothing can show it" // no proof of the ledger's past does
)

// Fact is one thing on which a step rests.
type Fact struct {
	Basis Basis
	Text  string
	holds func(*Evidence) error // nil: not for [Judge]
}

// Row lists the facts on which one step rests.
type Row struct {
	Step  Step
	Role  trade.Role // of the actor
	Facts []Fact
	Harm  string // of a lie about the facts that are not proved
}

// Steps is the table of all steps that can cost goods or money. The documentation shows it as [Table] writes it.
func Steps() []Row {
	return []Row{
		{Order, trade.Both, []Fact{
			{Proved, "the terms of an offer: its ID is their hash", nil},
			{Said, "balances, offers, books, prices, conduct", nil},
		}, "a bad bargain, within the limits of the wallet or the agent; or a refusal"},
		{Pay, trade.Consumer, []Fact{
			{Proved, "the terms: the trade's ID is their hash", (*Evidence).named},
			{Fresh, "pay-by is ahead", (*Evidence).beforePayBy},
			{Said, "the claims before it on its slot (the leaf of the payment names them), and that the agreement is recorded", nil},
			{Never, "that the goods will come", nil},
		}, "under meter terms claims that were hidden get the energy first, and the money of the rest comes back"},
		{Deliver, trade.Producer, []Fact{
			{Proved, "paid, with its terms and sums", (*Evidence).paid},
			{Proved, "the claims before it on its slot", nil},
			{Fresh, "deliver-by is ahead", (*Evidence).beforeDeliverBy},
			{Said, "that no later step stands, and how far the ledger clock lags behind block time", nil},
		}, "none: the ledger refuses this step after another one or after deliver-by; a split signed before it is worth nothing after it"},
		{HandOver, trade.Producer, []Fact{
			{Proved, "delivered, with its terms and sums: the payment can't go back to the consumer alone", (*Evidence).beyondReturn},
			{Fresh, "confirm-by is ahead, unless the terms are hold", (*Evidence).beforeConfirmBy},
			{Own, "no split that it has signed is still valid", (*Evidence).noSplit},
			{Never, "that the consumer will release", nil},
		}, "none"},
		{Release, trade.Consumer, []Fact{
			{Proved, "delivered, with its terms, lock and sums", (*Evidence).delivered},
			{Fresh, "confirm-by is ahead, unless the terms are hold", (*Evidence).beforeConfirmBy},
			{Own, "the goods came", (*Evidence).came},
			{Said, "under meter terms: the readings", nil},
		}, "an invented reading costs at most the price, for energy that did not come"},
		{Collect, trade.Anyone, []Fact{
			{Said, "the phase", nil},
		}, "none: the ledger refuses a wrong step"},
	}
}

// Table writes the table in Markdown.
func Table() string {
	var out strings.Builder
	out.WriteString("| step | by | proved | needs a fresh header and the own clock | by the actor's own knowledge | as the node says, or not to be shown | harm of a lie |\n|---|---|---|---|---|---|---|\n")
	for _, row := range Steps() {
		fmt.Fprintf(&out, "| %s | %s |", row.Step, row.Role)
		for _, column := range [][]Basis{{Proved}, {Fresh}, {Own}, {Said, Never}} {
			var texts []string
			for _, fact := range row.Facts {
				for _, basis := range column {
					if fact.Basis == basis {
						texts = append(texts, fact.Text)
					}
				}
			}
			fmt.Fprintf(&out, " %s |", strings.Join(texts, "; "))
		}
		fmt.Fprintf(&out, " %s |\n", row.Harm)
	}
	return out.String()
}

// Evidence is the knowledge of an actor before a step in a trade.
type Evidence struct {
	ID     types.TradeID
	Trade  *types.Trade // as the node shows it
	Proof  *Proof       // of its last step; nil without one
	Newest Header       // the newest verified one
	Now    time.Time    // by the own clock
	// Lag is how far the ledger clock is behind block time after an outage, as the node says.
	Lag types.Duration
	// SplitUntil is the valid-until of a split that the actor has signed and that could be recorded in this state, zero without one.
	SplitUntil types.Time
	// Goods tells that the goods came, by the actor's own knowledge.
	Goods bool
}

// Verdict is the result for one fact.
type Verdict struct {
	Fact Fact
	Err  error // nil: it holds
}

// Judge checks the facts of a step that can be checked.
func Judge(step Step, e *Evidence) (verdicts []Verdict) {
	for _, row := range Steps() {
		if row.Step != step {
			continue
		}
		for _, fact := range row.Facts {
			if fact.holds == nil {
				continue
			}
			verdicts = append(verdicts, Verdict{fact, fact.holds(e)})
		}
	}
	return verdicts
}

// Refusal returns the first fact that does not hold.
func Refusal(verdicts []Verdict) error {
	for _, verdict := range verdicts {
		if verdict.Err != nil {
			return fmt.Errorf("not shown: %s (%s): %w", verdict.Fact.Text, verdict.Fact.Basis, verdict.Err)
		}
	}
	return nil
}

func (e *Evidence) named() error {
	if id := e.Trade.ID(); id != e.ID {
		return &Lie{types.Refuse(types.CodeInternal, "don't trust the node: it shows trade %s as %s", id, e.ID)}
	}
	return nil
}

// in wants the proof of a phase, and of all that the node shows of the trade in it.
func (e *Evidence) in(phases ...types.Phase) error {
	if e.Proof == nil {
		return types.Refuse(types.CodeUnavailable, "there is no proof of it")
	}
	if err := e.named(); err != nil {
		return err
	}
	if err := e.Proof.Agrees(e.ID, e.Trade); err != nil {
		return err
	}
	for _, phase := range phases {
		if e.Trade.Phase == phase {
			return nil
		}
	}
	return types.Refuse(types.CodePhase, "trade %s is %s", e.ID, e.Trade.Phase)
}

func (e *Evidence) paid() error { return e.in(types.PhasePaid) }

func (e *Evidence) delivered() error { return e.in(types.PhaseDelivered) }

func (e *Evidence) beyondReturn() error {
	return e.in(types.PhaseDelivered, types.PhaseReleased)
}

// before wants a deadline of the ledger clock to be ahead, by the own clock and by the newest header. The ledger clock is never ahead of block time.
func (e *Evidence) before(name string, deadline types.Time) error {
	now := max(types.TimeOf(e.Now), types.TimeOf(e.Newest.Time))
	if now -= min(types.Time(e.Lag), now); now > deadline {
		return types.Refuse(types.CodeTooLate, "%s of trade %s was %s, and the time is %s", name, e.ID, deadline, now)
	}
	return nil
}

func (e *Evidence) beforePayBy() error { return e.before("pay-by", e.Trade.Agreement.Deadlines.PayBy) }

func (e *Evidence) beforeDeliverBy() error {
	return e.before("deliver-by", e.Trade.Agreement.Deadlines.DeliverBy)
}

func (e *Evidence) beforeConfirmBy() error {
	if types.FallbackKind(e.Trade.Agreement.Fallback) == types.FallbackKind(&types.Hold{}) {
		return nil
	}
	return e.before("confirm-by", e.Trade.Agreement.Deadlines.ConfirmBy)
}

func (e *Evidence) noSplit() error {
	if e.SplitUntil >= types.TimeOf(e.Now) {
		return types.Refuse(types.CodeSplit, "you have signed a split of trade %s, which the other side can record until %s", e.ID, e.SplitUntil)
	}
	return nil
}

func (e *Evidence) came() error {
	if !e.Goods {
		return types.Refuse(types.CodePhase, "the goods of trade %s have not come", e.ID)
	}
	return nil
}

// Agrees reports whether a trade, as the node shows it, is as the proved leaf left it.
func (p *Proof) Agrees(id types.TradeID, shown *types.Trade) error {
	same := false
	switch {
	case p.Story != nil:
		same = string(types.Encode(p.Story)) == string(types.Encode(shown))
	case p.Step != nil:
		step := types.StepOf(id, p.Step.Event, shown)
		step.Ahead = p.Step.Ahead
		same = encoded(step) == encoded(p.Step)
	}
	if !same {
		return &Lie{types.Refuse(types.CodeInternal, "don't trust the node: it shows trade %s otherwise than leaf %d, which it proves; ask another node", id, p.Index)}
	}
	return nil
}

func encoded(step *types.Stepped) string {
	return string(types.Encode(&types.Outcome{Effects: []types.Effect{step}}))
}
