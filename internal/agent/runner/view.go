package runner

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/agent"
	"lockstep/trade"
	"lockstep/types"
	"lockstep/wallet"
)

// Bounds of a view.
const (
	maxTrades = 2000   // that are not over
	maxOffers = 2000   // of others
	maxLooked = 20_000 // offers in all: anybody may post some
	manyCoins = 64     // from so many coins on, the smallest are gathered
	maxCoins  = 2000   // that are looked at for it
	gathered  = 100    // at a time
	longest   = 30 * time.Second
	memory    = types.Duration(4 * 24 * 3600 * 1000) // of ended trades
)

// Ledger answers the questions of a view: the client of a node, or a ledger in the same process.
type Ledger interface {
	Coins(ctx context.Context, key types.PublicKey, asset types.AssetID, sum types.Amount, page wire.Page) (wire.Coins, error)
	Balance(ctx context.Context, key types.PublicKey, asset types.AssetID) (wire.Balance, error)
	KeyOrders(ctx context.Context, key types.PublicKey, page wire.Page) (wire.BookOrders, error)
	Trade(ctx context.Context, id types.TradeID) (wire.Trade, error)
	Trades(ctx context.Context, key types.PublicKey, openOnly bool, page wire.Page) (wire.Trades, error)
	Offers(ctx context.Context, page wire.Page) (wire.Offers, error)
	Claims(ctx context.Context, flow types.Flow, from types.Time) (wire.Claims, error)
}

// pageSize is the size of the pages of a view's lists.
const pageSize = 500

// newest iterates over the trades of the key, newest first. Few of them are new since the last view, so the pages begin small.
func (g *Viewer) newest(ctx context.Context) iter.Seq2[wire.Trade, error] {
	limit := 1
	return client.Pages(wire.Page{}, func(page wire.Page) ([]wire.Trade, string, error) {
		page.Limit = limit
		limit = min(16*limit, pageSize)
		trades, err := g.node.Trades(ctx, g.setup.Key, false, page)
		return trades.Trades, trades.Next, err
	})
}

// Viewer collects the views of an agent. It remembers the trades that are over, which change no more.
type Viewer struct {
	setup  *agent.Setup
	node   Ledger
	belief agent.Belief
	past   map[types.TradeID]past
	open   map[types.TradeID]bool // trades that were not over in the last view
}

// NewViewer returns the viewer of an agent that has just started.
func NewViewer(setup *agent.Setup, node Ledger, belief agent.Belief) *Viewer {
	return &Viewer{setup: setup, node: node, belief: belief, past: map[types.TradeID]past{}, open: map[types.TradeID]bool{}}
}

// View reads the parts of a view in the order in which [agent.View] names them. The status was read before.
func (g *Viewer) View(ctx context.Context, now *wire.Status) (v agent.View, err error) {
	v.Height, v.BlockTime, v.Clock = now.Height, now.BlockTime, now.Clock
	key, asset := g.setup.Key, g.setup.Market.Asset
	coins, err := g.node.Coins(ctx, key, asset, 0, wire.Page{Limit: 20})
	if err != nil {
		return v, err
	}
	for _, coin := range coins.Coins {
		if _, purse := coin.Outpoint.Purse(); purse {
			v.Purse = coin
		} else if coin.Amount > v.Anchor.Amount && coin.Trade == nil {
			v.Anchor = coin
		}
	}
	balance, err := g.node.Balance(ctx, key, asset)
	if err != nil {
		return v, err
	}
	v.Money = agent.Money{Spendable: balance.Spendable, Locked: balance.Locked, InOrders: balance.InOrders}
	if balance.Coins > manyCoins {
		if v.Small, err = g.small(ctx, v.Anchor); err != nil {
			return v, err
		}
	}
	for order, err := range client.Pages(wire.Page{Limit: pageSize}, func(page wire.Page) ([]wire.BookOrder, string, error) {
		orders, err := g.node.KeyOrders(ctx, key, page)
		return orders.Orders, orders.Next, err
	}) {
		if err != nil {
			return v, err
		}
		v.Orders = append(v.Orders, agent.Order{Order: order.Order, Tx: order.Tx, Height: order.Height})
	}
	if err := g.trades(ctx, &v); err != nil {
		return v, err
	}
	if g.setup.Direct.Take || g.setup.Direct.Offer {
		looked, others := 0, 0
		for offer, err := range client.Pages(wire.Page{Limit: pageSize}, func(page wire.Page) ([]wire.Offer, string, error) {
			offers, err := g.node.Offers(ctx, page)
			return offers.Offers, offers.Next, err
		}) {
			if err != nil {
				return v, err
			}
			if looked++; looked > maxLooked {
				break
			}
			if g.concerns(&offer.Offer, v.BlockTime, &others) {
				v.Offers = append(v.Offers, agent.Offer{ID: offer.ID, Offer: offer.Offer, Remaining: offer.Remaining})
			}
		}
	}
	if !g.setup.Flow.IsZero() {
		claims, err := g.node.Claims(ctx, g.setup.Flow, 0)
		if err != nil {
			return v, err
		}
		for i := range claims.Slots {
			slot := &claims.Slots[i]
			v.Slots = append(v.Slots, agent.Slot{From: slot.From, Claims: len(slot.Claims), Read: slot.Read})
		}
	}
	return v, nil
}

