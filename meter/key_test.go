package meter

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
)

// Every way to write a key gives the same key.
func TestKeyForms(t *testing.T) {
	eachCurve(t, func(t *testing.T, c Curve) {
		want := newSigner(c, "forms").key
		spki := want.SPKI()
		xy := []byte(want.point)
		full := append([]byte{pointUncompressed}, xy...)
		short := append([]byte{pointEven + xy[len(xy)-1]&1}, xy[:c.size()]...)
		groups := func(b []byte) string { // as on a type plate
			var s strings.Builder
			for i, d := range strings.ToUpper(hex.EncodeToString(b)) {
				if s.WriteRune(d); i%4 == 3 {
					s.WriteString(" ")
				}
			}
			return "\n " + s.String() + "\t\r\n"
		}
		texts := map[string]string{
			"SPKI in hex":        hex.EncodeToString(spki),
			"SPKI in groups":     groups(spki),
			"SPKI in base64":     base64.StdEncoding.EncodeToString(spki),
			"SPKI in PEM":        pemOf("PUBLIC KEY", spki),
			"point":              hex.EncodeToString(full),
			"point in base64":    base64.StdEncoding.EncodeToString(full),
			"x and y":            hex.EncodeToString(xy),
			"compressed":         hex.EncodeToString(short),
			"as a Key prints it": want.String(),

			"SPKI with 0x":                    "0x" + hex.EncodeToString(spki),
			"SPKI with 0X in groups":          "0X" + groups(spki),
			"SPKI with colons":                colons(spki),
			"SPKI with colons over lines":     strings.ReplaceAll(colons(spki), ":30", ":\n  30"),
			"SPKI as OCPP prints it":          "oca:base16:asn1:" + hex.EncodeToString(spki),
			"SPKI as OCPP, in capitals":       "OCA:BASE16:ASN1:" + strings.ToUpper(hex.EncodeToString(spki)),
			"SPKI as OCPP in base64":          "oca:base64:asn1:" + base64.StdEncoding.EncodeToString(spki),
			"SPKI as publicKey has it":        base64.StdEncoding.EncodeToString([]byte("oca:base16:asn1:" + hex.EncodeToString(spki))),
			"SPKI as publicKey, plain":        base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString(spki))),
			"SPKI in base64 without padding":  base64.RawStdEncoding.EncodeToString(spki),
			"SPKI in base64 for URLs":         base64.URLEncoding.EncodeToString(spki),
			"SPKI in base64 for URLs, plain":  base64.RawURLEncoding.EncodeToString(spki),
			"SPKI after a mark":               "\ufeff" + hex.EncodeToString(spki) + "\r\n",
			"SPKI in PEM of one line":         strings.ReplaceAll(pemOf("PUBLIC KEY", spki), "\n", `\n`),
			"SPKI in PEM with CRLF":           strings.ReplaceAll(pemOf("EC PUBLIC KEY", spki), "\n", "\r\n"),
			"SPKI in PEM in base64":           base64.StdEncoding.EncodeToString([]byte(pemOf("PUBLIC KEY", spki))),
			"compressed point with colons":    colons(short),
			"point in base64 without padding": base64.RawURLEncoding.EncodeToString(full),
			"x and y with 0x":                 "0x" + hex.EncodeToString(xy),
		}
		for name, text := range texts {
			key := mustKey(t, text)
			if strings.HasPrefix(name, "SPKI") && key.Curve() != c {
				t.Errorf("%s: curve %v", name, key.Curve())
			}
			if again := mustKey(t, key.String()); again != key {
				t.Errorf("%s: printed and read again it is another key", name)
			}
			if on, err := key.On(c); err != nil || on != want || !bytes.Equal(on.SPKI(), spki) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// Our SPKI is the one that others write.
func TestSPKIIsStandard(t *testing.T) {
	for _, c := range []Curve{Secp256r1, Secp384r1} {
		spki := newSigner(c, "spki").key.SPKI()
		public, err := x509.ParsePKIXPublicKey(spki)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := x509.MarshalPKIXPublicKey(public); err != nil || !bytes.Equal(again, spki) {
			t.Errorf("%v: %x, %v", c, again, err)
		}
	}
}

func TestKeyRefused(t *testing.T) {
	key := newSigner(Secp256k1, "refused").key
	spki, point := hex.EncodeToString(key.SPKI()), hex.EncodeToString([]byte(key.point))
	p := newGroup(Secp256k1).p
	noPoint := point[:127] + string("0123456789abcdef"[(strings.IndexByte("0123456789abcdef", point[127])+1)%16])
	tests := []struct {
		name, text string
		want       Code
	}{
		{"nothing", "", CodeKey},
		{"neither hex nor base64", "${jndi:ldap://x}" + spki, CodeKey},
		{"half a byte", spki[1:], CodeKey},
		{"too long", strings.Repeat("00", maxKeyText), CodeKey},
		{"cut off", spki[:len(spki)-2], CodeKey},
		{"trailing byte", spki + "00", CodeKey},
		{"PEM without its end", "-----BEGIN PUBLIC KEY-----\n" + base64.StdEncoding.EncodeToString(key.SPKI()), CodeKey},
		{"a curve that OCMF does not have", "302a3005" + "06032b6570" + "032100" + point[:64], CodeKey}, // Ed25519
		{"secp521r1", strings.Replace(spki, "06052b8104000a", "06052b81040023", 1), CodeKey},
		{"unused bits", strings.Replace(spki, "03420004", "03420104", 1), CodeKey},
		{"hybrid point", strings.Replace(spki, "03420004", "03420006", 1), CodeKeyPoint},
		{"infinity", "3018" + spki[4:40] + "03020000", CodeKey},
		{"SPKI off the curve", strings.Replace(spki, point, noPoint, 1), CodeKeyPoint},
		{"point off the curve", "04" + noPoint, CodeKeyPoint},
		{"x and y off the curve", noPoint, CodeKeyPoint},
		{"x beyond p", "02" + hex.EncodeToString(new(big.Int).Add(p, big.NewInt(1)).Bytes()), CodeKeyPoint},
		{"unknown point", "05" + point, CodeKey},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseKey(test.text)
			checkCode(t, err, test.want)
		})
	}
}

