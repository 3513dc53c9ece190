package evidence_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"lockstep/meter"
	"lockstep/meter/evidence"
)

// A station signs records with a key of its own, which its name makes.
type station struct {
	t   testing.TB
	key *ecdsa.PrivateKey
}

func newStation(t testing.TB, curve elliptic.Curve, name ...string) *station {
	t.Helper()
	seed := sha512.Sum384([]byte("station " + strings.Join(name, " ")))
	key, err := ecdsa.ParseRawPrivateKey(curve, seed[:curve.Params().BitSize/8])
	if err != nil {
		t.Fatal(err)
	}
	return &station{t, key}
}

func (s *station) spki() []byte {
	der, err := x509.MarshalPKIXPublicKey(&s.key.PublicKey)
	if err != nil {
		s.t.Fatal(err)
	}
	return der
}

func (s *station) meterKey() *meter.Key {
	key, err := meter.ParseKeyBytes(s.spki())
	if err != nil {
		s.t.Fatal(err)
	}
	return &key
}

func (s *station) signature(payload string) string {
	digest := sha256.Sum256([]byte(payload))
	der, err := ecdsa.SignASN1(rand.Reader, s.key, digest[:])
	if err != nil {
		s.t.Fatal(err)
	}
	return hex.EncodeToString(der)
}

// record signs a payload, with the algorithm that section names: "" leaves SA out.
func (s *station) record(payload, sa string) string {
	section := `{"SD":"` + s.signature(payload) + `"}`
	if sa != "" {
		section = `{"SA":"` + sa + `","SD":"` + s.signature(payload) + `"}`
	}
	return "OCMF|" + payload + "|" + section
}

const sa256 = "ECDSA-secp256r1-SHA256"

// reading is one reading of the register in kWh.
func reading(at, reason, kwh string) string {
	return fmt.Sprintf(`{"TM":"2026-03-01T%s,000+0000 S","TX":"%s","RV":%s,"RI":"1-0:1.8.0","RU":"kWh","ST":"G"}`, at, reason, kwh)
}

func payload(page int, readings ...string) string {
	return fmt.Sprintf(`{"FV":"1.0","GS":"G1","PG":"T%d","MS":"M1","IS":false,"CI":"DE*ABC*E1","RD":[%s]}`, page, strings.Join(readings, ","))
}

// whole is the payload of a session of 12.345 kWh from 08:01 to 08:13.
func whole() string {
	return payload(7, reading("08:01:00", "B", "100.000"), reading("08:13:00", "E", "112.345"))
}

func in64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// read reads a file that must be readable.
func read(t testing.TB, file string) *evidence.File {
	t.Helper()
	f, err := evidence.Read([]byte(file))
	if err != nil {
		t.Fatalf("%v\n%s", err, file)
	}
	return f
}

// judge reads a file with one session and judges it.
func judge(t testing.TB, file string, key *meter.Key) evidence.Judgement {
	t.Helper()
	f := read(t, file)
	if len(f.Sessions) != 1 {
		t.Fatalf("%d sessions, want 1: %+v", len(f.Sessions), f.Sessions)
	}
	return evidence.Judge(&f.Sessions[0], key)
}

// expect compares the verdicts of a judgement with "check state code" of each one that is named, in any order. A check that is not
// named must not disagree.
func expect(t *testing.T, j evidence.Judgement, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		found := false
		for _, v := range j.Verdicts {
			found = found || strings.TrimSpace(fmt.Sprintf("%s %s %s", v.Check, v.State, v.Code)) == want
		}
		if !found {
			t.Errorf("no verdict %q in %s", want, listing(j))
		}
	}
	for _, v := range j.Against() {
		if !strings.Contains(strings.Join(wanted, "\n"), string(v.Check)+" disagrees "+string(v.Code)) {
			t.Errorf("unexpected: %+v", v)
		}
	}
}

func listing(j evidence.Judgement) string {
	var b strings.Builder
	for _, v := range j.Verdicts {
		fmt.Fprintf(&b, "\n  %s %s %s: %s", v.Check, v.State, v.Code, v.Why)
	}
	return b.String()
}
