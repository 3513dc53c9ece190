package httpapi

import (
	"context"
	"iter"

	"lockstep/client/wire"
	"lockstep/types"
)

// Ledger is the interface of a node to the API. Many goroutines call its methods at once; a method returns soon after its context ends.
// An error is a [types.Refusal], [types.CodeNotFound] for an unknown object, or a failure of the node, which is logged and not sent.
type Ledger interface {
	Params() types.Params
	// Status leaves Version to the API.
	Status(ctx context.Context) (wire.Status, error)
	// Submit puts a transaction into the pool. Its error is the reason of a refusal.
	Submit(ctx context.Context, tx *types.Tx) error
	// SubmitAll is Submit for each of several transactions, in their order; an error of one does not affect the others.
	SubmitAll(ctx context.Context, txs []*types.Tx) []error
	// Receipt returns the present outcome of a transaction.
	Receipt(ctx context.Context, id types.TxID) (wire.Receipt, error)
	// Await waits until a transaction is final or the context ends.
	Await(ctx context.Context, id types.TxID) (wire.Receipt, error)
	// Coins returns a page of the coins of a key in one asset that it can spend. With a sum the first page begins at the smallest coin
	// that is worth the sum, or else at the largest coin. A page ends when it is worth the sum.
	Coins(ctx context.Context, key types.PublicKey, asset types.AssetID, sum types.Amount, page wire.Page) (wire.Coins, error)
	// Balances returns the balances of a key by asset. If assets are given, it returns theirs in one page.
	Balances(ctx context.Context, key types.PublicKey, assets []types.AssetID, page wire.Page) (wire.Balances, error)
	Output(ctx context.Context, outpoint types.Outpoint) (wire.Output, error)
	Trade(ctx context.Context, id types.TradeID) (wire.Trade, error)
	Trades(ctx context.Context, key types.PublicKey, openOnly bool, page wire.Page) (wire.Trades, error)
	Offer(ctx context.Context, id types.OfferID) (wire.Offer, error)
	Offers(ctx context.Context, page wire.Page) (wire.Offers, error)
	Asset(ctx context.Context, id types.AssetID) (wire.Asset, error)
	// Assets returns the assets with a code, or all if the code is empty.
	Assets(ctx context.Context, code string, page wire.Page) (wire.Assets, error)
	// IDs lists the IDs of a kind that begin with a prefix, in order, at most limit.
	IDs(ctx context.Context, kind, prefix string, limit int) ([]string, error)
	// Member returns the name under which an operator has admitted a key; Members lists all by their keys.
	Member(ctx context.Context, key types.PublicKey) (types.Member, error)
	Members(ctx context.Context, page wire.Page) (wire.Members, error)
	// Governance returns the operators of the ledger; Decisions lists their decisions, newest first.
	Governance(ctx context.Context) (wire.Governance, error)
	Decisions(ctx context.Context, page wire.Page) (wire.Decisions, error)
	Market
	Log
	Points
	// Block returns a block with its results and events, and with its transactions if bodies is set. Height 0 is the latest block.
	Block(ctx context.Context, height uint64, bodies bool) (wire.Block, error)
	// Events yields the blocks with their events from a height on (0: the next block), then each new block as it is committed, until the
	// context ends.
	Events(ctx context.Context, from uint64) iter.Seq2[wire.Block, error]
}

// Market has the questions about auctions.
type Market interface {
	// Products returns the open products that have orders, by gate.
	Products(ctx context.Context, page wire.Page) (wire.Products, error)
	// Product returns an open product that has orders, or one whose auction was held.
	Product(ctx context.Context, id types.ProductID) (wire.Book, error)
	// ProductOrders returns the orders of an open product, or the orders at its gate, by owner and number.
	ProductOrders(ctx context.Context, id types.ProductID, page wire.Page) (wire.BookOrders, error)
	Auction(ctx context.Context, id types.ProductID) (wire.Auction, error)
	AuctionRounds(ctx context.Context, id types.ProductID, page wire.Page) (wire.AuctionRounds, error)
	AuctionResults(ctx context.Context, id types.ProductID, page wire.Page) (wire.AuctionResults, error)
	AuctionTrades(ctx context.Context, id types.ProductID, page wire.Page) (wire.AuctionTrades, error)
	// KeyOrders returns the open orders of a key, by the beginning of their slots.
	KeyOrders(ctx context.Context, key types.PublicKey, page wire.Page) (wire.BookOrders, error)
	// Record returns the record of a key in one asset; Records returns its records by asset.
	Record(ctx context.Context, key types.PublicKey, asset types.AssetID) (wire.KeyRecords, error)
	Records(ctx context.Context, key types.PublicKey, page wire.Page) (wire.KeyRecords, error)
}
