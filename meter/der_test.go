package meter

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func checkCode(t *testing.T, err error, want Code) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	var e *Error
	if !errors.As(err, &e) || e.Code != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestParseDERSignature(t *testing.T) {
	long := strings.Repeat("11", 0x80)
	tests := []struct {
		name, hex string
		want      Code
	}{
		{"canonical", "3006 0201 01 0201 7f", ""},
		{"sign byte", "3008 0202 00 80 0202 00 ff", ""},
		{"zero has a form too", "3006 0201 00 0201 00", ""},
		{"long form", "308186 0201 01 0281 80" + long, ""},

		{"empty", "", CodeSignatureForm},
		{"cut off", "3006 0201 01 0201", CodeSignatureForm},
		{"not a sequence", "3106 0201 01 0201 7f", CodeSignatureForm},
		{"r is no integer", "3006 0301 01 0201 7f", CodeSignatureForm},
		{"one integer", "3003 0201 01", CodeSignatureForm},
		{"length cut off", "3082 01", CodeSignatureForm},
		{"length of five bytes", "3085 0000000006 0201 01 0201 7f", CodeSignatureForm},

		{"trailing byte", "3006 0201 01 0201 7f 00", CodeNotCanonical},
		{"byte behind s", "3007 0201 01 0201 7f 00", CodeNotCanonical},
		{"length in the long form", "308106 0201 01 0201 7f", CodeNotCanonical},
		{"length with a zero byte", "30820085 0201 01 0281 80" + long, CodeNotCanonical},
		{"indefinite length", "3080 0201 01 0201 7f 0000", CodeNotCanonical},
		{"negative r", "3006 0201 80 0201 7f", CodeNotCanonical},
		{"negative s", "3006 0201 01 0201 ff", CodeNotCanonical},
		{"needless zero in r", "3007 0202 00 01 0201 7f", CodeNotCanonical},
		{"needless zero in s", "3007 0201 01 0202 00 7f", CodeNotCanonical},
		{"r without bytes", "3005 0200 0201 7f", CodeNotCanonical},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b, err := hex.DecodeString(strings.ReplaceAll(test.hex, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			r, s, err := parseDERSignature(b)
			checkCode(t, err, test.want)
			if err == nil && !bytes.Equal(encodeDER(r, s), b) {
				t.Errorf("read as %x, %x, which is written %x", r, s, encodeDER(r, s))
			}
		})
	}
}

// Accepted bytes have no second form: written again, they are the same.
func FuzzParseDER(f *testing.F) {
	f.Add([]byte{0x30, 6, 2, 1, 1, 2, 1, 0x7f})
	f.Add(newSigner(Secp256r1, "fuzz").der("payload"))
	f.Add(newSigner(BrainpoolP384r1, "fuzz").der("payload"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, s, err := parseDERSignature(b)
		if err != nil {
			return
		}
		if r.BitLen() > 8*0x70 || s.BitLen() > 8*0x70 {
			return // beyond what the tests' encoder writes
		}
		if !bytes.Equal(encodeDER(r, s), b) {
			t.Errorf("%x is written %x", b, encodeDER(r, s))
		}
	})
}
