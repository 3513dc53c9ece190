package wire

import "lockstep/types"

// Product is a product with where it stands.
type Product struct {
	ID      types.ProductID `json:"id"`
	Product types.Product   `json:"product"`
	Opens   types.Time      `json:"opens" doc:"block time from which it takes orders"`
	Gate    types.Time      `json:"gate" doc:"block time until which it takes orders; the first block after it holds the auction"`
	State   string          `json:"state" enum:"open,cleared"`
	Orders  uint32          `json:"orders" doc:"in the book, or at the gate"`
}

// The states of a product that anybody has placed an order for.
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

// Book is a product as it stands: while it is open its depth and what an auction would trade now, then what was traded.
type Book struct {
	Height    uint64     `json:"height"`
	BlockTime types.Time `json:"block_time"`
	Product   Product    `json:"product"`
	Bids      []Level    `json:"bids" nullable:"false" doc:"of an open book, best limit first; at most 1,000 levels"`
	Offers    []Level    `json:"offers" nullable:"false" doc:"of an open book, best limit first; at most 1,000 levels"`
	// Indicative is the result if the gate closed now. Nobody is bound to it: orders come and go.
	Indicative []Round `json:"indicative" nullable:"false" doc:"of an open book: the result if the gate closed now; at most 16 rounds"`
	// IndicativeCount is how many rounds there are.
	IndicativeCount int `json:"indicative_count" doc:"how many rounds there are"`
	// Omitted is why there is no indicative result although the book is open.
	Omitted string `json:"omitted,omitempty" doc:"why no indicative result is given"`
	// Held is set once the product is cleared.
	Held *Held `json:"held,omitempty" doc:"of a cleared product: its auction in short; all of it stands under /auction"`
}

// Level is all that is asked or offered at one limit.
type Level struct {
	Limit    types.Rate `json:"limit"`
	Quantity uint64     `json:"quantity"`
	Orders   uint32     `json:"orders"`
}

// Held is an auction in short.
type Held struct {
	Height    uint64     `json:"height"`
	BlockTime types.Time `json:"block_time"`
	Clock     types.Time `json:"clock"`
	Void      string     `json:"void,omitempty" doc:"why no auction was held; absent when one was"`
	Rounds    []Round    `json:"rounds" nullable:"false" doc:"at most 16; all of them are listed under /auction/rounds"`
	// RoundCount is how many there are.
	RoundCount int    `json:"round_count" doc:"how many there are"`
	Trades     uint32 `json:"trades"`
}

// Round is one uniform-price auction among orders that accept the same terms and each other's records.
type Round struct {
	Round types.Round `json:"round"`
	Price string      `json:"price" doc:"of one unit: the middle of the two limits, exactly, in smallest units of the asset"`
}

// BookOrder is an order with what is known of its owner.
type BookOrder struct {
	ID      types.OrderID `json:"id"`
	Tx      types.TxID    `json:"tx"`
	Height  uint64        `json:"height"`
	Order   types.Order   `json:"order"`
	Record  types.Record  `json:"record" doc:"of the owner in the product's asset, as it is now"`
	Percent uint8         `json:"percent" doc:"of the record that was kept"`
}

// BookOrders is a page of orders: of an open book, of those that an auction had at its gate, or of a key.
type BookOrders struct {
	Height uint64      `json:"height"`
	Orders []BookOrder `json:"orders" nullable:"false"`
	Next   string      `json:"next,omitempty" doc:"pass as 'after' for the next page; absent on the last"`
}

// MaxRounds is how many rounds a [Book] lists. Parties could make up any number of arbiters, each a round of its own.
const MaxRounds = 16

// Auction is what became of a product at its gate, without its lists. Rounds, results and trades refer to each other by index; the
// orders are listed under the product, in the order of the results. All of it can be computed again from them.
type Auction struct {
	ID          types.ProductID `json:"id"`
	Product     types.Product   `json:"product"`
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
	Rounds []Round `json:"rounds" nullable:"false"`
	Next   string  `json:"next,omitempty" doc:"pass as 'after' for the next page; absent on the last"`
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

// KeyRecord is what a key did with what auctions gave it, in one asset.
type KeyRecord struct {
	Asset   types.AssetID `json:"asset"`
	Record  types.Record  `json:"record"`
	Percent uint8         `json:"percent" doc:"of the record that was kept"`
}

// KeyRecords is a page of the records of a key by asset, or the one that was asked for.
type KeyRecords struct {
	Key     types.PublicKey `json:"key"`
	Height  uint64          `json:"height"`
	Records []KeyRecord     `json:"records" nullable:"false"`
	Next    string          `json:"next,omitempty" doc:"pass as 'after' for the next page; absent on the last"`
}
