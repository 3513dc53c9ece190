package evidence_test

import (
	"crypto/elliptic"
	"fmt"
	"strings"
	"testing"

	"lockstep/meter/evidence"
)

// cdr is a charge detail record with signed values: nature, plain_data and signed_data of each.
func cdr(key string, values ...[3]string) string {
	var list []string
	for _, v := range values {
		list = append(list, fmt.Sprintf(`{"nature":%s,"plain_data":%s,"signed_data":%s}`, quoted(v[0]), quoted(v[1]), quoted(v[2])))
	}
	return `{"country_code":"DE","party_id":"ABC","id":"CDR1","start_date_time":"2026-03-01T08:00:30Z","end_date_time":"2026-03-01T08:14:00Z",
		"cdr_location":{"id":"L1","evse_uid":"3256","evse_id":"DE*ABC*E1"},"currency":"EUR","meter_id":"M1",
		"tariffs":[{"currency":"EUR","elements":[{"price_components":[{"type":"ENERGY","price":0.50,"step_size":1}]}]}],
		"charging_periods":[{"start_date_time":"2026-03-01T08:00:30Z","dimensions":[{"type":"ENERGY","volume":12.345},{"type":"TIME","volume":0.2}]}],
		"signed_data":{"encoding_method":"OCMF","public_key":` + quoted(key) + `,"signed_values":[` + strings.Join(list, ",") + `]},
		"total_cost":{"excl_vat":6.17,"incl_vat":7.34},"total_energy":12.345,"total_energy_cost":{"excl_vat":6.17},"total_time":0.225,
		"last_updated":"2026-03-01T08:15:00Z"}`
}

func TestOCPILayouts(t *testing.T) {
	t.Parallel()
	s := newStation(t, elliptic.P256())
	key := in64(fmt.Sprintf("%x", s.spki()))
	record := s.record(whole(), sa256)
	section := record[strings.LastIndex(record, "|")+1:]
	for name, c := range map[string]struct {
		plain, signed string
		layout        evidence.Layout
	}{
		"whole record twice":           {record, in64(record), evidence.LayoutTwice},
		"escaped JSON in plain":        {quoted(whole()), in64(record), evidence.LayoutStripped},
		"record without its signature": {"OCMF|" + whole(), in64(record), evidence.LayoutStripped},
		"with the mark of its end":     {"OCMF|" + whole() + "|", in64(record), evidence.LayoutStripped},
		"split":                        {whole(), in64(section), evidence.LayoutSplit},
		"split with the header":        {"OCMF|" + whole(), section, evidence.LayoutSplit},
		"split in base64 twice":        {in64(whole()), in64(section), evidence.LayoutSplit},
		"no plain data":                {"", in64(record), evidence.LayoutWhole},
		"not encoded":                  {"12.345 kWh", record, evidence.LayoutWhole},
		"in hex":                       {"", fmt.Sprintf("%x", record), evidence.LayoutWhole},
		"a container in base64":        {"", in64(`<?xml version="1.0"?><values><value><signedData format="OCMF">` + record + `</signedData></value></values>`), evidence.LayoutWhole},
		"with a mark":                  {"", in64("\ufeff" + record + "\r\n"), evidence.LayoutWhole},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, envelope := range []string{"%s", "[%s]", `{"data":[%s],"status_code":1000}`, `{"data":%s}`, "\ufeff%s\r\n"} {
				file := fmt.Sprintf(envelope, cdr(key, [3]string{"End", c.plain, c.signed}))
				j := judge(t, file, s.meterKey())
				expect(t, j, "key ok", "signature ok", "sequence ok", "quantity ok", "time ok", "meter ok", "total_energy ok", "currency_total ok")
				if j.Layout != c.layout || j.QuantityWh == nil || j.QuantityWh.String() != "12345" || j.ID != "CDR1" || j.Station != "DE*ABC*E1" || j.Serial != "M1" {
					t.Errorf("%s, %v Wh, %s, %s%s", j.Layout, j.QuantityWh, j.ID, j.Station, listing(j))
				}
			}
		})
	}
}

