package meter

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The samples are records of real meters and of other verifiers' tests, with the verdict that each must get. They are
// kept outside the repository because of their licences; without them these tests skip.
const sampleDir = "../../shared/data/ocmf"

type sampleCase struct {
	ID               string `json:"id"`
	Key              string `json:"public_key"`
	OCMF             string `json:"ocmf"`
	MustVerify       bool   `json:"must_verify"`
	QuantityBillable bool   `json:"quantity_billable"`
	PolicyDependent  bool   `json:"policy_dependent"`
	Why              string `json:"why"`
}

func loadSamples(t testing.TB, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(sampleDir, name))
	if os.IsNotExist(err) {
		t.Skip("no sample data: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func samples(t testing.TB) map[string]sampleCase {
	var list []sampleCase
	loadSamples(t, "samples.json", &list)
	byID := make(map[string]sampleCase, len(list))
	for _, s := range list {
		byID[s.ID] = s
	}
	return byID
}

func mustKey(t testing.TB, text string) Key {
	t.Helper()
	key, err := ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestSamples(t *testing.T) {
	for id, s := range samples(t) {
		t.Run(id, func(t *testing.T) {
			report := Verify(mustKey(t, s.Key), [][]byte{[]byte(s.OCMF)})
			record := report.Records[0]
			wantSignature, wantUsable := SignatureInvalid, s.QuantityBillable
			switch {
			case !strings.HasPrefix(s.OCMF, ocmfHeader):
				wantSignature = SignatureUnreadable
			case s.PolicyDependent:
				// Our rule: a signature in DER that is not canonical is refused, on each node.
				wantUsable = false
				if record.Code != CodeNotCanonical {
					t.Errorf("code %q, want %q", record.Code, CodeNotCanonical)
				}
			case s.MustVerify:
				wantSignature = SignatureValid
			}
			if record.Signature != wantSignature || record.Usable != wantUsable {
				t.Errorf("signature %s, usable %t (%s); want %s, %t: %s",
					record.Signature, record.Usable, record.Why, wantSignature, wantUsable, s.Why)
			}
			if report.Sequence != SequenceSingle {
				t.Errorf("sequence %s", report.Sequence)
			}
			if report.Billable != wantUsable {
				t.Errorf("billable %t (%s), want %t", report.Billable, report.Why, wantUsable)
			}
		})
	}
}

// Quantities that the notes of the samples give, or that can be read off.
func TestSampleQuantities(t *testing.T) {
	tests := []struct {
		records  []string // of one meter
		wh       string   // "" for none
		billable bool
		code     Code
	}{
		{[]string{"compleo-p192r1-T117"}, "266", true, ""},
		{[]string{"compleo-p192r1-T117", "compleo-p192r1-T120"}, "", false, CodeNotCanonical},
		{[]string{"lem-p256-import-export"}, "1101", true, ""},
		{[]string{"dc-k256-compensated"}, "1000", true, ""},
		{[]string{"iskra-p256-time-error"}, "200", true, ""},
		{[]string{"enercharge-p256-exponent"}, "17796", true, ""},
		{[]string{"ocmfjs-basic-brainpool256r1"}, "2372.34", true, ""},
		{[]string{"nzr-p384-begin", "nzr-p384-end"}, "0", true, ""},
		{[]string{"nzr-p384-begin"}, "", true, CodeTransaction},
		{[]string{"nzr-p384-end"}, "", true, CodeTransaction},
		{[]string{"nzr-p384-end", "nzr-p384-begin"}, "0", false, CodePages},
		{[]string{"dzg-k256-end"}, "", true, CodeTransaction},
		{[]string{"htb-k192-begin"}, "", false, CodeErrorFlag},
		{[]string{"bauer-p256-begin-error", "bauer-p256-end-error"}, "", false, CodeStatus},
		{[]string{"isa-p256-raw-rs"}, "", false, CodeStatus},
	}
	all := samples(t)
	for _, test := range tests {
		t.Run(strings.Join(test.records, ","), func(t *testing.T) {
			var lines [][]byte
			for _, id := range test.records {
				lines = append(lines, []byte(all[id].OCMF))
			}
			report := Verify(mustKey(t, all[test.records[0]].Key), lines)
			checkReport(t, report, test.wh, test.billable, test.code)
		})
	}
}

// checkReport compares the quantity ("" for none), billable and the code.
func checkReport(t *testing.T, r Report, wh string, billable bool, code Code) {
	t.Helper()
	got := ""
	if r.QuantityWh != nil {
		got = r.QuantityWh.String()
	}
	if got != wh || r.Billable != billable || r.Code != code {
		t.Errorf("quantity %q, billable %t, code %q; want %q, %t, %q\n%v", got, r.Billable, r.Code, wh, billable, code, r)
	}
}

func TestSampleChain(t *testing.T) {
	var chain struct {
		Key     string   `json:"public_key"`
		Records []string `json:"records"`
	}
	loadSamples(t, "chain_keba_20.json", &chain)
	key := mustKey(t, chain.Key)
	lines := SplitRecords([]byte(strings.Join(chain.Records, "\n")))
	report := Verify(key, lines)
	checkReport(t, report, "12.3", true, "")
	if report.Sequence != SequenceOK || report.Clock != ClockUnsynchronised || *report.WholeWh != 12 || report.Direction != Import {
		t.Errorf("%+v", report)
	}
	gap := append(append([][]byte(nil), lines[:7]...), lines[8:]...)
	checkReport(t, Verify(key, gap), "9.7", false, CodePages)
	twice := append(append([][]byte(nil), lines...), lines[19])
	checkReport(t, Verify(key, twice), "12.3", false, CodePages)
}

// A ledger bills the same energy as a person would from a real meter: the register that a report names, under the meter's serial
// number, proves the same quantity. It proves nothing under another number, and nothing in the direction against its code.
func TestSampleForms(t *testing.T) {
	proved := 0
	for id, s := range samples(t) {
		if !s.MustVerify {
			continue
		}
		key := mustKey(t, s.Key)
		lines := [][]byte{[]byte(s.OCMF)}
		report := Verify(key, lines)
		if !report.Billable || report.QuantityWh == nil {
			continue
		}
		record, err := ParseOCMF(lines[0])
		if err != nil {
			t.Fatal(err)
		}
		serial := record.Payload.Serial()
		for _, d := range []Direction{Import, Export} {
			form, err := BillableForm(strings.Split(report.Register, " + "), d)
			if opposite := report.Direction != Undirected && report.Direction != d; opposite || err != nil {
				if !opposite || err == nil {
					t.Errorf("%s: register %s is billed as %v by %q, %v", id, report.Register, d, form, err)
				}
				continue
			}
			proof, err := Prove(key, serial, lines, form, d)
			if err != nil || proof.Wh.Cmp(*report.QuantityWh) != 0 || proof.From != report.From || proof.Until != report.Until {
				t.Errorf("%s: %v by %q is %v Wh, %v, the report says %v", id, d, form, proof.Wh, err, report.QuantityWh)
			}
			if _, err := Prove(key, serial+"0", lines, form, d); err == nil {
				t.Errorf("%s: it is also of meter %q", id, serial+"0")
			}
			proved++
		}
	}
	if proved < 10 {
		t.Errorf("only %d samples prove something", proved)
	}
}
