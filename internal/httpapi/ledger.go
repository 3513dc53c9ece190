package httpapi

import (
	"context"
	"iter"

	"lockstep/client/wire"
	"lockstep/types"
)

// Ledger is what the API asks of a node. Every method is called from many goroutines at once and returns soon after its
// context ends. An error is a [types.Refusal] (a question about something unknown: [types.CodeNotFound]) or a failure of
// the node, which is logged and not shown.
type Ledger interface {
	Params() types.Params
	// Status leaves Version to the API.
	Status(ctx context.Context) (wire.Status, error)
	// Submit returns once the transaction is in the pool, or why it is not.
	Submit(ctx context.Context, tx *types.Tx) error
	// SubmitAll is Submit for each of several, in their order; the others don't care for what is wrong with one.
	SubmitAll(ctx context.Context, txs []*types.Tx) []error
	// Receipt tells what became of a transaction so far.
	Receipt(ctx context.Context, id types.TxID) (wire.Receipt, error)
	// Await waits until a transaction is final or the context ends.
	Await(ctx context.Context, id types.TxID) (wire.Receipt, error)
	// Coins returns coins of a key in one asset that it can spend, after a place that an earlier page named; on a first page with
	// a sum, those from the smallest one that is worth the sum on, or from the largest. A page ends when it is worth the sum.
	Coins(ctx context.Context, key types.PublicKey, asset types.AssetID, sum types.Amount, page wire.Page) (wire.Coins, error)
	// Balances returns the balances of a key by asset; those in given assets, if there are any, in one page.
	Balances(ctx context.Context, key types.PublicKey, assets []types.AssetID, page wire.Page) (wire.Balances, error)
	Output(ctx context.Context, outpoint types.Outpoint) (wire.Output, error)
	Trade(ctx context.Context, id types.TradeID) (wire.Trade, error)
	Trades(ctx context.Context, key types.PublicKey, openOnly bool, page wire.Page) (wire.Trades, error)
	Offer(ctx context.Context, id types.OfferID) (wire.Offer, error)
	Offers(ctx context.Context, page wire.Page) (wire.Offers, error)
	Asset(ctx context.Context, id types.AssetID) (wire.Asset, error)
	// Assets are those of a code, or all where it is empty.
	Assets(ctx context.Context, code string, page wire.Page) (wire.Assets, error)
	// IDs lists the IDs of a kind that begin with a prefix, in order, at most limit.
	IDs(ctx context.Context, kind, prefix string, limit int) ([]string, error)
	Market
	Points
	// Block returns what a block did, with the transactions themselves if they are asked for; height 0 is the latest.
	Block(ctx context.Context, height uint64, bodies bool) (wire.Block, error)
	// Events gives every block from a height on (0: the next one), each with its events, then each new one as it is
	// committed, until the context ends.
	Events(ctx context.Context, from uint64) iter.Seq2[wire.Block, error]
}

// Market is what the API asks about auctions.
type Market interface {
	// Products are those that have orders and take more, by gate.
	Products(ctx context.Context, page wire.Page) (wire.Products, error)
	// Product is one of those, or one whose auction was held.
	Product(ctx context.Context, id types.ProductID) (wire.Book, error)
	// ProductOrders are the orders of an open product, or those that it had at its gate, in order of owner and number.
	ProductOrders(ctx context.Context, id types.ProductID, page wire.Page) (wire.BookOrders, error)
	Auction(ctx context.Context, id types.ProductID) (wire.Auction, error)
	AuctionRounds(ctx context.Context, id types.ProductID, page wire.Page) (wire.AuctionRounds, error)
	AuctionResults(ctx context.Context, id types.ProductID, page wire.Page) (wire.AuctionResults, error)
	AuctionTrades(ctx context.Context, id types.ProductID, page wire.Page) (wire.AuctionTrades, error)
	// KeyOrders are the open orders of a key, by the begin of their slots.
	KeyOrders(ctx context.Context, key types.PublicKey, page wire.Page) (wire.BookOrders, error)
	// Record is that of a key in one asset; Records are all that it has.
	Record(ctx context.Context, key types.PublicKey, asset types.AssetID) (wire.KeyRecords, error)
	Records(ctx context.Context, key types.PublicKey, page wire.Page) (wire.KeyRecords, error)
}
