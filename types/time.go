package types

import "time"

// Time is a moment in Unix milliseconds, UTC: of a block, or of the ledger clock (protocol section 3).
// In JSON and text it is RFC 3339 with milliseconds.
type Time uint64

// Duration is a length of time in milliseconds. In JSON and text it is a Go duration such as "1m30s".
type Duration uint64

// MaxTime is the last moment that RFC 3339 can write: the end of the year 9999.
const MaxTime = Time(253402300799999)

const timeLayout = "2006-01-02T15:04:05.000Z07:00"

// TimeOf converts a wall-clock time; fractions of a millisecond are dropped, times outside 1970 to 9999 are clamped.
func TimeOf(t time.Time) Time {
	ms := t.UnixMilli()
	if ms < 0 {
		return 0
	}
	return min(Time(ms), MaxTime)
}

// Std converts to the standard library's type, in UTC.
func (t Time) Std() time.Time { return time.UnixMilli(int64(min(t, MaxTime))).UTC() }

// Add returns the moment that lies span later, at most [MaxTime].
func (t Time) Add(span Duration) Time {
	if t >= MaxTime || span >= Duration(MaxTime-t) {
		return MaxTime
	}
	return t + Time(span)
}

// Since returns the span from earlier to t, or zero when t is not later.
func (t Time) Since(earlier Time) Duration {
	if t <= earlier {
		return 0
	}
	return Duration(t - earlier)
}

func (t Time) String() string { return t.Std().Format(timeLayout) }

// MarshalText writes RFC 3339 with milliseconds, in UTC.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads RFC 3339 with or without a fraction.
func (t *Time) UnmarshalText(text []byte) error {
	std, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil || std.UnixMilli() < 0 || std.UnixMilli() > int64(MaxTime) {
		return Refuse(CodeMalformed, "%q is not a time: write it as 2026-06-21T12:15:00Z", clip(text))
	}
	*t = TimeOf(std)
	return nil
}

// DurationOf converts a duration; fractions of a millisecond are dropped, negative ones are zero.
func DurationOf(d time.Duration) Duration { return Duration(max(d.Milliseconds(), 0)) }

// Std converts to the standard library's type.
func (s Duration) Std() time.Duration {
	return time.Duration(min(s, Duration(1<<63-1)/Duration(time.Millisecond))) * time.Millisecond
}

func (s Duration) String() string { return s.Std().String() }

// MarshalText writes a Go duration.
func (s Duration) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a Go duration of whole milliseconds.
func (s *Duration) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 {
		return Refuse(CodeMalformed, "%q is not a duration: write it as 90s or 1h30m", clip(text))
	}
	*s = DurationOf(d)
	return nil
}
