package agent

import (
	"lockstep/internal/agent/plan"
	"lockstep/trade"
	"lockstep/types"
)

// Setup is the agent's configuration on its ledger. It never changes while the agent runs.
type Setup struct {
	Key      types.PublicKey
	Params   types.Params
	Market   Market
	Strategy plan.Strategy
	Limits   Limits
	Flow     types.Flow // of the household's connection point; zero if it has none
	Direct   Direct
	Ahead    int            // slots for which there are orders at a time; at least 1
	Keep     types.Duration // of the measured energy
	Evidence Evidence
}

// Market is the market on which the agent trades energy.
type Market struct {
	Zone     string
	Asset    types.AssetID
	Decimals uint8 // of the asset
	// MinRecord is the record, in hundredths, that orders demand of the other side once so many trades have failed the household; zero
	// demands none.
	MinRecord      uint8
	MinRecordAfter int
}

// Limits are the agent's consent: it never goes beyond them.
type Limits struct {
	PerDay   types.Amount // that it agrees to pay in any 24 hours
	Exposure types.Amount // that it has in orders and trades at a time
	Reserve  types.Amount // that it leaves spendable
	Terms    []string     // fallback terms of its trades: meter, hold, arbiter
	// MinBond is the bond, in hundredths of a percent of price and deposit, below which it buys nothing under hold terms by itself: a
	// seller that locks less holds more money of others hostage than of its own.
	MinBond uint64
	Assets  []types.AssetID
}

// Direct are the trades beside the auctions.
type Direct struct {
	Take  bool // take standing offers of energy that are good enough
	Offer bool // post standing offers in place of orders
	Pay   bool // pay agreements that the owner has signed
	Split bool // sign and record splits that are as good as the goods that came
	// Deposit and Bond of the offers, in hundredths of a percent of the price.
	Deposit, Bond uint64
	Terms         types.Fallback // of the offers
}

// Evidence is how the agent knows that goods came where no reading on the ledger tells.
type Evidence uint8

// The kinds of evidence.
const (
	ByOwner Evidence = iota // the owner says so, see [Word]
	ByMeter                 // the household's own meter has counted the energy, see [Metered]
)

// State is all that the agent remembers. The zero value with a Setup is an agent that has just started.
type State struct {
	Setup *Setup
	View  *View // the last one; nil at the beginning

	Use, Make plan.History // measured energy by slot
	Level     *uint64      // of the battery, in Wh
	Curve     plan.Curve   // prices that were read
	Records   []Record     // signed, of slots whose trades may be open
	Words     []Word       // of the owner
	Splits    []Split      // proposed ones that wait

	Pending *Transact    // waits for its outcome
	Made    []types.TxID // transactions of this agent, the newest last
	Round   types.Time   // the slot of the last round
	Height  uint64       // no view of an earlier block counts: the last transaction is in this one
	Most    int          // acts of a transaction, after a refusal, until the refused act is found; zero: as many as fit
	Blocked []Blocked    // acts that were refused

	Graced  types.Time // block time up to which unknown steps count as those of an earlier run
	Grace   uint64     // the last height in that time
	Standby types.Time // another agent has the same seed: this one waits until then
	Known   []Known    // trades and their phases that were told
	Failed  []Failure  // trades in which the other side broke its word
	Paused  bool       // by the owner
	Eager   bool       // rounds are as early as possible: for a dry run
}

// Blocked is an act that was refused: it is not tried again before a moment of block time.
type Blocked struct {
	Act   string
	Until types.Time
}

// Known is a trade as it was last told.
type Known struct {
	ID    types.TradeID
	Phase types.Phase
}

// Failure is a trade in which the other side broke its word: the meter read nothing for a buyer, or a buyer released nothing that was read.
type Failure struct {
	ID     types.TradeID
	Bought bool
	At     types.Time // ledger clock
}

// View is the ledger at a moment, as far as it concerns the household. Its parts are read in the order of the fields: so the trades and orders are at
// least as new as the anchor.
type View struct {
	Height    uint64
	BlockTime types.Time
	Clock     types.Time
	Anchor    types.Coin   // the largest coin of the market's asset, no purse; zero without one
	Purse     types.Coin   // of the asset; zero without one
	Small     []types.Coin // the smallest coins, when there are so many that they should be gathered
	Money     Money
	Orders    []Order
	Trades    []Trade // of the key, those that are not over
	Spent     []Spent // agreed in the last four days, also those that are over
	Offers    []Offer // standing, of the key and of others
	Slots     []Slot  // of the flow, with claims
}

// Money is the key's money in the market's asset.
type Money struct{ Spendable, Locked, InOrders types.Amount }

// Order is an open order of the key.
type Order struct {
	Order  types.Order
	Tx     types.TxID
	Height uint64
}

