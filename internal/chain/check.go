package chain

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	dbm "github.com/cometbft/cometbft-db"
	abci "github.com/cometbft/cometbft/abci/types"
	cmtconfig "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/consensus"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/libs/protoio"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"
	cmtstate "github.com/cometbft/cometbft/proto/tendermint/state"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	sm "github.com/cometbft/cometbft/state"
	blockstore "github.com/cometbft/cometbft/store"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/syndtr/goleveldb/leveldb/opt"

	"lockstep/internal/store"
	"lockstep/types"
)

// Checked counts the blocks that [Check] found in order.
type Checked struct {
	Blocks uint64 `json:"blocks"` // with all their parts, chained by hashes and signed by the validators
	Bytes  uint64 `json:"bytes"`  // of transactions in them
}

// Check verifies the engine's files: keys, genesis, the last signature; every entry of its databases; every block against
// its hashes, the validators' signatures, the block before, and the store's record of it. An error names the first
// contradiction. The engine must not run. A node that never ran has nothing to check but its keys.
func Check(dir string, s *store.Store) (checked Checked, err error) {
	defer func() { // the engine's readers panic on what they can't read; here it is a finding
		if r := recover(); r != nil {
			err = fmt.Errorf("check the engine's files: %w", asError(r))
		}
	}()
	c := &checker{files: filesOf(dir), store: s}
	config := cmtconfig.DefaultConfig()
	config.SetRoot(dir)
	c.data = config.DBDir()
	for _, step := range []func() error{c.keys, c.genesis, c.databases, c.blocks, c.state, c.log} {
		if err := step(); err != nil {
			return c.checked, errors.Join(fmt.Errorf("check the engine's files: %w", err), c.close())
		}
	}
	return c.checked, c.close()
}

type checker struct {
	files   engineFiles
	data    string // folder of the databases
	store   *store.Store
	checked Checked

	key        *privval.FilePVKey
	signed     *privval.FilePVLastSignState
	doc        *cmttypes.GenesisDoc
	validators *cmttypes.ValidatorSet // of genesis
	sets       sm.Store               // the sets of later blocks
	opened     map[string]dbm.DB
	kept       *blockstore.BlockStore
}

func (c *checker) close() (err error) {
	for _, db := range c.opened { // in any order
		err = errors.Join(err, db.Close())
	}
	return err
}

// keys checks the files of the validator and of the node: each key's parts belong together, and the last signature is valid.
func (c *checker) keys() error {
	loaded, err := loadValidator(c.files)
	if err != nil {
		return err
	}
	c.key, c.signed = new(privval.FilePVKey), &loaded.LastSignState
	if err := readJSON(c.files.ValidatorKey, c.key); err != nil {
		return err
	}
	if public := c.key.PrivKey.PubKey(); !public.Equals(c.key.PubKey) || !bytes.Equal(public.Address(), c.key.Address) {
		return fmt.Errorf("the validator's file %s is damaged: its parts are of different keys", c.files.ValidatorKey)
	}
	if err := c.lastSigned(); err != nil {
		return fmt.Errorf("the validator's file %s is damaged: %w", c.files.ValidatorState, err)
	}
	var node p2p.NodeKey
	if err := readJSON(c.files.NodeKey, &node); err != nil {
		return err
	}
	if node.PrivKey == nil {
		return fmt.Errorf("the node's file %s holds no key", c.files.NodeKey)
	}
	secret := node.PrivKey.Bytes()
	if len(secret) != ed25519.PrivateKeySize || !bytes.Equal(ed25519.NewKeyFromSeed(secret[:ed25519.SeedSize]), secret) {
		return fmt.Errorf("the node's key in %s is damaged: its parts are of different keys", c.files.NodeKey)
	}
	return nil
}

func readJSON(file string, into any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := cmtjson.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s is damaged: %w", file, err)
	}
	return nil
}

// The steps of a round, as the engine numbers them in the state of a validator.
const (
	stepPropose   = 1
	stepPrevote   = 2
	stepPrecommit = 3
)

