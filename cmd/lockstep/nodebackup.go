package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/disk"
	"lockstep/internal/httpapi"
	"lockstep/internal/node"
	"lockstep/types"
)

type nodeBackupCmd struct {
	nodeFlags
	To          string `arg:"" help:"The new file, or a folder for it." type:"path" placeholder:"FILE|DIR"`
	WithoutKeys bool   `help:"Leave out the node's keys and tokens. A node restored from the file gets new ones."`
}

// shownBackup is a backup with its place and its hash.
type shownBackup struct {
	File string     `json:"file"`
	Hash types.Hash `json:"hash"`
	node.Backup
}

// Run writes the backup beside its place, reads it whole, and gives it its name.
func (c *nodeBackupCmd) Run(ctx context.Context, a *app) error {
	dir := c.dir(a)
	if _, err := node.LoadSettings(dir); err != nil {
		return err
	}
	path := c.To
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "lockstep-backup-"+time.Now().UTC().Format("20060102-150405")+".tar")
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s exists already: name a new file", quoted(path))
	}
	part := path + ".part"
	if _, err := os.Lstat(part); err == nil {
		return fmt.Errorf("%s exists: another backup is being written there, or was interrupted; remove that file if none is", quoted(part))
	}
	about, hash, err := c.write(ctx, a, dir, part)
	if err != nil {
		return errors.Join(disk.Explain(part, err), remove(part))
	}
	if err := verify(part, hash); err != nil {
		return errors.Join(fmt.Errorf("the backup can't be read again from the disk: %w", err), remove(part))
	}
	if err := os.Rename(part, path); err != nil {
		return errors.Join(err, remove(part))
	}
	return a.show(shownBackup{path, hash, about}, func(p *page) {
		p.line("Kept ledger %q at height %d in %s.", about.ChainID, about.Height, path)
		p.line("Hash %s.", hash)
		if about.Keys {
			p.line("The keys of the node are in it, not encrypted: keep it where nobody else reads it.")
		}
		p.line("Restore it with: %s", a.next("node restore")+" "+quoted(path))
	})
}

func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// write writes the backup to a new file and syncs it.
func (c *nodeBackupCmd) write(ctx context.Context, a *app, dir, path string) (about node.Backup, hash types.Hash, err error) {
	running, err := a.runningBackup(ctx, dir)
	if err != nil {
		return about, hash, err
	}
	var from io.Reader
	if running != nil {
		defer running.Close()
		from = running
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return about, hash, err
	}
	out := bufio.NewWriterSize(file, 1<<20)
	about, hash, err = node.MakeBackup(ctx, dir, out, from, !c.WithoutKeys, a.logger())
	if err == nil {
		err = errors.Join(out.Flush(), file.Sync())
	}
	return about, hash, errors.Join(err, file.Close())
}

// runningBackup asks the running node of a folder for its part of the backup. It returns nil when the node doesn't run.
func (a *app) runningBackup(ctx context.Context, dir string) (io.ReadCloser, error) {
	address, err := (&app{globals: &globals{Home: a.Home}}).nodeAddress(dir) // the node of the folder, whatever the flags name
	if err != nil {
		return nil, err
	}
	token, err := node.LoadToken(dir)
	if err != nil {
		return nil, err
	}
	if runs, err := a.runsAt(ctx, dir, address); err != nil || !runs {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address+httpapi.BackupPath, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("ask the node at %s for its backup: %w", address, err)
	case response.StatusCode != http.StatusOK:
		defer response.Body.Close()
		var problem wire.Problem
		if err := json.NewDecoder(io.LimitReader(response.Body, 1<<12)).Decode(&problem); err != nil {
			problem.Detail = "it is no node of this version"
		}
		return nil, fmt.Errorf("the node at %s gives no backup (%s): %s", address, response.Status, problem.Detail)
	}
	return response.Body, nil
}

// runsAt reports whether the node of a folder answers at an address. After a kill another node, or another program, may have that: it is not asked for
// a backup, and learns no token. If the node runs elsewhere after all, the lock of its store says so.
func (a *app) runsAt(ctx context.Context, dir, address string) (bool, error) {
	own, err := node.IDOf(dir)
	if err != nil {
		return false, err
	}
	asked, err := client.New(address)
	if err != nil {
		return false, err
	}
	const answers = 20 * time.Second // a node that makes blocks answers at once
	within, cancel := context.WithTimeout(ctx, answers)
	defer cancel()
	network, err := asked.Network(within) // which it tells before its first block too
	return err == nil && network.Node == own, ctx.Err()
}

// verify reads a backup again.
func verify(path string, want types.Hash) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, hash, err := node.ReadBackup(bufio.NewReaderSize(file, 1<<20))
	if err == nil && hash != want {
		err = fmt.Errorf("its hash is %s, not %s", hash, want)
	}
	return err
}

type nodeRestoreCmd struct {
	nodeFlags
	File   string     `arg:"" help:"The backup." type:"path" placeholder:"FILE"`
	KeysOf string     `help:"Give the node the settings, the keys and the last signature of the stopped node in this folder, instead of those of the backup." type:"path" placeholder:"DIR"`
	Hash   types.Hash `help:"The hash of the backup, as lockstep node backup has printed it." placeholder:"HASH"`
}

// Run restores a backup into a new folder.
func (c *nodeRestoreCmd) Run(ctx context.Context, a *app) error {
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	if c.Hash != (types.Hash{}) {
		if err := verify(c.File, c.Hash); err != nil {
			return fmt.Errorf("%s: %w", quoted(c.File), err)
		}
	}
	about, hash, err := node.Restore(ctx, bufio.NewReaderSize(file, 1<<20), c.dir(a), c.KeysOf, a.logger())
	if err != nil {
		return fmt.Errorf("nothing was restored from %s: %w", quoted(c.File), err)
	}
	settings, err := node.LoadSettings(c.dir(a))
	if err != nil {
		return err
	}
	return a.show(shownBackup{c.dir(a), hash, about}, func(p *page) {
		p.line("Restored ledger %q at height %d in %s. Every hash, signature and sum agrees.", about.ChainID, about.Height, c.dir(a))
		p.line("Hash %s.", hash)
		if about.Keys {
			p.line("A validator signs nothing until its key is silent on the ledger. When no other node has the key and no other validator makes blocks, start it once with --sign-now.")
		}
		if !about.Keys {
			p.line("It has new keys, and follows %s.", followed(settings.P2PPeers))
		}
		p.line("Start it with: %s", a.next("node start"))
	})
}

// followed names the nodes that a restored node follows: those of the node that was kept, which is not among them.
func followed(peers []string) string {
	if len(peers) == 0 {
		return "nobody yet: write the node of the backup into p2p_peers of node.json, as ID@HOST:PORT; lockstep node id prints its ID there"
	}
	return strings.Join(peers, ", ")
}
