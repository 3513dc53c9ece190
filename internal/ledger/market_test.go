package ledger_test

import (
	"testing"

	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// newMarket is a world in which a product's book is open, under hold terms: its slot begins in half an hour.
func newMarket(t testing.TB, edit ...func(*types.Params)) *world {
	w := newWorld(t)
	w.params.Market.Grids[0] = testGrid(&types.Hold{})
	for _, e := range edit {
		e(&w.params)
	}
	if err := w.params.Check(); err != nil {
		t.Fatal(err)
	}
	w.mint(1_000_000, "peter", "clara", "mallory", "dora", "paul")
	return w
}

// testGrid is of lots of 10 Wh, so that 1,000 Wh are 100 lots.
func testGrid(terms types.Fallback) types.Grid {
	return types.Grid{Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Lot: 10, Tick: 1, Ceiling: 1000, Deposit: 1, Bond: 2, Fallback: terms}
}

// newMeteredMarket is a market under meter terms, in which peter has a connection point.
func newMeteredMarket(t testing.TB) *world {
	w := newMeteredWorld(t)
	w.params.Market.Grids[0] = testGrid(&types.Meter{})
	w.mint(1_000_000, "peter", "clara", "mallory", "dora", "paul")
	return w
}

func product() types.Product {
	return types.Product{
		Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: "DE-BY",
		From: start.Add(1800 * second), Until: start.Add(2700 * second), Asset: euro.ID(),
	}
}

// bidSecrets are the secrets of an owner's bids: four of them.
func bidSecrets(owner string) (secrets []types.Secret, tree types.DigestTree) {
	var digests []types.Hash
	for i := range 4 {
		secret := party.Secret(owner)
		secret[0] ^= byte(i + 1)
		secrets, digests = append(secrets, secret), append(digests, secret.Digest(1))
	}
	return secrets, types.NewDigestTree(digests)
}

// order is one of 1,000 Wh at a limit for a lot.
func (w *world) order(owner string, side types.Side, limit types.Amount, edit ...func(*types.Order)) types.Order {
	w.t.Helper()
	o := types.Order{
		ChainID: w.params.ChainID, Owner: party.Key(owner), Product: product(), Side: side, Quantity: 1000, Limit: limit, MinFill: 10, Expires: types.MaxTime,
	}
	if side == types.Bid {
		_, tree := bidSecrets(owner)
		o.Root, o.Depth = tree.Root(), 2
	}
	for _, e := range edit {
		e(&o)
	}
	o.Fallback = &types.Hold{}
	if grid, ok := w.params.Grid(&o.Product); ok {
		o.Lot, o.Deposit, o.Bond, o.Fallback = grid.Lot, grid.Deposit, grid.Bond, grid.Fallback
		if grid.Metered() && side == types.Sell {
			o.Flow = flow()
		}
	}
	return o
}

func numbered(n uint8) func(*types.Order)    { return func(o *types.Order) { o.Number = n } }
func ofQuantity(n uint64) func(*types.Order) { return func(o *types.Order) { o.Quantity = n } }
func demanding(n uint8) func(*types.Order)   { return func(o *types.Order) { o.MinRecord = n } }
func inZone(zone string) func(*types.Order)  { return func(o *types.Order) { o.Product.Zone = zone } }

// placeTx places an order with coins of its owner, and with the stake of the order that it replaces.
func (w *world) placeTx(order types.Order, owner string) *types.Tx {
	w.t.Helper()
	stake := types.Amount(0)
	if order.Lot > 0 {
		stake, _ = order.Stake()
	}
	back := types.Amount(0)
	if old, replaces := w.reader().Order(order.Product.ID(), order.Owner, order.Number); replaces {
		back, _ = old.Order.Stake()
	}
	return party.Sign(w.fundWith(owner, order.Product.Asset, stake, back, &types.Place{Order: order}), owner)
}

// fundWith is a body that spends a sum: the money that an action gives back, and coins of the owner; the change is an output.
func (w *world) fundWith(owner string, asset types.AssetID, sum, back types.Amount, actions ...types.Action) types.Body {
	w.t.Helper()
	body, in := w.body(actions...), back
	for outpoint, money := range w.reader().Holdings() {
		if money.Trade == nil && money.Key == party.Key(owner) && money.Asset == asset && in < sum {
			body.Spend(money.Key, outpoint, money.Amount)
			in += money.Amount
		}
	}
	if in > sum {
		change := party.Output(owner, in-sum)
		change.Asset = asset
		body.Outputs = append(body.Outputs, change)
	}
	return body
}

func (w *world) place(owner string, side types.Side, limit types.Amount, edit ...func(*types.Order)) {
	w.t.Helper()
	w.must(w.placeTx(w.order(owner, side, limit, edit...), owner))
}

// withdrawTx takes an order out; its stake becomes an output of its owner.
func (w *world) withdrawTx(owner string, product types.ProductID, number uint8) *types.Tx {
	body := w.body(&types.Withdraw{Product: product, Owner: party.Key(owner), Number: number})
	if placed, ok := w.reader().Order(product, party.Key(owner), number); ok {
		stake, _ := placed.Order.Stake()
		body.Outputs = []types.Output{party.Output(owner, stake)}
	}
	return party.Sign(body, owner)
}

// has is the money that a party can spend.
func (w *world) has(who string) (sum types.Amount) {
	for _, money := range w.reader().Holdings() {
		if money.Trade == nil && money.Key == party.Key(who) && money.Asset == euro.ID() {
			sum += money.Amount
		}
	}
	return sum
}

// gate lets time pass until the auction has been held.
func (w *world) gate() *types.Auction {
	w.t.Helper()
	before := len(w.held)
	p := product()
	w.wait(p.Gate(&w.params).Since(w.time) + 1)
	if len(w.held) != before+1 {
		w.t.Fatalf("%d auctions were held at the gate", len(w.held)-before)
	}
	return w.held[before]
}

// before lets time pass until a moment of block time, less a span.
func (w *world) before(at types.Time, span types.Duration) { w.wait(at.Since(w.time) - span) }

func TestPlaceRules(t *testing.T) {
	t.Parallel()
	order := func(edit func(w *world, o *types.Order)) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			w := newMarket(t)
			o := w.order("clara", types.Bid, 3)
			if edit != nil {
				edit(w, &o)
			}
			return w, w.placeTx(o, "clara")
		}
	}
	bad := func(want types.Code, name string, edit func(o *types.Order)) row {
		return row{name, want, order(func(_ *world, o *types.Order) { edit(o) })}
	}
	check(t, []row{
		{"valid", types.CodeOK, order(nil)},
		{"replaces", types.CodeOK, order(func(w *world, _ *types.Order) { w.place("clara", types.Bid, 1) })},
		{"replaces on the other side", types.CodeOK, order(func(w *world, _ *types.Order) { w.place("clara", types.Sell, 1) })},
		bad(types.CodeChain, "other chain", func(o *types.Order) { o.ChainID = "other" }),
		bad(types.CodeOrder, "a fault of its own", func(o *types.Order) { o.Limit = 1001 }),
		bad(types.CodeGoods, "no commodity", func(o *types.Order) { o.Product.Commodity = "" }),
		bad(types.CodeProduct, "off the slots", func(o *types.Order) { o.Product.From = o.Product.From.Add(second) }),
		bad(types.CodeProduct, "longer than a day of slots", func(o *types.Order) { o.Product.Until = o.Product.From.Add(97 * 900 * second) }),
		bad(types.CodeText, "zone with an escape", func(o *types.Order) { o.Product.Zone = "\x1b[2J" }),
		bad(types.CodeAssetUnknown, "asset never issued", func(o *types.Order) { o.Product.Asset[0] ^= 1 }),
		bad(types.CodeBookClosed, "not open yet", func(o *types.Order) {
			o.Product.From, o.Product.Until = o.Product.From.Add(200*900*second), o.Product.Until.Add(200*900*second)
		}),
		{"at the last moment", types.CodeOK, order(func(w *world, _ *types.Order) { w.before(start.Add(1500*second), second) })},
		{"after the gate", types.CodeBookClosed, order(func(w *world, _ *types.Order) { w.before(start.Add(1500*second), 0) })},
		{"more than its money", types.CodeUnbalanced, order(func(_ *world, o *types.Order) { o.Limit, o.Quantity = 1000, 20_000 })},
		{"full book", types.CodeBookFull, func(t *testing.T) (*world, *types.Tx) {
			w := newMarket(t, func(p *types.Params) { p.Market.MaxOrders = 2 })
			w.place("peter", types.Sell, 1)
			w.place("paul", types.Sell, 1)
			return w, w.placeTx(w.order("clara", types.Bid, 3), "clara")
		}},
		{"replacing in a full book", types.CodeOK, func(t *testing.T) (*world, *types.Tx) {
			w := newMarket(t, func(p *types.Params) { p.Market.MaxOrders = 2 })
			w.place("peter", types.Sell, 1)
			w.place("clara", types.Bid, 1)
			return w, w.placeTx(w.order("clara", types.Bid, 3), "clara")
		}},
		{"no member", types.CodeMember, func(t *testing.T) (*world, *types.Tx) {
			w := newMarket(t, func(p *types.Params) { p.Market.Entry = types.EntryMembers })
			return w, w.placeTx(w.order("clara", types.Bid, 3), "clara")
		}},
		{"no market", types.CodeProduct, func(t *testing.T) (*world, *types.Tx) {
			w := newMarket(t, func(p *types.Params) { p.Market = types.MarketParams{} })
			return w, w.placeTx(w.order("clara", types.Bid, 3), "clara")
		}},
		{"signed by another", types.CodeSignatureKeys, func(t *testing.T) (*world, *types.Tx) {
			w := newMarket(t)
			o := w.order("clara", types.Bid, 3)
			stake, _ := o.Stake()
			return w, party.Sign(w.fundWith("mallory", euro.ID(), stake, 0, &types.Place{Order: o}), "mallory")
		}},
		{"without its stake", types.CodeUnbalanced, func(t *testing.T) (*world, *types.Tx) {
			w := newMarket(t)
			return w, party.Sign(w.body(&types.Place{Order: w.order("clara", types.Bid, 3)}), "clara")
		}},
		{"with less than its stake", types.CodeUnbalanced, func(t *testing.T) (*world, *types.Tx) {
			w := newMarket(t)
			return w, party.Sign(w.fundWith("clara", euro.ID(), 399, 0, &types.Place{Order: w.order("clara", types.Bid, 3)}), "clara")
		}},
	})
}

