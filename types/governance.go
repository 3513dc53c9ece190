package types

import (
	"bytes"
	"crypto/sha256"

	"lockstep/types/canon"
)

// Validator is a key that decides on blocks, with its weight. In a change a power of zero removes it.
type Validator struct {
	_     struct{}  `cbor:",toarray"`
	Key   PublicKey `json:"key"`
	Power uint64    `json:"power"`
}

// Bounds of governance.
const (
	// MaxValidators bounds the validators of a ledger, and MaxPower the power of each.
	MaxValidators = 100
	MaxPower      = 1 << 40
	// GenesisPower is the power of each validator of a new ledger: enough to move shares of it in parts.
	GenesisPower = 12
	// MaxOperators bounds the operators of a ledger.
	MaxOperators = 64
	// MoveWindow is the number of blocks in which at most a third of the power may be given to validators, and a third taken from them.
	MoveWindow = 100
	// MaxScheduled bounds the changes of parameters that wait for their block, MaxAheadBlocks how far ahead it may be.
	MaxScheduled   = 16
	MaxAheadBlocks = 1 << 24
	// MaxDecisionBytes bounds the encoding of a decision, which a leaf of the log holds.
	MaxDecisionBytes = 32 << 10
	// DecisionValidity is how far ahead of block time a decision's valid-until may lie: its file goes from operator to operator.
	DecisionValidity = Duration(7 * 24 * 3600 * 1000)
	// ConsentValidity is how long a validator's consent lasts, on the ledger clock.
	ConsentValidity = DecisionValidity
)

// Address is how a block names a validator: the first bytes of the SHA-256 of its key.
func (k PublicKey) Address() [AddressBytes]byte {
	hash := sha256.Sum256(k[:])
	return [AddressBytes]byte(hash[:AddressBytes])
}

// AddressBytes is the length of a validator's address.
const AddressBytes = 20

// Consent is a newcomer's agreement to be a validator: its consensus key has signed a recent checkpoint of the ledger.
type Consent struct {
	_         struct{}       `cbor:",toarray"`
	At        Checkpoint     `json:"at"`
	Signature SignatureBytes `json:"signature"`
}

// Checkpoint names a block by its commitment, the app hash.
type Checkpoint struct {
	_      struct{} `cbor:",toarray"`
	Height uint64   `json:"height"`
	Hash   Hash     `json:"hash"`
	Until  Time     `json:"until"` // when the ledger forgets it, on the ledger clock
}

// ConsentMessage returns the bytes that a newcomer's consensus key signs.
func ConsentMessage(chainID string, key PublicKey, at Checkpoint) []byte {
	m := consentMessage{chainID, key, at}
	return append([]byte(domainConsent), canon.Encode(&m)...)
}

type consentMessage struct {
	chainID string
	key     PublicKey
	at      Checkpoint
}

func (m *consentMessage) Fields(c *canon.Coder) {
	c.Array(3)
	canon.Text(c, "chain id", &m.chainID)
	c.Bytes("key", m.key[:])
	canon.Part(c, "checkpoint", &m.at, (*Checkpoint).Fields)
}

// Decision is signed by operators: acts that need them, on one ledger, once, up to a moment.
type Decision struct {
	_          struct{} `cbor:",toarray"`
	ChainID    string   `json:"chain_id"`
	Nonce      uint64   `json:"nonce,string"`
	ValidUntil Time     `json:"valid_until"` // block time, at most DecisionValidity after the block that carries it out
	// Insist is 1 to accept that validators which have signed no block yet could stop the ledger, else 0.
	Insist uint8 `json:"insist,omitempty"`
	Acts   []Act `json:"acts"` // without an operator's key
}

// Act is an action of operators: they do it together in a decision. Some a single operator can do too, where one decides.
//
//sumtype:decl
type Act interface {
	Action
	isAct()
}

func (*Recognise) isAct()    {}
func (*Unrecognise) isAct()  {}
func (*Admit) isAct()        {}
func (*Dismiss) isAct()      {}
func (*Enrol) isAct()        {}
func (*Exchange) isAct()     {}
func (*Retire) isAct()       {}
func (*SetValidator) isAct() {}
func (*SetParams) isAct()    {}
func (*SetMarket) isAct()    {}

// ID names the decision.
func (d *Decision) ID() Hash { return sha256.Sum256(d.Message()) }

// Message returns the bytes that each operator signs.
func (d *Decision) Message() []byte { return append([]byte(domainDecision), canon.Encode(d)...) }

// ParamChange is the part of the parameters that operators can change, as it is to be from a block on.
type ParamChange struct {
	_           struct{}    `cbor:",toarray"`
	MaxValidity Duration    `json:"max_validity"`
	FeeAsset    AssetID     `json:"fee_asset,omitzero"`
	MinFee      Amount      `json:"min_fee"`
	Entries     EntryParams `json:"entries"`
	Operators   []PublicKey `json:"operators"`
	Threshold   uint32      `json:"threshold"`
	Rules       uint32      `json:"rules"`
}

// Changeable returns the part of the parameters that operators can change.
func (p *Params) Changeable() ParamChange {
	return ParamChange{
		MaxValidity: p.MaxValidity, FeeAsset: p.FeeAsset, MinFee: p.MinFee, Entries: p.Entries, Operators: p.Operators,
		Threshold: p.Needed(), Rules: p.Version(),
	}
}

// With returns the parameters after a change.
func (p *Params) With(c *ParamChange) Params {
	next := *p
	next.MaxValidity, next.FeeAsset, next.MinFee, next.Entries = c.MaxValidity, c.FeeAsset, c.MinFee, c.Entries
	next.Operators, next.Threshold, next.Rules = c.Operators, c.Threshold, c.Rules
	return next
}

