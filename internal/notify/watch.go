package notify

import (
	"context"
	"fmt"
	"log/slog"
	"math/big"
	"time"

	"golang.org/x/sync/errgroup"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/trade"
	"lockstep/trade/words"
	"lockstep/types"
)

// Watcher follows the trades of a key at a node and queues the notices that they call for.
type Watcher struct {
	Node     *client.Client
	Key      types.PublicKey
	Queue    *Queue
	Policy   Policy
	Language words.Language
	Counts   *Counts // may be nil
	Log      *slog.Logger
	Inbox    <-chan Matter // of another program of the owner, such as an agent; may be nil

	assets map[types.AssetID]types.Asset
}

// Matter is a matter that another program has found: a trade that waits for the owner's word now, or a trouble.
type Matter struct {
	Trade   types.TradeID
	Trouble *Notice
}

const (
	lookEvery = 15 * time.Second // between looks for deadlines that come near
	lookTime  = 30 * time.Second // of one look
	awayAfter = 3 * time.Minute  // a node that is away so long is told
	mostOpen  = 2000             // open trades that are looked at
)

// Run watches until the context ends. The error is one of the queue's file: a node that is away is waited for.
func (w *Watcher) Run(ctx context.Context) error {
	w.assets = map[types.AssetID]types.Asset{}
	group, ctx := errgroup.WithContext(ctx)
	events := make(chan wire.Event)
	group.Go(func() error { w.follow(ctx, events); return nil })
	group.Go(func() error { return w.take(ctx, events) })
	return group.Wait()
}

// follow passes the events of the key on, from those that are not done yet.
func (w *Watcher) follow(ctx context.Context, to chan<- wire.Event) {
	for ctx.Err() == nil {
		options := client.EventsOptions{Key: w.Key}
		if done := w.Queue.Cursor(); done > 0 {
			options.From = done + 1
		}
		for event, err := range w.Node.Events(ctx, options) {
			if err != nil {
				w.Log.Warn("the events of the node wait", "why", err)
				break
			}
			select {
			case to <- event:
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery):
		}
	}
}

// take queues the notices of events as they come, and looks at all open trades in between: a deadline that comes near is no event.
func (w *Watcher) take(ctx context.Context, events <-chan wire.Event) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	seen := time.Now()
	look := func() error {
		ok, err := w.look(ctx)
		if ok {
			seen = time.Now()
		} else if err == nil && ctx.Err() == nil && time.Since(seen) > awayAfter {
			err = w.add(w.awayNotice())
		}
		return err
	}
	if err := look(); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case event := <-events:
			if err := w.event(ctx, &event); err != nil {
				return err
			}
		case m := <-w.Inbox:
			if err := w.matter(ctx, m); err != nil {
				return err
			}
		case <-ticker.C:
			if err := look(); err != nil {
				return err
			}
		}
	}
}

// event queues the notice of an event.
func (w *Watcher) event(ctx context.Context, e *wire.Event) error {
	if e.Status != nil && e.Trade != (types.TradeID{}) {
		v := View{Trade: e.Trade, Clock: e.Status.Clock, Status: &e.Status.Status}
		if n, ok := Of(v, w.Policy, w.printer(ctx, e.Status.Asset, e.Status.Unit)); ok {
			if err := w.add(n); err != nil {
				return err
			}
		}
	}
	return w.Queue.SetCursor(max(e.Height, 1) - 1) // other events of this block may follow
}

// matter queues the notice of a matter that another program has found. A trade is told at once, though an agent takes the other steps.
func (w *Watcher) matter(ctx context.Context, m Matter) error {
	if m.Trouble != nil {
		return w.add(*m.Trouble)
	}
	ctx, stop := context.WithTimeout(ctx, lookTime)
	defer stop()
	t, err := w.Node.Trade(ctx, m.Trade)
	if err != nil {
		w.Log.Warn("a trade that waits for you could not be looked at", "trade", m.Trade, "why", err)
		return nil
	}
	s := trade.StatusAt(&t.Trade, t.Clock, t.Reading, w.Key)
	a := &t.Trade.Agreement
	if n, ok := Of(View{t.ID, t.Clock, &s}, Policy{Remind: w.Policy.Remind}, w.printer(ctx, a.Asset, a.Goods.Unit)); ok {
		return w.add(n)
	}
	return nil
}

