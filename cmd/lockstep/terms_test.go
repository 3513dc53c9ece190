package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lockstep/types"
)

// explain runs the command and returns its output.
func explain(t *testing.T, c termsExplainCmd, asJSON bool) (string, error) {
	t.Helper()
	if c.ReleaseCost == "" {
		c.ReleaseCost = "0"
	}
	var out bytes.Buffer
	err := c.Run(&app{globals: &globals{JSON: asJSON}, in: strings.NewReader(""), out: &out, err: &out})
	return out.String(), err
}

func TestTermsExplainForPeople(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fallback string
		says     []string
	}{
		{"hold", []string{"releases nevertheless", "it is no equilibrium", "consumer         110.00", "take meter terms", "no goods, no secret"}},
		{"meter", []string{"it is the only equilibrium", "keeps its secret", "honest, equilibrium", "nothing to mend"}},
		{"arbiter", []string{"rests on the arbiter", "in league with the partner: 110.00 and 65.50"}},
	} {
		out, err := explain(t, termsExplainCmd{Value: "150", Cost: "60.50", Price: "100", Deposit: "10", Bond: "5", Fallback: c.fallback}, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, says := range c.says {
			if !strings.Contains(out, says) {
				t.Errorf("under %s it does not say %q:\n%s", c.fallback, says, out)
			}
		}
	}
}

func TestTermsExplainAnAgreement(t *testing.T) {
	t.Parallel()
	agreement := types.Agreement{
		Price: 7, Deposit: 3, Bond: 2, Instalments: 3, Fallback: &types.Meter{}, Goods: types.Goods{Quantity: 1000},
	}
	for name, value := range map[string]any{
		"agreement": agreement, "trade": map[string]any{"agreement": agreement}, "answer": map[string]any{"trade": map[string]any{"agreement": agreement}},
	} {
		content, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), name+".json")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := explain(t, termsExplainCmd{Value: "11", Cost: "3", Agreement: file}, true)
		if err != nil {
			t.Fatal(err)
		}
		var shown struct {
			Honest, Strict    bool
			ConsumerWorstLoss string `json:"consumer_worst_loss"`
			GriefingRatio     string `json:"griefing_ratio"`
			Terms             struct{ Quantity uint64 }
		}
		if err := json.Unmarshal([]byte(out), &shown); err != nil {
			t.Fatal(err)
		}
		if !shown.Honest || !shown.Strict || shown.ConsumerWorstLoss != "0" || shown.GriefingRatio != "0" || shown.Terms.Quantity != 1000 {
			t.Errorf("%s: %+v", name, shown)
		}
	}
}

func TestTermsExplainWrongUse(t *testing.T) {
	t.Parallel()
	good := termsExplainCmd{Value: "150", Cost: "60", Price: "100", Deposit: "10"}
	for name, edit := range map[string]func(c *termsExplainCmd){
		"no price":             func(c *termsExplainCmd) { c.Price = "" },
		"a value below zero":   func(c *termsExplainCmd) { c.Value = "-1" },
		"not a number":         func(c *termsExplainCmd) { c.Bond = "much" },
		"beyond 2^64":          func(c *termsExplainCmd) { c.Cost = "18446744073709551616" },
		"terms and a file":     func(c *termsExplainCmd) { c.Agreement = "x.json" },
		"other terms":          func(c *termsExplainCmd) { c.Fallback = "trust" },
		"more parts than coin": func(c *termsExplainCmd) { c.Instalments = 101 },
		"no deposit":           func(c *termsExplainCmd) { c.Deposit = "0" },
		"no such file":         func(c *termsExplainCmd) { *c = termsExplainCmd{Value: "1", Cost: "1", Agreement: "nothing-here.json"} },
	} {
		c := good
		edit(&c)
		if out, err := explain(t, c, false); err == nil || out != "" {
			t.Errorf("%s: it says %q, error %v", name, out, err)
		}
	}
}

// FuzzReadAgreement: any file holds an agreement or is refused.
func FuzzReadAgreement(f *testing.F) {
	f.Add([]byte(`{"price":"7","fallback":{"kind":"hold"}}`))
	f.Add([]byte(`{"trade":{"agreement":{}}}`))
	f.Add([]byte(`{"lockstep":"proposal","agreement":{}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		if agreement, err := readAgreement(content); (agreement == nil) == (err == nil) {
			t.Error("neither an agreement nor an error")
		}
	})
}
