package meter

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

const someRecord = `OCMF|{"FV":"1.0","PG":"T1","RD":[]}|{"SD":"00"}`

func TestContainer(t *testing.T) {
	in64 := base64.StdEncoding.EncodeToString
	quoted := strings.ReplaceAll(someRecord, `"`, `\"`)
	for file, says := range map[string]string{
		"": "", " \n": "", someRecord: "", "\ufeff\n" + someRecord: "", nativeHeader + "AAAA": "", "not a record": "", "OCMA|{}": "", "deadbeef": "",
		`<?xml version="1.0"?><values><value><signedData format="OCMF" encoding="plain">` + someRecord + `</signedData></value></values>`: "S.A.F.E.",
		"\ufeff<values xmlns=\"x\"/>":               "S.A.F.E.",
		"<html>":                                    "XML",
		in64([]byte(someRecord)):                    "OCMF record in base64",
		`"` + in64([]byte(someRecord)) + `"` + "\n": "OCMF record in base64",
		base64.RawURLEncoding.EncodeToString([]byte(someRecord)):                                                     "OCMF record in base64",
		in64([]byte(someRecord))[:40] + "\n" + in64([]byte(someRecord))[40:]:                                         "OCMF record in base64",
		in64([]byte(`<?xml version="1.0"?><values/>`)):                                                               "XML container in base64",
		in64([]byte(`{"signedMeterData":"T0NNRnw="}`)):                                                               "JSON message in base64",
		hex.EncodeToString([]byte(someRecord)):                                                                       "OCMF record in hex",
		"0x" + strings.ToUpper(hex.EncodeToString([]byte(someRecord))):                                               "OCMF record in hex",
		`{"sampledValue":[{"value":1,"signedMeterValue":{"signedMeterData":"T0NNRnw="}}]}`:                           "OCPP message",
		`[2,"1","MeterValues",{"meterValue":[{"sampledValue":[{"value":"` + quoted + `","format":"SignedData"}]}]}]`: "OCPP 1.6",
		`{"value":"{\"signedMeterData\":\"T0NNRnw=\"}","format":"SignedData"}`:                                       "OCPP message",
		`{"signed_data":{"encoding_method":"OCMF","signed_values":[]}}`:                                              "OCPI",
		`{"SignedSession":"` + quoted + `"}`:                                                                         "JSON in which the record is a text",
		`"` + quoted + `"`:                                                                                           "JSON in which the record is a text",
		`{"FV":"1.0","PG":"T1","RD":[]}`:                                                                             "without its signature",
		`{"a":1}`:                                                                                                    "a JSON file",
		"AP;0;3;ALCV3ABB":                                                                                            "Alfen",
		"1B1B1B1B01010101":                                                                                           "SML",
		"\x1b\x1b\x1b\x1b\x01":                                                                                       "SML",
	} {
		name, advice := Container([]byte(file))
		if !strings.Contains(name, says) || (name == "") != (says == "") || (advice == "") != (says == "") {
			t.Errorf("%.60q: %q, %q; want %q", file, name, advice, says)
		}
	}
}

func FuzzContainer(f *testing.F) {
	f.Add([]byte(someRecord))
	f.Add([]byte("T0NNRnx7"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if name, advice := Container(file); (name == "") != (advice == "") {
			t.Errorf("%q: %q, %q", file, name, advice)
		}
	})
}

// Files with a byte order mark, put together, are records still.
func TestSplitRecordsWithMarks(t *testing.T) {
	file := "\ufeff" + someRecord + "\r\n\ufeff" + someRecord + "\r\n\r\n\ufeff\r\n"
	records := SplitRecords([]byte(file))
	if len(records) != 2 || string(records[0]) != someRecord || string(records[1]) != someRecord {
		t.Errorf("%q", records)
	}
}

// A record whose user was not identified proves its energy. It names no trade, and the report says that it names no user.
func TestUserNotIdentified(t *testing.T) {
	meter := newSigner(Secp256r1, "levels")
	id := strings.Repeat("ab", 32)
	for level, failed := range map[string]bool{
		"": false, "NONE": false, "HEARSAY": false, "TRUSTED": false, "VERIFIED": false, "CERTIFIED": false, "SECURE": false,
		"MISMATCH": true, "INVALID": true, "OUTDATED": true, "UNKNOWN": true, "mismatch": false,
	} {
		record := []byte(meter.record(`{"PG":"T1","IS":true,"IL":"` + level + `","ID":"` + id + `","RD":[` +
			`{"TM":"2024-01-30T07:46:02,999+00:00 S","TX":"B","RV":1,"RI":"1-0:1.8.0","RU":"kWh","ST":"G"},` +
			`{"TM":"2024-01-30T08:00:00.962+00:00 S","TX":"E","RV":1.5,"RI":"1-0:1.8.0","RU":"kWh","ST":"G"}]}`))
		report := Verify(meter.key, [][]byte{record})
		checkReport(t, report, "500", true, "")
		if report.Clock != ClockSynchronised || report.Until-report.From != 837_963 {
			t.Errorf("%s: clock %v, %d ms", level, report.Clock, report.Until-report.From)
		}
		proof, err := Prove(meter.key, "", [][]byte{record}, form(t, "1-0:1.8.0", Import), Import)
		if err != nil || (len(proof.Trades) == 0) != failed {
			t.Errorf("%s: trades %x, %v", level, proof.Trades, err)
		}
		if told := strings.Contains(report.String(), "user not identified ("+level+")"); told != failed || (report.Records[0].Unknown != "") != failed {
			t.Errorf("%s: %v", level, report)
		}
	}
}