// concerns reports whether a view holds an offer: each one of the key, and so many of others' as could be taken.
func (g *Viewer) concerns(o *types.Offer, now types.Time, others *int) bool {
	if o.Producer == g.setup.Key {
		return true
	}
	m := &g.setup.Market
	if o.Goods.Commodity != types.CommodityEnergy || o.Goods.Zone != m.Zone || o.Asset != m.Asset || o.Goods.From <= now {
		return false
	}
	*others++
	return *others <= maxOffers
}

// small returns the smallest coins, without the anchor.
func (g *Viewer) small(ctx context.Context, anchor types.Coin) ([]types.Coin, error) {
	return smallest(client.Pages(wire.Page{Limit: pageSize}, func(page wire.Page) ([]types.Coin, string, error) {
		coins, err := g.node.Coins(ctx, g.setup.Key, g.setup.Market.Asset, 0, page)
		return coins.Coins, coins.Next, err
	}), anchor)
}

// smallest looks at a bounded number of coins: anybody may send very many tiny ones, and a view must not wait for all of them.
func smallest(all iter.Seq2[types.Coin, error], anchor types.Coin) (coins []types.Coin, err error) {
	looked := 0
	for coin, err := range all {
		if err != nil {
			return nil, err
		}
		if looked++; looked > maxCoins {
			break
		}
		if _, purse := coin.Outpoint.Purse(); !purse && coin.Outpoint != anchor.Outpoint && coin.Trade == nil {
			coins = append(coins, coin)
		}
	}
	return coins[max(0, len(coins)-gathered):], nil // the largest come first
}

// trades reads the trades that are not over, and those of the last days that count for limits and slots.
func (g *Viewer) trades(ctx context.Context, v *agent.View) error {
	for t, err := range client.Pages(wire.Page{Limit: pageSize}, func(page wire.Page) ([]wire.Trade, string, error) {
		trades, err := g.node.Trades(ctx, g.setup.Key, true, page)
		return trades.Trades, trades.Next, err
	}) {
		if err != nil {
			return err
		}
		if len(v.Trades) == maxTrades {
			break
		}
		deal := agent.Trade{ID: t.ID, Trade: t.Trade, Reading: t.Reading}
		err := g.belief.Believes(ctx, v.Height, &deal)
		deal.Believed, deal.Unproved = err == nil, errors.Is(err, agent.ErrUnproved)
		v.Trades = append(v.Trades, deal)
		if spent, ok := g.spentOn(&t); ok {
			v.Spent = append(v.Spent, spent)
		}
	}
	if err := g.ended(ctx, v); err != nil {
		return err
	}
	for id, past := range g.past {
		if past.at.Add(memory) < v.Clock {
			delete(g.past, id)
		} else if past.counts {
			v.Spent = append(v.Spent, past.spent)
		}
	}
	slices.SortFunc(v.Spent, func(a, b agent.Spent) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return nil
}

// past is a trade that is over: it changes no more.
type past struct {
	at     types.Time
	counts bool
	spent  agent.Spent
}

// ended learns the trades that are over: those that were open in the last view, and those that are newer than all known ones.
func (g *Viewer) ended(ctx context.Context, v *agent.View) error {
	for id := range g.open {
		if v.Open(id) {
			continue
		}
		t, err := g.node.Trade(ctx, id)
		if err != nil && !types.CodeOf(err).Absent() {
			return err
		}
		if err == nil {
			g.learn(&t)
		}
	}
	until := v.Clock - min(v.Clock, types.Time(memory))
	for t, err := range g.newest(ctx) {
		if err != nil {
			return err
		}
		at, ok := agent.Began(&t.Trade)
		if _, known := g.past[t.ID]; !ok || at < until || known || g.open[t.ID] {
			break
		}
		if !v.Open(t.ID) {
			g.learn(&t)
		}
	}
	g.open = map[types.TradeID]bool{}
	for i := range v.Trades {
		g.open[v.Trades[i].ID] = true
	}
	return nil
}

func (g *Viewer) learn(t *wire.Trade) {
	at, _ := agent.Began(&t.Trade)
	spent, counts := g.spentOn(t)
	g.past[t.ID] = past{at, counts, spent}
}

// spentOn returns a trade as it counts for the consumer; false if the key is not its consumer, or its money came back.
func (g *Viewer) spentOn(t *wire.Trade) (agent.Spent, bool) {
	a := &t.Trade.Agreement
	at, ok := agent.Began(&t.Trade)
	if !ok || a.Consumer != g.setup.Key {
		return agent.Spent{}, false
	}
	switch trade.PhaseAt(&t.Trade, t.Clock) {
	case types.PhaseLapsed, types.PhaseRefunded:
		return agent.Spent{}, false
	}
	return agent.Spent{
		ID: t.ID, At: at, Height: t.Trade.Height, Price: a.Price, Asset: a.Asset, From: a.Goods.From, Until: a.Goods.Until, Quantity: a.Goods.Quantity,
		Energy: a.Goods.Commodity == types.CommodityEnergy && a.Goods.Unit == types.UnitWattHour,
	}, true
}

// view asks the node for a view.
func (r *Runner) view(ctx context.Context) (agent.View, error) {
	ctx, stop := context.WithTimeout(ctx, longest)
	defer stop()
	now, err := r.Signer.View(ctx)
	if err != nil {
		return agent.View{}, err
	}
	return r.viewer.View(ctx, &now.Status)
}

// context is the view of the ledger for a signature.
func (r *Runner) context(ctx context.Context) (wallet.Context, error) {
	known, err := r.Signer.Context(ctx)
	known.Validity = agent.Validity(&r.Setup.Params)
	return known, err
}