// lastSigned verifies the last signature, and that it is of the height, round and step beside it.
func (c *checker) lastSigned() error {
	s := c.signed
	if isRaised(s) {
		return nil
	}
	if s.Step == 0 {
		if s.Height != 0 || s.Round != 0 || s.Signature != nil || s.SignBytes != nil {
			return errors.New("it names no step")
		}
		return nil
	}
	if !c.key.PubKey.VerifySignature(s.SignBytes, s.Signature) {
		return errors.New("the signature is not of what it says was signed")
	}
	height, round, step := int64(0), int64(0), int8(0)
	if s.Step == stepPropose {
		var proposal cmtproto.CanonicalProposal
		if err := protoio.UnmarshalDelimited(s.SignBytes, &proposal); err != nil {
			return err
		}
		height, round, step = proposal.Height, proposal.Round, stepPropose
	} else {
		var vote cmtproto.CanonicalVote
		if err := protoio.UnmarshalDelimited(s.SignBytes, &vote); err != nil {
			return err
		}
		height, round, step = vote.Height, vote.Round, stepPrevote
		if vote.Type == cmtproto.PrecommitType {
			step = stepPrecommit
		}
	}
	if height != s.Height || round != int64(s.Round) || step != s.Step {
		return fmt.Errorf("it says height %d, round %d, step %d, and was signed for %d, %d, %d", s.Height, s.Round, s.Step, height, round, step)
	}
	return nil
}

// genesis reads the file of the ledger's begin.
func (c *checker) genesis() (err error) {
	if c.doc, err = loadGenesis(c.files.Genesis); err != nil {
		return err
	}
	validators := make([]*cmttypes.Validator, len(c.doc.Validators))
	for i, v := range c.doc.Validators {
		if !bytes.Equal(v.PubKey.Address(), v.Address) {
			return fmt.Errorf("genesis file %s: a validator's address is not that of its key", c.files.Genesis)
		}
		validators[i] = cmttypes.NewValidator(v.PubKey, v.Power)
	}
	c.validators = cmttypes.NewValidatorSet(validators)
	return nil
}

// databases opens those of the engine, without changing them, and reads every entry: each is stored with a checksum.
func (c *checker) databases() error {
	c.opened = map[string]dbm.DB{}
	for _, name := range databases {
		path := filepath.Join(c.data, name+".db")
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		db, err := dbm.NewGoLevelDBWithOpts(name, c.data, &opt.Options{ReadOnly: true, Strict: opt.StrictAll})
		if err != nil {
			return databaseError(name, c.data, err)
		}
		c.opened[name] = db
		read := func(_, _ []byte) error { return nil }
		if name == blockDatabase {
			parts, err := newBlockParts(db)
			if err != nil {
				return err
			}
			c.opened[name], read = parts, parts.check
		}
		if err := readAll(db, read); err != nil {
			return databaseError(name, c.data, err)
		}
	}
	if c.opened[blockDatabase] == nil || c.opened["state"] == nil {
		if first := c.store.First(); c.store.Height() >= first || uint64(c.signed.Height) >= first { //nolint:gosec // not negative
			return fmt.Errorf("the blocks are missing in %s, and the ledger is at height %d: restore a backup of the node's folder", c.data, c.store.Height())
		}
		return nil
	}
	c.kept = blockstore.NewBlockStore(c.opened[blockDatabase])
	c.sets = sm.NewStore(c.opened["state"], sm.StoreOptions{DiscardABCIResponses: true})
	return nil
}

func readAll(db dbm.DB, read func(key, value []byte) error) error {
	all, err := db.Iterator(nil, nil)
	if err != nil {
		return err
	}
	for ; err == nil && all.Valid(); all.Next() {
		err = read(all.Key(), all.Value())
	}
	return errors.Join(err, all.Error(), all.Close())
}

// blocks checks them in order, each against the one before and against the store's record of it.
func (c *checker) blocks() error {
	if c.kept == nil {
		return nil
	}
	height := max(c.kept.Height(), c.doc.InitialHeight-1)
	switch {
	case uint64(height) < c.store.Height():
		return fmt.Errorf("block %d is missing: the state is at height %d; restore a backup of the node's folder", height+1, c.store.Height())
	case c.signed.Height > height+1 && !isRestored(c.files): // a backup has the last signature of a later moment than its blocks
		return fmt.Errorf("block %d is missing: this validator has signed for height %d; restore a backup of the node's folder", height+1, c.signed.Height)
	}
	var before *cmttypes.Block
	var id cmttypes.BlockID
	for at := max(c.kept.Base(), c.doc.InitialHeight); at <= height; at++ {
		block, err := c.block(at)
		if err == nil && before != nil {
			err = c.follows(block, before, id)
		}
		if err == nil {
			err = c.executed(block)
		}
		if err != nil {
			return fmt.Errorf("block %d: %w", at, err)
		}
		before, id = block, c.kept.LoadBlockMeta(at).BlockID
		c.checked.Blocks++
	}
	if before == nil {
		return nil
	}
	seen := c.kept.LoadSeenCommit(height)
	if seen == nil {
		return fmt.Errorf("block %d has no signatures", height)
	}
	set, err := c.setOf(&before.Header)
	if err == nil {
		err = set.VerifyCommit(c.doc.ChainID, id, height, seen)
	}
	if err != nil {
		return fmt.Errorf("the signatures of block %d: %w", height, err)
	}
	return nil
}

