package types

import (
	"math/big"
	"math/bits"
	"slices"

	"lockstep/types/canon"
)

// Order is a bid or an offer for one auction: a quantity of a product at a limit price or better. Nothing is locked by it.
type Order struct {
	_         struct{}   `cbor:",toarray"`
	ChainID   string     `json:"chain_id"`
	Owner     PublicKey  `json:"owner"`
	Product   Product    `json:"product"`
	Side      Side       `json:"side"`
	Number    uint8      `json:"number"` // of the owner's orders for the product; another order of the same number replaces it
	Quantity  uint64     `json:"quantity"`
	Limit     Rate       `json:"limit"`         // per unit
	MinFill   uint64     `json:"min_fill"`      // it gets at least so much or nothing
	Expires   Time       `json:"expires"`       // block time: an auction that is held later leaves it out
	Accepts   []Fallback `json:"accepts"`       // terms it trades under, one of a kind: meter, arbiter, hold, in this order
	Flow      Flow       `json:"flow,omitzero"` // of an offer under meter terms: where it is measured
	Deposit   Range      `json:"deposit"`       // that it trades under, in ten-thousandths of the price
	Bond      Range      `json:"bond"`
	MinRecord uint8      `json:"min_record"` // the least record of the other side, one of RecordLevels
}

// Range is a closed interval.
type Range struct {
	_     struct{} `cbor:",toarray"`
	Least uint16   `json:"least"`
	Most  uint16   `json:"most"`
}

// Holds reports whether n is within the range.
func (r Range) Holds(n uint16) bool { return r.Least <= n && n <= r.Most }

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
	market := &params.Market
	if o.ChainID != params.ChainID {
		return Refuse(CodeChain, "the order is for chain %q, this is %q", clip(o.ChainID), params.ChainID)
	}
	if err := o.Product.Check(params); err != nil {
		return err
	}
	switch {
	case o.Side != Bid && o.Side != Sell:
		return Refuse(CodeOrder, "the order is neither a bid nor an offer")
	case o.Quantity < 1 || o.Quantity > market.MaxQuantity:
		return Refuse(CodeOrder, "quantity %d is not between 1 and %d", o.Quantity, market.MaxQuantity)
	case o.MinFill < 1 || o.MinFill > o.Quantity:
		return Refuse(CodeOrder, "the smallest fill %d is not between 1 and the quantity %d", o.MinFill, o.Quantity)
	case o.Number >= market.KeyOrders:
		return Refuse(CodeOrder, "number %d: a key has the orders 0 to %d of a product", o.Number, market.KeyOrders-1)
	case !o.Limit.Canonical():
		return Refuse(CodeOrder, "the limit price is not in its shortest form")
	case o.Side == Bid && o.Limit.Mantissa == 0:
		return Refuse(CodeOrder, "a bid must be above zero: nothing can be paid for with nothing")
	case o.Expires < o.Product.Gate(params):
		return Refuse(CodeOrder, "it would have run out at %s, before gate closure at %s", o.Expires, o.Product.Gate(params))
	case !slices.Contains(RecordLevels(), o.MinRecord):
		return Refuse(CodeOrder, "a least record of %d %%: %d are possible", o.MinRecord, RecordLevels())
	case !o.Deposit.Holds(market.Deposit) || !o.Bond.Holds(market.Bond):
		return Refuse(CodeOrder, "the auction's deposit of %d and bond of %d ten-thousandths of the price are not what the order accepts",
			market.Deposit, market.Bond)
	case o.Side == Bid && !o.Flow.IsZero():
		return Refuse(CodeOrder, "a bid names no connection point: that is the producer's")
	}
	return o.checkTerms(params)
}

// checkTerms wants the order to make good agreements under all the terms that it accepts.
func (o *Order) checkTerms(params *Params) error {
	if len(o.Accepts) == 0 {
		return Refuse(CodeOrder, "the order accepts no fallback terms")
	}
	if !o.Flow.IsZero() && TermsRank(o.Accepts[0]) != 1 {
		return Refuse(CodeOrder, "a connection point is of use only under meter terms")
	}
	last := 0
	for _, terms := range o.Accepts {
		rank := TermsRank(terms)
		if rank <= last {
			return Refuse(CodeOrder, "the terms must be named once each, in the order meter, arbiter, hold")
		}
		last = rank
		agreement, err := o.Agreement(params, terms)
		if err != nil {
			return err
		}
		if err := agreement.Check(params); err != nil {
			return err
		}
	}
	return nil
}

