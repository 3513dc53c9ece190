package ledger_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// show writes an auction as one line: each round, then each fill.
func show(a *types.Auction) string {
	names := map[types.PublicKey]string{}
	for _, name := range []string{"peter", "clara", "mallory", "dora", "paul"} {
		names[party.Key(name)] = name
	}
	var parts []string
	for _, round := range a.Rounds {
		parts = append(parts, fmt.Sprintf("%d/%d at %s: %d", round.Sellers, round.Buyers, round.Price, round.Volume))
	}
	var fills []string
	for _, result := range a.Results {
		fills = append(fills, strings.TrimSpace(fmt.Sprintf("%s %d %s", names[result.Owner], result.Filled, result.Excluded)))
	}
	slices.Sort(fills)
	return strings.TrimSpace(strings.Join(parts, ", ") + " | " + strings.Join(fills, ", ") + " " + a.Void)
}

func TestAuction(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		orders func(w *world)
		want   string
	}{
		"one pair": {func(w *world) {
			w.place("peter", types.Sell, 1)
			w.place("clara", types.Bid, 3)
		}, "0/0 at 2: 1000 | clara 1000, peter 1000"},
		"nobody meets": {func(w *world) {
			w.place("peter", types.Sell, 3)
			w.place("clara", types.Bid, 1)
		}, "| clara 0, peter 0"},
		"a replaced order counts as it is now": {func(w *world) {
			w.place("peter", types.Sell, 2)
			w.place("clara", types.Bid, 3)
			w.place("clara", types.Bid, 2, ofQuantity(10))
		}, "0/0 at 2: 10 | clara 10, peter 10"},
		"an owner does not trade with itself": {func(w *world) {
			w.place("peter", types.Sell, 1)
			w.place("peter", types.Bid, 3, numbered(1))
		}, "| peter 0, peter 0"},
		"a newcomer has no record that could be demanded": {func(w *world) {
			w.place("peter", types.Sell, 1)
			w.place("clara", types.Bid, 3, demanding(80))
		}, "| clara 0, peter 0"},
		"an order that would not wait": {func(w *world) {
			p := product()
			w.place("peter", types.Sell, 1, func(o *types.Order) { o.Expires = p.Gate(&w.params) })
			w.place("clara", types.Bid, 3)
			w.before(p.Gate(&w.params), 0)
			w.try(w.params.ClockCap + 1)
		}, "| clara 0, peter 0 expired"},
		"an order that waits for an auction on time": {func(w *world) {
			p := product()
			w.place("peter", types.Sell, 1, func(o *types.Order) { o.Expires = p.Gate(&w.params) })
			w.place("clara", types.Bid, 3)
			w.before(p.Gate(&w.params), 0)
			w.try(w.params.ClockCap)
		}, "0/0 at 2: 1000 | clara 1000, peter 1000"},
		"a meter that was retired": {func(w *world) {
			w.place("peter", types.Sell, 1)
			w.place("clara", types.Bid, 3)
			w.must(party.Sign(w.body(&types.Retire{Operator: party.Key("operator"), Point: gateway().ID()}), "operator"))
		}, "| clara 0, peter 0 retired"},
		"withdrawn": {func(w *world) {
			w.place("peter", types.Sell, 1)
			w.place("clara", types.Bid, 3)
			w.must(w.withdrawTx("peter", w.productID(), 0))
		}, "| clara 0"},
		"the chain stood still until no time was left": {func(w *world) {
			w.place("peter", types.Sell, 1)
			w.place("clara", types.Bid, 3)
			w.try(1775 * second)
		}, "| clara 0, peter 0 too late"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newMeteredMarket(t)
			c.orders(w)
			if len(w.held) == 0 {
				w.gate()
			}
			if got := show(w.held[0]); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			locked := types.Amount(0)
			for _, match := range w.held[0].Trades {
				deal, _ := w.reader().Trade(match.Trade)
				locked += deal.LockedSum()
			}
			if sums := w.audit()[euro.ID()]; sums.Locked != locked || sums.InOrders != 0 {
				t.Errorf("%s is locked, %s of it in trades", sums.Locked, locked)
			}
			for range w.reader().Books() {
				t.Error("a book is left in the state")
			}
		})
	}
}

