package history

import "lockstep/types"

// Trade is a trade in a list. The ledger has the full trade under its ID.
type Trade struct {
	ID          types.TradeID   `json:"id"`
	Phase       types.Phase     `json:"phase"`
	Height      uint64          `json:"height"`    // of the block that recorded the agreement
	AgreedAt    types.Time      `json:"agreed_at"` // ledger clock, as all that follow
	Producer    types.PublicKey `json:"producer"`
	Consumer    types.PublicKey `json:"consumer"`
	ProductID   types.ProductID `json:"product_id"`
	Product     types.Product   `json:"product"` // of the goods, whether an auction traded them or not
	Quantity    uint64          `json:"quantity"`
	Price       types.Amount    `json:"price"`
	Deposit     types.Amount    `json:"deposit"`
	Bond        types.Amount    `json:"bond"`
	Terms       string          `json:"terms"`   // hold, meter or arbiter
	Matched     bool            `json:"matched"` // by an auction
	Instalments uint16          `json:"instalments"`
	Released    uint16          `json:"released"` // of the instalments
	Allotted    uint64          `json:"allotted"` // of the quantity, when it was settled
	PayBy       types.Time      `json:"pay_by"`
	DeliverBy   types.Time      `json:"deliver_by"`
	PaidAt      types.Time      `json:"paid_at,omitzero"`
	EndedAt     types.Time      `json:"ended_at,omitzero"` // when it was released, split, settled or awarded, or the deadline that it missed
	Excused     bool            `json:"excused"`           // the deadline was missed while the chain was halted
}

// Trades is a page of trades, newest first.
type Trades struct {
	At     Position `json:"at"`
	Since  *Since   `json:"since,omitempty"` // absent when the answer covers all history
	Trades []Trade  `json:"trades"`
	Next   string   `json:"next,omitempty"` // cursor of the next page, absent on the last
}
