package types_test

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lockstep/types"
)

func TestPrefixRange(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id, other := draw[types.TradeID](t, "id"), draw[types.TradeID](t, "other")
		for _, text := range []struct{ all, of, others string }{
			{id.String(), id.String(), other.String()}, {types.PublicKey(id).String(), types.PublicKey(id).String()[:55], types.PublicKey(other).String()},
		} {
			least := types.MinPrefix
			if strings.HasPrefix(text.all, "lk1") {
				least += 3
			}
			prefix := text.all[:rapid.IntRange(least, len(text.of)).Draw(t, "length")]
			low, high, err := types.PrefixRange(prefix)
			if err != nil {
				t.Fatalf("%s: %v", prefix, err)
			}
			within := func(id types.TradeID) bool {
				return bytes.Compare(low[:], id[:]) <= 0 && bytes.Compare(id[:], high[:]) <= 0
			}
			if !within(id) || within(other) != strings.HasPrefix(text.others, prefix) {
				t.Fatalf("%s: %x to %x, of %s and %s", prefix, low, high, text.all, text.others)
			}
		}
	})
	low, high, err := types.PrefixRange(types.PublicKey{1}.String())
	if err != nil || low != high || low != [32]byte{1} {
		t.Errorf("a whole key: %x to %x, %v", low, high, err)
	}
	for _, bad := range []string{"", "abc", "abcg", "lk1", "lk1abcd", "lk1qpz", strings.Repeat("a", 65), "0x12", "abcé"} {
		if _, _, err := types.PrefixRange(bad); types.CodeOf(err) != types.CodeMalformed {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
