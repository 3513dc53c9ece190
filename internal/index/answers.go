package index

import "lockstep/types"

// Position is the last block that the index has followed.
type Position struct {
	Height     uint64
	Commitment types.Hash // of that block
	Clock      types.Time // of the ledger, in that block
}

// Since is where the history begins that an answer covers. The zero value is the first block of the ledger.
type Since struct {
	Height uint64     // of the first block
	Clock  types.Time // of the ledger, in that block
}

// Trade is a trade in a list. The whole of it is on the ledger under its ID.
type Trade struct {
	ID          types.TradeID
	Phase       types.Phase
	Height      uint64     // of the block that recorded the agreement
	AgreedAt    types.Time // ledger clock, as all that follow
	Producer    types.PublicKey
	Consumer    types.PublicKey
	ProductID   types.ProductID
	Product     types.Product // what the goods are, whether an auction traded them or not
	Quantity    uint64
	Price       types.Amount
	Deposit     types.Amount
	Bond        types.Amount
	Terms       string // hold, meter or arbiter
	Matched     bool   // by an auction
	Instalments uint16
	Released    uint16 // of the instalments
	Allotted    uint64 // of the quantity, when it was settled
	PayBy       types.Time
	DeliverBy   types.Time
	PaidAt      types.Time
	EndedAt     types.Time // when it was released, split, settled or awarded, or the deadline that it missed
	Excused     bool       // the deadline was missed while the chain stood still
}

// Trades is a page of trades, newest first.
type Trades struct {
	At     Position
	Since  Since
	Trades []Trade
	Next   string // cursor of the next page, empty on the last
}

// Auction is the result of a product's auction at its gate.
type Auction struct {
	ProductID  types.ProductID
	Product    types.Product
	Lot        uint64       // the step of quantities
	Deposit    types.Amount // of a lot, as the bond
	Bond       types.Amount
	Terms      string           // of its matches: hold, meter or arbiter
	Arbiter    *types.PublicKey // under arbiter terms
	Height     uint64
	HeldAt     types.Time // block time
	Void       string     // why no auction was held; empty otherwise
	Orders     uint64     // in the book at gate closure
	Excluded   uint64     // of them: took no part
	Filled     uint64     // of them: got something
	Trades     uint64
	Demanded   types.Total // by the bids that took part
	Offered    types.Total // by the offers that took part
	Volume     types.Total // traded; the rest of what was demanded or offered found no match
	Value      types.Total // the sum of the trades' prices
	Average    string      // value/volume rounded to nine places; empty when nothing was traded
	Rounds     []Round     // the first MaxRounds of RoundCount
	RoundCount uint64
}

// MaxRounds bounds the rounds of an auction that are listed.
const MaxRounds = 16

// Round is one uniform-price auction among orders that accept each other's records.
type Round struct {
	Sellers uint8        // the least record of its sellers
	Buyers  uint8        // the least record of its buyers
	Price   types.Amount // of a lot
	Volume  uint64
}

// Auctions is a page of auctions.
type Auctions struct {
	At       Position
	Since    Since
	Auctions []Auction
	Next     string // cursor of the next page, empty on the last
}

// Volume sums up the auctions of one span.
type Volume struct {
	Starts   types.Time
	Auctions uint64
	Orders   uint64
	Trades   uint64
	Volume   types.Total
	Value    types.Total
	Average  string // value/volume, the price weighed by volume, rounded to nine places; empty when nothing was traded
}

// Volumes is a page of volumes.
type Volumes struct {
	At      Position
	Since   Since
	Volumes []Volume
	Next    string // cursor of the next page, empty on the last
}

// Fill is the result of an order in its auction.
type Fill struct {
	ProductID types.ProductID
	Product   types.Product
	Height    uint64     // of the auction
	HeldAt    types.Time // block time
	Order     types.OrderID
	Number    uint8
	Side      types.Side
	Quantity  uint64
	Lot       uint64       // the step of the quantity
	Limit     types.Amount // for a lot
	Standing  uint8        // the owner's record at the gate, in hundredths
	Filled    uint64       // of the quantity
	Value     types.Total  // the sum of the prices of its trades
	Stake     types.Amount // all that it had locked
	Used      types.Amount // of the stake, by its trades; the rest came back to the owner with the auction
	Excluded  string       // why it took no part; empty otherwise
	Void      string       // why no auction was held; empty otherwise
	Count     uint64
	Trades    []FillTrade // the first MaxFillTrades of them; all are under the trades with party and product
}

// MaxFillTrades bounds the trades of an order that are listed with it. A large order may be matched with thousands.
const MaxFillTrades = 20

// FillTrade is one trade made from an order.
type FillTrade struct {
	ID       types.TradeID
	Quantity uint64
	Price    types.Amount
	LotPrice types.Amount // of a lot: the price of its round
	Leaf     uint16       // of the bid's tree of digests
}

// Fills is a page of fills, newest auction first.
type Fills struct {
	At    Position
	Since Since
	Fills []Fill
	Next  string // cursor of the next page, empty on the last
}

// Tally is a number of trades with the sum of their prices.
type Tally struct {
	Trades uint64
	Value  types.Total
}

// Conduct counts the outcomes of a party's trades in one role, in one asset: every trade is in exactly one tally.
type Conduct struct {
	Open     Tally // agreed, paid or delivered
	Released Tally
	Lapsed   Tally // not paid by the consumer
	Refunded Tally // paid, and not delivered by the producer
	Settled  Tally // this and the next are disputed
	Awarded  Tally
	Split    Tally // divided as both wished
	// Excused is how many of the lapsed and the refunded missed their deadline while the chain stood still.
	Excused uint64
}

// Statistics are those of a key in one asset, over all its trades. They inform: a key can trade with itself under another. An
// order can demand the ledger's own [types.Conduct], which counts auctions only.
type Statistics struct {
	Asset      types.AssetID
	AsProducer Conduct
	AsConsumer Conduct
}

// Member is a page of a key's statistics, in order of the assets' IDs.
type Member struct {
	At     Position
	Since  Since // of the trades that are counted
	Assets []Statistics
	Next   string // cursor of the next page, empty on the last
}
