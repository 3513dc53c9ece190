package wallet_test

import (
	"strings"
	"testing"

	"lockstep/internal/ledger"
	"lockstep/types"
	"lockstep/wallet"
)

// order is one of 1,000 Wh at 0.5 each in the first quarter-hour whose gate is open, under hold: with the deposit of 5 % and
// the bond of 5 % of the default market.
func (w *world) order(side types.Side) types.Order {
	slot := types.Time(w.params.Slot)
	from := w.time.Add(w.params.Market.Gate+minute)/slot*slot + slot
	return types.Order{
		Product: types.Product{
			Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: "community", From: from, Until: from + slot, Asset: w.euro.ID(),
		},
		Side: side, Quantity: 1000, Limit: rate("0.5"), Accepts: []types.Fallback{&types.Hold{}},
	}
}

func (w *world) book(product types.Product) (orders []*types.PlacedOrder) {
	for placed := range (ledger.Reader{View: w.view}).Orders(product.ID()) {
		orders = append(orders, placed)
	}
	return orders
}

func TestPlaceAndWithdraw(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	clara := newAccount(t, "clara")
	w.give(10, newAccount(t, "somebody")) // so that the asset is there
	draft := w.draft(clara)
	id, err := draft.Place(w.order(types.Bid))
	must(t, err)
	w.accept(draft.Sign())
	standing := w.book(w.order(types.Bid).Product)
	if len(standing) != 1 || standing[0].Order.ID() != id || standing[0].Order.Owner != clara.Key() {
		t.Fatalf("the book holds %+v, not order %s", standing, id)
	}
	order := standing[0].Order
	if order.MinFill != 1 || order.Expires != order.Product.From || order.Deposit != (types.Range{Most: 5000}) ||
		order.Bond != (types.Range{Most: types.WholePrice}) {
		t.Errorf("filled in: %+v", order)
	}
	draft = w.draft(clara)
	draft.Withdraw(order.Product.ID(), order.Number)
	w.accept(draft.Sign())
	if left := w.book(order.Product); len(left) > 0 {
		t.Errorf("the book still holds %+v", left)
	}
}

// Each row changes one thing of an order of price 500, which is matched with a deposit of 25 and a bond of 25, or one limit.
func TestPlaceLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(10, newAccount(t, "somebody"))
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
		{name: "loss at the limit", limits: loss(525), side: types.Bid},
		{name: "loss above the limit", limits: loss(524), side: types.Bid, say: "could cost you 525"},
		{name: "an offer's loss is its bond", limits: loss(25), side: types.Sell},
		{name: "an offer's loss above the limit", limits: loss(24), side: types.Sell, say: "could cost you 25"},
		{name: "loss under the widest of the terms", limits: loss(524), side: types.Bid, say: "could cost you 525",
			change: func(o *types.Order) { o.Accepts = []types.Fallback{&types.Meter{}, &types.Hold{}} }},
		{name: "bond at the limit", limits: wallet.Limits{MinBond: 500, MaxDeposit: wallet.Whole}, side: types.Bid},
		{name: "bond below the limit", limits: wallet.Limits{MinBond: 501, MaxDeposit: wallet.Whole}, side: types.Bid, code: types.CodeOrder},
		{name: "bond below the limit, named by hand", limits: wallet.Limits{MinBond: 501, MaxDeposit: wallet.Whole}, side: types.Bid,
			change: func(o *types.Order) { o.Bond = types.Range{Most: types.WholePrice} }, say: "at least 5.01% of the price"},
		{name: "an offer asks for no bond", limits: wallet.Limits{MinBond: 501}, side: types.Sell},
		{name: "deposit at the limit", limits: wallet.Limits{MaxDeposit: 500}, side: types.Bid},
		{name: "deposit above the limit", limits: wallet.Limits{MaxDeposit: 499}, side: types.Bid, code: types.CodeOrder},
		{name: "deposit above the limit, named by hand", limits: wallet.Limits{MaxDeposit: 499}, side: types.Bid,
			change: func(o *types.Order) { o.Deposit = types.Range{Most: types.WholePrice} }, say: "above your limit of 4.99%"},
		{name: "an offer asks for no deposit", limits: wallet.Limits{}, side: types.Sell},
		{name: "a sum that can't be counted", limits: wallet.DefaultLimits(), side: types.Bid,
			change: func(o *types.Order) { o.Limit = types.Rate{Mantissa: 1 << 62} }, code: types.CodeOverflow},
		{name: "no quantity", limits: wallet.DefaultLimits(), side: types.Bid, change: func(o *types.Order) { o.Quantity = 0 }, code: types.CodeOrder},
		{name: "another ledger", limits: wallet.DefaultLimits(), side: types.Bid, change: func(o *types.Order) { o.ChainID = "other" }, code: types.CodeChain},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			order := w.order(c.side)
			if c.change != nil {
				c.change(&order)
			}
			_, err := w.draft(withLimits(t, "me", c.limits)).Place(order)
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
	w := newWorld(t)
	order := w.order(types.Bid)
	order.Owner = newAccount(t, "peter").Key()
	_, err := w.draft(newAccount(t, "clara")).Place(order)
	wantReason(t, err, wallet.ReasonNotOurs)
}
