package types

import (
	"slices"

	"lockstep/types/canon"
)

// Order is a bid or an offer for one auction: a quantity of a product at a limit price or better. It locks all that it can cost: a bid
// its limit and the deposit, an offer its bond. It is its owner's mandate for every trade that the auction makes of it, so it
// states the lot, the stakes and the terms that hold for them.
type Order struct {
	_         struct{}  `cbor:",toarray"`
	ChainID   string    `json:"chain_id"`
	Owner     PublicKey `json:"owner"`
	Product   Product   `json:"product"`
	Side      Side      `json:"side"`
	Number    uint8     `json:"number"`   // of the owner's orders for the product; another order of the same number replaces it
	Quantity  uint64    `json:"quantity"` // whole lots
	Lot       uint64    `json:"lot"`      // of the product's grid, as the rest of its terms
	Limit     Amount    `json:"limit"`    // for a lot: whole ticks
	MinFill   uint64    `json:"min_fill"` // it gets at least so much or nothing; whole lots
	Expires   Time      `json:"expires"`  // block time: an auction that an outage delays beyond it leaves it out
	Fallback  Fallback  `json:"fallback"`
	Flow      Flow      `json:"flow,omitzero"` // of an offer under meter terms: where it is measured
	Deposit   Amount    `json:"deposit"`       // for a lot
	Bond      Amount    `json:"bond"`          // for a lot
	MinRecord uint8     `json:"min_record"`    // the least record of the other side, one of RecordLevels
	Root      Hash      `json:"root,omitzero"` // of a bid: the tree of digests, one for each of its trades; see [DigestTree]
	Depth     uint8     `json:"depth"`         // of the tree: a bid makes at most 2^Depth trades
}

// MaxDigestDepth is the greatest depth of a bid's tree of digests. An offer makes at most as many trades as such a tree has leaves, too.
const MaxDigestDepth = 8

// Lots is the quantity in lots.
func (o *Order) Lots() uint64 { return o.Quantity / max(o.Lot, 1) } // none is refused by Check

// Locks is the money that so many lots of the order lock at a price for each: of a bid the price and the deposit, of an offer the
// bond; false when it does not fit.
func (o *Order) Locks(lots uint64, price Amount) (Amount, bool) {
	if o.Side == Sell {
		return o.Bond.Times(lots)
	}
	each, ok1 := price.Add(o.Deposit)
	sum, ok2 := each.Times(lots)
	return sum, ok1 && ok2
}

// Stake is all that the order locks; false when it does not fit.
func (o *Order) Stake() (Amount, bool) { return o.Locks(o.Lots(), o.Limit) }

// MaxTrades is the most trades that the order can make.
func (o *Order) MaxTrades() int {
	if o.Side == Bid {
		return 1 << o.Depth
	}
	return MaxClaims
}

// Improves reports whether the order is at least as good for the others as the one that it replaces.
func (o *Order) Improves(old *Order) bool {
	better := o.Limit >= old.Limit
	if o.Side == Sell {
		better = o.Limit <= old.Limit
	}
	return better && o.Side == old.Side && o.Quantity >= old.Quantity && o.MinFill <= old.MinFill && o.MinRecord <= old.MinRecord &&
		o.Expires >= old.Expires && o.Flow == old.Flow && o.Depth >= old.Depth
}

// CheckLate checks the order against those of its owner in the book, in a block of a time. From one smallest window before the gate on an
// order may be added or improved, and none may be taken out, nor any part of one: so none may meet one of its own owner either, since the
// auction nets the two, and none may be one more offer of a connection point, since its offers share the places of its slot.
// Own returns the owner's order of a number for the product, or nil.
func (o *Order) CheckLate(params *Params, blockTime Time, own func(number uint8) *Order) error {
	last := o.Product.Withdrawable(params)
	if blockTime <= last {
		return nil
	}
	added := own(o.Number) == nil
	for number := range params.MarketOf(&o.Product).KeyOrders {
		switch other := own(number); {
		case other == nil:
		case number == o.Number && !o.Improves(other):
			return Refuse(CodeBookClosed, "since %s orders can only be improved: a higher bid, a lower offer, a larger quantity, no new conditions", last)
		case number != o.Number && o.meets(other):
			return Refuse(CodeBookClosed, "since %s no order can be taken out, and this one would meet order %d of the same owner, which takes both out: its limit is %s",
				last, number, other.Limit)
		case added && o.sharesSlot(other):
			return Refuse(CodeBookClosed, "since %s no order can be taken out, and this one would share the %d trades of its connection point with order %d, which could trade with fewer then: improve order %d instead",
				last, MaxClaims, number, number)
		}
	}
	return nil
}

