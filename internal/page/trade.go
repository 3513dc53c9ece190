package page

import (
	"context"
	"html/template"
	"strings"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/trade"
	"lockstep/trade/words"
	"lockstep/types"
)

// tradeView is the content of the page of one trade. Everything in it comes from the status of the trade.
type tradeView struct {
	ID        types.TradeID
	A         *types.Agreement
	Kind      string // a class: the state's colour and sign
	Phase     string
	Turn      string
	State     template.HTML
	Then      template.HTML // the consequences if nobody acts
	Until     types.Time
	Gone      int // of the time to the deadline, in hundredths
	Acts      []act
	Does      template.HTML
	Proof     template.HTML // whether the state is proved
	Word      *wordView     // what the member's agent asks; nil: nothing
	Lock      template.HTML
	Note      template.HTML
	Steps     []step
	Can       []can
	Over      bool
	Metered   bool
	Flow      string // whether the energy is promised, flows or has flowed
	Reading   uint64
	Terms     string
	Worst     [2]template.HTML // of the consumer, of the producer
	Records   [2]string
	Raw       []rawRow
	OtherName string
	Sells     bool // the viewer is the producer
}

// act is a step that the viewer can take, as a button.
type act struct {
	Label template.HTML
	Path  string
	Quiet bool
}

// step is one stage on the line.
type step struct {
	Class, Code, Name, Side, When string
	Text                          template.HTML
}

// can is one thing that can happen.
type can struct {
	Side, Move, When string
	Text             template.HTML
}

type rawRow struct {
	Name  string
	Value template.HTML
}

// kindOf is the class of a phase: its colour and its sign.
func kindOf(phase types.Phase) string {
	switch phase {
	case types.PhaseAgreed:
		return "idle"
	case types.PhasePaid:
		return "pend"
	case types.PhaseDelivered:
		return "lock"
	case types.PhaseReleased:
		return "open"
	}
	return "other"
}

// The marks around a sum in a text of the catalogue; rich writes it as HTML. Texts of others have none of them, see cleanName.
const (
	sumBegins = '\ue000'
	sumUnit   = '\ue001'
	sumEnds   = '\ue002'
)

// printer returns the printer of the messages about a trade for the viewer.
func (c *screen) printer(a *types.Agreement) *words.Printer {
	names := map[trade.Role]string{trade.Producer: c.Name(a.Producer), trade.Consumer: c.Name(a.Consumer)}
	if arbiter, named := a.Fallback.(*types.Arbiter); named {
		names[trade.Arbiter] = c.Name(arbiter.Key)
	}
	return &words.Printer{
		Language: c.Lang, Viewer: trade.RoleOf(a, c.self), Names: names,
		Money: func(amount types.Amount) string {
			return string(sumBegins) + c.plain(a.Asset, amount) + string(sumUnit) + c.Code(a.Asset) + string(sumEnds)
		},
		Time:     c.By,
		Quantity: func(n uint64) string { return c.Quantity(n, a.Goods.Unit) },
	}
}

// rich writes a text of the catalogue as HTML: sums as [screen.Money] writes them.
func rich(text string) template.HTML {
	var out strings.Builder
	for text != "" {
		before, rest, found := strings.Cut(text, string(sumBegins))
		out.WriteString(escape(before))
		if !found {
			break
		}
		sum, after, _ := strings.Cut(rest, string(sumEnds))
		amount, unit, _ := strings.Cut(sum, string(sumUnit))
		if at := strings.IndexByte(amount, '.'); at >= 0 && len(amount) > at+3 {
			amount = escape(amount[:at+3]) + "<i>" + escape(amount[at+3:]) + "</i>"
		} else {
			amount = escape(amount)
		}
		out.WriteString(`<span class="m">` + amount + "<b>" + space + escape(unit) + "</b></span>")
		text = after
	}
	return template.HTML(out.String())
}

// sentence writes messages as one sentence.
func (c *screen) sentence(p *words.Printer, messages ...trade.Message) template.HTML {
	if len(messages) == 0 {
		return ""
	}
	return rich(words.Upper(p.List(messages)) + c.Stop())
}

// PartyName names a side of an agreement.
func (c *screen) PartyName(a *types.Agreement, role trade.Role) string {
	if role == trade.Producer {
		return c.Name(a.Producer)
	}
	return c.Name(a.Consumer)
}

// waitsFor reports whether a running trade waits for a key.
func waitsFor(t *wire.Trade, key types.PublicKey) bool {
	status := trade.StatusAt(&t.Trade, t.Clock, t.Reading, key)
	return trade.Running(status.Phase) && status.Turn.You && status.Turn.Role != trade.Anyone || status.Phase == types.PhaseAgreed && status.Turn.You
}

