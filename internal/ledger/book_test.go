package ledger_test

import (
	"slices"
	"testing"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// event makes a block as must does, of one transaction, and returns its last event.
func (w *world) event(tx *types.Tx) types.Event {
	w.t.Helper()
	twin := w.clone()
	state := ledger.New(twin.view, twin.params)
	state.Begin(w.height+1, w.time.Add(second))
	result := state.Execute(tx, true)
	if result.Code != types.CodeOK {
		w.t.Fatal(result.Detail)
	}
	w.must(tx)
	return result.Events[len(result.Events)-1]
}

// TestBookOfAProduct: a book counts its orders, each with its transaction and height, and the events name both.
func TestBookOfAProduct(t *testing.T) {
	t.Parallel()
	w := newMarket(t)
	id, p := w.productID(), product()
	first := w.placeTx(w.order("clara", types.Bid, 3), "clara")
	if event := w.event(first); event.Kind != types.EventOrdered || event.Product != id || event.Tx != first.ID() || event.Keys[0] != party.Key("clara") {
		t.Errorf("placed: %+v", event)
	}
	w.place("peter", types.Sell, 4)
	w.place("dora", types.Bid, 2)
	placed, _ := w.reader().Order(id, party.Key("clara"), 0)
	book, _ := w.reader().Book(id)
	if placed.Tx != first.ID() || placed.Height != w.height-2 || book.Product != p || book.Orders != 3 {
		t.Errorf("the order is %+v, its book %+v", placed, book)
	}
	out := w.withdrawTx("dora", id, 0)
	if event := w.event(out); event.Kind != types.EventWithdrawn || event.Product != id || event.Tx != out.ID() {
		t.Errorf("withdrawn: %+v", event)
	}
	if book, _ := w.reader().Book(id); book.Orders != 2 || book.Product != p {
		t.Errorf("of three orders one is withdrawn: %+v", book)
	}
}

// TestBookTimes: the book takes orders from the very millisecond at which it opens.
func TestBookTimes(t *testing.T) {
	t.Parallel()
	w := newMarket(t)
	early := w.order("clara", types.Bid, 3)
	early.Product.From = start.Add(48*3600*second + 900*second)
	early.Product.Until = early.Product.From.Add(900 * second)
	opens := early.Product.Opens(&w.params)
	w.before(opens, 1)
	if got := w.try(0, w.placeTx(early, "clara"))[0].Code; got != types.CodeBookClosed {
		t.Errorf("a millisecond before: %s", got)
	}
	if got := w.try(1, w.placeTx(early, "clara"))[0].Code; got != types.CodeOK {
		t.Errorf("when it opens: %s", got)
	}
}

// TestMembersMarket: where only members place orders, a member does and a stranger does not.
func TestMembersMarket(t *testing.T) {
	t.Parallel()
	w := newMarket(t, func(p *types.Params) {
		p.Market.Entry = types.EntryMembers
		p.Operators = []types.PublicKey{party.Key("operator")}
	})
	w.want(types.CodeMember, w.placeTx(w.order("clara", types.Bid, 3), "clara"))
	w.must(party.Sign(w.body(&types.Admit{Operator: party.Key("operator"), Member: types.Member{Key: party.Key("clara"), Name: "Clara"}}), "operator"))
	w.place("clara", types.Bid, 3)
}

// TestOneUnit: stakes, rests and bonds of a single unit are money too, and none of it is stuck below the smallest output of its asset.
func TestOneUnit(t *testing.T) {
	t.Parallel()
	w := newMeteredMarket(t)
	w.params.Market.Grids[0].Bond = 1
	w.must(party.Sign(w.body(&types.Recognise{Operator: party.Key("operator"), Asset: euro, Least: 1000}), "operator"))
	w.place("peter", types.Sell, 1, ofQuantity(20)) // a bond of 2
	w.place("clara", types.Bid, 1, ofQuantity(10))
	w.must(w.withdrawTx("clara", w.productID(), 0)) // its stake of 2 is below the smallest output, and comes back as a coin
	if got := w.has("clara"); got != 1_000_000 {
		t.Errorf("after the withdrawal clara has %s", got)
	}
	w.place("clara", types.Bid, 1, ofQuantity(10))
	auction := w.gate()
	if len(auction.Trades) != 1 || w.has("peter") != 1_000_000-1 || w.has("clara") != 1_000_000-2 {
		t.Errorf("%s; peter has %s, clara %s", show(auction), w.has("peter"), w.has("clara"))
	}
	// The slot is the auction's, though one unit alone was staked on it.
	direct := w.agreement()
	p := product()
	direct.Goods.From, direct.Goods.Until = p.From, p.Until
	metered(&direct)
	direct.Deadlines = types.Deadlines{PayBy: w.time.Add(60 * second), DeliverBy: w.time.Add(120 * second), ReadingBy: p.Until.Add(60 * second), ConfirmBy: p.Until.Add(120 * second)}
	w.want(types.CodeSlot, w.agree(direct, "peter", "clara"))
	// The rest of one unit lies in peter's purse; he can draw it.
	draw := w.body(&types.Draw{Key: party.Key("peter"), Asset: euro.ID(), Amount: w.reader().Purse(party.Key("peter"), euro.ID()).Amount})
	draw.Outputs = []types.Output{party.Output("peter", w.reader().Purse(party.Key("peter"), euro.ID()).Amount)}
	w.must(party.Sign(draw, "peter"))
}

// TestStakeOfOneUnit: an offer may stake a single unit; it moves into the trade, or comes back.
func TestStakeOfOneUnit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	coins := w.mint(500, "peter", "clara")
	offer := w.offer()
	offer.Goods = types.Goods{Commodity: "juice", Unit: types.UnitItem, Quantity: 1}
	offer.Price, offer.Deposit, offer.Bond, offer.MinFill = types.Rate{Mantissa: 10}, types.Rate{Mantissa: 1}, types.Rate{Mantissa: 1}, 1
	post := w.body(&types.Post{Offer: offer, Stake: 1})
	post.Inputs, post.Outputs = coins[:1], []types.Output{party.Output("peter", 499)}
	tx := party.Sign(post, "peter")
	if event := w.event(tx); event.Kind != types.EventOffered || event.Offer != offer.ID() || event.Tx != tx.ID() {
		t.Errorf("posted: %+v", event)
	}
	twin := w.clone()
	twin.must(party.Sign(twin.body(&types.Cancel{Offer: offer.ID()}), "peter"))
	if got := twin.has("peter"); got != 500 {
		t.Errorf("cancelled: peter has %s", got)
	}
	take := w.body(&types.Take{Offer: offer.ID(), Consumer: party.Key("clara"), Quantity: 1, Nonce: 1, Digest: party.Secret("clara").Digest(1)})
	take.Inputs, take.Outputs = coins[1:], []types.Output{party.Output("clara", 489)}
	w.must(party.Sign(take, "clara"))
	for trade := range w.reader().Trades() {
		if bond, staked := trade.Find(types.PartBond); !staked || bond.Amount != 1 {
			t.Errorf("the trade has the bond %+v", bond)
		}
	}
	if sums := w.audit()[euro.ID()]; sums.InOrders != 0 || sums.Locked != 12 {
		t.Errorf("%+v", sums)
	}
}

