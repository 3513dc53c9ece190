package types_test

import (
	"math"
	"testing"
	"time"

	"lockstep/types"
)

func TestTimeBounds(t *testing.T) {
	t.Parallel()
	if got := types.TimeOf(time.Unix(-1, 0)); got != 0 {
		t.Errorf("before 1970: %s", got)
	}
	if got := types.TimeOf(time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)); got != types.MaxTime {
		t.Errorf("after 9999: %s", got)
	}
	for _, c := range []struct {
		from types.Time
		span types.Duration
		want types.Time
	}{
		{noon, 1, noon + 1}, {types.MaxTime, 1, types.MaxTime}, {types.MaxTime - 1, 1, types.MaxTime},
		{0, math.MaxUint64, types.MaxTime}, {math.MaxUint64, math.MaxUint64, types.MaxTime},
	} {
		if got := c.from.Add(c.span); got != c.want {
			t.Errorf("%d+%d = %d, want %d", c.from, c.span, got, c.want)
		}
	}
	if noon.Since(noon) != 0 || noon.Since(noon+1) != 0 || (noon+5).Since(noon) != 5 {
		t.Error("Since counts backwards")
	}
	if got := types.DurationOf(-time.Second); got != 0 {
		t.Errorf("a negative duration is %s", got)
	}
}

func TestTimeText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]types.Time{
		"2026-06-21T12:00:00Z": noon, "2026-06-21T12:00:00.0019Z": noon + 1, "2026-06-21T14:00:00+02:00": noon,
		"9999-12-31T23:59:59.999Z": types.MaxTime, "1970-01-01T00:00:00Z": 0,
	} {
		var got types.Time
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
	for _, bad := range []string{"", "noon", "2026-06-21", "2026-06-21T12:00:00", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59.999-01:00", "10000-01-01T00:00:00Z"} {
		var got types.Time
		if err := got.UnmarshalText([]byte(bad)); types.CodeOf(err) != types.CodeMalformed {
			t.Errorf("%q: %v, want malformed; read as %s", bad, err, got)
		}
	}
	for _, bad := range []string{"", "5", "-1s", "1 minute", "1e9h"} {
		var got types.Duration
		if err := got.UnmarshalText([]byte(bad)); types.CodeOf(err) != types.CodeMalformed {
			t.Errorf("%q: %v, want malformed; read as %s", bad, err, got)
		}
	}
}