// TestEventsOfAnAuction: an event tells each match with its product, and one the end of the auction.
func TestEventsOfAnAuction(t *testing.T) {
	t.Parallel()
	w := newMarket(t)
	w.place("peter", types.Sell, 1)
	w.place("clara", types.Bid, 3)
	trade := w.gate().Trades[0].Trade
	var seen []string
	for _, event := range w.began {
		if event.Kind == types.EventMatched && (event.Trade != trade || !slices.Equal(event.Keys, []types.PublicKey{party.Key("peter"), party.Key("clara")})) {
			t.Errorf("the match is told as %+v", event)
		}
		if event.Kind == types.EventMatched || event.Kind == types.EventCleared {
			seen = append(seen, string(event.Kind)+" "+event.Product.String())
		}
	}
	id := w.productID()
	if want := []string{"matched " + id.String(), "cleared " + id.String()}; !slices.Equal(seen, want) {
		t.Errorf("the events are %q, not %q", seen, want)
	}
}

// TestMatchesOfTwoPoints: the matches of each offer have their places in the slot of its own connection point.
func TestMatchesOfTwoPoints(t *testing.T) {
	t.Parallel()
	w := newMeteredMarket(t)
	second := types.Flow{Point: w.enrol(gatewayNamed("second", nil, []string{exportRegister}), types.PointID{}), Direction: types.DirectionExport}
	w.place("peter", types.Sell, 1, ofQuantity(600))
	other := w.order("peter", types.Sell, 1, ofQuantity(400), numbered(1))
	other.Flow = second
	w.must(w.placeTx(other, "peter"))
	w.place("clara", types.Bid, 3, ofQuantity(500))
	w.place("dora", types.Bid, 3, ofQuantity(500))
	claimed, p := map[types.Flow]uint64{}, product()
	for _, match := range w.gate().Trades {
		trade, _ := w.reader().Trade(match.Trade)
		claimed[trade.Agreement.Goods.Flow] += match.Quantity
	}
	if claimed[flow()] != 600 || claimed[second] != 400 {
		t.Errorf("the points sell %v", claimed)
	}
	for at, want := range claimed {
		got := uint64(0)
		slot, _ := w.reader().Slot(at, p.From)
		for _, claim := range slot.Claims {
			if trade, _ := w.reader().Trade(claim.Trade); trade.Agreement.Goods.Flow != at {
				t.Errorf("a trade of point %s has its place at point %s", trade.Agreement.Goods.Flow.Point, at.Point)
			}
			got += claim.Quantity
		}
		if got != want || int(slot.Open) != len(slot.Claims) {
			t.Errorf("point %s has places for %d, sold %d; %d of %d are open", at.Point, got, want, slot.Open, len(slot.Claims))
		}
	}
}

// TestForeseenMatch: two parties foresee the very trade that the auction will make of their orders. They can't record it
// before: the nonces of matches are the auctions'.
func TestForeseenMatch(t *testing.T) {
	t.Parallel()
	w := newMarket(t)
	w.place("peter", types.Sell, 1)
	w.place("clara", types.Bid, 3)
	twin := w.clone()
	trade, _ := twin.reader().Trade(twin.gate().Trades[0].Trade)
	agree := w.agree(trade.Agreement, "peter", "clara")
	if got := w.try(second, agree)[0].Code; got != types.CodeTerms {
		t.Errorf("to agree on a match beforehand: %s, want %s", got, types.CodeTerms)
	}
	if again, ok := w.reader().Trade(w.gate().Trades[0].Trade); !ok || again.ID() != trade.ID() {
		t.Errorf("the match is %+v", again)
	}
}

// TestAuctionsOfABlockAreBounded: of products whose gates close at once, a block clears no more orders than one may have. The
// others' books stay as they were at the gate, and their result is the same.
func TestAuctionsOfABlockAreBounded(t *testing.T) {
	t.Parallel()
	w := newMarket(t, func(p *types.Params) { p.Market.MaxOrders = 5 })
	for zone := range 5 {
		w.place("peter", types.Sell, 1, inZone(fmt.Sprint("zone ", zone)))
		w.place("clara", types.Bid, 3, inZone(fmt.Sprint("zone ", zone)))
	}
	p := product()
	w.wait(p.Gate(&w.params).Since(w.time))
	for block, held := range []int{2, 4, 5} {
		w.try(second / 2)
		if more := held < 5; len(w.held) != held || w.due != more {
			t.Fatalf("after block %d %d auctions were held, more are due: %t", block, len(w.held), w.due)
		}
		for zone := range 5 {
			late := w.order("dora", types.Bid, 3, inZone(fmt.Sprint("zone ", zone)))
			id := late.Product.ID()
			results := w.clone().try(1, w.placeTx(late, "dora"), w.withdrawTx("clara", id, 0))
			withdrawn := types.CodeOrderUnknown
			if w.clone().waits(id) {
				withdrawn = types.CodeBookClosed
			}
			if results[0].Code != types.CodeBookClosed || results[1].Code != withdrawn {
				t.Errorf("after block %d, zone %d: an order %s, a withdrawal %s, want %s", block, zone, results[0].Code, results[1].Code, withdrawn)
			}
		}
	}
	ids := make([]string, 0, 5)
	for _, auction := range w.held {
		id := auction.Product.ID()
		ids = append(ids, id.String())
		trade, ok := w.reader().Trade(auction.Trades[0].Trade)
		if !ok || trade.Agreement.Price != 200 || trade.Agreement.Deadlines.PayBy != p.Gate(&w.params) {
			t.Errorf("the match of %s is %+v", auction.Product.Zone, trade)
		}
	}
	if !slices.IsSorted(ids) {
		t.Errorf("auctions of one gate were held in the order %s", ids)
	}
}

