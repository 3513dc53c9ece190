package meter

import (
	"crypto/ed25519"
	"errors"
	"testing"
)

// What a ledger asks: the register that the trade names, in the direction that it names.
func TestProve(t *testing.T) {
	signer := newSigner(Secp256r1, "prove")
	lines := func(records string) (lines [][]byte) {
		for _, payload := range script(t, records) {
			lines = append(lines, []byte(signer.record(payload)))
		}
		return lines
	}
	both := "T1 | B 100 RI=1-0:1.8.0 | B 7 RI=1-0:2.8.0 | E 110 RI=1-0:1.8.0 | E 9 RI=1-0:2.8.0"
	for _, test := range []struct {
		name     string
		lines    [][]byte
		register string
		d        Direction
		wh       string
		code     Code
	}{
		{"import", lines(both), "1-0:1.8.0", Import, "10", ""},
		{"export, though import is what is billed otherwise", lines(both), "1-0:2.8.0", Export, "2", ""},
		{"the other way round", lines(both), "1-0:2.8.0", Import, "", CodeRegister},
		{"a register that was not read", lines(both), "1-0:1.8.1", Import, "", CodeNoEnergy},
		{"a register without a direction", lines("T1 | B 1 RI=x | E 4 RI=x"), "x", Export, "3", ""},
		{"half a transaction", lines("T1 | B 100"), "1-0:1.8.0", Import, "", CodeTransaction},
		{"a gap", lines("T1 | B 100\n T3 | E 110"), "1-0:1.8.0", Import, "", CodePages},
		{"nothing", nil, "1-0:1.8.0", Import, "", CodeEmpty},
		{"not a record", [][]byte{[]byte("x")}, "1-0:1.8.0", Import, "", CodeRecordForm},
	} {
		t.Run(test.name, func(t *testing.T) {
			proof, err := Prove(signer.key, test.lines, test.register, test.d)
			var refusal *Error
			errors.As(err, &refusal)
			switch {
			case test.code != "" && (refusal == nil || refusal.Code != test.code):
				t.Errorf("got %v, want code %s", err, test.code)
			case test.code == "" && (err != nil || proof.Wh.String() != test.wh):
				t.Errorf("got %s, %v, want %s", proof.Wh, err, test.wh)
			}
		})
	}
	if _, err := Prove(newSigner(Secp256r1, "another").key, lines(both), "1-0:1.8.0", Import); err == nil {
		t.Error("records signed by another meter prove something")
	}
}

func TestProveNative(t *testing.T) {
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	key := [32]byte(private.Public().(ed25519.PublicKey))
	verify := func(key [32]byte, message, signature []byte) bool { return ed25519.Verify(key[:], message, signature) }
	register, err := ParseOBIS("01-00:02.08.00*FF")
	if err != nil {
		t.Fatal(err)
	}
	record := func(page uint64, trade byte) []byte {
		n := Native{Meter: key, Register: register, Direction: Export, From: int64(page), Until: int64(page) + 1, Page: page, Form: FormQuantity, End: 5}
		n.TradeID[0] = trade
		signed := SignedNative{Native: n, Signature: [64]byte(ed25519.Sign(private, n.Bytes()))}
		return []byte(signed.String())
	}
	proof, err := ProveNative(key, verify, [][]byte{record(1, 0), record(2, 7)}, register.String(), Export)
	if err != nil || proof.Wh.String() != "10" || proof.Clock != ClockSynchronised || len(proof.Trades) != 1 || proof.Trades[0][0] != 7 {
		t.Errorf("got %+v, %v", proof, err)
	}
	if _, err := ProveNative(key, verify, [][]byte{record(1, 0), record(3, 0)}, register.String(), Export); err == nil {
		t.Error("a page is missing, and something is proven")
	}
	if _, err := ProveNative([32]byte{1}, verify, [][]byte{record(1, 0)}, register.String(), Export); err == nil {
		t.Error("another gateway's record proves something")
	}
	if _, err := ProveNative(key, verify, [][]byte{record(1, 0)}, register.String(), Import); err == nil {
		t.Error("an export register proves import")
	}
}
