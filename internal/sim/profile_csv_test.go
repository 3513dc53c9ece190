package sim

import (
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
)

// measuredDay writes a file of n steps from a moment on.
func measuredDay(from string, step time.Duration, n int, sun, load string) string {
	at, err := time.Parse(time.RFC3339, from)
	if err != nil {
		panic(err)
	}
	var text strings.Builder
	text.WriteString("timestamp,pv,load\n")
	for i := range n {
		fmt.Fprintf(&text, "%s,%s,%s\n", at.Add(time.Duration(i)*step).Format(time.RFC3339), sun, load)
	}
	return text.String()
}

func TestReadProfilesOfAnyStep(t *testing.T) {
	t.Parallel()
	for minutes := 1; minutes <= 60; minutes++ {
		step := time.Duration(minutes) * time.Minute
		text := measuredDay("2026-06-14T22:17:00+02:00", step, int(27*time.Hour/step), "1000", "333.333333")
		profile, err := ReadProfiles(strings.NewReader(text), "test")
		if err != nil {
			t.Fatalf("step %s: %v", step, err)
		}
		sun, load := profile.Sun(SouthRoof, measuredPower), profile.Load(Dwelling, measuredAnnual)
		for slot := range SlotsPerDay {
			if sun[slot] != 250 || load[slot] < 83 || load[slot] > 84 {
				t.Fatalf("step %s slot %d: %d and %d Wh", step, slot, sun[slot], load[slot])
			}
		}
		if load.Sum() != 8000 {
			t.Errorf("step %s: the day's load is %d Wh, not 8000", step, load.Sum())
		}
		if got := profile.Start.Format(time.RFC3339); got != "2026-06-15T00:00:00+02:00" {
			t.Errorf("step %s: the day begins at %s", step, got)
		}
	}
}

func TestReadProfilesForms(t *testing.T) {
	t.Parallel()
	plain := measuredDay("2026-06-15T00:00:00Z", time.Hour, 24, "600", "1200")
	for name, text := range map[string]string{
		"plain":          plain,
		"byte order":     "\xef\xbb\xbf" + plain,
		"CRLF":           strings.ReplaceAll(plain, "\n", "\r\n"),
		"no last break":  strings.TrimSuffix(plain, "\n"),
		"space for T":    strings.ReplaceAll(strings.ReplaceAll(plain, "T0", " 0"), "T1", " 1"),
		"header":         strings.Replace(plain, "timestamp,pv,load", "Datetime, P_PV ,P_Load", 1),
		"columns turned": strings.ReplaceAll(strings.Replace(plain, "pv,load", "load,pv", 1), "600,1200", "1200,600"),
	} {
		profile, err := ReadProfiles(strings.NewReader(text), "test")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sun, load := profile.Sun(EastRoof, measuredPower), profile.Load(Business, measuredAnnual)
		if sun[40] != 150 || load[40] != 300 {
			t.Errorf("%s: %d and %d Wh", name, sun[40], load[40])
		}
	}
}