func TestKeyOn(t *testing.T) {
	key := newSigner(Secp256k1, "on").key
	bare := mustKey(t, hex.EncodeToString([]byte(key.point)))
	_, err := key.On(Secp256r1)
	checkCode(t, err, CodeCurve)
	_, err = bare.On(Secp256r1) // of the same size
	checkCode(t, err, CodeKeyPoint)
	_, err = bare.On(Secp384r1)
	checkCode(t, err, CodeCurve)
	_, err = Key{}.On(Secp256k1)
	checkCode(t, err, CodeCurve)
	_, err = key.On(0)
	checkCode(t, err, CodeCurve)
}

// A key that is accepted is on its curve, and is the same after it was printed.
func FuzzParseKey(f *testing.F) {
	for _, c := range curves() {
		key := newSigner(c, "fuzz").key
		f.Add(key.String())
		f.Add(hex.EncodeToString([]byte(key.point)))
		f.Add(base64.StdEncoding.EncodeToString(key.SPKI()))
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, err := ParseKey(text)
		if err != nil {
			return
		}
		if again, err := ParseKey(key.String()); err != nil || again != key {
			t.Fatalf("%v is read again as %v, %v", key, again, err)
		}
		if c := key.Curve(); c != 0 {
			g, xy := newGroup(c), []byte(key.point)
			if !g.onCurve(new(big.Int).SetBytes(xy[:g.size]), new(big.Int).SetBytes(xy[g.size:])) {
				t.Error("not on its curve")
			}
		}
	})
}

func pemOf(label string, raw []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: raw}))
}

