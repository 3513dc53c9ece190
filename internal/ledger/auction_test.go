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
	"lockstep/market"
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
		parts = append(parts, fmt.Sprintf("%s/%d/%d at %s: %d", types.FallbackKind(round.Fallback), round.Sellers, round.Buyers, market.Decimal(round.Price.Rat()), round.Volume))
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
			w.place("peter", types.Sell, "0.1")
			w.place("clara", types.Bid, "0.3")
		}, "hold/0/0 at 0.2: 1000 | clara 1000, peter 1000"},
		"nobody meets": {func(w *world) {
			w.place("peter", types.Sell, "0.3")
			w.place("clara", types.Bid, "0.1")
		}, "| clara 0, peter 0"},
		"a replaced order counts as it is now": {func(w *world) {
			w.place("peter", types.Sell, "0.1")
			w.place("clara", types.Bid, "0.3")
			w.place("clara", types.Bid, "0.2", ofQuantity(10))
		}, "hold/0/0 at 0.15: 10 | clara 10, peter 10"},
		"an owner does not trade with itself": {func(w *world) {
			w.place("peter", types.Sell, "0.1")
			w.place("peter", types.Bid, "0.3", numbered(1))
		}, "| peter 0, peter 0"},
		"who accepts both terms trades under meter terms first": {func(w *world) {
			w.place("peter", types.Sell, "0.1", fromMeter, under(&types.Meter{}, &types.Hold{}), ofQuantity(1500))
			w.place("clara", types.Bid, "0.3", under(&types.Hold{}))
			w.place("dora", types.Bid, "0.5", under(&types.Meter{}))
		}, "meter/0/0 at 0.3: 1000, hold/0/0 at 0.2: 500 | clara 500, dora 1000, peter 1500"},
		"terms that nobody shares": {func(w *world) {
			w.place("paul", types.Sell, "0.1", under(&types.Arbiter{Key: party.Key("judy")}))
			w.place("clara", types.Bid, "0.3", under(&types.Arbiter{Key: party.Key("mallory")}))
		}, "| clara 0, paul 0"},
		"one arbiter": {func(w *world) {
			w.place("paul", types.Sell, "0.1", under(&types.Arbiter{Key: party.Key("judy")}))
			w.place("clara", types.Bid, "0.3", under(&types.Arbiter{Key: party.Key("judy")}, &types.Hold{}))
		}, "arbiter/0/0 at 0.2: 1000 | clara 1000, paul 1000"},
		"a newcomer has no record that could be demanded": {func(w *world) {
			w.place("paul", types.Sell, "0.1")
			w.place("clara", types.Bid, "0.3", demanding(80))
		}, "| clara 0, paul 0"},
		"an order that would not wait": {func(w *world) {
			p := product()
			w.place("paul", types.Sell, "0.1", func(o *types.Order) { o.Expires = p.Gate(&w.params) })
			w.place("clara", types.Bid, "0.3")
		}, "| clara 0, paul 0 expired"},
		"a meter that was retired": {func(w *world) {
			w.place("peter", types.Sell, "0.1", fromMeter, under(&types.Meter{}))
			w.place("clara", types.Bid, "0.3", under(&types.Meter{}))
			w.must(party.Sign(w.body(&types.Retire{Operator: party.Key("operator"), Point: gateway().ID()}), "operator"))
		}, "| clara 0, peter 0 retired"},
		"withdrawn": {func(w *world) {
			p := product()
			w.place("paul", types.Sell, "0.1")
			w.place("clara", types.Bid, "0.3")
			w.must(party.Sign(w.body(&types.Withdraw{Product: p.ID(), Owner: party.Key("paul")}), "paul"))
		}, "| clara 0"},
		"the chain stood still until no time was left": {func(w *world) {
			w.place("paul", types.Sell, "0.1")
			w.place("clara", types.Bid, "0.3")
			w.try(1650 * second)
		}, "| clara 0, paul 0 too late"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newMeteredWorld(t)
			w.mint(1_000_000, "peter", "clara", "dora")
			c.orders(w)
			if len(w.held) == 0 {
				w.gate()
			}
			if got := show(w.held[0]); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			for range w.reader().Books() {
				t.Error("a book is left in the state")
			}
		})
	}
}

