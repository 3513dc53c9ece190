package chain

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"

	"github.com/cometbft/cometbft/crypto/ed25519"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/privval"
	cmttypes "github.com/cometbft/cometbft/types"
	cmttime "github.com/cometbft/cometbft/types/time"

	"lockstep/internal/atomicfile"
	"lockstep/internal/ledger"
	"lockstep/internal/store"
	"lockstep/types"
)

// ExportGenesis writes the genesis file of a ledger that continues the one in a store, under a new name, with other validators if some are named. Every node
// of the ledger writes the same file at the same block. The node must not run.
func ExportGenesis(dir string, s *store.Store, chainID string, validators []types.Validator) (genesis []byte, err error) {
	doc, err := loadGenesis(filesOf(dir).Genesis)
	if err != nil {
		return nil, err
	}
	if params := s.Genesis(); params.Names(chainID) {
		return nil, fmt.Errorf("the new ledger needs another name than %q: a signature is good on every ledger of its name", chainID)
	}
	if err := checkSettled(dir, s); err != nil {
		return nil, err
	}
	next, err := continued(doc, s, chainID)
	if err != nil {
		return nil, err
	}
	if len(validators) > 0 {
		if err := setValidators(next, validators); err != nil {
			return nil, err
		}
	}
	if genesis, err = cmtjson.MarshalIndent(next, "", "  "); err != nil {
		return nil, err
	}
	_, _, err = ReadGenesis(genesis)
	return genesis, err
}

// checkSettled wants the state of a ledger to be that of its last block: after a crash it is behind, and the next start brings it up.
func checkSettled(dir string, s *store.Store) (err error) {
	if s.Height() < s.First() {
		return errors.New("the ledger has made no block")
	}
	c := &checker{files: filesOf(dir), store: s, data: dataOf(dir), signed: new(privval.FilePVLastSignState)}
	defer func() { err = errors.Join(err, c.close()) }()
	if err := c.databases(); err != nil {
		return err
	}
	if kept := uint64(c.kept.Height()); kept != s.Height() { //nolint:gosec // not negative
		return fmt.Errorf("the node has the blocks up to %d, and its state is that of block %d: start it once, and stop it by an interrupt", kept, s.Height())
	}
	return nil
}

// continued is the genesis of a ledger that continues the one in a store.
func continued(doc *cmttypes.GenesisDoc, s *store.Store, chainID string) (*cmttypes.GenesisDoc, error) {
	carried, params, validators, err := ledger.Carry(s.StateReader(), s.Genesis(), s.Commitment())
	if err != nil {
		return nil, err
	}
	params.ChainID = chainID
	if err := params.Check(); err != nil {
		return nil, err
	}
	state, err := json.Marshal(beginning{types.Format, params, carried})
	if err != nil {
		return nil, err
	}
	next := &cmttypes.GenesisDoc{
		ChainID: chainID, GenesisTime: cmttime.Canonical(carried.Time().Std()), InitialHeight: int64(params.Base()) + 1, //nolint:gosec // checked: it fits
		ConsensusParams: doc.ConsensusParams, AppState: state,
	}
	return next, setValidators(next, validators)
}

func setValidators(doc *cmttypes.GenesisDoc, validators []types.Validator) error {
	if len(validators) > types.MaxValidators {
		return fmt.Errorf("%d validators: at most %d are possible", len(validators), types.MaxValidators)
	}
	validators = slices.Clone(validators)
	slices.SortFunc(validators, func(a, b types.Validator) int { return types.CompareKeys(a.Key, b.Key) })
	doc.Validators = nil
	for _, v := range validators {
		if v.Power < 1 || v.Power > types.MaxPower {
			return fmt.Errorf("validator %s has a power of %d: 1 to %d are possible", v.Key, v.Power, uint64(types.MaxPower))
		}
		key := ed25519.PubKey(v.Key[:])
		doc.Validators = append(doc.Validators, cmttypes.GenesisValidator{Address: key.Address(), PubKey: key, Power: int64(v.Power), Name: "genesis"})
	}
	return checkValidators(doc.Validators)
}

// ErrOtherState is the error of a node whose ledger is not the one that a genesis continues, or stands at another block: it can't compare the two.
var ErrOtherState = errors.New("can't be compared")

