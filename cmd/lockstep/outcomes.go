package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"lockstep/client"
	"lockstep/internal/atomicfile"
	"lockstep/internal/disk"
	"lockstep/internal/outcomes"
	"lockstep/internal/outcomes/flat"
	"lockstep/types"
)

type logCmd struct {
	Export logExportCmd `cmd:"" help:"Write the log of outcomes as a table (Parquet, CSV, JSON lines), or as static files (C2SP tlog-tiles)."`
	Key    logKeyCmd    `cmd:"" help:"Print the key that verifies the checkpoints of the node."`
}

type logExportCmd struct {
	Tiles string `help:"Write static files to this folder. One that holds an earlier export is brought up to date." type:"path" placeholder:"DIR"`

	Format   string     `help:"Write a table in this format, with a row for each effect: parquet, csv or jsonl." enum:",parquet,csv,jsonl" default:""`
	Out      string     `help:"File of the table, which must not exist." short:"o" type:"path" placeholder:"FILE"`
	Trades   bool       `help:"Only a row for each trade that ended, with its story."`
	From     types.Time `help:"Only outcomes of this time of the ledger clock or later." placeholder:"TIME"`
	To       types.Time `help:"Only outcomes before this time." placeholder:"TIME"`
	FromLeaf uint64     `help:"Only outcomes from this leaf on: the value of next of an earlier export." placeholder:"N"`
}

func (c *logExportCmd) Run(ctx context.Context, a *app) error {
	switch {
	case (c.Tiles == "") == (c.Format == ""):
		return misuse("name a table by --format and -o, or a folder for static files by --tiles")
	case c.Tiles != "" && (c.Out != "" || c.Trades || c.From != 0 || c.To != 0 || c.FromLeaf != 0):
		return misuse("-o, --trades, --from, --to and --from-leaf are for a table: name its --format")
	case c.Format != "" && c.Out == "":
		return misuse("name the file of the table: -o FILE")
	case c.From != 0 && c.FromLeaf != 0:
		return misuse("--from and --from-leaf both say where the table begins: leave one out")
	case c.To != 0 && c.To <= c.From:
		return misuse("--to %s is not after --from %s", c.To, c.From)
	}
	node, err := a.connect()
	if err != nil {
		return err
	}
	if c.Format != "" {
		return c.table(ctx, a, node)
	}
	var result tilesExport
	err = within(ctx, "export the log", func() (err error) {
		result, err = exportTiles(ctx, node, c.Tiles)
		return err
	})
	if err != nil {
		return err
	}
	return a.show(result, func(p *page) {
		p.line("Exported %d outcomes to %s: %d new files, all checked against the root %s.", result.Log.Size, result.Folder, result.New, result.Log.Root)
	})
}

// tableExport is the result of an export as a table.
type tableExport struct {
	File string        `json:"file"`
	Log  types.LogHead `json:"log"`
	From uint64        `json:"from"` // the first leaf
	Next uint64        `json:"next"` // the leaf after the last one: where the next export begins
	Rows uint64        `json:"rows"`
}

// table writes the table to a file that is there when it is whole.
func (c *logExportCmd) table(ctx context.Context, a *app, node *client.Client) error {
	result := tableExport{File: c.Out}
	_, _, head, err := checkpointOf(ctx, node)
	if err != nil {
		return err
	}
	result.Log = head
	fetch := func(path string) ([]byte, error) { return node.LogFile(ctx, path) }
	if result.From, result.Next, err = c.leaves(head, fetch); err != nil {
		return err
	}
	err = atomicfile.CreateBy(c.Out, func(to io.Writer) error {
		writer, err := flat.NewWriter(flat.Format(c.Format), to)
		if err != nil {
			return err
		}
		leaf := result.From
		for outcome, err := range outcomes.Scan(head, result.From, result.Next, fetch) {
			if err != nil {
				return err
			}
			rows := flat.Rows(leaf, outcome, c.Trades)
			if err := writer.Write(rows); err != nil {
				return err
			}
			leaf, result.Rows = leaf+1, result.Rows+uint64(len(rows))
		}
		return writer.Close()
	})
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("there is a file at %s already, and it is never written over: name another with -o", c.Out)
	}
	if err != nil {
		return fmt.Errorf("export the log to %s: %w", c.Out, disk.Explain(c.Out, err))
	}
	return a.show(result, func(p *page) {
		p.line("Exported the outcomes from %d up to %d to %s, all checked against the root %s. Rows: %d.", result.From, result.Next, result.File, result.Log.Root, result.Rows)
		p.line("Continue later with: --from-leaf %d", result.Next)
	})
}

// leaves returns the range of leaves that the flags select.
func (c *logExportCmd) leaves(head types.LogHead, fetch func(string) ([]byte, error)) (from, next uint64, err error) {
	from, next = c.FromLeaf, head.Size
	if from > next {
		return 0, 0, types.Refuse(types.CodeNotFound, "--from-leaf %d: the log has %d outcomes so far", from, next)
	}
	if c.From != 0 {
		from, err = outcomes.LeafSince(head, c.From, fetch)
	}
	if err == nil && c.To != 0 {
		next, err = outcomes.LeafSince(head, c.To, fetch)
	}
	return from, max(from, next), err
}

// checkpointOf returns the key of a node's log, and its newest checkpoint.
func checkpointOf(ctx context.Context, node *client.Client) (key, checkpoint []byte, head types.LogHead, err error) {
	key, err = node.LogFile(ctx, "key")
	if err == nil {
		checkpoint, err = node.LogFile(ctx, "checkpoint")
	}
	if err == nil {
		head, err = outcomes.ReadCheckpoint(checkpoint, strings.TrimSpace(string(key)))
	}
	return key, checkpoint, head, err
}

// tilesExport is the result of an export.
type tilesExport struct {
	Folder string        `json:"folder"`
	Log    types.LogHead `json:"log"`
	New    int           `json:"new_files"`
}

// exportTiles brings a folder up to the newest checkpoint. It writes the checkpoint last.
func exportTiles(ctx context.Context, node *client.Client, folder string) (result tilesExport, err error) {
	result.Folder = folder
	key, checkpoint, head, err := checkpointOf(ctx, node)
	if err != nil {
		return result, err
	}
	result.Log = head
	origin, before, err := outcomes.Kept(folder)
	if err != nil {
		return result, fmt.Errorf("folder %s: %w", folder, err)
	}
	if now, _, _ := strings.Cut(string(checkpoint), "\n"); origin != "" && origin != now {
		return result, fmt.Errorf("folder %s holds the log %q, and the node has the log %q: name another folder", folder, origin, now)
	}
	result.New, err = outcomes.Export(folder, before, result.Log, func(path string) ([]byte, error) { return node.LogFile(ctx, path) })
	if err != nil {
		return result, err
	}
	err = atomicfile.Replace(filepath.Join(folder, "key"), key)
	if err == nil {
		err = atomicfile.Replace(filepath.Join(folder, "checkpoint"), checkpoint)
	}
	return result, err
}

type logKeyCmd struct{}

func (logKeyCmd) Run(ctx context.Context, a *app) error {
	node, err := a.connect()
	if err != nil {
		return err
	}
	key, err := node.LogFile(ctx, "key")
	if err != nil {
		return err
	}
	type answer struct {
		Key string `json:"key"`
	}
	found := answer{strings.TrimSpace(string(key))}
	return a.show(found, func(p *page) { p.line("%s", found.Key) })
}
