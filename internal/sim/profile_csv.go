package sim

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"lockstep/internal/plaintext"
)

// Bounds of a file of measured figures: a year in steps of a minute fits.
const (
	maxProfileBytes = 32 << 20
	maxWatts        = 10_000_000 // of one house; more is a slip in the unit
)

// Power is counted in millionths of a watt and time in seconds, so a file's energy is added up without any rounding.
const (
	microwatts       = 1_000_000
	microjoulesPerWh = 3600 * microwatts
)

// sample is the average production and use of a house from a moment on, for one step of the file.
type sample struct {
	line      int
	at        time.Time
	sun, load uint64 // microwatts
}

// ReadProfilesFile reads a file as [ReadProfiles] does.
func ReadProfilesFile(path string) (*Profile, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return ReadProfiles(file, filepath.Base(path))
}

// ReadProfiles reads the measured figures of one house: a CSV with the columns timestamp, PV power and load (both in W, means
// from the timestamp on), in even steps of 1 to 60 minutes. Its first full day, counted in the UTC offset of the first line,
// becomes the profile of every house, scaled to size: the first household of [Households] is the measured house itself. The
// energy of a day is kept to the Wh. Name is for the report only.
func ReadProfiles(from io.Reader, name string) (*Profile, error) {
	samples, err := readSamples(from)
	if err != nil {
		return nil, err
	}
	step, err := stepOf(samples)
	if err != nil {
		return nil, err
	}
	begin, day, err := firstFullDay(samples, step)
	if err != nil {
		return nil, err
	}
	sun, load := quarterHours(day, begin, step)
	return &Profile{
		Source:   "of one house as measured (" + name + "); every household is a copy of it to scale",
		Start:    begin,
		loads:    map[Customer]Day{Dwelling: load, Business: load},
		roofs:    map[Roof]Day{EastRoof: sun, SouthRoof: sun, WestRoof: sun},
		measured: true,
		perLoad:  measuredAnnual,
		perPower: measuredPower,
	}, nil
}

func readSamples(from io.Reader) ([]sample, error) {
	text, err := plaintext.Read(from, "the file", maxProfileBytes)
	if err != nil {
		return nil, badLine(0, "%v", err)
	}
	lines := csv.NewReader(bytes.NewReader(text))
	lines.FieldsPerRecord, lines.ReuseRecord, lines.TrimLeadingSpace = -1, true, true
	header, err := lines.Read()
	if errors.Is(err, io.EOF) {
		return nil, badLine(1, "the file is empty: it needs a header and a line for each step")
	}
	if err != nil {
		return nil, lineError(err)
	}
	columns, err := readHeader(header)
	if err != nil {
		return nil, err
	}
	var samples []sample
	for {
		record, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return samples, nil
		}
		if err != nil {
			return nil, lineError(err)
		}
		line, _ := lines.FieldPos(0)
		next, err := columns.read(record, line)
		if err != nil {
			return nil, err
		}
		samples = append(samples, next)
	}
}

// lineError tells where a line can't be split into fields; errors of the reader itself pass.
func lineError(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return badLine(parse.StartLine, "%v: write plain numbers without quotes, separated by ','", parse.Err)
	}
	return err
}

// columns says where in a line each figure stands.
type columns struct{ at, sun, load int }

// readHeader finds the columns by name, so that a file with PV and load the other way round is read rightly.
func readHeader(header []string) (columns, error) {
	found := columns{-1, -1, -1}
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		var column *int
		switch {
		case strings.Contains(name, "time") || name == "date":
			column = &found.at
		case strings.Contains(name, "load"):
			column = &found.load
		case strings.Contains(name, "pv"):
			column = &found.sun
		default:
			continue
		}
		if *column >= 0 {
			return found, badLine(1, "two columns are called %q: keep one", clipped(name))
		}
		*column = i
	}
	switch {
	case strings.Contains(header[0], ";"):
		return found, badLine(1, "the columns are separated by ';': save the file with ',' between them and '.' in numbers")
	case len(header) != 3 || found.at < 0 || found.sun < 0 || found.load < 0:
		return found, badLine(1, "the header must name three columns, such as: timestamp,pv,load (powers in W)")
	}
	return found, nil
}

func (c columns) read(record []string, line int) (sample, error) {
	if len(record) != 3 {
		return sample{}, badLine(line, "it has %d columns, not 3: timestamp, PV and load", len(record))
	}
	at, err := parseMoment(record[c.at])
	if err != nil {
		return sample{}, badLine(line, "%v", err)
	}
	sun, err := parseWatts(record[c.sun])
	if err != nil {
		return sample{}, badLine(line, "the PV power %v", err)
	}
	load, err := parseWatts(record[c.load])
	if err != nil {
		return sample{}, badLine(line, "the load %v", err)
	}
	return sample{line: line, at: at, sun: sun, load: load}, nil
}

