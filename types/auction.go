package types

// Auction is the outcome of a product at its gate. Together with the orders it suffices to recompute the auction.
type Auction struct {
	_         struct{}     `cbor:",toarray"`
	Product   Product      `json:"product"`
	Grid      Grid         `json:"grid"` // of the product: lots, ticks, stakes and terms
	Height    uint64       `json:"height"`
	BlockTime Time         `json:"block_time"`
	Clock     Time         `json:"clock"`
	Void      string       `json:"void,omitempty"` // why no auction was held, or empty
	Rounds    []Round      `json:"rounds"`         // in which something was traded
	Results   []Result     `json:"results"`        // of every order, in order of owner and number
	Trades    []MatchTrade `json:"trades"`
}

// Why an order took no part in its auction, and why none was held.
const (
	ExcludedLate  = "expired"  // the order said that it would not wait so long
	ExcludedMeter = "retired"  // the meter it names is not its owner's any more
	VoidLate      = "too late" // the chain stood still: no time was left before the slot
)

// Round is one uniform-price auction among the orders that accept each other's records.
type Round struct {
	_       struct{} `cbor:",toarray"`
	Sellers uint8    `json:"sellers"` // the least record of who sells in it, which its bids may demand
	Buyers  uint8    `json:"buyers"`  // likewise of who buys
	Price   Amount   `json:"price"`   // of a lot
	Volume  uint64   `json:"volume"`
}

// Result is the outcome of an order.
type Result struct {
	_        struct{}  `cbor:",toarray"`
	Owner    PublicKey `json:"owner"`
	Number   uint8     `json:"number"`
	Order    OrderID   `json:"order"`
	Standing uint8     `json:"record"` // the owner's record at the gate, in hundredths
	Filled   uint64    `json:"filled"`
	Excluded string    `json:"excluded,omitempty"` // why it took no part, or empty
}

// MatchTrade is a trade that came of an auction. Bid and Offer are indexes into the results, Round into the rounds.
type MatchTrade struct {
	_        struct{} `cbor:",toarray"`
	Trade    TradeID  `json:"trade"`
	Round    uint32   `json:"round"`
	Bid      uint32   `json:"bid"`
	Offer    uint32   `json:"offer"`
	Quantity uint64   `json:"quantity"`
	Price    Amount   `json:"price"`
	Leaf     uint16   `json:"leaf"` // of the bid's tree of digests: the lock of this trade
}
