package meter

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// script writes payloads of records, one a line, such as
//
//	T5 MS=m1 | B 100 RI=1-0:1.8.0 | E 110
//
// A record begins with its page and goes on with fields of the payload; a reading is its reason (- for none), its value
// (- for none) and fields of its own. Omitted fields are those of a valid record, and readings are a
// minute apart; at=9:30 sets the time of day. A field of ~ is left out of the JSON.
func script(t testing.TB, text string) []string {
	t.Helper()
	var payloads []string
	minute := 10 * 60
	for line := range strings.Lines(text) {
		parts := strings.Split(strings.TrimSpace(line), "|")
		if parts[0] == "" {
			continue
		}
		head := strings.Fields(parts[0])
		fields := map[string]any{"FV": "1.4", "GS": "g1", "MS": "m1", "PG": head[0]}
		set(fields, head[1:])
		var readings []map[string]any
		for _, part := range parts[1:] {
			words := strings.Fields(part)
			reading := map[string]any{"TX": words[0], "RV": json.Number(words[1]), "RI": "1-0:1.8.0", "RU": "Wh", "ST": "G", "EF": "", "clock": "S"}
			for name, text := range map[string]string{"TX": words[0], "RV": words[1]} {
				if text == "-" {
					delete(reading, name)
				}
			}
			set(reading, words[2:])
			if at, ok := reading["at"].(string); ok {
				var hour, min int
				if _, err := fmt.Sscanf(at, "%d:%d", &hour, &min); err != nil {
					t.Fatal(err)
				}
				minute = 60*hour + min
			}
			reading["TM"] = fmt.Sprintf("2024-05-17T%02d:%02d:00,000+0000 %s", minute/60, minute%60, reading["clock"])
			delete(reading, "at")
			delete(reading, "clock")
			readings = append(readings, reading)
			minute++
		}
		fields["RD"] = readings
		payload, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		payloads = append(payloads, string(payload))
	}
	return payloads
}

func set(fields map[string]any, words []string) {
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		if fields[name] = value; value == "~" {
			delete(fields, name)
		}
	}
}

