package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"lockstep/client/wire"
	"lockstep/trade/words"
	"lockstep/types"
)

// inZone runs a test in a process of its own whose clock is that of a place: a process has one place.
func inZone(t *testing.T, zone string) (inside bool) {
	t.Helper()
	if os.Getenv("LOCKSTEP_TEST_ZONE") == zone {
		return true
	}
	again := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
	again.Env = append(os.Environ(), "TZ="+zone, "LOCKSTEP_TEST_ZONE="+zone)
	out, err := again.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Fatalf("in %s: %v\n%s", zone, err, out)
	}
	return false
}

func moment(t *testing.T, text string) types.Time {
	t.Helper()
	var read types.Time
	if err := read.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return read
}

func TestTimesOfAPlace(t *testing.T) {
	t.Parallel()
	if !inZone(t, "Europe/Berlin") {
		return
	}
	if _, offset := time.Now().Zone(); offset == 0 {
		t.Skip("this machine does not know the times of places")
	}
	if got := stamp(moment(t, "2026-06-21T12:15:00Z")); got != "2026-06-21 14:15:00 CEST" {
		t.Errorf("it is %s", got)
	}
	for _, c := range []struct{ from, until, want string }{
		{"2026-11-27T01:45:00Z", "2026-11-27T02:00:00Z", "2026-11-27 02:45 to 03:00 CET"},
		{"2026-11-27T22:45:00Z", "2026-11-27T23:15:00Z", "2026-11-27 23:45 to 2026-11-28 00:15 CET"},
		{"2026-10-25T00:45:00Z", "2026-10-25T01:00:00Z", "2026-10-25 02:45 CEST to 02:00 CET"},
		{"2026-11-27T01:45:02Z", "2026-11-27T01:45:04Z", "2026-11-27 02:45:02 to 02:45:04 CET"},
	} {
		if got := slotText(&words.Printer{}, &types.Goods{From: moment(t, c.from), Until: moment(t, c.until)}); got != c.want {
			t.Errorf("%s, not %s", got, c.want)
		}
	}
	for text, want := range map[string]string{
		"2026-06-21 14:15": "2026-06-21T12:15:00.000Z", "2026-06-21T14:15": "2026-06-21T12:15:00.000Z", "2026-06-21 14:15:30": "2026-06-21T12:15:30.000Z",
		"2026-06-21 14:15 CEST": "2026-06-21T12:15:00.000Z", "2026-06-21 14:15 UTC": "2026-06-21T14:15:00.000Z",
		"2026-06-21T14:15:00+02:00": "2026-06-21T12:15:00.000Z", "2026-10-25 02:30 CET": "2026-10-25T01:30:00.000Z", "2026-10-25 02:30 CEST": "2026-10-25T00:30:00.000Z",
	} {
		if got, err := parseMoment(text); err != nil || got.String() != want {
			t.Errorf("%q is read as %s, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"2026-10-25 02:30": "twice here", "2026-03-29 02:30": "not a time", "2026-06-21 14:15 CET": "not a time", "2026-06-21 25:00": "not a time",
		"1970-01-01T00:00:00Z": "before any ledger", "": "not a time", "tomorrow": "not a time", "2026-06-21 14:15 XYZ": "not a time",
	} {
		if got, err := parseMoment(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is read as %s, %v", text, got, err)
		}
	}
}

func TestDeadlineAfterAnOutage(t *testing.T) {
	t.Parallel()
	clock := moment(t, "2026-11-27T01:00:00Z")
	s := &session{status: wire.Status{Clock: clock, Skew: leastSkew}}
	if got := s.deadline(&words.Printer{}, clock.Add(90_000), clock); !strings.HasSuffix(got, " ledger time (1m30s left)") {
		t.Errorf("behind: %s", got)
	}
	for left, want := range map[types.Duration]string{0: "0s left", 60_000: "1m left", 3_600_000: "1h left", 3_900_000: "1h5m left", 3_601_000: "1h0m1s left", 600: "1s left"} {
		if got := remaining(clock.Add(left), clock); got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
	for left, want := range map[types.Duration]string{119_000: "1m59s left", 120_000: "2m left", 899_000: "15m left"} {
		if got := strings.ReplaceAll(about(&words.Printer{}, clock.Add(left), clock), fixedSpace, " "); got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
	if got := remaining(clock-1, clock); got != "passed" {
		t.Errorf("%s of a moment that has passed", got)
	}
	s.status.Skew--
	if got := s.deadline(&words.Printer{}, clock.Add(90_000), clock); got != stamp(clock.Add(90_000)) {
		t.Errorf("not behind: %s", got)
	}
}
