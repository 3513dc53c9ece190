package store

import (
	"encoding/hex"
	"fmt"
	"iter"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/ledger"
	"lockstep/types"
)

// Snapshot shows state and derived data at one height, whatever is committed meanwhile. It must be closed. Its
// [ledger.Reader] panics when the disk can't be read, as the rules need it to; the methods here return errors.
type Snapshot struct {
	ledger.Reader
	db     *pebble.Snapshot
	params types.Params
	height uint64
}

// Snapshot returns a view of now.
func (s *Store) Snapshot() *Snapshot {
	db := s.db.NewSnapshot()
	clock := ledger.Reader{View: view{Reader: db}}.Clock() // without the cache, which may be a block ahead or behind
	reader := ledger.Reader{View: view{db, s.cache, clock.Height}}
	return &Snapshot{Reader: reader, db: db, params: s.params, height: clock.Height}
}

// Close gives the snapshot's resources back.
func (s *Snapshot) Close() error { return s.db.Close() }

// Height is that of the last block in the snapshot, zero before the first.
func (s *Snapshot) Height() uint64 { return s.height }

// Commitment is what the last block in the snapshot commits to (the app hash).
func (s *Snapshot) Commitment() (types.Hash, error) {
	h, err := readHead(s.db)
	if err != nil {
		return types.Hash{}, fmt.Errorf("read the head of the store: %w", err)
	}
	return h.accumulator.Commitment(h.height, &s.params), nil
}

// Coin is an unspent output that is locked to a key.
type Coin struct {
	Outpoint types.Outpoint
	Output   types.Output
}

// Coins returns the outputs that are locked to a key, in order of their addresses.
func (s *Snapshot) Coins(owner types.PublicKey) iter.Seq2[Coin, error] {
	return func(yield func(Coin, error) bool) {
		prefix := coinPrefix(owner)
		going := true
		err := scan(s.db, prefix, after(prefix), func(key, value []byte) bool {
			var coin Coin
			_, coin.Outpoint = parseCoinKey(key)
			err := types.Decode(append([]byte{}, value...), &coin.Output)
			going = yield(coin, err) && err == nil
			return going
		})
		if err != nil && going {
			yield(Coin{}, fmt.Errorf("read the outputs of %s: %w", owner, err))
		}
	}
}

// TradeRecord is a trade with whether it is over: out of the state, so that nothing is locked and no step can follow.
type TradeRecord struct {
	ID    types.TradeID
	Trade *types.Trade
	Over  bool
}

// Trade returns a trade, of the state or of the archive; nil when there never was one of that ID that lasted.
func (s *Snapshot) Trade(id types.TradeID) (*TradeRecord, error) {
	if trade, live := s.Reader.Trade(id); live {
		return &TradeRecord{ID: id, Trade: trade}, nil
	}
	encoded, err := get(s.db, archiveKey(id))
	if err != nil {
		return nil, fmt.Errorf("read trade %s: %w", id, err)
	}
	if encoded == nil {
		return nil, nil
	}
	trade := new(types.Trade)
	if err := types.Decode(encoded, trade); err != nil {
		return nil, fmt.Errorf("read trade %s: %w", id, err)
	}
	return &TradeRecord{ID: id, Trade: trade, Over: true}, nil
}

// Trades returns the trades of a party, newest first: all, or only those that are not over. after is "" or the cursor that
// came with the last trade seen.
func (s *Snapshot) Trades(party types.PublicKey, openOnly bool, after string) iter.Seq2[*TradeEntry, error] {
	return func(yield func(*TradeEntry, error) bool) {
		keyspace := byte(prefixParty)
		if openOnly {
			keyspace = prefixOpen
		}
		from, to, err := partyRange(partyPrefix(keyspace, party), after)
		if err != nil {
			yield(nil, err)
			return
		}
		going := true
		err = scan(s.db, from, to, func(key, _ []byte) bool {
			_, _, id := parsePartyKey(key)
			record, err := s.Trade(id)
			if err == nil && record == nil {
				err = fmt.Errorf("trade %s is indexed but not kept: check the store", id)
			}
			if err != nil {
				going = false
				yield(nil, err)
				return false
			}
			going = yield(&TradeEntry{TradeRecord: *record, Cursor: hex.EncodeToString(key[33:])}, nil)
			return going
		})
		if err != nil && going {
			yield(nil, fmt.Errorf("read the trades of %s: %w", party, err))
		}
	}
}

// TradeEntry is a trade in a list, with the cursor to go on behind it.
type TradeEntry struct {
	TradeRecord
	Cursor string
}

func partyRange(prefix []byte, cursor string) (from, to []byte, err error) {
	if cursor == "" {
		return prefix, after(prefix), nil
	}
	place, err := hex.DecodeString(cursor)
	if err != nil || len(place) != partyKeyLength-len(prefix) {
		return nil, nil, types.Refuse(types.CodeMalformed,
			"%.80q is not a place in a list of trades: pass on what the last page gave as next", cursor)
	}
	return append(append(append([]byte{}, prefix...), place...), 0), after(prefix), nil
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

// Receipt returns what became of a transaction, or nil when no block holds it.
func (s *Snapshot) Receipt(id types.TxID) (*Receipt, error) {
	found, err := receipt(s.db, id)
	if err != nil {
		return nil, fmt.Errorf("read the receipt of %s: %w", id, err)
	}
	return found, nil
}

// Block returns the record of a block, or nil when there is none of that height.
func (s *Snapshot) Block(height uint64) (*Block, error) { return readBlock(s.db, height) }

// Block returns the record of a block, or nil when there is none of that height yet.
func (s *Store) Block(height uint64) (*Block, error) { return readBlock(s.db, height) }

// Receipt returns what became of a transaction, or nil when no block holds it yet.
func (s *Store) Receipt(id types.TxID) (*Receipt, error) { return receipt(s.db, id) }

func readBlock(reader pebble.Reader, height uint64) (*Block, error) {
	encoded, err := get(reader, blockKey(height))
	if err != nil {
		return nil, fmt.Errorf("read block %d: %w", height, err)
	}
	if encoded == nil {
		return nil, nil
	}
	return decodeBlock(encoded)
}
