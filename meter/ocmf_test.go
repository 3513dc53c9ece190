package meter

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"
)

const plainPayload = `{"FV":"1.0","GS":"g1","PG":"T1","RD":[` +
	`{"TM":"2024-01-01T10:00:00,000+0000 S","TX":"B","RV":1.000,"RI":"1-0:1.8.0","RU":"kWh","EF":"","ST":"G"},` +
	`{"TM":"2024-01-01T10:15:00,000+0000 S","TX":"E","RV":1.250}]}`

func TestEachCurve(t *testing.T) {
	eachCurve(t, func(t *testing.T, c Curve) {
		meter := newSigner(c, "each")
		report := Verify(meter.key, [][]byte{[]byte(meter.record(plainPayload))})
		checkReport(t, report, "250", true, "")

		// The same with r and s side by side, under a key that is only a point.
		r, s := meter.sign(plainPayload)
		raw := append(r.FillBytes(make([]byte, c.size())), s.FillBytes(make([]byte, c.size()))...)
		line := fmt.Sprintf(`OCMF|%s|{"SA":"ECDSA-%v-SHA256","SD":"%x"}`, plainPayload, c, raw)
		bare := mustKey(t, hex.EncodeToString([]byte(meter.key.point)))
		checkReport(t, Verify(bare, [][]byte{[]byte(line)}), "250", true, "")

		other := newSigner(c, "other")
		checkReport(t, Verify(other.key, [][]byte{[]byte(line)}), "", false, CodeSignature)
	})
}

