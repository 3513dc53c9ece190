package store

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"

	"lockstep/internal/ledger"
	"lockstep/types"
)

// IndexedSnapshot reads state and derived data at one height, unaffected by later commits. It must be closed. Its [ledger.Reader] panics
// when the disk can't be read, as the rules require; the other methods return errors.
type IndexedSnapshot struct{ *Head }

// Snapshot flushes the store, since derived data is read from the disk, and returns a snapshot of the last block. [Store.Head] suffices for
// the state alone.
func (s *Store) Snapshot() (_ *IndexedSnapshot, err error) {
	s.mu.RLock()
	leave, err := s.enter()
	s.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			leave()
		}
	}()
	s.writing.Lock()
	defer s.writing.Unlock()
	written, err := s.flush()
	if err != nil {
		return nil, err
	}
	db := s.db.NewSnapshot()
	flushed, err := readFlushed(db, &s.params) // the next block may be committed by now
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the head of the store: %w", err), db.Close())
	}
	history, err := readHistory(db, &s.params) // pruning may have gone on since
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the begin of the history: %w", err), db.Close())
	}
	view := stateReader{Reader: db, cache: s.cache, height: flushed.height}
	if written != nil { // it is on the disk, and still in memory
		view.unwritten = []*memtable{written}
	}
	s.mu.RLock()
	partitions := s.partitions // only a flush begins a partition, and this snapshot holds s.writing
	s.mu.RUnlock()
	return &IndexedSnapshot{&Head{ledger.Reader{View: view}, view, db, partitions, flushed.commitment(), flushed.log, s.log, leave, history.base, history.commitment, &s.params}}, nil
}

// Trades returns the trades of a party, newest first: all, or only the open ones. after is "" or the cursor of the last trade seen.
func (s *IndexedSnapshot) Trades(party types.PublicKey, openOnly bool, after string) iter.Seq2[*TradeEntry, error] {
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

// lists returns the prefixes of the lists of a party's trades, newest first.
func (s *IndexedSnapshot) lists(party types.PublicKey, openOnly bool) (prefixes [][]byte) {
	if openOnly {
		return [][]byte{openPrefix(party)}
	}
	for partition := range s.partitions.begins {
		prefixes = append(prefixes, partyPrefix(uint16(partition), party))
	}
	slices.Reverse(prefixes)
	return prefixes
}

// list yields the trades of one list after a place, and reports whether the caller wants more.
func (s *IndexedSnapshot) list(prefix, place []byte, yield func(*TradeEntry, error) bool) (going bool, err error) {
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

// TradeEntry is a trade in a list, with its cursor.
type TradeEntry struct {
	TradeRecord
	Cursor string
}

// parseCursor decodes the place of a trade, which is valid in every list of its party; nil for an empty cursor.
func parseCursor(cursor string) ([]byte, error) {
	if cursor == "" {
		return nil, nil
	}
	place, err := hex.DecodeString(cursor)
	if err != nil || len(place) != placeLength {
		return nil, types.Refuse(types.CodeMalformed,
			"%.80q is not a place in a list of trades: pass the 'next' of the last page", cursor)
	}
	return place, nil
}

// OffersAfter returns the standing offers with larger IDs, in order; the zero ID begins at the first.
func (s *IndexedSnapshot) OffersAfter(id types.OfferID) iter.Seq2[*types.StandingOffer, error] {
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

// OrdersOf returns the open orders of a key after a place, in order of their slots. An empty place begins at the first order.
func (s *IndexedSnapshot) OrdersOf(owner types.PublicKey, place []byte) iter.Seq2[*PlacedEntry, error] {
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

// Receipt returns the receipt of a transaction, or nil when no block holds it.
func (s *IndexedSnapshot) Receipt(id types.TxID) (*Receipt, error) {
	return readReceipt(s.db, s.partitions, id)
}

// Block returns the record of the block at a height, nil before it, and a refusal when it is pruned.
func (s *IndexedSnapshot) Block(height uint64) (*Block, error) {
	for _, memtable := range s.state.unwritten {
		if block := memtable.block(height); block != nil {
			return block, nil
		}
	}
	return readKept(s.db, height, s.params)
}

// Outcomes returns the outcomes of a block: from memory, or from the leaves of the log.
func (h *Head) Outcomes(block *Block) ([]types.Outcome, error) {
	if block.outcomes != nil || block.First == block.Log.Size {
		return block.outcomes, nil
	}
	all := make([]types.Outcome, 0, block.Log.Size-block.First)
	err := h.log.Walk(block.First, block.Log.Size, func(index uint64, leaf []byte) error {
		all = append(all, types.Outcome{})
		if err := types.Decode(leaf, &all[len(all)-1]); err != nil {
			return fmt.Errorf("leaf %d: %w", index, err)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the outcomes of block %d: %w", block.Height, err)
	}
	return all, nil
}
