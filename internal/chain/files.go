package chain

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	cmtconfig "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/crypto/ed25519"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"
	cmttypes "github.com/cometbft/cometbft/types"
	cmttime "github.com/cometbft/cometbft/types/time"

	"lockstep/internal/atomicfile"
	"lockstep/internal/ledger"
	"lockstep/internal/plaintext"
	"lockstep/types"
	"lockstep/types/strict"
)

// Create makes the files of a new ledger with one validator, this node: keys (mode 0600) and genesis. It refuses a folder
// that holds some already. Evidence against a validator counts for so long, 0 for [DefaultEvidenceAge]. For several validators see [CreateAll].
func Create(dir string, params types.Params, evidence time.Duration) error {
	if err := params.Check(); err != nil {
		return err
	}
	validator, err := createKeys(dir)
	if err != nil {
		return err
	}
	return writeGenesis(filesOf(dir).Genesis, params, evidence, time.Time{}, validator)
}

// Join makes the files of a node that follows an existing ledger: keys of its own, which decide nothing, and the ledger's genesis.
func Join(dir string, genesis []byte) error {
	if _, _, err := ReadGenesis(genesis); err != nil {
		return err
	}
	if _, err := createKeys(dir); err != nil {
		return err
	}
	if err := atomicfile.Create(filesOf(dir).Genesis, genesis); err != nil {
		return fmt.Errorf("write the genesis file: %w", err)
	}
	return nil
}

var errNotBegun = errors.New("the ledger has not begun: start its first node, then take the genesis from there")

// ReadGenesis returns the hash and the parameters of a ledger by its genesis file, which may come from anybody.
func ReadGenesis(genesis []byte) (hash types.Hash, params types.Params, err error) {
	if len(genesis) > maxGenesis {
		return hash, params, fmt.Errorf("the genesis has %d bytes, at most %d are possible", len(genesis), maxGenesis)
	}
	doc, begun, err := parseGenesis(genesis)
	if err != nil {
		return hash, params, fmt.Errorf("the genesis can't be read: %w", err)
	}
	if !begun {
		return hash, params, errNotBegun
	}
	params, carried, err := stateOf(doc)
	if err != nil {
		return hash, params, err
	}
	if carried != nil {
		if _, err := carried.Check(&params); err != nil {
			return hash, params, err
		}
	}
	hash, err = hashOfGenesis(doc)
	return hash, params, err
}

// parseGenesis decodes a genesis file, which may come from anybody, and reports whether the ledger has begun: the engine gives the current time to
// one that has none.
func parseGenesis(text []byte) (doc *cmttypes.GenesisDoc, begun bool, err error) {
	defer func() {
		if r := recover(); r != nil { // the engine's reader is for files of one's own
			err = asError(r)
		}
	}()
	doc = new(cmttypes.GenesisDoc)
	if err := cmtjson.Unmarshal(text, doc); err != nil {
		return nil, false, err
	}
	if err := checkValidators(doc.Validators); err != nil {
		return nil, false, err
	}
	begun = !doc.GenesisTime.IsZero()
	return doc, begun, doc.ValidateAndComplete()
}

// checkValidators refuses validators of which the engine can't make a set: it would panic.
func checkValidators(validators []cmttypes.GenesisValidator) error {
	known, total := make(map[string]bool, len(validators)), int64(0)
	for i := range validators {
		key, ok := validators[i].PubKey.(ed25519.PubKey)
		power := validators[i].Power
		switch {
		case !ok || len(key) != ed25519.PubKeySize:
			return fmt.Errorf("validator %d has no Ed25519 key", i)
		case known[string(key)]:
			return fmt.Errorf("validator %d has the key of an earlier one", i)
		case power < 1 || power > cmttypes.MaxTotalVotingPower-total:
			return fmt.Errorf("validator %d has a power of %d: each has 1 or more, and all together at most %d", i, power, cmttypes.MaxTotalVotingPower)
		}
		known[string(key)] = true
		total += power
	}
	if len(validators) == 0 {
		return errors.New("there are no validators")
	}
	return nil
}

// GenesisOf returns the hash of the genesis of the node in a folder, or zero until its ledger has begun.
func GenesisOf(dir string) (types.Hash, error) {
	text, err := plaintext.ReadFile(filesOf(dir).Genesis, maxGenesis)
	if err != nil {
		return types.Hash{}, fmt.Errorf("read the genesis file: %w", err)
	}
	hash, _, err := ReadGenesis(text)
	if errors.Is(err, errNotBegun) {
		return types.Hash{}, nil
	}
	return hash, err
}