// TestForeseenMatch: two parties foresee the very trade that the auction will make of their orders. They can't record it
// before: the nonces of matches are the auctions'.
func TestForeseenMatch(t *testing.T) {
	t.Parallel()
	w := newMarket(t)
	w.place("peter", types.Sell, "0.1")
	w.place("clara", types.Bid, "0.3")
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
	inZone := func(zone int) func(*types.Order) {
		return func(o *types.Order) { o.Product.Zone = fmt.Sprint("zone ", zone) }
	}
	for zone := range 5 {
		w.place("peter", types.Sell, "0.1", inZone(zone))
		w.place("clara", types.Bid, "0.3", inZone(zone))
	}
	p := product()
	w.wait(p.Gate(&w.params).Since(w.time))
	for block, held := range []int{2, 4, 5} {
		w.try(second / 2)
		if more := held < 5; len(w.held) != held || w.due != more {
			t.Fatalf("after block %d %d auctions were held, more are due: %t", block, len(w.held), w.due)
		}
		for zone := range 5 {
			late := w.order("dora", types.Bid, "0.3", inZone(zone))
			id := late.Product.ID()
			results := w.clone().try(1, w.placeTx(late, "dora"), party.Sign(w.body(&types.Withdraw{Product: id, Owner: party.Key("clara")}), "clara"))
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
		if !ok || trade.Agreement.Price != 200 || trade.Agreement.Deadlines.PayBy != p.Gate(&w.params).Add(w.params.Market.Pay) {
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
// the ledger goes on, the rest of the book can't be touched, and no other auction begins.
func TestALargeAuctionGoesOnOverBlocks(t *testing.T) {
	t.Parallel()
	const owners, each = 1040, 8
	w := newMarket(t, func(p *types.Params) { p.Market.MaxOrders = owners * each })
	p := product()
	id := p.ID()
	w.wait(p.Gate(&w.params).Since(w.time) - 10*second)
	random := rand.New(rand.NewPCG(1, 2))
	var txs []*types.Tx
	for i := range owners * each { // of random quantities, nearly as many trades as orders come
		side, limit, owner := types.Bid, "0.3", fmt.Sprint("household ", i/each)
		if i/each%2 == 1 {
			side, limit = types.Sell, "0.1"
		}
		txs = append(txs, w.placeTx(w.order(owner, side, limit, numbered(uint8(i%each)), ofQuantity(1000+random.Uint64N(1000))), owner))
	}
	w.must(txs...)
	later := func(other types.ProductID) bool { return bytes.Compare(other[:], id[:]) > 0 }
	other := func(o *types.Order) { // whose auction comes after this one
		for n := 0; !later(o.Product.ID()); n++ {
			o.Product.Zone = fmt.Sprint("zone ", n)
		}
	}
	w.place("peter", types.Sell, "0.1", other)
	w.place("clara", types.Bid, "0.3", other)

	auction := w.gate()
	if !w.due || !w.reader().Held(id) || len(auction.Results) != owners*each || len(auction.Rounds) != 1 {
		t.Fatalf("after the first block: due %t, held %t, %s", w.due, w.reader().Held(id), show(auction)[:100])
	}
	first, filled := len(auction.Trades), auction.Rounds[0].Volume
	if most := 8 * 1024; first != most {
		t.Fatalf("the first block makes %d trades, want %d", first, most)
	}
	last := auction.Results[len(auction.Results)-1] // of the last page, so its order is still in the state
	if orders := slices.Collect(w.reader().Orders(id)); len(orders) != owners*each-first || orders[len(orders)-1].Order.ID() != last.Order {
		t.Fatalf("%d orders are left in the state", len(orders))
	}
	i := slices.IndexFunc(txs, func(tx *types.Tx) bool { return tx.Signatures[0].Key == last.Owner })
	owner := fmt.Sprint("household ", i/each)
	late := w.try(1,
		w.placeTx(w.order(owner, types.Bid, "0.3"), owner),
		party.Sign(w.body(&types.Withdraw{Product: id, Owner: last.Owner, Number: last.Number}), owner),
	)
	if late[0].Code != types.CodeBookClosed || late[1].Code != types.CodeOrderUnknown {
		t.Errorf("an order %s, a withdrawal %s", late[0].Code, late[1].Code)
	}
	if w.due || w.reader().Held(id) || len(slices.Collect(w.reader().Orders(id))) > 0 {
		t.Error("something is left to the third block")
	}
	if len(w.held) != 2 {
		t.Errorf("%d auctions were held, not that of the other zone", len(w.held))
	}
	numbers, traded := map[uint64]bool{}, uint64(0)
	for _, match := range auction.Trades {
		trade, _ := w.reader().Trade(match.Trade)
		if want := p.Gate(&w.params).Add(w.params.Market.Pay); trade.Agreement.Deadlines.PayBy != want {
			t.Fatalf("pay-by of trade %s is %s, want %s", match.Trade, trade.Agreement.Deadlines.PayBy, want)
		}
		numbers[trade.Agreement.Nonce] = true
		traded += match.Quantity
	}
	if len(auction.Trades) <= first || len(numbers) != len(auction.Trades) || traded != filled {
		t.Errorf("%d trades of %d numbers and %d units, want %d units", len(auction.Trades), len(numbers), traded, filled)
	}
	w.wait(w.params.Market.Pay + w.params.ClockCap)
	w.drain()
	for trade := range w.reader().Trades() {
		t.Fatalf("trade %s has not lapsed", trade.ID())
	}
}

// TestManySmallAuctionsShareABlock: a block's share of auctions depends on their size, not on their number.
func TestManySmallAuctionsShareABlock(t *testing.T) {
	t.Parallel()
	const zones = 30
	w := newMarket(t)
	for zone := range zones {
		inZone := func(o *types.Order) { o.Product.Zone = fmt.Sprint("zone ", zone) }
		w.must(w.placeTx(w.order("peter", types.Sell, "0.1", inZone), "peter"), w.placeTx(w.order("clara", types.Bid, "0.3", inZone), "clara"))
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
	w.place("peter", types.Sell, "0.1")
	w.place("clara", types.Bid, "0.3")
	p := product()
	trial := ledger.New(w.view, w.params)
	trial.BeginTrial(w.height+1, p.Gate(&w.params).Add(1))
	late := w.order("dora", types.Bid, "0.3")
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

// TestRandomAuctions: for any book, fills and trades agree, each keeps its owner's limit in money, and nothing
// of the product is left in the state but the trades.
func TestRandomAuctions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newMeteredWorld(t)
		w.mint(1, "clara")
		willing := rapid.Bool().Draw(rt, "willing") // are there two who agree on all that can be asked for?
		names := []string{"peter", "clara", "mallory", "dora", "paul"}
		orders := map[types.OrderID]types.Order{}
		for i := range rapid.IntRange(0, 12).Draw(rt, "orders") {
			name := rapid.SampledFrom(names).Draw(rt, "owner")
			side := rapid.SampledFrom([]types.Side{types.Bid, types.Sell}).Draw(rt, "side")
			o := w.order(name, side, rapid.SampledFrom([]string{"0", "0.001", "0.3", "0.35", "7", "0.0000000001"}).Draw(rt, "limit"))
			o.Number = uint8(i % 8)
			o.Quantity = rapid.SampledFrom([]uint64{1, 2, 3, 1000, 1 << 40}).Draw(rt, "quantity")
			o.MinFill = rapid.Uint64Range(1, min(o.Quantity, 4)).Draw(rt, "min fill")
			o.Accepts = rapid.SampledFrom([][]types.Fallback{
				{&types.Hold{}}, {&types.Meter{}, &types.Hold{}}, {&types.Arbiter{Key: party.Key("judy")}, &types.Hold{}},
			}).Draw(rt, "accepts")
			o.MinRecord = rapid.SampledFrom([]uint8{0, 0, 80}).Draw(rt, "demand")
			if _, metered := o.Accepts[0].(*types.Meter); metered && side == types.Sell {
				o.Owner, name = party.Key("peter"), "peter"
				fromMeter(&o)
			}
			if w.try(second, w.placeTx(o, name))[0].Code == types.CodeOK {
				orders[o.ID()] = o
			}
		}
		if willing {
			sells, bids := w.order("sid", types.Sell, "0"), w.order("bea", types.Bid, "8")
			w.must(w.placeTx(sells, "sid"), w.placeTx(bids, "bea"))
			orders[sells.ID()], orders[bids.ID()] = sells, bids
		}
		if len(orders) == 0 {
			return
		}
		w.try(rapid.SampledFrom([]types.Duration{second, 40 * second, 300 * second}).Draw(rt, "outage")) // the ledger clock falls behind block time
		auction := w.gate()
		filled := make([]uint64, len(auction.Results))
		if willing && len(auction.Trades) == 0 {
			rt.Fatal("two who agree on everything are not matched, nor is anybody in their place")
		}
		for _, match := range auction.Trades {
			trade, ok := w.reader().Trade(match.Trade)
			if !ok {
				rt.Fatal("a match is not in the state")
			}
			bid, offer := orders[auction.Results[match.Bid].Order], orders[auction.Results[match.Offer].Order]
			agreement := &trade.Agreement
			if err := agreement.Check(&w.params); err != nil || agreement.Consumer != bid.Owner || agreement.Producer != offer.Owner {
				rt.Fatalf("a bad agreement came of it: %v", err)
			}
			most, _ := bid.Limit.Cost(match.Quantity)
			least, _ := offer.Limit.Cost(match.Quantity)
			if agreement.Price > most || agreement.Price < least || agreement.Price != match.Price || agreement.Goods.Quantity != match.Quantity {
				rt.Fatalf("a price of %s, limits %s to %s", agreement.Price, least, most)
			}
			filled[match.Bid] += match.Quantity
			filled[match.Offer] += match.Quantity
		}
		for i, result := range auction.Results {
			o := orders[result.Order]
			if filled[i] != result.Filled || result.Filled > o.Quantity || result.Filled > 0 && result.Filled < o.MinFill {
				rt.Fatalf("order %+v has %d of its trades, %d by the result", o, filled[i], result.Filled)
			}
		}
		w.wait(3600 * second) // unpaid: all lapse
		for trade := range w.reader().Trades() {
			rt.Fatalf("trade %s is left", trade.ID())
		}
	})
}