func TestReadProfilesRefusals(t *testing.T) {
	t.Parallel()
	day := measuredDay("2026-06-15T00:00:00Z", 30*time.Minute, 48, "600", "1200")
	line := func(n int, with string) string {
		lines := strings.Split(day, "\n")
		lines[n-1] = with
		return strings.Join(lines, "\n")
	}
	for _, test := range []struct{ name, text, says string }{
		{"empty", "", "line 1: the file is empty"},
		{"header only", "timestamp,pv,load\n", "ends after 0 lines"},
		{"one line", "timestamp,pv,load\n2026-06-15T00:00:00Z,1,2\n", "ends after 1 lines"},
		{"no header", strings.TrimPrefix(day, "timestamp,pv,load\n"), "line 1: the header"},
		{"semicolons", strings.ReplaceAll(day, ",", ";"), "separated by ';'"},
		{"two loads", strings.Replace(day, "pv,load", "load_a,load_b", 1), "two columns"},
		{"four columns", strings.Replace(day, "pv,load", "pv,load,grid", 1), "three columns"},
		{"UTF-16", "\xff\xfet\x00i\x00m\x00e\x00", "save it as UTF-8"},
		{"short line", line(5, "2026-06-15T01:30:00Z,1"), "line 5: it has 2 columns"},
		{"no offset", line(5, "2026-06-15T01:30:00,1,2"), "line 5: the timestamp"},
		{"no time", line(5, "yesterday,1,2"), "line 5: the timestamp"},
		{"fraction of a second", line(5, "2026-06-15T01:30:00.5Z,1,2"), "whole seconds"},
		{"negative PV", line(5, "2026-06-15T01:30:00Z,-1,2"), "line 5: the PV power \"-1\" is negative"},
		{"NaN", line(5, "2026-06-15T01:30:00Z,NaN,2"), "not a number of W"},
		{"inf", line(5, "2026-06-15T01:30:00Z,1,+Inf"), "not a number of W"},
		{"exponent", line(5, "2026-06-15T01:30:00Z,1e3,2"), "not a number of W"},
		{"point alone", line(5, "2026-06-15T01:30:00Z,.,2"), "not a number of W"},
		{"missing figure", line(5, "2026-06-15T01:30:00Z,,2"), "line 5: the PV power \"\" is missing"},
		{"too much", line(5, "2026-06-15T01:30:00Z,10000001,2"), "is the unit W?"},
		{"far too much", line(5, "2026-06-15T01:30:00Z,99999999999999999999999,2"), "is the unit W?"},
		{"twice", line(5, "2026-06-15T01:00:00Z,1,2"), "line 5: the timestamp 2026-06-15T01:00:00Z stands there twice"},
		{"backwards", line(5, "2026-06-15T00:45:00Z,1,2"), "line 5: the timestamp 2026-06-15T00:45:00Z is earlier"},
		{"gap", line(5, "2026-06-15T02:00:00Z,1,2"), "line 5: 1h0m0s passed since the line before, not 30m0s"},
		{"step too long", measuredDay("2026-06-15T00:00:00Z", 2*time.Hour, 24, "1", "1"), "the step is 2h0m0s"},
		{"step too short", measuredDay("2026-06-15T00:00:00Z", 30*time.Second, 24, "1", "1"), "the step is 30s"},
		{"no full day", measuredDay("2026-06-15T00:30:00Z", 30*time.Minute, 94, "1", "1"), "needs one full day"},
		{"open quote", line(5, "\"2026"), "line 5"},
	} {
		_, err := ReadProfiles(strings.NewReader(test.text), "test")
		var refused *ProfileError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v; wanted it to say %q", test.name, err, test.says)
		}
	}
	huge := "timestamp,pv,load\n" + strings.Repeat(" ", maxProfileBytes)
	if _, err := ReadProfiles(strings.NewReader(huge), "test"); err == nil || !strings.Contains(err.Error(), "more than 32 MiB") {
		t.Errorf("a huge file: %v", err)
	}
}

// TestReadProfilesOfARealHouse compares with a calculation in floating point of our own.
func TestReadProfilesOfARealHouse(t *testing.T) {
	t.Parallel()
	const name = "emhass_house_pv_load_30min.csv"
	rows, err := csv.NewReader(openShared(t, name)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var sun, load float64
	for _, row := range rows[1:] {
		if !strings.HasPrefix(row[0], "2022-05-08") {
			continue
		}
		pv, _ := strconv.ParseFloat(row[1], 64)
		drawn, _ := strconv.ParseFloat(row[2], 64)
		sun, load = sun+pv/2, load+drawn/2
	}
	profile, err := ReadProfiles(openShared(t, name), name)
	if err != nil {
		t.Fatal(err)
	}
	gotSun, gotLoad := profile.Sun(EastRoof, measuredPower), profile.Load(Dwelling, measuredAnnual)
	if float64(gotSun.Sum()) != math.Round(sun) || float64(gotLoad.Sum()) != math.Round(load) {
		t.Errorf("%d and %d Wh, computed %.1f and %.1f", gotSun.Sum(), gotLoad.Sum(), sun, load)
	}
}

func FuzzReadProfiles(f *testing.F) {
	f.Add(measuredDay("2026-06-14T23:00:00+02:00", time.Hour, 26, "600.5", "1200.25"))
	f.Add(measuredDay("2026-06-15T00:00:00Z", 7*time.Minute, 220, "0", "9999999.999999"))
	f.Add("timestamp;pv;load\n")
	f.Add("\xef\xbb\xbftime,load,pv\r\n2026-06-15 00:00:00-12:00,1,2\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		profile, err := ReadProfiles(strings.NewReader(text), "fuzz")
		if err != nil {
			var refused *ProfileError
			if !errors.As(err, &refused) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		for _, day := range []Day{profile.Sun(WestRoof, measuredPower), profile.Load(Dwelling, measuredAnnual)} {
			for slot, wh := range day {
				if wh > maxWatts/4+1 {
					t.Fatalf("slot %d: %d Wh", slot, wh)
				}
			}
		}
		if clock := profile.Start; clock.Hour()+clock.Minute()+clock.Second() != 0 {
			t.Fatalf("the day begins at %s", clock)
		}
	})
}
