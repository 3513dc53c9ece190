package books

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"lockstep/client"
	"lockstep/internal/atomicfile"
	"lockstep/types"
)

// Keeper writes the journal of each day and the statement of each month into a folder, once the period is over and the node's index has all
// of it: 2026-11-26.csv, and 2026-10.csv with 2026-10.txt. A file that is there stays as it is.
type Keeper struct {
	Node   *client.Client
	Key    types.PublicKey
	Folder string
	Assets Assets
	Log    *slog.Logger
}

const (
	keepEvery = 10 * time.Minute
	keepTime  = 5 * time.Minute
	keepDays  = 31 // before today, whose journals are written if they are missing
)

// Run writes until the context ends. A node that is away is tried again.
func (k *Keeper) Run(ctx context.Context) {
	ticker := time.NewTicker(keepEvery)
	defer ticker.Stop()
	for {
		if err := k.Keep(ctx, time.Now()); err != nil && ctx.Err() == nil {
			k.Log.Warn("the journals wait", "why", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Keep writes the files that are missing at a moment.
func (k *Keeper) Keep(ctx context.Context, now time.Time) error {
	ctx, stop := context.WithTimeout(ctx, keepTime)
	defer stop()
	if err := os.MkdirAll(k.Folder, 0o700); err != nil {
		return err
	}
	position, err := k.Node.TradeHistory(ctx, client.TradeFilter{Party: k.Key}, client.Page{Limit: 1})
	if err != nil {
		return err
	}
	today := now.UTC().Truncate(24 * time.Hour)
	for days := keepDays; days >= 1; days-- {
		day := today.AddDate(0, 0, -days)
		if err := k.write(ctx, day, day.AddDate(0, 0, 1), position.At.Clock, day.Format(time.DateOnly), false); err != nil {
			return err
		}
	}
	month := time.Date(today.Year(), today.Month()-1, 1, 0, 0, 0, 0, time.UTC)
	return k.write(ctx, month, month.AddDate(0, 1, 0), position.At.Clock, month.Format("2006-01"), true)
}

// write writes the files of a period, unless the index has not reached its end.
func (k *Keeper) write(ctx context.Context, from, until time.Time, indexed types.Time, name string, statement bool) error {
	journal := filepath.Join(k.Folder, name+".csv") // written last, so that it tells of both files
	if _, err := os.Stat(journal); err == nil || indexed < types.TimeOf(until) {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	entries, err := Fetch(ctx, k.Node, k.Key, types.TimeOf(from), types.TimeOf(until))
	if err != nil {
		return err
	}
	if statement {
		var content bytes.Buffer
		if err := NewStatement(types.TimeOf(from), types.TimeOf(until), entries).Write(&content, k.Key, k.Assets); err != nil {
			return err
		}
		if err := atomicfile.Replace(filepath.Join(k.Folder, name+".txt"), content.Bytes()); err != nil {
			return err
		}
	}
	var content bytes.Buffer
	if err := WriteJournal(&content, entries, k.Assets); err != nil {
		return err
	}
	return atomicfile.Replace(journal, content.Bytes())
}
