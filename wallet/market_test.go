package wallet_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"lockstep/internal/ledger"
	"lockstep/types"
	"lockstep/wallet"
)

// marketGrid is that of the tests: lots of 10 units, whose price steps by 5, with a deposit of 1 and a bond of 2.
func marketGrid() types.Grid {
	return types.Grid{Lot: 10, Tick: 5, Ceiling: 5000, Deposit: 1, Bond: 2, Fallback: &types.Hold{}}
}

// newMarket is newParties on a ledger with that grid.
func newMarket(t testing.TB) (w *world, paul, clara *wallet.Account) {
	w, paul, clara = newParties(t)
	w.params.Market.Grids = []types.Grid{marketGrid()}
	return w, paul, clara
}

// order is one of 100 lots at 5 each in the first quarter-hour whose gate is open.
func (w *world) order(side types.Side) types.Order {
	slot := types.Time(w.params.Slot)
	from := w.time.Add(w.params.Market.Gate+2*w.params.MinWindow+minute)/slot*slot + slot
	return types.Order{
		Product: types.Product{
			Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: "community", From: from, Until: from + slot, Asset: w.euro.ID(),
		},
		Side: side, Quantity: 1000, Limit: 5,
	}
}

func (w *world) book(product types.Product) (orders []*types.PlacedOrder) {
	for placed := range (ledger.Reader{View: w.view}).Orders(product.ID()) {
		orders = append(orders, placed)
	}
	return orders
}

// place puts an order of an account into its book and returns it as it stands there.
func (w *world) place(a *wallet.Account, order types.Order, replaces *types.Order) types.Order {
	w.t.Helper()
	draft := w.draft(a)
	id, err := draft.Place(order, replaces)
	must(w.t, err)
	w.accept(draft.Sign())
	for _, placed := range w.book(order.Product) {
		if placed.Order.ID() == id {
			return placed.Order
		}
	}
	w.t.Fatalf("order %s is not in its book", id)
	return order
}

// A bid of 100 lots at 5 with a deposit of 1 locks 600; withdrawn, all of it is spendable again. A wallet may spend it at once.
func TestPlaceAndWithdraw(t *testing.T) {
	t.Parallel()
	w, paul, clara := newMarket(t)
	order := w.place(clara, w.order(types.Bid), nil)
	grid := marketGrid()
	if order.Owner != clara.Key() || order.MinFill != grid.Lot || order.Expires != order.Product.From || order.Lot != grid.Lot ||
		order.Deposit != grid.Deposit || order.Bond != grid.Bond || order.Depth != 7 {
		t.Errorf("filled in: %+v", order)
	}
	w.expect(clara, 1000-600)
	draft := w.draft(clara)
	must(t, draft.Withdraw(&order))
	must(t, draft.Send(paul.Key(), w.euro.ID(), 900)) // more than is left outside of the order
	if cost := draft.Cost(); len(cost.Moved) != 1 || cost.Moved[0].Amount != 900-600 {
		t.Errorf("shown as the cost: %+v", cost)
	}
	w.accept(draft.Sign())
	w.expect(clara, 100)
	w.expect(paul, 1900)
	if left := w.book(order.Product); len(left) > 0 {
		t.Errorf("the book still holds %+v", left)
	}
}

// A replacement is paid with the stake of the order that it replaces, whether it needs more or less.
func TestReplaceAnOrder(t *testing.T) {
	t.Parallel()
	w, _, clara := newMarket(t)
	first := w.place(clara, w.order(types.Bid), nil)
	w.expect(clara, 400)
	better := w.order(types.Bid)
	better.Quantity = 1600 // 960 are more than the 400 that are left
	larger := w.place(clara, better, &first)
	w.expect(clara, 40)
	if larger.Root == first.Root || larger.Depth != 8 {
		t.Errorf("160 lots have a tree of depth %d", larger.Depth)
	}
	smaller := w.place(clara, w.order(types.Bid), &larger)
	w.expect(clara, 400)
	if smaller.Depth != 8 {
		t.Errorf("the tree shrank to a depth of %d", smaller.Depth)
	}
	if again := w.place(clara, w.order(types.Bid), &smaller); again.Root != smaller.Root {
		t.Error("the same order has another root")
	}

	other := first
	other.Number = 1
	_, err := w.draft(clara).Place(w.order(types.Bid), &other)
	wantReason(t, err, wallet.ReasonMismatch)

	lie := smaller // shown with a stake that it does not have: the ledger refuses what comes of it, and nothing is lost
	lie.Limit = 10
	draft := w.draft(clara)
	_, err = draft.Place(w.order(types.Bid), &lie)
	must(t, err)
	tx, err := draft.Sign()
	must(t, err)
	if code := w.block(tx)[0]; code != types.CodeUnbalanced {
		t.Errorf("got %s", code)
	}
	w.expect(clara, 400)
}

