package store

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"

	"lockstep/types"
)

// Snapshot shows state and derived data at one height, whatever is committed meanwhile. It must be closed. Its
// [ledger.Reader] panics when the disk can't be read, as the rules need it to; the methods here return errors.
type Snapshot struct{ *Tip }

// Snapshot returns a view of now. It writes first what is not on the disk yet, since what it finds by owner and party is
// found there; for a look at the state alone [Store.Tip] is enough.
func (s *Store) Snapshot() (*Snapshot, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	written, err := s.flush()
	if err != nil {
		return nil, err
	}
	db := s.db.NewSnapshot()
	head, err := readHead(db) // the next block may have come meanwhile
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the head of the store: %w", err), db.Close())
	}
	view := view{db, nil, s.cache, head.height}
	if written != nil { // it is on the disk, and still at hand
		view.unwritten = []*stretch{written}
	}
	s.mu.RLock()
	epochs := s.epochs // none has begun since: that is for who writes
	s.mu.RUnlock()
	return &Snapshot{newTip(view, db, epochs, head.accumulator.Commitment(head.height, &s.params))}, nil
}

// Trades returns the trades of a party, newest first: all, or only those that are not over. after is "" or the cursor that
// came with the last trade seen.
func (s *Snapshot) Trades(party types.PublicKey, openOnly bool, after string) iter.Seq2[*TradeEntry, error] {
	return func(yield func(*TradeEntry, error) bool) {
		place, err := parseCursor(after)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, prefix := range s.lists(party, openOnly) {
			going, err := s.list(prefix, place, yield)
			if err != nil {
				yield(nil, fmt.Errorf("read the trades of %s: %w", party, err))
			}
			if !going || err != nil {
				return
			}
		}
	}
}

// lists are the prefixes of the lists of a party's trades, those with the newest first.
func (s *Snapshot) lists(party types.PublicKey, openOnly bool) (prefixes [][]byte) {
	if openOnly {
		return [][]byte{openPrefix(party)}
	}
	for epoch := range s.epochs.begins {
		prefixes = append(prefixes, partyPrefix(uint16(epoch), party))
	}
	slices.Reverse(prefixes)
	return prefixes
}

// list yields the trades of one list behind a place, and tells whether more of them are wanted.
func (s *Snapshot) list(prefix, place []byte, yield func(*TradeEntry, error) bool) (going bool, err error) {
	from := prefix
	if place != nil {
		from = slices.Concat(prefix, place, []byte{0})
	}
	var finding error
	going = true
	err = scan(s.db, from, after(prefix), func(key, _ []byte) bool {
		id := listedTrade(key)
		record, err := s.Trade(id)
		if err == nil && record == nil {
			err = fmt.Errorf("trade %s is indexed but not kept: check the store", id)
		}
		if finding = err; finding != nil {
			return false
		}
		going = yield(&TradeEntry{TradeRecord: *record, Cursor: hex.EncodeToString(key[len(key)-placeLength:])}, nil)
		return going
	})
	return going, errors.Join(finding, err)
}

// TradeEntry is a trade in a list, with the cursor to go on behind it.
type TradeEntry struct {
	TradeRecord
	Cursor string
}

// parseCursor reads the place of a trade in the lists of its party, which holds in each of them; nil when there is none.
func parseCursor(cursor string) ([]byte, error) {
	if cursor == "" {
		return nil, nil
	}
	place, err := hex.DecodeString(cursor)
	if err != nil || len(place) != placeLength {
		return nil, types.Refuse(types.CodeMalformed,
			"%.80q is not a place in a list of trades: pass on what the last page gave as next", cursor)
	}
	return place, nil
}

// OffersAfter returns the standing offers whose IDs follow one, in order; those from the first on after the zero ID.
func (s *Snapshot) OffersAfter(id types.OfferID) iter.Seq2[*types.StandingOffer, error] {
	return func(yield func(*types.StandingOffer, error) bool) {
		going := true
		err := scan(s.db, append(offerKey(id), 0), []byte{prefixState, ledgerOffer + 1}, func(_, value []byte) bool {
			offer := new(types.StandingOffer)
			err := types.Decode(append([]byte{}, value...), offer)
			going = yield(offer, err) && err == nil
			return going
		})
		if err != nil && going {
			yield(nil, fmt.Errorf("read the offers: %w", err))
		}
	}
}

// OrdersOf returns the open orders of a key behind a place, in order of their slots. An order's place comes with it; that of the
// first is empty.
func (s *Snapshot) OrdersOf(owner types.PublicKey, place []byte) iter.Seq2[*PlacedEntry, error] {
	return func(yield func(*PlacedEntry, error) bool) {
		prefix := ordersPrefix(owner)
		from := prefix
		if len(place) > 0 {
			from = slices.Concat(prefix, place, []byte{0})
		}
		var finding error
		going := true
		err := scan(s.db, from, after(prefix), func(key, _ []byte) bool {
			place := bytes.Clone(key[len(prefix):])
			product, number := types.ProductID(place[8:]), place[len(place)-1]
			order, ok := s.Order(product, owner, number)
			if !ok {
				finding = fmt.Errorf("order %d of product %s is listed but not kept: check the store", number, product)
				return false
			}
			going = yield(&PlacedEntry{order, place}, nil)
			return going
		})
		if err = errors.Join(finding, err); err != nil && going {
			yield(nil, fmt.Errorf("read the orders of %s: %w", owner, err))
		}
	}
}

// PlacedEntry is an order in the list of its owner, with its place there.
type PlacedEntry struct {
	*types.PlacedOrder
	Place []byte
}

// OrderPlaceLength is the length of the place of an order in the list of its owner.
const OrderPlaceLength = 8 + 32 + 1

// Receipt returns what became of a transaction, or nil when no block holds it.
func (s *Snapshot) Receipt(id types.TxID) (*Receipt, error) { return readReceipt(s.db, s.epochs, id) }

// Block returns the record of a block, or nil when there is none of that height.
func (s *Snapshot) Block(height uint64) (*Block, error) {
	for _, stretch := range s.view.unwritten {
		if block := stretch.block(height); block != nil {
			return block, nil
		}
	}
	return readBlock(s.db, height)
}
