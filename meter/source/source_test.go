package source

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func load(t testing.TB, text string) *Config {
	t.Helper()
	c, err := Load([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return c
}

// collect runs a source that ends by itself.
func collect(t testing.TB, text string) (readings []Reading, err error) {
	t.Helper()
	err = Open(load(t, text), quiet()).Run(t.Context(), func(r Reading) { readings = append(readings, r) })
	return readings, err
}

// Each template has an example message, and finds the numbers in it.
func TestTemplates(t *testing.T) {
	t.Parallel()
	names := Templates()
	for _, want := range []string{"evcc", "home-assistant", "tasmota", "shelly", "esphome", "zigbee2mqtt", "fronius", "sma", "victron"} {
		if !slices.Contains(names, want) {
			t.Errorf("no template %s in %q", want, names)
		}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			template, err := ReadTemplate(name)
			if err != nil {
				t.Fatal(err)
			}
			if template.Title == "" || !strings.HasPrefix(template.Source, "https://") || len(template.Examples) == 0 {
				t.Errorf("a template needs a title, a source and an example: %+v", template)
			}
			text := "template: " + name + "\nwith: {"
			for parameter, value := range template.Parameters {
				if value == "" {
					text += parameter + ": example, "
				}
			}
			c := load(t, text+"}\n")
			if c.Type == "modbus" {
				return // read from the simulator's registers
			}
			found := map[string]bool{}
			for _, example := range template.Examples {
				var values []*Value
				for i := range c.Values {
					if c.Type == "http" || matches(c.Values[i].Topic, example.Topic) {
						values = append(values, &c.Values[i])
					}
				}
				got := map[string]string{}
				Open(c, quiet()).message(values, []byte(example.Message), false, func(r Reading) { got[r.Value] = r.Number.String() })
				if fmt.Sprint(got) != fmt.Sprint(example.Means) {
					t.Errorf("%s %s means %v, want %v", example.Topic, example.Message, got, example.Means)
				}
				for value := range got {
					found[value] = true
				}
			}
			if name != "home-assistant" && name != "esphome" && name != "victron" && len(found) != len(c.Values) {
				t.Errorf("the examples have %v of %d values", found, len(c.Values))
			}
		})
	}
}

