package history

import "lockstep/types"

// Auction is what became of a product at its gate.
type Auction struct {
	ProductID  types.ProductID `json:"product_id"`
	Product    types.Product   `json:"product"`
	Height     uint64          `json:"height"`
	HeldAt     types.Time      `json:"held_at"`            // block time
	Void       string          `json:"void,omitempty"`     // why no auction was held; absent otherwise
	Orders     uint64          `json:"orders"`             // in the book at gate closure
	Excluded   uint64          `json:"excluded,omitempty"` // of them: took no part
	Filled     uint64          `json:"filled"`             // of them: got something
	Trades     uint64          `json:"trades"`
	Demanded   types.Total     `json:"demanded"`          // by the bids that took part
	Offered    types.Total     `json:"offered"`           // by the offers that took part
	Volume     types.Total     `json:"volume"`            // traded; the rest of what was demanded or offered found no match
	Value      types.Total     `json:"value"`             // the sum of the trades' prices
	Average    string          `json:"average,omitempty"` // value/volume rounded to nine places, absent when nothing was traded
	Rounds     []Round         `json:"rounds"`            // the first MaxRounds of RoundCount
	RoundCount uint64          `json:"round_count"`
}

// MaxRounds is how many rounds of an auction are listed. Parties could make up any number of arbiters, each a round of its own.
const MaxRounds = 16

// Round is one uniform-price auction among orders that accept the same terms.
type Round struct {
	Terms   string           `json:"terms"`
	Arbiter *types.PublicKey `json:"arbiter,omitempty"`
	Sellers uint8            `json:"sellers"` // the least record of who sells in it
	Buyers  uint8            `json:"buyers"`  // and of who buys
	Price   string           `json:"price"`   // of a unit, exactly
	Volume  uint64           `json:"volume"`
}

// Auctions is a page of auctions.
type Auctions struct {
	At       Position  `json:"at"`
	Auctions []Auction `json:"auctions"`
	Next     string    `json:"next,omitempty"` // cursor of the next page, absent on the last
}

// Volume is what was traded by auction in one span.
type Volume struct {
	Starts   types.Time  `json:"starts"`
	Auctions uint64      `json:"auctions"`
	Orders   uint64      `json:"orders"`
	Trades   uint64      `json:"trades"`
	Volume   types.Total `json:"volume"`
	Value    types.Total `json:"value"`
	Average  string      `json:"average,omitempty"` // value/volume, the price weighed by volume, rounded to nine places; absent when nothing was traded
}

// Volumes is a page of volumes.
type Volumes struct {
	At      Position `json:"at"`
	Volumes []Volume `json:"volumes"`
	Next    string   `json:"next,omitempty"` // cursor of the next page, absent on the last
}