// waits reports whether the next block leaves a product's auction to those after it.
func (w *world) waits(id types.ProductID) bool {
	before := len(w.held)
	w.try(1)
	return !slices.ContainsFunc(w.held[before:], func(a *types.Auction) bool { return a.Product.ID() == id }) &&
		!slices.ContainsFunc(w.held[:before], func(a *types.Auction) bool { return a.Product.ID() == id })
}

// TestALargeAuctionGoesOnOverBlocks: its price and fills stand at once, its orders leave and its trades come page by page. Meanwhile
// the ledger goes on, the rest of the book can't be touched, and no other auction begins but those of the same block.
func TestALargeAuctionGoesOnOverBlocks(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	const owners, each, page = 1843, 5, 1024 // the second block has one unit left after its seventh page of matches
	w := newMarket(t, func(p *types.Params) { p.Market.MaxOrders = owners*each + 2 })
	p := product()
	id := p.ID()
	w.wait(p.Gate(&w.params).Since(w.time) - 60*second)
	random := rand.New(rand.NewPCG(1, 2))
	var names []string
	for i := range owners {
		names = append(names, slices.Repeat([]string{fmt.Sprint("household ", i)}, each)...)
	}
	var txs []*types.Tx
	for some := range slices.Chunk(names, 512) {
		for _, coin := range w.mint(10_000, some...) { // of random quantities, nearly as many trades as orders come
			i := len(txs)
			side, limit, owner := types.Bid, types.Amount(3), names[i]
			if i/each%2 == 1 {
				side, limit = types.Sell, 1
			}
			order := w.order(owner, side, limit, numbered(uint8(i%each)), ofQuantity(1000+10*random.Uint64N(100)))
			stake, _ := order.Stake()
			body := w.body(&types.Place{Order: order})
			body.Inputs, body.Outputs = []types.Outpoint{coin}, []types.Output{party.Output(owner, 10_000-stake)}
			txs = append(txs, party.Sign(body, owner))
		}
	}
	w.must(txs...)
	var after [2]types.Product // whose auctions come after this one, one after the other
	for n, last := 0, id; n < len(after); n++ {
		other := p
		for k := 0; ; k++ {
			other.Zone = fmt.Sprint("zone ", k)
			if next := other.ID(); bytes.Compare(next[:], last[:]) > 0 {
				last = next
				break
			}
		}
		after[n] = other
		w.place("peter", types.Sell, 1, inZone(other.Zone))
		w.place("clara", types.Bid, 3, inZone(other.Zone))
	}

	w.wait(p.Gate(&w.params).Since(w.time) + 1)
	auction := w.held[0]
	if !w.due || !w.reader().Held(id) || len(auction.Results) != owners*each || len(auction.Rounds) != 1 {
		t.Fatalf("after the first block: due %t, held %t, %s", w.due, w.reader().Held(id), show(auction)[:100])
	}
	if len(w.held) != 2 || !w.reader().Held(after[0].ID()) {
		t.Fatalf("%d auctions were held by the first block, not that of the first other zone", len(w.held))
	}
	if len(auction.Trades) > 0 {
		t.Fatalf("the first block makes %d trades: orders leave first", len(auction.Trades))
	}
	filled := auction.Rounds[0].Volume
	last := auction.Results[len(auction.Results)-1] // of the last page, so its order is still in the state
	if orders := slices.Collect(w.reader().Orders(id)); len(orders) != owners*each-8*page || orders[len(orders)-1].Order.ID() != last.Order {
		t.Fatalf("%d orders are left in the state", len(orders))
	}
	i := slices.IndexFunc(txs, func(tx *types.Tx) bool { return tx.Signatures[0].Key == last.Owner })
	owner := fmt.Sprint("household ", i/each)
	late := w.try(1, w.placeTx(w.order(owner, types.Bid, 3), owner), w.withdrawTx(owner, id, last.Number))
	if late[0].Code != types.CodeBookClosed || late[1].Code != types.CodeOrderUnknown {
		t.Errorf("an order %s, a withdrawal %s", late[0].Code, late[1].Code)
	}
	if left := len(slices.Collect(w.reader().Orders(id))); left > 0 || len(auction.Trades) != 8*page {
		t.Errorf("%d orders are left to the third block, and %d trades are made by the second", left, len(auction.Trades))
	}
	for n := 1; w.due; n++ {
		if len(w.held) != 2 {
			t.Error("another auction is held while pages of earlier ones are left")
		}
		if w.try(1); n > 1 {
			t.Fatal("the rest takes more than a block")
		}
	}
	if w.reader().Held(id) || w.reader().Held(after[0].ID()) || w.reader().Held(after[1].ID()) || len(w.held) != 3 {
		t.Errorf("%d auctions were held, not those of the other zones", len(w.held))
	}
	ids, traded := map[types.TradeID]bool{}, uint64(0)
	for _, match := range auction.Trades {
		trade, _ := w.reader().Trade(match.Trade)
		if trade.Height != auction.Height || trade.Phase != types.PhasePaid {
			t.Fatalf("trade %s of the auction in block %d is %s since %d", match.Trade, auction.Height, trade.Phase, trade.Height)
		}
		ids[match.Trade] = true
		traded += match.Quantity
	}
	if len(ids) != len(auction.Trades) || traded != filled {
		t.Errorf("%d trades, %d of them different, of %d units, want %d units", len(auction.Trades), len(ids), traded, filled)
	}
}

