package index

import (
	"iter"

	"lockstep/types"
)

// Source gives blocks, with the trades and auctions that they mention: a store's snapshot. Its answer about a
// trade may be later than the block that is read, never earlier.
type Source interface {
	// Block returns the record of a block, or nil when there is none of that height.
	Block(height uint64) (*Block, error)
	// Trade returns a trade, live or over; nil when there never was one of that ID.
	Trade(id types.TradeID) (*types.Trade, error)
	// Auction returns the result of a product's auction; nil when none was held.
	Auction(id types.ProductID) (*types.Auction, error)
	// AuctionedOrders returns the orders that a product had at its gate, in the order of the auction's results.
	AuctionedOrders(id types.ProductID) iter.Seq2[*types.PlacedOrder, error]
}

// Block is the part of a block that the index reads.
type Block struct {
	Height     uint64
	BlockTime  types.Time
	Clock      types.Time
	Commitment types.Hash
	Events     []types.Event
}
