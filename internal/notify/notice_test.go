package notify

import (
	"fmt"
	"strings"
	"testing"

	"lockstep/internal/ledgertest/party"
	"lockstep/trade"
	"lockstep/trade/words"
	"lockstep/types"
)

func printer(language words.Language) *words.Printer {
	return &words.Printer{
		Language: language, Money: func(a types.Amount) string { return a.Format(2) + " EUR" }, Time: types.Time.String,
		Quantity: func(n uint64) string { return fmt.Sprint(n, " Wh") },
	}
}

// tradeIn is a trade that came to a phase.
func tradeIn(phase types.Phase, fallback types.Fallback) *types.Trade {
	t := &types.Trade{
		Phase: phase,
		Agreement: types.Agreement{
			Producer: party.Key("seller"), Consumer: party.Key("buyer"), Price: 100, Deposit: 10, Bond: 10, Instalments: 2, Fallback: fallback,
			Goods:     types.Goods{Commodity: "energy", Unit: "Wh", Quantity: 1000},
			Deadlines: types.Deadlines{PayBy: 1000, DeliverBy: 2000, ReadingBy: 3000, ConfirmBy: 4000},
		},
	}
	step := func(kind types.StepKind, at types.Time) { t.Steps = append(t.Steps, types.Step{Kind: kind, At: at}) }
	step(types.StepAgreed, 100)
	if phase == types.PhaseLapsed {
		t.Phase = types.PhaseAgreed
		return t
	}
	if phase >= types.PhasePaid {
		step(types.StepPaid, 200)
	}
	if phase == types.PhaseRefunded {
		t.Phase = types.PhasePaid
	}
	if phase >= types.PhaseDelivered && phase != types.PhaseRefunded {
		step(types.StepDelivered, 300)
	}
	switch phase {
	case types.PhaseReleased:
		t.Released = 2
		step(types.StepReleased, 400)
	case types.PhaseSplit, types.PhaseSettled, types.PhaseAwarded:
		step(trade.EndingStep(phase), 4500)
	}
	if phase < types.PhaseSplit || phase == types.PhaseRefunded {
		t.Locked = trade.Locks(t)
	}
	return t
}

func viewOf(t *types.Trade, clock types.Time, name string) View {
	s := trade.StatusAt(t, clock, 0, party.Key(name))
	return View{Trade: t.ID(), Clock: clock, Status: &s}
}

// TestOf: each phase, side and terms. Strangers are told nothing, nobody is told of the other side's turn, and each notice has its cause,
// its consequence and, for a step, its deadline.
func TestOf(t *testing.T) {
	t.Parallel()
	type matter struct {
		kind Kind
		move string
	}
	want := map[string]matter{
		"agreed buyer":    {YourTurn, "pay"},
		"paid seller":     {YourTurn, "deliver"},
		"delivered buyer": {YourTurn, "release"},
		"refunded buyer":  {Ended, ""},
		"refunded seller": {Ended, ""},
		"lapsed buyer":    {Ended, ""},
		"settled buyer":   {Ended, ""},
		"settled seller":  {Ended, ""}, // nothing was allotted
		"awarded buyer":   {Ended, ""},
		"awarded seller":  {Ended, ""},
	}
	ids := map[string]string{}
	for phase := types.PhaseAgreed; phase <= types.PhaseLapsed; phase++ {
		for _, fallback := range []types.Fallback{&types.Hold{}, &types.Meter{}, &types.Arbiter{Key: party.Key("judge")}} {
			for _, name := range []string{"seller", "buyer", "judge", "stranger"} {
				x := tradeIn(phase, fallback)
				clock := types.Time(500)
				switch phase {
				case types.PhaseLapsed, types.PhaseRefunded:
					clock = 2500
				case types.PhaseSettled, types.PhaseAwarded, types.PhaseSplit:
					clock = 5000
				}
				v := viewOf(x, clock, name)
				expected := want[phase.String()+" "+name]
				if name == "judge" && types.FallbackKind(fallback) != "arbiter" {
					expected = matter{}
				}
				for _, language := range words.Languages() {
					n, ok := Of(v, Policy{}, printer(language))
					if ok != (expected.kind != "") || n.Kind != expected.kind || n.Move != expected.move {
						t.Errorf("%s %s %s: %+v", phase, types.FallbackKind(fallback), name, n)
					}
					if !ok {
						continue
					}
					if n.Cause == "" || n.Status == "" || n.Headline == "" || len(n.Consequences) == 0 || strings.Contains(fmt.Sprint(n.Headline, n.Status, n.Cause, n.Consequences), "{") || n.Phase != phase.String() {
						t.Errorf("%s %s: %+v", phase, name, n)
					}
					if hold := types.FallbackKind(fallback) == "hold"; n.Kind == YourTurn && (n.Deadline == 0) != (hold && n.Move == "release") {
						t.Errorf("%s %s: deadline %s", phase, name, n.Deadline)
					}
					about := fmt.Sprint(phase, fallback, name)
					if before, told := ids[n.ID]; told && before != about {
						t.Errorf("%s and %s have one id", before, about)
					}
					ids[n.ID] = about
				}
			}
		}
	}
	full := tradeIn(types.PhaseSettled, &types.Meter{})
	full.Allotted = full.Agreement.Goods.Quantity
	if n, ok := Of(viewOf(full, 5000, "seller"), Policy{}, printer(words.English)); ok {
		t.Errorf("the seller got all: %+v", n)
	}
	if _, ok := Of(viewOf(full, 5000, "buyer"), Policy{}, printer(words.English)); !ok {
		t.Error("the buyer lost its deposit and is not told")
	}
}

// A step is told when it waits, and once more when its deadline is near; with an agent only then. Settling is anyone's step: both sides are
// told.
func TestOfDeadline(t *testing.T) {
	t.Parallel()
	x := tradeIn(types.PhaseDelivered, &types.Meter{})
	for _, c := range []struct {
		clock  types.Time
		policy Policy
		want   Kind
	}{
		{3499, Policy{Remind: 500}, YourTurn},
		{3500, Policy{Remind: 500}, Deadline},
		{4000, Policy{Remind: 500}, Deadline},
		{3499, Policy{Remind: 500, Agent: true}, ""},
		{3500, Policy{Remind: 500, Agent: true}, Deadline},
		{3999, Policy{}, YourTurn},
		{4000, Policy{}, Deadline},
	} {
		n, _ := Of(viewOf(x, c.clock, "buyer"), c.policy, printer(words.English))
		if n.Kind != c.want || n.Kind != "" && n.Deadline != 4000 {
			t.Errorf("at %d with %+v: %+v", c.clock, c.policy, n)
		}
	}
	for _, name := range []string{"seller", "buyer"} {
		if n, _ := Of(viewOf(x, 4001, name), Policy{}, printer(words.English)); n.Kind != YourTurn || n.Move != "settle" {
			t.Errorf("%s after confirm-by: %+v", name, n)
		}
	}
	// Each instalment waits for a release of its own.
	first, _ := Of(viewOf(x, 500, "buyer"), Policy{}, printer(words.English))
	x.Released = 1
	second, _ := Of(viewOf(x, 500, "buyer"), Policy{}, printer(words.English))
	if first.ID == second.ID || first.Kind != YourTurn || second.Kind != YourTurn {
		t.Errorf("%+v\n%+v", first, second)
	}
	hold := tradeIn(types.PhaseDelivered, &types.Hold{})
	if n, _ := Of(viewOf(hold, 500, "buyer"), Policy{Agent: true}, printer(words.English)); n.Kind != YourTurn {
		t.Errorf("a step without a deadline: %+v", n)
	}
}
