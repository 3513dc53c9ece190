package types_test

import (
	"fmt"
	"testing"

	"lockstep/types"
)

func BenchmarkEncode(b *testing.B) {
	body, trade := sampleBody(), sampleTrade()
	b.Run("body", func(b *testing.B) {
		for b.Loop() {
			types.Encode(&body)
		}
	})
	b.Run("trade", func(b *testing.B) {
		for b.Loop() {
			types.Encode(&trade)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	raw, trade := sampleTx().Bytes(), sampleTrade()
	encoded := types.Encode(&trade)
	b.Run("tx", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			if _, err := types.DecodeTx(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("trade", func(b *testing.B) {
		b.SetBytes(int64(len(encoded)))
		for b.Loop() {
			if err := types.Decode(encoded, new(types.Trade)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkTradeID(b *testing.B) {
	agreement := sampleAgreement()
	for b.Loop() {
		agreement.ID()
	}
}

// The time of one operation is that of a whole batch; signatures/s is what to compare.
func BenchmarkVerifySignatures(b *testing.B) {
	for _, size := range []int{1, 64, 1024} {
		txs := make([]*types.Tx, size)
		for i := range txs {
			txs[i] = sign(numbered(i), "consumer")
		}
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			for b.Loop() {
				types.VerifySignatures(txs...)
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "signatures/s")
		})
	}
}