// From one smallest window before the gate on, nothing can be withdrawn or made worse; better is possible until the gate.
func TestLateOrders(t *testing.T) {
	t.Parallel()
	w, _, clara := newMarket(t)
	order := w.place(clara, w.order(types.Bid), nil)
	last := order.Product.Withdrawable(&w.params)
	w.wait(last.Since(w.time) - w.params.ClockCap)
	at := w.context(clara)
	at.BlockTime = last
	must(t, clara.Draft(at).Withdraw(&order))
	worse := w.order(types.Bid)
	worse.Product, worse.Quantity = order.Product, 990
	_, err := clara.Draft(at).Place(worse, &order)
	must(t, err)

	at.BlockTime = last + 1
	wantCode(t, clara.Draft(at).Withdraw(&order), types.CodeBookClosed)
	_, err = clara.Draft(at).Place(worse, &order)
	wantCode(t, err, types.CodeBookClosed)
	w.wait(2 * w.params.ClockCap)
	better := order
	better.Limit = 10
	better.Quantity = 900 // and smaller: not an improvement
	_, err = w.draft(clara).Place(better, &order)
	wantCode(t, err, types.CodeBookClosed)
	better.Quantity, better.Limit = 1010, 5
	w.place(clara, better, &order)
	w.expect(clara, 1000-606)
}

// A wallet refuses an order that would meet one of its own account so late that none may be taken out, before it signs: by the rule of the ledger.
func TestLateOrderMeetsOwn(t *testing.T) {
	t.Parallel()
	w, _, clara := newMarket(t)
	bid := w.place(clara, w.order(types.Bid), nil)
	other := w.order(types.Sell)
	other.Product.Zone = "elsewhere"
	elsewhere := w.place(clara, other, nil)
	at := w.context(clara)
	at.BlockTime = bid.Product.Withdrawable(&w.params)
	offer := func(limit types.Amount) types.Order {
		o := w.order(types.Sell)
		o.Product, o.Number, o.Limit = bid.Product, 1, limit
		return o
	}
	_, err := clara.Draft(at).Place(offer(5), nil, &bid, &elsewhere)
	must(t, err) // in time: the auction nets the two

	at.BlockTime++
	for _, limit := range []types.Amount{0, 5} {
		_, err = clara.Draft(at).Place(offer(limit), nil, &bid, &elsewhere)
		wantCode(t, err, types.CodeBookClosed)
	}
	_, err = clara.Draft(at).Place(offer(10), nil, &bid)
	must(t, err) // above the bid
	second := w.order(types.Bid)
	second.Product, second.Number = bid.Product, 2
	_, err = clara.Draft(at).Place(second, nil, &bid)
	must(t, err) // of the same side
	other.Number = 1
	other.Side = types.Bid
	_, err = clara.Draft(at).Place(other, nil, &bid)
	must(t, err) // of another product
}

