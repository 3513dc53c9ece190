package wallet

import (
	"errors"
	"fmt"
)

// Reason says why the wallet itself refused. A breach of a ledger rule is a [types.Refusal] instead, with the code
// that the ledger would have given.
type Reason string

// The reasons.
const (
	ReasonWords       Reason = "words"        // the words are not a seed
	ReasonPassphrase  Reason = "passphrase"   // too easy to guess, or the wrong one
	ReasonConsent     Reason = "consent"      // the user was not asked, or said no
	ReasonExists      Reason = "exists"       // there is a file already
	ReasonMissing     Reason = "missing"      // there is no file
	ReasonPermissions Reason = "permissions"  // others can read the file
	ReasonNotWallet   Reason = "not_a_wallet" // the file is something else
	ReasonDamaged     Reason = "damaged"      // the file was a wallet once
	ReasonAccount     Reason = "account"      // no such account, or one too many
	ReasonFunds       Reason = "funds"        // not enough to spend
	ReasonNotOurs     Reason = "not_ours"     // the step belongs to another key
	ReasonMismatch    Reason = "mismatch"     // the content contradicts its ID or the secret
	ReasonLimit       Reason = "limit"        // beyond the user's limits
	ReasonLedger      Reason = "ledger"       // the node is of another ledger
	ReasonClock       Reason = "clock"        // the node's clock is not this machine's
	ReasonAsset       Reason = "asset"        // of an issuer that the user doesn't know
	ReasonSealed      Reason = "sealed"       // goods that can't be opened, or are not the agreed ones
	ReasonProposal    Reason = "proposal"     // the file of a proposal can't be read, or must not be signed
)

// Error is a refusal of the wallet: its reason, and a sentence with the remedy. Compare reasons, not texts.
type Error struct {
	Reason Reason
	Detail string
}

func (e *Error) Error() string { return e.Detail }

func refuse(reason Reason, format string, args ...any) error {
	return &Error{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// ReasonOf returns the reason of the wallet's refusal in err's chain, or "" when there is none.
func ReasonOf(err error) Reason {
	var refusal *Error
	if errors.As(err, &refusal) {
		return refusal.Reason
	}
	return ""
}
