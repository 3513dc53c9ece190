package index

import (
	"iter"

	"lockstep/types"
)

// Source gives blocks with their outcomes, and the trades and auctions that these mention: a store's snapshot.
type Source interface {
	// Base returns the height before the first block: 0, unless the ledger continues another.
	Base() uint64
	// History returns the last block of which the source keeps nothing, with its commitment; 0 when it keeps all.
	History() (base uint64, commitment types.Hash)
	// Gate returns how long before its slot an auction is held.
	Gate() types.Duration
	// Standing returns the trades in the state.
	Standing() iter.Seq[*types.Trade]
	// Block returns the record of a block, or nil when there is none of that height.
	Block(height uint64) (*Block, error)
	// Trade returns a trade, live or over, as it is now; nil when there never was one of that ID.
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
	Outcomes   []types.Outcome   // in order
	Cleared    []types.ProductID // of the auctions whose last trades the block makes, in order
	Stories    bool              // it comes from the log: the story of a trade may stand in a later one that is near
}