// The money of an order: a bid locks its limit and the deposit, an offer its bond; a replacement and a withdrawal give it back.
func TestStakes(t *testing.T) {
	t.Parallel()
	w := newMarket(t)
	id := w.productID()
	has := func(when, who string, less types.Amount) {
		t.Helper()
		if got := w.has(who); got != 1_000_000-less {
			t.Errorf("%s: %s has %s, want %s", when, who, got, 1_000_000-less)
		}
	}
	w.place("clara", types.Bid, 3)
	has("a bid", "clara", 100*(3+1))
	w.place("clara", types.Bid, 5)
	has("a higher bid", "clara", 100*(5+1))
	w.place("clara", types.Bid, 5, ofQuantity(500))
	has("a smaller bid", "clara", 50*(5+1))
	w.place("peter", types.Sell, 4)
	has("an offer", "peter", 100*2)
	if sums := w.audit()[euro.ID()]; sums.InOrders != 500 || sums.Locked != 0 {
		t.Errorf("%s is in orders, %s locked", sums.InOrders, sums.Locked)
	}
	w.must(w.withdrawTx("clara", id, 0), w.withdrawTx("peter", id, 0))
	has("withdrawn", "clara", 0)
	has("withdrawn", "peter", 0)
	if sums := w.audit()[euro.ID()]; sums.InOrders != 0 || sums.Locked != 0 {
		t.Errorf("%s is in orders, %s locked", sums.InOrders, sums.Locked)
	}
}