func (c *screen) trade() error {
	var id types.TradeID
	if err := c.whole("trade", c.r.PathValue("id"), &id); err != nil {
		return err
	}
	t, err := c.ask().Trade(c.r.Context(), id)
	if err != nil {
		return err
	}
	view, err := c.tradeView(&t)
	if err != nil {
		return err
	}
	c.Nav, c.Live = "trades", "trade:"+id.String()
	c.Title = c.Goods(&t.Trade.Agreement.Goods) + " · " + view.Phase
	return c.render("trade", view)
}

// tradeView composes the page of a trade for the viewer.
func (c *screen) tradeView(t *wire.Trade) (*tradeView, error) {
	if c.Status.ChainID == "" {
		c.Status, c.Down = c.facts.status(c.r.Context())
	}
	a := &t.Trade.Agreement
	status := trade.StatusAt(&t.Trade, t.Clock, t.Reading, c.self)
	p := c.printer(a)
	v := &tradeView{
		ID: t.ID, A: a, Kind: kindOf(status.Phase), Over: status.Over, Reading: t.Reading, Until: status.Turn.Until,
		OtherName: c.Name(a.Producer), Sells: status.Viewer == trade.Producer,
	}
	v.Phase, v.Turn = p.Headline(&status)
	v.State = c.sentence(p, status.State)
	v.Then = c.sentence(p, status.Else...)
	if status.Viewer == trade.Producer {
		v.OtherName = c.Name(a.Consumer)
	}
	if begun := lastStep(&t.Trade); v.Until > begun && begun > 0 {
		v.Gone = int(100 * uint64(min(t.Clock, v.Until).Since(begun)) / uint64(v.Until.Since(begun)))
	}
	released := trade.Due(a, t.Trade.Released)
	shares, err := c.division(c.r.Context(), &t.Trade, &status)
	if err != nil {
		return nil, err
	}
	picture := c.lockOf(a, &status, released, t.Trade.Allotted, shares)
	v.Lock = picture.html(plainText(rich(v.Phase + ". " + v.Turn)))
	v.Note = c.T("lock.note."+status.Phase.String(), "consumer", p.Name(trade.Consumer), "producer", p.Name(trade.Producer),
		"t", c.By(a.Deadlines.DeliverBy))
	v.Steps = c.steps(p, &status)
	for i := range status.Options {
		option := &status.Options[i]
		v.Can = append(v.Can, can{
			Side: words.Upper(p.Actor(option.Role)), Move: c.W(option.Move), When: c.until(option.Until), Text: rich(words.Upper(p.List(option.Effects))),
		})
	}
	v.Acts, v.Does = c.acts(t, &status, p)
	v.Word = c.word(t, &status)
	_, v.Metered = a.Fallback.(*types.Meter)
	v.Flow = c.flow(a, &status)
	v.Terms = words.Upper(p.Text(trade.Terms(a.Fallback)))
	for i, side := range []trade.Role{trade.Consumer, trade.Producer} {
		if worst, err := trade.WorstLoss(a, side); err == nil {
			v.Worst[i] = c.Money(a.Asset, worst.Money)
			if worst.Goods {
				v.Worst[i] = c.T("worst.goods", "sum", v.Worst[i])
			}
		}
	}
	v.Raw, v.Proof = c.raw(t), c.proved(t)
	return v, nil
}

// ReadKey is the text of the meter's reading: it may grow until the trade is over.
func (v *tradeView) ReadKey() string {
	if v.Over {
		return "trade.read_over"
	}
	return "trade.read"
}

// lastStep is when the trade came into its present phase.
func lastStep(t *types.Trade) (at types.Time) {
	for _, step := range t.Steps {
		at = max(at, step.At)
	}
	return at
}

// until writes a deadline, or that there is none.
func (c *screen) until(t types.Time) string {
	if t == 0 {
		return c.W(words.AnyTime)
	}
	return strings.ReplaceAll(c.W(words.By), "{value}", c.By(t))
}

// flow says whether metered goods are promised, flow or have flowed.
func (c *screen) flow(a *types.Agreement, s *trade.Status) string {
	if a.Goods.From == 0 || a.Goods.Commodity != types.CommodityEnergy || s.Phase != types.PhaseDelivered {
		return ""
	}
	switch now := c.Status.BlockTime; {
	case now < a.Goods.From:
		return "promised"
	case now < a.Goods.Until:
		return "flowing"
	}
	return "flowed"
}

