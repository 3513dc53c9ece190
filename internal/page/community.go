package page

import (
	"context"
	"html/template"
	"math/big"
	"slices"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/client/wire/history"
	"lockstep/trade"
	"lockstep/types"
)

// The community's page looks through at most so many trades of the day.
const (
	dayPage  = 500
	dayPages = 4
)

type communityView struct {
	Day, Before, After string // the day that is shown, and the days beside it for links
	DayName            string
	Trades             int
	Parties            int
	Partly             bool // there were more than were looked through
	Energy             string
	Values             []template.HTML // paid, by asset
	Released           int
	Ends               []endRow
	Bar                template.HTML
	Wrong              []wrongRow
	Recent             []tradeRow
	Assets             []wire.Asset
	History            bool           // the node keeps an index
	Since              *history.Since // of a node that has not all of the day
	Params             types.Params
	Cover              *coverView
	Members            []memberRow
	MoreMembers        int
	Books              []bookRow
	Quorum             *quorumView
	Decided            *decidedView
}

// quorumView is how the validators take part, as the node sees it.
type quorumView struct {
	wire.Validators
	Rows []validatorRow
}

type validatorRow struct {
	wire.Validator
	Name string
}

// quorum asks how the validators take part; nil where the node does not tell.
func (c *screen) quorum() *quorumView {
	found := c.facts.validators(c.r.Context())
	if len(found.Validators) == 0 {
		return nil
	}
	v := &quorumView{Validators: found}
	for _, one := range found.Validators {
		v.Rows = append(v.Rows, validatorRow{one, c.Name(one.Key)})
	}
	return v
}

// endRow is how many trades have ended in one way.
type endRow struct {
	Kind, Name string
	Count      int
}

func (c *screen) community() error {
	c.Nav, c.Live, c.Title = "community", "blocks", string(c.T("nav.community"))
	ctx := c.r.Context()
	if c.Status, c.Down = c.facts.status(ctx); c.Down != nil {
		return c.Down
	}
	begin, err := c.shownDay()
	if err != nil {
		return err
	}
	view := communityView{DayName: c.Day(begin), Before: c.date(begin, -1)}
	if begin != c.dayBegin() {
		view.Day, view.After = c.date(begin, 0), c.date(begin, 1)
	}
	if view.Params, err = c.ask().Params(ctx); err != nil {
		return err
	}
	day, err := c.facts.day(ctx, begin)
	if err != nil {
		return err
	}
	trades := day.trades
	view.History, view.Partly, view.Since, view.Trades = day.known, day.more, day.since, len(trades)
	c.sumUp(&view, trades)
	if view.Assets, err = c.communityAssets(); err != nil {
		return err
	}
	var asset types.AssetID
	if len(view.Assets) > 0 {
		asset = view.Assets[0].ID
	}
	if view.Cover, err = c.cover(begin, asset); err != nil {
		return err
	}
	if err := c.members(&view, trades, asset); err != nil {
		return err
	}
	view.Quorum, view.Decided = c.quorum(), c.decided()
	return c.render("community", &view)
}

// shownDay is the beginning of the day that the reader asks for, by default of today.
func (c *screen) shownDay() (types.Time, error) {
	text := c.r.URL.Query().Get("day")
	if text == "" {
		return c.dayBegin(), nil
	}
	at, err := time.ParseInLocation(time.DateOnly, text, c.zone)
	if err != nil || at.Year() < 2000 || at.Year() > 9000 {
		return 0, c.tell(types.CodeMalformed, "fault.day", "text", clipped(text))
	}
	return types.TimeOf(at), nil
}

// date writes a day beside another for an address.
func (c *screen) date(begin types.Time, days int) string {
	return c.local(begin).AddDate(0, 0, days).Format(time.DateOnly)
}

// day lists the trades of the day that begins at a moment, newest first. All readers share one answer for some seconds: it is the largest question of the page.
func (f *facts) day(ctx context.Context, begin types.Time) (dayTrades, error) {
	f.mu.Lock()
	one := f.days[begin]
	if one == nil {
		if len(f.days) >= mostDays {
			clear(f.days)
		}
		one = &shared[dayTrades]{}
		f.days[begin] = one
	}
	f.mu.Unlock()
	ctx = context.WithoutCancel(ctx) // others may wait for the answer
	return one.get(f.now, dayLife, func() (dayTrades, error) { return f.fetchDay(ctx, begin) })
}

// dayTrades are the trades of a day, the newest first.
type dayTrades struct {
	trades []history.Trade
	more   bool           // than are listed
	known  bool           // the node keeps an index
	since  *history.Since // the node has not all of the day
}

// mostDays bounds the days whose trades are kept.
const mostDays = 16

