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
	// Block returns what a block did; height 0 is the latest.
	Block(ctx context.Context, height uint64) (wire.Block, error)
	// Events gives every block from a height on (0: the next one), each with its events, then each new one as it is
	// committed, until the context ends.
	Events(ctx context.Context, from uint64) iter.Seq2[wire.Block, error]
}
