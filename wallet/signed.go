package wallet

import (
	"slices"

	"lockstep/types"
)

// SignedProposal is a proposal under which an account of the wallet has put its signature.
type SignedProposal struct {
	Account  uint32
	Proposal *Proposal
}

// storedSignature is a [SignedProposal] as the wallet file holds it.
type storedSignature struct {
	Account uint32
	File    []byte // the proposal's
}

// maxSigned bounds the signatures that a wallet keeps open at once.
const maxSigned = 64

// Signed lists the proposals that accounts of the wallet have signed and whose valid-until has not passed at a block time, in the
// order of signing. Whether one was recorded meanwhile, the ledger tells: see [Proposal.Open]. A wallet restored from its words
// knows none.
func (w *Wallet) Signed(blockTime types.Time) []SignedProposal {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.signed), func(s SignedProposal) bool { return s.Proposal.validUntil < blockTime })
}

// remember stores that an account signs a proposal. Those that have run out are forgotten.
func (w *Wallet) remember(account uint32, p *Proposal, blockTime types.Time) error {
	open := w.Signed(blockTime)
	if len(open) >= maxSigned {
		return refuse(ReasonLimit, "%d signatures of this wallet are open, which is the most it keeps: wait until the first of them runs out", len(open))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.signed
	w.signed = append(open, SignedProposal{account, p})
	if err := w.write(true); err != nil {
		w.signed = before
		return err
	}
	return nil
}

func storeSigned(list []SignedProposal) (stored []storedSignature) {
	for _, s := range list {
		stored = append(stored, storedSignature{Account: s.Account, File: s.Proposal.Encode()})
	}
	return stored
}

// signedOf reads the signatures that storeSigned stored. A proposal in the form of another version belongs to a ledger of that version, on which this
// program can't do anything, so it is left out.
func signedOf(stored []storedSignature) (list []SignedProposal) {
	for _, s := range stored {
		if p, err := ParseProposal(s.File); err == nil {
			list = append(list, SignedProposal{s.Account, p})
		}
	}
	return list
}
