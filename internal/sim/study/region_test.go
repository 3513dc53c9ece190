package study

import (
	"bytes"
	"encoding/csv"
	"reflect"
	"strings"
	"testing"
)

func region() Scenario {
	s := Default()
	s.Households, s.Slots, s.Communities = 8, 60, Communities{Count: 5, Roofs: Range{0, 80}, Fee: 3}
	return s
}

// TestRegion: leftovers add trade to that of each community alone, no more than one auction for all, and energy that leaves one community
// enters another.
func TestRegion(t *testing.T) {
	t.Parallel()
	r, err := RunRegion(region())
	if err != nil {
		t.Fatal(err)
	}
	var use, sun, traded, exported, imported uint64
	mixes := map[uint64]bool{}
	for _, c := range r.Communities {
		use, sun, traded, exported, imported = use+c.Use, sun+c.Sun, traded+c.Traded, exported+c.Exported, imported+c.Imported
		mixes[c.Roofs] = true
		if c.Exported > 0 && c.Roofs == 0 {
			t.Errorf("a community without roofs exports %d Wh", c.Exported)
		}
	}
	if use != r.Use || sun != r.Sun || traded != r.Alone.Traded || exported != r.Rest.Traded || imported != exported || exported == 0 {
		t.Errorf("the communities do not add up to the region: %+v", r)
	}
	if len(mixes) < 3 {
		t.Errorf("five communities have %d shares of roofs", len(mixes))
	}
	if both := r.Alone.Traded + r.Rest.Traded; both > r.Together.Traded || r.Alone.Saved+r.Rest.Saved > r.Together.Saved {
		t.Errorf("two steps trade %d Wh, one auction for all %d; they save %d and %d", both, r.Together.Traded, r.Alone.Saved+r.Rest.Saved, r.Together.Saved)
	}
	again, err := RunRegion(region())
	if err != nil || !reflect.DeepEqual(r, again) {
		t.Errorf("the same seed gave another region: %v", err)
	}
	dear := region()
	dear.Communities.Fee = maxCents // no limit reaches it
	if r, err := RunRegion(dear); err != nil || r.Rest.Traded != 0 || r.Rest.Saved != 0 {
		t.Errorf("a fee above every price: %+v, %v", r.Rest, err)
	}
	var text, lines bytes.Buffer
	if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "then between communities") || !strings.Contains(text.String(), "3.00 ct/kWh") {
		t.Errorf("%v: %s", err, text.String())
	}
	if err := r.WriteCSV(&lines); err != nil {
		t.Fatal(err)
	}
	if rows, err := csv.NewReader(&lines).ReadAll(); err != nil || len(rows) != 6 || rows[5][0] != "5" {
		t.Errorf("%v: %v", err, rows)
	}
}

// TestRegionOfOne: the first community of a region is the community of its seed.
func TestRegionOfOne(t *testing.T) {
	t.Parallel()
	s := region()
	alone, _, err := s.houses()
	if err != nil {
		t.Fatal(err)
	}
	s.place = 1
	next, _, err := s.houses()
	if err != nil {
		t.Fatal(err)
	}
	if reflect.DeepEqual(alone[0].use, next[0].use) {
		t.Error("two communities have the same first house")
	}
}

// TestRegionFaults: each value out of bounds is refused with its key.
func TestRegionFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"communities: {count: 1}\n":                             "communities.count 1: choose 2 to 1000",
		"communities: {count: 1001}\n":                          "communities.count 1001",
		"communities: {count: 2, roofs: {from: 9, to: 8}}\n":    "communities.roofs from 9 to 8",
		"communities: {count: 2, roofs: {from: 0, to: 101}}\n":  "communities.roofs from 0 to 101",
		"communities: {count: 2, fee: 51}\n":                    "communities.fee 51: choose 0 to 50",
		"communities: {count: 2}\ntown: true\n":                 "leave town and profiles out",
		"communities: {count: 1000}\nhouseholds: 209\n":         "too much",
		"communities: {count: 2}\nprofiles: houses.csv\n":       "leave town and profiles out",
		"communities:\n  count: 3\n  size: 7\n":                 `line 3: there is no "size"`,
		"communities:\n  count: 2\n  fee: 60\nhouseholds: 12\n": "line 3: communities.fee 60",
	} {
		if _, err := Read(written(t, "s.yaml", text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := Read(written(t, "s.yaml", "communities: {count: 1000}\nhouseholds: 208\n")); err != nil {
		t.Errorf("the largest region: %v", err)
	}
}
