package main

import (
	"cmp"
	"context"
	"os"
	"strings"

	"lockstep/client/wire"
	"lockstep/internal/table"
	"lockstep/trade"
	"lockstep/trade/words"
	"lockstep/types"
)

type tradeListCmd struct {
	walletFlags
	Key *types.PublicKey `help:"Trades of this key instead of the wallet's." find:"" placeholder:"KEY"`
	All bool             `help:"Also trades that are over."`
	mostFlag
}

func (c *tradeListCmd) Run(ctx context.Context, a *app) error {
	s, key, err := a.lookAs(ctx, &c.walletFlags, c.Key)
	if err != nil {
		return err
	}
	trades, err := list(a, s.node.AllTrades(ctx, key, !c.All), c.mostFlag, all)
	if err != nil {
		return err
	}
	return a.show(trades, func(p *page) {
		w := s.printer(nil, key)
		if len(trades) == 0 {
			p.line("%s", w.Key(words.NoTrades))
			return
		}
		p.row(w.Key(words.ColumnPhase), w.Key(words.ColumnYou), w.Key(words.ColumnGoods), w.Key(words.ColumnPrice), w.Key(words.ColumnNext), w.Key(words.ColumnTrade))
		for i := range trades {
			t := &trades[i]
			w := s.printer(t, key)
			status := trade.StatusAt(&t.Trade, t.Clock, t.Reading, key)
			role := "-"
			if status.Viewer != "" {
				role = w.Key(trade.RoleKey(status.Viewer))
			}
			p.row(w.Key(trade.PhaseKey(status.Phase)), role, listedGoods(w, &t.Trade.Agreement.Goods),
				s.money(t.Trade.Agreement.Asset, t.Trade.Agreement.Price), turnText(w, &status, t.Clock), short(t.ID))
		}
	})
}

// printer returns the printer of messages about a trade for the holder of a key.
func (s *session) printer(t *wire.Trade, viewer types.PublicKey) *words.Printer {
	if t == nil {
		return &words.Printer{Language: s.language()}
	}
	return s.agreementPrinter(&t.Trade.Agreement, t.Clock, viewer)
}

// agreementPrinter returns the printer of messages about an agreement, at a moment of the ledger clock.
func (s *session) agreementPrinter(a *types.Agreement, clock types.Time, viewer types.PublicKey) *words.Printer {
	w := &words.Printer{Language: s.language(), Viewer: trade.RoleOf(a, viewer), Names: map[trade.Role]string{}}
	for role, key := range map[trade.Role]types.PublicKey{trade.Producer: a.Producer, trade.Consumer: a.Consumer} { // any order
		if label := s.called(key); label != "" && role != w.Viewer {
			w.Names[role] = label
		}
	}
	w.Goods = describeGoods(w, &a.Goods)
	w.Money = func(amount types.Amount) string { return s.money(a.Asset, amount) }
	w.Time = func(at types.Time) string { return s.deadline(w, at, clock) }
	w.Quantity = func(n uint64) string { return quantity(n, a.Goods.Unit) }
	return w
}

