package agent

import (
	"math/big"
	"slices"

	"lockstep/internal/agent/plan"
	"lockstep/trade"
	"lockstep/types"
)

type measured = plan.Measured

const dayLong = types.Duration(24 * 3600 * 1000)

// budget is the money that the limits leave.
type budget struct {
	free     room // spendable beyond the reserve
	exposure room // that may still be locked
	today    room // that may still be agreed to be paid within 24 hours
}

// room is a sum that is left of a limit. A sum beyond the limit is remembered, so that money that comes back makes up for it first.
type room struct{ left, beyond types.Amount }

func (r *room) take(sum types.Amount) {
	fits := min(sum, r.left)
	r.left, r.beyond = r.left-fits, r.beyond.Saturate(sum-fits)
}

func (r *room) put(sum types.Amount) {
	fits := min(sum, r.beyond)
	r.left, r.beyond = r.left.Saturate(sum-fits), r.beyond-fits
}

func (s *State) budget() budget {
	v, l := s.View, &s.Setup.Limits
	b := budget{free: room{left: v.Money.Spendable}, exposure: room{left: l.Exposure}, today: room{left: l.PerDay}}
	b.free.take(l.Reserve)
	b.exposure.take(v.Money.Locked)
	b.exposure.take(v.Money.InOrders)
	for i := range v.Spent {
		if spent := &v.Spent[i]; spent.Asset == s.Setup.Market.Asset && spent.At.Add(dayLong) > v.Clock && !s.unpaid(spent.ID) {
			b.today.take(spent.Price)
		}
	}
	for i := range v.Orders {
		if o := &v.Orders[i].Order; o.Side == types.Bid && o.Product.Asset == s.Setup.Market.Asset {
			b.today.take(most(o))
		}
	}
	return b
}

// unpaid reports whether a trade waits for its payment, and the payment is the agent's step: its price counts with that step.
func (s *State) unpaid(id types.TradeID) bool {
	t := s.View.find(id)
	return s.Setup.Direct.Pay && t != nil && t.Trade.Phase == types.PhaseAgreed
}

// most is the price that a bid comes to at most.
func most(o *types.Order) types.Amount {
	sum, ok := o.Limit.Times(o.Lots())
	if !ok {
		return types.MaxAmount
	}
	return sum
}

// spend takes a price, and further sums to lock, out of the budget if it has them.
func (b *budget) spend(price, more types.Amount) bool {
	sum, ok := price.Add(more)
	if !ok || sum > b.free.left || sum > b.exposure.left || price > b.today.left {
		return false
	}
	b.free.take(sum)
	b.exposure.take(sum)
	b.today.take(price)
	return true
}

// marketJobs brings the orders, takes and standing offers of the coming slots in line with the strategy.
func (s *State) marketJobs(money *budget, effects *[]Effect, first types.Time) []job {
	var jobs []job
	p := &s.Setup.Params
	for i := range max(s.Setup.Ahead, 1) {
		from := first + types.Time(p.Slot)*types.Time(i)
		wish := s.wish(from)
		if s.Setup.Direct.Take {
			want := wish.Buy
			want.Quantity -= min(want.Quantity, s.staying(from))
			without := want.Quantity
			jobs = append(jobs, s.takes(from, &want, money)...)
			wish.Buy.Quantity -= without - want.Quantity
		}
		if s.Setup.Direct.Offer {
			jobs = append(jobs, s.offers(from, &wish.Sell, money)...)
			wish.Sell = plan.Want{}
		}
		product := s.product(from)
		grid, held := p.Grid(product)
		if p.Market.Opens == 0 || !held || !s.allowed(grid.Fallback, product.Asset) || s.View.BlockTime < product.Opens(p) {
			continue
		}
		for _, side := range []types.Side{types.Bid, types.Sell} {
			jobs = append(jobs, s.order(product, grid, side, &wish, i == 0, money, effects)...)
		}
	}
	return jobs
}

// staying is the energy of the agent's own bid for a slot that can't be withdrawn any more: it may still be bought.
func (s *State) staying(from types.Time) uint64 {
	if s.View.BlockTime <= s.product(from).Withdrawable(&s.Setup.Params) {
		return 0
	}
	for i := range s.View.Orders {
		if o := &s.View.Orders[i].Order; o.Product == *s.product(from) && o.Side == types.Bid && s.ours(o.Side, o.Number) {
			return o.Quantity
		}
	}
	return 0
}