// look queues the notices of all open trades, and of a ledger that stands still; false when the node does not answer.
func (w *Watcher) look(ctx context.Context) (ok bool, err error) {
	ctx, stop := context.WithTimeout(ctx, lookTime)
	defer stop()
	status, err := w.Node.Status(ctx)
	if err != nil {
		w.Log.Warn("the node does not answer", "why", err)
		return false, nil
	}
	if status.Halted {
		n := NewTrouble("halted", fmt.Sprint(status.Height), "The ledger stands still",
			fmt.Sprintf("No block came for %s after height %d.", status.SinceBlock.Std().Round(time.Second), status.Height),
			"Deadlines wait as long as there are no blocks: your money is safe. The operator of the ledger has to look.")
		if err := w.add(n); err != nil {
			return true, err
		}
	}
	if w.Queue.Cursor() == 0 {
		if err := w.Queue.SetCursor(status.Height); err != nil {
			return true, err
		}
	}
	looked := 0
	for t, err := range w.Node.AllTrades(ctx, w.Key, true) {
		if err != nil {
			w.Log.Warn("the trades could not be looked at", "why", err)
			return false, nil
		}
		s := trade.StatusAt(&t.Trade, t.Clock, t.Reading, w.Key)
		a := &t.Trade.Agreement
		if n, ok := Of(View{t.ID, t.Clock, &s}, w.Policy, w.printer(ctx, a.Asset, a.Goods.Unit)); ok {
			if err := w.add(n); err != nil {
				return true, err
			}
		}
		if looked++; looked == mostOpen {
			break
		}
	}
	return true, nil
}

func (w *Watcher) add(n Notice) error {
	added, err := w.Queue.Add(n)
	if added {
		w.Log.Info("a notice", "id", n.ID, "kind", n.Kind, "headline", n.Headline)
		w.Counts.add(n.Kind)
	}
	return err
}

// awayNotice is told once a day at most for as long as no event comes.
func (w *Watcher) awayNotice() Notice {
	began := fmt.Sprint(w.Queue.Cursor(), time.Now().UTC().Format("2006-01-02"))
	return NewTrouble("away", began, "Your node does not answer", fmt.Sprintf("It has not answered for %s.", awayAfter),
		"No step is taken and no deadline is seen until it answers. Start the node, or name another one.")
}

// printer formats messages of a trade in an asset and a unit.
func (w *Watcher) printer(ctx context.Context, id types.AssetID, unit string) *words.Printer {
	return &words.Printer{
		Language: w.Language,
		Money:    func(amount types.Amount) string { return w.money(ctx, id, amount) },
		Time:     func(at types.Time) string { return at.Std().UTC().Format("2006-01-02 15:04:05 UTC") },
		Quantity: func(n uint64) string { return quantity(n, unit) },
	}
}

// money formats an amount. The client checks each asset against its id.
func (w *Watcher) money(ctx context.Context, id types.AssetID, amount types.Amount) string {
	asset, known := w.assets[id]
	if !known {
		answer, err := w.Node.Asset(ctx, id)
		if err != nil {
			return fmt.Sprintf("%s smallest units of asset %s", amount, id.String()[:12])
		}
		asset = answer.Asset
		w.assets[id] = asset
	}
	return amount.Format(asset.Decimals) + " " + asset.Code
}

// quantity formats a quantity with its unit: energy in kWh, exactly.
func quantity(n uint64, unit string) string {
	if unit != types.UnitWattHour || n < 1000 {
		return fmt.Sprint(n, " ", unit)
	}
	const kilo = 1000
	kWh := new(big.Rat).SetFrac(new(big.Int).SetUint64(n), big.NewInt(kilo))
	if kWh.IsInt() {
		return kWh.Num().String() + " kWh"
	}
	return kWh.FloatString(3) + " kWh"
}
