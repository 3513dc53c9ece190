package meter

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// wycheproofTest is one signature of Project Wycheproof.
type wycheproofTest struct {
	number, flags      string
	valid              bool
	message, signature []byte
}

type wycheproofGroup struct {
	curve, hash string
	key         []byte
	tests       []wycheproofTest
}

// wycheproof reads the vectors of testdata, whose first lines give their source and form.
func wycheproof(t *testing.T) (groups []wycheproofGroup) {
	t.Helper()
	file, err := os.Open("testdata/wycheproof-ecdsa.txt.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		fields := strings.Split(lines.Text(), " ")
		if fields[0] == "key" {
			groups = append(groups, wycheproofGroup{curve: fields[1], hash: fields[2], key: vectorBytes(t, fields[3])})
			continue
		}
		group := &groups[len(groups)-1]
		group.tests = append(group.tests, wycheproofTest{
			number: fields[0], valid: fields[1] == "valid", message: vectorBytes(t, fields[2]), signature: vectorBytes(t, fields[3]), flags: fields[4],
		})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return groups
}

func vectorBytes(t *testing.T, text string) []byte {
	t.Helper()
	decoded, err := hex.DecodeString(strings.TrimPrefix(text, "-"))
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

// TestWycheproof judges every ECDSA signature of Project Wycheproof on the seven curves as OCMF signatures are judged: the key by
// its uncompressed point, the signature in canonical DER. There are no differences.
func TestWycheproof(t *testing.T) {
	t.Parallel()
	groups := wycheproof(t)
	eachCurve(t, func(t *testing.T, c Curve) {
		t.Parallel()
		valid, invalid := 0, 0
		for _, group := range groups {
			if group.curve != c.String() {
				continue
			}
			key, err := ParseKeyBytes(group.key)
			if err == nil {
				key, err = key.On(c)
			}
			if err != nil {
				t.Fatalf("key %x: %v", group.key, err)
			}
			for _, test := range group.tests {
				digest := sha256.Sum256(test.message)
				digests := digest[:]
				if group.hash == "SHA-384" {
					long := sha512.Sum384(test.message)
					digests = long[:]
				}
				r, s, err := parseDERSignature(test.signature)
				if got := err == nil && verifyECDSA(c, key.point, digests, r, s); got != test.valid {
					t.Errorf("test %s (%s): verified %t, want %t (%v)", test.number, test.flags, got, test.valid, err)
				}
				if test.valid {
					valid++
				} else {
					invalid++
				}
			}
		}
		if valid < 100 || invalid < 100 {
			t.Errorf("%d valid and %d invalid signatures are too few", valid, invalid)
		}
	})
}
