package wallet

import (
	"lockstep/types"
	"lockstep/types/canon"
)

// The encoding of a wallet file's content: Fields lists the parts of a type in their order in the file, see [canon.Value].

func (c *content) Fields(w *canon.Coder) {
	w.Array(11)
	c.shared(w)
	canon.List(w, "names", &c.Names, (*Named).fields)
	canon.List(w, "trusted headers", &c.Headers, (*PinnedHeader).fields)
}

func (c *contentV3) Fields(w *canon.Coder) {
	w.Array(10)
	(*content)(c).shared(w)
	canon.List(w, "names", &c.Names, (*Named).fields)
}

func (c *contentV2) Fields(w *canon.Coder) {
	w.Array(9)
	(*content)(c).shared(w)
}

// shared are the fields that every version since the second has.
func (c *content) shared(w *canon.Coder) {
	canon.Text(w, "mark", &c.Mark)
	w.Bytes("entropy", c.Entropy[:])
	canon.Text(w, "extra passphrase", &c.Extra)
	canon.Number(w, "work", &c.Work)
	canon.List(w, "accounts", &c.Accounts, (*AccountInfo).fields)
	canon.Part(w, "limits", &c.Limits, (*storedLimits).fields)
	canon.List(w, "assets", &c.Assets, (*TrustedAsset).fields)
	canon.List(w, "ledgers", &c.Ledger, (*PinnedLedger).fields)
	canon.List(w, "signatures", &c.Signed, (*storedSignature).fields)
}

func (c *contentV1) Fields(w *canon.Coder) {
	w.Array(6)
	canon.Text(w, "mark", &c.Mark)
	w.Bytes("entropy", c.Entropy[:])
	canon.Text(w, "extra passphrase", &c.Extra)
	canon.Number(w, "work", &c.Work)
	canon.List(w, "accounts", &c.Accounts, (*AccountInfo).fields)
	canon.Part(w, "limits", &c.Limits, (*limitsV1).fields)
}

func (l *storedLimits) fields(w *canon.Coder) {
	w.Array(5)
	canon.List(w, "losses", &l.Losses, (*LossLimit).fields)
	canon.Number(w, "least bond", &l.MinBond)
	canon.Number(w, "no bond", &l.NoBond)
	canon.Number(w, "greatest deposit", &l.MaxDeposit)
	canon.List(w, "fees", &l.Fees, (*FeeLimit).fields)
}

func (l *limitsV1) fields(w *canon.Coder) {
	w.Array(4)
	canon.List(w, "losses", &l.Losses, (*LossLimit).fields)
	canon.Number(w, "least bond", &l.MinBond)
	canon.Number(w, "no bond", &l.NoBond)
	canon.Number(w, "greatest deposit", &l.MaxDeposit)
}

func (a *AccountInfo) fields(w *canon.Coder) {
	w.Array(2)
	canon.Number(w, "index", &a.Index)
	canon.Text(w, "name", &a.Name)
}

func (l *LossLimit) fields(w *canon.Coder) {
	w.Array(2)
	w.Bytes("asset", l.Asset[:])
	canon.Number(w, "most", &l.Most)
}

func (l *FeeLimit) fields(w *canon.Coder) {
	w.Array(2)
	w.Bytes("asset", l.Asset[:])
	canon.Number(w, "most", &l.Most)
}

func (a *TrustedAsset) fields(w *canon.Coder) {
	w.Array(2)
	canon.Part(w, "asset", &a.Asset, (*types.Asset).Fields)
	canon.Text(w, "label", &a.Label)
}

func (n *Named) fields(w *canon.Coder) {
	w.Array(2)
	w.Bytes("key", n.Key[:])
	canon.Text(w, "label", &n.Label)
}

func (l *PinnedLedger) fields(w *canon.Coder) {
	w.Array(3)
	canon.Text(w, "chain id", &l.ChainID)
	w.Bytes("genesis", l.Genesis[:])
	w.Bytes("parameters", l.Params[:])
}

func (h *PinnedHeader) fields(w *canon.Coder) {
	w.Array(3)
	canon.Number(w, "height", &h.Height)
	w.Bytes("hash", h.Hash[:])
	canon.Number(w, "time", &h.Time)
}

func (s *storedSignature) fields(w *canon.Coder) {
	w.Array(2)
	canon.Number(w, "account", &s.Account)
	canon.Blob(w, "file", &s.File)
}