// wish asks the strategy about a slot, and takes off the energy that was bought and sold already.
func (s *State) wish(from types.Time) plan.Wish {
	until := from.Add(s.Setup.Params.Slot)
	situation := plan.Situation{From: from, Until: until, Now: s.View.BlockTime, Use: s.Use, Make: s.Make, Level: s.Level, Tariff: s.Curve}
	for i := range s.View.Trades {
		t := &s.View.Trades[i]
		if a := &t.Trade.Agreement; a.Consumer == s.Setup.Key && a.Goods.Until > s.View.BlockTime && s.counts(t) {
			situation.Coming += min(a.Goods.Quantity, 1<<60-min(situation.Coming, 1<<60))
		}
	}
	for i := range s.View.Spent {
		if spent := &s.View.Spent[i]; spent.Energy {
			situation.Bought = append(situation.Bought, plan.Measured{From: spent.From, Wh: spent.Quantity})
		}
	}
	wish := s.Setup.Strategy.Decide(&situation)
	for i := range s.View.Trades {
		t := &s.View.Trades[i]
		a := &t.Trade.Agreement
		if a.Goods.Commodity != types.CommodityEnergy || a.Goods.From >= until || a.Goods.Until <= from || !s.counts(t) {
			continue
		}
		if a.Consumer == s.Setup.Key {
			wish.Buy.Quantity -= min(wish.Buy.Quantity, a.Goods.Quantity)
		} else {
			wish.Sell.Quantity -= min(wish.Sell.Quantity, a.Goods.Quantity)
		}
	}
	for i := range s.View.Orders { // the owner's own, by hand
		o := &s.View.Orders[i].Order
		if o.Product.From != from || s.ours(o.Side, o.Number) {
			continue
		}
		if o.Side == types.Bid {
			wish.Buy.Quantity -= min(wish.Buy.Quantity, o.Quantity)
		} else {
			wish.Sell.Quantity -= min(wish.Sell.Quantity, o.Quantity)
		}
	}
	// A household that buys and sells in one auction would meet itself.
	if wish.Buy.Quantity > 0 && wish.Sell.Quantity > 0 && wish.Buy.Limit >= wish.Sell.Limit {
		if wish.Buy.Quantity > wish.Sell.Quantity {
			wish.Buy.Quantity, wish.Sell.Quantity = wish.Buy.Quantity-wish.Sell.Quantity, 0
		} else {
			wish.Buy.Quantity, wish.Sell.Quantity = 0, wish.Sell.Quantity-wish.Buy.Quantity
		}
	}
	return wish
}

// counts reports whether the goods of a trade can still come.
func (s *State) counts(t *Trade) bool {
	switch trade.PhaseAt(&t.Trade, s.View.Clock) {
	case types.PhaseLapsed, types.PhaseRefunded, types.PhaseSplit, types.PhaseAwarded:
		return false
	}
	return true
}

// order brings the agent's order of a side in line with a wish. An order for a further slot stays as it is until its turn comes.
func (s *State) order(product *types.Product, grid *types.Grid, side types.Side, wish *plan.Wish, last bool, money *budget, effects *[]Effect) []job {
	want := wish.Buy
	if side == types.Sell {
		want = wish.Sell
	}
	p, number := &s.Setup.Params, s.number(side)
	var existing *types.Order
	for i := range s.View.Orders {
		if o := &s.View.Orders[i].Order; o.Product == *product && o.Number == number {
			existing = o
		}
	}
	if existing != nil && (existing.Side != side || !last) {
		return nil
	}
	order := types.Order{Product: *product, Side: side, Number: number, Limit: plan.LotPrice(want.Limit, grid, s.Setup.Market.Decimals, side)}
	order.Lot, order.Deposit, order.Bond, order.Fallback = grid.Lot, grid.Deposit, grid.Bond, grid.Fallback
	order.MinRecord = s.demands(side)
	if side == types.Sell && grid.Metered() {
		order.Flow = s.Setup.Flow
	}
	lots := min(want.Quantity, p.MarketOf(product).MaxQuantity) / grid.Lot
	if side == types.Bid && order.Limit == 0 || side == types.Sell && grid.Metered() && order.Flow.IsZero() {
		lots = 0
	}
	if lots > 0 && side == types.Bid && !s.secured(grid.Fallback, lotRate(grid.Bond), lotRate(order.Limit), lotRate(grid.Deposit)) {
		s.once(effects, "bond", 24*3600*1000, Notice{Kind: NoticeLimit, Slot: product.From, Detail: "the bonds of this auction are below limits.min_bond"})
		lots = 0
	}
	fits := s.fit(&order, lots, existing, money)
	if fits < lots {
		kind := NoticeLimit
		if money.free.left < money.exposure.left {
			kind = NoticeFunds
		}
		s.once(effects, string(kind)+product.From.String(), s.Setup.Params.Slot, Notice{Kind: kind, Slot: product.From})
	}
	order.Quantity = fits * grid.Lot
	late := s.View.BlockTime > product.Withdrawable(p)
	switch {
	case fits == 0 && existing == nil:
		return nil
	case fits == 0:
		if late {
			return nil
		}
		return []job{{act: Withdraw{*existing}}}
	case existing != nil && existing.Quantity == order.Quantity && existing.Limit == order.Limit && existing.MinRecord == order.MinRecord:
		return nil
	case existing != nil && late:
		return nil // it could only be improved for others
	}
	stake, ok := order.Stake()
	if !ok {
		return nil
	}
	money.back(existing)
	money.order(&order, stake)
	return []job{{act: Place{Order: order, Replaces: existing}}}
}