// TestAuctionRecord: the record of an auction has its grid and its times, and each result its order. A standing is there when an order
// demands one.
func TestAuctionRecord(t *testing.T) {
	t.Parallel()
	w, id := matched(t, newMeteredMarket(t))
	first := w.held[0]
	if first.Grid != w.params.Market.Grids[0] || first.BlockTime != w.time && first.BlockTime == 0 || first.Clock == 0 {
		t.Errorf("the auction is %+v", first)
	}
	p := product()
	if gate := p.Gate(&w.params); first.BlockTime <= gate || first.BlockTime > gate.Add(second) || first.Clock != first.BlockTime {
		t.Errorf("held at %s, clock %s", first.BlockTime, first.Clock)
	}
	w.wait(p.Until.Since(w.time) + second)
	w.must(w.readOf(p.From, record(t, p.From, p.Until, 1, 1000)))
	w.must(w.releaseMatch(id, "clara"))
	next := func(o *types.Order) {
		o.Product.From = p.Until.Add(8 * 900 * second)
		o.Product.Until = o.Product.From.Add(900 * second)
	}
	for _, demand := range []uint8{0, 80} {
		twin := w.clone()
		twin.place("peter", types.Sell, 1, next, numbered(3))
		twin.place("clara", types.Bid, 3, next, numbered(2), demanding(demand))
		order := twin.order("clara", types.Bid, 1, next)
		twin.wait(order.Product.Gate(&twin.params).Since(twin.time) + 1)
		auction := twin.held[len(twin.held)-1]
		for _, result := range auction.Results {
			want := uint8(0)
			if demand > 0 {
				want = 100
			}
			number := uint8(3)
			if result.Owner == party.Key("clara") {
				number = 2
			}
			if result.Standing != want || result.Number != number || result.Filled != 1000 {
				t.Errorf("with a demand of %d: %+v", demand, result)
			}
		}
		if len(auction.Trades) != 1 {
			t.Errorf("with a demand of %d: %s", demand, show(auction))
		}
	}
}