// Each fault has its own verdict, and leaves the others alone.
func TestOCPIDisagreements(t *testing.T) {
	t.Parallel()
	s, thief := newStation(t, elliptic.P256()), newStation(t, elliptic.P256(), "thief")
	key := fmt.Sprintf("%x", s.spki())
	record := s.record(whole(), sa256)
	good := cdr(key, [3]string{"End", "", in64(record)})
	begin, end := s.record(payload(7, reading("08:01:00", "B", "100.000")), sa256), s.record(payload(8, reading("08:13:00", "E", "112.345")), sa256)
	change := func(from, to string) string {
		if !strings.Contains(good, from) {
			t.Fatalf("no %q", from)
		}
		return strings.ReplaceAll(good, from, to)
	}
	for name, c := range map[string]struct {
		file   string
		wanted []string
	}{
		"good":                   {good, []string{"signature ok"}},
		"changed record":         {cdr(key, [3]string{"End", "", in64(strings.Replace(record, "112.345", "119.345", 1))}), []string{"signature disagrees signature", "quantity unstated no-record", "time unstated no-record"}},
		"another's key":          {cdr(fmt.Sprintf("%x", thief.spki()), [3]string{"End", "", in64(thief.record(whole(), sa256))}), []string{"key disagrees other-key", "signature disagrees signature"}},
		"no key is no harm":      {cdr("", [3]string{"End", "", in64(record)}), []string{"key ok"}},
		"key that is none":       {cdr("rubbish!", [3]string{"End", "", in64(record)}), []string{"key disagrees key", "signature ok"}},
		"total energy":           {change(`"total_energy":12.345`, `"total_energy":12.346`), []string{"total_energy disagrees total-energy", "quantity ok"}},
		"total energy a bit off": {change(`"total_energy":12.345`, `"total_energy":12.344`), []string{"total_energy disagrees total-energy"}},
		"total energy rounded":   {change(`"total_energy":12.345`, `"total_energy":12.35`), []string{"total_energy ok"}},
		"total energy cut":       {change(`"total_energy":12.345`, `"total_energy":12.34`), []string{"total_energy ok"}},
		"one decimal":            {change(`"total_energy":12.345`, `"total_energy":12.3`), []string{"total_energy disagrees total-energy"}},
		"Wh for kWh":             {change(`"total_energy":12.345`, `"total_energy":12345`), []string{"total_energy disagrees unit"}},
		"periods":                {change(`"volume":12.345`, `"volume":11.345`), []string{"total_energy disagrees total-energy"}},
		"price of the energy":    {change(`6.17`, `6.19`), []string{"currency_total disagrees total-cost"}},
		"rounding of the price":  {change(`6.17`, `6.18`), []string{"currency_total ok"}},
		"sum of the parts":       {change(`"total_cost":{"excl_vat":6.17`, `"total_cost":{"excl_vat":6.18`), []string{"currency_total disagrees total-cost"}},
		"currency of the tariff": {change(`"currency":"EUR","elements"`, `"currency":"SEK","elements"`), []string{"currency_total disagrees currency"}},
		"session begins later":   {change(`T08:00:30Z","end`, `T08:02:01Z","end`), []string{"time disagrees period"}},
		"a minute is allowed":    {change(`T08:00:30Z","end`, `T08:02:00Z","end`), []string{"time ok"}},
		"session ends earlier":   {change(`08:14:00Z`, `08:11:59Z`), []string{"time disagrees period"}},
		"ends a minute earlier":  {change(`08:14:00Z`, `08:12:00Z`), []string{"time ok"}},
		"unknown times":          {strings.ReplaceAll(change(`2026-03-01T08:14:00Z`, `1970-1-1T00:00:00Z`), `2026-03-01T08:00:30Z","end`, `1970-01-01T00:00:00Z","end`), []string{"time ok"}},
		"meter":                  {change(`"meter_id":"M1"`, `"meter_id":"M2"`), []string{"meter disagrees other-meter"}},
		"gateway for the meter":  {change(`"meter_id":"M1"`, `"meter_id":"G1"`), []string{"meter ok"}},
		"credit":                 {change(`"currency":"EUR","meter_id"`, `"credit":true,"credit_reference_id":"CDR0","currency":"EUR","meter_id"`), []string{"credit disagrees credit"}},
		"plain data":             {cdr(key, [3]string{"End", strings.Replace(record, "112.345", "119.345", 1), in64(record)}), []string{"plain_data disagrees plain-data", "signature ok"}},
		"plain data with spaces": {cdr(key, [3]string{"End", strings.ReplaceAll(whole(), `,"`, `, "`), in64(record)}), []string{"plain_data ok"}},
		"begin and end":          {cdr(key, [3]string{"Start", "", in64(begin)}, [3]string{"End", "", in64(end)}), []string{"sequence ok", "quantity ok"}},
		"end and begin":          {cdr(key, [3]string{"End", "", in64(end)}, [3]string{"Start", "", in64(begin)}), []string{"sequence noted order", "quantity ok"}},
		"record given twice":     {cdr(key, [3]string{"Start", "", in64(record)}, [3]string{"End", "", in64(record)}), []string{"sequence noted repeated", "sequence ok", "quantity ok"}},
		"begin given twice":      {cdr(key, [3]string{"Start", "", in64(begin)}, [3]string{"End", "", in64(begin)}), []string{"sequence noted repeated", "quantity disagrees transaction"}},
		"gap": {cdr(key, [3]string{"Start", "", in64(begin)}, [3]string{"End", "", in64(s.record(payload(9, reading("08:13:00", "E", "112.345")), sa256))}),
			[]string{"sequence disagrees pages", "quantity ok"}},
		"backwards": {cdr(key, [3]string{"Start", "", in64(begin)}, [3]string{"End", "", in64(s.record(payload(8, reading("08:13:00", "E", "99.9")), sa256))}),
			[]string{"sequence disagrees backwards", "quantity disagrees backwards"}},
		"clock": {cdr(key, [3]string{"End", "", in64(s.record(strings.ReplaceAll(whole(), "0 S", "0 R"), sa256))}), []string{"time disagrees clock"}},
		"other encoding": {strings.Replace(cdr(key, [3]string{"End", "", in64("AP;0;3;ALCV3ABB")}), `"encoding_method":"OCMF"`, `"encoding_method":"Alfen Eichrecht"`, 1),
			[]string{"signature disagrees encoding", "sequence unstated no-record", "quantity unstated no-record"}},
		"two keys": {strings.Replace(good, `"signed_values":[`, `"signed_values":[{"nature":"Start","signed_data":`+quoted(in64(`{"signedMeterData":`+quoted(in64(begin))+`,"publicKey":"`+fmt.Sprintf("%x", thief.spki())+`"}`))+`},`, 1),
			[]string{"key disagrees other-key", "sequence disagrees pages", "quantity disagrees transaction"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expect(t, judge(t, c.file, s.meterKey()), c.wanted...)
		})
	}
}

