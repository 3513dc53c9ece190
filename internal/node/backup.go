package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"

	"lockstep/internal/archive"
	"lockstep/internal/chain"
	"lockstep/internal/disk"
	"lockstep/internal/store"
	"lockstep/types"
)

// Backup describes the backup of a node.
type Backup struct {
	ChainID    string     `json:"chain_id"`
	Genesis    types.Hash `json:"genesis"`
	Height     uint64     `json:"height"`     // of the state
	Commitment types.Hash `json:"commitment"` // of the block at this height
	Blocks     uint64     `json:"blocks"`     // up to which blocks are kept: a restored node executes the later ones again
	Keys       bool       `json:"keys"`       // the keys of the node are in it
}

// The files of a backup besides the state and the engine's.
var (
	settingsFiles = []string{settingsFile, joinsFile}         //nolint:gochecknoglobals // a constant table
	secretFiles   = []string{tokenFile, tokensFile, noteFile} //nolint:gochecknoglobals // a constant table
)

// checkpointFolder is the folder of a copy of the store while it is read for a backup.
const checkpointFolder = "checkpoint"

// source is the part of a node that is no secret, and changes while the node runs.
type source struct {
	dir   string
	store *store.Store
	dump  func(ctx context.Context, add func(name string, content []byte) error) (int64, error)
}

// write adds the state, the blocks and the genesis to an archive. The state comes first: a node can execute blocks that its state lacks.
func (s *source) write(ctx context.Context, w *archive.Writer) (about Backup, err error) {
	checkpoint := filepath.Join(s.dir, checkpointFolder)
	if err := os.RemoveAll(checkpoint); err != nil { // of a program that was killed
		return about, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(checkpoint)) }()
	if about.Height, err = s.store.Checkpoint(checkpoint); err != nil {
		return about, err
	}
	if about.Height < s.store.First() {
		return about, errors.New("the ledger has not begun: there is nothing to keep")
	}
	block, err := s.store.Block(about.Height)
	if block == nil && err == nil {
		err = fmt.Errorf("the store has no record of block %d", about.Height)
	}
	if err != nil {
		return about, err
	}
	about.ChainID, about.Commitment = s.store.Params().ChainID, block.Commitment
	if err := addFolder(ctx, w, checkpoint, storeFolder); err != nil {
		return about, err
	}
	height, err := s.dump(ctx, func(name string, content []byte) error {
		return w.Add(engineFolder+"/"+name, int64(len(content)), bytes.NewReader(content))
	})
	if err != nil {
		return about, err
	}
	about.Blocks = uint64(height) //nolint:gosec // not negative
	for _, name := range chain.PublicFiles {
		if err := addFile(w, s.dir, engineFolder+"/"+name); err != nil {
			return about, err
		}
	}
	about.Genesis, err = chain.GenesisOf(filepath.Join(s.dir, engineFolder))
	return about, err
}

// addFolder adds all files of a folder, under the name of another. Files that grow meanwhile are cut at the length that they have now.
func addFolder(ctx context.Context, w *archive.Writer, dir, as string) error {
	return fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return errors.Join(err, ctx.Err())
		}
		return add(w, filepath.Join(dir, name), as+"/"+name)
	})
}