func (f *facts) fetchDay(ctx context.Context, begin types.Time) (day dayTrades, err error) {
	after, from := "", begin
	for range dayPages {
		page, err := f.node.TradeHistory(ctx, client.TradeFilter{From: from, Until: begin.Add(dayLong)}, client.Page{After: after, Limit: dayPage})
		if types.CodeOf(err) == types.CodePruned && day.since == nil {
			kept, err := f.node.TradeHistory(ctx, client.TradeFilter{}, client.Page{Limit: 1})
			if err != nil || kept.Since == nil {
				return dayTrades{}, err
			}
			day.known, day.since, from = true, kept.Since, kept.Since.Clock
			if from >= begin.Add(dayLong) {
				return day, nil
			}
			continue
		}
		switch code := types.CodeOf(err); {
		case code == types.CodeUnavailable && after == "" || code == types.CodeNotFound: // a node without an index
			return dayTrades{}, nil
		case err != nil:
			return dayTrades{}, err
		}
		day.trades = append(day.trades, page.Trades...)
		if after = page.Next; after == "" {
			break
		}
	}
	day.more, day.known = after != "", true
	return day, nil
}

// dayLife is how long the trades of the day are kept.
const dayLife = 3 * time.Second

// sumUp fills in the sums of the trades of a day.
func (c *screen) sumUp(v *communityView, trades []history.Trade) {
	const mostRows = 8
	parties := map[types.PublicKey]bool{}
	ends := map[types.Phase]int{}
	values, assets := map[types.AssetID]types.Total{}, []types.AssetID{}
	var energy types.Total
	for i := range trades {
		t := &trades[i]
		parties[t.Producer], parties[t.Consumer] = true, true
		ends[t.Phase]++
		if t.Phase == types.PhaseReleased || t.Phase == types.PhaseSettled {
			if !slices.Contains(assets, t.Product.Asset) {
				assets = append(assets, t.Product.Asset)
			}
			values[t.Product.Asset] = values[t.Product.Asset].Add(types.TotalOf(t.Price))
			if t.Product.Commodity == types.CommodityEnergy {
				energy = energy.Add(types.TotalOf(t.Quantity))
			}
		}
		switch row := c.overRow(t); {
		case kindOf(t.Phase) == "other":
		case len(v.Recent) < mostRows:
			row.Sum = c.Money(t.Product.Asset, t.Price)
			v.Recent = append(v.Recent, row)
		}
	}
	v.Wrong = c.wrong(trades)
	v.Parties, v.Released = len(parties), ends[types.PhaseReleased]
	if energy.Big().IsUint64() && energy.Lo > 0 {
		v.Energy = c.Quantity(energy.Lo, types.UnitWattHour)
	}
	for _, id := range assets {
		if sum := values[id].Big(); sum.IsUint64() {
			v.Values = append(v.Values, c.Money(id, types.Amount(sum.Uint64())))
		}
	}
	var parts []barPart
	for phase := types.PhaseAgreed; phase <= types.PhaseLapsed; phase++ {
		if n := ends[phase]; n > 0 {
			v.Ends = append(v.Ends, endRow{kindOf(phase) + " p-" + phase.String(), c.W(trade.PhaseKey(phase)), n})
			parts = append(parts, barPart{"k-" + kindOf(phase) + " p-" + phase.String(), float64(n)})
		}
	}
	v.Bar = bar("share", c.Plain("community.ends"), parts...)
}

// communityAssets lists the assets that the ledger recognises, and no others: anybody can issue any number.
func (c *screen) communityAssets() (assets []wire.Asset, err error) {
	const mostLooked = 200
	page, err := c.ask().Assets(c.r.Context(), "", client.Page{Limit: mostLooked})
	for _, asset := range page.Assets {
		if asset.Recognised {
			assets = append(assets, asset)
		}
	}
	return assets, err
}

// Total writes a total of an asset.
func (c *screen) Total(id types.AssetID, total types.Total) template.HTML {
	if sum := total.Big(); sum.IsUint64() {
		return c.Money(id, types.Amount(sum.Uint64()))
	}
	return template.HTML(escape(new(big.Int).Set(total.Big()).String()))
}

// Halted reports whether the ledger stands still.
func (c *screen) Halted() bool { return c.Status.Halted }

// Pulse is how alive the ledger looks: ok, slow or still.
func (c *screen) Pulse() string {
	switch {
	case c.Down != nil || c.Status.Halted:
		return "still"
	case c.Status.SinceBlock > slowAfter:
		return "slow"
	}
	return "ok"
}

// slowAfter is three of the intervals at which an idle ledger makes blocks.
const slowAfter = types.Duration(30_000)

// Behind reports whether the ledger clock lags.
func (c *screen) Behind() bool { return c.Status.Skew >= types.Duration(60_000) }
