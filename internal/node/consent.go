package node

import (
	"path/filepath"

	"lockstep/internal/chain"
	"lockstep/types"
)

// Consent signs a checkpoint with the validator's key of the node in a folder, which may run: its holder agrees to be a validator of a ledger.
// The folder must be of a node of that ledger.
func Consent(dir, chainID string, at types.Checkpoint) (types.PublicKey, types.Consent, error) {
	if _, err := LoadSettings(dir); err != nil {
		return types.PublicKey{}, types.Consent{}, err
	}
	engine := filepath.Join(dir, engineFolder)
	params, err := chain.LoadParams(engine)
	if err != nil {
		return types.PublicKey{}, types.Consent{}, err
	}
	if params.ChainID != chainID {
		return types.PublicKey{}, types.Consent{}, types.Refuse(types.CodeChain, "the node in %s is of ledger %q, the consent would be for %q", dir, params.ChainID, chainID)
	}
	return chain.Consent(engine, chainID, at)
}