// One valid record; each case changes one thing.
func TestSignatureRules(t *testing.T) {
	meter := newSigner(Secp256r1, "rules")
	n := newGroup(Secp256r1).n
	r, s := meter.sign(plainPayload)
	der := meter.der(plainPayload)
	record := func(section string) string { return "OCMF|" + plainPayload + "|" + section }
	withSD := func(sd []byte) string { return record(fmt.Sprintf(`{"SD":"%x"}`, sd)) }
	good := withSD(der)
	tests := []struct {
		name, line string
		want       SignatureVerdict
		code       Code
	}{
		{"valid", good, SignatureValid, ""},
		{"white space around", " \t" + good + "\r\n", SignatureValid, ""},
		{"white space in the signature section", strings.Replace(good, `|{"SD"`, "| { \n\"SD\"", 1), SignatureValid, ""},
		{"upper case hex", strings.Replace(good, hex.EncodeToString(der), strings.ToUpper(hex.EncodeToString(der)), 1), SignatureValid, ""},
		{"base64", record(`{"SE":"base64","SD":"` + base64.StdEncoding.EncodeToString(der) + `"}`), SignatureValid, ""},
		{"explicit defaults", record(fmt.Sprintf(`{"SA":"ECDSA-secp256r1-SHA256","SE":"hex","SM":"application/x-der","SD":"%x"}`, der)), SignatureValid, ""},
		{"nulls are absent", record(fmt.Sprintf(`{"SA":null,"SE":null,"SM":null,"SD":"%x"}`, der)), SignatureValid, ""},
		{"vendor fields", record(fmt.Sprintf(`{"XA":[1],"SD":"%x"}`, der)), SignatureValid, ""},

		{"payload changed", strings.Replace(good, "1.250", "1.251", 1), SignatureInvalid, CodeSignature},
		{"white space in the payload", strings.Replace(good, `,"GS"`, `, "GS"`, 1), SignatureInvalid, CodeSignature},
		{"white space before the payload", strings.Replace(good, "OCMF|", "OCMF| ", 1), SignatureInvalid, CodeSignature},
		{"white space behind the payload", strings.Replace(good, `}|`, "} |", 1), SignatureInvalid, CodeSignature},
		{"s changed", withSD(append(bytes.Clone(der[:len(der)-1]), der[len(der)-1]^1)), SignatureInvalid, CodeSignature},
		{"r and s swapped", withSD(encodeDER(s, r)), SignatureInvalid, CodeSignature},
		{"r is 0", withSD(encodeDER(new(big.Int), s)), SignatureInvalid, CodeSignatureRange},
		{"s is 0", withSD(encodeDER(r, new(big.Int))), SignatureInvalid, CodeSignatureRange},
		{"r is n", withSD(encodeDER(n, s)), SignatureInvalid, CodeSignatureRange},
		{"s + n", withSD(encodeDER(r, new(big.Int).Add(s, n))), SignatureInvalid, CodeSignatureRange},
		{"raw zeros", withSD(make([]byte, 64)), SignatureInvalid, CodeSignatureRange},
		{"trailing byte", withSD(append(bytes.Clone(der), 0)), SignatureInvalid, CodeNotCanonical},
		{"DER cut off", withSD(der[:len(der)-1]), SignatureInvalid, CodeSignatureForm},
		{"no bytes", withSD(nil), SignatureInvalid, CodeSignatureForm},
		{"raw, and SM says DER", record(fmt.Sprintf(`{"SM":"application/x-der","SD":"%064x%064x"}`, r, s)), SignatureInvalid, CodeSignatureForm},
		{"another curve", record(fmt.Sprintf(`{"SA":"ECDSA-secp256k1-SHA256","SD":"%x"}`, der)), SignatureInvalid, CodeCurve},

		{"empty", "", SignatureUnreadable, CodeRecordForm},
		{"other header", strings.Replace(good, "OCMF", "OCMA", 1), SignatureUnreadable, CodeRecordForm},
		{"header in lower case", strings.Replace(good, "OCMF", "ocmf", 1), SignatureUnreadable, CodeRecordForm},
		{"white space in the header", strings.Replace(good, "OCMF|", "OCMF |", 1), SignatureUnreadable, CodeRecordForm},
		{"no signature section", "OCMF|" + plainPayload, SignatureUnreadable, CodeRecordForm},
		{"a fourth section", good + "|00", SignatureUnreadable, CodeRecordForm},
		{"two records", good + good, SignatureUnreadable, CodeRecordForm},
		{"payload no object", "OCMF|[]|" + `{"SD":"00"}`, SignatureUnreadable, CodeJSON},
		{"payload cut off", strings.Replace(good, `]}|`, `]|`, 1), SignatureUnreadable, CodeJSON},
		{"a key twice", strings.Replace(good, `"PG":"T1"`, `"PG":"T1","PG":"T2"`, 1), SignatureUnreadable, CodeJSON},
		{"signature given twice", record(fmt.Sprintf(`{"SD":"%x","SD":"00"}`, der)), SignatureUnreadable, CodeJSON},
		{"too long", strings.Replace(good, `"GS":"g1"`, `"GS":"`+strings.Repeat("g", MaxRecord)+`"`, 1), SignatureUnreadable, CodeRecordSize},
		{"no signature data", record(`{"SA":"ECDSA-secp256r1-SHA256"}`), SignatureUnreadable, CodeSignatureSection},
		{"signature data no string", record(`{"SD":1}`), SignatureUnreadable, CodeSignatureSection},
		{"not hex", record(`{"SD":"xy"}`), SignatureUnreadable, CodeSignatureSection},
		{"half a byte", record(fmt.Sprintf(`{"SD":"%x0"}`, der)), SignatureUnreadable, CodeSignatureSection},
		{"base64 with a line end", record(`{"SE":"base64","SD":"MAYC\nAQECAX8="}`), SignatureUnreadable, CodeSignatureSection},
		{"unknown algorithm", record(fmt.Sprintf(`{"SA":"ECDSA-secp256r1-SHA512","SD":"%x"}`, der)), SignatureUnreadable, CodeSignatureSection},
		{"unknown curve", record(fmt.Sprintf(`{"SA":"ECDSA-secp521r1-SHA256","SD":"%x"}`, der)), SignatureUnreadable, CodeSignatureSection},
		{"unknown encoding", record(fmt.Sprintf(`{"SE":"HEX","SD":"%x"}`, der)), SignatureUnreadable, CodeSignatureSection},
		{"unknown type", record(fmt.Sprintf(`{"SM":"application/x-raw","SD":"%x"}`, der)), SignatureUnreadable, CodeSignatureSection},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			report := Verify(meter.key, [][]byte{[]byte(test.line)})
			if got := report.Records[0]; got.Signature != test.want || got.Code != test.code {
				t.Errorf("%s, %q (%s); want %s, %q", got.Signature, got.Code, got.Why, test.want, test.code)
			}
			if valid := test.want == SignatureValid; report.Billable != valid || (report.QuantityWh != nil) != valid {
				t.Errorf("billable %t, quantity %v", report.Billable, report.QuantityWh)
			}
		})
	}
}

// The standard forbids '|' inside a section. A meter may sign one all the same.
func TestSeparatorInPayload(t *testing.T) {
	meter := newSigner(Secp256k1, "separator")
	payload := strings.Replace(plainPayload, `"GS":"g1"`, `"GS":"a|b","ID":"}|{\"|","XX":["|",{"|":"|"}]`, 1)
	record, err := ParseOCMF([]byte(meter.record(payload)))
	if err != nil {
		t.Fatal(err)
	}
	if string(record.Signed) != payload || record.Payload.GatewaySerial != "a|b" || record.Payload.Identification != `}|{"|` {
		t.Errorf("%s\n%+v", record.Signed, record.Payload)
	}
	if err := record.CheckSignature(meter.key); err != nil {
		t.Error(err)
	}
}

func TestAlgorithmNames(t *testing.T) {
	for sa, want := range map[string]Curve{
		"ECDSA-secp192k1-SHA256": Secp192k1, "ECDSA-secp256k1-SHA256": Secp256k1, "ECDSA-secp192r1-SHA256": Secp192r1,
		"ECDSA-secp256r1-SHA256": Secp256r1, "ECDSA-secp384r1-SHA256": Secp384r1,
		"ECDSA-brainpool256r1-SHA256": BrainpoolP256r1, "ECDSA-brainpool384r1-SHA256": BrainpoolP384r1, // table 22
		"ECDSA-brainpoolP256r1-SHA256": BrainpoolP256r1, "ECDSA-brainpoolP384r1-SHA256": BrainpoolP384r1, // found in the field
		"": 0, "ECDSA": 0, "ECDSA--SHA256": 0, "secp256r1": 0, "RSA-2048-SHA256": 0, "ECDSA-unknown-SHA256": 0, "ECDSA-SHA256": 0,
	} {
		if got := curveOfAlgorithm(sa); got != want {
			t.Errorf("%q is %v, want %v", sa, got, want)
		}
	}
}

