package ledger

import (
	"slices"

	"lockstep/trade"
	"lockstep/types"
	"lockstep/types/canon"
)

// An auction is held in one block, which fixes price and fills. Its trades are made page by page, in this block
// and the next ones: orders leave the state, and matches become trades. So no block has more than some of them to do, however
// large the auction was (ADR 0014).

// auctionWork bounds the orders that leave, or the trades that are made, in a block before it begins no more pages.
const auctionWork = 8 * idsPage

// held is an auction of which pages are left.
type held struct {
	Product types.Product
	Begin   types.Time     // of the time to pay
	Skew    types.Duration // at the gate
	Next    uint32         // the page to be done next
	Pages   uint32
}

// heldPage is a part of an auction's orders and matches, both in order.
type heldPage struct {
	Orders  []heldOrder
	Round   uint32        // of the first match
	Rounds  []types.Round // from that one on, those of the matches
	Matches []heldMatch
}

// heldOrder is an order of the product, to leave the state.
type heldOrder struct {
	Owner  types.PublicKey
	Number uint8
}

// heldMatch is a match that becomes a trade. Its page and its place there give its number.
type heldMatch struct {
	Producer, Consumer types.PublicKey
	Flow               types.Flow // of the offer
	Round, Bid, Offer  uint32     // see types.MatchTrade
	Quantity           uint64
	Price              types.Amount
}

// Fields is the stored form, see [canon.Value].
func (h *held) Fields(c *canon.Coder) {
	c.Array(5)
	canon.Part(c, "product", &h.Product, (*types.Product).Fields)
	canon.Number(c, "begin", &h.Begin)
	canon.Number(c, "skew", &h.Skew)
	canon.Number(c, "next page", &h.Next)
	canon.Number(c, "pages", &h.Pages)
}

// Fields is the stored form, see [canon.Value].
func (p *heldPage) Fields(c *canon.Coder) {
	c.Array(4)
	canon.List(c, "orders", &p.Orders, (*heldOrder).Fields)
	canon.Number(c, "first round", &p.Round)
	canon.List(c, "rounds", &p.Rounds, (*types.Round).Fields)
	canon.List(c, "matches", &p.Matches, (*heldMatch).Fields)
}

// Fields is the stored form, see [canon.Value].
func (o *heldOrder) Fields(c *canon.Coder) {
	c.Array(2)
	c.Bytes("owner", o.Owner[:])
	canon.Number(c, "number", &o.Number)
}

// Fields is the stored form, see [canon.Value].
func (m *heldMatch) Fields(c *canon.Coder) {
	c.Array(8)
	c.Bytes("producer", m.Producer[:])
	c.Bytes("consumer", m.Consumer[:])
	canon.Part(c, "flow", &m.Flow, (*types.Flow).Fields)
	canon.Number(c, "round", &m.Round)
	canon.Number(c, "bid", &m.Bid)
	canon.Number(c, "offer", &m.Offer)
	canon.Number(c, "quantity", &m.Quantity)
	canon.Number(c, "price", &m.Price)
}

// queuePages puts the pending work of an auction into the state: its orders, of which there are some, and its matches.
func (s *State) queuePages(h held, orders []heldOrder, rounds []types.Round, matches []heldMatch) {
	id := h.Product.ID()
	for ; len(orders)+len(matches) > 0; h.Pages++ {
		page := &heldPage{Orders: orders[:min(idsPage, len(orders))], Matches: matches[:min(idsPage, len(matches))]}
		orders, matches = orders[len(page.Orders):], matches[len(page.Matches):]
		if n := len(page.Matches); n > 0 { // they come round by round
			page.Round = page.Matches[0].Round
			page.Rounds = rounds[page.Round : page.Matches[n-1].Round+1]
		}
		s.add(heldPageKey(id, h.Pages), page)
	}
	s.add(heldKey(id), &h)
}

