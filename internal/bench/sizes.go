package bench

import (
	"lockstep/internal/table"
	"lockstep/trade"
	"lockstep/types"
)

// Sizes are the bytes of an order and of its trade: in a transaction, and in the state with the key.
type Sizes struct {
	BidTx      int   `json:"bid_tx"` // signed, with the coin that it is funded from and the change
	OfferTx    int   `json:"offer_tx"`
	Bid        int   `json:"bid_state"`
	Offer      int   `json:"offer_state"`
	Trade      int   `json:"trade_state"`
	Claim      int   `json:"claim_state"` // in the slot of the connection point
	ReleaseTxs []int `json:"release_txs"` // unsigned, by the depth of the bid's tree
}

// Lengths of keys of the state, see package ledger.
const (
	orderKeyLength = 1 + 32 + 32 + 1 // kind, product, owner, number
	tradeKeyLength = 1 + 32
)

// sizes measures the orders of a bidder and of a producer in a slot, and the trade that they make.
func (c *city) sizes(bidder, producer *household, from types.Time) (s Sizes, err error) {
	product := c.product("zone-0", from)
	c.world.begin = from
	placed := func(h *household) (*types.Order, int, int) {
		t, before := c.orderFor(h, product), *h
		tx := c.sign(h, &t)
		*h = before
		order := tx.Body.Actions[0].(*types.Place).Order
		return &order, len(tx.Bytes()), orderKeyLength + len(types.Encode(&types.PlacedOrder{Order: order, Tx: tx.ID(), Height: 1}))
	}
	var bid, offer *types.Order
	bid, s.BidTx, s.Bid = placed(bidder)
	offer, s.OfferTx, s.Offer = placed(producer)
	grid, _ := c.world.params.Grid(&product)
	match := types.Match{
		Product: &product, Grid: grid, Producer: offer.Owner, Consumer: bid.Owner, Flow: offer.Flow, Lots: min(bid.Lots(), offer.Lots()), Price: bid.Limit,
		Begin: product.Gate(&c.world.params),
	}
	agreement, err := match.Agreement(&c.world.params)
	if err != nil {
		return s, err
	}
	t := trade.Match(&agreement, bid.Root, bid.Depth, 1, product.Gate(&c.world.params))
	s.Trade = tradeKeyLength + len(types.Encode(t))
	s.Claim = len(types.Encode(&types.Claim{Height: 1, Trade: t.ID(), Quantity: agreement.Goods.Quantity, ReadingBy: agreement.Deadlines.ReadingBy}))
	for depth := range types.MaxDigestDepth + 1 {
		release := types.Release{Trade: t.ID(), Instalment: 1, Preimage: c.world.secret(0, 0), Path: make([]types.Hash, depth)}
		s.ReleaseTxs = append(s.ReleaseTxs, len(types.NewRelease(c.world.params.ChainID, release).Bytes()))
	}
	return s, nil
}

// write writes the sizes for people.
func (s *Sizes) write(out *table.Writer) {
	deepest := len(s.ReleaseTxs) - 1
	out.Line("Bytes: a bid has %d in its transaction and %d in the state, an offer %d and %d. A trade has %d in the state, and %d in its slot.",
		s.BidTx, s.Bid, s.OfferTx, s.Offer, s.Trade, s.Claim)
	out.Line("A release has %d to %d, for a tree that is %d to %d deep.\n", s.ReleaseTxs[0], s.ReleaseTxs[deepest], 0, deepest)
}
