package evidence_test

import (
	"crypto/elliptic"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lockstep/meter"
	"lockstep/meter/evidence"
)

func TestTransparencyXML(t *testing.T) {
	t.Parallel()
	s := newStation(t, elliptic.P256())
	record := s.record(whole(), sa256)
	begin, end := s.record(payload(7, reading("08:01:00", "B", "100.000")), sa256), s.record(payload(8, reading("08:13:00", "E", "112.345")), sa256)
	escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;")
	value := func(attributes, record, key string) string {
		return "<value transactionId=\"29\" context=\"Transaction.Begin\">\n <signedData " + attributes + ">" + record + "</signedData>\n" + key + "</value>\n"
	}
	hexKey := fmt.Sprintf("%x", s.spki())
	key := "<publicKey encoding=\"hex\">\n" + hexKey + " </publicKey>"
	head := `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	for name, file := range map[string]string{
		"plain":                 head + "<values>" + value(`format="OCMF" encoding="plain"`, record, key) + "</values>",
		"no attributes":         "<values>" + value("", "\n"+record+"\n", key) + "</values>",
		"escaped":               "<values>" + value("", escaped.Replace(record), key) + "</values>",
		"CDATA":                 "<values>" + value("", "<![CDATA["+record+"]]>", key) + "</values>",
		"base64":                "<values>" + value(`encoding="base64"`, in64(record), "<publicKey encoding=\"base64\">"+base64.StdEncoding.EncodeToString(s.spki())+"</publicKey>") + "</values>",
		"hex":                   "<values>" + value(`encoding="hex"`, fmt.Sprintf("%x", record), key) + "</values>",
		"two values":            "<values>" + value("", begin, key) + value("", end, "") + "</values>",
		"ISO 8859-1":            strings.Replace(head, "UTF-8", "ISO-8859-1", 1) + "<values><!-- \xdc -->" + value("", record, key) + "</values>",
		"mark and CRLF":         "\ufeff" + strings.ReplaceAll(head+"<values>"+value("", record, key)+"</values>", "\n", "\r\n"),
		"one value":             value("", record, key),
		"a namespace":           `<values xmlns="http://example.org/x">` + value("", record, key) + "</values>",
		"in base64":             in64(head + "<values>" + value("", record, key) + "</values>"),
		"id of the signed data": "<values>" + strings.Replace(value(`transactionId="29"`, record, key), `<value transactionId="29"`, "<value", 1) + "</values>",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := judge(t, file, nil)
			expect(t, j, "key noted own-key", "signature ok", "sequence ok", "quantity ok", "time ok", "total_energy unstated not-comparable")
			if j.ID != "29" || j.Key != hexKey || j.Station != "DE*ABC*E1" || *j.WholeWh != 12345 {
				t.Errorf("%+v", j)
			}
		})
	}
	f := read(t, "\ufeff<values>\r\n"+value("", record, key)+strings.Replace(value(`format="ALFEN"`, "AP;0;3", ""), `"29"`, `"30"`, 1)+"</values>")
	if len(f.Sessions) != 2 || len(f.Notes) != 2 || f.Notes[0].Code != evidence.CodeMark || f.Notes[1].Code != evidence.CodeLineEnds {
		t.Fatalf("%+v", f)
	}
	expect(t, evidence.Judge(&f.Sessions[0], nil), "signature ok")
	expect(t, evidence.Judge(&f.Sessions[1], nil), "signature disagrees encoding", "key disagrees no-key", "sequence unstated no-record")
}

func TestPlainRecords(t *testing.T) {
	t.Parallel()
	s := newStation(t, elliptic.P256())
	begin, end := s.record(payload(7, reading("08:01:00", "B", "100.000")), sa256), s.record(payload(8, reading("08:13:00", "E", "112.345")), sa256)
	for _, file := range []string{
		begin + "\n" + end + "\n", "\ufeff" + begin + "\r\n\r\n\ufeff" + end, in64(begin + "\n" + end), hex.EncodeToString([]byte(begin + "\n" + end)),
		"0x" + strings.ToUpper(hex.EncodeToString([]byte(begin+"\r\n"+end))),
	} {
		j := judge(t, file, s.meterKey())
		expect(t, j, "key ok", "signature ok", "sequence ok", "quantity ok")
		if len(j.Fewest()) != 2 || *j.WholeWh != 12345 {
			t.Errorf("%+v", j)
		}
	}
	for _, file := range []string{quoted(end), `{"record":` + quoted("x") + `,"signedMeterData":` + quoted(in64(end)) + `}`} {
		expect(t, judge(t, file, s.meterKey()), "signature ok", "quantity disagrees transaction")
	}
	expect(t, judge(t, begin, nil), "key disagrees no-key", "signature unstated no-key", "quantity unstated no-record")
	// The end with its begin in it is enough for a ledger.
	j := judge(t, begin+"\n"+s.record(payload(8, reading("08:01:00", "B", "100.000"), reading("08:13:00", "E", "112.345")), sa256), s.meterKey())
	if expect(t, j, "quantity ok"); len(j.Fewest()) != 1 {
		t.Errorf("%q", j.Fewest())
	}
	if j := judge(t, strings.Replace(begin, "100.000", "99.000", 1), s.meterKey()); j.Fewest() != nil || j.Lines != nil || j.QuantityWh != nil {
		t.Errorf("a record with a bad signature: %+v", j)
	}
}

// Transport changes bytes around the signed ones. The signature tells whether a restoration is right.
func TestRestoredRecords(t *testing.T) {
	t.Parallel()
	p256, p384 := newStation(t, elliptic.P256()), newStation(t, elliptic.P384())
	pretty := strings.ReplaceAll(whole(), `,"`, ",\n \"")
	crlf := strings.ReplaceAll(pretty, "\n", "\r\n")
	for name, c := range map[string]struct {
		station *station
		record  string
		wanted  []string
	}{
		"no SA":                        {p256, p256.record(whole(), ""), []string{"signature noted no-algorithm", "signature ok"}},
		"no SA on another curve":       {p384, p384.record(whole(), ""), []string{"signature noted no-algorithm", "signature ok"}},
		"a maker's name":               {p384, p384.record(whole(), "ECDSA-P384-SHA256"), []string{"signature noted algorithm", "signature ok"}},
		"another maker's name":         {p256, p256.record(whole(), "prime256v1"), []string{"signature noted algorithm", "signature ok"}},
		"the name of another curve":    {p384, p384.record(whole(), sa256), []string{"signature disagrees curve", "quantity unstated no-record"}},
		"another hash":                 {p256, p256.record(whole(), "ECDSA-secp256r1-SHA512"), []string{"signature disagrees signature-section"}},
		"LF to CRLF":                   {p256, strings.Replace(p256.record(pretty, sa256), pretty, crlf, 1), []string{"signature noted line-ends", "signature ok"}},
		"CRLF to LF":                   {p256, strings.Replace(p256.record(crlf, sa256), crlf, pretty, 1), []string{"signature noted line-ends", "signature ok"}},
		"CRLF to LF, no SA":            {p384, strings.Replace(p384.record(crlf, ""), crlf, pretty, 1), []string{"signature noted line-ends", "signature noted no-algorithm", "signature ok"}},
		"line ends and another number": {p256, strings.Replace(strings.Replace(p256.record(pretty, sa256), pretty, crlf, 1), "112.345", "113.345", 1), []string{"signature disagrees signature"}},
		"no SA and another number":     {p384, strings.Replace(p384.record(whole(), ""), "112.345", "113.345", 1), []string{"signature disagrees curve"}},
		"SA twice":                     {p256, strings.Replace(p256.record(whole(), sa256), `{"SA"`, `{"SA":"x","SA"`, 1), []string{"signature disagrees json"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := judge(t, c.record, c.station.meterKey())
			if expect(t, j, append(c.wanted, "quantity")[:len(c.wanted)]...); !j.Good() {
				return
			}
			// A ledger takes the restored records.
			form, err := meter.BillableForm([]string{"1-0:1.8.0"}, meter.Import)
			if err != nil {
				t.Fatal(err)
			}
			proof, err := meter.Prove(*c.station.meterKey(), "M1", j.Fewest(), form, meter.Import)
			if err != nil || proof.Wh.String() != "12345" {
				t.Errorf("%v, %v", proof, err)
			}
		})
	}
}

