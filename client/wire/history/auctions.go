package history

import "lockstep/types"

// Auction is the auction of a product at its gate.
type Auction struct {
	ProductID  types.ProductID  `json:"product_id"`
	Product    types.Product    `json:"product"`
	Lot        uint64           `json:"lot"`     // the step of quantities
	Deposit    types.Amount     `json:"deposit"` // of a lot, as the bond
	Bond       types.Amount     `json:"bond"`
	Terms      string           `json:"terms"`             // of its matches: hold, meter or arbiter
	Arbiter    *types.PublicKey `json:"arbiter,omitempty"` // under arbiter terms
	Height     uint64           `json:"height"`
	HeldAt     types.Time       `json:"held_at"`            // block time
	Void       string           `json:"void,omitempty"`     // why no auction was held; absent otherwise
	Orders     uint64           `json:"orders"`             // in the book at gate closure
	Excluded   uint64           `json:"excluded,omitempty"` // number of excluded orders
	Filled     uint64           `json:"filled"`             // number of orders with a fill
	Trades     uint64           `json:"trades"`
	Demanded   types.Total      `json:"demanded"`          // by the bids that took part
	Offered    types.Total      `json:"offered"`           // by the offers that took part
	Volume     types.Total      `json:"volume"`            // traded; the rest of the demand and the supply is unmatched
	Value      types.Total      `json:"value"`             // the sum of the trades' prices
	Average    string           `json:"average,omitempty"` // value/volume rounded to nine places, absent when nothing was traded
	Rounds     []Round          `json:"rounds"`            // the first MaxRounds of RoundCount
	RoundCount uint64           `json:"round_count"`
}

// MaxRounds bounds the listed rounds of an auction.
const MaxRounds = 16

// Round is one uniform-price auction among orders that accept each other's records.
type Round struct {
	Sellers uint8        `json:"sellers"` // the lowest record of its sellers
	Buyers  uint8        `json:"buyers"`  // the lowest record of its buyers
	Price   types.Amount `json:"price"`   // of a lot
	Volume  uint64       `json:"volume"`
}

// Auctions is a page of auctions.
type Auctions struct {
	At       Position  `json:"at"`
	Since    *Since    `json:"since,omitempty"` // absent when the answer covers all history
	Auctions []Auction `json:"auctions"`
	Next     string    `json:"next,omitempty"` // cursor of the next page, absent on the last
}

// Volume is the volume traded by auction in one hour or day.
type Volume struct {
	Starts   types.Time  `json:"starts"`
	Auctions uint64      `json:"auctions"`
	Orders   uint64      `json:"orders"`
	Trades   uint64      `json:"trades"`
	Volume   types.Total `json:"volume"`
	Value    types.Total `json:"value"`
	Average  string      `json:"average,omitempty"` // value/volume, the price weighted by volume, rounded to nine places; absent when nothing was traded
}

// Volumes is a page of volumes.
type Volumes struct {
	At      Position `json:"at"`
	Since   *Since   `json:"since,omitempty"` // absent when the answer covers all history
	Volumes []Volume `json:"volumes"`
	Next    string   `json:"next,omitempty"` // cursor of the next page, absent on the last
}