// TestPagesOfRounds: a page of matches has the prices of its own rounds, also if it begins in a later one.
func TestPagesOfRounds(t *testing.T) {
	t.Parallel()
	const each = 700
	rounds := []types.Round{{Price: 1}, {Price: 2}, {Price: 3}}
	prices := ledger.PricesOfPages(types.DefaultParams("test"), rounds, each)
	for i, got := range prices {
		if want := types.Amount(1 + i/each); got != want {
			t.Fatalf("match %d has the price %s, not %s", i, got, want)
		}
	}
	if len(prices) != len(rounds)*each {
		t.Errorf("%d matches", len(prices))
	}
}

// TestManySmallAuctionsShareABlock: a block's share of auctions depends on their size, not on their number.
func TestManySmallAuctionsShareABlock(t *testing.T) {
	t.Parallel()
	const zones = 30
	w := newMarket(t)
	for zone := range zones {
		in := inZone(fmt.Sprint("zone ", zone))
		w.must(w.placeTx(w.order("peter", types.Sell, 1, in), "peter"), w.placeTx(w.order("clara", types.Bid, 3, in), "clara"))
	}
	p := product()
	w.wait(p.Gate(&w.params).Since(w.time))
	w.try(1)
	if w.due || len(w.held) != zones {
		t.Errorf("%d auctions were held, more is due: %t", len(w.held), w.due)
	}
	for _, auction := range w.held {
		if len(auction.Trades) != 1 || w.reader().Held(auction.Product.ID()) {
			t.Errorf("%s has %d trades", auction.Product.Zone, len(auction.Trades))
		}
	}
}

// TestTrialHoldsNoAuction: a trial state leaves the orders of a closed book alone, takes no more
// of them, and goes on with everything else that is due.
func TestTrialHoldsNoAuction(t *testing.T) {
	t.Parallel()
	w := newMarket(t)
	w.place("peter", types.Sell, 1)
	w.place("clara", types.Bid, 3)
	p := product()
	trial := ledger.New(w.view, w.params)
	trial.BeginTrial(w.height+1, p.Gate(&w.params).Add(1))
	late := w.order("dora", types.Bid, 3)
	body := w.body(&types.Place{Order: late})
	body.ValidUntil = p.Gate(&w.params).Add(second)
	if result := trial.Execute(party.Sign(body, "dora"), true); result.Code != types.CodeBookClosed {
		t.Errorf("an order after the gate: %s", result.Code)
	}
	if diff := trial.Finish(); len(diff.Auctions) > 0 || diff.Clock.BlockTime != p.Gate(&w.params).Add(1) {
		t.Errorf("%d auctions, at %s", len(diff.Auctions), diff.Clock.BlockTime)
	}
	if auction := w.gate(); len(auction.Trades) != 1 {
		t.Errorf("the auction itself made %d trades", len(auction.Trades))
	}
}

