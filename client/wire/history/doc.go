// Package history holds the answers of a node's query index: trades, auctions, prices, fills and the conduct of keys. Every list is a page
// with the position of the index and the cursor of the next page.
package history

import "lockstep/types"

// Since is where the history begins that an answer covers, on a node that does not keep all. Earlier history is on nodes that keep all.
type Since struct {
	Height uint64     `json:"height"` // of the first block
	Clock  types.Time `json:"clock"`  // of the ledger: what ended earlier, or a slot that began earlier, is not in the answer
}

// Position is the block that the index has reached.
type Position struct {
	Height     uint64     `json:"height"`
	Commitment types.Hash `json:"commitment"` // of that block
	Clock      types.Time `json:"clock"`      // of the ledger, in that block
}
