package types_test

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"lockstep/types"
	"lockstep/types/canon"
)

// typicalTx takes an offer: two inputs, two outputs, one action, one signature.
func typicalTx() *types.Tx {
	body := sampleBody()
	body.Inputs = append(body.Inputs, types.Outpoint{Tx: types.TxID{0xdd}, Index: 0})
	body.Outputs = append(body.Outputs, types.Output{Asset: assetID(), Amount: 70_000, Lock: types.ToKey(keyOf("arbiter"))})
	secret := sampleSecret()
	body.Actions = []types.Action{&types.Take{
		Offer: types.OfferID(assetID()), Consumer: keyOf("consumer"), Quantity: 500, Nonce: 1 << 40, Digest: secret.Digest(1),
	}}
	return sign(types.NewTx(body), "consumer")
}

// Each pair is the wire form as a type describes it and, for comparison, by reflection.

func BenchmarkEncode(b *testing.B) {
	tx := typicalTx()
	agreement, trade := sampleAgreement(), sampleTrade()
	for _, c := range []struct {
		name  string
		value canon.Value
	}{{"body", &tx.Body}, {"output", &tx.Body.Outputs[0]}, {"agreement", &agreement}, {"trade", &trade}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				types.Encode(c.value)
			}
		})
		b.Run(c.name+" by reflection", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				types.EncodeByReflection(c.value)
			}
		})
	}
	b.Run("tx", func(b *testing.B) { // two encodings and two hashes
		b.ReportAllocs()
		for b.Loop() {
			types.NewTx(tx.Body, tx.Signatures...)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	raw := typicalTx().Bytes()
	agreement, trade, output := sampleAgreement(), sampleTrade(), typicalTx().Body.Outputs[0]
	bench := func(name string, encoded []byte, decode func([]byte) error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(encoded)))
			for b.Loop() {
				if err := decode(encoded); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	bench("tx", raw, func(raw []byte) error { _, err := types.DecodeTx(raw); return err })
	bench("tx by reflection", raw, func(raw []byte) error { _, err := types.DecodeTxByReflection(raw); return err })
	bench("output", types.Encode(&output), func(encoded []byte) error { return types.Decode(encoded, new(types.Output)) })
	bench("output by reflection", types.Encode(&output), func(encoded []byte) error { return types.DecodeByReflection(encoded, new(types.Output)) })
	bench("agreement", types.Encode(&agreement), func(encoded []byte) error { return types.Decode(encoded, new(types.Agreement)) })
	bench("agreement by reflection", types.Encode(&agreement),
		func(encoded []byte) error { return types.DecodeByReflection(encoded, new(types.Agreement)) })
	bench("trade", types.Encode(&trade), func(encoded []byte) error { return types.Decode(encoded, new(types.Trade)) })
	bench("trade by reflection", types.Encode(&trade), func(encoded []byte) error { return types.DecodeByReflection(encoded, new(types.Trade)) })
}

// The two hashes are a part of the cost of decoding a transaction.
func BenchmarkHashes(b *testing.B) {
	tx := typicalTx()
	for b.Loop() {
		sha256.Sum256(tx.BodyBytes())
		sha256.Sum256(tx.Bytes())
	}
}

func BenchmarkTradeID(b *testing.B) {
	agreement := sampleAgreement()
	b.ReportAllocs()
	for b.Loop() {
		agreement.ID()
	}
}

// The time of one operation is that of a whole batch; compare signatures/s. New keys is the worst case of a
// verifier that remembers keys: none comes twice while it is remembered.
func BenchmarkVerify(b *testing.B) {
	const rounds = 4
	for _, size := range []int{1, 64, 512} {
		for _, c := range []struct {
			name     string
			keys     int
			remember int
		}{{"no memory", 16, 0}, {"known keys", 16, 64}, {"new keys, no memory", rounds * size, 0}, {"new keys", rounds * size, 1}} {
			batches := make([][]*types.Tx, rounds)
			for i := range rounds * size {
				name := fmt.Sprint("key ", i%c.keys)
				batches[i/size] = append(batches[i/size], sign(numbered(i), name))
			}
			verify := types.VerifySignatures
			if c.remember > 0 {
				verify = types.NewVerifier(c.remember).Verify
			}
			b.Run(fmt.Sprintf("%d, %s", size, c.name), func(b *testing.B) {
				n := 0
				for b.Loop() {
					verify(batches[n%rounds]...)
					n++
				}
				b.ReportMetric(float64(n*size)/b.Elapsed().Seconds(), "signatures/s")
			})
		}
	}
}
