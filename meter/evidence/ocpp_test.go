package evidence_test

import (
	"crypto/elliptic"
	"fmt"
	"strings"
	"testing"

	"lockstep/meter/evidence"
)

// signed16 is the value of a sampled value of OCPP 1.6 in the format SignedData, by the note of the Open Charge Alliance.
func signed16(key, record string) string {
	return `{"signedMeterData":` + quoted(in64(record)) + `,"encodingMethod":"OCMF","signingMethod":"","publicKey":` + quoted(key) + `}`
}

func log16(values ...string) string {
	return `[2,"s1","StartTransaction",{"connectorId":1,"idTag":"A","meterStart":100000,"timestamp":"2026-03-01T08:00:50Z"}]
[3,"s1",{"transactionId":42,"idTagInfo":{"status":"Accepted"}}]
[2,"h1","Heartbeat",{}]
[2,"s2","StopTransaction",{"transactionId":42,"meterStop":112345,"timestamp":"2026-03-01T08:13:10Z","transactionData":[{"timestamp":"2026-03-01T08:13:00Z","sampledValue":[` + strings.Join(values, ",") + `]}]}]
`
}

func TestOCPP16(t *testing.T) {
	t.Parallel()
	s := newStation(t, elliptic.P256())
	record := s.record(whole(), sa256)
	begin, end := s.record(payload(7, reading("08:01:00", "B", "100.000")), sa256), s.record(payload(8, reading("08:13:00", "E", "112.345")), sa256)
	key := in64("oca:base16:asn1:" + fmt.Sprintf("%X", s.spki()))
	value := func(text, context string) string {
		return `{"value":` + quoted(text) + `,"format":"SignedData","context":"` + context + `","measurand":"Energy.Active.Import.Register"}`
	}
	raw := func(text, unit, context string) string {
		return `{"value":"` + text + `","context":"` + context + `","measurand":"Energy.Active.Import.Register"` + unit + `}`
	}
	good := log16(value(signed16(key, record), "Transaction.End"))
	for name, c := range map[string]struct {
		file   string
		wanted []string
	}{
		"JSON in the value":  {good, []string{"key ok", "total_energy ok", "time ok"}},
		"the record itself":  {log16(value(record, "Transaction.End")), []string{"key ok", "total_energy ok"}},
		"base64":             {log16(value(in64(record), "Transaction.End")), []string{"total_energy ok"}},
		"hex":                {log16(value(fmt.Sprintf("%x", record), "Transaction.End")), []string{"total_energy ok"}},
		"base64 of the JSON": {log16(value(in64(signed16(key, record)), "Transaction.End")), []string{"total_energy ok"}},
		"two records":        {log16(value(signed16(key, begin), "Transaction.Begin"), value(signed16("", end), "Transaction.End")), []string{"sequence ok", "quantity ok", "total_energy ok"}},
		"one record twice":   {log16(value(signed16(key, record), "Transaction.Begin"), value(signed16(key, record), "Transaction.End")), []string{"sequence noted repeated", "quantity ok"}},
		"unsigned Wh beside signed kWh": {log16(value(signed16(key, record), "Transaction.End"), raw("100000", `,"unit":"Wh"`, "Transaction.Begin"), raw("112345", "", "Transaction.End")),
			[]string{"total_energy ok"}},
		"unsigned kWh": {log16(value(signed16(key, record), "Transaction.End"), raw("100.000", `,"unit":"kWh"`, "Transaction.Begin"), raw("112.345", `,"unit":"kWh"`, "Transaction.End")), []string{"total_energy ok"}},
		"kWh as Wh": {log16(value(signed16(key, record), "Transaction.End"), raw("100.000", `,"unit":"Wh"`, "Transaction.Begin"), raw("112.345", "", "Transaction.End")),
			[]string{"total_energy ok", "total_energy disagrees unit"}},
		"a phase is left out": {log16(value(signed16(key, record), "Transaction.End"), raw("1", `,"phase":"L1"`, "Transaction.Begin"), raw("5", `,"phase":"L1"`, "Transaction.End")), []string{"total_energy ok"}},
		"meterStop":           {strings.Replace(good, "112345,", "112347,", 1), []string{"total_energy disagrees total-energy"}},
		"start elsewhere":     {good[strings.Index(good, "[2,\"h1"):], []string{"total_energy unstated not-comparable"}},
		"an unanswered start": {strings.Replace(good, "[3,\"s1\"", "[3,\"s9\"", 1), []string{"total_energy ok"}},
		"lines with a front":  {"2026-03-01T08:00:50Z [INFO] CP1 -> " + strings.ReplaceAll(strings.TrimSpace(good), "\n", "\r\n2026-03-01 08:13 {thread} [CP1] recv: "), []string{"total_energy ok"}},
		"a list":              {"[" + strings.ReplaceAll(strings.TrimSpace(good), "\n", ",\n") + "]", []string{"total_energy ok"}},
		"objects":             {`{"chargePointId":"CP1","action":"StopTransaction","payload":` + quoted(good[strings.Index(good, `{"transactionId":42,"meterStop"`):len(good)-2]) + `}`, []string{"quantity ok"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := judge(t, c.file, s.meterKey())
			expect(t, j, c.wanted...)
			if j.ID != "42" || j.QuantityWh == nil || j.QuantityWh.String() != "12345" || name == "objects" && j.Station != "CP1" {
				t.Errorf("%+v%s", j, listing(j))
			}
		})
	}
	// A log of two stations' transactions has two sessions; one without signed values is none.
	other := strings.NewReplacer(`"s1"`, `"s5"`, `"s2"`, `"s6"`, `"transactionId":42`, `"transactionId":43`).Replace(good)
	if f := read(t, good+other+strings.NewReplacer(`"s1"`, `"s7"`, `"transactionId":42`, `"transactionId":44`, "SignedData", "Raw").Replace(good)); len(f.Sessions) != 2 {
		t.Errorf("%+v", f.Sessions)
	}
	for file, says := range map[string]string{
		strings.Replace(good, "SignedData", "Raw", 1): "1 transaction(s) and no signed meter value",
		`[2,"h1","Heartbeat",{}]`:                     "0 transaction(s)",
	} {
		if _, err := evidence.Read([]byte(file)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v", err)
		}
	}
	edl := log16(strings.Replace(value(strings.Replace(signed16(key, "1b1b1b1b01010101"), "OCMF", "EDL", 1), "Transaction.End"), "x", "x", 1))
	expect(t, judge(t, edl, s.meterKey()), "signature disagrees encoding")
}

