package source

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lockstep/meter"
)

func decimal(t testing.TB, text string) meter.Decimal {
	t.Helper()
	d, err := meter.ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// series reads a story of a series of one value: each line a time in seconds, a number, and marks: "@steady", "#serial", "retained",
// "own". It returns the events in order, and the slots of 100 seconds.
func play(t testing.TB, measures Quantity, direction Direction, story string) (events []string, slots string) {
	t.Helper()
	c := &Config{MaxGap: 60 * time.Second, MaxPower: "36000"} // 10 Wh a second
	s := c.NewSeries(&Value{Measures: measures, Direction: direction}, 100*time.Second)
	for line := range strings.SplitSeq(story, ";") {
		fields := strings.Fields(line)
		var at int64
		if _, err := fmt.Sscan(fields[0], &at); err != nil {
			t.Fatal(err)
		}
		r := Reading{At: at * 1000, Steady: at * 1000, Number: decimal(t, fields[1])}
		for _, mark := range fields[2:] {
			switch {
			case mark[0] == '@':
				if _, err := fmt.Sscan(mark[1:], &r.Steady); err != nil {
					t.Fatal(err)
				}
				r.Steady *= 1000
			case mark[0] == '#':
				r.Meter = mark[1:]
			case mark == "retained":
				r.Retained = true
			case mark == "own":
				r.Own = true
			}
		}
		events = append(events, string(s.Take(r)))
	}
	var b strings.Builder
	for _, sum := range s.Slots() {
		fmt.Fprintf(&b, "%d: %s/%s %ds", sum.From/1000, sum.Import.RatString(), sum.Export.RatString(), sum.Covered/1000)
		if sum.Estimated {
			b.WriteString(" estimated")
		}
		if sum.Incomplete {
			b.WriteString(" incomplete")
		}
		if sum.Complete() {
			b.WriteString(" complete")
		}
		b.WriteString("; ")
	}
	return events, strings.TrimSuffix(b.String(), "; ")
}

func TestSeriesRules(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		measures  Quantity
		direction Direction
		story     string
		events    string
		slots     string
	}{
		"register":                {Energy, Import, "0 1000;50 1100;100 1150", ",,", "0: 150/0 100s complete"},
		"register over a bound":   {Energy, Export, "80 1000;120 1030", ",", "0: 0/15 20s; 100: 0/15 20s"},
		"thirds stay exact":       {Energy, Import, "70 0;130 1", ",", "0: 1/2/0 30s; 100: 1/2/0 30s"},
		"power holds":             {Power, Import, "0 3600;50 7200;100 0", ",,", "0: 150/0 100s complete"},
		"power net":               {Power, Net, "0 3600;50 -3600;100 0", ",,", "0: 50/50 100s complete"},
		"power of the other way":  {Power, Export, "0 3600;50 -7200;100 0", ",,", "0: 0/50 100s complete"},
		"power export":            {Power, Export, "0 3600;50 3600", ",", "0: 0/50 50s"},
		"duplicate":               {Energy, Import, "0 1000;50 1100;50 1100;50 1200;60 1110", ",,duplicate,duplicate,", "0: 110/0 60s"},
		"late":                    {Energy, Import, "0 1000;50 1100 own;40 1090 own;60 1110 own", ",,late,", "0: 110/0 60s"},
		"late power":              {Power, Import, "0 3600;50 3600 own;40 7200 own;60 0 own", ",,late,", "0: 60/0 60s"},
		"gap of a register":       {Energy, Import, "0 1000;161 1161", ",gap", "0: 100/0 100s estimated; 100: 61/0 61s estimated"},
		"no gap yet":              {Energy, Import, "0 1000;60 1160", ",", "0: 160/0 60s"},
		"gap of a power":          {Power, Import, "0 3600;170 3600;180 0", ",gap,", "0: 60/0 60s incomplete; 100: 10/0 10s incomplete"},
		"no gap of a power yet":   {Power, Import, "0 3600;60 0", ",", "0: 60/0 60s"},
		"reset":                   {Energy, Import, "0 1000;50 1100;60 2;70 12", ",,waiting,reset", "0: 110/0 60s incomplete"},
		"glitch down":             {Energy, Import, "0 1000;50 1100;60 2;70 1120", ",,waiting,glitch", "0: 120/0 70s"},
		"glitch up":               {Energy, Import, "0 1000;50 1100;60 9999;70 1120", ",,waiting,glitch", "0: 120/0 70s"},
		"as fast as believed":     {Energy, Import, "0 1000;10 1100", ",", "0: 100/0 10s"},
		"a bit too fast":          {Energy, Import, "0 1000;10 1100.001", ",waiting", ""},
		"jitter counts once":      {Energy, Import, "0 1000;10 1010;20 1009;30 1011;40 1010;50 1012", ",,waiting,glitch,waiting,glitch", "0: 12/0 50s"},
		"reset after two guesses": {Energy, Import, "0 1000;50 1100;60 7;70 3;80 4", ",,waiting,waiting,reset", "0: 101/0 60s incomplete"},
		"exchange by its number":  {Energy, Import, "0 1000 #A;50 1100 #A;60 1110 #B;70 1120 #B", ",,exchange,", "0: 110/0 60s incomplete"},
		"clock ahead, register":   {Energy, Import, "0 1000;10 1010;320 1020 @20;330 1030 @30", ",,clock,", "0: 10/0 10s; 300: 20/0 10s estimated"},
		"clock back, register":    {Energy, Import, "300 1000 @0;310 1010 @10;20 1020 @20;30 1030 @30", ",,clock,", "0: 20/0 10s estimated; 300: 10/0 10s"},
		"clock ahead, power":      {Power, Import, "0 3600;10 3600;320 3600 @20;330 0 @30", ",,clock,", "0: 10/0 10s incomplete; 300: 10/0 10s incomplete"},
		"drift is no step":        {Power, Import, "0 3600;10 3600 @12;20 0 @22", ",,", "0: 20/0 20s"},
		"own time never steps":    {Power, Import, "0 3600 own @0;10 3600 own @50;20 0 own @51", ",,", "0: 20/0 20s"},
		"retained":                {Power, Import, "0 9999 retained;10 3600;20 0", "retained,,", "0: 10/0 10s"},
		"before 1970":             {Energy, Import, "-50 0;50 100", ",gap", "-100: 50/0 50s estimated; 0: 50/0 50s estimated"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events, slots := play(t, c.measures, c.direction, c.story)
			if got := strings.Join(events, ","); got != c.events || slots != c.slots {
				t.Errorf("events %q, want %q\nslots %s\nwant  %s", got, c.events, slots, c.slots)
			}
		})
	}
}

