package types

// Event is one effect of a block, for programs: the API streams events and agents react to them.
type Event struct {
	_       struct{}  `cbor:",toarray"`
	Kind    EventKind `json:"kind"`
	Height  uint64    `json:"height"`
	At      Time      `json:"at"`          // ledger clock
	Tx      TxID      `json:"tx,omitzero"` // zero when a deadline did it
	Trade   TradeID   `json:"trade,omitzero"`
	Offer   OfferID   `json:"offer,omitzero"`
	Product ProductID `json:"product,omitzero"`
	// Keys are those that the event concerns: parties of a trade, receivers of a transfer.
	Keys []PublicKey `json:"keys,omitempty"`
}

// EventKind is the kind of an event.
type EventKind string

// The kinds of events.
const (
	EventIssued      EventKind = "issued"
	EventRedeemed    EventKind = "redeemed"
	EventTransferred EventKind = "transferred" // a transaction made outputs to keys
	EventOffered     EventKind = "offered"
	EventOfferClosed EventKind = "offer_closed" // taken up, cancelled or run out
	EventOrdered     EventKind = "ordered"      // an order was placed or replaced
	EventWithdrawn   EventKind = "withdrawn"    // an order was taken out of its book
	EventCleared     EventKind = "cleared"      // a product's auction was held, and all its matches are trades
	EventMatched     EventKind = "matched"      // an auction made a trade
	EventAgreed      EventKind = "agreed"
	EventPaid        EventKind = "paid"
	EventDelivered   EventKind = "delivered"
	EventReleased    EventKind = "released" // one or more instalments
	EventSplit       EventKind = "split"
	EventLapsed      EventKind = "lapsed"
	EventCollected   EventKind = "collected" // E4
	EventRefunded    EventKind = "refunded"
	EventReturned    EventKind = "returned"
	EventSettled     EventKind = "settled"
	EventAwarded     EventKind = "awarded"
	EventRead        EventKind = "read"       // a reading counted in a slot
	EventRegistered  EventKind = "registered" // a member was admitted, a meter enrolled or retired
)