// The sums of money of OCPI 2.2 and 2.3, with tariffs from which the cost follows, and others.
func TestCostVerdicts(t *testing.T) {
	t.Parallel()
	s := newStation(t, elliptic.P256())
	base := cdr("", [3]string{"End", "", in64(s.record(whole(), sa256))})
	tariffs := base[strings.Index(base, `"tariffs"`):strings.Index(base, `"charging_periods"`)]
	sums := base[strings.Index(base, `"total_cost"`):strings.Index(base, `"total_energy":`)]
	part := `"total_energy_cost":{"excl_vat":6.17},`
	for name, c := range map[string]struct{ tariffs, sums, part, want string }{
		"before_taxes":                      {tariffs, `"total_cost":{"before_taxes":6.1725},`, "", "currency_total ok"},
		"too much before taxes":             {tariffs, `"total_cost":{"before_taxes":6.1826},`, "", "currency_total disagrees total-cost"},
		"a number":                          {tariffs, `"total_cost":6.17,`, "", "currency_total ok"},
		"a start fee, total alone":          {strings.Replace(tariffs, `[{"type":"ENERGY"`, `[{"type":"FLAT","price":1},{"type":"ENERGY"`, 1), `"total_cost":7.17,`, "", "currency_total unstated not-comparable"},
		"a start fee, with the part":        {strings.Replace(tariffs, `[{"type":"ENERGY"`, `[{"type":"FLAT","price":1},{"type":"ENERGY"`, 1), `"total_cost":7.17,"total_fixed_cost":1,`, part, "currency_total ok"},
		"a part that is off":                {strings.Replace(tariffs, `[{"type":"ENERGY"`, `[{"type":"FLAT","price":1},{"type":"ENERGY"`, 1), `"total_cost":7.37,"total_fixed_cost":1,`, `"total_energy_cost":{"excl_vat":6.37},`, "currency_total disagrees total-cost"},
		"a condition":                       {strings.Replace(tariffs, `{"price_components"`, `{"restrictions":{"start_time":"08:00"},"price_components"`, 1), sums, "", "currency_total unstated not-comparable"},
		"two prices":                        {strings.Replace(tariffs, `[{"type":"ENERGY"`, `[{"type":"ENERGY","price":0.4},{"type":"ENERGY"`, 1), sums, "", "currency_total unstated not-comparable"},
		"a least price":                     {strings.Replace(tariffs, `"elements"`, `"min_price":{"excl_vat":10},"elements"`, 1), sums, "", "currency_total unstated not-comparable"},
		"a step of 100 Wh":                  {strings.Replace(tariffs, `"step_size":1`, `"step_size":100`, 1), `"total_cost":6.20,`, "", "currency_total ok"},
		"a step of 100 Wh that is left out": {strings.Replace(tariffs, `"step_size":1`, `"step_size":100`, 1), `"total_cost":6.17,`, "", "currency_total disagrees total-cost"},
		"no tariff":                         {"", sums, part, "currency_total ok"},
		"no tariff, wrong sum":              {"", strings.Replace(sums, "6.17", "6.57", 1), part, "currency_total disagrees total-cost"},
		"no money":                          {tariffs, "", "", "currency_total unstated not-comparable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := strings.Replace(strings.Replace(strings.Replace(base, tariffs, c.tariffs, 1), sums, c.sums, 1), part, c.part, 1)
			expect(t, judge(t, file, s.meterKey()), c.want)
		})
	}
	// A currency without a minor unit is rounded to whole units.
	yen := strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(base, "EUR", "JPY"), "0.50", "60"), "6.17", "741")
	expect(t, judge(t, yen, s.meterKey()), "currency_total ok")
	expect(t, judge(t, strings.ReplaceAll(yen, "741", "742"), s.meterKey()), "currency_total disagrees total-cost")
}