func TestWithdrawRules(t *testing.T) {
	t.Parallel()
	p := product()
	withdraw := func(by string, edit func(*types.Withdraw)) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			w := newMarket(t)
			w.place("clara", types.Bid, 3, numbered(1))
			action := &types.Withdraw{Product: p.ID(), Owner: party.Key("clara"), Number: 1}
			if edit != nil {
				edit(action)
			}
			body := w.body(action)
			body.Outputs = []types.Output{party.Output(by, 400)}
			return w, party.Sign(body, by)
		}
	}
	at := func(early types.Duration) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			w := newMarket(t)
			w.place("clara", types.Bid, 3, numbered(1))
			w.before(p.Withdrawable(&w.params), early) // the block comes a second later
			return w, w.withdrawTx("clara", p.ID(), 1)
		}
	}
	check(t, []row{
		{"valid", types.CodeOK, withdraw("clara", nil)},
		{"of another", types.CodeSignatureKeys, withdraw("mallory", nil)},
		{"other number", types.CodeOrderUnknown, withdraw("clara", func(a *types.Withdraw) { a.Number = 0 })},
		{"other product", types.CodeOrderUnknown, withdraw("clara", func(a *types.Withdraw) { a.Product[0] ^= 1 })},
		{"at the last moment", types.CodeOK, at(second)},
		{"after it", types.CodeBookClosed, at(second - 1)},
	})
}