// fit returns the number of lots of an order, at most those wanted, that the budget has the money for. The stake of the order that
// it replaces counts in.
func (s *State) fit(order *types.Order, lots uint64, existing *types.Order, money *budget) uint64 {
	each, ok := order.Locks(1, order.Limit)
	if !ok || each == 0 {
		return 0
	}
	left := *money
	left.back(existing)
	lots = min(lots, uint64(left.free.left/each), uint64(left.exposure.left/each))
	if order.Side == types.Bid && order.Limit > 0 {
		lots = min(lots, uint64(left.today.left/order.Limit))
	}
	return lots
}

// back puts the stake of an order that is replaced into the budget; nil has none.
func (b *budget) back(existing *types.Order) {
	if existing == nil {
		return
	}
	if stake, ok := existing.Stake(); ok {
		b.free.put(stake)
		b.exposure.put(stake)
	}
	if existing.Side == types.Bid {
		b.today.put(most(existing))
	}
}

// order takes the stake of an order out of the budget.
func (b *budget) order(order *types.Order, stake types.Amount) {
	b.free.take(stake)
	b.exposure.take(stake)
	if order.Side == types.Bid {
		b.today.take(most(order))
	}
}

// maxTakes bounds the offers of a slot that are taken at a time: others may post very many.
const maxTakes = 8

// takes agrees to standing offers of a slot that are good enough, the cheapest first, and takes them off the want.
func (s *State) takes(from types.Time, want *plan.Want, money *budget) []job {
	var jobs []job
	v := s.View
	offers := slices.DeleteFunc(slices.Clone(v.Offers), func(o Offer) bool { return !s.takeable(&o, from, want.Limit) })
	slices.SortStableFunc(offers, func(a, b Offer) int { return compareRates(a.Offer.Price, b.Offer.Price) })
	for i := range offers[:min(len(offers), maxTakes)] {
		o := &offers[i]
		quantity := min(want.Quantity, o.Remaining)
		for quantity >= o.Offer.MinFill && quantity > 0 {
			a, err := o.Offer.Agreement(quantity, s.Setup.Key, 0)
			if err == nil && money.spend(a.Price, a.Deposit) {
				jobs = append(jobs, job{Take{ID: o.ID, Offer: o.Offer, Quantity: quantity, Nonce: NonceOf{"take", types.Hash(o.ID), s.taken(o)}}, o.Offer.Deadlines.PayBy})
				want.Quantity -= quantity
				break
			}
			quantity /= 2 // the money is not enough for all of it
		}
	}
	return jobs
}

// takeable reports whether an offer is of the slot and the market, allowed, and good enough. Its producer must stake a bond, and its
// deposit must be at most half of the price, as a wallet wants it by default. An offer that names an arbiter is left to the owner: its
// producer chose the arbiter, which could be of one mind with it.
func (s *State) takeable(o *Offer, from types.Time, limit plan.Price) bool {
	v, goods, d := s.View, &o.Offer.Goods, &o.Offer.Deadlines
	_, judged := o.Offer.Fallback.(*types.Arbiter)
	return !judged && o.Offer.Producer != s.Setup.Key && goods.Commodity == types.CommodityEnergy && goods.Zone == s.Setup.Market.Zone &&
		goods.From == from && goods.Until == from.Add(s.Setup.Params.Slot) && o.Offer.Asset == s.Setup.Market.Asset &&
		o.Offer.Bond.Mantissa > 0 && o.Offer.Deposit.Mantissa < 1<<62 &&
		compareRates(types.Rate{Mantissa: 2 * o.Offer.Deposit.Mantissa, Exponent: o.Offer.Deposit.Exponent}, o.Offer.Price) <= 0 &&
		s.secured(o.Offer.Fallback, o.Offer.Bond, o.Offer.Price, o.Offer.Deposit) &&
		!s.blocked(Take{ID: o.ID}.Name()) && s.allowed(o.Offer.Fallback, o.Offer.Asset) && !trade.Passed(d.PayBy, v.Clock) && goods.From > v.BlockTime &&
		plan.AtMost(o.Offer.Price, limit, s.Setup.Market.Decimals)
}

