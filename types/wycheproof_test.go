package types_test

import (
	"bufio"
	"compress/gzip"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"lockstep/types"
)

// TestWycheproof verifies the Ed25519 signatures of Project Wycheproof. ZIP-215 also accepts some encodings that RFC 8032 refuses;
// differences lists those of the vectors with the reason.
func TestWycheproof(t *testing.T) {
	t.Parallel()
	differences := map[string]string{
		"151": "R is the point (0, 1) with the sign bit set: ZIP-215 decodes x = 0 whatever its sign, RFC 8032 refuses it",
	}
	file, err := os.Open("testdata/wycheproof-ed25519.txt.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	decode := func(field string) []byte {
		decoded, err := hex.DecodeString(strings.TrimPrefix(field, "-"))
		if err != nil {
			t.Fatal(err)
		}
		return decoded
	}
	var key types.PublicKey
	valid, invalid := 0, 0
	for lines := bufio.NewScanner(text); lines.Scan(); {
		fields := strings.Split(lines.Text(), " ")
		switch {
		case strings.HasPrefix(fields[0], "#"):
			continue
		case fields[0] == "key":
			key = types.PublicKey(decode(fields[1]))
			continue
		}
		want := fields[1] == "valid"
		if want {
			valid++
		} else {
			invalid++
		}
		reason, different := differences[fields[0]]
		if got := types.VerifyEd25519(key, decode(fields[2]), decode(fields[3])); got != (want != different) {
			t.Errorf("test %s (%s): verified %t, the vector is %s; known difference: %q", fields[0], fields[4], got, fields[1], reason)
		}
	}
	if valid < 50 || invalid < 50 {
		t.Errorf("%d valid and %d invalid signatures are too few", valid, invalid)
	}
}