// Sequences and quantities: the readings and their verdicts.
func TestRules(t *testing.T) {
	tests := []struct {
		name     string
		records  string
		sequence SequenceVerdict
		wh       string // "" for none
		code     Code   // "" if billable
	}{
		// One record.
		{"one transaction", "T1 | B 100 | E 110", SequenceSingle, "10", ""},
		{"no energy moved", "T1 | B 100 | E 100", SequenceSingle, "0", ""},
		{"kilowatt-hours", "T1 | B 1.5 RU=kWh | E 2.25 RU=kWh", SequenceSingle, "750", ""},
		{"units change within", "T1 | B 1.5 RU=kWh | E 2250 RU=Wh", SequenceSingle, "750", ""},
		{"parts of a watt-hour", "T1 | B 0.5 | E 12.8", SequenceSingle, "12.3", ""},
		{"readings between", "T1 | B 100 | C 101 | S 102 | C 102 | T 105 | E 110", SequenceSingle, "10", ""},
		{"ended locally", "T1 | B 100 | L 110", SequenceSingle, "10", ""},
		{"ended remotely", "T1 | B 100 | R 110", SequenceSingle, "10", ""},
		{"ended by error", "T1 | B 100 | A 110", SequenceSingle, "10", ""},
		{"ended by power failure", "T1 | B 100 | P 110", SequenceSingle, "10", ""},
		{"two transactions on a page", "T1 | B 100 | E 110 | B 110 | E 115", SequenceSingle, "15", ""},
		{"format 0.1", "T1 FV=0.1 | B 100 | E 110", SequenceSingle, "10", ""},
		{"format not named", "T1 FV=~ | B 100 | E 110", SequenceSingle, "10", ""},
		{"register not named", "T1 | B 100 RI=~ | E 110 RI=~", SequenceSingle, "10", ""},

		{"only a begin", "T1 | B 100", SequenceSingle, "", CodeTransaction},
		{"only an end", "T1 | E 110", SequenceSingle, "", CodeTransaction},
		{"only between", "T1 | C 110", SequenceSingle, "", CodeTransaction},
		{"end before begin", "T1 | E 100 | B 110", SequenceSingle, "", CodeTransaction},
		{"second begin", "T1 | B 100 | B 105 | E 110", SequenceSingle, "", CodeTransaction},
		{"second end", "T1 | B 100 | E 110 | E 111", SequenceSingle, "", CodeTransaction},
		{"between transactions", "T1 | B 100 | E 110 | C 111 | B 111 | E 112", SequenceSingle, "", CodeTransaction},
		{"no reason", "T1 | - 100 | - 110", SequenceSingle, "", CodeTransaction},
		{"register falls", "T1 | B 110 | E 100", SequenceSingle, "", CodeBackwards},
		{"register falls in between", "T1 | B 100 | C 120 | E 110", SequenceSingle, "", CodeBackwards},
		{"ends before it begins", "T1 | B 100 at=10:00 | E 110 at=9:59", SequenceSingle, "", CodeTime},
		{"no value at the end", "T1 | B 100 | E -", SequenceSingle, "", CodeTransaction},
		{"no page", "PG PG=~ | B 100 | E 110", SequenceSingle, "", CodePage},
		{"unknown context", "P1 | B 100 | E 110", SequenceSingle, "", CodePage},
		{"format 2.0", "T1 FV=2.0 | B 100 | E 110", SequenceSingle, "", CodeVersion},
		{"beyond 64 bits", "T1 | B 0 | E 1e20", SequenceSingle, "", CodeRegister},

		// Status and flags.
		{"status not good at the begin", "T1 | B 100 ST=E | E 110", SequenceSingle, "", CodeStatus},
		{"status not good at the end", "T1 | B 100 | E 110 ST=M", SequenceSingle, "", CodeStatus},
		{"status not good between", "T1 | B 100 | C 105 ST=T | E 110", SequenceSingle, "", CodeStatus},
		{"status not given", "T1 | B 100 ST=~ | E 110 ST=~", SequenceSingle, "", CodeStatus},
		{"status of an event", "T1 | B 100 | C - ST=D | E 110", SequenceSingle, "", CodeStatus},
		{"energy flagged", "T1 | B 100 | E 110 EF=E", SequenceSingle, "", CodeErrorFlag},
		{"both flagged", "T1 | B 100 EF=Et | E 110 EF=t", SequenceSingle, "", CodeErrorFlag},
		{"unknown flag", "T1 | B 100 EF=Q | E 110", SequenceSingle, "", CodeErrorFlag},
		{"energy flagged between", "T1 | B 100 | C 105 EF=E | E 110", SequenceSingle, "", CodeErrorFlag},
		{"time flagged", "T1 | B 100 EF=t | E 110 EF=t", SequenceSingle, "10", ""},
		{"time flagged, and back in time", "T1 | B 100 EF=t at=10:00 | E 110 EF=t at=9:00", SequenceSingle, "10", ""},
		{"no clock, and back in time", "T1 | B 100 clock=U at=10:00 | E 110 clock=U at=9:00", SequenceSingle, "10", ""},
		{"exception", "T1 | B 100 | X 105 | E 110", SequenceSingle, "", CodeErrorFlag},
		{"exception of energy", "T1 | B 100 | X 105 EF=E | E 110", SequenceSingle, "", CodeErrorFlag},
		{"exception of time alone", "T1 | B 100 | X 105 EF=t | E 110", SequenceSingle, "10", ""},
		{"user not identified", "T1 IL=MISMATCH | B 100 | E 110", SequenceSingle, "10", ""},
		{"user's certificate outdated", "T1 IL=OUTDATED | B 100 | E 110", SequenceSingle, "10", ""},
		{"no user", "T1 IL=NONE | B 100 | E 110", SequenceSingle, "10", ""},

		// Several registers.
		{"import and export", "T1 | B 100 | B 7 RI=1-0:2.8.0 | E 110 | E 9 RI=1-0:2.8.0", SequenceSingle, "10", ""},
		{"export alone", "T1 | B 7 RI=1-0:2.8.0 | E 9 RI=1-0:2.8.0", SequenceSingle, "2", ""},
		{"import before no direction", "T1 | B 7 RI=x | E 9 RI=x | B 100 at=10:00 | E 110", SequenceSingle, "10", ""},
		{"compensated first", "T1 | B 100 | E 110 | B 0 RI=1-0:98.8.0.FF at=10:00 | E 9.5 RI=1-0:98.8.0.FF", SequenceSingle, "9.5", ""},
		{"the standard's example", "T1 | B 2935.6 RU=kWh RI=01-0B:01.08.00*FF at=10:00 | E 2965.1 RU=kWh RI=01-0B:01.08.00*FF" +
			"| B 2905.6 RU=kWh RI=01-0B:B1.08.00*FF at=10:00 | E 2934.6 RU=kWh RI=01-0B:B1.08.00*FF" +
			"| B 0.0 RU=kWh RI=01-0B:B3.08.00*FF at=10:00 | E 29.0 RU=kWh RI=01-0B:B3.08.00*FF", SequenceSingle, "29000", ""},
		{"registers disagree", "T1 | B 5 RI=1-0:B1.8.0 | E 9 RI=1-0:B1.8.0 | B 0 RI=1-0:B3.8.0 at=10:00 | E 5 RI=1-0:B3.8.0", SequenceSingle, "", CodeRegister},
		{"total before tariffs", "T1 | B 100 | B 60 RI=1-0:1.8.1 | B 40 RI=1-0:1.8.2 | E 110 | E 60 RI=1-0:1.8.1 | E 50 RI=1-0:1.8.2", SequenceSingle, "10", ""},
		{"sum of tariffs", "T1 | B 60 RI=1-0:1.8.1 | B 40 RI=1-0:1.8.2 | E 63 RI=1-0:1.8.1 | E 50 RI=1-0:1.8.2", SequenceSingle, "13", ""},
		{"a tariff without an end", "T1 | B 60 RI=1-0:1.8.1 | B 40 RI=1-0:1.8.2 | E 63 RI=1-0:1.8.1", SequenceSingle, "", CodeTransaction},
		{"seconds are no energy", "T1 | B 100 | E 110 | E 30 RU=sec RI=01-00:00.08.06.FF", SequenceSingle, "10", ""},
		{"nothing but seconds", "T1 | B 0 RU=sec | E 30 RU=sec", SequenceSingle, "", CodeNoEnergy},
		{"no unit", "T1 | B 0 RU=~ | E 30 RU=~", SequenceSingle, "", CodeNoEnergy},
		{"another integral of energy", "T1 | B 100 | E 110 | E 0 RI=1-b:1.9.0", SequenceSingle, "10", ""},
		{"compensated without begin", "T1 | B 100 | E 110 | E 9 RI=1-0:98.8.0.FF", SequenceSingle, "", CodeTransaction},

		// Several records.
		{"begin and end", "T5 | B 100\n T6 | E 110", SequenceOK, "10", ""},
		{"begin, tariff change, end", "T5 | B 100\n T6 | T 104\n T7 | E 110", SequenceOK, "10", ""},
		{"two transactions", "T5 | B 100 | E 110\n T6 | B 112 | E 115", SequenceOK, "13", ""},
		{"pairs", "T5 | B 100\n T6 | E 110\n T7 | B 110\n T8 | E 111", SequenceOK, "11", ""},
		{"begin, and begin with end", "T5 | B 100 at=10:00\n T6 | B 100 at=10:00 | E 110", SequenceOK, "10", ""},
		{"a transaction of its own register again", "T5 | B 0 RI=1-0:1.8.0*198 at=10:00 | E 5 RI=1-0:1.8.0*198\n" +
			"T6 | B 0 RI=1-0:1.8.0*198 at=10:00 | E 5 RI=1-0:1.8.0*198", SequenceOK, "5", ""},
		{"register of each transaction", "T5 | B 0 RI=1-0:1.8.0*198 | E 5 RI=1-0:1.8.0*198\n T6 | B 0 RI=1-0:1.8.0*198 | E 6 RI=1-0:1.8.0*198", SequenceOK, "11", ""},
		{"largest pages", "T18446744073709551614 | B 100\n T18446744073709551615 | E 110", SequenceOK, "10", ""},
		{"an event on a page of its own", "T5 | B 100\n T6 | C -\n T7 | E 110", SequenceOK, "10", ""},

		{"first record lacks its begin", "T5 | E 100\n T6 | B 100 | E 110", SequenceOK, "", CodeTransaction},
		{"last record lacks its end", "T5 | B 100 | E 110\n T6 | B 110", SequenceOK, "", CodeTransaction},
		{"gap", "T5 | B 100 | E 110\n T7 | B 110 | E 115", SequenceBroken, "15", CodePages},
		{"gap within a transaction", "T5 | B 100\n T7 | E 110", SequenceBroken, "10", CodePages},
		{"the same record twice", "T5 | B 100 at=10:00 | E 110\n T5 | B 100 at=10:00 | E 110", SequenceBroken, "10", CodePages},
		{"two records of one page", "T5 | B 100 | E 110\n T5 | B 110 | E 120", SequenceBroken, "10", CodePages},
		{"out of order", "T6 | E 110 at=11:00\n T5 | B 100 at=10:00", SequenceBroken, "10", CodePages},
		{"around the largest page", "T18446744073709551615 | B 100\n T0 | E 110", SequenceBroken, "", CodePages},
		{"another meter", "T5 | B 100\n T6 MS=m2 | E 110", SequenceBroken, "10", CodeSource},
		{"another gateway", "T5 | B 100\n T6 GS=g2 | E 110", SequenceBroken, "10", CodeSource},
		{"register runs backwards", "T5 | B 100 | E 110\n T6 | B 109 | E 120", SequenceBroken, "21", CodeBackwards},
		{"a page without a number", "T5 | B 100\n T | E 110", SequenceBroken, "", CodePage},
		{"a bad record spoils the rest", "T5 | B 100 | E 110\n T6 | B 110 ST=E | E 115", SequenceOK, "", CodeStatus},
		{"register not read in all", "T5 | B 100 | E 110\n T6 | B 7 RI=1-0:2.8.0 | E 9 RI=1-0:2.8.0", SequenceOK, "", CodeRegister},

		// Fiscal readings.
		{"fiscal", "F1 | - 100\n F2 | - 104\n F3 | - 110", SequenceOK, "10", ""},
		{"fiscal on one page", "F1 | - 100 | - 110", SequenceSingle, "10", ""},
		{"fiscal, one reading", "F1 | - 100", SequenceSingle, "", CodeTransaction},
		{"fiscal falls", "F1 | - 100\n F2 | - 99", SequenceBroken, "", CodeBackwards},
		{"fiscal with a reason", "F1 | B 100\n F2 | E 110", SequenceOK, "", CodeTransaction},
		{"fiscal gap", "F1 | - 100\n F3 | - 110", SequenceBroken, "10", CodePages},
		{"both contexts count apart, the energy once", "F8 | - 90\n T5 | B 100\n T6 | E 110\n F9 | - 120", SequenceOK, "10", ""},
		{"gap in one context", "F8 | - 90\n T5 | B 100\n T7 | E 110\n F9 | - 120", SequenceBroken, "10", CodePages},
	}
	meter := newSigner(Secp256r1, "script")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var lines [][]byte
			for _, payload := range script(t, test.records) {
				lines = append(lines, []byte(meter.record(payload)))
			}
			report := Verify(meter.key, lines)
			if report.Sequence != test.sequence {
				t.Errorf("sequence %s, want %s", report.Sequence, test.sequence)
			}
			half := test.name == "only a begin" || test.name == "only an end"
			checkReport(t, report, test.wh, test.code == "" || half, test.code)
		})
	}
}

