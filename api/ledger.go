package api

import (
	"context"
	"iter"

	"lockstep/api/wire"
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
	Holdings(ctx context.Context, key types.PublicKey) (wire.Holdings, error)
	Trade(ctx context.Context, id types.TradeID) (wire.Trade, error)
	// Trades and Offers return at most limit items after a position that an earlier page named.
	Trades(ctx context.Context, key types.PublicKey, openOnly bool, after string, limit int) (wire.Trades, error)
	Offer(ctx context.Context, id types.OfferID) (wire.Offer, error)
	Offers(ctx context.Context, after string, limit int) (wire.Offers, error)
	Assets(ctx context.Context) (wire.Assets, error)
	Market
	Points
	// Block returns what a block did; height 0 is the latest.
	Block(ctx context.Context, height uint64) (wire.Block, error)
	// Events gives every block from a height on (0: the next one), each with its events, then each new one as it is
	// committed, until the context ends.
	Events(ctx context.Context, from uint64) iter.Seq2[wire.Block, error]
}

// Market is what the API asks about auctions. Lists come in pages, as those of trades and offers.
type Market interface {
	// Products are those that have orders and take more, by gate.
	Products(ctx context.Context, after string, limit int) (wire.Products, error)
	// Product is one of those, or one whose auction was held.
	Product(ctx context.Context, id types.ProductID) (wire.Book, error)
	// ProductOrders are the orders of an open product, or those that it had at its gate, in order of owner and number.
	ProductOrders(ctx context.Context, id types.ProductID, after string, limit int) (wire.BookOrders, error)
	Auction(ctx context.Context, id types.ProductID) (wire.Auction, error)
	// KeyOrders are the open orders of a key. A page may hold more than the limit by the orders of one product.
	KeyOrders(ctx context.Context, key types.PublicKey, after string, limit int) (wire.BookOrders, error)
	// Records are those of a key in one asset, or, for the zero one, in every asset in which it has a record.
	Records(ctx context.Context, key types.PublicKey, asset types.AssetID) (wire.KeyRecords, error)
}
