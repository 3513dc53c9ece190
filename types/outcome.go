package types

import (
	"crypto/sha256"
	"encoding/binary"

	"lockstep/types/canon"
)

// Outcome is a leaf of the log of outcomes: everything that one transaction did, one decision of the ledger clock, or one clearing or match of an
// auction. The log is a Merkle tree (RFC 6962) over the encodings of its leaves, in the order of the ledger; see [AppHash].
type Outcome struct {
	Height  uint64   // of its block
	At      Time     // ledger clock of the block
	Tx      TxID     // zero when the clock or an auction did it
	Part    uint16   // counts the leaves of one transaction from 0; only one that ends hundreds of trades has more than one
	Effects []Effect // in order
}

// MaxOutcome is the largest leaf. An entry of a bundle of tiles (C2SP tlog-tiles) has at most 65,535 bytes.
const MaxOutcome = 60_000

// Effect is one effect of an outcome. The set is closed: [Begun], [Noted], [Stepped], [Ended], [Matched], [Cleared], [Governed].
//
//sumtype:decl
type Effect interface {
	canon.Variant
	isEffect()
}

// Begun is the first leaf of a ledger: its parameters. They include the chain ID. One that continues another names the newest outages of that one,
// which excuse missed deadlines; a leaf about each trade that it has taken over follows.
type Begun struct {
	Params  Hash     `json:"params"`
	Outages []Outage `json:"outages,omitempty"`
}

// Outage is a time in which a ledger stood still, on its clock.
type Outage struct {
	Since Time `json:"since"`
	Until Time `json:"until"`
}

// MaxOutages bounds the outages in a leaf.
const MaxOutages = 1000

// Noted is an effect that the transaction itself states in full, or the end of an offer. Transfers are not noted: the ID of the leaf's transaction
// commits to its outputs.
type Noted struct {
	Event   EventNumber `json:"event"`
	Subject Hash        `json:"subject,omitzero"` // the ID of the offer or of the product, if it is of one
}

// Stepped is a step of a trade that goes on: the trade after the step, without its agreement, which its ID names.
type Stepped struct {
	Trade    TradeID     `json:"trade"`
	Event    EventNumber `json:"event"` // 0 when a further part was spent
	Phase    Phase       `json:"phase"`
	Digest   Hash        `json:"digest,omitzero"`
	Depth    uint8       `json:"depth,omitzero"`
	Released uint16      `json:"released"`
	Preimage Secret      `json:"preimage,omitzero"`
	Allotted uint64      `json:"allotted"`
	Locked   []Locked    `json:"locked"`
	Ahead    []Ahead     `json:"ahead,omitempty"` // one for a payment of metered goods, otherwise none
}

// Ahead sums up the claims on a slot that come before a trade which is paid: the deliveries to come can only follow it, unless they are of
// agreements that were recorded before it and are not delivered yet.
type Ahead struct {
	Claims   uint16 `json:"claims"`   // delivered trades with an earlier place
	Quantity uint64 `json:"quantity"` // theirs, in all
	Agreed   uint32 `json:"agreed"`   // agreements on the slot, this one included, that are not delivered
}

// Ended is the last step of a trade, with its whole story.
type Ended struct {
	Event EventNumber `json:"event"` // 0 when a further part was spent
	Trade *Trade      `json:"trade"`
}

// Matched names the product whose auction made a trade. The trade's own [Stepped] follows.
type Matched struct {
	Product ProductID  `json:"product"`
	Match   MatchTrade `json:"match"`
}

// Cleared is the result of an auction, apart from its matches. Its orders stand beside the log: Root commits to them.
type Cleared struct {
	Product   Product `json:"product"`
	Grid      Grid    `json:"grid"`
	BlockTime Time    `json:"block_time"`
	Void      string  `json:"void,omitempty"`
	Rounds    []Round `json:"rounds"`
	Orders    uint32  `json:"orders"`
	Root      Hash    `json:"root"` // see [ResultsRoot]
}

// Governed is a decision of operators that was carried out, in full.
type Governed struct {
	Number   uint64      `json:"number"`
	Signers  []PublicKey `json:"signers"`
	Decision Decision    `json:"decision"`
}

func (*Begun) isEffect()    {}
func (*Noted) isEffect()    {}
func (*Stepped) isEffect()  {}
func (*Ended) isEffect()    {}
func (*Matched) isEffect()  {}
func (*Cleared) isEffect()  {}
func (*Governed) isEffect() {}

// StepOf returns the effect of a step of a trade that goes on.
func StepOf(id TradeID, event EventNumber, t *Trade) *Stepped {
	return &Stepped{
		Trade: id, Event: event, Phase: t.Phase, Digest: t.Digest, Depth: t.Depth, Released: t.Released, Preimage: t.Preimage, Allotted: t.Allotted,
		Locked: append(make([]Locked, 0, len(t.Locked)), t.Locked...),
	}
}

// ResultsRoot commits to the orders of an auction and their fills: the root of a [DigestTree] over the hashes of the results, each of which names
// its order, filled up with zero hashes to a power of two. Without orders it is zero.
func ResultsRoot(results []Result) Hash {
	if len(results) == 0 {
		return Hash{}
	}
	width := 1
	for width < len(results) {
		width *= 2
	}
	digests := make([]Hash, width)
	for i := range results {
		digests[i] = canon.Digest(domainResult, &results[i])
	}
	return NewDigestTree(digests).Root()
}

// LogHead is where the log of outcomes stands: its number of leaves and the root of its tree (RFC 6962).
type LogHead struct {
	Size uint64 `json:"size"`
	Root Hash   `json:"root"`
}

// AppHash is the hash by which a block commits to its result: to the state, and to the log of outcomes. It stands in the header of the next block.
func AppHash(state Hash, log LogHead) Hash {
	h := sha256.New()
	h.Write([]byte(domainAppHash))
	h.Write(state[:])
	h.Write(binary.BigEndian.AppendUint64(nil, log.Size))
	h.Write(log.Root[:])
	return Hash(h.Sum(nil))
}