// Hash names the content of the change.
func (p *ParamChange) Hash() Hash { return canon.Digest(domainChange, p) }

// Fixed is the hash of the parameters that nobody can change. A wallet knows its ledger again by it.
func (p *Params) Fixed() Hash {
	fixed := *p
	fixed.MaxValidity, fixed.FeeAsset, fixed.MinFee, fixed.Operators, fixed.Threshold, fixed.Rules = 0, AssetID{}, 0, nil, 0, 0
	fixed.Entries, fixed.Later = EntryParams{By: p.Entries.By}, nil
	return canon.Digest(domainFixed, &fixed)
}

// Needed is the number of operators that a decision needs.
func (p *Params) Needed() uint32 { return max(p.Threshold, 1) }

// Version is the version of the rules in force.
func (p *Params) Version() uint32 { return max(p.Rules, 1) }

// LaterMarket are the numbers of auctions of products whose slot begins at a moment or later.
type LaterMarket struct {
	_      struct{}     `cbor:",toarray"`
	From   Time         `json:"from"` // block time
	Market MarketParams `json:"market"`
}

// MaxLaterMarkets bounds the changes of a ledger's market in all its time.
const MaxLaterMarkets = 64

// MarketOf returns the numbers of the auction of a product. They depend on its slot alone, so that no change touches a book that is open.
func (p *Params) MarketOf(product *Product) *MarketParams {
	for i := len(p.Later) - 1; i >= 0; i-- {
		if product.From >= p.Later[i].From {
			return &p.Later[i].Market
		}
	}
	return &p.Market
}

// MarketAt returns the numbers of the auctions of slots that begin at a moment.
func (p *Params) MarketAt(from Time) *MarketParams { return p.MarketOf(&Product{From: from}) }

// Grid returns the grid of a product, or false when it has no auction.
func (p *Params) Grid(product *Product) (*Grid, bool) { return p.MarketOf(product).Grid(product) }

// checkGovernance checks operators, their threshold and the later markets.
func (p *Params) checkGovernance() error {
	if len(p.Operators) > MaxOperators {
		return Refuse(CodeMalformed, "%d operators: at most %d are possible", len(p.Operators), MaxOperators)
	}
	known := map[PublicKey]bool{}
	for _, operator := range p.Operators {
		if err := operator.Check("operator"); err != nil {
			return err
		}
		if known[operator] {
			return Refuse(CodeMalformed, "operator %s stands twice in the list", operator)
		}
		known[operator] = true
	}
	if n := uint32(len(p.Operators)); p.Needed() > max(n, 1) {
		return Refuse(CodeMalformed, "%d of %d operators can't decide: name more operators, or let fewer decide", p.Threshold, n)
	}
	if len(p.Later) > MaxLaterMarkets {
		return Refuse(CodeMalformed, "%d changes of the market: at most %d are possible", len(p.Later), MaxLaterMarkets)
	}
	last := Time(0)
	for i := range p.Later {
		if p.Later[i].From <= last {
			return Refuse(CodeMalformed, "the changes of the market are out of order: one from %s on after one from %s on", p.Later[i].From, last)
		}
		last = p.Later[i].From
		if err := p.Later[i].Market.check(p); err != nil {
			return err
		}
	}
	return nil
}

// Governance is the part of the state that operators change.
type Governance struct {
	_          struct{}         `cbor:",toarray"`
	Params     Params           `json:"params"`     // in force for the next block
	Scheduled  []ScheduledParam `json:"scheduled"`  // in order of their blocks
	Validators []Seat           `json:"validators"` // in order of their keys; they decide two blocks later
	Moves      []PowerMove      `json:"moves"`      // of power, in the last MoveWindow blocks
}

// ScheduledParam is a change of parameters that waits for its block.
type ScheduledParam struct {
	_      struct{}    `cbor:",toarray"`
	From   uint64      `json:"from"` // height of the first block for which it holds
	Change ParamChange `json:"change"`
}

// Seat is the place of a validator.
type Seat struct {
	_         struct{}  `cbor:",toarray"`
	Validator Validator `json:"validator"`
	Silent    uint8     `json:"silent"` // 1 until it has signed a block as a validator
}

// PowerMove is power that a decision gave to validators and took from them.
type PowerMove struct {
	_      struct{} `cbor:",toarray"`
	Height uint64   `json:"height"`
	Given  uint64   `json:"given"`
	Taken  uint64   `json:"taken"`
}

// Decided is a decision that was carried out.
type Decided struct {
	_        struct{}    `cbor:",toarray"`
	Number   uint64      `json:"number"` // from 1 on
	Height   uint64      `json:"height"`
	At       Time        `json:"at"` // ledger clock
	Tx       TxID        `json:"tx"`
	Signers  []PublicKey `json:"signers"` // the operators, in order of their keys
	Decision Decision    `json:"decision"`
}

// Latest returns the parameters after all scheduled changes.
func (g *Governance) Latest() Params {
	params := g.Params
	for i := range g.Scheduled {
		params = params.With(&g.Scheduled[i].Change)
	}
	return params
}

// Power returns the power of all validators, and of those that have signed no block yet.
func (g *Governance) Power() (total, silent uint64) {
	for i := range g.Validators { // fits: there are at most 100, of at most 2^40
		total += g.Validators[i].Validator.Power
		if g.Validators[i].Silent != 0 {
			silent += g.Validators[i].Validator.Power
		}
	}
	return total, silent
}

// CompareKeys orders keys by their bytes.
func CompareKeys(a, b PublicKey) int { return bytes.Compare(a[:], b[:]) }
