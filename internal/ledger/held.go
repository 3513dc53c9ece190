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
	Grid    types.Grid
	Height  uint64         // of the block that held it: the place of its trades in their slots
	Begin   types.Time     // of the time to deliver
	Skew    types.Duration // at the gate
	Next    uint32         // the page to be done next
	Pages   uint32
	Orders  uint32       // pages of orders, which come first
	Pending types.Amount // money of orders that have left, for trades to come
}

// heldPage is a part of an auction's orders or of its matches, both in order.
type heldPage struct {
	Orders  []heldOrder
	Round   uint32        // of the first match
	Rounds  []types.Round // from that one on, those of the matches
	Matches []heldMatch
	Asset   types.AssetID // of the money, see [Stakes]
	Deposit types.Amount  // for a lot, as the bond
	Bond    types.Amount
}

// heldOrder is an order of the product, to leave the state. The rest of its stake is its owner's again.
type heldOrder struct {
	Owner  types.PublicKey
	Number uint8
	Used   types.Amount // of the stake, by its matches
}

// heldMatch is a match that becomes a trade.
type heldMatch struct {
	Producer, Consumer types.PublicKey
	Flow               types.Flow // of the offer
	Root               types.Hash // of the bid
	Depth              uint8      // of the bid's tree
	Number             uint8      // of the bid among its owner's orders
	Leaf               uint16     // of the bid's tree
	Round, Bid, Offer  uint32     // see types.MatchTrade
	Lots               uint64
}

// Fields is the stored form, see [canon.Value].
func (h *held) Fields(c *canon.Coder) {
	c.Array(9)
	canon.Part(c, "product", &h.Product, (*types.Product).Fields)
	canon.Part(c, "grid", &h.Grid, (*types.Grid).Fields)
	canon.Number(c, "height", &h.Height)
	canon.Number(c, "begin", &h.Begin)
	canon.Number(c, "skew", &h.Skew)
	canon.Number(c, "next page", &h.Next)
	canon.Number(c, "pages", &h.Pages)
	canon.Number(c, "pages of orders", &h.Orders)
	canon.Number(c, "pending", &h.Pending)
}

// Fields is the stored form, see [canon.Value].
func (p *heldPage) Fields(c *canon.Coder) {
	c.Array(7)
	canon.List(c, "orders", &p.Orders, (*heldOrder).Fields)
	canon.Number(c, "first round", &p.Round)
	canon.List(c, "rounds", &p.Rounds, (*types.Round).Fields)
	canon.List(c, "matches", &p.Matches, (*heldMatch).Fields)
	c.Bytes("asset", p.Asset[:])
	canon.Number(c, "deposit", &p.Deposit)
	canon.Number(c, "bond", &p.Bond)
}

// Fields is the stored form, see [canon.Value].
func (o *heldOrder) Fields(c *canon.Coder) {
	c.Array(3)
	c.Bytes("owner", o.Owner[:])
	canon.Number(c, "number", &o.Number)
	canon.Number(c, "used", &o.Used)
}

// Fields is the stored form, see [canon.Value].
func (m *heldMatch) Fields(c *canon.Coder) {
	c.Array(11)
	c.Bytes("producer", m.Producer[:])
	c.Bytes("consumer", m.Consumer[:])
	canon.Part(c, "flow", &m.Flow, (*types.Flow).Fields)
	c.Bytes("root", m.Root[:])
	canon.Number(c, "leaf", &m.Leaf)
	canon.Number(c, "depth", &m.Depth)
	canon.Number(c, "number", &m.Number)
	canon.Number(c, "round", &m.Round)
	canon.Number(c, "bid", &m.Bid)
	canon.Number(c, "offer", &m.Offer)
	canon.Number(c, "lots", &m.Lots)
}

// queuePages puts the pending work of an auction into the state: its orders, of which there are some, then its matches.
func (s *State) queuePages(h held, orders []heldOrder, rounds []types.Round, matches []heldMatch) {
	id, asset, grid := h.Product.ID(), h.Product.Asset, &h.Grid
	for page := range slices.Chunk(orders, idsPage) {
		s.add(heldPageKey(id, h.Pages), &heldPage{Orders: page, Asset: asset})
		h.Pages++
	}
	h.Orders = h.Pages
	for page := range slices.Chunk(matches, idsPage) { // they come round by round
		first, last := page[0].Round, page[len(page)-1].Round
		s.add(heldPageKey(id, h.Pages), &heldPage{
			Round: first, Rounds: rounds[first : last+1], Matches: page, Asset: asset, Deposit: grid.Deposit, Bond: grid.Bond,
		})
		h.Pages++
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
		work -= len(page.Orders) + len(page.Matches)
	}
	s.expect(matches, matches)
	s.taken = slices.Grow(s.taken, orders)
	for _, page := range pages {
		s.doPage(id, &next, page)
		next.Next++
	}
	s.spent += uint64(orders+matches) * actionWork
	if next.Next < next.Pages {
		s.unfinished = true
		s.put(heldKey(id), &next)
		return 0, false
	}
	s.remove(heldKey(id))
	s.emit(types.EventCleared, types.Event{Product: id})
	return max(work, 0), true
}

