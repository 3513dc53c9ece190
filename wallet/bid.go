package wallet

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"

	"lockstep/types"
)

// A bid brings a tree of digests before its trades are known, so their secrets can't be derived from the trades' IDs. They are derived from
// the bid's place instead: ledger, product, owner, the number of the order, and the leaf. A product clears once, and of one owner and
// number one order is in its book then: so a place is that of one trade at most, however often the order was replaced before. The ID of a
// match names its place, see [types.Agreement.Match]: words and trade are enough to release it.

// place is that of a trade which an auction makes, among the orders of all owners.
type place struct {
	chainID string
	product types.ProductID
	owner   types.PublicKey
	number  uint8
}

// bidDomain keeps these secrets from being the output of the same derivation made for another purpose.
const bidDomain = "lockstep/bid-secret/v1\x00"

// leafSecret opens the trade of a leaf of a bid.
func (s *Seed) leafSecret(at *place, leaf uint16) types.Secret {
	info := append([]byte(bidDomain), byte(len(at.chainID))) // at most types.MaxName long
	info = append(info, at.chainID...)
	info = append(info, at.product[:]...)
	info = append(info, at.owner[:]...)
	info = append(info, at.number)
	info = binary.BigEndian.AppendUint16(info, leaf)
	derived, err := hkdf.Key(sha256.New, s.bytes(), nil, string(info), len(types.Secret{}))
	if err != nil {
		panic("wallet: 32 bytes can always be derived: " + err.Error())
	}
	return types.Secret(derived)
}

// bidTree is the tree of digests of a bid.
func (s *Seed) bidTree(at *place, depth uint8) types.DigestTree {
	digests := make([]types.Hash, 1<<depth)
	for leaf := range digests {
		digests[leaf] = s.leafSecret(at, uint16(leaf)).Digest(1)
	}
	return types.NewDigestTree(digests)
}

// depthOf returns the depth of the smallest tree with a leaf for each trade that so many lots can make: one a lot, up to the most that the
// ledger makes of an order.
func depthOf(lots uint64) uint8 {
	return uint8(min(bits.Len64(max(lots, 1)-1), types.MaxDigestDepth))
}

// placeOf returns the place of a match among the bids of its consumer.
func placeOf(agreement *types.Agreement, number uint8) *place {
	product := productOf(agreement)
	return &place{agreement.ChainID, product.ID(), agreement.Consumer, number}
}

// productOf returns the product whose auction has made an agreement.
func productOf(agreement *types.Agreement) types.Product {
	goods := &agreement.Goods
	return types.Product{
		Commodity: goods.Commodity, Unit: goods.Unit, Zone: goods.Zone, From: goods.From, Until: goods.Until, Asset: agreement.Asset,
	}
}

// opening returns the preimage that opens a trade up to instalment k, and the path from its digest to the lock. It refuses a trade whose
// lock is not that of this wallet: then the preimage would be of no use here, and could open another trade.
func (a *Account) opening(id types.TradeID, t *types.Trade, k uint16) (types.Secret, []types.Hash, error) {
	agreement := &t.Agreement
	number, leaf, matched := agreement.Match()
	if !matched {
		return a.Preimage(id, k, agreement.Instalments), nil, nil
	}
	if t.Depth > types.MaxDigestDepth || int(leaf) >= 1<<t.Depth {
		return types.Secret{}, nil, refuse(ReasonMismatch, "trade %s can't have leaf %d of a tree of depth %d, as the node shows it: don't trust that node",
			id, leaf, t.Depth)
	}
	at := placeOf(agreement, number)
	tree := a.seed.bidTree(at, t.Depth)
	if tree.Root() != t.Digest {
		return types.Secret{}, nil, notOurLock()
	}
	return types.Secret(a.seed.leafSecret(at, leaf).Digest(int(agreement.Instalments - k))), tree.Path(leaf), nil
}

func notOurLock() error {
	return refuse(ReasonMismatch, "the trade shown is not locked with this wallet's secret: "+
		"the node shows another lock, or it was paid with another seed")
}
