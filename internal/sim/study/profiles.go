package study

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"lockstep/internal/plaintext"
	"lockstep/internal/sim"
	"lockstep/types"
)

// Bounds of a file of measured houses.
const (
	maxProfiles = 256 << 20
	maxName     = 64
	quarterHour = 15 * time.Minute
)

// columns are those of a file of measured houses.
var columns = []string{"house", "time", "use_wh", "sun_wh"} //nolint:gochecknoglobals // a constant table

// measured is a house of a file: its energy in each quarter-hour, in Wh.
type measured struct {
	name     string
	begin    time.Time
	use, sun []uint64
}

func (m *measured) roof() bool {
	return slices.ContainsFunc(m.sun, func(wh uint64) bool { return wh > 0 })
}

// readProfiles reads the houses of a file, and the quarter-hour of the day with which they all begin.
func readProfiles(path string) (houses []*measured, begin int, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	text, err := plaintext.Read(file, path, maxProfiles)
	if err != nil {
		return nil, 0, err
	}
	houses, err = parseProfiles(text)
	if err == nil {
		first := houses[0].begin
		return houses, first.Hour()*4 + first.Minute()/15, nil
	}
	var wrong *Error
	if errors.As(err, &wrong) {
		wrong.File = filepath.Base(path)
	}
	return nil, 0, err
}

func parseProfiles(text []byte) ([]*measured, error) {
	lines := csv.NewReader(bytes.NewReader(text))
	lines.FieldsPerRecord, lines.ReuseRecord, lines.TrimLeadingSpace = -1, true, true
	header, err := lines.Read()
	if err != nil || !slices.Equal(header, columns) {
		return nil, &Error{Line: 1, Detail: "the first line must name the columns " + strings.Join(columns, ",")}
	}
	byName := map[string]*measured{}
	var houses []*measured
	for {
		record, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line, _ := lines.FieldPos(0)
		if err != nil {
			return nil, &Error{Line: line, Detail: err.Error()}
		}
		if len(record) != len(columns) {
			return nil, &Error{Line: line, Detail: "it has " + strconv.Itoa(len(record)) + " columns, not " + strconv.Itoa(len(columns)) + ": " + strings.Join(columns, ",")}
		}
		name := record[0]
		house := byName[name]
		if house == nil {
			if err := checkName(name); err != nil {
				return nil, &Error{Line: line, Detail: err.Error()}
			}
			if len(houses) == maxHouseholds {
				return nil, &Error{Line: line, Detail: "there are more than " + strconv.Itoa(maxHouseholds) + " houses"}
			}
			house = &measured{name: strings.Clone(name)}
			byName[house.name], houses = house, append(houses, house)
		}
		if err := house.add(record); err != nil {
			return nil, &Error{Line: line, Detail: err.Error()}
		}
	}
	if len(houses) == 0 {
		return nil, &Error{Line: 2, Detail: "there is no house: each line holds a quarter-hour of a house, such as Elm,2026-06-15T12:15:00+02:00,85,0"}
	}
	for _, house := range houses[1:] {
		if !house.begin.Equal(houses[0].begin) || len(house.use) != len(houses[0].use) {
			return nil, &Error{Detail: "house " + strconv.Quote(house.name) + " has other quarter-hours than " + strconv.Quote(houses[0].name) + ": all houses need the same ones"}
		}
	}
	return houses, nil
}

// add adds the next quarter-hour of a house.
func (m *measured) add(record []string) error {
	at, err := time.Parse(time.RFC3339, record[1])
	if err != nil {
		return errors.New("the time " + strconv.Quote(clipped(record[1])) + " can't be read: write it with its UTC offset, such as 2026-06-15T12:15:00+02:00")
	}
	if at.Minute()%15 != 0 || at.Second() != 0 || at.Nanosecond() != 0 {
		return errors.New("the time " + strconv.Quote(clipped(record[1])) + " is not the begin of a quarter-hour")
	}
	if len(m.use) == 0 {
		m.begin = at
	}
	if want := m.begin.Add(time.Duration(len(m.use)) * quarterHour); !at.Equal(want) {
		return errors.New("the quarter-hours of a house must follow each other: " + want.Format(time.RFC3339) + " is next, not " + clipped(record[1]))
	}
	if len(m.use) == maxSlots {
		return errors.New("a house has more than " + strconv.Itoa(maxSlots) + " quarter-hours, which is " + strconv.Itoa(maxSlots/sim.SlotsPerDay) + " days")
	}
	var energy [2]uint64
	for i := range energy {
		energy[i], err = strconv.ParseUint(record[2+i], 10, 64)
		if err != nil || energy[i] > maxWh {
			return errors.New("the energy " + strconv.Quote(clipped(record[2+i])) + " is not a whole number of Wh from 0 to " + strconv.Itoa(maxWh))
		}
	}
	m.use, m.sun = append(m.use, energy[0]), append(m.sun, energy[1])
	return nil
}

// checkName refuses a name of a house that can't be shown, or that a spreadsheet would take for a formula.
func checkName(name string) error {
	if name == "" {
		return errors.New("a house needs a name of at most " + strconv.Itoa(maxName) + " bytes")
	}
	if types.CheckText("name", name, maxName) != nil {
		return errors.New("the name " + strconv.Quote(clipped(name)) + " of a house must have at most " + strconv.Itoa(maxName) + " bytes that are all seen")
	}
	if first, _ := utf8.DecodeRuneInString(name); !unicode.IsLetter(first) && !unicode.IsDigit(first) {
		return errors.New("the name " + strconv.Quote(clipped(name)) + " of a house must begin with a letter or a digit")
	}
	return nil
}

// clipped keeps a bad field quotable in a one-line message.
func clipped(text string) string {
	if len(text) > 40 {
		return text[:40] + "..."
	}
	return text
}
