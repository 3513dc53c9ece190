package types_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lockstep/types"
	"lockstep/types/canon"
)

// TestRoundTrips: every value comes back from its encoding and from its JSON as it went in.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	t.Run("asset", roundTrips(assets))
	t.Run("goods", roundTrips(goods))
	t.Run("agreement", roundTrips(agreements))
	t.Run("offer", roundTrips(offers))
	t.Run("output", roundTrips(outputs))
	t.Run("trade", roundTrips(trades))
	t.Run("meter", roundTrips(meters))
	t.Run("point", roundTrips(points))
	t.Run("slot", roundTrips(slots))
	t.Run("order", roundTrips(orders))
	t.Run("auction", roundTrips(auctions))
	t.Run("event", roundTrips(events))
	t.Run("outcome", roundTrips(outcomes))
	t.Run("params", roundTrips(params))
	t.Run("signature", roundTrips(signatures))
	t.Run("decision", roundTrips(decisions))
	t.Run("governance", roundTrips(governances))
	t.Run("body", roundTrips(bodies))
}

func roundTrips[T any, P interface {
	*T
	canon.Value
}](values *rapid.Generator[T]) func(*testing.T) {
	return func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			value := values.Draw(t, "value")
			var fromCBOR, fromJSON T
			if err := types.Decode(types.Encode(P(&value)), P(&fromCBOR)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(value, fromCBOR, equal...); diff != "" {
				t.Fatal(diff)
			}
			text, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &fromJSON); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if diff := cmp.Diff(value, fromJSON, equal...); diff != "" {
				t.Fatal(diff)
			}
		})
	}
}

// A transaction keeps its bytes, and so its ID, on the wire and through JSON.
func TestTxRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tx := types.NewTx(bodies.Draw(t, "body"), rapid.SliceOfN(signatures, 0, 3).Draw(t, "signatures")...)
		received, err := types.DecodeTx(tx.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(tx)
		if err != nil {
			t.Fatal(err)
		}
		var shown types.Tx
		if err := json.Unmarshal(text, &shown); err != nil {
			t.Fatal(err)
		}
		for _, again := range []*types.Tx{received, &shown} {
			if again.ID() != tx.ID() || again.Hash() != tx.Hash() || string(again.Bytes()) != string(tx.Bytes()) {
				t.Fatalf("%x became %x", tx.Bytes(), again.Bytes())
			}
		}
	})
}

// The ID is of the body alone, the hash of everything: a signature changes one and not the other.
func TestSignatureChangesHashOnly(t *testing.T) {
	t.Parallel()
	unsigned := types.NewTx(sampleBody())
	signed := sign(unsigned, "consumer")
	if signed.ID() != unsigned.ID() || signed.Hash() == unsigned.Hash() || len(unsigned.Signatures) != 0 {
		t.Errorf("id %s and %s, hash %s and %s", unsigned.ID(), signed.ID(), unsigned.Hash(), signed.Hash())
	}
}
