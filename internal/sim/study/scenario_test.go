package study

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func written(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestScenarioFaults: each fault is told with its line and its value.
func TestScenarioFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"households: 3\nrooofs: {share: 3}\n":                        `line 2: there is no "rooofs"`,
		"roofs:\n  share: 30\n  wats: {from: 1, to: 2}\n":            `line 3: there is no "wats"`,
		"households: many\n":                                         "line 1: cannot unmarshal",
		"\nhouseholds: 1\n":                                          "line 2: households 1: choose 2 to 10000",
		"slots: 0\n":                                                 "line 1: slots 0: choose 1 to 3840",
		"season: spring\n":                                           `line 1: season "spring": choose summer or winter`,
		"cars:\n  share: 10\n  until: '25:00'\n":                     `line 3: cars.until "25:00"`,
		"cars:\n  share: 10\n  until: '7:00'\n":                      `line 3: cars.until "7:00"`,
		"offline:\n  from: '12:05'\n":                                `line 2: offline.from "12:05"`,
		"cheats:\n  withheld: 101\n":                                 "line 2: cheats.withheld 101: a share is a percentage",
		"use: {from: 9, to: 8}\n":                                    "line 1: use from 9 to 8",
		"tariffs:\n  buy: {from: 20, to: 51}\n":                      "line 2: tariffs.buy from 20 to 51",
		"roofs:\n  facing: [north]\n":                                `line 2: roofs.facing "north"`,
		"roofs:\n  facing: []\n":                                     "line 2: roofs.facing is empty",
		"rules: [uniform, lottery]\n":                                `line 1: rules "lottery": choose from uniform`,
		"batteries: {watts: 0}\n":                                    "batteries.watts 0",
		"clouds:\n- {from: '10:00', until: '11:00', remains: 101}\n": "clouds.remains 101",
		"restarts:\n- {at: '10:00', minutes: 1441}\n":                "restarts.minutes 1441",
		"town: true\nprofiles: houses.csv\n":                         "town and profiles: choose one",
		"name: \"a\\e[2J\"\n":                                        `line 1: name "a\x1b[2J": choose 1 to 64 bytes`,
		"households: 3\n---\nhouseholds: 4\n":                        "more than one document",
		"a: [\n":                                                     "line",
	} {
		_, err := Read(written(t, "s.yaml", text))
		var fault *Error
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if s, err := Read(written(t, "empty.yaml", "# nothing\n")); err != nil || s.Households != Default().Households || s.Name != "empty" {
		t.Errorf("an empty file: %+v, %v", s, err)
	}
}

const twoHouses = `house,time,use_wh,sun_wh
Elm,2026-06-15T11:45:00+02:00,100,0
Roof,2026-06-15T11:45:00+02:00,50,600
Elm,2026-06-15T12:00:00+02:00,120,0
Roof,2026-06-15T12:00:00+02:00,60,700
`

