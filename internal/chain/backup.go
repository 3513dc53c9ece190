package chain

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	cmtconfig "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/privval"
	cmtstate "github.com/cometbft/cometbft/proto/tendermint/state"
	blockstore "github.com/cometbft/cometbft/store"
	"github.com/syndtr/goleveldb/leveldb/opt"
)

// databases are the engine's, by their names in its folder.
var databases = []string{blockDatabase, "state", "evidence"} //nolint:gochecknoglobals // a constant table

// Files of a backup of the engine, by their paths in its folder.
var (
	// PublicFiles are no secret.
	PublicFiles = []string{"config/genesis.json"} //nolint:gochecknoglobals // a constant table
	// SecretFiles have keys, and the last signature.
	SecretFiles = []string{"config/priv_validator_key.json", "config/node_key.json", "data/priv_validator_state.json"} //nolint:gochecknoglobals // a constant table
)

const (
	partBytes = 1 << 20   // about the content of one part of a database
	maxEntry  = 128 << 20 // bytes of a key or a value: more than any block
)

// Dump gives the engine's databases, as they stand between two blocks, in parts: each has a name, such as "data/state.kv/000000". It returns
// the height of the last block.
func (c *Chain) Dump(ctx context.Context, add func(name string, content []byte) error) (int64, error) {
	open := map[string]dbm.DB{}
	for _, db := range c.opened {
		if own, ok := db.(*database); ok {
			defer own.use()()
			open[own.name] = db
		}
	}
	return dump(ctx, open, add)
}

// DumpStopped is [Chain.Dump] of the engine in a folder, which must not run.
func DumpStopped(ctx context.Context, dir string, add func(name string, content []byte) error) (height int64, err error) {
	open, data := map[string]dbm.DB{}, dataOf(dir)
	defer func() {
		for _, db := range open { // in any order
			err = errors.Join(err, db.Close())
		}
	}()
	for _, name := range databases {
		if _, err := os.Stat(filepath.Join(data, name+".db")); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		db, err := dbm.NewGoLevelDBWithOpts(name, data, &opt.Options{ReadOnly: true})
		if err != nil {
			return 0, databaseError(name, data, err)
		}
		open[name] = db
	}
	return dump(ctx, open, add)
}

func dataOf(dir string) string {
	config := cmtconfig.DefaultConfig()
	config.SetRoot(dir)
	return config.DBDir()
}

func dump(ctx context.Context, open map[string]dbm.DB, add func(name string, content []byte) error) (height int64, err error) {
	if open[blockDatabase] == nil || open["state"] == nil {
		return 0, errors.New("the ledger has not begun: there are no blocks")
	}
	all := map[string]dbm.Iterator{}
	defer func() {
		for _, rest := range all { // in any order
			err = errors.Join(err, rest.Close())
		}
	}()
	if height, err = between(ctx, open, all); err != nil {
		return height, err
	}
	for _, name := range databases {
		if all[name] == nil {
			continue
		}
		if err := dumpOne(ctx, name, all[name], add); err != nil {
			return height, err
		}
	}
	return height, nil
}

// between opens an iterator on each database while the engine is between two blocks, or has decided one that it has not executed: it can
// start from either.
func between(ctx context.Context, open map[string]dbm.DB, all map[string]dbm.Iterator) (int64, error) {
	for {
		before, err := heights(open)
		if err != nil {
			return 0, err
		}
		for _, name := range databases {
			if open[name] == nil {
				continue
			}
			if all[name], err = open[name].Iterator(nil, nil); err != nil {
				delete(all, name)
				return 0, err
			}
		}
		after, err := heights(open)
		if err != nil {
			return 0, err
		}
		if kept, at := before[0], before[1]; before == after && (kept == at || kept == at+1) {
			return kept, nil
		}
		for name, begun := range all { // in any order
			delete(all, name)
			if err := begun.Close(); err != nil {
				return 0, err
			}
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

// heights returns the heights of the blocks and of the engine's state.
func heights(open map[string]dbm.DB) (h [2]int64, err error) {
	raw, err := open["state"].Get([]byte("stateKey"))
	if err != nil {
		return h, err
	}
	var state cmtstate.State
	if err := state.Unmarshal(raw); err != nil {
		return h, fmt.Errorf("the engine's state is damaged: %w", err)
	}
	return [2]int64{blockstore.LoadBlockStoreState(open[blockDatabase]).Height, state.LastBlockHeight}, nil
}

func partName(name string, number int) string { return fmt.Sprintf("data/%s.kv/%06d", name, number) }

func dumpOne(ctx context.Context, name string, entries dbm.Iterator, add func(name string, content []byte) error) error {
	var part []byte
	number := 0
	give := func() error {
		if len(part) == 0 {
			return nil
		}
		err := add(partName(name, number), part)
		part, number = part[:0], number+1
		return err
	}
	for ; entries.Valid(); entries.Next() {
		part = appendField(appendField(part, entries.Key()), entries.Value())
		if len(part) >= partBytes {
			if err := errors.Join(ctx.Err(), give()); err != nil {
				return err
			}
		}
	}
	return errors.Join(entries.Error(), give())
}

func appendField(part, field []byte) []byte {
	return append(binary.AppendUvarint(part, uint64(len(field))), field...)
}

// Assemble makes the engine's databases from the parts that [Chain.Dump] has given, which are files in the engine's folder, and removes these.
func Assemble(dir string) error {
	data := dataOf(dir)
	for _, name := range databases {
		if err := assemble(data, name); err != nil {
			return fmt.Errorf("make the engine's database %q: %w", name, err)
		}
	}
	return nil
}

func assemble(data, name string) (err error) {
	folder := filepath.Join(data, name+".kv")
	parts, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(parts) == 0 {
		return err
	}
	slices.Sort(parts)
	db, err := dbm.NewGoLevelDBWithOpts(name, data, (&Config{BlockMemory: defaultBlockMemory}).databaseOptions(name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for i, file := range parts {
		if filepath.Base(file) != filepath.Base(partName(name, i)) {
			return fmt.Errorf("part %d is missing", i)
		}
		if err := writePart(db, file); err != nil {
			return fmt.Errorf("part %d: %w", i, err)
		}
	}
	return os.RemoveAll(folder)
}

func writePart(db dbm.DB, file string) error {
	part, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	batch := db.NewBatch()
	if err := entriesOf(part, batch.Set); err != nil {
		return errors.Join(err, batch.Close())
	}
	return errors.Join(batch.WriteSync(), batch.Close())
}

// entriesOf decodes a part.
func entriesOf(part []byte, set func(key, value []byte) error) error {
	for len(part) > 0 {
		var key, value []byte
		for _, field := range []*[]byte{&key, &value} {
			length, n := binary.Uvarint(part)
			if n <= 0 || length > maxEntry || uint64(len(part)-n) < length {
				return errors.New("an entry is cut off")
			}
			*field, part = part[n:n+int(length)], part[n+int(length):]
		}
		if len(key) == 0 {
			return errors.New("an entry has no key")
		}
		if err := set(key, value); err != nil {
			return err
		}
	}
	return nil
}

// FreshKeys makes new keys in a restored folder whose backup has none.
func FreshKeys(dir string) error {
	files := filesOf(dir)
	if err := os.MkdirAll(filepath.Dir(files.ValidatorState), 0o700); err != nil {
		return err
	}
	validator := privval.GenFilePV(files.ValidatorKey, files.ValidatorState)
	validator.Save()
	return newNodeKey(files)
}