// sharesSlot reports whether two offers for a product are measured at one connection point.
func (o *Order) sharesSlot(other *Order) bool { return !o.Flow.IsZero() && o.Flow == other.Flow }

// meets reports whether two orders for a product trade at one price.
func (o *Order) meets(other *Order) bool {
	if o.Side == Sell {
		o, other = other, o
	}
	return o.Side != other.Side && o.Limit >= other.Limit
}

// Side tells bids from offers.
type Side uint8

// The sides.
const (
	Bid  Side = 1 // buys at its limit or below
	Sell Side = 2 // an offer: sells at its limit or above
)

var sideNames = map[Side]string{Bid: "bid", Sell: "offer"} //nolint:gochecknoglobals // a constant table

func (s Side) String() string { return sideNames[s] }

// MarshalText writes the side's name.
func (s Side) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a side's name.
func (s *Side) UnmarshalText(text []byte) error {
	return unmarshalName(s, sideNames, text, "a side of the market")
}

// RecordLevels are the least records that an order can demand, in hundredths. They are few since each is a round of its
// own in an auction.
func RecordLevels() []uint8 { return []uint8{0, 80, 95} }

// PlacedOrder is an order on the ledger, with the transaction that placed it.
type PlacedOrder struct {
	_      struct{} `cbor:",toarray"`
	Order  Order    `json:"order"`
	Tx     TxID     `json:"tx"`
	Height uint64   `json:"height"`
}

// Book counts the orders of an open product.
type Book struct {
	_       struct{} `cbor:",toarray"`
	Product Product  `json:"product"`
	Orders  uint32   `json:"orders"`
}

// ID names the order.
func (o *Order) ID() OrderID { return canon.Digest(domainOrder, o) }

// Check returns the first fault of the order on a ledger with these parameters, in any state.
func (o *Order) Check(params *Params) error {
	market := params.MarketOf(&o.Product)
	if o.ChainID != params.ChainID {
		return Refuse(CodeChain, "the order is for chain %q, this is %q", clip(o.ChainID), params.ChainID)
	}
	if err := o.Product.Check(params); err != nil {
		return err
	}
	grid, ok := market.Grid(&o.Product)
	if !ok {
		return Refuse(CodeProduct, "this ledger has no lots and ticks for %s in %s of asset %s: it holds no auctions of it", o.Product.Commodity, o.Product.Unit, o.Product.Asset)
	}
	switch {
	case o.Side != Bid && o.Side != Sell:
		return Refuse(CodeOrder, "the order is neither a bid nor an offer")
	case o.Lot != grid.Lot || o.Deposit != grid.Deposit || o.Bond != grid.Bond || !sameTerms(o.Fallback, grid.Fallback):
		return Refuse(CodeOrder, "the order is for lots of %d with a deposit of %s and a bond of %s under %s terms, the product has %d, %s, %s and %s: make it again",
			o.Lot, o.Deposit, o.Bond, FallbackKind(o.Fallback), grid.Lot, grid.Deposit, grid.Bond, FallbackKind(grid.Fallback))
	case o.Quantity < 1 || o.Quantity > market.MaxQuantity:
		return Refuse(CodeOrder, "quantity %d is not between 1 and %d", o.Quantity, market.MaxQuantity)
	case o.Quantity%grid.Lot != 0:
		return Refuse(CodeOrder, "quantity %d is not a whole number of lots of %d: %s", o.Quantity, grid.Lot, nearest(o.Quantity, grid.Lot, market.MaxQuantity))
	case o.MinFill < 1 || o.MinFill > o.Quantity:
		return Refuse(CodeOrder, "the smallest fill %d is not between 1 and the quantity %d", o.MinFill, o.Quantity)
	case o.MinFill%grid.Lot != 0:
		return Refuse(CodeOrder, "the smallest fill %d is not a whole number of lots of %d: %s", o.MinFill, grid.Lot, nearest(o.MinFill, grid.Lot, o.Quantity))
	case o.Number >= market.KeyOrders:
		return Refuse(CodeOrder, "number %d: a key has the orders 0 to %d of a product", o.Number, market.KeyOrders-1)
	case o.Limit > grid.Ceiling:
		return Refuse(CodeOrder, "the limit %s for a lot of %d is above the ceiling of %s", o.Limit, grid.Lot, grid.Ceiling)
	case o.Limit%grid.Tick != 0:
		return Refuse(CodeOrder, "the limit %s for a lot of %d is not a whole number of ticks of %s: %s",
			o.Limit, grid.Lot, grid.Tick, nearest(uint64(o.Limit), uint64(grid.Tick), uint64(grid.Ceiling)))
	case o.Side == Bid && o.Limit == 0:
		return Refuse(CodeOrder, "a bid must be above zero: nothing can be paid for with nothing")
	case o.Expires < o.Product.Gate(params):
		return Refuse(CodeOrder, "it would have run out at %s, before gate closure at %s", o.Expires, o.Product.Gate(params))
	case !slices.Contains(RecordLevels(), o.MinRecord):
		return Refuse(CodeOrder, "a least record of %d %%: %d are possible", o.MinRecord, RecordLevels())
	}
	if err := o.checkSide(grid); err != nil {
		return err
	}
	return o.checkTrade(params, grid)
}