// TestProfiles: houses are read in the order of the file, with the time of day at which they begin; each fault has its line.
func TestProfiles(t *testing.T) {
	t.Parallel()
	s := Default()
	s.Profiles, s.Households, s.Slots, s.Cheats = written(t, "houses.csv", twoHouses), 2, 2, Cheats{From: "12:00"}
	houses, begin, err := s.houses()
	if err != nil {
		t.Fatal(err)
	}
	if elm, roof := houses[0], houses[1]; begin != 47 || elm.name != "Elm" || elm.roof || !roof.roof || elm.need[1] != 120 || roof.surplus[0] != 550 || roof.fed[1] != 640 {
		t.Errorf("from %d: %+v, %+v", begin, houses[0], houses[1])
	}
	r, err := Run(s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, r)
	if r.Traded != 220 || r.Prices[0].Clock != "11:45" {
		t.Errorf("%d Wh are traded: %+v", r.Traded, r.Prices)
	}
	for _, test := range []struct{ old, new, want string }{
		{"house,time,use_wh,sun_wh", "house,time,use", "line 1: the first line must name the columns house,time,use_wh,sun_wh"},
		{"Elm,2026-06-15T12:00:00+02:00,120,0", "Elm,2026-06-15T12:00:00+02:00,120", "line 4: it has 3 columns, not 4"},
		{"Elm,2026-06-15T12:00:00+02:00", "Elm,2026-06-15T12:15:00+02:00", "line 4: the quarter-hours of a house must follow each other: 2026-06-15T12:00:00+02:00 is next"},
		{"Elm,2026-06-15T12:00:00+02:00", "Elm,2026-06-15 12:00", "line 4: the time \"2026-06-15 12:00\" can't be read"},
		{"Elm,2026-06-15T11:45:00+02:00", "Elm,2026-06-15T11:50:00+02:00", "line 2: the time \"2026-06-15T11:50:00+02:00\" is not the begin"},
		{",120,0", ",-1,0", "line 4: the energy \"-1\""},
		{",120,0", ",1000001,0", "line 4: the energy \"1000001\""},
		{"Roof,2026-06-15T12:00:00+02:00,60,700\n", "", "house \"Roof\" has other quarter-hours than \"Elm\""},
		{"Elm,2026", ",2026", "line 2: a house needs a name"},
		{"Elm,2026", "=1+1,2026", "line 2: the name \"=1+1\" of a house must begin with a letter or a digit"},
		{"Elm,2026", "El\x1b[2Jm,2026", "line 2: the name \"El\\x1b[2Jm\" of a house must have at most 64 bytes that are all seen"},
	} {
		s.Profiles = written(t, "bad.csv", strings.Replace(twoHouses, test.old, test.new, 1))
		_, _, err := s.houses()
		var fault *Error
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v, want %q", test.new, err, test.want)
		}
	}
	s.Profiles = written(t, "houses.csv", twoHouses)
	for _, edit := range []func(*Scenario){func(s *Scenario) { s.Households = 3 }, func(s *Scenario) { s.Slots = 3 }} {
		other := s
		edit(&other)
		var fault *Error
		if _, _, err := other.houses(); !errors.As(err, &fault) {
			t.Errorf("more than the file has: %v", err)
		}
	}
}

func FuzzProfiles(f *testing.F) {
	f.Add([]byte(twoHouses))
	f.Fuzz(func(t *testing.T, text []byte) {
		houses, err := parseProfiles(text)
		if err == nil && (len(houses) == 0 || len(houses[0].use) == 0 || len(houses[0].use) != len(houses[0].sun)) {
			t.Errorf("%d houses", len(houses))
		}
	})
}

// TestDevices: the energy of a device is spread over its hours, over midnight too, and none of it comes or goes.
func TestDevices(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		from, until string
		begin       int
		first, last int // of the quarter-hours of the day that get some
	}{{"18:00", "24:00", 0, 72, 95}, {"22:00", "02:00", 0, 88, 7}, {"00:00", "24:00", 10, 0, 95}} {
		use := make([]uint64, 96)
		(&Load{From: test.from, Until: test.until}).add(use, test.begin, 10_001)
		var sum uint64
		for n, wh := range use {
			sum += wh
			q := (test.begin + n) % 96
			inside := test.first <= q && q <= test.last
			if test.first > test.last {
				inside = q >= test.first || q <= test.last
			}
			if inside != (wh > 0) {
				t.Errorf("%s to %s: %d Wh at %d", test.from, test.until, wh, q)
			}
		}
		if sum != 10_001 {
			t.Errorf("%s to %s: %d Wh in all", test.from, test.until, sum)
		}
	}
}

// TestBattery: the energy of a battery comes out again or stays, within its power and its capacity.
func TestBattery(t *testing.T) {
	t.Parallel()
	s := Default()
	s.Slots, s.Batteries = 6, Battery{Share: 100, Capacity: Range{1000, 1000}, Power: 2000}
	h := &house{roof: true, use: []uint64{0, 0, 0, 700, 700, 700}, sun: []uint64{400, 600, 300, 0, 0, 0}}
	s.balance(chanceOf(1), h)
	if want := []uint64{0, 100, 200, 0, 0, 0}; !equal(h.surplus, want) {
		t.Errorf("surplus %v, want %v", h.surplus, want)
	}
	if want := []uint64{0, 0, 0, 200, 200, 700}; !equal(h.need, want) {
		t.Errorf("need %v, want %v", h.need, want)
	}
}
