package home

import (
	"context"
	"log/slog"
	"maps"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/books"
	"lockstep/internal/broker"
	"lockstep/trade"
	"lockstep/trade/words"
	"lockstep/types"
)

// Feed publishes the values of a household to a broker.
type Feed struct {
	Node     *client.Client
	Key      types.PublicKey
	Device   Device
	Zone     string
	Asset    types.Asset
	Currency string // of the asset, in ISO 4217
	Buy      string // reference prices for a kWh; empty: the node's
	Sell     string
	Language words.Language
	Log      *slog.Logger

	totals  Totals                     // of the known trades that have ended
	since   types.Time                 // trades agreed before are known
	newest  map[types.TradeID]bool     // known trades that were agreed at that moment
	unended map[types.TradeID]struct{} // known trades that have not ended
}

const (
	refreshEvery = time.Minute
	refreshTime  = 50 * time.Second
	settleTime   = 2 * time.Second // after an event: several come together
	lastTrades   = 5
)

// Run publishes until the context ends: when it starts, when Home Assistant starts, when an event concerns the key, and each minute.
func (f *Feed) Run(ctx context.Context, c *broker.Config) error {
	wake := make(chan struct{}, 1)
	ring := func() {
		select {
		case wake <- struct{}{}:
		default: // a refresh is due already
		}
	}
	offline := f.Device.Offline()
	connection, err := broker.Open(c, broker.Options{
		Will: &offline, Connected: ring, Log: f.Log, Subscribe: f.Device.BirthTopic(),
		Received: func(_ string, payload []byte) {
			if string(payload) == "online" {
				ring()
			}
		},
	})
	if err != nil {
		return err
	}
	defer func() {
		last, stop := context.WithTimeout(context.Background(), time.Second)
		defer stop()
		_ = connection.Publish(last, offline) // else the will says so
		connection.Close()
	}()
	go f.listen(ctx, ring)
	ticker := time.NewTicker(refreshEvery)
	defer ticker.Stop()
	for {
		if err := f.publish(ctx, connection); err != nil && ctx.Err() == nil {
			f.Log.Warn("nothing was published", "why", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		case <-wake:
		}
	}
}

// listen rings at each event of the key.
func (f *Feed) listen(ctx context.Context, ring func()) {
	for ctx.Err() == nil {
		for _, err := range f.Node.Events(ctx, client.EventsOptions{Key: f.Key}) {
			if err != nil {
				break
			}
			select {
			case <-ctx.Done():
			case <-time.After(settleTime):
			}
			ring()
		}
		select {
		case <-ctx.Done():
		case <-time.After(refreshEvery):
		}
	}
}

// publish asks for the values and publishes all messages.
func (f *Feed) publish(ctx context.Context, to *broker.Connection) error {
	ctx, stop := context.WithTimeout(ctx, refreshTime)
	defer stop()
	values, err := f.Values(ctx)
	if err != nil {
		return err
	}
	messages, err := Messages(&f.Device, values)
	if err != nil {
		return err
	}
	return to.Publish(ctx, messages...)
}

// Values asks the node for the present values.
func (f *Feed) Values(ctx context.Context) (*Values, error) {
	asset := f.Asset.ID()
	v := &Values{Currency: f.Currency, Decimals: f.Asset.Decimals}
	for _, side := range []struct {
		sell      bool
		reference string
		to        **float64
	}{{false, f.Buy, &v.BuyPrice}, {true, f.Sell, &v.SellPrice}} {
		slots, err := f.Node.Prices(ctx, client.PriceFilter{Sell: side.sell, Zone: f.Zone, Asset: asset, Reference: side.reference, Hours: 1})
		if err != nil {
			return nil, err
		}
		if len(slots) > 0 {
			*side.to = &slots[0].Value
		}
	}
	balance, err := f.Node.Balance(ctx, f.Key, asset)
	if err != nil {
		return nil, err
	}
	v.Spendable = balance.Spendable
	v.Locked, _ = balance.Locked.Add(balance.InOrders) // all of an asset fits
	if err := f.trades(ctx, v); err != nil {
		return nil, err
	}
	if v.Totals, err = f.sum(ctx); err != nil {
		return nil, err
	}
	return v, nil
}

// trades counts the open trades, and describes the last ones.
func (f *Feed) trades(ctx context.Context, v *Values) error {
	for t, err := range f.Node.AllTrades(ctx, f.Key, true) {
		if err != nil {
			return err
		}
		s := trade.StatusAt(&t.Trade, t.Clock, t.Reading, f.Key)
		if !trade.Running(s.Phase) {
			continue // only its money is left
		}
		v.Open++
		if s.Turn.You {
			v.Waiting++
		}
	}
	last, err := f.Node.Trades(ctx, f.Key, false, client.Page{Limit: lastTrades})
	if err != nil {
		return err
	}
	for i := range last.Trades {
		v.Last = append(v.Last, f.describe(&last.Trades[i]))
	}
	return nil
}

// describe states a trade in words.
func (f *Feed) describe(t *wire.Trade) LastTrade {
	a := &t.Trade.Agreement
	s := trade.StatusAt(&t.Trade, t.Clock, t.Reading, f.Key)
	p := &words.Printer{
		Language: f.Language, Viewer: s.Viewer, Time: func(at types.Time) string { return at.Std().Format("2006-01-02 15:04:05 UTC") },
		Money: func(sum types.Amount) string {
			if a.Asset == f.Asset.ID() {
				return sum.Format(f.Asset.Decimals) + " " + f.Currency
			}
			return sum.String() + " smallest units of another asset"
		},
		Quantity: func(n uint64) string { return types.Amount(n).String() + " " + a.Goods.Unit },
	}
	last := LastTrade{
		Trade: t.ID, Role: p.Key(trade.RoleKey(s.Viewer)), Goods: p.Quantity(a.Goods.Quantity) + " " + a.Goods.Commodity, Sum: p.Money(a.Price), State: p.Sentence(s.State),
	}
	_, last.Next = p.Headline(&s)
	return last
}

// sum returns the sums of all trades that have ended. The first time it looks at the whole history, later at new and open trades alone. Each
// trade is counted once, when it ends, so the sums of energy only grow.
func (f *Feed) sum(ctx context.Context) (Totals, error) {
	if f.unended == nil {
		f.newest, f.unended = map[types.TradeID]bool{}, map[types.TradeID]struct{}{}
	}
	var found []types.TradeID
	since, newest := f.since, maps.Clone(f.newest)
	filter := client.TradeFilter{Party: f.Key, From: f.since}
	if _, err := f.Node.TradeHistory(ctx, filter, client.Page{Limit: 1}); types.CodeOf(err) == types.CodePruned {
		filter.From = 0 // the node does not keep the time since the last trade
	}
	for t, err := range f.Node.AllTradeHistory(ctx, filter) {
		if err != nil {
			return Totals{}, err
		}
		if t.AgreedAt < f.since || t.AgreedAt == f.since && f.newest[t.ID] {
			continue
		}
		found = append(found, t.ID)
		if t.AgreedAt > since {
			since, newest = t.AgreedAt, map[types.TradeID]bool{}
		}
		if t.AgreedAt == since {
			newest[t.ID] = true
		}
	}
	for _, id := range found {
		f.unended[id] = struct{}{}
	}
	f.since, f.newest = since, newest
	for id := range f.unended { // any order: sums
		t, err := f.Node.Trade(ctx, id)
		if err != nil {
			return Totals{}, err
		}
		e, ended, err := books.EntryNow(ctx, f.Node, &t, f.Key)
		if err != nil {
			return Totals{}, err
		}
		if ended {
			f.totals.Add(&e, f.Asset.ID())
			delete(f.unended, id)
		}
	}
	return f.totals.Plus(Totals{}), nil
}
