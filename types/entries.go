package types

import "lockstep/types/canon"

// EntryParams bound the entries that last in a ledger's state: those that one key makes, and those that others make for it (ADR 0020).
type EntryParams struct {
	_ struct{} `cbor:",toarray"`
	// By restricts lasting entries and incoming money to members and operators, or allows them to anyone.
	By Entry `json:"by"`
	// Fee of each lasting entry that a transaction makes, beside the least fee; see [Body.Entries].
	Fee Amount `json:"fee"`
	// Coins of a key stand on their own up to this number; later ones are merged into the key's purse of the asset.
	Coins uint32 `json:"coins"`
	// Assets that one issuer may have out and that the ledger does not recognise.
	Assets uint32 `json:"assets"`
	// Accepted is how many unrecognised assets a key may accept, Unasked how many may reach it beside those.
	Accepted uint32 `json:"accepted"`
	Unasked  uint32 `json:"unasked"`
	// Offers of a key that stand at once.
	Offers uint32 `json:"offers"`
	// Orders of a key in all open books, and Trades that the key has to end as their consumer or to collect from. They are counted on
	// a members' ledger only: elsewhere keys are free, so a bound by key would cost work and bind nobody.
	Orders uint32 `json:"orders"`
	Trades uint32 `json:"trades"`
}

// DefaultEntryParams suit an open ledger without a fee, or with By set to members a community of households.
func DefaultEntryParams() EntryParams {
	return EntryParams{By: EntryAnyone, Coins: 1024, Assets: 4, Accepted: 64, Unasked: 16, Offers: 1024, Orders: 4096, Trades: 4096}
}

// OfMembers are the bounds of a ledger on which only members make lasting entries. Nothing reaches a key there unasked.
func (e EntryParams) OfMembers() EntryParams {
	e.By, e.Unasked = EntryMembers, 0
	return e
}

func (e *EntryParams) check(p *Params) error {
	switch {
	case e.By != EntryAnyone && e.By != EntryMembers:
		return Refuse(CodeMalformed, "the parameters must say who makes lasting entries: anyone or members")
	case e.By == EntryMembers && len(p.Operators) == 0:
		return Refuse(CodeMalformed, "only members would make entries, and there is no operator to admit one: name an operator")
	case e.Fee != 0 && p.FeeAsset == AssetID{}:
		return Refuse(CodeMalformed, "a fee for each entry needs a fee asset")
	case e.Fee > maxEntryFee:
		return Refuse(CodeMalformed, "a fee for each entry of %s is beyond 2^40", e.Fee)
	case e.Coins < 1 || e.Offers < 1 || e.Orders < 1 || e.Trades < 1:
		return Refuse(CodeMalformed, "a key needs room for at least one coin, one offer, one order and one trade")
	}
	return nil
}

// maxEntryFee keeps the fees of all entries that a transaction has room for countable.
const maxEntryFee = 1 << 40

// GenesisAsset is an asset that the ledger recognises from its first block on, with the supply that its issuer has then.
type GenesisAsset struct {
	_      struct{} `cbor:",toarray"`
	Asset  Asset    `json:"asset"`
	Least  Amount   `json:"least"` // its smallest output
	Supply Amount   `json:"supply"`
}

// maxGenesisAssets bounds the list, which every node keeps in its parameters.
const maxGenesisAssets = 64

func (p *Params) checkGenesis() error {
	if len(p.Genesis) > maxGenesisAssets {
		return Refuse(CodeMalformed, "%d assets at genesis: at most %d are possible", len(p.Genesis), maxGenesisAssets)
	}
	known := map[AssetID]bool{}
	for i := range p.Genesis {
		asset := &p.Genesis[i].Asset
		if err := asset.Check(); err != nil {
			return err
		}
		if id := asset.ID(); known[id] {
			return Refuse(CodeMalformed, "asset %s stands twice in the list of genesis", asset.Code)
		}
		known[asset.ID()] = true
	}
	return nil
}

// Entries is how many lasting entries a transaction is charged for: each output, offer, order, agreement and accepted asset, the
// payment and the deposit of a trade when they are locked, the bond and the place in a slot at delivery; less one for each input,
// which ends an entry. Entries that the ledger itself makes later (the cut of a release, the shares of a settlement) are paid by then.
// It depends on the body alone, so that a wallet knows the fee before it signs.
func (b *Body) Entries() uint64 {
	made := len(b.Outputs)
	for _, action := range b.Actions {
		made += InfoOf(action).Entries
	}
	return uint64(max(made-len(b.Inputs), 0))
}