// TestLateAuction: an outage that leaves just a smallest window before the slot leaves an auction, whose deadlines follow the ledger clock.
// Orders that do not wait so long are left out, to the millisecond.
func TestLateAuction(t *testing.T) {
	t.Parallel()
	p := product()
	for name, c := range map[string]struct {
		until   types.Time // of the outage
		expires types.Time // of the offer
		want    string
	}{
		"just in time":  {p.From.Add(0) - types.Time(30*second), types.MaxTime, "0/0 at 2: 1000 | clara 1000, peter 1000"},
		"too late":      {p.From - types.Time(30*second) + 1, types.MaxTime, "| clara 0, peter 0 too late"},
		"it waits":      {p.From - types.Time(60*second), p.From - types.Time(60*second), "0/0 at 2: 1000 | clara 1000, peter 1000"},
		"it waits less": {p.From - types.Time(60*second), p.From - types.Time(60*second) - 1, "| clara 0, peter 0 expired"},
	} {
		w := newMarket(t)
		w.place("peter", types.Sell, 1, func(o *types.Order) { o.Expires = c.expires })
		w.place("clara", types.Bid, 3)
		w.before(p.Gate(&w.params), 0)
		w.try(c.until.Since(w.time))
		if got := show(w.held[0]); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
			continue
		}
		for _, match := range w.held[0].Trades {
			deal, _ := w.reader().Trade(match.Trade)
			skew := types.Time(w.reader().Clock().Skew)
			if by := deal.Agreement.Deadlines; by.PayBy != c.until-skew || by.DeliverBy != p.From-skew || skew == 0 {
				t.Errorf("%s: with a skew of %d the deadlines are %+v", name, skew, by)
			}
		}
	}
}

// TestSlotOfOffers: a point's slot is refused to an auction once a direct trade has its claim on it; it stays as long as an offer stands,
// through an outage beyond its end too; and each point has its own claims of one auction.
func TestSlotOfOffers(t *testing.T) {
	t.Parallel()
	w := newMeteredMarket(t)
	p := product()
	s := w.delivered(metered, func(a *types.Agreement) {
		a.Goods.From, a.Goods.Until = p.From, p.Until
		a.Deadlines.ReadingBy, a.Deadlines.ConfirmBy = p.Until.Add(60*second), p.Until.Add(120*second)
	})
	s.want(types.CodeSlot, w.placeTx(w.order("peter", types.Sell, 1), "peter"))
	s.must(s.split(types.Split{Trade: s.id, ToProducer: 115, ToConsumer: 0}, "peter", "clara"))
	s.want(types.CodeSlot, w.placeTx(w.order("peter", types.Sell, 1), "peter")) // the claim keeps its place

	late := newMeteredMarket(t)
	late.place("peter", types.Sell, 1)
	late.place("clara", types.Bid, 3)
	late.before(p.Gate(&late.params), 0)
	late.try(p.Until.Since(late.time) + 10*second) // the outage goes on beyond the slot
	if got := show(late.held[0]); got != "| clara 0, peter 0 too late" {
		t.Errorf("after the slot: %s", got)
	}
	if _, there := late.reader().Slot(flow(), p.From); there {
		t.Error("the slot is still in the state")
	}
}

// TestSlotForgottenWhenItBegins: the slot of a trade that ends early is kept until its slot begins, and no longer than needed.
func TestSlotForgottenWhenItBegins(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		before types.Duration // the slot begins
		kept   bool
	}{{1, true}, {0, false}} {
		s := newMeteredMarket(t).delivered(metered)
		from := s.agreement.Goods.From
		s.world.before(from, c.before)
		split := s.split(types.Split{Trade: s.id, ToProducer: 115, ToConsumer: 0}, "peter", "clara")
		if got := s.try(0, split)[0]; got.Code != types.CodeOK {
			t.Fatal(got.Detail)
		}
		if _, there := s.reader().Slot(flow(), from); there != c.kept {
			t.Errorf("%d ms before it begins the slot is kept: %t", c.before, there)
		}
	}
}

// TestTwoMatchesOfOneKey: records add up, and the asset is counted once for each record: the audit of each block looks.
func TestTwoMatchesOfOneKey(t *testing.T) {
	t.Parallel()
	w := newMarket(t)
	w.place("peter", types.Sell, 1, ofQuantity(500))
	w.place("peter", types.Sell, 1, ofQuantity(500), numbered(1))
	w.place("clara", types.Bid, 3)
	auction := w.gate()
	if len(auction.Trades) != 2 {
		t.Fatal(show(auction))
	}
	ids := []types.TradeID{auction.Trades[0].Trade, auction.Trades[1].Trade}
	for _, id := range ids {
		w.deliverOn(id, "peter")
		w.must(w.releaseMatch(id, "clara"))
	}
	if r := w.reader().Conduct(party.Key("peter"), euro.ID()); r.Fills != 2 {
		t.Errorf("peter has the record %+v", r)
	}
	if !slices.ContainsFunc(auction.Trades, func(m types.MatchTrade) bool { return m.Leaf == 1 }) {
		t.Errorf("%+v", auction.Trades)
	}
}
