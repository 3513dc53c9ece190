package meter

import (
	"crypto/ed25519"
	"errors"
	"slices"
	"strings"
	"testing"
)

// A ledger asks for the register that the trade names, in the direction that it names.
func TestProve(t *testing.T) {
	signer := newSigner(Secp256r1, "prove")
	lines := func(records string) (lines [][]byte) {
		for _, payload := range script(t, records) {
			lines = append(lines, []byte(signer.record(payload)))
		}
		return lines
	}
	both := "T1 | B 100 RI=1-0:1.8.0 | B 7 RI=1-0:2.8.0 | E 110 RI=1-0:1.8.0 | E 9 RI=1-0:2.8.0"
	tariffs := "T1 | B 1 RI=1-0:2.8.1 at=10:00 | B 5 RI=1-0:2.8.2 at=10:00 | E 4 RI=1-0:2.8.1 at=10:01 | E 9 RI=1-0:2.8.2 at=10:01"
	for _, test := range []struct {
		name     string
		lines    [][]byte
		register string // its registers, with commas between
		d        Direction
		wh       string
		code     Code
	}{
		{"import", lines(both), "1-0:1.8.0", Import, "10", ""},
		{"export, though import is what is billed otherwise", lines(both), "1-0:2.8.0", Export, "2", ""},
		{"the other way round", lines(both), "01-00:02.08.00*FF", Import, "", CodeRegister},
		{"a register that was not read", lines(both), "1-0:1.8.1", Import, "", CodeNoEnergy},
		{"no register", lines(both), "", Import, "", CodeNoEnergy},
		{"another spelling", lines("T1 | B 1 RI=1-b:02.08.0e*255 | E 4 RI=1-b:02.08.0e*255"), "1-0:2.8.0", Export, "3", ""},
		{"two spellings", lines("T1 | B 1 RI=1-b:2.8.0 | B 1 RI=1-0:2.8.0 | E 4 RI=1-b:2.8.0 | E 4 RI=1-0:2.8.0"), "1-0:2.8.0", Export, "", CodeRegister},
		{"a register without a direction", lines("T1 | B 1 RI=1-b | E 4 RI=1-b"), "1-b", Export, "3", ""},
		{"a register of no known form", lines("T1 | B 1 RI=x | E 4 RI=x"), "1-b", Export, "", CodeNoEnergy},
		{"two tariffs", lines(tariffs), "1-0:2.8.2,1-0:2.8.1", Export, "7", ""},
		{"one tariff of two", lines(tariffs), "1-0:2.8.1", Export, "3", ""},
		{"a tariff is missing", lines(tariffs), "1-0:2.8.1,1-0:2.8.3", Export, "", CodeNoEnergy},
		{"a tariff is missing in the second record", lines(tariffs + "\n T2 | B 4 RI=1-0:2.8.1 | E 5 RI=1-0:2.8.1"), "1-0:2.8.1,1-0:2.8.2", Export, "", CodeRegister},
		{"tariffs of two times", lines("T1 | B 1 RI=1-0:2.8.1 at=10:00 | E 4 RI=1-0:2.8.1 at=10:01 | B 5 RI=1-0:2.8.2 at=10:00 | E 9 RI=1-0:2.8.2 at=10:02"),
			"1-0:2.8.1,1-0:2.8.2", Export, "", CodeRegister},
		{"half a transaction", lines("T1 | B 100"), "1-0:1.8.0", Import, "", CodeTransaction},
		{"a gap", lines("T1 | B 100\n T3 | E 110"), "1-0:1.8.0", Import, "", CodePages},
		{"nothing", nil, "1-0:1.8.0", Import, "", CodeEmpty},
		{"not a record", [][]byte{[]byte("x")}, "1-0:1.8.0", Import, "", CodeRecordForm},
	} {
		t.Run(test.name, func(t *testing.T) {
			proof, err := Prove(signer.key, "m1", test.lines, form(t, test.register, test.d), test.d)
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
	imports := form(t, "1-0:1.8.0", Import)
	if _, err := Prove(newSigner(Secp256r1, "another").key, "m1", lines(both), imports, Import); err == nil {
		t.Error("records signed by another key prove something")
	}
	_, err := Prove(signer.key, "m2", lines(both), imports, Import)
	checkCode(t, err, CodeSource)
}

// form is a billable form of codes with commas between; of a register in the other direction, which has no such form, just its name.
func form(t *testing.T, codes string, d Direction) []string {
	t.Helper()
	if codes == "" {
		return nil
	}
	names, err := BillableForm(strings.Split(codes, ","), d)
	if err != nil {
		return []string{codes}
	}
	return names
}

// The slot of records is looked for by the earliest moment that they name, in either form.
func TestBegins(t *testing.T) {
	signer := newSigner(Secp256r1, "begins")
	payloads := script(t, "T1 | B 1 at=10:01 | E 4 at=10:00\n T2 | B 4 at=09:59 | E 5 at=10:05")
	native := SignedNative{Native: Native{Direction: Export, From: 77, Until: 78, Form: FormQuantity, Register: OBIS{1, 0, 2, 8, 0, 0xFF}}}
	ten := int64(1715940000000) // 2024-05-17 10:00 UTC
	for _, test := range []struct {
		lines []string
		want  int64 // 0: none
	}{
		{[]string{signer.record(payloads[0])}, ten},
		{[]string{signer.record(payloads[0]), signer.record(payloads[1])}, ten - 60_000},
		{[]string{native.String()}, 77},
		{nil, 0},
		{[]string{"OCMF|"}, 0},
		{[]string{signer.record(payloads[0]), "x"}, 0},
		{[]string{signer.record(`{"PG":"T1"}`)}, 0},
	} {
		var lines [][]byte
		for _, line := range test.lines {
			lines = append(lines, []byte(line))
		}
		if got, err := Begins(lines); got != test.want || (err == nil) != (test.want != 0) {
			t.Errorf("%.40q: %d, %v, want %d", test.lines, got, err, test.want)
		}
	}
}

// One key may sign for several meters: their serial numbers tell them apart.
func TestSerial(t *testing.T) {
	for text, want := range map[string]string{
		`{"MS":"m","GS":"g"}`: "m", `{"GS":"g"}`: "g", `{"MS":"","GS":"g"}`: "g", `{"MS":7}`: "7", `{}`: "",
	} {
		if p := payloadOf(t, text); p.Serial() != want {
			t.Errorf("%s is of meter %q, want %q", text, p.Serial(), want)
		}
	}
}

func TestBillableForm(t *testing.T) {
	const total = "01-00:02.08.00*FF"
	for _, test := range []struct {
		codes string
		d     Direction
		want  string // empty: refused
	}{
		{"1-0:2.8.0", Export, total},
		{"1-0:2.8.0*255", Export, total},
		{"1-0:2.8", Export, total},
		{"01-00:02.08.00", Export, total},
		{"01-00:02.08.00.FF", Export, total},
		{"1-b:2.8.e", Export, total},
		{" 1-B:02.8.FF*0 ", Export, total},
		{"1-0:C2.8.0", Export, "01-00:C2.08.00*FF"},
		{"1-1:2.8.0", Export, "01-01:02.08.00*FF"},
		{"1-0b:2.8.0", Export, "01-0B:02.08.00*FF"},
		{"1-0:1.8.0*198", Import, "01-00:01.08.00*C6"},
		{"1-0:98.8.0.FF", Import, "01-00:98.08.00*FF"},
		{"1-0:9E.8.0", Import, "01-00:9E.08.00*FF"},
		{"1-b", Export, "01-00"},
		{"1-0:", Import, "01-00"},
		{"1-0:2.8.2,1-b:2.8.1", Export, "01-00:02.08.01*FF,01-00:02.08.02*FF"},
		{"1-0:2.8.2", Export, "01-00:02.08.02*FF"},
		{"1-0:2.8.1,1-0:2.8.2,1-0:2.8.3,1-0:2.8.4", Export, "01-00:02.08.01*FF,01-00:02.08.02*FF,01-00:02.08.03*FF,01-00:02.08.04*FF"},

		{"1-0:2.8.1,1-0:2.8.2,1-0:2.8.3,1-0:2.8.4,1-0:2.8.5", Export, ""},
		{"1-0:2.8.0,1-0:2.8.1", Export, ""},                    // a total beside a tariff
		{"1-0:2.8.0,1-0:C2.8.0", Export, ""},                   // two totals
		{"1-0:2.8.1,1-0:C2.8.2", Export, ""},                   // tariffs of two quantities
		{"1-0:2.8.1,1-0:2.8.2*198", Export, ""},                // and of two times
		{"1-0:2.8.1,1-1:2.8.2", Export, ""},                    // and of two channels
		{"1-0:2.8.1,01-00:02.08.01", Export, ""},               // one tariff twice
		{"1-0:2.8.0,1-b:2.8.0", Export, ""},                    // one total twice
		{"1-b,1-0", Export, ""},                                // and again
		{"1-0:1.8.0", Export, ""},                              // the other direction
		{"1-0:C3.8.0", Import, ""},                             // the other direction
		{"1-0:21.8.0", Import, ""}, {"1-0:15.8.0", Import, ""}, // single phases, in decimal and in hexadecimal
		{"1-0:22.8.0", Export, ""}, {"1-0:16.8.0", Export, ""}, //
		{"1-0:41.8.0", Import, ""}, {"1-0:29.8.0", Import, ""}, //
		{"1-0:42.8.0", Export, ""}, {"1-0:2A.8.0", Export, ""}, //
		{"1-0:61.8.0", Import, ""}, {"1-0:3D.8.0", Import, ""}, //
		{"1-0:62.8.0", Export, ""}, {"1-0:3E.8.0", Export, ""}, //
		{"1-0:3.8.0", Import, ""}, {"1-0:16.7.0", Import, ""}, // reactive energy, power
		{"7-0:3.0.0", Import, ""}, {"7-0", Import, ""}, {"7-b:", Import, ""}, // gas
		{"", Import, ""}, {"energy", Import, ""}, {"1-0:x.8.0", Import, ""}, {"1-0:1.8.x", Import, ""}, {"1-0:1.8.0*x", Import, ""},
		{"1-0:1.8.0*300", Import, ""}, {"1-256:1.8.0", Import, ""}, {"1.8.0", Import, ""}, {"1-0:1", Import, ""},
	} {
		names, err := BillableForm(strings.Split(test.codes, ","), test.d)
		if got := strings.Join(names, ","); got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s, %v: got %q, %v, want %q", test.codes, test.d, got, err, test.want)
			continue
		}
		if err != nil {
			checkCode(t, err, CodeRegister)
			continue
		}
		if again, err := BillableForm(names, test.d); err != nil || !slices.Equal(again, names) {
			t.Errorf("%s: %q is read again as %q, %v", test.codes, names, again, err)
		}
	}
	if names, err := BillableForm(nil, Import); err != nil || len(names) != 0 {
		t.Errorf("no register: %q, %v", names, err)
	}
}

// A register that says no direction is all that a meter can be billed by.
func TestBillableForms(t *testing.T) {
	for _, test := range []struct {
		imports, exports []string
		good             bool
	}{
		{[]string{"1-0:1.8.0"}, []string{"1-0:2.8.0"}, true},
		{nil, nil, true},
		{[]string{"1-b"}, nil, true},
		{nil, []string{"1-b"}, true},
		{[]string{"1-b"}, []string{"1-b"}, false},
		{[]string{"1-0:1.8.0"}, []string{"1-b"}, false},
		{[]string{"1-0:9E.8.0"}, []string{"1-0:2.8.0"}, false},
		{[]string{"1-0:2.8.0"}, nil, false},
		{nil, []string{"1-0:1.8.0"}, false},
	} {
		imports, exports, err := BillableForms(test.imports, test.exports)
		if (err == nil) != test.good || err == nil && (len(imports) != len(test.imports) || len(exports) != len(test.exports)) {
			t.Errorf("%q and %q: %q, %q, %v", test.imports, test.exports, imports, exports, err)
		}
	}
}

// The parsed name of a code parses to itself again.
func FuzzBillableForm(f *testing.F) {
	for _, code := range []string{"1-0:2.8.0", "1-b", "1-b:1.8.e", "01-00:02.08.00.FF", "1-0:1.8.0*198", "1-0:9E.8.0"} {
		f.Add(code, uint8(Export))
	}
	f.Fuzz(func(t *testing.T, code string, d uint8) {
		names, err := BillableForm([]string{code}, Direction(d))
		if err != nil {
			return
		}
		again, err := BillableForm(names, Direction(d))
		if err != nil || !slices.Equal(again, names) {
			t.Fatalf("%q is %q, and that %q, %v", code, names, again, err)
		}
	})
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
	proof, err := ProveNative(key, verify, [][]byte{record(1, 0), record(2, 7)}, []string{register.String()}, Export)
	if err != nil || proof.Wh.String() != "10" || proof.Clock != ClockSynchronised || len(proof.Trades) != 1 || proof.Trades[0][0] != 7 {
		t.Errorf("got %+v, %v", proof, err)
	}
	if _, err := ProveNative(key, verify, [][]byte{record(1, 0), record(3, 0)}, []string{register.String()}, Export); err == nil {
		t.Error("a page is missing, and something is proven")
	}
	if _, err := ProveNative([32]byte{1}, verify, [][]byte{record(1, 0)}, []string{register.String()}, Export); err == nil {
		t.Error("another gateway's record proves something")
	}
	if _, err := ProveNative(key, verify, [][]byte{record(1, 0)}, []string{register.String()}, Import); err == nil {
		t.Error("an export register proves import")
	}
}