// Keys are read in each form of the field, and are one and the same key.
func TestKeyForms(t *testing.T) {
	t.Parallel()
	s := newStation(t, elliptic.P256())
	spki := s.spki()
	want := *s.meterKey()
	point := spki[len(spki)-65:]
	compressed := elliptic.MarshalCompressed(elliptic.P256(), s.key.X, s.key.Y)
	inHex, inBase64 := hex.EncodeToString(spki), base64.StdEncoding.EncodeToString(spki)
	inPEM := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))
	url := base64.RawURLEncoding.EncodeToString
	for _, text := range []string{
		inHex, "0x" + strings.ToUpper(inHex), inHex[:4] + " " + inHex[4:] + "\r\n", "\ufeff" + inHex, inBase64, url(spki), inPEM, strings.ReplaceAll(inPEM, "\n", "\r\n"),
		in64(inPEM), "oca:base16:asn1:" + inHex, in64("oca:base16:asn1:" + inHex), in64(inHex), `"` + inHex + `"`,
		`{"publicKey":"` + inHex + `"}`, in64(`{"publicKey":"` + inHex + `"}`), in64(`{"public_key":` + quoted(inPEM) + `}`),
		`{"publicKey":{"algorithm":"secp256r1","value":"` + hex.EncodeToString(point) + `"}}`,
		`{"kty":"EC","crv":"P-256","x":"` + url(point[1:33]) + `","y":"` + url(point[33:]) + `"}`,
		in64(`{"kty":"EC","crv":"P-256","x":"` + url(point[1:33]) + `","y":"` + url(point[33:]) + `"}`),
		`{"curve":"NIST P-256","key":"` + hex.EncodeToString(compressed) + `"}`,
		"secp256r1:" + hex.EncodeToString(point), "prime256v1: " + hex.EncodeToString(point[1:]), "P-256:" + base64.StdEncoding.EncodeToString(compressed), "ECDSA-secp256r1-SHA256:" + inHex,
	} {
		if key, err := evidence.ParseKey(text); err != nil || key != want {
			t.Errorf("%.60q: %v, %v", text, key, err)
		}
	}
	// A point alone takes the record's curve.
	record := s.record(whole(), sa256)
	for _, bare := range []string{hex.EncodeToString(point), hex.EncodeToString(point[1:]), hex.EncodeToString(compressed)} {
		key, err := evidence.ParseKey(bare)
		if err != nil || key.Curve() != 0 {
			t.Fatalf("%s: %v, %v", bare, key, err)
		}
		if j := judge(t, record, &key); !j.Good() || j.Key != inHex {
			t.Errorf("%s: %s %s", bare, j.Key, listing(j))
		}
		file := "<values><value><signedData>" + record + "</signedData><publicKey>" + bare + "</publicKey></value></values>"
		expect(t, judge(t, file, s.meterKey()), "key ok")
	}
	for text, code := range map[string]meter.Code{
		"": meter.CodeKey, "{": meter.CodeKey, `{"a":1}`: meter.CodeKey, `{"publicKey":""}`: meter.CodeKey, "brainpoolP256r1:" + inHex: meter.CodeCurve,
		"brainpoolP256r1:" + hex.EncodeToString(point): meter.CodeKeyPoint, `{"crv":"P-256","x":"AAAA","y":"AA"}`: meter.CodeKey, `{"x":"!","y":"!"}`: meter.CodeKey,
		strings.Repeat("a", 20_000): meter.CodeKey, strings.Repeat(`{"key":`, 40) + "1" + strings.Repeat("}", 40): meter.CodeKey,
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----": meter.CodeKey,
	} {
		key, err := evidence.ParseKey(text)
		if e, ok := err.(*meter.Error); !ok || e.Code != code { //nolint:errorlint // the exact type
			t.Errorf("%.40q: %v, %v", text, key, err)
		}
	}
}