// steps lists the stages in the order of the ledger.
func (c *screen) steps(p *words.Printer, s *trade.Status) []step {
	var steps []step
	next := trade.Running(s.Phase)
	for i := range s.Stages {
		stage := &s.Stages[i]
		name := c.W(stage.Stage)
		one := step{Name: words.Upper(name)}
		if code, rest, found := strings.Cut(name, " "); found && strings.HasPrefix(code, "E") && len(code) == 2 {
			one.Code, one.Name = code, words.Upper(rest)
		}
		if role := trade.StageRole(stage.Stage); role != "" {
			one.Side = words.Upper(p.Actor(role))
		}
		if stage.Note != nil {
			one.Text = rich(words.Upper(p.Text(*stage.Note)))
		}
		switch {
		case stage.Missed:
			one.Class, one.When = "miss", c.At(stage.At)
		case stage.Done && i == len(s.Stages)-1 && kindOf(s.Phase) == "other":
			one.Class, one.When = "end", c.At(stage.At)
		case stage.Done && stage.Stage == trade.StageReleased.Key() && s.Phase == types.PhaseDelivered: // some of the instalments: the rest is next
			one.Class, one.When, next = "turn", c.until(s.Turn.Until), false
		case stage.Done:
			one.Class, one.When = "done", c.At(stage.At)
		default:
			one.When = c.until(stage.Until)
			if move := trade.StageMove(stage.Stage); move != "" {
				one.Name = words.Upper(c.W(move))
			}
			if next {
				one.Class, next = "turn", false
			}
			key := "step." + strings.TrimPrefix(string(stage.Stage), "stage.")
			if texts[key] != nil {
				one.Text = c.T(key)
			}
		}
		steps = append(steps, one)
	}
	return steps
}

// division finds how a trade was divided: by its rules, or in the transaction that divided it.
func (c *screen) division(ctx context.Context, t *types.Trade, s *trade.Status) (shares division, err error) {
	switch s.Phase {
	case types.PhaseSettled:
		found, known := trade.Divided(&t.Agreement, s.Phase, t.Released, t.Allotted)
		return division{known, found.ToProducer, found.ToConsumer}, nil
	case types.PhaseSplit, types.PhaseAwarded:
	default:
		return shares, nil
	}
	kind := types.StepSplit
	if s.Phase == types.PhaseAwarded {
		kind = types.StepAwarded
	}
	done, _ := t.Step(kind)
	tx, _, err := c.findTx(ctx, done.Tx)
	if err != nil || tx == nil {
		return shares, nil //nolint:nilerr // the picture does without the shares where the node has pruned the transaction
	}
	found, known := trade.DivisionIn(tx, t.ID())
	return division{known, found.ToProducer, found.ToConsumer}, nil
}

// findTx finds a transaction with its receipt; nil where the node has no body of it.
func (c *screen) findTx(ctx context.Context, id types.TxID) (*types.Tx, wire.Receipt, error) {
	receipt, err := c.ask().Tx(ctx, id)
	if err != nil || receipt.Height == 0 {
		return nil, receipt, err
	}
	after := ""
	const mostPages = 50
	for range mostPages {
		page, err := c.ask().BlockTxs(ctx, receipt.Height, client.Page{After: after})
		if err != nil {
			return nil, receipt, err
		}
		for i := range page.Txs {
			if page.Txs[i].ID == id {
				return page.Txs[i].Tx, receipt, nil
			}
		}
		if after = page.Next; after == "" {
			break
		}
	}
	return nil, receipt, nil
}

// raw lists the data of a trade as the ledger has them.
func (c *screen) raw(t *wire.Trade) []rawRow {
	a := &t.Trade.Agreement
	link := func(path, text string) template.HTML {
		return template.HTML(`<a href="` + escape(path) + `">` + escape(text) + `</a>`)
	}
	rows := []rawRow{
		{c.W(words.LabelTrade), template.HTML(escape(t.ID.String()))},
		{c.W(words.LabelProducer), link("/keys/"+a.Producer.String(), a.Producer.String())},
		{c.W(words.LabelConsumer), link("/keys/"+a.Consumer.String(), a.Consumer.String())},
		{c.Plain("raw.asset"), link("/assets/"+a.Asset.String(), a.Asset.String())},
	}
	if (t.Trade.Digest != types.Hash{}) {
		rows = append(rows, rawRow{c.Plain("raw.lock"), template.HTML(escape(t.Trade.Digest.String()))})
	}
	if (t.Trade.Preimage != types.Secret{}) {
		rows = append(rows, rawRow{c.Plain("raw.secret"), template.HTML(escape(types.Hash(t.Trade.Preimage).String()))})
	}
	for _, step := range t.Trade.Steps {
		value := template.HTML(escape(c.Stamp(step.At)))
		if (step.Tx != types.TxID{}) {
			value += "<br>" + link("/transactions/"+step.Tx.String(), step.Tx.String())
		}
		rows = append(rows, rawRow{step.Kind.String(), value})
	}
	d := &a.Deadlines
	for _, deadline := range []struct {
		name string
		at   types.Time
	}{{"pay-by", d.PayBy}, {"deliver-by", d.DeliverBy}, {"reading-by", d.ReadingBy}, {"confirm-by", d.ConfirmBy}} {
		if deadline.at != 0 {
			rows = append(rows, rawRow{deadline.name, template.HTML(escape(c.Stamp(deadline.at)))})
		}
	}
	return append(rows, rawRow{c.Plain("raw.block"), link("/blocks/"+c.number(t.Trade.Height), c.number(t.Trade.Height))})
}
