package meter

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

// The ledger passes ZIP-215 in; honest signatures are the same under the standard library's rule.
func testVerify(key [32]byte, message, signature []byte) bool {
	return ed25519.Verify(key[:], message, signature)
}

type nativeSigner ed25519.PrivateKey

func newNativeSigner(name string) nativeSigner {
	seed := sha256.Sum256([]byte(name))
	return nativeSigner(ed25519.NewKeyFromSeed(seed[:]))
}

func (s nativeSigner) key() [32]byte { return [32]byte(s[32:]) }

func (s nativeSigner) sign(n Native) *SignedNative {
	n.Meter = s.key()
	return &SignedNative{Native: n, Signature: [64]byte(ed25519.Sign(ed25519.PrivateKey(s), n.Bytes()))}
}

const quarterHour = 900_000

func goodNative() Native {
	return Native{
		Register:  OBIS{1, 0, 2, 8, 0, 0xff},
		Direction: Export,
		From:      1_715_940_000_000,
		Until:     1_715_940_000_000 + quarterHour,
		Page:      17,
		Form:      FormReadings,
		Start:     1_000,
		End:       1_250,
		TradeID:   [32]byte{0: 0xaa, 31: 0xbb},
	}
}

// The layout is frozen: gateways in the field sign it.
func TestNativeLayout(t *testing.T) {
	n := goodNative()
	n.Meter = [32]byte(bytes.Repeat([]byte{0x11}, 32))
	const want = "6c6f636b737465702f72656164696e672f7631" + // lockstep/reading/v1
		"1111111111111111111111111111111111111111111111111111111111111111" + // meter
		"0100020800ff" + "02" + "01" + // register, direction, form
		"0000018f85fe8100" + "0000018f860c3ca0" + // from, until
		"0000000000000011" + // page
		"00000000000003e8" + "00000000000004e2" + // start, end
		"aa000000000000000000000000000000000000000000000000000000000000bb" // trade
	if got := hex.EncodeToString(n.Bytes()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if again, err := DecodeNative(n.Bytes()); err != nil || again != n {
		t.Errorf("read as %+v, %v", again, err)
	}
	if len(n.Bytes()) != nativeSize || nativeSize != 131 {
		t.Errorf("%d bytes", len(n.Bytes()))
	}
}

// One valid record; each case changes one thing.
func TestNativeBounds(t *testing.T) {
	good := goodNative()
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Native){
		"no direction":            func(n *Native) { n.Direction = Undirected },
		"unknown direction":       func(n *Native) { n.Direction = 3 },
		"register of the other":   func(n *Native) { n.Direction = Import },
		"register of power":       func(n *Native) { n.Register[3] = 7 },
		"no form":                 func(n *Native) { n.Form = 0 },
		"unknown form":            func(n *Native) { n.Form = 3 },
		"before 1970":             func(n *Native) { n.From = -1 },
		"no time":                 func(n *Native) { n.Until = n.From },
		"backwards in time":       func(n *Native) { n.From, n.Until = n.Until, n.From },
		"too late":                func(n *Native) { n.Until = MaxNativeTime + 1 },
		"falls":                   func(n *Native) { n.End = n.Start - 1 },
		"too much":                func(n *Native) { n.End = n.Start + MaxNativeWh + 1 },
		"a quantity with a start": func(n *Native) { n.Form = FormQuantity },
	} {
		t.Run(name, func(t *testing.T) {
			n := goodNative()
			change(&n)
			checkCode(t, n.Validate(), CodeNative)
			_, err := DecodeNative(n.Bytes())
			checkCode(t, err, CodeNative)
		})
	}
	for name, change := range map[string]func(*Native){
		"no trade":              func(n *Native) { n.TradeID = [32]byte{} },
		"a register of its own": func(n *Native) { n.Register = OBIS{1, 0, 99, 8, 0, 0xff} },
		"nothing went through":  func(n *Native) { n.End = n.Start },
		"only a quantity":       func(n *Native) { n.Form, n.Start, n.End = FormQuantity, 0, MaxNativeWh },
		"highest readings":      func(n *Native) { n.Start, n.End = 1<<64-2, 1<<64-1 },
		"highest page":          func(n *Native) { n.Page = 1<<64 - 1 },
	} {
		n := goodNative()
		change(&n)
		if err := n.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNativeDecodeRefused(t *testing.T) {
	n := goodNative()
	good := n.Bytes()
	for name, b := range map[string][]byte{
		"nothing":     nil,
		"cut off":     good[:len(good)-1],
		"one more":    append(bytes.Clone(good), 0),
		"another tag": append([]byte("lockstep/reading/v2"), good[len(nativeTag):]...),
	} {
		if _, err := DecodeNative(b); err == nil {
			t.Errorf("%s: accepted", name)
		} else {
			checkCode(t, err, CodeNative)
		}
	}
}

func TestNativeText(t *testing.T) {
	s := newNativeSigner("text").sign(goodNative())
	text := s.String()
	if got, err := ParseNative([]byte(" " + text + "\r\n")); err != nil || got != *s {
		t.Errorf("%+v, %v", got, err)
	}
	for name, bad := range map[string]string{
		"nothing":        "",
		"no header":      strings.TrimPrefix(text, nativeHeader),
		"another header": strings.Replace(text, "v1", "v2", 1),
		"cut off":        text[:len(text)-1],
		"one more":       text + "A",
		"padded":         text + "=",
		"line end":       text[:100] + "\n" + text[100:],
		"for a digit":    text[:100] + "\n" + text[101:],
		"not base64":     text[:100] + "+" + text[101:],
	} {
		if _, err := ParseNative([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", name)
		} else {
			checkCode(t, err, CodeNative)
		}
	}
}

func TestOBISText(t *testing.T) {
	for _, o := range []OBIS{{}, {1, 0, 1, 8, 0, 0xff}, {1, 0, 0xb1, 8, 0, 0xff}, {255, 255, 255, 255, 255, 255}} {
		if got, err := ParseOBIS(o.String()); err != nil || got != o {
			t.Errorf("%v is read as %v, %v", o, got, err)
		}
	}
	for _, text := range []string{"", "1-0:1.8.0", "01-00:01.08.00.FF", "01-00:01.08.00*ff", "01-00:01.08.00*FF ", "0x-00:01.08.00*FF"} {
		_, err := ParseOBIS(text)
		if checkCode(t, err, CodeNative); err == nil {
			t.Errorf("accepted %q", text)
		}
	}
}

func TestVerifyNative(t *testing.T) {
	meter, other := newNativeSigner("meter"), newNativeSigner("other")
	// The n-th record of a row in which each has 250 Wh and a quarter of an hour.
	nth := func(n int, changes ...func(*Native)) *SignedNative {
		record := goodNative()
		record.Page += uint64(n)
		record.From, record.Until = record.From+int64(n)*quarterHour, record.Until+int64(n)*quarterHour
		record.Start, record.End = record.Start+uint64(250*n), record.End+uint64(250*n)
		for _, change := range changes {
			change(&record)
		}
		return meter.sign(record)
	}
	imported := func(n *Native) { n.Register[2], n.Direction = 1, Import }
	quantity := func(n *Native) { n.Form, n.Start, n.End = FormQuantity, 0, 250 }
	changed := nth(1)
	changed.End++
	stranger := other.sign(goodNative())
	tests := []struct {
		name     string
		records  []*SignedNative
		sequence SequenceVerdict
		wh       string
		code     Code
	}{
		{"one", []*SignedNative{nth(0)}, SequenceSingle, "250", ""},
		{"three", []*SignedNative{nth(0), nth(1), nth(2)}, SequenceOK, "750", ""},
		{"readings and quantities", []*SignedNative{nth(0), nth(1, quantity), nth(2)}, SequenceOK, "750", ""},
		{"two registers, import first", []*SignedNative{nth(0), nth(1, imported, func(n *Native) { n.From -= quarterHour })}, SequenceOK, "250", ""},
		{"nothing", nil, SequenceBroken, "", CodeEmpty},
		{"gap", []*SignedNative{nth(0), nth(2)}, SequenceBroken, "500", CodePages},
		{"twice", []*SignedNative{nth(0), nth(0)}, SequenceBroken, "250", CodePages},
		{"overlap", []*SignedNative{nth(0), nth(1, func(n *Native) { n.From-- })}, SequenceBroken, "500", CodeTime},
		{"register runs backwards", []*SignedNative{nth(0), nth(1, func(n *Native) { n.Start-- })}, SequenceBroken, "501", CodeBackwards},
		{"runs backwards behind a quantity", []*SignedNative{nth(0), nth(1, quantity), nth(2, func(n *Native) { n.Start = 1 })}, SequenceBroken, "2249", CodeBackwards},
		{"changed", []*SignedNative{nth(0), changed}, SequenceOK, "", CodeSignature},
		{"another meter", []*SignedNative{stranger}, SequenceSingle, "", CodeSignature},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var lines [][]byte
			for _, record := range test.records {
				lines = append(lines, []byte(record.String()))
			}
			report := VerifyNative(meter.key(), testVerify, lines)
			if report.Sequence != test.sequence {
				t.Errorf("sequence %s, want %s", report.Sequence, test.sequence)
			}
			checkReport(t, report, test.wh, test.code == "", test.code)
		})
	}
	report := VerifyNative(meter.key(), testVerify, [][]byte{[]byte("OCMF|")})
	if checkReport(t, report, "", false, CodeNative); report.Records[0].Signature != SignatureUnreadable {
		t.Error(report)
	}
}

func TestNativePageID(t *testing.T) {
	n := newNativeSigner("page").sign(goodNative())
	changed := *n
	changed.End++
	if n.PageID() != changed.PageID() || n.Hash() == changed.Hash() {
		t.Error("a page is identified by key and number, a record by its bytes")
	}
	changed.Page++
	stranger := newNativeSigner("other").sign(goodNative())
	if n.PageID() == changed.PageID() || n.PageID() == stranger.PageID() {
		t.Error("two pages with one identity")
	}
}

// Accepted records have no second form.
func FuzzDecodeNative(f *testing.F) {
	n := goodNative()
	f.Add(n.Bytes())
	n.Form, n.Start = FormQuantity, 0
	f.Add(n.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := DecodeNative(b)
		if err != nil {
			return
		}
		if !bytes.Equal(n.Bytes(), b) || n.Quantity() > MaxNativeWh {
			t.Errorf("%x is written %x", b, n.Bytes())
		}
	})
}

func FuzzParseNative(f *testing.F) {
	f.Add([]byte(newNativeSigner("fuzz").sign(goodNative()).String()))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseNative(text)
		if err == nil && s.String() != string(bytes.Trim(text, " \t\r\n")) {
			t.Errorf("%q is written %q", text, s.String())
		}
	})
}