// language returns the language of the flag, else of the environment.
func (a *app) language() words.Language {
	if a.Language != "auto" {
		return words.Of(a.Language)
	}
	return words.Of(cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG")))
}

// turnText describes the awaited move, or the end of a trade that waits for no one.
func turnText(w *words.Printer, status *trade.Status, clock types.Time) string {
	if status.Turn.Role == trade.Nobody {
		return w.Text(status.State)
	}
	text := w.Actor(status.Turn.Role) + w.Key(words.Colon) + w.Key(status.Turn.Move)
	if status.Turn.Until != 0 {
		text += w.Key(words.Separator) + about(w, status.Turn.Until, clock)
	}
	return text
}

type tradeShowCmd struct {
	tradeIDFlags
	lookFlags
}

func (c *tradeShowCmd) Run(ctx context.Context, a *app) error {
	s, err := c.visitor(ctx, a)
	if err != nil {
		return err
	}
	t, err := s.trade(ctx, c.Trade)
	if err != nil {
		return err
	}
	return a.show(t, func(p *page) { s.timeline(p, &t) })
}

// viewer is the key of the wallet, zero without one.
func (s *session) viewer() (key types.PublicKey) {
	if s.account != nil {
		key = s.account.Key()
	}
	return key
}

// trade fetches a trade and computes its status here, for the wallet's key.
func (s *session) trade(ctx context.Context, id types.TradeID) (wire.Trade, error) {
	t, err := s.node.Trade(ctx, id)
	if err == nil {
		t.Status = trade.StatusAt(&t.Trade, t.Clock, t.Reading, s.viewer())
	}
	return t, err
}

// timeline prints a trade: its stages, the locked money, the moves of each side, and the consequences if nobody acts.
func (s *session) timeline(p *page, t *wire.Trade) {
	w, a := s.printer(t, s.viewer()), &t.Trade.Agreement
	status := trade.StatusAt(&t.Trade, t.Clock, t.Reading, s.viewer())
	party := func(key types.PublicKey) string {
		if key == s.viewer() {
			return key.String() + "  " + w.Key(words.LabelYou)
		}
		return s.withLabel(key)
	}
	for _, line := range []struct {
		label trade.Key
		text  string
	}{
		{words.LabelTrade, t.ID.String()},
		{words.LabelGoods, describeGoods(w, &a.Goods)},
		{words.LabelPrice, w.Text(trade.PriceOf(a))},
		{words.LabelProducer, party(a.Producer)},
		{words.LabelConsumer, party(a.Consumer)},
		{words.LabelTerms, w.Text(trade.Terms(a.Fallback))},
		{words.LabelPhase, w.Key(trade.PhaseKey(status.Phase)) + w.Key(words.Colon) + w.Text(status.State)},
	} {
		p.line("%s%s", table.Pad(w.Key(line.label), labelWidth), line.text)
	}
	p.line("")
	for _, stage := range status.Stages {
		p.row(s.stageRow(w, &stage, t.Clock)...)
	}
	p.line("")
	if len(status.Locked) == 0 {
		p.line("%s", w.Key(words.NothingLocked))
	} else {
		for _, held := range status.Locked {
			p.row(w.Key(words.LabelLocked), w.Key(trade.PartKey(held.Part)), w.Money(held.Amount), w.Text(held.Owner))
		}
		p.line("")
	}
	for i, option := range status.Options {
		label := words.LabelCan
		if i == 0 {
			label = words.LabelNext
		}
		p.row(w.Key(label), w.Actor(option.Role), w.Key(option.Move), untilText(w, option.Until, t.Clock), w.List(option.Effects))
	}
	p.End()
	if t.Over {
		p.line("%s", w.Key(words.TradeIsOver))
	} else {
		p.row(w.Key(words.LabelElse), w.List(status.Else))
	}
	s.skewNote(p, w)
}

// labelWidth is the width of the labels at the head of a timeline.
const labelWidth = 10

// stageRow returns a line of the timeline: a mark, the stage, its time or deadline, and its effect.
func (s *session) stageRow(w *words.Printer, stage *trade.Stage, clock types.Time) []string {
	mark, label, when, note := "○", w.Key(stage.Stage), w.Key(words.AnyTime), ""
	if !strings.HasPrefix(label, "E") { // of the patent's steps E1 to E4
		label = "   " + label
	}
	switch {
	case stage.Done:
		mark, when = "●", stamp(stage.At)
	case stage.Missed:
		mark, when = "✗", stamp(stage.At)
	case stage.Until != 0:
		when = w.Fill(words.By, s.deadline(w, stage.Until, clock))
	}
	if stage.Note != nil {
		note = w.Text(*stage.Note)
	}
	if (stage.Tx != types.TxID{}) { // an auction needs none
		note += "  tx " + short(stage.Tx)
	}
	return []string{mark, label, when, note}
}

// untilText formats the deadline of a move and the time left.
func untilText(w *words.Printer, until, clock types.Time) string {
	if until == 0 {
		return w.Key(words.AnyTime)
	}
	return w.Fill(words.By, soon(until, clock)+w.Fill(words.Aside, about(w, until, clock)))
}