// Agreement returns the agreement of the order under some terms when it is filled completely, at its limit, with a stranger:
// the most that a bid can cost.
func (o *Order) Agreement(params *Params, terms Fallback) (Agreement, error) {
	price, ok := o.Limit.Cost(o.Quantity)
	if !ok {
		return Agreement{}, Refuse(CodeOverflow, "%d times %s", o.Quantity, o.Limit)
	}
	stranger := o.Owner
	stranger[0] ^= 1
	match := Match{
		Product: &o.Product, Producer: o.Owner, Consumer: stranger, Flow: o.Flow, Quantity: o.Quantity, Price: max(price, 1), Fallback: terms,
		Begin: o.Product.Gate(params),
	}
	if o.Side == Bid {
		match.Producer, match.Consumer, match.Flow = stranger, o.Owner, Flow{Point: PointID{1}, Direction: DirectionExport}
	}
	return match.Agreement(params)
}

// TermsRank orders the kinds of fallback terms as an auction serves them: those that leave least to trust first.
func TermsRank(f Fallback) int {
	switch f.(type) {
	case *Meter:
		return 1
	case *Arbiter:
		return 2
	case *Hold:
		return 3
	}
	return 0
}

// Match is a bid and an offer that an auction has put together.
type Match struct {
	Product            *Product
	Producer, Consumer PublicKey
	Flow               Flow // of the offer: it counts under meter terms
	Quantity           uint64
	Price              Amount // for all of it
	Fallback           Fallback
	Begin              Time     // gate closure, in block time
	Skew               Duration // by which the ledger clock is behind block time
	Number             uint64   // of the match in its auction
}

// Agreement returns the agreement of a match, by the market's parameters. It fails if a sum overflows.
func (m *Match) Agreement(params *Params) (Agreement, error) {
	market, product := &params.Market, m.Product
	deposit, ok1 := m.Price.PartUp(market.Deposit)
	bond, ok2 := m.Price.PartUp(market.Bond)
	if !ok1 || !ok2 {
		return Agreement{}, Refuse(CodeOverflow, "deposit and bond of a price of %s", m.Price)
	}
	var flow Flow
	if _, metered := m.Fallback.(*Meter); metered {
		flow = m.Flow
	}
	clock := func(blockTime Time) Time { return blockTime - Time(min(uint64(m.Skew), uint64(blockTime))) }
	readingBy := product.Until.Add(market.Reading)
	return Agreement{
		ChainID: params.ChainID, Producer: m.Producer, Consumer: m.Consumer,
		Goods: product.Goods(m.Quantity, flow), Asset: product.Asset, Price: m.Price, Deposit: max(deposit, 1), Bond: bond, Instalments: 1,
		Deadlines: Deadlines{
			PayBy: clock(m.Begin.Add(market.Pay)), DeliverBy: clock(product.From), ReadingBy: readingBy, ConfirmBy: readingBy.Add(market.Confirm),
		},
		Fallback: m.Fallback, Nonce: MatchNonce | m.Number,
	}, nil
}

// PartUp returns ceil(amount*part/10000), or false when it does not fit.
func (a Amount) PartUp(part uint16) (Amount, bool) {
	return Rate{Mantissa: uint64(part), Exponent: 4}.Cost(uint64(a))
}

// ClearingPrice is the price of one unit that an auction has found: the middle of two limits, exactly.
type ClearingPrice struct {
	_    struct{} `cbor:",toarray"`
	Low  Rate     `json:"low"`
	High Rate     `json:"high"`
}

// Rat is the price as an exact fraction.
func (p ClearingPrice) Rat() *big.Rat {
	sum := new(big.Rat).Add(p.Low.Rat(), p.High.Rat())
	return sum.Quo(sum, big.NewRat(2, 1))
}

// Rat is the rate as an exact fraction.
func (r Rate) Rat() *big.Rat {
	return new(big.Rat).SetFrac(new(big.Int).SetUint64(r.Mantissa), new(big.Int).SetUint64(pow10(min(r.Exponent, MaxExponent))))
}

// Cost is the price of a quantity, rounded up to a whole smallest unit, or false when it does not fit.
func (p ClearingPrice) Cost(quantity uint64) (Amount, bool) {
	coarse, fine := p.Low, p.High
	if coarse.Exponent > fine.Exponent {
		coarse, fine = fine, coarse
	}
	if fine.Exponent > MaxExponent {
		return 0, false
	}
	// Both limits together, times the quantity, is less than 2^189; of the quotient by twice the scale one word is the result.
	scale := 2 * pow10(fine.Exponent)
	high, low := bits.Mul64(coarse.Mantissa, pow10(fine.Exponent-coarse.Exponent))
	low, carry := bits.Add64(low, fine.Mantissa, 0)
	high += carry
	middle, low := bits.Mul64(low, quantity)
	high, over := bits.Mul64(high, quantity)
	middle, carry = bits.Add64(middle, over, 0)
	high += carry
	low, carry = bits.Add64(low, scale-1, 0)
	middle, carry = bits.Add64(middle, 0, carry)
	if high+carry != 0 || middle >= scale {
		return 0, false
	}
	quotient, _ := bits.Div64(middle, low, scale)
	return Amount(quotient), true
}
