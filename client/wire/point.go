package wire

import "lockstep/types"

// Point is a connection point as an operator enrolled it.
type Point struct {
	ID    types.PointID `json:"id"`
	Point types.Point   `json:"point"`
}

// Points are the connection points of a key.
type Points struct {
	Points  []Point `json:"points" nullable:"false"`
	Partial bool    `json:"partial" doc:"there may be more: the ledger has more points than the search covers"`
}

// Claims are the claims of trades on the slots of one flow, at one height.
type Claims struct {
	Height    uint64          `json:"height"`
	Clock     types.Time      `json:"clock"`
	Point     types.PointID   `json:"point"`
	Direction types.Direction `json:"direction"`
	Slots     []SlotClaims    `json:"slots" nullable:"false"`
	Partial   bool            `json:"partial" doc:"there are more than an answer holds: these are the first"`
}

// SlotClaims are the claims on a slot, in order. The quantity that is read is allotted in this order, and pro rata among claims of the same
// height.
type SlotClaims struct {
	From     types.Time `json:"from"`
	Until    types.Time `json:"until"`
	Claims   []Claim    `json:"claims" nullable:"false"`
	Quantity uint64     `json:"quantity" doc:"of all claims of the slot"`
	Read     uint64     `json:"read" doc:"by the meter's records so far"`
}

// Claim is the claim of a trade on a slot.
type Claim struct {
	Trade     types.TradeID `json:"trade"`
	Height    uint64        `json:"height" doc:"of the block that recorded the agreement: it sets the order"`
	Quantity  uint64        `json:"quantity"`
	ReadingBy types.Time    `json:"reading_by"`
	Delivered bool          `json:"delivered" doc:"the claim holds, however the trade ends; otherwise it holds only if the trade is delivered"`
}
