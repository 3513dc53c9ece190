package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"

	"lockstep/internal/atomicfile"
	"lockstep/internal/chain"
	"lockstep/internal/ledger"
	"lockstep/internal/plaintext"
	"lockstep/internal/store"
	"lockstep/types"
)

// ExportGenesis checks the state of a stopped node, and returns the genesis file of a ledger that continues its ledger under a new name, with the sums of its money.
// The new ledger has the same validators unless others are named.
func ExportGenesis(dir, chainID string, validators []types.Validator, logger *slog.Logger) (genesis []byte, sums ledger.Sums, err error) {
	s, err := openStore(dir, store.DefaultMemory, logger)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if _, err = s.Check(); err == nil {
		genesis, err = chain.ExportGenesis(filepath.Join(dir, engineFolder), s, chainID, validators)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("export the genesis: %w", err)
	}
	sums, err = chain.Carried(genesis)
	return genesis, sums, err
}

// continuedFile in the folder of an old node names the folder of the node that has its keys on the new ledger.
const continuedFile = "continued.json"

// continuation is the content of that file.
type continuation struct {
	ChainID string     `json:"chain_id"`
	Genesis types.Hash `json:"genesis"`
	Dir     string     `json:"dir"`
}

// ContinueOptions are the options of a node of a ledger that continues another.
type ContinueOptions struct {
	Old     string     // folder of a node of the other ledger, whose keys, settings and access tokens the new node gets
	Genesis []byte     // the content of the file that was exported
	Hash    types.Hash // of the genesis, as the other operators told it; zero to trust the old node's own state alone
}

// Continued tells how a genesis was checked.
type Continued struct {
	Compared       bool // with the state of the old node: it would write the same
	SameValidators bool // as those of the old ledger, if compared
}

// Continue creates the folder of a node of a ledger that continues another. The old node must not run. The genesis must be the one that the old node would write
// itself; where that can't be compared, or other validators are meant, its hash must be known.
func Continue(dir string, options ContinueOptions, logger *slog.Logger) (done Continued, err error) {
	settings, err := LoadSettings(options.Old)
	if err != nil {
		return done, err
	}
	hash, params, err := ReadGenesis(options.Genesis)
	if err != nil {
		return done, err
	}
	if options.Hash != (types.Hash{}) && options.Hash != hash {
		return done, fmt.Errorf("the genesis has the hash %s, not %s: it is another than the operators agreed on", hash, options.Hash)
	}
	if done, err = compareGenesis(options.Old, options.Genesis, logger); err != nil && (!errors.Is(err, chain.ErrOtherState) || options.Hash == types.Hash{}) {
		if errors.Is(err, chain.ErrOtherState) {
			err = fmt.Errorf("%w; stop all nodes at one block, or compare the hash %s with the other operators and name it: --genesis HASH", err, hash)
		}
		return done, err
	}
	if done.Compared && !done.SameValidators && options.Hash == (types.Hash{}) {
		return done, fmt.Errorf("the genesis names other validators than the old ledger has: compare its hash %s with the other operators, and name it: --genesis HASH", hash)
	}
	if err := unused(options.Old, hash); err != nil {
		return done, err
	}
	settings.Sync = nil // of the old ledger
	if err := makeFolder(dir); err != nil {
		return done, err
	}
	if err := markContinued(options.Old, continuation{params.ChainID, hash, dir}); err != nil {
		return done, err
	}
	if err := chain.Continue(filepath.Join(dir, engineFolder), filepath.Join(options.Old, engineFolder), options.Genesis); err != nil {
		return done, fmt.Errorf("continue the ledger: %w", err)
	}
	if err := finish(dir, settings); err != nil {
		return done, err
	}
	return done, copyAccess(dir, options.Old)
}

func compareGenesis(old string, genesis []byte, logger *slog.Logger) (done Continued, err error) {
	s, err := openStore(old, store.DefaultMemory, logger)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	done.SameValidators, err = chain.CompareGenesis(filepath.Join(old, engineFolder), s, genesis)
	done.Compared = err == nil
	return done, err
}

// unused refuses to give the keys of an old node to a second node of one ledger: both would sign.
func unused(old string, genesis types.Hash) error {
	before, err := readContinued(old)
	if err != nil || before == nil || before.Genesis != genesis {
		return err
	}
	if _, err := chain.LoadParams(filepath.Join(before.Dir, engineFolder)); err != nil {
		return nil //nolint:nilerr // that node is gone
	}
	return fmt.Errorf("the node in %s has the keys of %s on ledger %q already, and two nodes with one key would sign two blocks of one height: start that one, or remove its folder first", before.Dir, old, before.ChainID)
}

// readContinued returns which node has the keys of an old one, nil for none.
func readContinued(old string) (*continuation, error) {
	text, err := plaintext.ReadFile(filepath.Join(old, continuedFile), maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	kept := new(continuation)
	if err == nil {
		err = json.Unmarshal(text, kept)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(old, continuedFile), err)
	}
	return kept, nil
}

func markContinued(old string, by continuation) error {
	absolute, err := filepath.Abs(by.Dir)
	if err != nil {
		return err
	}
	by.Dir = absolute
	text, err := json.MarshalIndent(by, "", "  ")
	if err == nil {
		err = atomicfile.Replace(filepath.Join(old, continuedFile), append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write down which node has the keys: %w", err)
	}
	return nil
}

// copyAccess lets the clients of an old node go on with their tokens.
func copyAccess(dir, old string) error {
	for _, name := range []string{tokenFile, tokensFile} {
		content, err := plaintext.ReadFile(filepath.Join(old, name), maxFile)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = atomicfile.Replace(filepath.Join(dir, name), content)
		}
		if err != nil {
			return fmt.Errorf("take over the access tokens: %w", err)
		}
	}
	return nil
}

// warnContinued warns before the start of the node of a ledger that another one has continued.
func warnContinued(dir string, logger *slog.Logger) {
	if by, err := readContinued(dir); err == nil && by != nil {
		logger.Warn("another ledger continues this one: its money is there, so let this one make no more blocks", "ledger", by.ChainID, "node", by.Dir)
	}
}
