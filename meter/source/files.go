package source

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"lockstep/meter"
)

const maxFile = 64 << 20

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s has more than %d bytes: divide it", path, maxFile)
	}
	return bytes.TrimPrefix(text, []byte("\ufeff")), err
}

// runCSV reads a table with a header: a column of times and one of each value. An empty cell is no reading.
func (s *Source) runCSV(ctx context.Context, take func(Reading)) error {
	text, err := readFile(s.config.File)
	if err != nil {
		return err
	}
	table := csv.NewReader(bytes.NewReader(text))
	table.Comma = []rune(s.config.Comma)[0]
	table.TrimLeadingSpace, table.ReuseRecord = true, true
	header, err := table.Read()
	if err != nil {
		return fmt.Errorf("%s has no header: %w", s.config.File, err)
	}
	header = slices.Clone(header)
	column := func(name string) (int, error) {
		i := slices.IndexFunc(header, func(cell string) bool { return strings.TrimSpace(cell) == name })
		if i < 0 {
			return 0, fmt.Errorf("%s has no column %q, only %q", s.config.File, name, header)
		}
		return i, nil
	}
	when, err := column(s.config.TimeColumn)
	if err != nil {
		return err
	}
	places := make([]int, len(s.config.Values))
	for i, v := range s.config.Values {
		if places[i], err = column(v.Column); err != nil {
			return err
		}
	}
	for ctx.Err() == nil {
		row, err := table.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.config.File, err)
		}
		line, _ := table.FieldPos(0)
		at, err := parseTime(strings.TrimSpace(row[when]))
		if err != nil {
			return fmt.Errorf("%s line %d: %w", s.config.File, line, err)
		}
		for i, v := range s.all() {
			cell := strings.TrimSpace(row[places[i]])
			if cell == "" {
				continue
			}
			r := Reading{Value: v.Name, Measures: v.Measures, At: at, Own: true}
			if r.Number, err = v.number(cell); err != nil {
				return fmt.Errorf("%s line %d: %w", s.config.File, line, err)
			}
			take(r)
		}
	}
	return ctx.Err()
}

// runOCMF reads the records in a file. Nothing is verified: the ledger does that, by the enrolled key.
func (s *Source) runOCMF(_ context.Context, take func(Reading)) error {
	text, err := readFile(s.config.File)
	if err != nil {
		return err
	}
	for i, line := range meter.SplitRecords(text) {
		record, err := meter.ParseOCMF(line)
		if err == nil {
			err = record.Payload.Fault
		}
		if err != nil {
			return fmt.Errorf("%s record %d: %w", s.config.File, i+1, err)
		}
		for _, v := range s.all() {
			for j := range record.Payload.Readings {
				reading := &record.Payload.Readings[j]
				wh, ok := reading.Energy()
				if !ok || v.OBIS != "" && reading.Register.Code != v.OBIS || v.OBIS == "" && !fits(v.Direction, reading.Register.Direction) {
					continue
				}
				take(Reading{
					Value: v.Name, Measures: Energy, Number: wh, At: reading.Time, Own: true, Meter: record.Payload.Serial(), Record: line,
				})
			}
		}
	}
	return nil
}

// fits tells whether a register counts in a value's direction; one whose code names none counts in each.
func fits(d Direction, register meter.Direction) bool {
	return register == meter.Undirected || (d == Export) == (register == meter.Export)
}
