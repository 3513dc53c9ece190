package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/trade"
	"lockstep/types"
)

type tradeListCmd struct {
	walletFlags
	Key *types.PublicKey `help:"Trades of this key instead of the wallet's." find:"" placeholder:"KEY"`
	All bool             `help:"Also those that are over."`
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
		if len(trades) == 0 {
			p.line("No trades.")
			return
		}
		p.row("phase", "you are", "goods", "price", "next", "trade")
		for i := range trades {
			t := &trades[i]
			p.row(t.Phase.String(), role(&t.Trade.Agreement, key), listedGoods(&t.Trade.Agreement.Goods),
				s.money(t.Trade.Agreement.Asset, t.Trade.Agreement.Price), nextMove(t, key), short(t.ID))
		}
	})
}

func role(agreement *types.Agreement, key types.PublicKey) string {
	switch key {
	case agreement.Producer:
		return "producer"
	case agreement.Consumer:
		return "consumer"
	}
	return "-"
}

// nextMove is what the trade waits for, in a few words.
func nextMove(t *wire.Trade, key types.PublicKey) string {
	if len(t.Moves) == 0 {
		return "-"
	}
	move := t.Moves[0]
	who := move.Role
	if move.Who == key {
		who = "you"
	}
	text := who + ": " + moveText(move.What)
	if move.Until != 0 {
		text += ", " + about(move.Until, t.Clock)
	}
	return text
}

// onRecord is what becomes of a matched trade when its next step is not done.
func onRecord(what string) string {
	switch what {
	case "pay":
		return " (else it lapses, on record)"
	case "deliver":
		return " (else refunded, on record)"
	}
	return ""
}

func moveText(what string) string { return strings.ReplaceAll(what, "_", " ") }

type tradeShowCmd struct {
	tradeIDFlags
	lookFlags
}

func (c *tradeShowCmd) Run(ctx context.Context, a *app) error {
	s, err := c.visitor(ctx, a)
	if err != nil {
		return err
	}
	trade, err := s.node.Trade(ctx, c.Trade)
	if err != nil {
		return err
	}
	return a.show(trade, func(p *page) { s.timeline(p, &trade) })
}

// timeline prints the way of a trade: what happened, what is locked, each deadline, and what each side can do now.
func (s *session) timeline(p *page, t *wire.Trade) {
	a := &t.Trade.Agreement
	p.line("Trade     %s", t.ID)
	p.line("Goods     %s", describeGoods(&a.Goods))
	p.line("Price     %s, deposit %s, bond %s%s", s.money(a.Asset, a.Price), s.money(a.Asset, a.Deposit), s.money(a.Asset, a.Bond), instalments(&t.Trade))
	p.line("Producer  %s%s", a.Producer, s.self(a.Producer))
	p.line("Consumer  %s%s", a.Consumer, s.self(a.Consumer))
	p.line("Terms     %s", termsText(a.Fallback))
	p.line("Phase     %s\n", t.Phase)
	for _, stage := range s.stages(t) {
		p.row(stage.mark, stage.label, stage.when, stage.what)
	}
	p.line("")
	s.locked(p, t)
	s.moves(p, t)
	s.skewNote(p)
}

func (s *session) self(key types.PublicKey) string {
	if s.account != nil && s.account.Key() == key {
		return "  (you)"
	}
	return ""
}

func instalments(t *types.Trade) string {
	if t.Agreement.Instalments == 1 {
		return ""
	}
	return fmt.Sprintf("; %d of %d instalments released", t.Released, t.Agreement.Instalments)
}

func termsText(fallback types.Fallback) string {
	switch f := fallback.(type) {
	case *types.Hold:
		return "hold: without a release everything stays locked"
	case *types.Meter:
		return "meter: without a release it is settled by what was read"
	case *types.Arbiter:
		return "arbiter: without a release " + f.Key.String() + " divides it"
	}
	return ""
}

type stage struct{ mark, label, when, what string }