// CompareGenesis compares a genesis with the one that the node of the ledger which it continues would write, and names the first difference. It reports whether
// the validators are those of that ledger; others may be meant.
func CompareGenesis(dir string, s *store.Store, genesis []byte) (sameValidators bool, err error) {
	doc, _, err := parseGenesis(genesis)
	if err != nil {
		return false, err
	}
	params, carried, err := stateOf(doc)
	if err != nil {
		return false, err
	}
	origin, own := params.Origin(), s.Genesis()
	switch {
	case origin == nil:
		return false, errors.New("the genesis continues no ledger: a node of it is made by lockstep node join")
	case origin.ChainID != own.ChainID:
		return false, fmt.Errorf("the genesis %w: it continues ledger %q, and the old node is of %q", ErrOtherState, origin.ChainID, own.ChainID)
	case origin.Height != s.Height():
		return false, fmt.Errorf("the genesis %w: it continues block %d, and the old node is at block %d", ErrOtherState, origin.Height, s.Height())
	case origin.AppHash != s.Commitment():
		return false, fmt.Errorf("the genesis continues a block %d with the app hash %s, and that of the old node has %s: they are of two histories", origin.Height, origin.AppHash, s.Commitment())
	}
	old, err := loadGenesis(filesOf(dir).Genesis)
	if err != nil {
		return false, err
	}
	expected, err := continued(old, s, params.ChainID)
	if err != nil {
		return false, err
	}
	ownParams, ownCarried, err := stateOf(expected)
	if err != nil {
		return false, err
	}
	if err := carried.Compare(ownCarried); err != nil {
		return false, fmt.Errorf("the state in the genesis is not that of the old ledger: %w", err)
	}
	if name := differing(params, ownParams); name != "" {
		return false, fmt.Errorf("the genesis has another parameter %q than the old ledger", name)
	}
	if name := differing(*doc.ConsensusParams, *expected.ConsensusParams); name != "" || !doc.GenesisTime.Equal(expected.GenesisTime) {
		return false, fmt.Errorf("the genesis has other numbers for the engine than the old ledger: begin %s and %s, %s", doc.GenesisTime, expected.GenesisTime, name)
	}
	return reflect.DeepEqual(doc.Validators, expected.Validators), nil
}

// differing names the first field in which two structs differ, as JSON writes it; nothing when they are the same.
func differing[T any](a, b T) string {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		field := x.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		one, _ := json.Marshal(x.Field(i).Interface())
		other, _ := json.Marshal(y.Field(i).Interface())
		if string(one) != string(other) {
			return field.Name
		}
	}
	return ""
}

// Continue makes the files of a node of a ledger that continues another: the genesis, and the keys of a node that took part in the old one. Its last
// signature is not taken over, since votes name their ledger: nothing is signed before the first block.
func Continue(dir, old string, genesis []byte) error {
	from, to := filesOf(old), filesOf(dir)
	if _, err := loadValidator(from); err != nil {
		return err
	}
	_, params, err := ReadGenesis(genesis)
	if err != nil {
		return err
	}
	if err := Join(dir, genesis); err != nil {
		return err
	}
	for _, file := range [][2]string{{from.ValidatorKey, to.ValidatorKey}, {from.NodeKey, to.NodeKey}} {
		content, err := os.ReadFile(file[0])
		if err != nil {
			return fmt.Errorf("read the keys of the old node: %w", err)
		}
		if err := atomicfile.Replace(file[1], content); err != nil {
			return fmt.Errorf("write the keys of the node: %w", err)
		}
	}
	validator, err := loadValidator(to)
	if err == nil {
		raise(&validator.LastSignState, int64(params.Base())) //nolint:gosec // checked: it fits
		err = saveSigned(&validator.LastSignState)
	}
	return err
}

// raise lets a validator sign nothing up to a height.
func raise(last *privval.FilePVLastSignState, height int64) {
	last.Height, last.Round, last.Step, last.Signature, last.SignBytes = height, math.MaxInt32, stepPrecommit, nil, nil
}

func saveSigned(last *privval.FilePVLastSignState) (err error) {
	defer func() {
		if r := recover(); r != nil { // the engine's writer panics
			err = fmt.Errorf("write down what is signed: %w", asError(r))
		}
	}()
	last.Save()
	return nil
}

// Carried returns the sums of the state with which the ledger of a genesis file begins, asset by asset; nil for one that begins with nothing.
func Carried(genesis []byte) (ledger.Sums, error) {
	doc, _, err := parseGenesis(genesis)
	if err != nil {
		return nil, err
	}
	params, carried, err := stateOf(doc)
	if err != nil || carried == nil {
		return nil, err
	}
	return carried.Check(&params)
}

// ValidatorsOf returns the validators of a genesis file.
func ValidatorsOf(genesis []byte) ([]types.Validator, error) {
	doc, _, err := parseGenesis(genesis)
	if err != nil {
		return nil, err
	}
	return validatorsIn(doc), nil
}

func validatorsIn(doc *cmttypes.GenesisDoc) (validators []types.Validator) {
	for i := range doc.Validators {
		v := types.Validator{Power: uint64(doc.Validators[i].Power)} //nolint:gosec // checked: not negative
		copy(v.Key[:], doc.Validators[i].PubKey.Bytes())
		validators = append(validators, v)
	}
	return validators
}
