package types_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"lockstep/types"
	"lockstep/types/canon"
)

func FuzzDecodeTx(f *testing.F) {
	f.Add(sampleTx().Bytes())
	for _, action := range sampleActions() {
		f.Add(types.NewTx(types.Body{ChainID: "samplestadt", Actions: []types.Action{action}}).Bytes())
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		tx, err := types.DecodeTx(raw)
		if err != nil {
			refusedAs(t, err, types.CodeMalformed, types.CodeTooLarge)
			return
		}
		again := types.NewTx(tx.Body, tx.Signatures...)
		if !bytes.Equal(again.Bytes(), raw) || again.ID() != tx.ID() || again.Hash() != tx.Hash() {
			t.Fatalf("%x was accepted and is written as %x", raw, again.Bytes())
		}
		if _, err := json.Marshal(tx); err != nil {
			t.Fatal(err)
		}
		types.VerifySignatures(tx)
	})
}

func FuzzDecodeTrade(f *testing.F)     { trade := sampleTrade(); fuzzDecode(f, &trade) }
func FuzzDecodeOffer(f *testing.F)     { offer := sampleOffer(); fuzzDecode(f, &offer) }
func FuzzDecodeAgreement(f *testing.F) { agreement := sampleAgreement(); fuzzDecode(f, &agreement) }
func FuzzDecodeSlot(f *testing.F)      { slot := sampleSlot(); fuzzDecode(f, &slot) }
func FuzzDecodeOutcome(f *testing.F) {
	for _, outcome := range sampleOutcomes() {
		f.Add(types.Encode(&outcome))
	}
	fuzzDecode[types.Outcome](f)
}
func FuzzDecodeOutput(f *testing.F) {
	fuzzDecode(f, &types.Output{Amount: 1, Lock: types.ToKey(keyOf("consumer"))}, &types.Output{Amount: types.MaxAmount})
}

// fuzzDecode: bytes are refused, or they are the encoding of their value.
func fuzzDecode[T any, P interface {
	*T
	canon.Value
}](f *testing.F, samples ...P) {
	for _, sample := range samples {
		f.Add(types.Encode(sample))
	}
	parameters := sampleParams()
	f.Fuzz(func(t *testing.T, encoded []byte) {
		value := P(new(T))
		if err := types.Decode(encoded, value); err != nil {
			refusedAs(t, err, types.CodeMalformed)
			return
		}
		if again := types.Encode(value); !bytes.Equal(again, encoded) {
			t.Fatalf("%x was accepted and is written as %x", encoded, again)
		}
		if _, err := json.Marshal(value); err != nil {
			t.Fatal(err)
		}
		switch v := any(value).(type) { // whatever decodes can be judged
		case *types.Agreement:
			_ = v.Check(&parameters)
		case *types.Offer:
			_ = v.Check(&parameters)
		}
	})
}

func refusedAs(t *testing.T, err error, codes ...types.Code) {
	t.Helper()
	for _, code := range codes {
		if types.CodeOf(err) == code {
			return
		}
	}
	t.Fatalf("refused with %v, want one of %v", err, codes)
}

func FuzzParseKey(f *testing.F) {
	f.Add(keyOf("producer").String())
	f.Add("lk1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqggnytw")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := types.ParseKey(text)
		if err != nil {
			refusedAs(t, err, types.CodeMalformed)
			return
		}
		if again, err := types.ParseKey(key.String()); err != nil || again != key {
			t.Fatalf("%q is %s, which reads as %s (%v)", text, key, again, err)
		}
	})
}

func FuzzParseRate(f *testing.F) {
	for _, text := range []string{"0", "12", "0.03", "1.50", "18446744073709551615", ".5", "5.", "-1", "1e3"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rate, err := types.ParseRate(text)
		if err != nil {
			refusedAs(t, err, types.CodeMalformed)
			return
		}
		if again, err := types.ParseRate(rate.String()); err != nil || again != rate || !rate.Canonical() {
			t.Fatalf("%q is %s, which reads as %s (%v)", text, rate, again, err)
		}
	})
}

func FuzzParseAmount(f *testing.F) {
	f.Add("12.05", uint8(2))
	f.Add("0.000000000000000001", uint8(18))
	f.Add("18446744073709551615", uint8(0))
	f.Add("1", uint8(255))
	f.Fuzz(func(t *testing.T, text string, decimals uint8) {
		amount, err := types.ParseAmount(text, decimals)
		if err != nil {
			refusedAs(t, err, types.CodeMalformed, types.CodeOverflow)
			return
		}
		if decimals > types.MaxDecimals {
			return // no asset has so many; it only must not panic
		}
		if again, err := types.ParseAmount(amount.Format(decimals), decimals); err != nil || again != amount {
			t.Fatalf("%q is %s, which reads as %s (%v)", text, amount.Format(decimals), again, err)
		}
	})
}

// FuzzJSON: the JSON of a body, with all its sums, gives the same bytes after any number of rounds.
func FuzzJSON(f *testing.F) {
	for _, action := range sampleActions() {
		text, err := json.Marshal(types.Body{ChainID: "samplestadt", Outputs: sampleBody().Outputs, Actions: []types.Action{action}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"actions":[null],"outputs":[{"lock":null}]}`))
	f.Add([]byte(`{"actions":[{"kind":"agree"},{"kind":7},{}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var body, again types.Body
		if json.Unmarshal(text, &body) != nil {
			return
		}
		tx := types.NewTx(body)
		if _, err := types.DecodeTx(tx.Bytes()); err != nil {
			refusedAs(t, err, types.CodeMalformed, types.CodeTooLarge)
			return
		}
		written, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(written, &again); err != nil {
			t.Fatal(err)
		}
		if types.NewTx(again).ID() != tx.ID() {
			t.Fatalf("%s\nbecame\n%s", text, written)
		}
	})
}
