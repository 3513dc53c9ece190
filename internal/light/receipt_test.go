package light_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"lockstep/internal/light"
	"lockstep/internal/receipt"
)

// TestOldReceipt: a receipt from before the first header that a client knows holds by a later proof of its leaf, and no other does.
func TestOldReceipt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.released()
	proof, err := w.node.TradeProof(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	old := func() *receipt.Receipt { return receipt.Of(id, &proof) }
	pinned := func() light.Pin {
		newest := must(w.checks().Newest(t.Context()))
		return newest.Pin()
	}
	pin := pinned()
	w.paid() // blocks that come after the receipt
	later := pinned()
	if later.Height <= proof.Signed.Height {
		t.Fatalf("no block came after the receipt: %d", later.Height)
	}
	verify := func(r *receipt.Receipt, edit ...func(*light.Config)) *receipt.Verified {
		return r.Verify(w.checks(edit...).Headers(t.Context()))
	}
	trusting := func(pin light.Pin) func(*light.Config) { return func(c *light.Config) { c.Pin = pin } }
	for name, v := range map[string]*receipt.Verified{
		"from the genesis": verify(old()), "from an earlier header": verify(old(), trusting(pin)), "from a later header": verify(old(), trusting(later)),
	} {
		if !v.OK() || v.Header.Height < proof.Signed.Height {
			t.Errorf("%s: %+v", name, v.Verdicts)
		}
	}
	if v := verify(old(), trusting(later)); v.Header.Height < later.Height {
		t.Errorf("the header of the receipt itself counts: block %d", v.Header.Height)
	}

	changed := old()
	changed.State[0] ^= 1
	if v := verify(changed, trusting(later)); v.OK() {
		t.Errorf("another state: %+v", v.Verdicts)
	}
	refused := func(name, says string) {
		t.Helper()
		v := verify(old(), trusting(later))
		if !slices.ContainsFunc(v.Verdicts, func(v receipt.Verdict) bool { return !v.OK && strings.Contains(v.Text, says) }) {
			t.Errorf("%s: %+v", name, v.Verdicts)
		}
		w.lies.stop()
	}
	leaves := func(lie func(answer map[string]any)) { w.lies.tell(in("/v1/log/leaves/", lie)) }
	leaves(func(answer map[string]any) { flip(answer, "state") })
	refused("a later state that was changed", "not that of the log and the state")
	leaves(func(answer map[string]any) { flip(part(answer, "log"), "root") })
	refused("another log", "the log has another leaf there")
	leaves(func(answer map[string]any) { // the receipt itself, again
		clear(answer)
		if err := json.Unmarshal(must(json.Marshal(proof)), &answer); err != nil {
			panic(err)
		}
	})
	refused("the same proof", "comes before the trusted block")
	w.lies.withhold(func(path string) bool { return strings.HasPrefix(path, "/v1/log/leaves/") })
	refused("no later proof", "a later header does not prove its leaf")
}

var _ receipt.Later = light.Headers{}
