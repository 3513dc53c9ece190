package chain

import (
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	"lockstep/internal/ledger"
	"lockstep/types"
)

// The ledger decides the set of validators, and by which version of the rules the next block is made (ADR 0049). The engine is told after
// each block; it follows a change of validators two blocks later.

// address names a validator in a commit.
type address = [types.AddressBytes]byte

// vote is a validator's part in a commit.
type vote interface {
	GetBlockIdFlag() cmtproto.BlockIDFlag
	GetValidator() abci.Validator
}

// appendSigner adds a validator that has signed the block.
func appendSigner(to []address, v vote) []address {
	validator := v.GetValidator()
	if v.GetBlockIdFlag() != cmtproto.BlockIDFlagCommit || len(validator.Address) != types.AddressBytes {
		return to
	}
	return append(to, address(validator.Address))
}

func signersOf(votes []abci.VoteInfo) []address {
	signers := make([]address, 0, len(votes))
	for i := range votes {
		signers = appendSigner(signers, &votes[i])
	}
	return signers
}

// begin begins the execution of a block.
func (a *application) begin(height uint64, time types.Time, signers []address, txs int) *blockExecution {
	facts := ledger.Facts{
		Last: a.store.Commitment(), Signers: signers, Validators: a.began, Carried: a.carried, Rules: a.rules, Verify: a.pool.verifier.records.verify,
	}
	return newBlockExecution(a.store.StateReader(), a.params, facts, height, time, txs)
}

// changes returns the part of a block that the engine learns: validators with their new power, and another version of the rules.
func (a *application) changes(b *optimisticBlock) (updates []abci.ValidatorUpdate, params *cmtproto.ConsensusParams) {
	for _, v := range b.validators {
		updates = append(updates, abci.Ed25519ValidatorUpdate(v.Key[:], int64(v.Power))) //nolint:gosec // at most 2^40
	}
	if b.governance == nil {
		return updates, nil
	}
	now := a.store.Params()
	if next := b.governance.Params.Version(); next != now.Version() {
		params = &cmtproto.ConsensusParams{Version: &cmtproto.VersionParams{App: uint64(next)}}
	}
	return updates, params
}

// UpgradeError reports that a ledger goes on by rules that this program does not have.
type UpgradeError struct {
	Height  uint64 // of the last block by rules that it has
	Version uint32 // of the rules that it lacks
	Newest  uint32 // that it has
}

// Error says which program is needed.
func (e *UpgradeError) Error() string {
	return fmt.Sprintf("from block %d on the ledger follows version %d of its rules, and this program has versions up to %d: the node has stopped after block %d, "+
		"which is on the disk. Install a program with version %d of the rules and start the node again; nothing is lost", e.Height+1, e.Version, e.Newest, e.Height, e.Version)
}

// checkRules reports whether this program has the rules of the next block.
func (a *application) checkRules() error {
	params, rules := a.store.Params(), a.rules
	if rules == nil {
		rules = ledger.KnownRules()
	}
	if _, known := ledger.RulesOf(rules, params.Version()); known {
		return nil
	}
	return &UpgradeError{Height: a.store.Height(), Version: params.Version(), Newest: rules[len(rules)-1].Version}
}

// haltForUpgrade stops the node at the end of the rules that it has, with all blocks on the disk. The engine's call succeeds: the block is
// committed.
func (a *application) haltForUpgrade() error {
	upgrade := a.checkRules()
	if upgrade == nil {
		return nil
	}
	if err := a.store.Flush(); err != nil {
		return err
	}
	a.failure.set(upgrade)
	return nil
}

// beyond reports whether a block comes after the last one that this node takes part in. It votes for none, and stays with its peers, so that a slower one
// gets the last block too.
func (a *application) beyond(height uint64) bool { return a.until > 0 && height > a.until }

// tellStop says that the node makes no more blocks.
func (a *application) tellStop() {
	if height := a.store.Height(); a.beyond(height + 1) {
		a.logger.Info("this node takes part in no later block; interrupt it when the others have this block too", "last", height)
	}
}

// beginningOf reads the validators of a genesis file, and the carried state unless the ledger has gone on from there.
func beginningOf(file string, height uint64) (validators []types.Validator, carried *ledger.Carried, err error) {
	doc, err := loadGenesis(file)
	if err != nil {
		return nil, nil, err
	}
	params, carried, err := stateOf(doc)
	if err != nil {
		return nil, nil, err
	}
	if height > params.Base() {
		carried = nil
	}
	return validatorsIn(doc), carried, nil
}

// validators is the number of validators as of the last block.
func (c *Chain) validators() int {
	if c.store != nil { // the engine alone has none
		if governance := c.store.Governance(); governance != nil {
			return len(governance.Validators)
		}
	}
	return len(c.engine.GenesisDoc().Validators)
}