// doEarlierPages does pages of the auctions that were held in earlier blocks. It returns how much work is left to this block, and
// whether all those auctions are done.
func (s *State) doEarlierPages() (work int, done bool) {
	work = auctionWork
	var ids []types.ProductID
	from, to := kindRange(kindHeld)
	s.view.Ascend(from, to, func(key string, _ Value) bool {
		ids = append(ids, types.ProductID([]byte(key[1:])))
		return true
	})
	for _, id := range ids {
		if work, done = s.doPages(id, work); !done {
			return work, false
		}
	}
	return work, true
}

// doPages does pages of an auction as long as work is left. It returns how much work is left then, and whether the auction is done.
func (s *State) doPages(id types.ProductID, work int) (left int, done bool) {
	h, _ := get[held](s, heldKey(id))
	next := *h
	var pages []*heldPage
	var orders, matches int
	for i := h.Next; i < h.Pages && work > 0; i++ {
		page, _ := get[heldPage](s, heldPageKey(id, i))
		pages = append(pages, page)
		orders, matches = orders+len(page.Orders), matches+len(page.Matches)
		work -= max(len(page.Orders), len(page.Matches))
	}
	s.expect(matches, matches)
	s.taken = slices.Grow(s.taken, orders)
	for _, page := range pages {
		s.doPage(id, &next, page)
		next.Next++
	}
	s.spent += uint64(matches) * actionWork
	if next.Next < next.Pages {
		s.unfinished = true
		s.put(heldKey(id), &next)
		return 0, false
	}
	s.remove(heldKey(id))
	s.emit(types.EventCleared, types.Event{Product: id})
	return max(work, 0), true
}

// doPage does the next page of an auction: its orders leave the state, its matches become trades that lapse when they are not
// paid by pay-by. No order is looked for again, as none can be touched any more once the book is gone.
func (s *State) doPage(id types.ProductID, h *held, page *heldPage) {
	s.remove(heldPageKey(id, h.Next))
	for _, order := range page.Orders {
		at := orderKey(id, order.Owner, order.Number)
		key := at.String()
		stored := s.view.Get(key)
		s.taken = append(s.taken, Change{Key: key, Old: stored.Encoded, Before: decoded(key, stored)})
	}
	s.endOrders(page.Orders)
	if len(page.Matches) == 0 {
		return
	}
	first := uint64(h.Next) * idsPage
	trades, ids := make([]types.MatchTrade, len(page.Matches)), make(tradeIDs, len(page.Matches))
	var payBy types.Time // of all of them
	for i := range page.Matches {
		match := &page.Matches[i]
		t, tradeID := s.match(id, &types.Match{
			Product: &h.Product, Producer: match.Producer, Consumer: match.Consumer, Flow: match.Flow, Quantity: match.Quantity, Price: match.Price,
			Fallback: page.Rounds[match.Round-page.Round].Fallback, Begin: h.Begin, Skew: h.Skew, Number: first + uint64(i),
		})
		ids[i], payBy = tradeID, t.Agreement.Deadlines.PayBy
		trades[i] = types.MatchTrade{
			Trade: tradeID, Round: match.Round, Bid: match.Bid, Offer: match.Offer, Quantity: match.Quantity, Price: match.Price,
		}
	}
	s.add(matchesKey(max(payBy, s.now), id, h.Next), &ids) // never for a moment that has passed, see reached
	s.matched = append(s.matched, Matched{Product: id, Page: h.Next, Trades: trades})
}

// match records a match of an auction as an agreed trade. Its sums can't overflow: the ledger refuses a bid whose cost at its own
// limit overflows, and the price is at most that cost.
func (s *State) match(product types.ProductID, terms *types.Match) (*types.Trade, types.TradeID) {
	agreement, err := terms.Agreement(&s.params)
	if err != nil {
		panic("ledger: a match of product " + product.String() + ": " + err.Error())
	}
	id, t := agreement.ID(), trade.Begin(&agreement, s.clock.Height, types.StepMatched, trade.Evidence{}, s.now)
	s.add(tradeKey(id), t)
	s.beginTrade(&t.Agreement)
	s.emit(types.EventMatched, types.Event{Trade: id, Product: product}, terms.Producer, terms.Consumer)
	return t, id
}
