package types_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lockstep/types"
)

// TestOutpointOfATrade: an address tells the part of the trade that it is of, and no other address tells the same.
func TestOutpointOfATrade(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := outpoints.Draw(t, "outpoint")
		id, part, ok := o.Trade()
		if ok != (o.Index >= 1<<31) {
			t.Fatalf("%s: of a trade: %t", o, ok)
		}
		if ok && part != 0 && id.Outpoint(part) != o {
			t.Fatalf("%s and %s are one part of one trade", o, id.Outpoint(part))
		}
		trade, part := draw[types.TradeID](t, "trade"), parts.Draw(t, "part")
		if of, back, ok := trade.Outpoint(part).Trade(); of != trade || back != part || !ok {
			t.Fatalf("the %s of %s has the address of the %s of %s", part, trade, back, of)
		}
	})
}

// TestOutputJSON: an output has a lock, to a key; a user that writes another is told which.
func TestOutputJSON(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(types.Output{Amount: 1, Lock: types.ToKey(keyOf("consumer"))})
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]types.Code{`"key"`: types.CodeOK, `"trade"`: types.CodeLock, `""`: types.CodeLock} {
		var output types.Output
		err := json.Unmarshal([]byte(strings.Replace(string(text), `"key"`, kind, 1)), &output)
		if types.CodeOf(err) != want || err != nil && !strings.Contains(err.Error(), kind) {
			t.Errorf("a lock of the kind %s: %v, want %s", kind, err, want)
		}
	}
	if err := json.Unmarshal([]byte(`{"amount":"1","lock":null}`), new(types.Output)); types.CodeOf(err) != types.CodeLock {
		t.Errorf("no lock: %v", err)
	}
}