// From one smallest window before the gate on an order can be added and improved, and nothing else.
func TestOnlyImprovementsBeforeTheGate(t *testing.T) {
	t.Parallel()
	p := product()
	for name, c := range map[string]struct {
		side types.Side
		to   types.Amount
		edit func(*types.Order)
		want types.Code
	}{
		"a higher bid":      {types.Bid, 4, nil, types.CodeOK},
		"the same bid":      {types.Bid, 3, nil, types.CodeOK},
		"a lower bid":       {types.Bid, 2, nil, types.CodeBookClosed},
		"a smaller bid":     {types.Bid, 4, ofQuantity(990), types.CodeBookClosed},
		"a lower offer":     {types.Sell, 2, nil, types.CodeOK},
		"a higher offer":    {types.Sell, 4, nil, types.CodeBookClosed},
		"a demanding bid":   {types.Bid, 4, demanding(80), types.CodeBookClosed},
		"another one added": {types.Bid, 1, numbered(5), types.CodeOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newMarket(t)
			w.place("clara", c.side, 3)
			edit := func(o *types.Order) {
				if c.edit != nil {
					c.edit(o)
				}
			}
			early := w.clone()
			early.before(p.Withdrawable(&w.params), second)
			early.must(early.placeTx(early.order("clara", c.side, c.to, edit), "clara"))
			w.before(p.Withdrawable(&w.params), 0)
			w.want(c.want, w.placeTx(w.order("clara", c.side, c.to, edit), "clara"))
		})
	}
}

// Orders of one owner that meet are netted, and one with a smallest fill is left out: so when orders can't be withdrawn any more, none can
// be added that would meet another of its owner.
func TestNoWithdrawalByAnOwnOrder(t *testing.T) {
	t.Parallel()
	p := product()
	for name, c := range map[string]struct {
		side, late types.Side
		to         types.Amount
		who        string
		early      bool
		want       types.Code
	}{
		"an offer that meets the bid":   {types.Bid, types.Sell, 3, "clara", false, types.CodeBookClosed},
		"an offer above the bid":        {types.Bid, types.Sell, 4, "clara", false, types.CodeOK},
		"a bid that meets the offer":    {types.Sell, types.Bid, 3, "clara", false, types.CodeBookClosed},
		"a bid below the offer":         {types.Sell, types.Bid, 2, "clara", false, types.CodeOK},
		"another bid":                   {types.Bid, types.Bid, 3, "clara", false, types.CodeOK},
		"another owner's":               {types.Bid, types.Sell, 3, "dora", false, types.CodeOK},
		"while orders can be withdrawn": {types.Bid, types.Sell, 3, "clara", true, types.CodeOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newMarket(t)
			w.place("clara", c.side, 3, func(o *types.Order) { o.MinFill = 20 })
			span := types.Duration(0)
			if c.early {
				span = second
			}
			w.before(p.Withdrawable(&w.params), span)
			w.want(c.want, w.placeTx(w.order(c.who, c.late, c.to, ofQuantity(10), numbered(7)), c.who))
		})
	}
}