// addFile adds a file of a node's folder, if it is there.
func addFile(w *archive.Writer, dir, name string) error {
	err := add(w, filepath.Join(dir, name), name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func add(w *archive.Writer, path, name string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return w.Add(name, info.Size(), file)
}

// errBusy is the error of a second backup at a time.
var errBusy = errors.New("a backup of this node is being made: wait until it is done")

// backing allows one backup at a time.
type backing struct{ mu sync.Mutex }

// WriteBackup writes an archive of the running node without its keys and settings, which [MakeBackup] adds.
func (n *Node) WriteBackup(ctx context.Context, to io.Writer) error {
	if !n.backing.mu.TryLock() {
		return types.Refuse(types.CodeUnavailable, "%v", errBusy)
	}
	defer n.backing.mu.Unlock()
	w := archive.NewWriter(to)
	about, err := (&source{n.dir, n.store, n.chain.Dump}).write(ctx, w)
	if err == nil {
		_, err = w.Close(about)
	}
	return err
}

// MakeBackup writes a backup of the node in a folder, and returns its hash. A running node gives the part that changes: running is its
// [Node.WriteBackup], or nil when it is stopped. Without keys a restored node gets new ones.
func MakeBackup(ctx context.Context, dir string, to io.Writer, running io.Reader, keys bool, logger *slog.Logger) (about Backup, hash types.Hash, err error) {
	if _, err := LoadSettings(dir); err != nil {
		return about, hash, err
	}
	w := archive.NewWriter(to)
	if running != nil {
		_, err = archive.Read(running, &about, w.Add)
	} else {
		about, err = backupStopped(ctx, dir, w, logger)
	}
	if err != nil {
		return about, hash, err
	}
	names := settingsFiles
	if about.Keys = keys; keys { // the last signature is read last: it must not be older than the blocks
		names = ownFiles()
	}
	for _, name := range names {
		if err := addFile(w, dir, name); err != nil {
			return about, hash, err
		}
	}
	hash, err = w.Close(about)
	return about, hash, err
}

func backupStopped(ctx context.Context, dir string, w *archive.Writer, logger *slog.Logger) (about Backup, err error) {
	s, err := openStore(dir, store.MinMemory, logger)
	if err != nil {
		return about, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	engine := filepath.Join(dir, engineFolder)
	return (&source{dir, s, func(ctx context.Context, add func(name string, content []byte) error) (int64, error) {
		return chain.DumpStopped(ctx, engine, add)
	}}).write(ctx, w)
}

// ReadBackup reads a backup whole, and returns its description and its hash.
func ReadBackup(from io.Reader) (about Backup, hash types.Hash, err error) {
	hash, err = archive.Read(from, &about, func(name string, _ int64, _ io.Reader) error { return allowed(name) })
	return about, hash, err
}

// partNames are the names in a backup that are not of a fixed list.
var partNames = regexp.MustCompile(`^(` + storeFolder + `/(outcomes/)?[A-Za-z0-9._-]+|` + engineFolder + `/data/[a-z]+\.kv/[0-9]{6})$`)

// allowed refuses a file that is none of a node's.
func allowed(name string) error {
	known := ownFiles()
	for _, of := range chain.PublicFiles {
		known = append(known, engineFolder+"/"+of)
	}
	if !slices.Contains(known, name) && !partNames.MatchString(name) {
		return fmt.Errorf("%w: %q is no file of a node", archive.ErrDamaged, name)
	}
	return nil
}

// Restore makes the folder of a node from a backup, and checks all of it as [Check] does before the folder gets its name. The folder must be
// empty or not exist. A validator of it signs nothing until its key is silent on the ledger. If keysOf is not empty, the node gets the settings,
// the keys and the last signature of the node in that folder, which must not run, instead of those of the backup.
func Restore(ctx context.Context, from io.Reader, dir, keysOf string, logger *slog.Logger) (about Backup, hash types.Hash, err error) {
	if keysOf != "" {
		if _, err := LoadSettings(keysOf); err != nil {
			return about, hash, err
		}
	}
	_, before := os.Lstat(dir)
	if err := makeFolder(dir); err != nil {
		return about, hash, err
	}
	defer func() {
		if err != nil && errors.Is(before, fs.ErrNotExist) {
			_ = os.Remove(dir) // empty
		}
	}()
	made := dir + ".restoring"
	if err := os.Mkdir(made, 0o700); err != nil {
		return about, hash, fmt.Errorf("a backup is being restored in %s, or was: remove that folder when it is not (%w)", made, err)
	}
	defer os.RemoveAll(made) // when it has its name, there is nothing left
	about, hash, err = unpack(ctx, from, made, keysOf == "")
	if err == nil && keysOf != "" {
		about.Keys, err = true, takeKeys(made, keysOf, about.Genesis)
	}
	if err == nil {
		err = complete(made, about)
	}
	if err == nil {
		err = compare(made, about, logger)
	}
	if err == nil {
		err = errors.Join(os.Remove(dir), os.Rename(made, dir))
	}
	return about, hash, disk.Explain(dir, err)
}

// takeKeys copies the settings, keys and tokens of another node of the ledger.
func takeKeys(dir, keysOf string, genesis types.Hash) error {
	if own, err := chain.GenesisOf(filepath.Join(keysOf, engineFolder)); err != nil || own != genesis {
		return errors.Join(fmt.Errorf("%s is the node of another ledger: its genesis is %s, that of the backup %s", keysOf, own, genesis), err)
	}
	for _, name := range ownFiles() {
		file, err := os.Open(filepath.Join(keysOf, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := errors.Join(unpackOne(filepath.Join(dir, filepath.FromSlash(name)), file), file.Close()); err != nil {
			return err
		}
	}
	return nil
}

// ownFiles are the files that make a node this one: its settings, keys and tokens, and its last signature, which is the last of them.
func ownFiles() []string {
	names := slices.Concat(settingsFiles, secretFiles)
	for _, name := range chain.SecretFiles {
		names = append(names, engineFolder+"/"+name)
	}
	return names
}

func unpack(ctx context.Context, from io.Reader, dir string, own bool) (about Backup, hash types.Hash, err error) {
	hash, err = archive.Read(from, &about, func(name string, size int64, content io.Reader) error {
		if err := errors.Join(ctx.Err(), allowed(name)); err != nil {
			return err
		}
		if !own && slices.Contains(ownFiles(), name) {
			return nil
		}
		if room, err := disk.Free(dir); err == nil && uint64(size)+disk.RoomToStart > room { //nolint:gosec // not negative
			return fmt.Errorf("%s needs %s, and %s are left on the disk of %s", name, disk.Size(uint64(size)), disk.Size(room), dir) //nolint:gosec // as above
		}
		return unpackOne(filepath.Join(dir, filepath.FromSlash(name)), content)
	})
	return about, hash, err
}

func unpackOne(path string, content io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// complete makes the engine's databases, and new keys when the backup has none.
func complete(dir string, about Backup) error {
	engine := filepath.Join(dir, engineFolder)
	if err := chain.Assemble(engine); err != nil {
		return err
	}
	if !about.Keys {
		if err := errors.Join(chain.FreshKeys(engine), writeToken(filepath.Join(dir, tokenFile))); err != nil {
			return err
		}
	}
	if about.Keys {
		return chain.MarkRestored(engine)
	}
	return nil
}

// compare checks a restored folder, and holds it against the description of the backup.
func compare(dir string, about Backup, logger *slog.Logger) error {
	report, err := Check(dir, logger)
	if err != nil {
		return fmt.Errorf("the restored node is not in order: %w", err)
	}
	genesis, err := chain.GenesisOf(filepath.Join(dir, engineFolder))
	if err != nil {
		return err
	}
	if genesis != about.Genesis || report.Height != about.Height || report.Commitment != about.Commitment || report.Engine.Blocks == 0 {
		return fmt.Errorf("the restored node is not the one of the backup: it is of genesis %s at height %d with the commitment %s, the backup says %s, %d, %s",
			genesis, report.Height, report.Commitment, about.Genesis, about.Height, about.Commitment)
	}
	return nil
}
