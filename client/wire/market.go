package wire

import "lockstep/types"

// Product is a product with its state.
type Product struct {
	ID           types.ProductID `json:"id"`
	Product      types.Product   `json:"product"`
	Grid         types.Grid      `json:"grid" doc:"the steps of quantities and limits, the price ceiling, deposit and bond of a lot, and the terms of its matches"`
	Opens        types.Time      `json:"opens" doc:"block time from which it takes orders"`
	Withdrawable types.Time      `json:"withdrawable_until" doc:"block time until which an order can be withdrawn or made worse; after it, orders can only be added or improved"`
	Gate         types.Time      `json:"gate" doc:"block time until which it takes orders; the first block after it holds the auction"`
	State        string          `json:"state" enum:"open,cleared"`
	Orders       uint32          `json:"orders" doc:"in the book, or at the gate"`
}

// The states of a product that has or had orders.
const (
	ProductOpen    = "open"
	ProductCleared = "cleared"
)

// Products is a page of the open products that have orders, by gate.
type Products struct {
	Height    uint64     `json:"height"`
	BlockTime types.Time `json:"block_time"`
	Products  []Product  `json:"products" nullable:"false"`
	Next      string     `json:"next,omitempty" doc:"pass as 'after' for the next page; absent on the last"`
}

// Book is the state of a product: while it is open its depth and the indicative result, then a summary of its auction.
type Book struct {
	Height    uint64     `json:"height"`
	BlockTime types.Time `json:"block_time"`
	Product   Product    `json:"product"`
	Bids      []Level    `json:"bids" nullable:"false" doc:"of an open book, best limit first; at most 1,000 levels"`
	Offers    []Level    `json:"offers" nullable:"false" doc:"of an open book, best limit first; at most 1,000 levels"`
	// Indicative is the result if the gate closed now. It binds nobody: orders change until the gate.
	Indicative []types.Round `json:"indicative" nullable:"false" doc:"of an open book: the result if the gate closed now; at most 16 rounds"`
	// IndicativeCount is the number of all rounds.
	IndicativeCount int `json:"indicative_count" doc:"the number of all rounds"`
	// Omitted is the reason why an open book has no indicative result.
	Omitted string `json:"omitted,omitempty" doc:"why no indicative result is given"`
	// Held is set once the product is cleared.
	Held *Held `json:"held,omitempty" doc:"of a cleared product: a summary of its auction; /auction has all of it"`
}

// Level is the sum of the orders of one side at one limit.
type Level struct {
	Limit    types.Amount `json:"limit" doc:"for a lot"`
	Quantity uint64       `json:"quantity"`
	Orders   uint32       `json:"orders"`
}

// Held is the summary of an auction.
type Held struct {
	Height    uint64        `json:"height"`
	BlockTime types.Time    `json:"block_time"`
	Clock     types.Time    `json:"clock"`
	Void      string        `json:"void,omitempty" doc:"why no auction was held; absent when one was"`
	Rounds    []types.Round `json:"rounds" nullable:"false" doc:"at most 16; all of them are listed under /auction/rounds"`
	// RoundCount is the number of all rounds.
	RoundCount int    `json:"round_count" doc:"the number of all rounds"`
	Trades     uint32 `json:"trades"`
}

// BookOrder is an order with its stake and the record of its owner.
type BookOrder struct {
	ID      types.OrderID `json:"id"`
	Tx      types.TxID    `json:"tx"`
	Height  uint64        `json:"height"`
	Order   types.Order   `json:"order"`
	Stake   types.Amount  `json:"stake" doc:"all that the order locks: of a bid limit and deposit, of an offer the bond, of all its lots"`
	Record  types.Conduct `json:"record" doc:"of the owner in the product's asset, as it is now"`
	Percent uint8         `json:"percent" doc:"the share of the record that was kept, in percent"`
}

// BookOrders is a page of orders: of an open book, of an auction at its gate, or of a key.
type BookOrders struct {
	Height uint64      `json:"height"`
	Orders []BookOrder `json:"orders" nullable:"false"`
	Next   string      `json:"next,omitempty" doc:"pass as 'after' for the next page; absent on the last"`
}

// MaxRounds bounds the rounds that a [Book] lists.
const MaxRounds = 16

// Auction is the auction of a product at its gate, without its lists. Rounds, results and trades refer to each other by index. The orders
// are listed under the product, in the order of the results. The auction can be recomputed from them.
type Auction struct {
	ID          types.ProductID `json:"id"`
	Product     types.Product   `json:"product"`
	Grid        types.Grid      `json:"grid" doc:"lots, ticks, stakes and terms of its orders"`
	Height      uint64          `json:"height"`
	BlockTime   types.Time      `json:"block_time"`
	Clock       types.Time      `json:"clock"`
	Void        string          `json:"void,omitempty" doc:"why no auction was held; absent when one was"`
	RoundCount  int             `json:"round_count"`
	ResultCount int             `json:"result_count"`
	TradeCount  int             `json:"trade_count"`
}

// AuctionRounds is a page of the rounds of an auction.
type AuctionRounds struct {
	Rounds []types.Round `json:"rounds" nullable:"false"`
	Next   string        `json:"next,omitempty" doc:"pass as 'after' for the next page; absent on the last"`
}

// AuctionResults is a page of the results of an auction, one for each order.
type AuctionResults struct {
	Results []types.Result `json:"results" nullable:"false"`
	Next    string         `json:"next,omitempty" doc:"pass as 'after' for the next page; absent on the last"`
}

// AuctionTrades is a page of the trades that an auction made.
type AuctionTrades struct {
	Trades []types.MatchTrade `json:"trades" nullable:"false"`
	Next   string             `json:"next,omitempty" doc:"pass as 'after' for the next page; absent on the last"`
}

// KeyRecord is the conduct of a key in the matches of auctions, in one asset.
type KeyRecord struct {
	Asset   types.AssetID `json:"asset"`
	Record  types.Conduct `json:"record"`
	Percent uint8         `json:"percent" doc:"the share of the record that was kept, in percent"`
}

// KeyRecords is a page of the records of a key by asset, or the record in one asset.
type KeyRecords struct {
	Key     types.PublicKey `json:"key"`
	Height  uint64          `json:"height"`
	Records []KeyRecord     `json:"records" nullable:"false"`
	Next    string          `json:"next,omitempty" doc:"pass as 'after' for the next page; absent on the last"`
}
