package store

import (
	"fmt"

	"lockstep/types"
	"lockstep/types/canon"
)

// maxBlockItems bounds the decoded transactions and events of a block, far above the limit of a block.
const maxBlockItems = 1 << 24

// idLength is the length of every ID and key.
const idLength = 32

// blockRecord is the stored form of a block. Its events repeat the same IDs, so the record lists each ID once and events hold places in
// that list: a third of the size.
type blockRecord struct {
	Block                   // without its events
	checkpoint []types.Hash // empty for a block without one
	ids        []byte       // concatenated IDs of the events, without those of the block's transactions
	events     []eventRecord
}

// eventRecord is an event of a blockRecord.
type eventRecord struct {
	kind                      types.EventNumber
	moment                    []moment // empty when it is the block's
	tx, trade, offer, product idPlace
	keys                      []idPlace
}

// moment is when an event happened.
type moment struct {
	height uint64
	at     types.Time
}

// idPlace is the place of an ID in a record: 0 is the zero ID, then the block's transactions in order, then blockRecord.ids.
type idPlace uint32

func (r *blockRecord) Fields(c *canon.Coder) {
	c.Array(11)
	canon.Number(c, "height", &r.Height)
	canon.Number(c, "block time", &r.BlockTime)
	canon.Number(c, "clock", &r.Clock)
	c.Bytes("commitment to the state", r.State[:])
	c.Bytes("changes", r.Changes[:])
	canon.List(c, "checkpoints", &r.checkpoint, func(h *types.Hash, c *canon.Coder) { c.Bytes("checkpoint", h[:]) })
	canon.Part(c, "log", &r.Log, (*types.LogHead).Fields)
	canon.Number(c, "first leaf", &r.First)
	canon.LongList(c, "transactions", &r.Txs, maxBlockItems, (*TxResult).Fields)
	canon.View(c, "ids", &r.ids)
	canon.LongList(c, "events", &r.events, maxBlockItems, (*eventRecord).Fields)
}

func (e *eventRecord) Fields(c *canon.Coder) {
	c.Array(7)
	canon.Number(c, "kind", &e.kind)
	canon.List(c, "moments", &e.moment, (*moment).Fields)
	canon.Number(c, "transaction", &e.tx)
	canon.Number(c, "trade", &e.trade)
	canon.Number(c, "offer", &e.offer)
	canon.Number(c, "product", &e.product)
	canon.LongList(c, "keys", &e.keys, maxBlockItems, (*idPlace).Fields)
}

func (m *moment) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Number(c, "height", &m.height)
	canon.Number(c, "at", &m.at)
}

func (p *idPlace) Fields(c *canon.Coder) { canon.Number(c, "place", p) }

// encodeBlock encodes a block. It fails on an event whose kind has no number.
func encodeBlock(block *Block) ([]byte, error) {
	r := &recorder{
		blockRecord: blockRecord{Block: *block, events: make([]eventRecord, 0, len(block.Events))},
		places:      make(map[[idLength]byte]idPlace, 1+len(block.Txs)+len(block.Events)),
	}
	if block.Checkpoint != (types.Hash{}) {
		r.checkpoint = []types.Hash{block.Checkpoint}
	}
	r.places[[idLength]byte{}] = 0
	for i, tx := range block.Txs {
		r.places[tx.ID] = idPlace(1 + i)
	}
	for i := range block.Events {
		if err := r.record(&block.Events[i]); err != nil {
			return nil, err
		}
	}
	return canon.Encode(&r.blockRecord), nil
}

// recorder builds a record and keeps the places of its IDs.
type recorder struct {
	blockRecord
	places map[[idLength]byte]idPlace
	keys   []idPlace // of all events: fewer allocations
}

func (r *recorder) record(event *types.Event) error {
	kind := event.Kind.Number()
	if kind == 0 {
		return fmt.Errorf("the record of a block has no number for events of kind %q", event.Kind)
	}
	recorded := eventRecord{
		kind: kind, tx: r.place(event.Tx), trade: r.place(event.Trade), offer: r.place(event.Offer), product: r.place(event.Product),
	}
	if event.Height != r.Height || event.At != r.Clock {
		recorded.moment = []moment{{event.Height, event.At}}
	}
	first := len(r.keys)
	for _, key := range event.Keys {
		r.keys = append(r.keys, r.place(key))
	}
	recorded.keys = r.keys[first:]
	r.events = append(r.events, recorded)
	return nil
}

func (r *recorder) place(id [idLength]byte) idPlace {
	place, known := r.places[id]
	if !known {
		r.ids = append(r.ids, id[:]...)
		place = idPlace(len(r.Txs) + len(r.ids)/idLength)
		r.places[id] = place
	}
	return place
}

// decodeBlock decodes the output of [encodeBlock].
func decodeBlock(encoded []byte) (*Block, error) {
	var r blockRecord
	if err := canon.Decode(encoded, &r); err != nil {
		return nil, fmt.Errorf("the record of a block is damaged: %w", err)
	}
	block := r.Block // a copy, so that the record can be freed
	if len(r.checkpoint) > 1 || len(r.checkpoint) == 1 && r.checkpoint[0] == (types.Hash{}) {
		return nil, fmt.Errorf("the record of a block is damaged: it has the checkpoints %s", r.checkpoint)
	}
	for _, block.Checkpoint = range r.checkpoint {
	}
	block.Commitment = types.AppHash(block.State, block.Log)
	block.Events = make([]types.Event, 0, len(r.events))
	for i := range r.events {
		event, err := r.event(&r.events[i])
		if err != nil {
			return nil, fmt.Errorf("the record of a block is damaged: event %d: %w", i, err)
		}
		block.Events = append(block.Events, event)
	}
	return &block, nil
}

func (r *blockRecord) event(e *eventRecord) (event types.Event, err error) {
	if e.kind.Kind() == "" {
		return event, fmt.Errorf("there is no kind %d", e.kind)
	}
	if len(e.moment) > 1 {
		return event, fmt.Errorf("it has %d moments", len(e.moment))
	}
	event = types.Event{Kind: e.kind.Kind(), Height: r.Height, At: r.Clock, Keys: make([]types.PublicKey, len(e.keys))}
	for _, other := range e.moment {
		event.Height, event.At = other.height, other.at
	}
	for _, named := range []struct {
		id    *[idLength]byte
		place idPlace
	}{
		{(*[idLength]byte)(&event.Tx), e.tx}, {(*[idLength]byte)(&event.Trade), e.trade},
		{(*[idLength]byte)(&event.Offer), e.offer}, {(*[idLength]byte)(&event.Product), e.product},
	} {
		if err := r.find(named.place, named.id); err != nil {
			return event, err
		}
	}
	for i, place := range e.keys {
		if err := r.find(place, (*[idLength]byte)(&event.Keys[i])); err != nil {
			return event, err
		}
	}
	return event, nil
}

// find reads the ID at a place.
func (r *blockRecord) find(place idPlace, id *[idLength]byte) error {
	txs, others := idPlace(len(r.Txs)), idPlace(len(r.ids)/idLength)
	switch {
	case place == 0:
	case place <= txs:
		*id = r.Txs[place-1].ID
	case place-txs <= others:
		copy(id[:], r.ids[(place-txs-1)*idLength:])
	default:
		return fmt.Errorf("it names the ID %d of %d", place, txs+others)
	}
	return nil
}
