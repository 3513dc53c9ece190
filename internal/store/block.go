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

// blockRecord is the stored form of a block. Its events repeat the same IDs, also those of other blocks: the steps of a trade, and its parties. So the events hold
// places in a list that has each ID once, see [sharedIDs].
type blockRecord struct {
	Block                   // without its events
	checkpoint []types.Hash // empty for a block without one
	events     []eventRecord
}

// sharedIDs are the IDs of the events of the blocks that a flush writes together, without those of their transactions. They are one entry, under the height of the last
// of these blocks, with the height of the first before them.
type sharedIDs struct {
	ids    []byte // concatenated
	places map[[idLength]byte]idPlace
}

func newSharedIDs() *sharedIDs { return &sharedIDs{places: map[[idLength]byte]idPlace{}} }

// place returns the place of an ID in the list, which it may add.
func (s *sharedIDs) place(id [idLength]byte) idPlace {
	place, known := s.places[id]
	if !known {
		place = idPlace(len(s.ids) / idLength)
		s.ids, s.places[id] = append(s.ids, id[:]...), place
	}
	return place
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

// idPlace is the place of an ID in a record: 0 is the zero ID, then the block's transactions in order, then the shared IDs.
type idPlace uint32

func (r *blockRecord) Fields(c *canon.Coder) {
	c.Array(10)
	canon.Number(c, "height", &r.Height)
	canon.Number(c, "block time", &r.BlockTime)
	canon.Number(c, "clock", &r.Clock)
	c.Bytes("commitment to the state", r.State[:])
	c.Bytes("changes", r.Changes[:])
	canon.List(c, "checkpoints", &r.checkpoint, func(h *types.Hash, c *canon.Coder) { c.Bytes("checkpoint", h[:]) })
	canon.Part(c, "log", &r.Log, (*types.LogHead).Fields)
	canon.Number(c, "first leaf", &r.First)
	canon.LongList(c, "transactions", &r.Txs, maxBlockItems, (*TxResult).Fields)
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

// encodeBlock encodes a block, and adds to the shared IDs. It fails on an event whose kind has no number.
func encodeBlock(block *Block, shared *sharedIDs) ([]byte, error) {
	r := &recorder{
		blockRecord: blockRecord{Block: *block, events: make([]eventRecord, 0, len(block.Events))},
		txs:         make(map[types.TxID]idPlace, len(block.Txs)), shared: shared,
	}
	if block.Checkpoint != (types.Hash{}) {
		r.checkpoint = []types.Hash{block.Checkpoint}
	}
	for i, tx := range block.Txs {
		r.txs[tx.ID] = idPlace(1 + i)
	}
	for i := range block.Events {
		if err := r.record(&block.Events[i]); err != nil {
			return nil, err
		}
	}
	return canon.Encode(&r.blockRecord), nil
}

// recorder builds a record.
type recorder struct {
	blockRecord
	txs    map[types.TxID]idPlace
	shared *sharedIDs
	keys   []idPlace // of all events: fewer allocations
}

func (r *recorder) record(event *types.Event) error {
	kind := event.Kind.Number()
	if kind == 0 {
		return fmt.Errorf("the record of a block has no number for events of kind %q", event.Kind)
	}
	recorded := eventRecord{
		kind: kind, tx: r.placeOfTx(event.Tx), trade: r.place(event.Trade), offer: r.place(event.Offer), product: r.place(event.Product),
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

func (r *recorder) placeOfTx(id types.TxID) idPlace {
	if place, own := r.txs[id]; own {
		return place
	}
	return r.place(id)
}

func (r *recorder) place(id [idLength]byte) idPlace {
	if id == ([idLength]byte{}) {
		return 0
	}
	return idPlace(1+len(r.Txs)) + r.shared.place(id)
}

// decodeBlock decodes the output of [encodeBlock]. It asks for the shared IDs when the block has events.
func decodeBlock(encoded []byte, shared func(idsUser) error) (*Block, error) {
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
	if len(r.events) == 0 {
		return &block, nil
	}
	err := shared(func(ids []byte) error {
		for i := range r.events {
			event, err := r.event(&r.events[i], ids)
			if err != nil {
				return fmt.Errorf("the record of a block is damaged: event %d: %w", i, err)
			}
			block.Events = append(block.Events, event)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &block, nil
}

func (r *blockRecord) event(e *eventRecord, ids []byte) (event types.Event, err error) {
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
		if err := r.find(named.place, ids, named.id); err != nil {
			return event, err
		}
	}
	for i, place := range e.keys {
		if err := r.find(place, ids, (*[idLength]byte)(&event.Keys[i])); err != nil {
			return event, err
		}
	}
	return event, nil
}

// find reads the ID at a place.
func (r *blockRecord) find(place idPlace, ids []byte, id *[idLength]byte) error {
	txs, others := idPlace(len(r.Txs)), idPlace(len(ids)/idLength)
	switch {
	case place == 0:
	case place <= txs:
		*id = r.Txs[place-1].ID
	case place-txs <= others:
		copy(id[:], ids[(place-txs-1)*idLength:])
	default:
		return fmt.Errorf("it names the ID %d of %d", place, txs+others)
	}
	return nil
}