func TestPageID(t *testing.T) {
	meter := newSigner(Secp256r1, "page")
	parse := func(payload string) *Record {
		record, err := ParseOCMF([]byte(meter.record(payload)))
		if err != nil {
			t.Fatal(err)
		}
		return record
	}
	id := func(payload string, key Key) [32]byte {
		id, err := parse(payload).PageID(key)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	first := id(plainPayload, meter.key)
	if bare := mustKey(t, hex.EncodeToString([]byte(meter.key.point))); id(plainPayload, bare) != first {
		t.Error("another form of the key gives another page")
	}
	if id(strings.Replace(plainPayload, "1.250", "1.251", 1), meter.key) != first {
		t.Error("another record of the page gives another page")
	}
	for _, page := range []string{"T2", "F1"} {
		if id(strings.Replace(plainPayload, `"T1"`, `"`+page+`"`, 1), meter.key) == first {
			t.Errorf("%s is T1", page)
		}
	}
	if id(plainPayload, newSigner(Secp256r1, "other").key) == first {
		t.Error("another meter's page is the same")
	}
	_, err := parse(strings.Replace(plainPayload, `"T1"`, `"P1"`, 1)).PageID(meter.key)
	checkCode(t, err, CodePage)
	_, err = parse(plainPayload).PageID(newSigner(Secp384r1, "other").key)
	checkCode(t, err, CodeCurve)
	if parse(plainPayload).Hash() == parse(strings.Replace(plainPayload, "1.250", "1.251", 1)).Hash() {
		t.Error("two payloads with one hash")
	}
}

func TestSplitRecords(t *testing.T) {
	meter := newSigner(Secp256r1, "split")
	pretty := "{\n  \"PG\": \"T2\"\n}"
	first, second := meter.record(plainPayload), meter.record(pretty)
	tests := []struct {
		name, file string
		want       []string
	}{
		{"nothing", "", nil},
		{"blank", " \r\n\t\n", nil},
		{"one", first, []string{first}},
		{"lines", first + "\n" + first + "\r\n\n  " + first + "  \n", []string{first, first, first}},
		{"over several lines", "\n" + second + "\n" + first + "\n" + second, []string{second, first, second}},
		{"others are lines", "OCMA|{\n" + first + "\n}\nOCMF|{\n" + first, []string{"OCMA|{", first, "}", "OCMF|{", first}},
		{"what follows a record stays with it", first + " x\n" + first, []string{first + " x", first}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := SplitRecords([]byte(test.file))
			if len(got) != len(test.want) {
				t.Fatalf("%d records: %q", len(got), got)
			}
			for i := range got {
				if string(got[i]) != test.want[i] {
					t.Errorf("record %d is %q, want %q", i+1, got[i], test.want[i])
				}
			}
		})
	}
}

// For every accepted record, the signed bytes are in the record between its header and its signature section, the verdicts hold
// together, and judging twice gives the same.
func FuzzParseOCMF(f *testing.F) {
	meter := newSigner(Secp192k1, "fuzz")
	f.Add([]byte(meter.record(plainPayload)))
	f.Add([]byte(`OCMF|{"PG":"F1","RD":[{"TM":"2024-01-01T10:00:00,000+0000 U","RV":"  1e3","RU":"Wh","ST":"G"},{"RV":2}]}|{"SD":"3006020101020101"}`))
	f.Add([]byte(`OCMF|{"FV":1.0,"PG":"P1","IS":"x","RD":[{}]}|{"SE":"base64","SD":""}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		lines := SplitRecords(text)
		for _, line := range lines {
			record, err := ParseOCMF(line)
			if err != nil {
				continue
			}
			if !bytes.HasPrefix(line[len(ocmfHeader):], record.Signed) {
				t.Errorf("signed bytes %q of %q", record.Signed, line)
			}
			if m, err := Measure([]*Record{record, record}); err == nil {
				if total, err := m.Best(); err == nil && total.Wh.Sign() < 0 {
					t.Errorf("negative quantity %v", total.Wh)
				}
			}
			_ = record.Usable()
		}
		if len(lines) > 4 {
			return // a signature check costs a millisecond
		}
		report := Verify(meter.key, lines)
		if again := Verify(meter.key, lines); report.String() != again.String() {
			t.Errorf("two verdicts:\n%v\n%v", report, again)
		}
		if report.Billable != (report.Why == "") || report.Billable && report.QuantityWh == nil {
			t.Errorf("verdicts contradict each other: %v", report)
		}
	})
}
