package meter

import (
	"strings"
	"testing"
)

// One OCMF record judged from its text on: parsing, decoding of the key's point, hash, signature, quantity.
func BenchmarkVerify(b *testing.B) {
	for _, c := range curves() {
		b.Run(c.String(), func(b *testing.B) {
			meter := newSigner(c, "bench")
			lines := [][]byte{[]byte(meter.record(plainPayload))}
			b.ReportAllocs()
			for b.Loop() {
				if report := Verify(meter.key, lines); !report.Billable {
					b.Fatal(report)
				}
			}
		})
	}
	b.Run("native", func(b *testing.B) {
		meter := newNativeSigner("bench")
		lines := [][]byte{[]byte(meter.sign(goodNative()).String())}
		b.ReportAllocs()
		for b.Loop() {
			if report := VerifyNative(meter.key(), testVerify, lines); !report.Billable {
				b.Fatal(report)
			}
		}
	})
}

func BenchmarkParseOCMF(b *testing.B) {
	line := []byte(newSigner(Secp256r1, "bench").record(plainPayload))
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseOCMF(line); err != nil {
			b.Fatal(err)
		}
	}
}

// The worst records within the limit: many members, which must be told apart, and many readings of many registers.
func BenchmarkParseOCMFWorst(b *testing.B) {
	var members, readings strings.Builder
	for i := range 1000 {
		members.WriteString(`,"` + string(rune('a'+i%26)) + string(rune('a'+i/26)) + `":1`)
	}
	reading := `,{"RV":1}`
	readings.WriteString(`{"TM":"2024-01-01T10:00:00,000+0000 S","TX":"B","RV":1,"RI":"1-0:1.8.0","RU":"kWh","ST":"G"}`)
	for readings.Len() < MaxRecord-300 {
		readings.WriteString(reading)
	}
	for name, payload := range map[string]string{
		"members":  `{"PG":"T1"` + members.String() + `}`,
		"readings": `{"PG":"T1","RD":[` + readings.String() + `]}`,
	} {
		b.Run(name, func(b *testing.B) {
			line := []byte(newSigner(Secp256r1, "bench").record(payload))
			b.ReportAllocs()
			for b.Loop() {
				record, err := ParseOCMF(line)
				if err != nil {
					b.Fatal(err)
				}
				_ = record.Usable()
			}
		})
	}
}