// The use of a record without the others.
func TestUsable(t *testing.T) {
	for records, want := range map[string]Code{
		"T1 | B 100":                 "",
		"T1 | E 110":                 "",
		"T1 | C 105":                 "",
		"T1 | E 110 | B 110":         "",
		"P1 | E 110":                 "", // its page is a matter of the sequence
		"F1 | - 100":                 "",
		"T1 | B 100 | X 110":         CodeErrorFlag,
		"T1 | E 110 ST=E":            CodeStatus,
		"T1 | E 110 | E 111":         CodeTransaction,
		"T1 | C 110 | E 109":         CodeBackwards,
		"T1 | - 100":                 CodeTransaction,
		"T1 | E 30 RU=sec":           CodeNoEnergy,
		"T1 FV=3.0 | B 100 | E 110":  CodeVersion,
		"T1 | B 100 | E 110 RV=many": CodeReadings,
	} {
		t.Run(records, func(t *testing.T) {
			meter := newSigner(Secp256r1, "script")
			report := Verify(meter.key, [][]byte{[]byte(meter.record(script(t, records)[0]))})
			if record := report.Records[0]; record.Signature != SignatureValid || record.Usable != (want == "") || record.Code != want {
				t.Errorf("%+v, want %q", record, want)
			}
		})
	}
}