// block puts a block together from its parts, each of which it checks.
func (c *checker) block(height int64) (*cmttypes.Block, error) {
	meta := c.kept.LoadBlockMeta(height)
	if meta == nil {
		return nil, errors.New("it is missing")
	}
	parts := cmttypes.NewPartSetFromHeader(meta.BlockID.PartSetHeader)
	for i := range int(meta.BlockID.PartSetHeader.Total) {
		part := c.kept.LoadBlockPart(height, i)
		if part == nil {
			return nil, fmt.Errorf("part %d is missing", i)
		}
		if added, err := parts.AddPart(part); err != nil || !added {
			return nil, fmt.Errorf("part %d is not of this block: %w", i, err)
		}
	}
	block := c.kept.LoadBlock(height)
	if block == nil {
		return nil, errors.New("its parts can't be put together")
	}
	switch {
	case block.ValidateBasic() != nil:
		return nil, block.ValidateBasic()
	case !bytes.Equal(block.Hash(), meta.BlockID.Hash) || !bytes.Equal(meta.Header.Hash(), meta.BlockID.Hash):
		return nil, errors.New("its hash is another than it should be")
	case block.Height != height || block.ChainID != c.doc.ChainID:
		return nil, fmt.Errorf("it is block %d of chain %q", block.Height, block.ChainID)
	case height == c.doc.InitialHeight && !bytes.Equal(block.ValidatorsHash, c.validators.Hash()):
		return nil, errors.New("its validators are not those of the genesis file")
	}
	if found := c.kept.LoadBlockByHash(block.Hash()); found == nil || found.Height != height {
		return nil, errors.New("it is not found by its hash")
	}
	for _, tx := range block.Txs {
		c.checked.Bytes += uint64(len(tx))
	}
	return block, nil
}

// follows checks that a block builds on the one before, and holds the validators' signatures of it.
func (c *checker) follows(block, before *cmttypes.Block, id cmttypes.BlockID) error {
	if !block.LastBlockID.Equals(id) {
		return errors.New("it does not build on the block before")
	}
	if !block.Time.After(before.Time) {
		return fmt.Errorf("its time %s is not after %s, that of the block before", block.Time, before.Time)
	}
	if !bytes.Equal(block.ValidatorsHash, before.NextValidatorsHash) {
		return errors.New("its validators are not those that the block before names")
	}
	set, err := c.setOf(&before.Header)
	if err == nil {
		err = set.VerifyCommit(c.doc.ChainID, id, before.Height, block.LastCommit)
	}
	if err != nil {
		return fmt.Errorf("its signatures of the block before: %w", err)
	}
	record, err := c.record(before.Height)
	if record == nil || err != nil {
		return err
	}
	if !bytes.Equal(block.AppHash, record.Commitment[:]) {
		return fmt.Errorf("it says that block %d committed to %x, the store says %s", before.Height, block.AppHash, record.Commitment)
	}
	if results := resultsOf(record); !bytes.Equal(block.LastResultsHash, cmttypes.NewResults(results).Hash()) {
		return fmt.Errorf("it says that the transactions of block %d had other codes than the store says", before.Height)
	}
	return nil
}

// setOf returns the validators that a header names: those of genesis, or those that the engine keeps for its block.
func (c *checker) setOf(header *cmttypes.Header) (*cmttypes.ValidatorSet, error) {
	if bytes.Equal(header.ValidatorsHash, c.validators.Hash()) {
		return c.validators, nil
	}
	set, err := c.sets.LoadValidators(header.Height)
	if err != nil {
		return nil, fmt.Errorf("the validators of block %d are missing: %w", header.Height, err)
	}
	if !bytes.Equal(set.Hash(), header.ValidatorsHash) {
		return nil, fmt.Errorf("the engine's validators of block %d are not those that its header names", header.Height)
	}
	return set, nil
}