// checkSide checks the parts that only bids or only offers have.
func (o *Order) checkSide(grid *Grid) error {
	switch {
	case o.Side == Bid && !o.Flow.IsZero():
		return Refuse(CodeOrder, "a bid names no connection point: that is the producer's")
	case o.Side == Bid && (o.Depth > MaxDigestDepth || o.Root == Hash{}):
		return Refuse(CodeOrder, "a bid brings the root of a tree of digests, at most %d deep", MaxDigestDepth)
	case o.Side == Sell && (o.Depth != 0 || o.Root != Hash{}):
		return Refuse(CodeOrder, "an offer brings no digests: those are the consumer's")
	case o.Side == Sell && !o.Flow.IsZero() && o.Flow.Direction != o.Product.Direction():
		return Refuse(CodeOrder, "an offer of %s is measured by the %s of its connection point, not by the %s", o.Product.Commodity, o.Product.Direction(), o.Flow.Direction)
	case !grid.Metered() && !o.Flow.IsZero():
		return Refuse(CodeOrder, "a connection point is of use only under meter terms")
	}
	return nil
}

// checkTrade wants the order to make a good agreement when it is filled completely, at its limit, with a stranger: no trade costs more.
func (o *Order) checkTrade(params *Params, grid *Grid) error {
	if _, ok := o.Stake(); !ok {
		return Refuse(CodeOverflow, "%d lots at %s", o.Lots(), o.Limit)
	}
	stranger := o.Owner
	stranger[0] ^= 1
	match := Match{
		Product: &o.Product, Grid: grid, Producer: o.Owner, Consumer: stranger, Flow: o.Flow, Lots: o.Lots(), Price: max(o.Limit, grid.Tick),
		Begin: o.Product.Gate(params),
	}
	if o.Side == Bid {
		match.Producer, match.Consumer = stranger, o.Owner
		if grid.Metered() {
			match.Flow = Flow{Point: PointID{1}, Direction: o.Product.Direction()}
		}
	}
	agreement, err := match.Agreement(params)
	if err != nil {
		return err
	}
	return agreement.Check(params)
}

func sameTerms(a, b Fallback) bool {
	if one, named := a.(*Arbiter); named {
		other, also := b.(*Arbiter)
		return also && one.Key == other.Key
	}
	return a != nil && FallbackKind(a) == FallbackKind(b)
}

// Match is a bid and an offer that an auction has put together.
type Match struct {
	Product            *Product
	Grid               *Grid
	Producer, Consumer PublicKey
	Flow               Flow // of the offer, under meter terms
	Lots               uint64
	Price              Amount   // of a lot
	Begin              Time     // gate closure, or a later auction after an outage, in block time
	Skew               Duration // by which the ledger clock is behind block time
	Number             uint8    // of the bid among its owner's orders
	Leaf               uint16   // of the bid's tree of digests
}

// Agreement returns the agreement of a match, a pure function of the two orders, the parameters and the outcome. It fails if a sum overflows.
func (m *Match) Agreement(params *Params) (Agreement, error) {
	market, product := params.MarketOf(m.Product), m.Product
	price, deposit, bond, ok1 := m.Grid.Sums(m.Lots, m.Price)
	quantity, ok2 := Amount(m.Grid.Lot).Times(m.Lots)
	if !ok1 || !ok2 {
		return Agreement{}, Refuse(CodeOverflow, "price, deposit and bond of %d lots at %s", m.Lots, m.Price)
	}
	clock := func(blockTime Time) Time { return blockTime - Time(min(uint64(m.Skew), uint64(blockTime))) }
	readingBy := product.Until.Add(market.Reading)
	return Agreement{
		ChainID: params.ChainID, Producer: m.Producer, Consumer: m.Consumer,
		Goods: product.Goods(uint64(quantity), m.Flow), Asset: product.Asset, Price: price, Deposit: deposit, Bond: bond, Instalments: 1,
		Deadlines: Deadlines{
			PayBy: clock(m.Begin), DeliverBy: clock(product.From), ReadingBy: readingBy, ConfirmBy: readingBy.Add(market.Confirm),
		},
		Fallback: m.Grid.Fallback, Nonce: MatchNonce | uint64(m.Number)<<16 | uint64(m.Leaf),
	}, nil
}
