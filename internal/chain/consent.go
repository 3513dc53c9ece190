package chain

import (
	"fmt"

	"lockstep/types"
)

// Consent signs a checkpoint with the validator's key of a folder: its holder agrees to be a validator of a ledger. It can be done while the
// node runs, since the message is no vote: a vote begins with its length and a field of the first wire types, the message with a text.
func Consent(dir, chainID string, at types.Checkpoint) (key types.PublicKey, consent types.Consent, err error) {
	if key, err = ValidatorKey(dir); err != nil {
		return key, consent, err
	}
	validator, err := loadValidator(filesOf(dir))
	if err != nil {
		return key, consent, err
	}
	signature, err := validator.Key.PrivKey.Sign(types.ConsentMessage(chainID, key, at))
	if err != nil {
		return key, consent, fmt.Errorf("sign with the validator's key: %w", err)
	}
	consent.At = at
	copy(consent.Signature[:], signature)
	return key, consent, nil
}