// governs reports whether a transaction carries out one decision of the operators and nothing else. It pays no fee, so that no fee can keep
// operators from changing it.
func (b *Body) governs() bool {
	if len(b.Actions) != 1 || len(b.Outputs) != 0 {
		return false
	}
	_, ok := b.Actions[0].(*Govern)
	return ok
}

// LeastFee returns the least fee of a signed transaction: a fixed sum, and a sum for each lasting entry that it makes (protocol section 2).
func (p *Params) LeastFee(b *Body) Amount {
	if b.governs() {
		return 0
	}
	if p.Entries.Fee == 0 {
		return p.MinFee
	}
	return p.MinFee.Saturate(p.Entries.Fee * Amount(b.Entries())) // fits: a transaction has room for fewer than 2^16 entries
}

// Purse holds the sums of an asset that came to a key and were merged: those beyond the coins that it may have, and those that the
// ledger itself pays. Any part of it can be drawn, so sums that come meanwhile never spoil a transaction that its owner has signed.
type Purse struct {
	_      struct{}  `cbor:",toarray"`
	Amount Amount    `json:"amount"`
	Kind   PurseKind `json:"kind"`
}

// PurseKind is why a purse is open.
type PurseKind uint8

// The kinds of purses.
const (
	PurseMerged   PurseKind = 1 // money is in it; it leaves the state with the last of it
	PurseAccepted PurseKind = 2 // its owner has accepted the asset; it stays until that is declined
	PurseUnasked  PurseKind = 3 // money of an unrecognised asset came, which nobody had asked for
)

// Outpoint is the name under which wallets list a purse beside coins. It is no address: a [Draw] takes from a purse.
func (h AssetID) PurseOutpoint() Outpoint { return Outpoint{Tx: TxID(h), Index: purseIndex} }

const purseIndex = inTrade - 1

// Purse tells which asset's purse an outpoint names; false when it is an address.
func (o Outpoint) Purse() (AssetID, bool) { return AssetID(o.Tx), o.Index == purseIndex }

// Spend adds to a body that a sum of its owner is spent: a coin as an input, a purse by a draw, which comes before all other actions.
func (b *Body) Spend(owner PublicKey, o Outpoint, amount Amount) {
	asset, purse := o.Purse()
	if !purse {
		b.Inputs = append(b.Inputs, o)
		return
	}
	b.Actions = append([]Action{&Draw{Key: owner, Asset: asset, Amount: amount}}, b.Actions...)
}

// Usage counts the lasting entries of a key that have a bound.
type Usage struct {
	_        struct{} `cbor:",toarray"`
	Coins    uint64   `json:"coins"`
	Assets   uint64   `json:"assets"`
	Accepted uint64   `json:"accepted"`
	Unasked  uint64   `json:"unasked"`
	Offers   uint64   `json:"offers"`
	Orders   uint64   `json:"orders"`
	Trades   uint64   `json:"trades"`
}

func (e *EntryParams) Fields(c *canon.Coder) {
	c.Array(9)
	canon.Number(c, "who makes entries", &e.By)
	canon.Number(c, "fee of an entry", &e.Fee)
	canon.Number(c, "coins", &e.Coins)
	canon.Number(c, "assets", &e.Assets)
	canon.Number(c, "accepted assets", &e.Accepted)
	canon.Number(c, "unasked assets", &e.Unasked)
	canon.Number(c, "offers", &e.Offers)
	canon.Number(c, "orders", &e.Orders)
	canon.Number(c, "trades", &e.Trades)
}

func (g *GenesisAsset) Fields(c *canon.Coder) {
	c.Array(3)
	canon.Part(c, "asset", &g.Asset, (*Asset).Fields)
	canon.Number(c, "smallest output", &g.Least)
	canon.Number(c, "supply", &g.Supply)
}

func (p *Purse) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Number(c, "amount", &p.Amount)
	canon.Number(c, "kind", &p.Kind)
}

func (u *Usage) Fields(c *canon.Coder) {
	c.Array(7)
	canon.Number(c, "coins", &u.Coins)
	canon.Number(c, "assets", &u.Assets)
	canon.Number(c, "accepted assets", &u.Accepted)
	canon.Number(c, "unasked assets", &u.Unasked)
	canon.Number(c, "offers", &u.Offers)
	canon.Number(c, "orders", &u.Orders)
	canon.Number(c, "trades", &u.Trades)
}
