package meter_test

import (
	"crypto/ed25519"
	"fmt"

	"lockstep/meter"
)

func ExampleVerifyNative() {
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	key := [32]byte(private.Public().(ed25519.PublicKey))
	register, err := meter.ParseOBIS("01-00:02.08.00*FF")
	if err != nil {
		fmt.Println(err)
		return
	}
	signed := meter.SignedNative{Native: meter.Native{
		Meter: key, Register: register, Direction: meter.Export, From: 0, Until: 900_000, Page: 1,
		Form: meter.FormReadings, Start: 1000, End: 1250,
	}}
	signed.Signature = [64]byte(ed25519.Sign(private, signed.Bytes()))

	verify := func(key [32]byte, message, signature []byte) bool { return ed25519.Verify(key[:], message, signature) }
	report := meter.VerifyNative(key, verify, [][]byte{[]byte(signed.String())})
	fmt.Println(report.Billable, report.QuantityWh, "Wh")
	// Output: true 250 Wh
}