func TestOCPIFiles(t *testing.T) {
	t.Parallel()
	s := newStation(t, elliptic.P256())
	good := cdr(fmt.Sprintf("%x", s.spki()), [3]string{"End", "", in64(s.record(whole(), sa256))})
	signed := good[strings.Index(good, `{"encoding_method"`):strings.Index(good, `,
		"total_cost"`)]
	f := read(t, "["+good+","+strings.Replace(strings.Replace(good, `"CDR1"`, `"CDR2"`, 1), `"signed_data":`+signed+`,`, "", 1)+"]")
	if len(f.Sessions) != 1 || len(f.Notes) != 1 || f.Notes[0].Code != evidence.CodeNoRecord || !strings.Contains(f.Notes[0].Why, "CDR2") {
		t.Errorf("%+v", f)
	}
	if f := read(t, signed); f.Format != evidence.FormatOCPI || len(f.Sessions) != 1 {
		t.Errorf("%+v", f)
	}
	if f := read(t, good+"\n"+strings.Replace(good, `"CDR1"`, `"CDR2"`, 1)+"\n"); len(f.Sessions) != 2 {
		t.Errorf("%+v", f)
	}
	for name, c := range map[string]struct{ file, says string }{
		"a name twice":  {strings.Replace(good, `"total_energy":`, `"total_energy":1,"total_energy":`, 1), "twice"},
		"cut":           {good[:200], "ends in the middle"},
		"unsigned":      {strings.Replace(good, `"signed_data":`+signed+`,`, "", 1), "no meter vouches"},
		"no values":     {strings.Replace(good, signed[strings.Index(signed, `"signed_values"`):], `"signed_values":[]}`, 1), "no signed_values"},
		"a strange sum": {strings.Replace(good, `"total_energy":12.345`, `"total_energy":"much"`, 1), "not an energy"},
		"negative":      {strings.Replace(good, `"total_energy":12.345`, `"total_energy":-1`, 1), "not an energy"},
		"strange time":  {strings.Replace(good, `2026-03-01T08:14:00Z`, `yesterday`, 1), "not a time"},
		"deep":          {strings.Repeat("[", 100) + strings.Repeat("]", 100), "nested"},
		"many values":   {"[" + strings.Repeat("1,", 1_000_000) + "1]", "more than 1000000 values"},
		"empty":         {" \r\n", "empty"},
		"some JSON":     {`{"a":1}`, "JSON file"},
		"a text":        {"hello world", "neither"},
		"a web page":    {"<html></html>", "no signedData"},
		"half a page":   {"<html>", "not XML"},
	} {
		f, err := evidence.Read([]byte(c.file))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, %t", name, err, f != nil)
		}
	}
}
