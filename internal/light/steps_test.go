package light_test

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"lockstep/internal/ledgertest/party"
	"lockstep/internal/light"
	"lockstep/types"
)

var update = flag.Bool("update", false, "write the table into the documentation")

// TestTableInDocs: the documentation shows the table that judges.
func TestTableInDocs(t *testing.T) {
	t.Parallel()
	const page = "../../docs/explanation/security.md"
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	begin := strings.Index(string(content), "| step | by |")
	end := begin + strings.Index(string(content)[max(begin, 0):], "\n\n")
	if begin < 0 || end < begin {
		t.Fatalf("%s has no table of steps", page)
	}
	if string(content[begin:end+1]) == light.Table() {
		return
	}
	if !*update {
		t.Fatalf("the table in %s is not that of the code: run go test ./internal/light -run TestTableInDocs -update", page)
	}
	text := string(content[:begin]) + light.Table() + string(content[end+1:])
	if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestJudge: each fact that a step rests on is needed.
func TestJudge(t *testing.T) {
	t.Parallel()
	const now = types.Time(1_800_000_000_000)
	good := func(step light.Step) *light.Evidence {
		asset := party.Euro()
		shown := &types.Trade{Phase: types.PhaseDelivered, Height: 3, Digest: types.Hash{1}, Agreement: types.Agreement{
			ChainID: "town", Producer: party.Key("peter"), Consumer: party.Key("clara"), Asset: asset.ID(), Price: 150, Deposit: 15, Instalments: 1, Fallback: &types.Meter{},
			Goods:     types.Goods{Commodity: "energy", Unit: types.UnitWattHour, Quantity: 5},
			Deadlines: types.Deadlines{PayBy: now, DeliverBy: now, ReadingBy: now, ConfirmBy: now},
		}}
		if step == light.Deliver {
			shown.Phase = types.PhasePaid
		}
		id := shown.ID()
		return &light.Evidence{
			ID: id, Trade: shown, Proof: &light.Proof{Step: types.StepOf(id, 0, shown)}, Now: now.Std(), Newest: light.Header{Height: 9, Time: now.Std()}, Goods: true,
		}
	}
	later := func(e *light.Evidence) { e.Now = e.Now.Add(time.Millisecond) }
	type change struct {
		name  string
		spoil func(*light.Evidence)
		code  types.Code // CodeOK: nothing is wrong
	}
	common := []change{
		{"nothing is wrong", func(*light.Evidence) {}, types.CodeOK},
		{"another trade", func(e *light.Evidence) { e.Trade.Agreement.Price++ }, types.CodeInternal},
		{"the deadline has passed by the own clock", later, types.CodeTooLate},
		{"the deadline has passed by the header", func(e *light.Evidence) { e.Newest.Time = e.Newest.Time.Add(time.Millisecond) }, types.CodeTooLate},
		{"the ledger clock lags so far behind", func(e *light.Evidence) { later(e); e.Lag = 1 }, types.CodeOK},
		{"the header is just not old", func(e *light.Evidence) { e.Newest.Time = e.Now.Add(-light.MaxAge) }, types.CodeOK},
	}
	proof := []change{
		{"no proof", func(e *light.Evidence) { e.Proof = nil }, types.CodeUnavailable},
		{"another lock", func(e *light.Evidence) { e.Trade.Digest[0]++ }, types.CodeInternal},
		{"an earlier phase", func(e *light.Evidence) { e.Trade.Phase--; e.Proof.Step.Phase-- }, types.CodePhase},
	}
	split := []change{
		{"a split is valid", func(e *light.Evidence) { e.SplitUntil = now }, types.CodeSplit},
		{"a split has run out", func(e *light.Evidence) { e.SplitUntil = now - 1 }, types.CodeOK},
	}
	hold := change{"hold terms have no confirm-by", func(e *light.Evidence) {
		e.Trade.Agreement.Fallback = &types.Hold{}
		e.ID = e.Trade.ID()
		e.Proof = &light.Proof{Step: types.StepOf(e.ID, 0, e.Trade)}
		later(e)
	}, types.CodeOK}
	for step, changes := range map[light.Step][][]change{
		light.Pay:      {common},
		light.Deliver:  {common, proof},
		light.HandOver: {common, proof, split, {hold, {"released early", func(e *light.Evidence) { e.Trade.Phase, e.Proof.Step.Phase = types.PhaseReleased, types.PhaseReleased }, types.CodeOK}}},
		light.Release: {common, proof, {hold, {"the goods did not come", func(e *light.Evidence) { e.Goods = false }, types.CodePhase},
			{"released already", func(e *light.Evidence) { e.Trade.Phase, e.Proof.Step.Phase = types.PhaseReleased, types.PhaseReleased }, types.CodePhase}}},
	} {
		for _, list := range changes {
			for _, c := range list {
				e := good(step)
				c.spoil(e)
				if err := light.Refusal(light.Judge(step, e)); types.CodeOf(err) != c.code {
					t.Errorf("%s: %s: %v", step, c.name, err)
				}
			}
		}
	}
	e := good(light.Deliver)
	for _, age := range []time.Duration{light.MaxAge, light.MaxAge + 1} {
		e.Newest.Time = e.Now.Add(-age)
		if err := e.Newest.Stale(e.Now); (err != nil) != (age > light.MaxAge) {
			t.Errorf("a header of %s ago: %v", age, err)
		}
	}
}
