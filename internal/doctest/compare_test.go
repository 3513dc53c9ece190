package doctest

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// masks hide values that differ from run to run: keys, IDs, times, heights, words.
func masks() []struct {
	pattern *regexp.Regexp
	by      string
} {
	type mask = struct {
		pattern *regexp.Regexp
		by      string
	}
	return []mask{
		// First, since "height" is one of the words that a wallet may have.
		{regexp.MustCompile(`( *\d+ [a-z]+){6}$`), "WORDS"},
		{regexp.MustCompile(`\blk1[02-9a-z]{58}\b`), "KEY"},
		{regexp.MustCompile(`\blk1[02-9a-z]{10}\b`), "ISSUER"},
		{regexp.MustCompile(`\b[0-9a-f]{64}\b`), "ID"},
		{regexp.MustCompile(`\b[0-9a-f]{40}\b`), "NODE"},
		{regexp.MustCompile(`\b[0-9a-f]{12}\b`), "ID"},
		{regexp.MustCompile(`\blockstep-[0-9a-f]{8}\b`), "LEDGER"},
		{regexp.MustCompile(`\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?( to (\d{4}-\d\d-\d\d )?\d\d:\d\d(:\d\d)?)?( UTC)?`), "TIME"},
		{regexp.MustCompile(`\b\d\d:\d\d:\d\d UTC`), "TIME"},
		{regexp.MustCompile(`\b(\d+(\.\d+)?(h|ms|m|s))+ (left|behind|ago|from now)\b`), "SPAN"},
		{regexp.MustCompile(`"since_block":"[^"]*"`), "since block"},
		{regexp.MustCompile(`\bheight"?:? *\d+`), "height N"},
		{regexp.MustCompile(`\bversion("?:?"?) *[^" ]+`), "version V"},
		{regexp.MustCompile(`^(lockstep_\w+\{.*\}) \d+$`), "$1 N"},
		{regexp.MustCompile(`\bid: \d+:`), "id: N:"},
		{regexp.MustCompile(`\bin block \d+`), "in block N"},
		{regexp.MustCompile(`[ \t]+`), " "},
	}
}

func masked(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		for _, mask := range masks() {
			line = mask.pattern.ReplaceAllString(line, mask.by)
		}
		out[i] = strings.TrimSpace(line)
	}
	return out
}

// matches compares an output with that in a document: "..." within a line stands for any text there, a line "..." for
// any lines. It returns the output as the document would show it: with the same left out.
func matches(shown, got []string) (again []string, ok bool) {
	shown, got = trim(shown), trim(got)
	return fits(shown, masked(shown), got, masked(got))
}

func fits(shown, shownMasked, got, gotMasked []string) (again []string, ok bool) {
	switch {
	case len(shown) == 0:
		return nil, len(got) == 0
	case shown[0] == "...":
		for skip := range len(got) + 1 {
			if rest, ok := fits(shown[1:], shownMasked[1:], got[skip:], gotMasked[skip:]); ok {
				return append([]string{"..."}, rest...), true
			}
		}
		return nil, false
	case len(got) == 0 || !fitsLine(shownMasked[0], gotMasked[0]):
		return nil, false
	}
	line := got[0]
	if strings.Contains(shown[0], "...") {
		line = shown[0]
	}
	rest, ok := fits(shown[1:], shownMasked[1:], got[1:], gotMasked[1:])
	return append([]string{line}, rest...), ok
}

func fitsLine(shown, got string) bool {
	parts := strings.Split(shown, "...")
	for i, part := range parts {
		at := strings.Index(got, part)
		if at < 0 || i == 0 && at > 0 {
			return false
		}
		got = got[at+len(part):]
	}
	return got == "" || parts[len(parts)-1] == "" && len(parts) > 1
}

// trim removes empty lines at both ends.
func trim(lines []string) []string {
	for len(lines) > 0 && strings.TrimSpace(lines[0]) == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	return slices.Clip(lines)
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		shown, got string
		want       bool
	}{
		{"a b", "a   b\n", true},
		{"a b", "a c", false},
		{"a ... c", "a b b c", true},
		{"a ... c", "a b b d", false},
		{"a...", "a b", true},
		{"b", "a b", false},
		{"first\n...\nlast", "first\n2\n3\nlast", true},
		{"first\n...\nlast", "first\n2\n3", false},
		{"...", "", true},
		{"", "surprise", false},
		{"at height 7.", "at height 1234.", true},
		{"by 2026-11-22 22:15:00 UTC (14m59s left)", "by 2027-01-02 03:04:05 UTC (2s left)", true},
		{"2026-11-22 23:30 to 2026-11-23 00:00 UTC", "2027-01-02 03:15 to 03:30 UTC", true},
		{"5 EUR", "6 EUR", false},
		{" 13 execute  14 hazard  15 debate  16 have 17 job 18 front", "13 execute  14 height  15 nothing  16 syrup 17 pattern 18 ribbon", true},
	} {
		if _, got := matches(strings.Split(c.shown, "\n"), strings.Split(c.got, "\n")); got != c.want {
			t.Errorf("%q against %q: %t", c.shown, c.got, got)
		}
	}
}