// Each row changes one thing of a bid whose stake is 600 or an offer whose stake is 200, or one limit.
func TestPlaceLimits(t *testing.T) {
	t.Parallel()
	w, _, _ := newMarket(t)
	loss := func(most types.Amount) wallet.Limits {
		return wallet.Limits{MaxDeposit: wallet.Whole, Losses: []wallet.LossLimit{{Asset: w.euro.ID(), Most: most}}}
	}
	for _, c := range []struct {
		name   string
		limits wallet.Limits
		side   types.Side
		change func(*types.Order)
		code   types.Code // of the refusal; CodeOK when it must be allowed, or a limit is to refuse it
		say    string     // of the limit
	}{
		{name: "bid", limits: wallet.DefaultLimits(), side: types.Bid},
		{name: "offer", limits: wallet.DefaultLimits(), side: types.Sell},
		{name: "stake at the limit", limits: loss(600), side: types.Bid},
		{name: "stake above the limit", limits: loss(599), side: types.Bid, say: "could cost you 600"},
		{name: "an offer's stake is its bond", limits: loss(200), side: types.Sell},
		{name: "an offer's stake above the limit", limits: loss(199), side: types.Sell, say: "could cost you 200"},
		{name: "bond at the limit", limits: wallet.Limits{MinBond: 4000, MaxDeposit: wallet.Whole}, side: types.Bid},
		{name: "bond below the limit", limits: wallet.Limits{MinBond: 4001, MaxDeposit: wallet.Whole}, side: types.Bid, say: "at least 40.01% of the price"},
		{name: "an offer asks for no bond", limits: wallet.Limits{MinBond: 5000}, side: types.Sell},
		{name: "deposit at the limit", limits: wallet.Limits{MaxDeposit: 2000}, side: types.Bid},
		{name: "deposit above the limit", limits: wallet.Limits{MaxDeposit: 1999}, side: types.Bid, say: "above your limit of 19.99%"},
		{name: "an offer asks for no deposit", limits: wallet.Limits{}, side: types.Sell},
		{name: "a free offer", limits: wallet.DefaultLimits(), side: types.Sell, change: func(o *types.Order) { o.Limit = 0 }},
		{name: "a free bid", limits: wallet.DefaultLimits(), side: types.Bid, change: func(o *types.Order) { o.Limit = 0 }, code: types.CodeOrder},
		{name: "a limit between two ticks", limits: wallet.DefaultLimits(), side: types.Bid, change: func(o *types.Order) { o.Limit = 6 }, code: types.CodeOrder},
		{name: "a limit above the ceiling", limits: wallet.DefaultLimits(), side: types.Bid, change: func(o *types.Order) { o.Limit = 5005 }, code: types.CodeOrder},
		{name: "a part of a lot", limits: wallet.DefaultLimits(), side: types.Bid, change: func(o *types.Order) { o.Quantity = 1005 }, code: types.CodeOrder},
		{name: "no quantity", limits: wallet.DefaultLimits(), side: types.Bid, change: func(o *types.Order) { o.Quantity = 0 }, code: types.CodeOrder},
		{name: "terms of another grid", limits: wallet.DefaultLimits(), side: types.Bid, change: func(o *types.Order) { o.Lot, o.Fallback = 10, &types.Meter{} }, code: types.CodeOrder},
		{name: "another ledger", limits: wallet.DefaultLimits(), side: types.Bid, change: func(o *types.Order) { o.ChainID = "other" }, code: types.CodeChain},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			order := w.order(c.side)
			if c.change != nil {
				c.change(&order)
			}
			_, err := w.draft(withLimits(t, "me", c.limits)).Place(order, nil)
			switch {
			case c.say != "":
				if wallet.ReasonOf(err) != wallet.ReasonLimit || !strings.Contains(err.Error(), c.say) {
					t.Errorf("got %v, want a refusal that says %q", err, c.say)
				}
			case types.CodeOf(err) != c.code:
				t.Errorf("got %v, want %s", err, c.code)
			}
		})
	}
}

func TestPlaceForAnother(t *testing.T) {
	t.Parallel()
	w, paul, clara := newMarket(t)
	order := w.order(types.Bid)
	order.Owner = paul.Key()
	_, err := w.draft(clara).Place(order, nil)
	wantReason(t, err, wallet.ReasonNotOurs)
	standing := w.place(paul, w.order(types.Bid), nil)
	wantReason(t, w.draft(clara).Withdraw(&standing), wallet.ReasonNotOurs)
}

func TestPlaceWithoutAGrid(t *testing.T) {
	t.Parallel()
	w, _, clara := newMarket(t)
	w.params.Market.Grids[0].Commodity = "heat"
	order := w.order(types.Bid)
	_, err := w.draft(clara).Place(order, nil)
	wantCode(t, err, types.CodeProduct)
	_, err = wallet.AtLimit(&w.params, &order)
	wantCode(t, err, types.CodeProduct)
}

func TestLotPrice(t *testing.T) {
	t.Parallel()
	grid := marketGrid()
	for _, c := range []struct {
		price string // of a unit: a lot is ten of them, in steps of 5
		want  types.Amount
		near  []uint64
	}{
		{"0", 0, nil},
		{"0.5", 5, nil},
		{"500", 5000, nil},
		{"0.4", 0, []uint64{5}},
		{"0.6", 0, []uint64{5, 10}},
		{"0.999999999999999999", 0, []uint64{5, 10}},
		{"499.9", 0, []uint64{4995, 5000}},
		{"500.1", 0, []uint64{5000}},
		{"501", 0, []uint64{5000}},
		{"18446744073709551615", 0, []uint64{5000}},
	} {
		got, err := wallet.LotPrice(&grid, rate(c.price))
		var off *wallet.OffGrid
		if errors.As(err, &off) != (c.near != nil) || got != c.want || off != nil && !slices.Equal(off.Nearest, c.near) {
			t.Errorf("%s: %d, %v", c.price, got, err)
		}
		if err != nil && types.CodeOf(err) != types.CodeOrder {
			t.Errorf("%s: %v", c.price, err)
		}
	}
}

func TestCheckLots(t *testing.T) {
	t.Parallel()
	grid := marketGrid()
	for quantity, near := range map[uint64][]uint64{0: nil, 10: nil, 100: nil, 4: {10}, 15: {10, 20}, 85: {80, 90}, 99: {90}, 101: {100}} {
		err := wallet.CheckLots(&grid, quantity, 99)
		var off *wallet.OffGrid
		if errors.As(err, &off) != (near != nil) || off != nil && !slices.Equal(off.Nearest, near) {
			t.Errorf("%d: %v", quantity, err)
		}
	}
}