// resultsOf are the results of a block as the engine was told.
func resultsOf(record *store.Block) []*abci.ExecTxResult {
	results := make([]*abci.ExecTxResult, len(record.Txs))
	for i, result := range record.Txs {
		results[i] = &abci.ExecTxResult{Code: uint32(result.Code), Log: result.Detail}
	}
	return results
}

// executed compares a block with the store's record of it.
func (c *checker) executed(block *cmttypes.Block) error {
	record, err := c.record(block.Height)
	if record == nil || err != nil {
		return err
	}
	if record.BlockTime != types.TimeOf(block.Time) || len(record.Txs) != len(block.Txs) {
		return fmt.Errorf("it has %d transactions at %s, the store says %d at %s", len(block.Txs), block.Time, len(record.Txs), record.BlockTime)
	}
	for i, raw := range block.Txs {
		id := types.TxID(raw.Hash())
		if tx, err := types.DecodeTx(raw); err == nil {
			id = tx.ID()
		}
		if id != record.Txs[i].ID {
			return fmt.Errorf("its transaction %d is %s, the store says %s", i, id, record.Txs[i].ID)
		}
	}
	return nil
}

// record is the store's record of a block; nil for one that it has not executed, or that is pruned there and not yet here.
func (c *checker) record(height int64) (*store.Block, error) {
	if uint64(height) > c.store.Height() || uint64(height) <= c.store.Base() {
		return nil, nil
	}
	record, err := c.store.Block(uint64(height))
	if err == nil && record == nil {
		err = fmt.Errorf("the store has no record of block %d", height)
	}
	return record, err
}

// state checks where the engine stands, and that it began with the genesis file.
func (c *checker) state() error {
	db := c.opened["state"]
	if db == nil {
		return nil
	}
	if err := c.begin(db); err != nil {
		return err
	}
	raw, err := db.Get([]byte("stateKey"))
	if len(raw) == 0 || err != nil {
		if err == nil && c.kept.Height() > 0 {
			err = errors.New("the engine's state is missing")
		}
		return err
	}
	stored := new(cmtstate.State)
	if err := stored.Unmarshal(raw); err != nil {
		return fmt.Errorf("the engine's state is damaged: %w", err)
	}
	state, err := sm.FromProto(stored)
	if err != nil {
		return fmt.Errorf("the engine's state is damaged: %w", err)
	}
	none := c.doc.InitialHeight - 1 // before the first block the engine says 0
	at, height := max(state.LastBlockHeight, none), max(c.kept.Height(), none)
	if state.ChainID != c.doc.ChainID || at > height || at < height-1 {
		return fmt.Errorf("the engine's state is of chain %q at height %d, its blocks are of %q up to %d", state.ChainID, at, c.doc.ChainID, height)
	}
	if at == none {
		return nil
	}
	meta := c.kept.LoadBlockMeta(at)
	if !bytes.Equal(state.Validators.Hash(), meta.Header.NextValidatorsHash) {
		return fmt.Errorf("the engine's state has other validators than block %d names for the next one", at)
	}
	if !state.LastBlockID.Equals(meta.BlockID) {
		return fmt.Errorf("the engine's state names another block %d", at)
	}
	record, err := c.record(at)
	if record == nil || err != nil {
		return err
	}
	if !bytes.Equal(state.AppHash, record.Commitment[:]) {
		return fmt.Errorf("the engine's state says that block %d committed to %x, the store says %s", at, state.AppHash, record.Commitment)
	}
	return nil
}

// begin holds the genesis file against the one that the engine began with.
func (c *checker) begin(db dbm.DB) error {
	kept, err := db.Get([]byte("genesisDoc"))
	if len(kept) == 0 || err != nil {
		return err
	}
	now, err := cmtjson.Marshal(c.doc)
	if err == nil && !bytes.Equal(now, kept) {
		err = fmt.Errorf("genesis file %s is not the one that this ledger began with", c.files.Genesis)
	}
	return err
}

// log reads the engine's log of its last messages. Its end may be torn: a process that is killed stops anywhere.
func (c *checker) log() error {
	files, err := filepath.Glob(filepath.Join(c.data, "cs.wal", "wal*"))
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		decoder := consensus.NewWALDecoder(bytes.NewReader(text))
		for err == nil {
			_, err = decoder.Decode()
		}
		if errors.Is(err, io.EOF) || strings.Contains(err.Error(), "EOF") {
			continue
		}
		return fmt.Errorf("the log %s is damaged: %w; the next start leaves out what it can't read, and nothing that is committed is lost", file, err)
	}
	return nil
}
