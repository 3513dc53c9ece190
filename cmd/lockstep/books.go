package main

import (
	"bytes"
	"context"
	"time"

	"lockstep/internal/atomicfile"
	"lockstep/internal/books"
	"lockstep/types"
)

type booksCmd struct {
	Journal   booksJournalCmd   `cmd:"" help:"Write the journal of a day in CSV: a line for each of your trades that ended, in exact integers."`
	Statement booksStatementCmd `cmd:"" help:"Print the statement of a month, and write its journal with --csv."`
}

// booksFlags name the party, and a file to write.
type booksFlags struct {
	walletFlags
	Key *types.PublicKey `help:"Trades of this key instead of the wallet's." find:"" placeholder:"KEY"`
}

// period collects the entries of a period.
func (f *booksFlags) period(ctx context.Context, a *app, from, until time.Time) (*session, types.PublicKey, []books.Entry, error) {
	s, key, err := a.lookAs(ctx, &f.walletFlags, f.Key)
	if err != nil {
		return nil, key, nil, err
	}
	entries, err := books.Fetch(ctx, s.node, key, types.TimeOf(from), types.TimeOf(until))
	return s, key, entries, err
}

// write writes a text to a file in the place of another, or to standard output.
func (a *app) write(path string, text []byte) error {
	if path == "" {
		_, err := a.out.Write(text)
		return err
	}
	return atomicfile.Replace(path, text)
}

type booksJournalCmd struct {
	booksFlags
	Day string `help:"Day in UTC, as 2026-11-27; by default yesterday." placeholder:"DAY"`
	Out string `help:"File to write; by default standard output." type:"path" placeholder:"FILE"`
}

func (c *booksJournalCmd) Run(ctx context.Context, a *app) error {
	day := time.Now().UTC().AddDate(0, 0, -1).Truncate(24 * time.Hour)
	if c.Day != "" {
		var err error
		if day, err = time.Parse(time.DateOnly, c.Day); err != nil {
			return misuse("--day %q is not a day: write it as 2026-11-27", c.Day)
		}
	}
	s, _, entries, err := c.period(ctx, a, day, day.AddDate(0, 0, 1))
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := books.WriteJournal(&text, entries, s.assets.look); err != nil {
		return err
	}
	return a.write(c.Out, text.Bytes())
}

type booksStatementCmd struct {
	booksFlags
	Month string `help:"Month in UTC, as 2026-11; by default the last whole one." placeholder:"MONTH"`
	Out   string `help:"File for the statement; by default standard output." type:"path" placeholder:"FILE"`
	CSV   string `help:"File for the journal of the month, whose lines add up to the statement." name:"csv" type:"path" placeholder:"FILE"`
}

// statementSums are the sums of a statement in JSON, in smallest units.
type statementSums struct {
	Asset   types.AssetID `json:"asset"`
	Sold    statementSide `json:"sold"`
	Bought  statementSide `json:"bought"`
	Unknown int           `json:"unknown,omitempty"`
}

type statementSide struct {
	Trades  int                    `json:"trades"`
	Came    map[string]types.Total `json:"came"`
	PutIn   types.Total            `json:"put_in"`
	GotBack types.Total            `json:"got_back"`
	Net     string                 `json:"net"`
}

func sideOf(s *books.Side) statementSide {
	return statementSide{s.Trades, s.Came, s.PutIn, s.GotBack, s.Net().String()}
}

func (c *booksStatementCmd) Run(ctx context.Context, a *app) error {
	now := time.Now().UTC()
	month := time.Date(now.Year(), now.Month()-1, 1, 0, 0, 0, 0, time.UTC)
	if c.Month != "" {
		var err error
		if month, err = time.Parse("2006-01", c.Month); err != nil {
			return misuse("--month %q is not a month: write it as 2026-11", c.Month)
		}
	}
	end := month.AddDate(0, 1, 0)
	s, key, entries, err := c.period(ctx, a, month, end)
	if err != nil {
		return err
	}
	if c.CSV != "" {
		var journal bytes.Buffer
		if err := books.WriteJournal(&journal, entries, s.assets.look); err != nil {
			return err
		}
		if err := a.write(c.CSV, journal.Bytes()); err != nil {
			return err
		}
	}
	statement := books.NewStatement(types.TimeOf(month), types.TimeOf(end), entries)
	if a.JSON {
		sums := []statementSums{}
		for i := range statement.Sums {
			of := &statement.Sums[i]
			sums = append(sums, statementSums{of.Asset, sideOf(&of.Sold), sideOf(&of.Bought), of.Unknown})
		}
		return a.show(sums, nil)
	}
	var text bytes.Buffer
	if err := statement.Write(&text, key, s.assets.look); err != nil {
		return err
	}
	return a.write(c.Out, text.Bytes())
}