// ValidatorKey returns the public key by which the node of a folder signs blocks, once it is a validator.
func ValidatorKey(dir string) (types.PublicKey, error) {
	validator, err := loadValidator(filesOf(dir))
	if err != nil {
		return types.PublicKey{}, err
	}
	var key types.PublicKey
	if copy(key[:], validator.Key.PubKey.Bytes()) != len(key) {
		return key, errors.New("the validator's key is not an Ed25519 key")
	}
	return key, nil
}

// createKeys makes the keys of a node that takes part in deciding.
func createKeys(dir string) (*privval.FilePV, error) {
	files := filesOf(dir)
	for _, file := range []string{files.Genesis, files.ValidatorKey, files.NodeKey} {
		if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s exists already: choose an empty folder", file)
		}
	}
	for _, file := range []string{files.Genesis, files.ValidatorState} {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return nil, err
		}
	}
	validator := privval.GenFilePV(files.ValidatorKey, files.ValidatorState)
	validator.Save()
	return validator, newNodeKey(files)
}

func newNodeKey(files engineFiles) error {
	if _, err := p2p.LoadOrGenNodeKey(files.NodeKey); err != nil {
		return fmt.Errorf("make a node key: %w", err)
	}
	return nil
}

// writeGenesis may leave the genesis time open, see startGenesis.
func writeGenesis(file string, params types.Params, evidence time.Duration, begin time.Time, validators ...*privval.FilePV) error {
	state, err := json.Marshal(beginning{Format: types.Format, Params: params})
	if err != nil {
		return err
	}
	consensus := cmttypes.DefaultConsensusParams()
	consensus.Block.MaxBytes = blockBytes
	if consensus.Evidence, err = evidenceParams(evidence); err != nil {
		return err
	}
	genesis := cmttypes.GenesisDoc{
		ChainID: params.ChainID, GenesisTime: begin, InitialHeight: 1, ConsensusParams: consensus, AppState: state,
	}
	for _, validator := range validators {
		genesis.Validators = append(genesis.Validators, cmttypes.GenesisValidator{
			Address: validator.Key.Address, PubKey: validator.Key.PubKey, Power: types.GenesisPower, Name: "genesis",
		})
	}
	return genesis.SaveAs(file)
}

// startGenesis fixes the genesis time at the first start, so that the ledger clock of a chain that is started long after it
// was made doesn't begin with an outage. From then on the file is the one that other nodes of the chain need.
func startGenesis(file string, now time.Time) error {
	text, err := plaintext.ReadFile(file, maxGenesis)
	if err != nil {
		return fmt.Errorf("read the genesis file: %w", err)
	}
	var genesis cmttypes.GenesisDoc
	if err := cmtjson.Unmarshal(text, &genesis); err != nil {
		return fmt.Errorf("the genesis file %s is damaged (%w): take it from another node, for all have the same one", file, err)
	}
	if !genesis.GenesisTime.IsZero() {
		return nil
	}
	genesis.GenesisTime = cmttime.Canonical(now)
	if text, err = cmtjson.MarshalIndent(genesis, "", "  "); err != nil {
		return fmt.Errorf("write the genesis file: %w", err)
	}
	if err := atomicfile.Replace(file, text); err != nil {
		return fmt.Errorf("write the genesis file: %w", err)
	}
	return nil
}

// genesisHash is the hash of a chain's first facts: its name, its parameters, its validators and the time of its start. Two
// ledgers of one name differ in it. The layout of the file doesn't count.
func genesisHash(file string) (types.Hash, error) {
	genesis, err := loadGenesis(file)
	if err != nil {
		return types.Hash{}, err
	}
	return hashOfGenesis(genesis)
}

func hashOfGenesis(genesis *cmttypes.GenesisDoc) (types.Hash, error) {
	text, err := cmtjson.Marshal(genesis)
	if err != nil {
		return types.Hash{}, fmt.Errorf("the genesis can't be read: %w", err)
	}
	return sha256.Sum256(text), nil
}

// maxGenesis bounds a genesis file.
const maxGenesis = 64 << 20

// loadGenesis reads a genesis file. The engine gets it from here too, since its own reader takes no byte order mark.
func loadGenesis(file string) (*cmttypes.GenesisDoc, error) {
	text, err := plaintext.ReadFile(file, maxGenesis)
	if err != nil {
		return nil, fmt.Errorf("read the genesis file: %w", err)
	}
	genesis, _, err := parseGenesis(text)
	if err != nil {
		return nil, fmt.Errorf("the genesis file %s is damaged (%w): take it from another node, for all have the same one", file, err)
	}
	return genesis, nil
}