// TestRandomAuctions: for any book, fills and trades agree, each keeps its owner's limit in money to the unit, and no money of an order
// is left anywhere but in its trades and with its owner.
func TestRandomAuctions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newMeteredMarket(t)
		metered := rapid.Bool().Draw(rt, "metered")
		if !metered {
			w.params.Market.Grids[0] = testGrid(&types.Hold{})
		}
		names := []string{"peter", "clara", "mallory", "dora", "paul"}
		orders := map[types.OrderID]types.Order{}
		for i := range rapid.IntRange(0, 12).Draw(rt, "orders") {
			name := rapid.SampledFrom(names).Draw(rt, "owner")
			side := rapid.SampledFrom([]types.Side{types.Bid, types.Sell}).Draw(rt, "side")
			if metered && side == types.Sell {
				name = "peter"
			}
			o := w.order(name, side, types.Amount(rapid.SampledFrom([]uint64{0, 1, 3, 4, 70}).Draw(rt, "limit")), numbered(uint8(i%8)))
			o.Quantity = 10 * rapid.SampledFrom([]uint64{1, 2, 3, 100, 1000}).Draw(rt, "lots")
			o.MinFill = 10 * rapid.Uint64Range(1, min(o.Lots(), 4)).Draw(rt, "min fill")
			o.MinRecord = rapid.SampledFrom([]uint8{0, 0, 80}).Draw(rt, "demand")
			if w.try(second, w.placeTx(o, name))[0].Code == types.CodeOK {
				orders[o.ID()] = o
			}
		}
		if len(orders) == 0 {
			return
		}
		had := map[types.PublicKey]types.Amount{}
		for _, name := range names {
			had[party.Key(name)] = w.has(name)
		}
		standing := map[types.OrderID]bool{}
		for placed := range w.reader().PlacedOrders() {
			stake, _ := placed.Order.Stake()
			had[placed.Order.Owner] += stake
			standing[placed.Order.ID()] = true
		}
		w.try(rapid.SampledFrom([]types.Duration{second, 40 * second, 300 * second}).Draw(rt, "outage")) // the ledger clock falls behind block time
		auction := w.gate()
		if len(auction.Results) != len(standing) {
			rt.Fatalf("%d results of %d orders", len(auction.Results), len(standing))
		}
		filled, leaves := make([]uint64, len(auction.Results)), map[string]bool{}
		for _, match := range auction.Trades {
			deal, ok := w.reader().Trade(match.Trade)
			if !ok {
				rt.Fatal("a match is not in the state")
			}
			bid, offer := orders[auction.Results[match.Bid].Order], orders[auction.Results[match.Offer].Order]
			agreement := &deal.Agreement
			if err := agreement.Check(&w.params); err != nil || agreement.Consumer != bid.Owner || agreement.Producer != offer.Owner {
				rt.Fatalf("a bad agreement came of it: %v", err)
			}
			lots, price := match.Quantity/10, auction.Rounds[match.Round].Price
			if price > bid.Limit || price < offer.Limit || agreement.Price != price*types.Amount(lots) || match.Price != agreement.Price ||
				agreement.Deposit != types.Amount(lots) || agreement.Bond != 2*types.Amount(lots) {
				rt.Fatalf("%d lots at %s, limits %s to %s: %+v", lots, price, offer.Limit, bid.Limit, agreement)
			}
			want := types.PhasePaid
			if metered {
				want = types.PhaseDelivered
			}
			number, leaf, _ := agreement.Match()
			if deal.Phase != want || deal.Digest != bid.Root || number != bid.Number || leaf != match.Leaf || int(leaf) >= bid.MaxTrades() || deal.Height != auction.Height {
				rt.Fatalf("the match is %+v", deal)
			}
			if leaf := fmt.Sprint(match.Bid, " ", match.Leaf); leaves[leaf] {
				rt.Fatalf("leaf %d of a bid opens two trades", match.Leaf)
			} else {
				leaves[leaf] = true
			}
			filled[match.Bid] += match.Quantity
			filled[match.Offer] += match.Quantity
			had[bid.Owner] -= agreement.Price + agreement.Deposit
			had[offer.Owner] -= agreement.Bond
		}
		for i, result := range auction.Results {
			o := orders[result.Order]
			if filled[i] != result.Filled || result.Filled > o.Quantity || result.Filled > 0 && result.Filled < o.MinFill {
				rt.Fatalf("order %+v has %d of its trades, %d by the result", o, filled[i], result.Filled)
			}
		}
		for _, name := range names {
			if got := w.has(name); got != had[party.Key(name)] {
				rt.Fatalf("%s has %s, want %s", name, got, had[party.Key(name)])
			}
		}
	})
}