// stages are the steps E1 to E4, those done with their time, those to come with their deadline.
func (s *session) stages(t *wire.Trade) []stage {
	a, d := &t.Trade.Agreement, &t.Trade.Agreement.Deadlines
	money := func(amount types.Amount) string { return s.money(a.Asset, amount) }
	open := func(kind types.StepKind) bool { _, done := t.Trade.Step(kind); return !done }
	rows := []stage{
		s.agreed(t),
		s.stage(t, types.StepPaid, "E1 paid", d.PayBy, "payment "+money(a.Price)+" and deposit "+money(a.Deposit)+" are locked"),
	}
	if t.Phase == types.PhaseLapsed {
		return append(rows[:1], stage{"✗", "   lapsed", stamp(d.PayBy), "nobody paid; nothing was locked" + lapsedNote(&t.Trade)})
	}
	if t.Phase == types.PhaseRefunded {
		refunded := s.stage(t, types.StepRefunded, "   refund", 0, "payment and deposit are the consumer's")
		return append(rows, stage{"✗", "E2 not delivered", stamp(d.DeliverBy), "deliver-by has passed"}, refunded)
	}
	bond := ""
	if a.Bond > 0 {
		bond = "; bond " + money(a.Bond) + " is locked"
	}
	rows = append(rows, s.stage(t, types.StepDelivered, "E2 delivered", d.DeliverBy, "the deposit became the return, locked like the payment"+bond))
	for _, other := range []struct {
		kind  types.StepKind
		label string
		what  string
	}{
		{types.StepSplit, "   split", "divided as both wished"},
		{types.StepSettled, "   settled", "by what was read: " + quantity(t.Trade.Allotted, a.Goods.Unit) + " of " + quantity(a.Goods.Quantity, a.Goods.Unit)},
		{types.StepAwarded, "   awarded", "divided by the arbiter"},
	} {
		if !open(other.kind) {
			if open(types.StepDelivered) {
				rows = rows[:2]
			}
			return append(rows, s.stage(t, other.kind, other.label, 0, other.what))
		}
	}
	releaseBy := d.ConfirmBy
	if _, hold := a.Fallback.(*types.Hold); hold {
		releaseBy = 0
	}
	released := "the secret is on the ledger: return to the consumer, payment and bond to the producer"
	if t.Trade.Released > 0 && t.Trade.Released < a.Instalments {
		released = fmt.Sprintf("%d of %d instalments so far: %s is the producer's", t.Trade.Released, a.Instalments, money(trade.Due(a, t.Trade.Released)))
	}
	return append(rows, s.stage(t, types.StepReleased, "E3 released", releaseBy, released),
		s.stage(t, types.StepCollected, "E4 collected", 0, "the producer has spent the payment; it had no deadline"))
}

// agreed is how the trade came about: both signed an agreement or took an offer, or an auction matched their orders.
func (s *session) agreed(t *wire.Trade) stage {
	if _, matched := t.Trade.Step(types.StepMatched); matched {
		return s.stage(t, types.StepMatched, "   matched", 0, "by an auction; nothing is locked")
	}
	return s.stage(t, types.StepAgreed, "   agreed", 0, "nothing is locked")
}

func lapsedNote(trade *types.Trade) string {
	if _, matched := trade.Step(types.StepMatched); matched {
		return "; the consumer has it on record"
	}
	return ""
}

// stage is a step that was done, or one to come with its deadline.
func (s *session) stage(t *wire.Trade, kind types.StepKind, label string, by types.Time, what string) stage {
	if step, done := t.Trade.Step(kind); done {
		if (step.Tx != types.TxID{}) { // an auction needs none
			what += "  tx " + short(step.Tx)
		}
		return stage{"●", label, stamp(step.At), what}
	}
	if by == 0 {
		return stage{"○", label, "any time", ""}
	}
	return stage{"○", label, "by " + s.deadline(by, t.Clock), ""}
}

// locked tells whose each part is, or whose it will be.
func (s *session) locked(p *page, t *wire.Trade) {
	if len(t.Trade.Locked) == 0 {
		p.line("Nothing is locked.")
		return
	}
	for _, part := range t.Trade.Locked {
		whose := "nobody's yet"
		if owner, owned := trade.Owner(&t.Trade, part.Part, t.Clock); owned {
			whose = "the " + role(&t.Trade.Agreement, owner) + "'s to spend"
		}
		p.row("Locked", part.Part.String(), s.money(t.Trade.Agreement.Asset, part.Amount), whose)
	}
	p.line("")
}