// NodeID is the name under which peers know the node of a folder: "id@host:port" is its address.
func NodeID(dir string) (string, error) {
	key, err := p2p.LoadNodeKey(filesOf(dir).NodeKey)
	if err != nil {
		return "", fmt.Errorf("read the node's key: %w; restore its file from a backup", err)
	}
	return string(key.ID()), nil
}

// LoadParams reads the rules' numbers from a genesis file.
func LoadParams(dir string) (types.Params, error) {
	file := filesOf(dir).Genesis
	genesis, err := loadGenesis(file)
	if err != nil {
		return types.Params{}, err
	}
	params, _, err := stateOf(genesis)
	if err != nil {
		return params, fmt.Errorf("genesis file %s: %w", file, err)
	}
	return params, nil
}

// beginning is the app_state of a genesis file: the format, the parameters, and the state of a ledger that continues another.
type beginning struct {
	Format uint32 `json:"format"`
	types.Params
	State *ledger.Carried `json:"state,omitempty"`
}

// stateOf returns the parameters in a genesis file, and the state with which its ledger begins; nil for an empty one.
func stateOf(doc *cmttypes.GenesisDoc) (types.Params, *ledger.Carried, error) {
	return parseState(doc.ChainID, doc.AppState, doc.InitialHeight)
}

func parseState(chainID string, appState []byte, first int64) (types.Params, *ledger.Carried, error) {
	var begin beginning
	var of struct{ Format uint32 }
	if err := json.Unmarshal(appState, &of); err == nil && of.Format != types.Format { // before the rest, which may be another in its format
		return begin.Params, nil, fmt.Errorf("the genesis has %s; if the file is damaged, take it from another node", types.OtherFormat(of.Format))
	}
	if err := strict.Unmarshal(appState, &begin); err != nil {
		return begin.Params, nil, fmt.Errorf("app_state does not hold the ledger's parameters: %w", err)
	}
	params := begin.Params
	switch {
	case params.ChainID != chainID:
		return params, nil, fmt.Errorf("the ledger's parameters are for chain %q, the genesis is for %q", params.ChainID, chainID)
	case params.Check() != nil:
		return params, nil, params.Check()
	case (begin.State == nil) != (params.Origin() == nil):
		return params, nil, errors.New("a genesis has the state of another ledger if its parameters say which one it continues, and only then")
	case max(first, 1) != int64(params.Base())+1: //nolint:gosec // checked: it fits
		return params, nil, fmt.Errorf("the ledger continues block %d, and the genesis begins with block %d", params.Base(), first)
	}
	return params, begin.State, nil
}

// engineFiles are the paths of the engine's files.
type engineFiles struct {
	Genesis, ValidatorKey, ValidatorState, NodeKey, Clock, Home string
}

func filesOf(dir string) engineFiles {
	config := cmtconfig.DefaultConfig()
	config.SetRoot(dir)
	return engineFiles{
		Genesis:      config.GenesisFile(),
		ValidatorKey: config.PrivValidatorKeyFile(), ValidatorState: config.PrivValidatorStateFile(),
		NodeKey: config.NodeKeyFile(), Clock: filepath.Join(config.DBDir(), "clock.json"), Home: filepath.Join(config.DBDir(), "home.json"),
	}
}

// loadValidator reads the validator's key and its last signature. The engine's own loader exits the process on a damaged file.
func loadValidator(files engineFiles) (*privval.FilePV, error) {
	for _, file := range []struct {
		path string
		into any
	}{{files.ValidatorKey, new(privval.FilePVKey)}, {files.ValidatorState, new(privval.FilePVLastSignState)}} {
		content, err := os.ReadFile(file.path) // as the engine reads it, byte by byte
		if err != nil {
			return nil, fmt.Errorf("read the validator's files: %w", err)
		}
		if err := cmtjson.Unmarshal(content, file.into); err != nil {
			return nil, fmt.Errorf("the validator's file %s is damaged, restore it from a backup: %w", file.path, err)
		}
		if key, ok := file.into.(*privval.FilePVKey); ok && key.PrivKey == nil {
			return nil, fmt.Errorf("the validator's file %s holds no key, restore it from a backup", file.path)
		}
	}
	return privval.LoadFilePV(files.ValidatorKey, files.ValidatorState), nil
}