func TestConfigFaults(t *testing.T) {
	t.Parallel()
	const good = "type: mqtt\nbroker: mqtt://localhost\nvalues:\n- {name: a, measures: energy, direction: import, unit: kWh, topic: x}\n"
	load(t, good)
	for text, says := range map[string]string{
		"":                               "empty",
		"type: [":                        "can't be read",
		good + "strange: 1\n":            "line 5: field strange not found",
		good + "---\ntype: csv\n":        "second document",
		"template: nothing\n":            "none of esphome",
		"template: tasmota\n":            "needs the parameter device",
		"template: evcc\nwith: {x: y}\n": "no parameter \"x\"",
		"with: {x: y}\n":                 "no template is named",
		"values: []\n":                   "type is not given",
		"type: fax\n":                    "none of mqtt",
		strings.Replace(good, "mqtt://localhost", "localhost", 1):                  "not an address",
		strings.Replace(good, "mqtt://localhost", "mqtt://a:b@c", 1):               "password in it",
		strings.Replace(good, "mqtt://localhost", "http://localhost", 1):           "not an address",
		strings.Replace(good, "unit: kWh", "unit: W", 1):                           "unit \"W\" is none of energy",
		strings.Replace(good, "unit: kWh", "unit: kWh, scale: 0", 1):               "scale",
		strings.Replace(good, "unit: kWh", "unit: kWh, path: 'a..b'", 1):           "path",
		strings.Replace(good, "unit: kWh", "unit: kWh, serial: '[x]'", 1):          "path",
		strings.Replace(good, "measures: energy", "measures: heat", 1):             "neither energy nor power",
		strings.Replace(good, "direction: import", "direction: net", 1):            "neither import nor export",
		strings.Replace(good, ", topic: x", "", 1):                                 "topic is not given",
		strings.Replace(good, "name: a", "name: ''", 1):                            "name of its own",
		good + "- {name: a, measures: power, direction: net, unit: W, topic: y}\n": "name of its own",
		good + "version: '4'\n":                                "neither 5 nor 3.1.1",
		good + "every: 1ms\n":                                  "every",
		good + "max_gap: 1s\n":                                 "max_gap",
		good + "max_power: none\n":                             "max_power",
		strings.Replace(good, "type: mqtt", "type: modbus", 1): "host:port",
		strings.Replace(good, "type: mqtt", "type: modbus\naddress: 'a:502'", 1):                                                                          "register or sunspec",
		strings.Replace(good, "type: mqtt", "type: http\nurl: http://a", 1):                                                                               "path is not given",
		strings.Replace(good, "type: mqtt", "type: csv", 1):                                                                                               "file is not given",
		strings.Replace(good, "type: mqtt", "type: csv\nfile: a\ncomma: ', '", 1):                                                                         "one character",
		strings.Replace(good, "type: mqtt", "type: csv\nfile: a", 1):                                                                                      "column is not given",
		"type: modbus\naddress: 'a:502'\nvalues:\n- {name: a, measures: power, direction: net, unit: W, sunspec: Hz}\n":                                   "none of W, WH",
		"type: modbus\naddress: 'a:502'\nvalues:\n- {name: a, measures: power, direction: net, unit: W, register: {address: 1, type: int8}}\n":            "register type",
		"type: modbus\naddress: 'a:502'\nvalues:\n- {name: a, measures: power, direction: net, unit: W, register: {address: 70000, type: int16}}\n":       "cannot unmarshal",
		"type: modbus\naddress: 'a:502'\nvalues:\n- {name: a, measures: power, direction: net, unit: W, register: {address: 1, type: int16, table: x}}\n": "register table",
		"type: modbus\naddress: 'a:502'\nvalues:\n- {name: a, measures: power, direction: net, unit: W, register: {address: 1, type: int16, words: x}}\n": "register words",
	} {
		if c, err := Load([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, %+v; want %q", text, err, c, says)
		}
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	tree, err := parseMessage([]byte(`{"a":{"b":[1,{"c.d":"2.50","e":null,"f":true}],"em:0":3e2}}`))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"a.b[0]": "1", `a.b[1]["c.d"]`: "2.50", "a.em:0": "3e2", `["a"]["em:0"]`: "3e2",
		"a.b[2]": "absent", "a.x": "absent", "a.b.x": "absent", "a.b[1].e": "absent", "a[0]": "absent", "a.b[0].c": "absent", "a.b[1].f": "no number", "a": "no number",
	} {
		p, err := parsePath(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.in(tree)
		if err == errAbsent { //nolint:errorlint // the sentinel itself
			got = "absent"
		} else if err != nil {
			got = "no number"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	for _, text := range []string{".", "a.", "a..b", "[", "[]", "[-1]", "[x]", "a[0", `["a]`, "a.[0]", strings.Repeat("a.", 40) + "a"} {
		if p, err := parsePath(text); err == nil {
			t.Errorf("%q is %v", text, p)
		}
	}
	for text, want := range map[string]int64{
		"2026-03-01T08:00:00Z": 1_772_352_000_000, "2026-03-01T09:00:00.5+01:00": 1_772_352_000_500, "1772352000": 1_772_352_000_000, "1772352000.25": 1_772_352_000_250,
		"1772352000123": 1_772_352_000_123, "100000000000": 100_000_000_000, "99999999999": 99_999_999_999_000,
		"": -1, "-5": -1, "yesterday": -1, "1772352000.x": -1, "99999999999999999999": -1,
	} {
		if got, err := parseTime(text); got != want && (want != -1 || err == nil) {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestTopicFilters(t *testing.T) {
	t.Parallel()
	for pair, want := range map[[2]string]bool{
		{"a/b", "a/b"}: true, {"a/+", "a/b"}: true, {"a/#", "a/b/c"}: true, {"a/#", "a"}: true, {"#", "a/b"}: true, {"+/b", "a/b"}: true,
		{"a/b", "a/b/c"}: false, {"a/+", "a/b/c"}: false, {"a/b/c", "a/b"}: false, {"a/+", "b/b"}: false, {"#", "$SYS/x"}: false, {"+/x", "$SYS/x"}: false,
	} {
		if got := matches(pair[0], pair[1]); got != want {
			t.Errorf("%q matches %q: %t", pair[0], pair[1], got)
		}
	}
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	var answers []string
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answers = append(answers, r.Header.Get("Authorization"))
		w.WriteHeader(status)
		fmt.Fprint(w, `{"meter":{"id":"M1","total":12.5,"at":1772352000},"power":-3.25}`)
	}))
	defer server.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := "type: http\nurl: " + server.URL + "\nevery: 1s\ntoken_file: " + token + `
values:
- {name: total, measures: energy, direction: import, unit: kWh, path: meter.total, serial: meter.id, time: meter.at}
- {name: power, measures: power, direction: net, unit: kW, scale: "-1", path: power}
- {name: none, measures: power, direction: net, unit: kW, path: nothing}
`
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	var readings []Reading
	if err := Open(load(t, text), quiet()).Run(ctx, func(r Reading) {
		if readings = append(readings, r); len(readings) == 4 {
			stop()
		}
	}); err != nil {
		t.Fatal(err)
	}
	total, power := readings[0], readings[1]
	if total.Number.String() != "12500" || total.Meter != "M1" || total.At != 1_772_352_000_000 || !total.Own || power.Number.String() != "3250" || power.Own || answers[0] != "Bearer secret" {
		t.Errorf("%+v, %q", readings, answers)
	}
	if err := os.Chmod(token, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := collect(t, text); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a token that others can read: %v", err)
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "house.csv")
	config := func(extra string) string {
		return "type: csv\nfile: " + path + "\n" + extra + `
values:
- {name: import, measures: energy, direction: import, unit: kWh, column: import}
- {name: power, measures: power, direction: net, unit: W, column: "net power"}
`
	}
	for name, c := range map[string]struct{ table, extra, says, want string }{
		"plain":         {"time,import,net power\n2026-03-01T08:00:00Z,1.5,-20\n2026-03-01T08:15:00Z,,30\n", "", "", "import 1500 0; power -20 0; power 30 900; "},
		"Excel's":       {"\ufefftime;net power;import\r\n1772352000;1;2\r\n", "comma: ';'", "", "import 2000 0; power 1 0; "},
		"own column":    {"at,import,net power\n1772352000,1,2\n", "time_column: at", "", "import 1000 0; power 2 0; "},
		"no column":     {"time,power\n1772352000,1\n", "", "no column \"import\"", ""},
		"no number":     {"time,import,net power\n1772352000,1,much\n", "", "line 2: \"much\" is not a number", "import 1000 0; "},
		"no time":       {"time,import,net power\n\nsoon,1,1\n", "", "line 3: \"soon\" is not a time", ""},
		"short row":     {"time,import,net power\n1772352000\n", "", "wrong number of fields", ""},
		"empty":         {"", "", "no header", ""},
		"decimal comma": {"time;import;net power\n1772352000;1,5;1\n", "comma: ';'", "\"1,5\" is not a number", ""},
	} {
		if err := os.WriteFile(path, []byte(c.table), 0o600); err != nil {
			t.Fatal(err)
		}
		readings, err := collect(t, config(c.extra))
		got := ""
		for _, r := range readings {
			got += fmt.Sprintf("%s %v %d; ", r.Value, r.Number, r.At/1000-1_772_352_000)
		}
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) || got != c.want {
			t.Errorf("%s: %q, %v; want %q, %q", name, got, err, c.want, c.says)
		}
	}
}

func TestOCMFFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "records")
	record := `OCMF|{"FV":"1.0","GS":"G","PG":"T1","MS":"M","RD":[{"TM":"2026-03-01T08:00:00,000+0000 S","TX":"B","RV":1.5,"RI":"1-0:1.8.0","RU":"kWh","ST":"G"},` +
		`{"TM":"2026-03-01T08:00:00,000+0000 S","TX":"B","RV":7,"RI":"1-0:2.8.0","RU":"kWh","ST":"G"},{"TM":"2026-03-01T08:10:00,000+0000 S","TX":"E","RV":2,"RI":"1-0:1.8.0","RU":"kWh","ST":"G"}]}|{"SD":"00"}`
	if err := os.WriteFile(path, []byte(record+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	readings, err := collect(t, "type: ocmf\nfile: "+path+"\nvalues:\n- {name: in, measures: energy, direction: import, unit: Wh}\n- {name: out, measures: energy, direction: export, unit: Wh, obis: '1-0:2.8.0'}\n")
	if err != nil || len(readings) != 3 || readings[0].Number.String() != "1500" || readings[1].Number.String() != "2000" || readings[2].Value != "out" ||
		readings[2].Number.String() != "7000" || readings[0].Meter != "M" || string(readings[0].Record) != record || readings[1].At-readings[0].At != 600_000 {
		t.Errorf("%+v, %v", readings, err)
	}
	if err := os.WriteFile(path, []byte("rubbish\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := collect(t, "type: ocmf\nfile: "+path+"\nvalues:\n- {name: in, measures: energy, direction: import, unit: Wh}\n"); err == nil || !strings.Contains(err.Error(), "record 1") {
		t.Error(err)
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte("type: mqtt\nbroker: mqtt://localhost\nvalues:\n- {name: a, measures: energy, direction: import, unit: kWh, topic: x, path: 'a[0].b'}\n"))
	f.Add([]byte("template: tasmota\nwith: {device: x}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if c, err := Load(text); (c == nil) != (err != nil) {
			t.Errorf("%v, %v", c, err)
		}
	})
}

func FuzzMessage(f *testing.F) {
	f.Add([]byte(`{"a":{"b":[1.5]},"t":"2026-03-01T08:00:00Z","s":"M"}`), "a.b[0]")
	f.Add([]byte(`12.5`), "")
	f.Fuzz(func(t *testing.T, message []byte, text string) {
		c := &Config{
			Type: "mqtt", Broker: "mqtt://localhost",
			Values: []Value{{Name: "v", Measures: Energy, Direction: Import, Unit: "kWh", Topic: "x", Path: text, Serial: "s", Time: "t"}},
		}
		if c.Check() != nil {
			return
		}
		series := c.NewSeries(&c.Values[0], 15*time.Minute)
		s := Open(c, quiet())
		for range 2 {
			s.message([]*Value{&c.Values[0]}, message, false, func(r Reading) { r.At += int64(len(message)); series.Take(r) })
		}
	})
}

func FuzzRegisters(f *testing.F) {
	f.Add(uint16(0x7fc0), uint16(1), uint16(2), uint16(3))
	f.Fuzz(func(t *testing.T, a, b, c, d uint16) {
		for kind, count := range words {
			raw := []uint16{a, b, c, d}[:count]
			if number, err := decodeRegisters(raw, kind); err == nil && number == nil && !strings.HasPrefix(kind, "float") {
				t.Errorf("%s %x is nothing", kind, raw)
			}
		}
	})
}
