package meter

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func payloadOf(t testing.TB, text string) Payload {
	t.Helper()
	v, err := readObject(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsePayload(&v)
}

func TestParseTime(t *testing.T) {
	for _, tm := range []string{
		"2018-07-24T13:22:04,000+0200 S", "1970-01-01T00:00:00,000+0000 U", "1970-01-01T01:08:51,000+0100 R",
		"2000-02-29T23:59:59,999-1130 I", "2024-02-29T00:00:00,001+0545 S", "2023-03-01T00:00:00,000+0000 S",
		"2100-02-28T12:00:00,000+0000 S", "1969-12-31T23:59:59,999+0000 S", "0000-01-01T00:00:00,000+0000 S", "9999-12-31T23:59:59,999+0000 S",
	} {
		want, err := time.Parse("2006-01-02T15:04:05,000-0700", tm[:28])
		if err != nil {
			t.Fatal(err)
		}
		ms, clock, ok := parseTime(tm)
		if !ok || ms != want.UnixMilli() || clock != Clock(tm[29]) {
			t.Errorf("%s: %d %v %t, want %d", tm, ms, clock, ok, want.UnixMilli())
		}
	}
	for day := time.Date(1895, 12, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2105; day = day.AddDate(0, 0, 1) {
		tm := day.Format("2006-01-02T15:04:05,000+0000 S")
		if ms, _, ok := parseTime(tm); !ok || ms != day.UnixMilli() {
			t.Fatalf("%s: %d", tm, ms)
		}
	}
	for _, tm := range []string{
		"", "2018-07-24T13:22:04,000+0200", "2018-07-24T13:22:04,000+0200 X", "2018-07-24T13:22:04,000+0200 s",
		"2018-07-24 13:22:04,000+0200 S", "2018-07-24T13:22:04,000 0200 S",
		"2018-07-24T13:22:04,000 S", "2018-07-24T13:22:04,000+02: S", "2018-07-24T13:22:04,000+2 S", "2018-07-24T13:22:04,000+020 S",
		"2018-07-24T13:22:04,000+02:0 S", "2018-07-24T13:22:04,000+02:60 S", "2018-07-24T13:22:04,000+020000 S", "2018-07-24T13:22:04,000+02:00:00 S",
		"2018-07-24T13:22:04,000+1401 S", "2018-07-24T13:22:04,000-14:01 S", "2018-07-24T13:22:04,000+15 S", "2018-07-24T13:22:04,000ZZ S",
		"2018-07-24T13:22:04,000Z+02 S", "2018-07-24T13:22:04, +0200 S", "2018-07-24T13:22:04.+0200 S", "2018-07-24T13:22:04,1234567890Z S",
		"2018-07-24T13:22:04,000.5Z S", "2018-07-24T13:22Z S", "20180724T132204Z S", "18-07-24T13:22:04Z S", "2018-7-24T13:22:04Z S",
		"2018-07-24T13:22:04ZS", "2018-07-24T13:22:04Z  S", "2018-07-24T13:22:04Z S ", "2018-07-24T13:22:04Z SS", "2018-07-24T24:00:00Z S",
		"2018-06-30T23:59:60Z S", "2018-07-24T-3:22:04Z S", "2018-07-24T13:22:04 Z S", "２018-07-24T13:22:04Z S",
		"2018-13-24T13:22:04,000+0200 S", "2018-00-24T13:22:04,000+0200 S", "2018-07-32T13:22:04,000+0200 S", "2018-07-00T13:22:04,000+0200 S",
		"2018-02-29T13:22:04,000+0200 S", "2100-02-29T13:22:04,000+0200 S", "2018-04-31T13:22:04,000+0200 S", "2018-07-24T24:22:04,000+0200 S",
		"2018-07-24T13:60:04,000+0200 S", "2018-07-24T13:22:60,000+0200 S", "2018-07-24T13:22:04,000+0260 S", "2018-07-24T13:22:04,0a0+0200 S",
	} {
		if _, _, ok := parseTime(tm); ok {
			t.Errorf("accepted %q", tm)
		}
	}
}

// Forms of the field beside the standard's, each by the rule at parseTime.
func TestParseTimeOfTheField(t *testing.T) {
	for tm, want := range map[string]string{
		"2024-01-30T07:46:02,999+00:00 S":      "2024-01-30T07:46:02.999Z", // Zaptec
		"2024-01-30T07:46:02.962+00:00 S":      "2024-01-30T07:46:02.962Z", // ChargeX
		"2024-01-30T07:46:02.962+0000 S":       "2024-01-30T07:46:02.962Z",
		"2024-01-30T07:46:02+00:00 S":          "2024-01-30T07:46:02Z",
		"2024-01-30T07:46:02+0000 I":           "2024-01-30T07:46:02Z",
		"2024-01-30T07:46:02,5+01 S":           "2024-01-30T06:46:02.5Z",
		"2024-01-30T07:46:02.96+01:30 R":       "2024-01-30T06:16:02.96Z",
		"2024-01-30T07:46:02Z S":               "2024-01-30T07:46:02Z",
		"2024-01-30T07:46:02,123Z U":           "2024-01-30T07:46:02.123Z",
		"2024-01-30t07:46:02.123z S":           "2024-01-30T07:46:02.123Z",
		"2024-01-30T07:46:02-00:00 S":          "2024-01-30T07:46:02Z",
		"2024-01-30T07:59:59.999999Z S":        "2024-01-30T07:59:59.999Z", // never the next slot
		"2024-01-30T07:59:59,999999999+0000 S": "2024-01-30T07:59:59.999Z",
		"2024-01-30T07:46:02+14:00 S":          "2024-01-29T17:46:02Z",
		"2024-01-30T07:46:02-1400 S":           "2024-01-30T21:46:02Z",
		"2024-01-30T07:46:02+05:59 S":          "2024-01-30T01:47:02Z",
	} {
		at, err := time.Parse(time.RFC3339Nano, want)
		if err != nil {
			t.Fatal(err)
		}
		if ms, clock, ok := parseTime(tm); !ok || ms != at.UnixMilli() || clock != Clock(tm[len(tm)-1]) {
			t.Errorf("%s: %d %v %t, want %s", tm, ms, clock, ok, want)
		}
	}
}

// FuzzParseTime compares accepted texts with the standard library's parser, where that reads the same form.
func FuzzParseTime(f *testing.F) {
	f.Add("2024-01-30T07:46:02,999+00:00 S")
	f.Add("2024-01-30t07:46:02.5z U")
	f.Fuzz(func(t *testing.T, tm string) {
		ms, clock, ok := parseTime(tm)
		if !ok {
			return
		}
		if len(tm) < len("2024-01-30T07:46:02Z S") || len(tm) > len("2024-01-30T07:46:02,123456789+00:00 S") || Clock(tm[len(tm)-1]) != clock {
			t.Errorf("%q", tm)
		}
		text := strings.ToUpper(strings.ReplaceAll(tm[:len(tm)-2], ",", "."))
		for _, zone := range []string{"Z07:00", "Z0700", "Z07"} {
			if at, err := time.Parse("2006-01-02T15:04:05"+zone, text); err == nil && at.UnixMilli() != ms {
				t.Errorf("%q is %d, and by the standard library %d", tm, ms, at.UnixMilli())
			}
		}
	})
}

func TestWorseClock(t *testing.T) {
	const order = clocksWorstFirst
	for i := range len(order) {
		for j := range len(order) {
			if got := Clock(order[i]).worse(Clock(order[j])); got != Clock(order[min(i, j)]) {
				t.Errorf("of %c and %c the worse is %v", order[i], order[j], got)
			}
		}
	}
	for clock, want := range map[Clock]string{'U': "unsynchronised", 'I': "informative", 'R': "relative", 'S': "synchronised", 0: "unknown"} {
		if clock.String() != want {
			t.Errorf("%c is %v", clock, clock)
		}
	}
}

func TestParsePage(t *testing.T) {
	for text, want := range map[string]Page{
		"T0": {Transaction, 0}, "T12345": {Transaction, 12345}, "F7": {Fiscal, 7}, "T18446744073709551615": {Transaction, 1<<64 - 1},
	} {
		if got, err := parsePage(text); err != nil || got != want || got.String() != text {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "T", "5", "P1", "t1", "T01", "T00", "T-1", "T+1", "T1 ", " T1", "T1.0", "T18446744073709551616", "TT1"} {
		_, err := parsePage(text)
		if checkCode(t, err, CodePage); err == nil {
			t.Errorf("accepted %q", text)
		}
	}
}

func TestParseRegister(t *testing.T) {
	type want struct {
		energy      bool
		direction   Direction
		compensated bool
		lifetime    bool
		tariff      string
	}
	for code, w := range map[string]want{
		"1-0:1.8.0":         {true, Import, false, true, ""},
		"1-b:1.8.e":         {true, Import, false, true, ""},
		"1-0:1.8":           {true, Import, false, true, ""},
		"01-00:01.08.00.FF": {true, Import, false, true, ""},
		"01-0B:01.08.00*FF": {true, Import, false, true, ""},
		"1-0:1.8.0*255":     {true, Import, false, true, ""},
		"1-0:1.8.0*198":     {true, Import, false, false, ""}, // Bauer: since the begin of the transaction
		"1-0:1.8.2":         {true, Import, false, true, "2"},
		"1-0:2.8.0":         {true, Export, false, true, ""},
		"1-0:98.8.0.FF":     {true, Import, true, false, ""},
		"01-00:B0.08.00*FF": {true, Import, false, true, ""},
		"01-00:B1.08.00*FF": {true, Import, true, true, ""},
		"01-00:b2.08.00*ff": {true, Import, false, false, ""},
		"01-00:B3.08.00*FF": {true, Import, true, false, ""},
		"01-00:C0.08.00*FF": {true, Export, false, true, ""},
		"01-00:C1.08.00*FF": {true, Export, true, true, ""},
		"01-00:C2.08.00*FF": {true, Export, false, false, ""},
		"01-00:C3.08.00*FF": {true, Export, true, false, ""},
		"1-0:9E.8.0":        {true, Undirected, false, false, ""},
		"01-00:B4.08.00*FF": {false, Undirected, false, false, ""}, // reserved
		"1-b:1.9.0":         {false, Import, false, false, ""},     // not the energy register
		"1-0:1.7.0":         {false, Import, false, false, ""},     // power
		"01-00:00.08.06.FF": {false, Undirected, false, false, "6"},
		"7-0:1.8.0":         {false, Import, false, false, ""}, // gas
		"1-b":               {true, Undirected, false, false, ""},
		"":                  {true, Undirected, false, false, ""},
		"energy":            {true, Undirected, false, false, ""},
		"1-0:xy.8.0":        {true, Undirected, false, false, ""},
		"x-0:1.8.0":         {true, Undirected, false, false, ""},
		"1-x:1.8.0":         {true, Undirected, false, false, ""},
	} {
		r := parseRegister(code)
		got := want{r.Energy, r.Direction, r.Compensated, r.lifetime, r.tariff}
		if got != w || r.Code != code {
			t.Errorf("%q: %+v, want %+v", code, got, w)
		}
	}
}

func TestInheritance(t *testing.T) {
	p := payloadOf(t, `{"PG":"T1","RD":[
		{"TM":"2021-10-06T13:13:56,000+0200 R","TX":"B","RV":57.584,"RI":"1-0:1.8.0","RU":"kWh","EF":"t","ST":"G"},
		{"RV":"00004.405","RI":"1-0:2.8.0"},
		{"TM":"2021-10-06T13:15:13,000+0200 S","TX":"E","EF":null,"RV":5},
		{"EF":"","ST":"M"}]}`)
	if p.Fault != nil {
		t.Fatal(p.Fault)
	}
	first := int64(1633518836000)
	want := []Reading{
		{first, ClockRelative, 'B', parseRegister("1-0:1.8.0"), "kWh", mustDecimal(t, "57.584"), true, "t", "G"},
		{first, ClockRelative, 'B', parseRegister("1-0:2.8.0"), "kWh", mustDecimal(t, "4.405"), true, "t", "G"},
		{first + 77_000, ClockSynchronised, 'E', parseRegister("1-0:2.8.0"), "kWh", mustDecimal(t, "5"), true, "t", "G"},
		{first + 77_000, ClockSynchronised, 'E', parseRegister("1-0:2.8.0"), "kWh", Decimal{}, false, "", "M"}, // a value is never inherited
	}
	for i, r := range p.Readings {
		if !reflect.DeepEqual(r, want[i]) {
			t.Errorf("reading %d is\n%+v, want\n%+v", i+1, r, want[i])
		}
	}
}

func TestEnergyUnits(t *testing.T) {
	for unit, want := range map[string]string{"Wh": "1.5", "kWh": "1500", " kWh ": "1500", "kwh": "", "mWh": "", "MWh": "", "sec": "", "mOhm": "", "": ""} {
		p := payloadOf(t, `{"RD":[{"TM":"2021-10-06T13:13:56,000+0200 R","RV":1.5,"RU":"`+unit+`","ST":"G"}]}`)
		wh, ok := p.Readings[0].Energy()
		if ok != (want != "") || ok && wh.String() != want {
			t.Errorf("%q: %v, %t", unit, wh, ok)
		}
	}
}

func TestReadingFaults(t *testing.T) {
	good := `{"TM":"2021-10-06T13:13:56,000+0200 R","TX":"B","RV":1,"RI":"1-0:1.8.0","RU":"kWh","ST":"G"}`
	if p := payloadOf(t, `{"RD":[`+good+`]}`); p.Fault != nil {
		t.Fatal(p.Fault)
	}
	for _, text := range []string{
		`{}`, `{"RD":null}`, `{"RD":[]}`, `{"RD":{}}`, `{"RD":"x"}`, `{"RD":[1]}`, `{"RD":[[]]}`,
		`{"RD":[` + strings.Replace(good, "T13:", " 13:", 1) + `]}`,
		`{"RD":[` + strings.Replace(good, `"TM"`, `"XM"`, 1) + `]}`,
		`{"RD":[` + strings.Replace(good, `"TX":"B"`, `"TX":"Q"`, 1) + `]}`,
		`{"RD":[` + strings.Replace(good, `"TX":"B"`, `"TX":"BE"`, 1) + `]}`,
		`{"RD":[` + strings.Replace(good, `"TX":"B"`, `"TX":1`, 1) + `]}`,
		`{"RD":[` + strings.Replace(good, `"ST":"G"`, `"ST":true`, 1) + `]}`,
		`{"RD":[` + strings.Replace(good, `"RV":1`, `"RV":"1 000"`, 1) + `]}`,
		`{"RD":[` + strings.Replace(good, `"RV":1`, `"RV":"1,5"`, 1) + `]}`,
		`{"RD":[` + strings.Replace(good, `"RV":1`, `"RV":""`, 1) + `]}`,
		`{"RD":[` + strings.Replace(good, `"RV":1`, `"RV":true`, 1) + `]}`,
		`{"RD":[` + strings.Replace(good, `"RV":1`, `"RV":-1`, 1) + `]}`,
		`{"RD":[` + strings.Replace(good, `"RV":1`, `"RV":1e99`, 1) + `]}`,
		`{"RD":[` + good + `,` + strings.Replace(good, `"RV":1`, `"RV":[]`, 1) + `]}`,
	} {
		p := payloadOf(t, text)
		if checkCode(t, p.Fault, CodeReadings); p.Fault == nil {
			t.Errorf("no fault in %s", text)
		}
	}
}

func TestPayloadFields(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	p := payloadOf(t, `{"FV":1.0,"GS":"g","MS":"m","MV":"v","MM":"mm","CI":7,"CT":0,"IS":true,"IL":"TRUSTED","IT":"LOCAL","ID":"`+id+`","PG":"F3"}`)
	if p.FormatVersion != "1.0" || p.GatewaySerial != "g" || p.MeterSerial != "m" || p.ChargePoint != "7" || !p.Identified ||
		p.IdentificationLevel != "TRUSTED" || p.IdentificationType != "LOCAL" || p.Page != (Page{Fiscal, 3}) {
		t.Errorf("%+v", p)
	}
	if trade, ok := p.TradeID(); !ok || trade[0] != 0x01 || trade[31] != 0xef {
		t.Errorf("trade %x, %t", trade, ok)
	}
	for _, id := range []string{"", "23141b6bbb1707a53ac3428c8006e60b", strings.Repeat("xy", 32)} {
		p.Identification = id
		if trade, ok := p.TradeID(); ok {
			t.Errorf("%q is trade %x", id, trade)
		}
	}
}