func colons(raw []byte) string {
	pairs := make([]string, len(raw))
	for i, b := range raw {
		pairs[i] = hex.EncodeToString([]byte{b})
	}
	return strings.Join(pairs, ":")
}

// Texts of other kinds than keys are named in the error.
func TestKeyTextRefused(t *testing.T) {
	spki := newSigner(Secp256r1, "refused").key.SPKI()
	digits := hex.EncodeToString(spki)
	for text, says := range map[string]string{
		"":                                    "empty",
		" \ufeff \n":                          "neither",
		"0x":                                  "neither",
		"oca:base16:asn1:":                    "neither",
		"oca:base58:asn1:" + digits:           "oca:base16:asn1:",
		"oca:base16:jwk:" + digits:            "oca:base16:asn1:",
		"oca:base16":                          "oca:base16:asn1:",
		"oca:base16:asn1:zz":                  "neither",
		"oca:base64:asn1:" + digits[:4] + "*": "neither",
		"0x" + digits + "q":                   "neither",
		digits[:len(digits)-1]:                "",
		"30:59:3":                             "neither",
		"30:5:93":                             "neither",
		pemOf("PRIVATE KEY", spki):            "secret",
		pemOf("EC PRIVATE KEY", spki):         "secret",
		pemOf("CERTIFICATE", spki):            "openssl x509",
		pemOf("RSA PUBLIC KEY", spki):         "RSA PUBLIC KEY",
		pemOf("PUBLIC KEY", spki) + "\nx":     "text follows",
		"-----BEGIN PUBLIC KEY":               "first line",
		"-----BEGIN PUBLIC KEY-----\nMFk=":    "end line",
		"-----BEGIN PUBLIC KEY-----\n*\n-----END PUBLIC KEY-----": "not base64",
		base64.StdEncoding.EncodeToString(spki)[:8] + "===":       "neither",
		strings.Repeat("0", maxKeyText+1):                         "2049 characters",
	} {
		_, err := ParseKey(text)
		if err == nil || !strings.Contains(err.Error(), says) || !strings.HasPrefix(err.Error(), "key") {
			t.Errorf("%.60q: %v, want %q", text, err, says)
		}
	}
	if _, err := ParseKey(strings.Repeat(" ", maxKeyText-len(digits)) + digits); err != nil {
		t.Error("as long as can be: ", err)
	}
}

func TestNativeKeyForms(t *testing.T) {
	var want [32]byte
	for i := range want {
		want[i] = byte(200 + i)
	}
	info, err := x509.MarshalPKIXPublicKey(ed25519.PublicKey(want[:]))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		hex.EncodeToString(want[:]), "0x" + hex.EncodeToString(want[:]), colons(want[:]), base64.StdEncoding.EncodeToString(want[:]),
		base64.RawURLEncoding.EncodeToString(want[:]), hex.EncodeToString(info), pemOf("PUBLIC KEY", info),
	} {
		if got, err := ParseNativeKey(text); err != nil || got != want {
			t.Errorf("%q: %x, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "00", hex.EncodeToString(want[:31]), hex.EncodeToString(want[:]) + "00", hex.EncodeToString(newSigner(Secp256r1, "x").key.SPKI())} {
		if _, err := ParseNativeKey(text); err == nil {
			t.Errorf("accepted %q", text)
		}
	}
}

// FuzzKeyText wants no text to break the reader, and each key that is read to be read again as it prints itself.
func FuzzKeyText(f *testing.F) {
	spki := newSigner(Secp256r1, "fuzz").key.SPKI()
	for _, seed := range []string{hex.EncodeToString(spki), "oca:base16:asn1:30", "0x30:59", pemOf("PUBLIC KEY", spki), "b2NhOmJhc2UxNjphc24xOjMw"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, err := ParseKey(text)
		if err != nil {
			return
		}
		if again, err := ParseKey(key.String()); err != nil || again != key {
			t.Errorf("%q prints as %q, which is %v, %v", text, key, again, err)
		}
	})
}
