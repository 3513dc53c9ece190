package evidence_test

import (
	"crypto/elliptic"
	"fmt"
	"slices"
	"strings"
	"testing"

	"lockstep/meter/evidence"
)

// judgeAll judges all sessions of a file, and returns the verdicts and the number of checked signatures.
func judgeAll(t *testing.T, file string, s *station) (verdicts []evidence.Verdict, checks int) {
	t.Helper()
	read, err := evidence.Read([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	for i := range read.Sessions {
		j := evidence.Judge(&read.Sessions[i], s.meterKey())
		verdicts = append(verdicts, j.Verdicts...)
	}
	return verdicts, read.Checks()
}

func has(verdicts []evidence.Verdict, code string) bool {
	return slices.ContainsFunc(verdicts, func(v evidence.Verdict) bool { return string(v.Code) == code })
}

// A file of others costs a bounded number of signatures, however many records, sessions and line ends it has; records that are not checked
// speak against it.
func TestEffortForAHostileFile(t *testing.T) {
	t.Parallel()
	s, other := newStation(t, elliptic.P256(), "effort"), newStation(t, elliptic.P256(), "stranger")
	bad := func(page int, end string) string { // by another key, with line ends in the payload
		return other.record(strings.Replace(payload(page, reading("08:00:00", "B", "1")), ",", ","+end, 1), "")
	}
	var many, sessions []string
	for page := range 40 * evidence.MaxInvalid {
		many = append(many, bad(page%200, "")) // most of them differ: a signature is made anew each time
	}
	verdicts, checks := judgeAll(t, strings.Join(many, "\n"), s)
	if checks == 0 || checks > 6*evidence.MaxInvalid || !has(verdicts, string(evidence.CodeUnchecked)) {
		t.Errorf("%d invalid records: %d checks", len(many), checks)
	}
	for page := range 3 * evidence.MaxInvalid {
		sessions = append(sessions, fmt.Sprintf(`{"id":"S%d","cdr_token":{},"signed_data":{"signed_values":[{"nature":"End","plain_data":"","signed_data":%q}]}}`, page, bad(page, "\r\n")))
	}
	verdicts, checks = judgeAll(t, "["+strings.Join(sessions, ",")+"]", s)
	if checks == 0 || checks > 6*evidence.MaxInvalid || !has(verdicts, string(evidence.CodeUnchecked)) {
		t.Errorf("%d sessions: %d checks; %d verdicts", len(sessions), checks, len(verdicts))
	}
	same := strings.Repeat(s.record(payload(1, reading("08:00:00", "B", "1"), reading("08:10:00", "E", "2")), sa256)+"\n", 5_000)
	if verdicts, checks = judgeAll(t, same, s); checks != 1 || !has(verdicts, string(evidence.CodeRepeated)) {
		t.Errorf("a record 5,000 times: %d checks", checks)
	}
}

// A file whose line ends were changed on the way has many records, and each costs two checks: the one of the file, and the one that was valid
// for the last.
func TestEffortForAChangedFile(t *testing.T) {
	t.Parallel()
	s := newStation(t, elliptic.P256(), "effort")
	const records = 2 * evidence.MaxInvalid
	var lines []string
	for page := range records {
		signed := s.record(strings.Replace(payload(page+1, reading("08:00:00", "B", "1"), reading("08:10:00", "E", "2")), ",", ",\n", 1), sa256)
		lines = append(lines, fmt.Sprintf("%q", strings.ReplaceAll(signed, "\n", "\r\n")))
	}
	file := `{"id":"S","cdr_token":{},"signed_data":{"signed_values":[`
	for i, line := range lines {
		if i > 0 {
			file += ","
		}
		file += `{"nature":"End","plain_data":"","signed_data":` + line + `}`
	}
	verdicts, checks := judgeAll(t, file+`]}}`, s)
	if checks > 2*records+6 || has(verdicts, string(evidence.CodeUnchecked)) || has(verdicts, "signature") || !has(verdicts, string(evidence.CodeLineEnds)) {
		t.Errorf("%d records: %d checks; %+v", records, checks, verdicts[:3])
	}
}