func TestOCPP201(t *testing.T) {
	t.Parallel()
	s := newStation(t, elliptic.P256())
	begin, end := s.record(payload(7, reading("08:01:00", "B", "100.000")), sa256), s.record(payload(8, reading("08:13:00", "E", "112.345")), sa256)
	event := func(kind, at, value, unit, record string) string {
		return `[2,"` + kind + `","TransactionEvent",{"eventType":"` + kind + `","timestamp":"2026-03-01T` + at + `Z","seqNo":0,"transactionInfo":{"transactionId":"tx-9"},
			"meterValue":[{"timestamp":"2026-03-01T` + at + `Z","sampledValue":[{"value":` + value + `,"measurand":"Energy.Active.Import.Register",` + unit + `
			"signedMeterValue":{"signedMeterData":"` + in64(record) + `","signingMethod":"ECDSA-secp256r1-SHA256","encodingMethod":"OCMF","publicKey":"` + in64(fmt.Sprintf("%x", s.spki())) + `"}}]}]}]`
	}
	good := event("Started", "08:00:59", "100000", "", begin) + "\n" + event("Ended", "08:13:01", "112345", "", end)
	expect(t, judge(t, good, nil), "key noted own-key", "signature ok", "sequence ok", "quantity ok", "time ok", "total_energy ok")
	kilo := event("Started", "08:00:59", "100", `"unitOfMeasure":{"unit":"Wh","multiplier":3},`, begin) + "\n" + event("Ended", "08:13:01", "112.345", `"unitOfMeasure":{"unit":"kWh"},`, end)
	expect(t, judge(t, kilo, s.meterKey()), "key ok", "total_energy ok", "quantity ok")
	slip := event("Started", "08:00:59", "100", "", begin) + "\n" + event("Ended", "08:13:01", "112.345", "", end)
	expect(t, judge(t, slip, s.meterKey()), "total_energy disagrees unit")
	early := event("Started", "08:02:01", "100000", "", begin) + "\n" + event("Ended", "08:13:01", "112345", "", end)
	expect(t, judge(t, early, s.meterKey()), "time disagrees period")
}
