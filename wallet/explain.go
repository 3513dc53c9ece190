package wallet

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"lockstep/trade"
	"lockstep/trade/words"
	"lockstep/types"
)

// Explanation describes the effect of the account's signature under a proposal. It is made from the fields that are signed.
type Explanation struct {
	Trade     types.TradeID
	Agreement *types.Agreement // that is proposed, or that of the trade to be split
	Consumer  bool             // the account is the consumer, else the producer
	Split     bool
	Yours     types.Amount // of a split: the account's share
	Theirs    types.Amount // of a split: the other party's share
	Worst     trade.Worst  // of an agreement: the most that it can cost the account
	Signed    bool         // by the account already
	Rows      []Row        // all of it for a person
}

// Row is one line of an explanation: its name, which may be empty, and its text.
type Row struct{ Name, Text string }

// String is the explanation for a person, with the texts in a column.
func (e *Explanation) String() string {
	width := 0
	for _, row := range e.Rows {
		width = max(width, len(row.Name))
	}
	var lines []string
	for _, row := range e.Rows {
		if row.Name == "" {
			lines = append(lines, row.Text)
			continue
		}
		lines = append(lines, fmt.Sprintf("%-*s  %s", width, row.Name, row.Text))
	}
	return strings.Join(lines, "\n")
}

// explainer writes the explanation of a proposal for the holder of a key.
type explainer struct {
	*Explanation
	ctx   *Context
	words *words.Printer
	key   types.PublicKey
}

func (e *explainer) row(name trade.Key, text string) {
	e.Rows = append(e.Rows, Row{e.words.Key(name), text})
}

func (e *explainer) line(text string) { e.Rows = append(e.Rows, Row{Text: text}) }

// Explain describes the effect of signing a proposal, and refuses one that the account should not sign: of another ledger, of others,
// out of date or outside its limits. The trade is given as a node shows it; nil when it is not on the ledger.
func (a *Account) Explain(ctx Context, p *Proposal, t *types.Trade) (*Explanation, error) {
	if err := a.checkProposal(&ctx, p, t); err != nil {
		return nil, err
	}
	explained := &Explanation{Trade: p.Trade(), Agreement: p.agreement, Signed: p.SignedBy(a.key)}
	if p.split != nil {
		explained.Agreement, explained.Split = &t.Agreement, true
		if !a.has(explained.Agreement) {
			return nil, refuse(ReasonNotOurs, "trade %s is between others, not of %s", explained.Trade, a.key)
		}
	} else if err := a.checkAgreement(&ctx, p.agreement); err != nil {
		return nil, err
	}
	explained.Consumer = explained.Agreement.Consumer == a.key
	e := &explainer{explained, &ctx, ctx.printer(explained.Agreement, trade.RoleOf(explained.Agreement, a.key)), a.key}
	if p.split != nil {
		e.split(p.split, t)
	} else if err := e.agreement(); err != nil {
		return nil, err
	}
	e.validity(p)
	return explained, nil
}

// checkProposal refuses a proposal that the ledger would not take now, from any submitter.
func (a *Account) checkProposal(ctx *Context, p *Proposal, t *types.Trade) error {
	if err := p.check(); err != nil {
		return err
	}
	latest := ctx.BlockTime.Add(ctx.Params.MaxValidity)
	switch {
	case p.chainID != ctx.Params.ChainID:
		return types.Refuse(types.CodeChain, "the proposal is for chain %q, the node is on %q", p.chainID, ctx.Params.ChainID)
	case p.validUntil < ctx.BlockTime:
		return types.Refuse(types.CodeExpired, "the proposal was valid until %s: make it again", ctx.moment(p.validUntil))
	case p.validUntil > latest:
		return types.Refuse(types.CodeValidity, "the proposal is valid until %s, and no signature may be open for longer than until %s: make it again with an earlier end",
			ctx.moment(p.validUntil), ctx.moment(latest))
	case p.agreement != nil && t != nil:
		return types.Refuse(types.CodeTradeExists, "the agreement is on the ledger already: trade %s is %s", p.Trade(), trade.PhaseAt(t, ctx.Clock))
	case p.agreement != nil && trade.Passed(p.agreement.Deadlines.PayBy, ctx.Clock):
		return types.Refuse(types.CodeTooLate, "the agreement was to be paid by %s: make it again with later deadlines", ctx.moment(p.agreement.Deadlines.PayBy))
	case p.agreement != nil:
		return p.agreement.Check(&ctx.Params)
	case t == nil:
		return refuse(ReasonProposal, "it splits trade %s, which was not looked up or is not on the ledger", p.split.Trade)
	}
	return checkSplit(ctx, p.split, t)
}