// Single wrong values never make a register count for more than its rise; the sums of the slots are that rise exactly if all readings
// are regular.
func TestSeriesNeverCountsTwice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := &Config{MaxGap: time.Minute, MaxPower: "100000"}
		s := c.NewSeries(&Value{Measures: Energy, Direction: Import}, 100*time.Second)
		at, wh, base := int64(0), int64(0), int64(0)
		regular, event := true, "good"
		for i := range rapid.IntRange(2, 60).Draw(t, "readings") {
			at += rapid.Int64Range(1, 40).Draw(t, "seconds")
			wh += rapid.Int64Range(0, 20).Draw(t, "Wh")
			if i == 0 {
				base = wh
			}
			number, last := wh, event
			if event = "good"; i > 0 && last == "good" {
				event = rapid.SampledFrom([]string{"good", "good", "good", "fall", "jump", "late"}).Draw(t, "event")
			}
			moment := at
			switch event {
			case "fall":
				number = rapid.Int64Range(0, wh).Draw(t, "fallen")
			case "jump":
				number += 1_000_000
			case "late":
				moment -= 10_000
			}
			regular = regular && event == "good"
			n, err := meter.ParseDecimal(fmt.Sprint(number))
			if err != nil {
				t.Fatal(err)
			}
			s.Take(Reading{At: moment * 1000, Steady: moment * 1000, Own: true, Number: n})
		}
		exact := rational(meter.Decimal{})
		for _, slot := range s.Slots() {
			exact.Add(exact, slot.Import)
		}
		if rise := big.NewRat(wh-base, 1); event == "good" && exact.Cmp(rise) > 0 || regular && exact.Cmp(rise) != 0 {
			t.Fatalf("%s Wh counted of %d", exact.RatString(), wh-base)
		}
	})
}

// A series keeps four weeks.
func TestSeriesForgets(t *testing.T) {
	t.Parallel()
	c := &Config{MaxGap: time.Minute, MaxPower: "100000"}
	s := c.NewSeries(&Value{Measures: Energy, Direction: Import}, time.Second)
	for i := range int64(keptSlots + 50) {
		s.Take(Reading{At: i * 1000, Steady: i * 1000, Number: decimal(t, fmt.Sprint(i))})
	}
	if slots := s.Slots(); len(slots) != keptSlots || slots[0].From != 49_000 {
		t.Errorf("%d slots from %d on", len(slots), slots[0].From)
	}
	if _, known := s.Slot(48_000); known {
		t.Error("a forgotten slot is known")
	}
	if sum, known := s.Slot(60_000); !known || sum.Import.RatString() != "1" {
		t.Errorf("%+v", sum)
	}
	s.Take(Reading{At: 1 << 47, Steady: 1 << 47, Number: decimal(t, "999999")}) // far ahead: bounded work
}
