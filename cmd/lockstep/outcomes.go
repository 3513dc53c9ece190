package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"lockstep/client"
	"lockstep/internal/atomicfile"
	"lockstep/internal/outcomes"
	"lockstep/types"
)

type logCmd struct {
	Export logExportCmd `cmd:"" help:"Write the log of outcomes as static files (C2SP tlog-tiles)."`
	Key    logKeyCmd    `cmd:"" help:"Print the key that verifies the checkpoints of the node."`
}

type logExportCmd struct {
	Tiles string `help:"Folder for the files. One that holds an earlier export is brought up to date." required:"" type:"path" placeholder:"DIR"`
}

// tilesExport is the result of an export.
type tilesExport struct {
	Folder string        `json:"folder"`
	Log    types.LogHead `json:"log"`
	New    int           `json:"new_files"`
}

func (c *logExportCmd) Run(ctx context.Context, a *app) error {
	node, err := a.connect()
	if err != nil {
		return err
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

// exportTiles brings a folder up to the newest checkpoint. It writes the checkpoint last.
func exportTiles(ctx context.Context, node *client.Client, folder string) (result tilesExport, err error) {
	result.Folder = folder
	key, err := node.LogFile(ctx, "key")
	if err != nil {
		return result, err
	}
	checkpoint, err := node.LogFile(ctx, "checkpoint")
	if err != nil {
		return result, err
	}
	if result.Log, err = outcomes.ReadCheckpoint(checkpoint, strings.TrimSpace(string(key))); err != nil {
		return result, err
	}
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