// The names of curves as makers write them.
func TestCurveNames(t *testing.T) {
	t.Parallel()
	for curve, names := range map[meter.Curve][]string{
		meter.Secp192k1: {"secp192k1", "K-192", "ECDSA-secp192k1-SHA256"}, meter.Secp192r1: {"P-192", "prime192v1", "NIST-P192", "ECDSA192SHA256", "secp192r1"},
		meter.Secp256k1: {"secp256k1", "K-256", "ansip256k1"}, meter.Secp256r1: {"secp256r1", "P-256", "NIST P-256", "nistp256", "prime256v1", "ECDSA-P256-SHA256", "ECDSA256SHA256"},
		meter.Secp384r1: {"secp384r1", "P-384", "nistP384", "ECDSA384SHA256"}, meter.BrainpoolP256r1: {"brainpoolP256r1", "brainpool256r1", "ECDSA-brainpool256r1-SHA256", "ECDSA-brainpoolP256r1-SHA256", "BP-256"},
		meter.BrainpoolP384r1: {"brainpoolP384r1", "brainpool384r1", "BrainpoolP384R1", "bp384r1"},
		0:                     {"", "brainpoolP256t1", "secp521r1", "ES256", "ECDSA-secp256r1-SHA512", "ed25519", strings.Repeat("secp256r1", 9)},
	} {
		for _, name := range names {
			if got := evidence.CurveNamed(name); got != curve {
				t.Errorf("%q is %v, want %v", name, got, curve)
			}
		}
	}
}

