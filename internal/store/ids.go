package store

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// IDKind is what an ID names.
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

// The kinds of the ledger's own keys that go on with an ID, see package ledger, keys.go.
const (
	ledgerTrades = 't'
	ledgerBook   = 'b'
	ledgerPoint  = 'g'
	ledgerMember = 'm'
)

// keyspaces are the beginnings of the entries whose keys go on with an ID of a kind.
func (s *Snapshot) keyspaces(kind IDKind) (spaces [][]byte) {
	everyEpoch := func(keyspace byte) {
		for epoch := range s.epochs.begins {
			spaces = append(spaces, inEpoch(keyspace, uint16(epoch)))
		}
	}
	switch kind {
	case TradeIDs:
		spaces = append(spaces, []byte{prefixState, ledgerTrades})
		everyEpoch(prefixEnded)
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
		everyEpoch(prefixTx)
	case Keys:
		spaces = append(spaces, []byte{prefixState, ledgerMember}, []byte{prefixCoin}, []byte{prefixOpen})
		everyEpoch(prefixParty)
	}
	return spaces
}

// IDs lists the IDs of a kind from low to high, in order: the first few, each once.
func (s *Snapshot) IDs(kind IDKind, low, high [32]byte, limit int) ([][32]byte, error) {
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

// idsIn lists the first IDs that follow the beginning of a keyspace. Many entries may have one ID: they are leapt over.
func (s *Snapshot) idsIn(space []byte, low, high [32]byte, limit int) (found [][32]byte, err error) {
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