// Trade is a trade of the key.
type Trade struct {
	ID      types.TradeID
	Trade   types.Trade
	Reading uint64 // that the readings so far allot to it
	// Believed is set if the belief of the runner holds the trade for recorded as it is shown: no goods flow and no secret leaves
	// for another one.
	Believed bool
	// Unproved is set while the belief still waits for a proof: the agent leaves the trade alone and tells nobody.
	Unproved bool
}

// Spent is a trade of the key as consumer, as it counts for the limit of a day and for the energy of its slot. A trade that lapsed or was
// refunded is none.
type Spent struct {
	ID          types.TradeID
	At          types.Time // ledger clock of the agreement
	Height      uint64
	Price       types.Amount
	Asset       types.AssetID
	From, Until types.Time // of the goods
	Quantity    uint64
	Energy      bool // it is energy, in Wh
}

// Offer is a standing offer.
type Offer struct {
	ID        types.OfferID
	Offer     types.Offer
	Remaining uint64
}

// Slot is the state of a slot of the flow: its claims and the quantity that was read.
type Slot struct {
	From   types.Time
	Claims int
	Read   uint64
}

// Record is a signed record of a meter. It counts only inside its slot.
type Record struct {
	Slot     types.Time // the beginning
	Quantity uint64     // Wh
	Bytes    types.HexBytes
}

// Event is an input of the agent. The set is closed.
//
//sumtype:decl
type Event interface{ isEvent() }

// Seen is a new view of the ledger.
type Seen struct{ View View }

// Metered is the energy of a slot that is over, by the household's own meter, in Wh.
type Metered struct {
	From      types.Time
	Use, Make uint64
}

// Stored is the level of the battery, in Wh.
type Stored struct{ Level uint64 }

// Priced are prices that were read.
type Priced struct{ Curve plan.Curve }

// Signed is a signed record of the meter.
type Signed struct{ Record Record }

// Word is the owner's word on a trade: that the goods came, or did not.
type Word struct {
	Trade types.TradeID
	Came  bool
}

// Proposed is a proposal to split a trade, as it lies in the owner's folder.
type Proposed struct{ Split Split }

// Split is a proposal to divide the money of a trade.
type Split struct {
	Trade                  types.TradeID
	ToProducer, ToConsumer types.Amount
	Signed                 bool   // by this household
	Complete               bool   // signed by both: it can be recorded
	File                   string // where it lies
	Bytes                  string // its content
}

// Pause stops or resumes all that is not needed for running trades.
type Pause struct{ On bool }

// Outcome is the end of a transaction.
type Outcome struct {
	Tx     types.TxID // zero if none was signed
	Height uint64
	Code   types.Code
	Detail string
}

func (Seen) isEvent()     {}
func (Metered) isEvent()  {}
func (Stored) isEvent()   {}
func (Priced) isEvent()   {}
func (Signed) isEvent()   {}
func (Word) isEvent()     {}
func (Proposed) isEvent() {}
func (Pause) isEvent()    {}
func (Outcome) isEvent()  {}

// Effect is a thing to carry out. The set is closed.
//
//sumtype:decl
type Effect interface{ isEffect() }

// Transact makes one transaction of some acts, all or none, submits it and returns its [Outcome]. A single release or settlement goes
// without a signature. The transaction spends the anchor if there is one.
type Transact struct {
	Acts   []Act
	Anchor types.Coin
}

// Sign signs a proposal to split a trade, and writes it back into its file.
type Sign struct {
	Trade Trade
	Split Split
}

// Tell reports a thing to the owner and to logs. No effect on money depends on it.
type Tell struct{ Notice Notice }

func (Transact) isEffect() {}
func (Sign) isEffect()     {}
func (Tell) isEffect()     {}

// Notice is a message about the agent's work, as a key with arguments.
type Notice struct {
	Kind   NoticeKind    `json:"kind"`
	At     types.Time    `json:"at"` // ledger clock
	Trade  types.TradeID `json:"trade,omitzero"`
	Status *trade.Status `json:"status,omitempty"` // of the trade, for this household
	Slot   types.Time    `json:"slot,omitzero"`
	Code   types.Code    `json:"code,omitzero"`
	Detail string        `json:"detail,omitempty"`
	Needed bool          `json:"needed"` // the owner has to do something
}

// NoticeKind is the kind of a notice.
type NoticeKind string

// The kinds of notices.
const (
	NoticeTrade   NoticeKind = "trade"   // a trade has reached another phase
	NoticeWord    NoticeKind = "word"    // a trade waits for the owner's word
	NoticeDone    NoticeKind = "done"    // a transaction is on the ledger
	NoticeRefused NoticeKind = "refused" // a transaction was refused
	NoticeLimit   NoticeKind = "limit"   // a limit kept the agent from trading
	NoticeFunds   NoticeKind = "funds"   // there is too little money for an order
	NoticeTwin    NoticeKind = "twin"    // another agent uses the same seed
	NoticeDoubt   NoticeKind = "doubt"   // the node shows a trade that is not believed
)