func (e *explainer) agreement() error {
	agreement := e.Agreement
	worst, err := trade.WorstLoss(agreement, e.words.Viewer)
	if err != nil {
		return err
	}
	e.Worst = worst
	verb := words.AgreeToSell
	if e.Consumer {
		verb = words.AgreeToBuy
	}
	e.line(e.words.Key(verb))
	e.goods()
	e.parties()
	e.row(words.ColumnPrice, e.words.Money(agreement.Price))
	e.row(trade.PartKey(types.PartDeposit), e.words.Fill(words.OfConsumer, e.words.Money(agreement.Deposit)))
	e.row(trade.PartKey(types.PartBond), e.words.Fill(words.OfProducer, e.words.Money(agreement.Bond)))
	e.asset()
	e.row(words.FieldInstalments, e.words.Fill(words.Instalments, fmt.Sprint(agreement.Instalments)))
	e.row(words.FieldPayBy, e.ctx.moment(agreement.Deadlines.PayBy))
	e.row(words.FieldDeliverBy, e.ctx.moment(agreement.Deadlines.DeliverBy))
	e.row(words.FieldReadingBy, e.ctx.moment(agreement.Deadlines.ReadingBy))
	e.row(words.FieldConfirmBy, e.ctx.moment(agreement.Deadlines.ConfirmBy))
	e.row(words.FieldTerms, e.words.Text(trade.Terms(agreement.Fallback)))
	e.line(e.words.Sentence(trade.Message{Key: trade.NoteAgreed}))
	e.line(e.words.Sentence(trade.Commitment(agreement, e.words.Viewer)))
	e.line(e.words.Sentence(worst.Message(e.words.Viewer)))
	return nil
}

func (e *explainer) goods() {
	goods := &e.Agreement.Goods
	e.row(words.ColumnGoods, e.words.Quantity(goods.Quantity)+e.words.Fill(words.QuantityOf, strconv.Quote(goods.Commodity)))
	if goods.From != 0 || goods.Until != 0 {
		e.row(words.FieldSlot, e.ctx.moment(goods.From)+e.words.Fill(words.SlotTo, e.ctx.moment(goods.Until)))
	}
	if goods.Zone != "" {
		e.row(words.FieldZone, strconv.Quote(goods.Zone))
	}
	meter := e.words.Key(words.NoMeter)
	if !goods.Flow.IsZero() {
		meter = e.words.Flow(goods.Flow)
	}
	e.row(words.FieldMeter, meter)
	if goods.Note != "" {
		e.row(words.FieldNote, strconv.Quote(goods.Note))
	}
}

func (e *explainer) parties() {
	for _, party := range []struct {
		role trade.Role
		key  types.PublicKey
	}{{trade.Producer, e.Agreement.Producer}, {trade.Consumer, e.Agreement.Consumer}} {
		text := party.key.String()
		if party.role == e.words.Viewer {
			text += " " + e.words.Key(words.LabelYou)
		}
		e.row(trade.RoleKey(party.role), text)
	}
	e.row(words.ColumnTrade, e.Trade.String())
	e.row(words.FieldLedger, strconv.Quote(e.ctx.Params.ChainID))
}

// asset names the asset of all sums and its issuer, which its ID confirms.
func (e *explainer) asset() {
	id := e.Agreement.Asset
	if asset, known := e.ctx.asset(id); known {
		e.row(words.FieldAsset, asset.Code)
		e.row(words.FieldIssuer, asset.Issuer.String())
		return
	}
	e.row(words.FieldAsset, e.words.Fill(words.UnknownIssuer, id.String()))
}

func (e *explainer) split(split *splitFields, t *types.Trade) {
	e.Yours, e.Theirs = split.ToProducer, split.ToConsumer
	if e.Consumer {
		e.Yours, e.Theirs = split.ToConsumer, split.ToProducer
	}
	e.line(e.words.Key(words.AgreeToEnd))
	e.goods()
	e.parties()
	e.asset()
	status := trade.StatusAt(t, e.ctx.Clock, e.ctx.Reading, e.key)
	e.row(words.ColumnPhase, e.words.Key(trade.PhaseKey(status.Phase))+e.words.Key(words.Colon)+e.words.Text(status.State))
	e.row(words.FieldLocked, e.words.Money(t.LockedSum()))
	e.row(words.FieldYouGet, e.words.Money(e.Yours))
	e.row(words.FieldTheyGet, e.words.Money(e.Theirs))
	e.line(e.words.Sentence(trade.Message{Key: trade.RiskFinal}))
	e.line(e.words.Key(words.WithoutSplit) + e.words.List(status.Else))
	for _, option := range status.Options {
		if option.Move == trade.MoveKey(trade.MoveSplit.String()) {
			continue
		}
		text := e.words.Actor(option.Role) + e.words.Key(words.Colon) + e.words.Key(option.Move)
		if len(option.Effects) > 0 {
			text += e.words.Key(words.Separator) + e.words.List(option.Effects)
		}
		e.line("  " + text)
	}
}

// validity lists the signatures so far, and the time for which they can be used.
func (e *explainer) validity(p *Proposal) {
	for _, key := range p.Signers() {
		who := key.String()
		if key == e.key {
			who = e.words.Name(e.words.Viewer)
		}
		e.row(words.FieldSignedBy, who)
	}
	left := e.words.Span(p.validUntil.Since(e.ctx.BlockTime).Std().Round(time.Second))
	e.row(words.FieldOpenUntil, e.ctx.moment(p.validUntil)+e.words.Key(words.Separator)+e.words.Fill(words.FromNow, left))
	e.line(e.words.Key(words.UntilThen))
}