// A record that is not signed leaves the sequence as it stands and takes the quantity away.
func TestVerdictsAreSeparate(t *testing.T) {
	meter := newSigner(Secp256r1, "separate")
	var lines [][]byte
	for _, payload := range script(t, "T5 | B 100 | E 110\n T6 | B 110 | E 115\n T7 | B 115 | E 117") {
		lines = append(lines, []byte(meter.record(payload)))
	}
	changed := strings.Replace(string(lines[1]), `"RV":115`, `"RV":114`, 1)
	report := Verify(meter.key, [][]byte{lines[0], []byte(changed), lines[2]})
	checkReport(t, report, "", false, CodeSignature)
	if report.Sequence != SequenceOK || report.Records[0].Signature != SignatureValid ||
		report.Records[1].Signature != SignatureInvalid || report.Records[2].Signature != SignatureValid {
		t.Error(report)
	}
	report = Verify(meter.key, [][]byte{lines[0], []byte("OCMF|{}"), lines[2]})
	checkReport(t, report, "", false, CodeRecordForm)
	if report.Sequence != SequenceBroken || report.Records[1].Signature != SignatureUnreadable {
		t.Error(report)
	}
	checkReport(t, Verify(meter.key, nil), "", false, CodeEmpty)
}

func TestMeasurementByDirection(t *testing.T) {
	meter := newSigner(Secp256r1, "direction")
	record, err := ParseOCMF([]byte(meter.record(script(t, "T1 | B 100 clock=I | B 7 RI=1-0:2.8.0 | E 110 | E 9.5 RI=1-0:2.8.0 EF=t")[0])))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Measure([]*Record{record})
	if err != nil {
		t.Fatal(err)
	}
	ten := int64(1715940000000) // 2024-05-17 10:00 UTC
	for d, want := range map[Direction]Total{
		Import: {Wh: mustDecimal(t, "10"), Register: "1-0:1.8.0", Direction: Import, From: ten, Until: ten + 120_000, Clock: ClockInformative, TimeUsable: true},
		Export: {Wh: mustDecimal(t, "2.5"), Register: "1-0:2.8.0", Direction: Export, From: ten + 60_000, Until: ten + 180_000, Clock: ClockSynchronised},
	} {
		got, err := m.In(d)
		if err != nil {
			t.Fatal(err)
		}
		if named, err := m.Through(form(t, want.Register, d), d); err != nil || !reflect.DeepEqual(named, got) {
			t.Errorf("%v by name: %+v, %v", d, named, err)
		}
		if got.Wh.Cmp(want.Wh) != 0 {
			t.Errorf("%v: %v Wh", d, got.Wh)
		}
		if got.Wh = want.Wh; got != want {
			t.Errorf("%v: %+v, want %+v", d, got, want)
		}
	}
	_, err = m.Through(form(t, "1-0:1.8.1", Import), Import)
	checkCode(t, err, CodeNoEnergy)
	_, err = m.In(Undirected)
	checkCode(t, err, CodeNoEnergy)
	_, err = Measure([]*Record{record, nil})
	checkCode(t, err, CodeRecordForm)
	_, err = Measure(nil)
	checkCode(t, err, CodeEmpty)
}

