package light_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"lockstep/internal/agent"
	"lockstep/internal/light"
	"lockstep/types"
)

const (
	proofs  = "/v1/log/trades/"
	headers = "/v1/log/headers/"
	trades  = "/v1/trades/"
)

// part returns a part of an answer.
func part(answer map[string]any, names ...string) map[string]any {
	for _, name := range names {
		answer, _ = answer[name].(map[string]any)
	}
	return answer
}

// flip changes one bit of a hexadecimal text.
func flip(of map[string]any, name string) {
	text, _ := of[name].(string)
	content, err := hex.DecodeString(text)
	if err != nil || len(content) == 0 {
		panic("no hexadecimal digits in " + name)
	}
	content[len(content)/2] ^= 1
	of[name] = hex.EncodeToString(content)
}

// in lets a lie be told in answers of a path alone.
func in(prefix string, lie func(answer map[string]any)) func(string, map[string]any) {
	return func(path string, answer map[string]any) {
		if strings.HasPrefix(path, prefix) {
			lie(answer)
		}
	}
}

// TestLies: a proxy before a real node changes its answers. No lie leads to a step that costs goods or money.
func TestLies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	paid, delivered, released := w.paid(), w.delivered(), w.released()
	for step, id := range map[light.Step]types.TradeID{light.Pay: paid, light.Deliver: paid, light.HandOver: delivered, light.Release: delivered} {
		e, err := w.evidence(w.checks(), id)
		if err == nil {
			err = light.Refusal(light.Judge(step, e))
		}
		if err != nil {
			t.Errorf("an honest node, %s: %v", step, err)
		}
	}
	strange := func(phase string) func(map[string]any) {
		return func(answer map[string]any) { answer["phase"], part(answer, "trade")["phase"] = phase, phase }
	}
	for name, lie := range map[string]struct {
		step  light.Step
		trade types.TradeID
		tell  func(string, map[string]any)
	}{
		"a paid trade is said to be delivered, to the consumer": {light.Release, paid, in(trades, strange("delivered"))},
		"a paid trade is said to be delivered, to the producer": {light.HandOver, paid, in(trades, strange("delivered"))},
		"a released trade is said to be delivered":              {light.Release, released, in(trades, strange("delivered"))},
		"a delivered trade is said to be paid":                  {light.Deliver, delivered, in(trades, strange("paid"))},
		"another lock":                                          {light.Release, delivered, in(trades, func(a map[string]any) { flip(part(a, "trade"), "digest") })},
		"other sums are locked":                                 {light.Release, delivered, in(trades, func(a map[string]any) { part(a, "trade")["locked"] = []any{} })},
		"the proof of another trade":                            {light.Release, delivered, in(proofs, func(a map[string]any) { copyProof(w, a, paid) })},
		"a changed leaf":                                        {light.Release, delivered, in(proofs, func(a map[string]any) { flip(a, "leaf") })},
		"another index":                                         {light.Release, delivered, in(proofs, func(a map[string]any) { a["index"] = json.Number("1") })},
		"a shorter path":                                        {light.Release, delivered, in(proofs, func(a map[string]any) { a["path"] = []any{} })},
		"another size of the log":                               {light.Release, delivered, in(proofs, func(a map[string]any) { part(a, "log")["size"] = json.Number("9999") })},
		"another root":                                          {light.Release, delivered, in(proofs, func(a map[string]any) { flip(part(a, "log"), "root") })},
		"another state":                                         {light.Release, delivered, in(proofs, func(a map[string]any) { flip(a, "state") })},
		"another header":                                        {light.Release, delivered, in(headers, func(a map[string]any) { flip(a, "header") })},
		"another commit":                                        {light.Release, delivered, in(headers, func(a map[string]any) { flip(a, "commit") })},
		"other validators":                                      {light.Release, delivered, in(headers, func(a map[string]any) { flip(a, "validators") })},
		"a header of another height":                            {light.Release, delivered, in(headers, func(a map[string]any) { a["height"] = json.Number("3") })},
		"another genesis":                                       {light.Release, delivered, in("/v1/network", func(a map[string]any) { a["file"] = "e30=" })},
		"a proof by a header that does not exist yet":           {light.Release, delivered, in(proofs, func(a map[string]any) { part(a, "signed")["height"] = json.Number("99999999") })},
		"the height of the answer lies in the past of the leaf": {light.Release, paid, func(path string, a map[string]any) {
			in(trades, strange("delivered"))(path, a)
			in(trades, func(a map[string]any) { a["height"] = json.Number("1") })(path, a)
		}},
	} {
		w.lies.tell(lie.tell)
		e, err := w.evidence(w.checks(), lie.trade)
		if err == nil {
			err = light.Refusal(light.Judge(lie.step, e))
		}
		if err == nil {
			t.Errorf("%s: believed", name)
		}
		w.lies.stop()
	}
}

// copyProof puts the proof of another trade into an answer.
func copyProof(w *world, answer map[string]any, of types.TradeID) {
	proof := must(w.node.TradeProof(w.t.Context(), of))
	text := must(json.Marshal(proof))
	clear(answer)
	if err := json.Unmarshal(text, &answer); err != nil {
		panic(err)
	}
}