// taken counts the household's trades of an offer's slot with its producer, so that each take has a nonce of its own.
func (s *State) taken(o *Offer) uint64 {
	n := uint64(0)
	for i := range s.View.Spent {
		if s.View.Spent[i].From == o.Offer.Goods.From {
			n++
		}
	}
	return n
}

func compareRates(a, b types.Rate) int { return scaled(a, b.Exponent).Cmp(scaled(b, a.Exponent)) }

// scaled is the mantissa of a rate times a power of ten.
func scaled(r types.Rate, by uint8) *big.Int {
	return new(big.Int).Mul(new(big.Int).SetUint64(r.Mantissa), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(by)), nil))
}

func lotRate(a types.Amount) types.Rate { return types.Rate{Mantissa: uint64(a)} }

// secured reports whether the bond of a purchase under hold terms is as large as the limits demand. Other terms give the money back without the
// seller's word, so any bond will do there.
func (s *State) secured(terms types.Fallback, bond, price, deposit types.Rate) bool {
	if types.FallbackKind(terms) != "hold" {
		return true
	}
	const whole = 10_000 // hundredths of a percent
	locked := new(big.Int).Add(scaled(price, deposit.Exponent), scaled(deposit, price.Exponent))
	locked.Mul(locked, new(big.Int).SetUint64(s.Setup.Limits.MinBond)).Mul(locked, scaled(types.Rate{Mantissa: 1}, bond.Exponent))
	own := scaled(bond, price.Exponent+deposit.Exponent)
	return own.Mul(own, big.NewInt(whole)).Cmp(locked) >= 0
}

// offers brings the standing offer of a slot in line with a want: one offer for each slot, of which the budget has the bond.
func (s *State) offers(from types.Time, want *plan.Want, money *budget) []job {
	p := &s.Setup.Params
	for i := range s.View.Offers {
		if o := &s.View.Offers[i].Offer; o.Producer == s.Setup.Key && o.Goods.From == from && o.Goods.Zone == s.Setup.Market.Zone {
			return nil
		}
	}
	terms := s.Setup.Direct.Terms
	if want.Quantity == 0 || want.Limit <= 0 || !s.allowed(terms, s.Setup.Market.Asset) {
		return nil
	}
	product := s.product(from)
	offer := types.Offer{
		ChainID: p.ChainID, Producer: s.Setup.Key, Goods: product.Goods(want.Quantity, s.Setup.Flow), Asset: s.Setup.Market.Asset,
		Price: plan.Rate(want.Limit, s.Setup.Market.Decimals), Instalments: 1, Fallback: terms,
	}
	offer.Deposit, offer.Bond = share(offer.Price, s.Setup.Direct.Deposit), share(offer.Price, s.Setup.Direct.Bond)
	for bond, ok := offer.Bond.Cost(offer.Goods.Quantity); !ok || !money.spend(0, bond); bond, ok = offer.Bond.Cost(offer.Goods.Quantity) {
		if offer.Goods.Quantity /= 2; offer.Goods.Quantity == 0 {
			return nil
		}
	}
	offer.MinFill = (offer.Goods.Quantity + mostParts - 1) / mostParts
	offer.Deadlines.DeliverBy = from
	offer.Deadlines.PayBy = from - types.Time(p.MinWindow)
	offer.Deadlines.ReadingBy = product.Until.Add(max(p.Market.Reading, 4*p.MinWindow))
	offer.Deadlines.ConfirmBy = offer.Deadlines.ReadingBy.Add(max(p.Market.Confirm, 4*p.MinWindow))
	if offer.Check(p) != nil || trade.Passed(offer.Deadlines.PayBy, s.View.Clock) {
		return nil
	}
	return []job{{act: Post{Offer: offer, Nonce: NonceOf{"offer", types.Hash{}, uint64(from)}}}}
}

// mostParts is the number of trades that an offer is at most taken in: each costs its producer steps and fees, so nobody may take an offer
// Wh by Wh.
const mostParts = 64

// share is a part of a rate in hundredths of a percent.
func share(r types.Rate, parts uint64) types.Rate {
	if parts == 0 || r.Mantissa > (1<<63)/max(parts, 1) || r.Exponent+4 > types.MaxExponent {
		return types.Rate{}
	}
	r.Mantissa, r.Exponent = r.Mantissa*parts, r.Exponent+4
	for r.Exponent > 0 && r.Mantissa%10 == 0 {
		r.Mantissa, r.Exponent = r.Mantissa/10, r.Exponent-1
	}
	return r
}