func parseMoment(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05Z07:00"} {
		at, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		if at.Year() < 1970 || at.Year() >= 9999 || at.Nanosecond() != 0 {
			return at, errors.New("the timestamp " + strconv.Quote(clipped(text)) + " must be of whole seconds and from 1970 on")
		}
		return at, nil
	}
	return time.Time{}, errors.New("the timestamp " + strconv.Quote(clipped(text)) +
		" can't be read: write it with its UTC offset, such as 2026-06-15T12:15:00+02:00")
}

// parseWatts reads a decimal number of W into microwatts; further places are cut off.
func parseWatts(text string) (uint64, error) {
	text = strings.TrimSpace(text)
	bad := func(why string) (uint64, error) {
		return 0, errors.New(strconv.Quote(clipped(text)) + " " + why)
	}
	whole, fraction, point := strings.Cut(text, ".")
	switch {
	case text == "":
		return bad("is missing: fill the gap, or remove the days that have one")
	case strings.HasPrefix(text, "-"):
		return bad("is negative: feeding in and drawing are two columns, each 0 or more")
	case whole == "" || point && fraction == "" || strings.Trim(whole+fraction, "0123456789") != "":
		return bad("is not a number of W such as 1250.5")
	}
	watts, err := strconv.ParseUint(whole, 10, 64)
	if err != nil || watts > maxWatts {
		return bad("is more than the " + strconv.Itoa(maxWatts) + " W that a house can have: is the unit W?")
	}
	micro, err := strconv.ParseUint((fraction + "000000")[:6], 10, 64)
	if err != nil {
		return bad("is not a number of W such as 1250.5")
	}
	return watts*microwatts + micro, nil
}

// stepOf is the time between the lines, which must be the same throughout.
func stepOf(samples []sample) (time.Duration, error) {
	if len(samples) < 2 {
		return 0, badLine(len(samples)+1, "the file ends after %d lines of figures: a full day is needed", len(samples))
	}
	step := samples[1].at.Sub(samples[0].at)
	for i, next := range samples[1:] {
		gap := next.at.Sub(samples[i].at)
		switch {
		case gap == 0:
			return 0, badLine(next.line, "the timestamp %s stands there twice: remove one", next.at.Format(time.RFC3339))
		case gap < 0:
			return 0, badLine(next.line, "the timestamp %s is earlier than the line before: sort the file by time", next.at.Format(time.RFC3339))
		case step < time.Minute || step > time.Hour || step%time.Minute != 0:
			return 0, badLine(next.line, "the step is %s: it must be 1 to 60 whole minutes", step)
		case gap != step:
			return 0, badLine(next.line, "%s passed since the line before, not %s: fill the gap, or remove the days that have one", gap, step)
		}
	}
	return step, nil
}

// firstFullDay returns the first day from midnight to midnight that the samples cover, and the samples that touch it.
func firstFullDay(samples []sample, step time.Duration) (time.Time, []sample, error) {
	_, offset := samples[0].at.Zone()
	first, last := samples[0].at.In(time.FixedZone("", offset)), samples[len(samples)-1]
	begin := time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, first.Location())
	if begin.Before(first) {
		begin = begin.Add(24 * time.Hour)
	}
	end := begin.Add(24 * time.Hour)
	if last.at.Add(step).Before(end) {
		return begin, nil, badLine(last.line, "the file ends before %s is over: it needs one full day from midnight to midnight, %s",
			begin.Format(time.DateOnly), first.Format("UTC-07:00"))
	}
	from, to := 0, 0
	for i, s := range samples {
		if !s.at.Add(step).After(begin) {
			from = i + 1
		}
		if s.at.Before(end) {
			to = i + 1
		}
	}
	return begin, samples[from:to], nil
}

// quarterHours shares the energy of the samples out to the quarter-hours of the day, by the second.
func quarterHours(samples []sample, begin time.Time, step time.Duration) (sun, load Day) {
	var sunParts, loadParts [SlotsPerDay]uint64 // microjoules
	for _, s := range samples {
		from := max(s.at.Sub(begin), 0)
		until := min(s.at.Add(step).Sub(begin), 24*time.Hour)
		for from < until {
			slot := from / slotLength
			next := min(until, (slot+1)*slotLength)
			seconds := uint64((next - from) / time.Second)
			sunParts[slot] += s.sun * seconds
			loadParts[slot] += s.load * seconds
			from = next
		}
	}
	return apportion(sunParts, microjoulesPerWh), apportion(loadParts, microjoulesPerWh)
}

// clipped keeps a bad field quotable in a one-line message.
func clipped(text string) string {
	if len(text) > 40 {
		return text[:40] + "..."
	}
	return text
}