func (s *session) moves(p *page, t *wire.Trade) {
	for i, move := range t.Moves {
		label := "Can"
		if i == 0 && move.What != "split" {
			label = "Next"
		}
		until := "any time"
		if move.Until != 0 {
			until = "by " + soon(move.Until, t.Clock) + " (" + remaining(move.Until, t.Clock) + ")"
		}
		who := move.Role
		if s.account != nil && move.Who == s.account.Key() {
			who = "you"
		}
		what := moveText(move.What)
		if _, matched := t.Trade.Step(types.StepMatched); matched {
			what += onRecord(move.What)
		}
		p.row(label, who, what, until)
	}
	if t.Over {
		p.line("The trade is over and has left the ledger's state.")
	}
}

// listedGoods writes how much of what, and from when, for a table.
func listedGoods(g *types.Goods) string {
	text := listedAmount(g)
	if from := slotBegin(g); from != "-" {
		text += ", " + from
	}
	return text
}

// listedAmount is [amountText] for a table: watt-hours need no commodity, and number and unit stay on one line.
func listedAmount(g *types.Goods) string {
	if g.Commodity == types.CommodityEnergy && g.Unit == types.UnitWattHour {
		return strings.ReplaceAll(quantity(g.Quantity, g.Unit), " ", fixedSpace)
	}
	return amountText(g)
}

// amountText writes how much of what.
func amountText(g *types.Goods) string {
	if g.Unit == types.UnitItem {
		return "one " + name(g.Commodity)
	}
	return quantity(g.Quantity, g.Unit) + " " + name(g.Commodity)
}

func describeGoods(g *types.Goods) string {
	text := amountText(g)
	if slot := slotText(g); slot != "-" {
		text += ", " + slot
	}
	if g.Zone != "" {
		text += ", " + name(g.Zone)
	}
	if !g.Flow.IsZero() {
		text += fmt.Sprintf(", %s of connection point %s", g.Flow.Direction, g.Flow.Point)
	}
	if g.Note != "" {
		text += ` (note: "` + printable(g.Note) + `")`
	}
	return text
}

type tradeWatchCmd struct {
	walletFlags
	Trade *types.TradeID   `arg:"" optional:"" help:"Only this trade."`
	Key   *types.PublicKey `help:"Trades of this key instead of the wallet's." find:"" placeholder:"KEY"`
	From  uint64           `help:"Begin at this height; by default now." placeholder:"HEIGHT"`
	Count int              `help:"End after so many events; by default never." placeholder:"N"`
}

func (c *tradeWatchCmd) Run(ctx context.Context, a *app) error {
	options := client.EventsOptions{From: c.From}
	var s *session
	if c.Trade != nil {
		options.Trade = *c.Trade
		node, err := a.connect()
		if err != nil {
			return err
		}
		if s, err = a.visit(ctx, node); err != nil {
			return err
		}
	} else {
		session, key, err := a.lookAs(ctx, &c.walletFlags, c.Key)
		if err != nil {
			return err
		}
		s, options.Key = session, key
	}
	seen := 0
	for event, err := range s.node.Events(ctx, options) {
		if errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := a.event(&event); err != nil {
			return err
		}
		if seen++; seen == c.Count {
			return nil
		}
	}
	return nil
}

func (a *app) event(e *types.Event) error {
	if a.JSON {
		return json.NewEncoder(a.out).Encode(e)
	}
	what := ""
	switch {
	case e.Trade != types.TradeID{}:
		what = "trade " + e.Trade.String()
	case e.Offer != types.OfferID{}:
		what = "offer " + e.Offer.String()
	case e.Product != types.ProductID{}:
		what = "product " + e.Product.String()
	case e.Tx != types.TxID{}:
		what = "tx " + e.Tx.String()
	}
	_, err := fmt.Fprintf(a.out, "%s  %-12s  %s\n", stamp(e.At), e.Kind, what)
	return err
}