// doPage does the next page of an auction: its orders leave the state, and the part of their stakes that no match uses becomes their
// owners'; its matches become trades. No order is looked for again, as none can be touched any more once the book is gone.
func (s *State) doPage(id types.ProductID, h *held, page *heldPage) {
	s.remove(heldPageKey(id, h.Next))
	for _, order := range page.Orders {
		at := orderKey(id, order.Owner, order.Number)
		key := at.String()
		stored := s.view.Get(key)
		placed := decoded(key, stored).(*types.PlacedOrder)
		s.taken = append(s.taken, Change{Key: key, Old: stored.Encoded, Before: placed})
		s.endStake(h, placed, order.Used)
		s.leaveOffer(&placed.Order, order.Used > 0)
	}
	s.endOrders(page.Orders)
	if len(page.Matches) > 0 {
		s.makeTrades(id, h, page)
	}
}

// endStake divides the stake of an order that leaves: a part waits for its trades, the rest goes to its owner's purse.
func (s *State) endStake(h *held, placed *types.PlacedOrder, used types.Amount) {
	stake, _ := placed.Order.Stake() // fits: checked when it was placed
	h.Pending += used                // part of what is issued, so it fits
	if rest := stake - used; rest > 0 {
		s.mustDeposit(placed.Order.Owner, h.Product.Asset, rest)
	}
}

// mustDeposit puts a sum of the ledger into a purse. All of an asset fits, so it can't fail.
func (s *State) mustDeposit(to types.PublicKey, asset types.AssetID, amount types.Amount) {
	if err := s.deposit(to, asset, amount, types.PurseMerged); err != nil {
		panic("ledger: a purse of " + to.String() + ": " + err.Error())
	}
}

// makeTrades makes the trades of a page of matches. Those of one offer stand together, so their slot changes once.
func (s *State) makeTrades(id types.ProductID, h *held, page *heldPage) {
	trades := make([]types.MatchTrade, len(page.Matches))
	var goods *types.Goods // of the claims
	var claims []types.Claim
	for i := range page.Matches {
		match := &page.Matches[i]
		t, tradeID := s.match(id, h, match, page.Rounds[match.Round-page.Round].Price)
		h.Pending -= t.LockedSum()
		trades[i] = types.MatchTrade{
			Trade: tradeID, Round: match.Round, Bid: match.Bid, Offer: match.Offer, Quantity: t.Agreement.Goods.Quantity, Price: t.Agreement.Price,
			Leaf: match.Leaf,
		}
		s.noteMatch(id, trades[i], t)
		if match.Flow.IsZero() {
			continue
		}
		if goods != nil && goods.Flow != match.Flow {
			s.claimMatches(goods, claims)
			claims = claims[:0]
		}
		goods, claims = &t.Agreement.Goods, append(claims, claimOf(tradeID, t))
	}
	if goods != nil {
		s.claimMatches(goods, claims)
	}
	s.matched = append(s.matched, Matched{Product: id, Page: h.Next - h.Orders, Trades: trades})
}

// match makes a trade of a match, with the money of its two orders. Its sums can't overflow: they are part of the stakes.
func (s *State) match(product types.ProductID, h *held, m *heldMatch, price types.Amount) (*types.Trade, types.TradeID) {
	terms := types.Match{
		Product: &h.Product, Grid: &h.Grid, Producer: m.Producer, Consumer: m.Consumer, Flow: m.Flow, Lots: m.Lots, Price: price,
		Begin: h.Begin, Skew: h.Skew, Number: m.Number, Leaf: m.Leaf,
	}
	agreement, err := terms.Agreement(&s.params)
	if err != nil {
		panic("ledger: a match of product " + product.String() + ": " + err.Error())
	}
	id, t := agreement.ID(), trade.Match(&agreement, m.Root, m.Depth, h.Height, s.now)
	s.add(tradeKey(id), t)
	s.countTrade(&t.Agreement, places{}, placesOf(t))
	if t.Phase == types.PhasePaid {
		s.add(goodsDue(id, t, s.now), &mark{})
	}
	s.emit(types.EventMatched, types.Event{Trade: id, Product: product}, m.Producer, m.Consumer)
	return t, id
}
