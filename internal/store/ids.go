package store

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// IDKind is the kind of item that an ID names.
type IDKind string

// The kinds of IDs that can be looked up.
const (
	TradeIDs       IDKind = "trade"
	OfferIDs       IDKind = "offer"
	AssetIDs       IDKind = "asset"
	ProductIDs     IDKind = "product"
	TransactionIDs IDKind = "transaction"
	Points         IDKind = "point"
	Keys           IDKind = "key"
)

// The kinds of ledger keys that continue with an ID, see package ledger, keys.go.
const (
	ledgerTrades = 't'
	ledgerBook   = 'b'
	ledgerPoint  = 'g'
	ledgerMember = 'm'
)

// keyspaces returns the prefixes of the keys that continue with an ID of a kind.
func (s *IndexedSnapshot) keyspaces(kind IDKind) (spaces [][]byte) {
	everyPartition := func(keyspace byte) {
		for partition := range s.partitions.begins {
			spaces = append(spaces, inPartition(keyspace, uint16(partition)))
		}
	}
	switch kind {
	case TradeIDs:
		spaces = append(spaces, []byte{prefixState, ledgerTrades})
		everyPartition(prefixEnded)
	case OfferIDs:
		spaces = append(spaces, []byte{prefixState, ledgerOffer})
	case AssetIDs:
		spaces = append(spaces, []byte{prefixState, ledgerAsset})
	case Points:
		spaces = append(spaces, []byte{prefixState, ledgerPoint})
	case ProductIDs:
		spaces = append(spaces, []byte{prefixState, ledgerBook}, []byte{prefixAuction})
	case TransactionIDs:
		spaces = append(spaces, []byte{prefixRefused})
		everyPartition(prefixTx)
	case Keys:
		spaces = append(spaces, []byte{prefixState, ledgerMember}, []byte{prefixCoin}, []byte{prefixOpen})
		everyPartition(prefixParty)
	}
	return spaces
}

// IDs returns the first IDs of a kind from low to high, in order, each once.
func (s *IndexedSnapshot) IDs(kind IDKind, low, high [32]byte, limit int) ([][32]byte, error) {
	var found [][32]byte
	for _, space := range s.keyspaces(kind) {
		some, err := s.idsIn(space, low, high, limit)
		if err != nil {
			return nil, fmt.Errorf("look for the ids of a %s: %w", kind, err)
		}
		found = append(found, some...)
	}
	slices.SortFunc(found, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	found = slices.Compact(found)
	return found[:min(len(found), limit)], nil
}

// idsIn returns the first IDs after the prefix of a keyspace. It skips further entries of the same ID.
func (s *IndexedSnapshot) idsIn(space []byte, low, high [32]byte, limit int) (found [][32]byte, err error) {
	from, to := append(slices.Clone(space), low[:]...), after(append(slices.Clone(space), high[:]...))
	iterator, err := s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return nil, err
	}
	for valid := iterator.First(); valid && len(found) < limit; {
		key := iterator.Key()
		if len(key) < len(space)+len(low) {
			valid = iterator.Next()
			continue
		}
		id := [32]byte(key[len(space):])
		found = append(found, id)
		next := after(append(slices.Clone(space), id[:]...))
		valid = next != nil && iterator.SeekGE(next)
	}
	if err := iterator.Error(); err != nil {
		_ = iterator.Close()
		return nil, err
	}
	return found, iterator.Close()
}