// The offers of a connection point share the places of its slot. So when orders can't be withdrawn any more, no further offer of the
// point can come, which would leave the one that stands fewer trades; the one that stands can still be improved.
func TestNoLateOfferOfTheSamePoint(t *testing.T) {
	t.Parallel()
	p := product()
	at := func(w *world, before types.Duration) { w.before(p.Withdrawable(&w.params), before) }
	t.Run("in time", func(t *testing.T) {
		t.Parallel()
		w := newMeteredMarket(t)
		w.place("peter", types.Sell, 1)
		at(w, second)
		w.must(w.placeTx(w.order("peter", types.Sell, 2, numbered(1)), "peter"))
		at(w, 0)
		w.want(types.CodeBookClosed, w.placeTx(w.order("peter", types.Sell, 2, numbered(2)), "peter"))
		w.must(w.placeTx(w.order("peter", types.Sell, 1, numbered(1)), "peter"))
	})
	t.Run("late", func(t *testing.T) {
		t.Parallel()
		w := newMeteredMarket(t)
		at(w, 0)
		w.must(w.placeTx(w.order("peter", types.Sell, 2, numbered(1)), "peter")) // the first one may come late
		w.want(types.CodeBookClosed, w.placeTx(w.order("peter", types.Sell, 2, ofQuantity(10)), "peter"))
		w.must(w.placeTx(w.order("peter", types.Sell, 1, numbered(1)), "peter"))
	})
}

// A point sells a slot in one auction or by agreements, never by both.
func TestASlotIsSoldInOnePlace(t *testing.T) {
	t.Parallel()
	agreement := func(w *world) types.Agreement {
		a := w.agreement()
		a.Goods.From, a.Goods.Until = product().From, product().Until
		metered(&a)
		return a
	}
	t.Run("an agreement stands", func(t *testing.T) {
		t.Parallel()
		w := newMeteredMarket(t)
		w.must(w.agree(agreement(w), "peter", "clara"))
		w.want(types.CodeSlot, w.placeTx(w.order("peter", types.Sell, 1), "peter"))
		w.wait(90 * second) // it lapses
		w.place("peter", types.Sell, 1)
	})
	t.Run("an offer stands", func(t *testing.T) {
		t.Parallel()
		w := newMeteredMarket(t)
		w.place("peter", types.Sell, 1)
		w.place("peter", types.Sell, 2, numbered(1)) // a second order of the same auction
		w.want(types.CodeSlot, w.agree(agreement(w), "peter", "clara"))
		w.want(types.CodeSlot, w.placeTx(w.order("peter", types.Sell, 1, inZone("other")), "peter"))
		w.must(w.withdrawTx("peter", w.productID(), 0))
		w.want(types.CodeSlot, w.agree(agreement(w), "peter", "clara"))
		w.must(w.withdrawTx("peter", w.productID(), 1))
		w.must(w.agree(agreement(w), "peter", "clara"))
	})
	t.Run("sold in the auction", func(t *testing.T) {
		t.Parallel()
		w := newMeteredMarket(t)
		w.place("peter", types.Sell, 1)
		w.place("clara", types.Bid, 3)
		w.gate()
		w.want(types.CodeSlot, w.agree(agreement(w), "peter", "clara"))
	})
	t.Run("not sold in the auction", func(t *testing.T) {
		t.Parallel()
		w := newMeteredMarket(t)
		w.place("peter", types.Sell, 3)
		w.place("clara", types.Bid, 1)
		w.gate()
		w.must(w.agree(agreement(w), "peter", "clara"))
	})
}