// The JSON is the output of lockstep meter verify; scripts read it.
func TestReportJSON(t *testing.T) {
	meter := newSigner(Secp256r1, "json")
	line := meter.record(script(t, "T1 | B 0.5 | E 12.8")[0])
	good, bad := Verify(meter.key, [][]byte{[]byte(line)}), Verify(meter.key, [][]byte{[]byte("OCMA|x")})
	for want, report := range map[string]Report{
		`{"records":[{"signature":"valid","usable":true,"why":"","page":"T1","payload_sha256":"HASH"}],"sequence":"single",` +
			`"quantity_wh":"12.3","whole_wh":"12","billable":true,"why":"","register":"1-0:1.8.0","direction":"import","clock":"synchronised",` +
			`"time_usable":true,"from_unix_ms":1715940000000,"until_unix_ms":1715940060000,` +
			`"registers":[{"register":"1-0:1.8.0","direction":"import","compensated":false,"quantity_wh":"12.3"}]}`: good,
		`{"records":[{"signature":"unreadable","usable":false,"why":"the header is \"OCMA\" and must be OCMF","code":"record-form"}],"sequence":"single",` +
			`"quantity_wh":null,"whole_wh":null,"billable":false,"why":"record 1: the header is \"OCMA\" and must be OCMF","code":"record-form","time_usable":false}`: bad,
	} {
		got, err := json.Marshal(report)
		if err != nil {
			t.Fatal(err)
		}
		want = strings.Replace(want, "HASH", report.Records[0].Hash, 1)
		if string(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	const text = "billable\nquantity:  12.3 Wh, import, register \"1-0:1.8.0\", clock synchronised\nsequence:  single\nrecord 1: valid, page T1\n"
	if good.String() != text {
		t.Error(good)
	}
}