// Records of real meters have the verdict that their collector states; without the data, which is kept elsewhere because of its
// licences, the test skips.
func TestSampleRecords(t *testing.T) {
	t.Parallel()
	var samples []struct {
		ID         string `json:"id"`
		Key        string `json:"public_key"`
		OCMF       string `json:"ocmf"`
		MustVerify bool   `json:"must_verify"`
		Billable   bool   `json:"quantity_billable"`
		Policy     bool   `json:"policy_dependent"`
	}
	data, err := os.ReadFile(filepath.Join("../../../shared/data/ocmf", "samples.json"))
	if os.IsNotExist(err) {
		t.Skip("no sample data: ", err)
	}
	if err == nil {
		err = json.Unmarshal(data, &samples)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range samples {
		xml := func(text string) string { return strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(text) }
		for form, file := range map[string]string{
			"OCPI": `{"encoding_method":"OCMF","public_key":` + quoted(s.Key) + `,"signed_values":[{"nature":"End","plain_data":"","signed_data":` + quoted(in64(s.OCMF)) + `}]}`,
			"OCPP": log16(`{"value":` + quoted(signed16(in64(s.Key), s.OCMF)) + `,"format":"SignedData"}`),
			"XML":  `<values><value><signedData format="OCMF" encoding="plain">` + xml(s.OCMF) + `</signedData><publicKey>` + xml(s.Key) + `</publicKey></value></values>`,
		} {
			f, err := evidence.Read([]byte(file))
			if err != nil {
				t.Errorf("%s as %s: %v", s.ID, form, err)
				continue
			}
			j := evidence.Judge(&f.Sessions[0], nil)
			valid := false
			for _, v := range j.Verdicts {
				valid = valid || v.Check == evidence.CheckSignature && v.State == evidence.Agrees
			}
			if want := s.MustVerify && !s.Policy && strings.HasPrefix(s.OCMF, "OCMF|"); valid != want {
				t.Errorf("%s as %s: signature %t, want %t:%s", s.ID, form, valid, want, listing(j))
			}
			if valid && !s.Billable && j.QuantityWh != nil {
				t.Errorf("%s as %s: a quantity of %v Wh", s.ID, form, j.QuantityWh)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	s := newStation(f, elliptic.P256())
	record := s.record(whole(), sa256)
	section := record[strings.LastIndex(record, "|")+1:]
	key := fmt.Sprintf("%x", s.spki())
	f.Add([]byte(record))
	f.Add([]byte(cdr(key, [3]string{"End", whole(), in64(section)})))
	f.Add([]byte(log16(`{"value":` + quoted(signed16(in64(key), record)) + `,"format":"SignedData"}`)))
	f.Add([]byte("<values><value><signedData>" + record + "</signedData><publicKey>" + key + "</publicKey></value></values>"))
	f.Add([]byte(in64("\ufeff" + record)))
	known := s.meterKey()
	f.Fuzz(func(t *testing.T, file []byte) {
		read, err := evidence.Read(file)
		if (read == nil) != (err != nil) {
			t.Fatalf("%v, %v", read, err)
		}
		if err != nil {
			if e, ok := err.(*meter.Error); !ok || e.Code == "" || e.Why == "" { //nolint:errorlint // the exact type
				t.Fatalf("%#v", err)
			}
			return
		}
		for i := range read.Sessions {
			j := evidence.Judge(&read.Sessions[i], known)
			if len(j.Verdicts) == 0 || (j.QuantityWh != nil) != (j.Fewest() != nil) {
				t.Fatalf("%+v", j)
			}
			if j.QuantityWh == nil {
				continue
			}
			// A quantity is signed by the known key, in every file.
			for _, line := range j.Fewest() {
				record, err := meter.ParseOCMF(line)
				if err != nil || record.CheckSignature(*known) != nil {
					t.Fatalf("%q: %v", line, err)
				}
			}
			if _, err := json.Marshal(j); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzKey(f *testing.F) {
	s := newStation(f, elliptic.P256())
	f.Add(hex.EncodeToString(s.spki()))
	f.Add(in64(`{"publicKey":"` + hex.EncodeToString(s.spki()) + `"}`))
	f.Add("P-256:" + hex.EncodeToString(s.spki()))
	f.Fuzz(func(t *testing.T, text string) {
		key, err := evidence.ParseKey(text)
		if err == nil && key == (meter.Key{}) {
			t.Fatalf("%q is no key and no error", text)
		}
		if again, err2 := evidence.ParseKey(key.String()); err == nil && (err2 != nil || again != key) {
			t.Fatalf("%q: %v, then %v, %v", text, key, again, err2)
		}
	})
}