// TestLiesOfThePast: a node shows the ledger as it was. Headers that are too old are flagged; a step by an old phase is refused by the ledger.
func TestLiesOfThePast(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.paid()
	w.lies.remember()
	ahead := time.Duration(0)
	checks := w.checks(func(c *light.Config) { c.Now = func() time.Time { return time.Now().Add(ahead) } })
	if _, err := w.evidence(checks, id); err != nil {
		t.Fatal(err)
	}
	w.lies.old()
	if _, err := w.producer.Deliver(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	e, err := w.evidence(checks, id)
	if err != nil || e.Trade.Phase != types.PhasePaid {
		t.Fatalf("%+v, %v", e, err)
	}
	if err := light.Refusal(light.Judge(light.Deliver, e)); err != nil {
		t.Fatalf("an old truth: %v", err)
	}
	if _, err := w.producer.Deliver(t.Context(), id); types.CodeOf(err) != types.CodePhase {
		t.Errorf("the ledger takes a second delivery: %v", err)
	}
	if err := light.Refusal(light.Judge(light.HandOver, e)); types.CodeOf(err) != types.CodePhase {
		t.Errorf("goods go for a payment that can come back: %v", err)
	}
	ahead = light.MaxAge + 2*time.Second
	if e, err = w.evidence(checks, id); err != nil {
		t.Fatal(err)
	}
	if err := e.Newest.Stale(e.Now); types.CodeOf(err) != types.CodeUnavailable {
		t.Errorf("an old header is not flagged: %v", err)
	}
	if _, err := checks.Fresh(t.Context()); types.CodeOf(err) != types.CodeUnavailable {
		t.Errorf("an old header is fresh: %v", err)
	}
}

// TestClockBehind: a node is not called a liar by a machine whose own clock is behind, at the first header and later.
func TestClockBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, first := range []time.Duration{0, -time.Hour} {
		ahead := first
		checks := w.checks(func(c *light.Config) { c.Now = func() time.Time { return time.Now().Add(ahead) } })
		_, err := checks.Newest(t.Context())
		if first == 0 {
			if err != nil {
				t.Fatal(err)
			}
			w.paid()
			ahead = -time.Hour
			_, err = checks.Newest(t.Context())
		}
		var lie *light.Lie
		if err == nil || errors.As(err, &lie) || !strings.Contains(err.Error(), "set the clock of this machine") {
			t.Errorf("%v", err)
		}
	}
}

// TestWithheld: without headers, or without proofs, nothing is shown.
func TestWithheld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.delivered()
	for _, path := range []string{proofs, headers, "/v1/network"} {
		w.lies.withhold(func(asked string) bool { return strings.HasPrefix(asked, path) })
		if _, err := w.evidence(w.checks(), id); types.CodeOf(err) != types.CodeNotFound {
			t.Errorf("%s withheld: %v", path, err)
		}
		w.lies.stop()
	}
}

// TestPinnedHeader: a client begins with a header that its owner trusts; the genesis is not needed then, and another hash is refused.
func TestPinnedHeader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.delivered()
	newest := must(w.checks().Newest(t.Context()))
	pin, err := light.ParsePin(newest.Pin().String())
	if err != nil || pin != newest.Pin() {
		t.Fatalf("%v, %v", pin, err)
	}
	w.lies.withhold(func(path string) bool { return path == "/v1/network" })
	if _, err := w.evidence(w.checks(func(c *light.Config) { c.Pin = pin }), id); err != nil {
		t.Error(err)
	}
	pin.Hash[5] ^= 1
	var lie *light.Lie
	if _, err := w.evidence(w.checks(func(c *light.Config) { c.Pin = pin }), id); !errors.As(err, &lie) {
		t.Errorf("another hash: %v", err)
	}
	for _, text := range []string{"", "7", "0:" + pin.Hash.String(), "x:" + pin.Hash.String(), "7:12", "7:" + pin.Hash.String() + "00"} {
		if _, err := light.ParsePin(text); types.CodeOf(err) != types.CodeMalformed {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestBelief: the agent believes a proof, waits for a proof that is missing, and doubts a node that lies or keeps its proofs back.
func TestBelief(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	paid, delivered := w.paid(), w.delivered()
	ahead := time.Duration(0)
	now := func() time.Time { return time.Now().Add(ahead) }
	believes := func(key types.PublicKey, id types.TradeID) error {
		shown, err := w.liar.Trade(t.Context(), id)
		if err != nil {
			return err
		}
		b := light.NewBelief(w.checks(func(c *light.Config) { c.Now = now }), key)
		return b.Believes(t.Context(), shown.Height, &agent.Trade{ID: id, Trade: shown.Trade})
	}
	producer, consumer := w.producer.Key(), w.consumer.Key()
	for name, c := range map[string]struct {
		key types.PublicKey
		id  types.TradeID
	}{"the payment": {producer, paid}, "the delivery": {producer, delivered}, "the delivery, to the consumer": {consumer, delivered}} {
		if err := believes(c.key, c.id); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.lies.tell(in(trades, func(a map[string]any) { flip(part(a, "trade"), "digest") }))
	var lie *light.Lie
	if err := believes(consumer, delivered); !errors.As(err, &lie) || errors.Is(err, agent.ErrUnproved) {
		t.Errorf("another lock: %v", err)
	}
	w.lies.stop()
	w.lies.withhold(func(path string) bool { return strings.HasPrefix(path, proofs) })
	shown := must(w.liar.Trade(t.Context(), delivered))
	b := light.NewBelief(w.checks(func(c *light.Config) { c.Now = now }), consumer)
	deal := &agent.Trade{ID: delivered, Trade: shown.Trade}
	if err := b.Believes(t.Context(), shown.Height, deal); !errors.Is(err, agent.ErrUnproved) {
		t.Errorf("without a proof: %v", err)
	}
	ahead = 31 * time.Second
	if err := b.Believes(t.Context(), shown.Height, deal); err == nil || errors.Is(err, agent.ErrUnproved) {
		t.Errorf("without a proof for long: %v", err)
	}
}
