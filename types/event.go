package types

import "fmt"

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
	EventRegistered  EventKind = "registered" // a member was admitted or dismissed, a meter enrolled or retired
	EventDecided     EventKind = "decided"    // operators' decision was carried out
)

// EventNumber is the number of an event's kind in the log of outcomes and in stored blocks; 0 is none.
type EventNumber uint8

// eventKinds has the kind of each number, from 1 on. Append new kinds: a number names one kind permanently.
var eventKinds = [...]EventKind{ //nolint:gochecknoglobals // a constant table
	EventIssued, EventRedeemed, EventTransferred, EventOffered, EventOfferClosed, EventOrdered, EventWithdrawn, EventCleared, EventMatched, EventAgreed,
	EventPaid, EventDelivered, EventReleased, EventSplit, EventLapsed, EventCollected, EventRefunded, EventReturned, EventSettled, EventAwarded, EventRead,
	EventRegistered, EventDecided,
}

// Number returns the number of the kind; 0 for none, and for a kind that has no number.
func (k EventKind) Number() EventNumber {
	for i, kind := range eventKinds {
		if kind == k {
			return EventNumber(i + 1)
		}
	}
	return 0
}

// Kind returns the kind of the number; empty when it has none.
func (n EventNumber) Kind() EventKind {
	if n == 0 || int(n) > len(eventKinds) {
		return ""
	}
	return eventKinds[n-1]
}

func (n EventNumber) String() string {
	if kind := n.Kind(); kind != "" || n == 0 {
		return string(kind)
	}
	return fmt.Sprintf("event_%d", uint8(n))
}

// MarshalText writes the kind's name.
func (n EventNumber) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText reads a kind's name; empty is none.
func (n *EventNumber) UnmarshalText(text []byte) error {
	if *n = EventKind(text).Number(); *n == 0 && len(text) > 0 {
		return Refuse(CodeMalformed, "%q is not the kind of an event", clip(text))
	}
	return nil
}
