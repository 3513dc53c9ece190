package history

import "lockstep/types"

// Fill is the result of an order in its auction.
type Fill struct {
	ProductID types.ProductID `json:"product_id"`
	Product   types.Product   `json:"product"`
	Height    uint64          `json:"height"`  // of the auction
	HeldAt    types.Time      `json:"held_at"` // block time
	Order     types.OrderID   `json:"order"`
	Number    uint8           `json:"number"`
	Side      types.Side      `json:"side"`
	Quantity  uint64          `json:"quantity"`
	Lot       uint64          `json:"lot"`                // the step of the quantity
	Limit     types.Amount    `json:"limit"`              // for a lot
	Standing  uint8           `json:"record"`             // the owner's record at the gate, in hundredths
	Filled    uint64          `json:"filled"`             // of the quantity
	Value     types.Total     `json:"value"`              // the sum of the prices of its trades
	Stake     types.Amount    `json:"stake"`              // all that it had locked
	Used      types.Amount    `json:"used"`               // of the stake, by its trades; the rest came back to the owner with the auction
	Excluded  string          `json:"excluded,omitempty"` // why it was excluded; absent otherwise
	Void      string          `json:"void,omitempty"`     // why no auction was held; absent otherwise
	Count     uint64          `json:"trades"`
	Trades    []FillTrade     `json:"first_trades"` // the first MaxFillTrades of them; list the trades by party and product for all
}

// MaxFillTrades bounds the trades that are listed with an order. A large order can have thousands of matches.
const MaxFillTrades = 20

// FillTrade is a trade of an order.
type FillTrade struct {
	ID       types.TradeID `json:"id"`
	Quantity uint64        `json:"quantity"`
	Price    types.Amount  `json:"price"`
	LotPrice types.Amount  `json:"lot_price"` // of a lot: the price of its round
	Leaf     uint16        `json:"leaf"`      // of the bid's tree of digests
}

// Fills is a page of fills, newest auction first.
type Fills struct {
	At    Position `json:"at"`
	Since *Since   `json:"since,omitempty"` // absent when the answer covers all history
	Fills []Fill   `json:"fills"`
	Next  string   `json:"next,omitempty"` // cursor of the next page, absent on the last
}

// Tally is a number of trades with the sum of their prices.
type Tally struct {
	Trades uint64      `json:"trades"`
	Value  types.Total `json:"value"`
}

func (t Tally) add(u Tally) Tally { return Tally{t.Trades + u.Trades, t.Value.Add(u.Value)} }

// Conduct counts the outcomes of a party's trades in one role and one asset: every trade is in exactly one tally.
type Conduct struct {
	Open     Tally `json:"open"` // agreed, paid or delivered
	Released Tally `json:"released"`
	Lapsed   Tally `json:"lapsed"`   // not paid by the consumer
	Refunded Tally `json:"refunded"` // paid, and not delivered by the producer
	Settled  Tally `json:"settled"`  // Settled and Awarded are disputed
	Awarded  Tally `json:"awarded"`
	Split    Tally `json:"split"` // divided by both parties
	// Excused counts the lapsed and refunded trades that missed their deadline while the chain was halted.
	Excused uint64 `json:"excused"`
}

// All is the tally of all trades.
func (c *Conduct) All() Tally {
	return c.Open.add(c.Released).add(c.Lapsed).add(c.Refunded).add(c.Split).add(c.Disputed())
}

// Disputed is the tally of the trades that the meter or the arbiter ended, and neither a release nor both parties.
func (c *Conduct) Disputed() Tally { return c.Settled.add(c.Awarded) }

// Statistics are those of a key in one asset, over all its trades. They are for information only: the holder of a key can trade with
// another key of his own. Orders can demand only the ledger's own [types.Conduct], which counts auctions alone.
type Statistics struct {
	Asset      types.AssetID `json:"asset"`
	AsProducer Conduct       `json:"as_producer"`
	AsConsumer Conduct       `json:"as_consumer"`
}

// Member is a page of a key's statistics, in order of the assets' IDs.
type Member struct {
	At     Position     `json:"at"`
	Since  *Since       `json:"since,omitempty"` // absent when the answer covers all history
	Assets []Statistics `json:"assets"`
	Next   string       `json:"next,omitempty"` // cursor of the next page, absent on the last
}
