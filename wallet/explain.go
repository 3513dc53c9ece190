package wallet

import (
	"fmt"
	"strings"
	"time"

	"lockstep/trade"
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
	Worst     Worst        // of an agreement: the most that it can cost the account
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

func (e *Explanation) row(name, format string, args ...any) {
	e.Rows = append(e.Rows, Row{name, fmt.Sprintf(format, args...)})
}

// Explain describes the effect of signing a proposal, and refuses one that the account should not sign: of another ledger, of others,
// out of date or outside its limits. The trade is given as a node shows it; nil when it is not on the ledger.
func (a *Account) Explain(ctx Context, p *Proposal, trade *types.Trade) (*Explanation, error) {
	if err := a.checkProposal(&ctx, p, trade); err != nil {
		return nil, err
	}
	e := &Explanation{Trade: p.Trade(), Agreement: p.agreement, Signed: p.SignedBy(a.key)}
	if p.split != nil {
		e.Agreement, e.Split = &trade.Agreement, true
	}
	e.Consumer = e.Agreement.Consumer == a.key
	if p.agreement != nil {
		if err := a.checkAgreement(&ctx, p.agreement); err != nil {
			return nil, err
		}
		if err := a.explainAgreement(&ctx, e); err != nil {
			return nil, err
		}
	} else {
		if !a.has(e.Agreement) {
			return nil, refuse(ReasonNotOurs, "trade %s is between others, not of %s", e.Trade, a.key)
		}
		a.explainSplit(&ctx, e, p.split, trade)
	}
	a.explainValidity(&ctx, e, p)
	return e, nil
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

func (a *Account) explainAgreement(ctx *Context, e *Explanation) (err error) {
	agreement := e.Agreement
	if e.Worst, err = WorstLoss(agreement, e.Consumer); err != nil {
		return err
	}
	verb := "sell"
	if e.Consumer {
		verb = "buy"
	}
	e.row("", "With your signature you agree to %s:", verb)
	explainGoods(ctx, e, &agreement.Goods)
	a.explainParties(ctx, e)
	money := func(amount types.Amount) string { return ctx.money(agreement.Asset, amount) }
	e.row("price", "%s", money(agreement.Price))
	e.row("deposit", "%s, of the consumer", money(agreement.Deposit))
	e.row("bond", "%s, of the producer", money(agreement.Bond))
	explainAsset(ctx, e, agreement.Asset)
	e.row("paid in", "%d instalment(s)", agreement.Instalments)
	e.row("pay by", "%s", ctx.moment(agreement.Deadlines.PayBy))
	e.row("deliver by", "%s", ctx.moment(agreement.Deadlines.DeliverBy))
	e.row("reading by", "%s", ctx.moment(agreement.Deadlines.ReadingBy))
	e.row("confirm by", "%s", ctx.moment(agreement.Deadlines.ConfirmBy))
	e.row("terms", "%s: %s", types.FallbackKind(agreement.Fallback), describeTerms(agreement.Fallback))
	e.row("", "Nothing is locked by it yet. %s", describeLeaving(ctx, e))
	e.row("", "At worst it costs you %s.", describeWorst(ctx, e))
	return nil
}

func explainGoods(ctx *Context, e *Explanation, goods *types.Goods) {
	e.row("goods", "%d %s of %q", goods.Quantity, goods.Unit, goods.Commodity)
	if goods.From != 0 || goods.Until != 0 {
		e.row("slot", "%s to %s", ctx.moment(goods.From), ctx.moment(goods.Until))
	}
	if goods.Zone != "" {
		e.row("zone", "%q", goods.Zone)
	}
	if goods.Flow.IsZero() {
		e.row("meter", "none: no meter counts these goods")
	} else {
		e.row("meter", "the %s of connection point %s", goods.Flow.Direction, goods.Flow.Point)
	}
	if goods.Note != "" {
		e.row("note", "%q", goods.Note)
	}
}

func (a *Account) explainParties(ctx *Context, e *Explanation) {
	for _, party := range []struct {
		role string
		key  types.PublicKey
	}{{"producer", e.Agreement.Producer}, {"consumer", e.Agreement.Consumer}} {
		you := ""
		if party.key == a.key {
			you = " (you)"
		}
		e.row(party.role, "%s%s", party.key, you)
	}
	e.row("trade", "%s", e.Trade)
	e.row("ledger", "%q", ctx.Params.ChainID)
}

// explainAsset names the asset of all sums and its issuer, which its ID confirms.
func explainAsset(ctx *Context, e *Explanation, id types.AssetID) {
	if asset, known := ctx.asset(id); known {
		e.row("asset", "%s", asset.Code)
		e.row("issued by", "%s", asset.Issuer)
		return
	}
	e.row("asset", "%s, of an issuer that is not known here: its sums are in smallest units", id)
}

// describeLeaving tells which sums the account will have to lock, and when.
func describeLeaving(ctx *Context, e *Explanation) string {
	agreement := e.Agreement
	if e.Consumer {
		return fmt.Sprintf("When you pay, %s and %s leave your account and are locked in the trade.",
			ctx.money(agreement.Asset, agreement.Price), ctx.money(agreement.Asset, agreement.Deposit))
	}
	if agreement.Bond == 0 {
		return "You lock no bond when you deliver."
	}
	return fmt.Sprintf("When you deliver, your bond of %s leaves your account and is locked in the trade.", ctx.money(agreement.Asset, agreement.Bond))
}

func describeWorst(ctx *Context, e *Explanation) string {
	text := ctx.money(e.Agreement.Asset, e.Worst.Money)
	switch {
	case !e.Worst.Goods:
		return text + " if the goods don't come"
	case e.Worst.Instalments > 1:
		return text + fmt.Sprintf(" and one instalment of %d of the goods, if you stop when one is not released", e.Worst.Instalments)
	}
	return text + " and the goods"
}

// describeTerms describes the outcome when the trade is not released.
func describeTerms(fallback types.Fallback) string {
	switch terms := fallback.(type) {
	case *types.Hold:
		return "unless it is released or both sign a split, everything stays locked"
	case *types.Meter:
		return "what is not released by confirm-by is settled by the meter's readings"
	case *types.Arbiter:
		return fmt.Sprintf("what is not released by confirm-by is divided by the arbiter %s", terms.Key)
	}
	return ""
}

func (a *Account) explainSplit(ctx *Context, e *Explanation, split *splitFields, trade *types.Trade) {
	e.Yours, e.Theirs = split.ToProducer, split.ToConsumer
	if e.Consumer {
		e.Yours, e.Theirs = split.ToConsumer, split.ToProducer
	}
	money := func(amount types.Amount) string { return ctx.money(e.Agreement.Asset, amount) }
	e.row("", "With your signature you end a trade:")
	explainGoods(ctx, e, &e.Agreement.Goods)
	a.explainParties(ctx, e)
	explainAsset(ctx, e, e.Agreement.Asset)
	e.row("phase", "%s, %d of %d instalments released", split.Phase, split.Released, e.Agreement.Instalments)
	e.row("locked", "%s", money(trade.LockedSum()))
	e.row("you get", "%s", money(e.Yours))
	e.row("they get", "%s", money(e.Theirs))
	e.row("", "Without the split: %s", describeOtherwise(ctx, e, split, trade))
}

// describeOtherwise describes the account's share if the split is not signed.
func describeOtherwise(ctx *Context, e *Explanation, split *splitFields, trade *types.Trade) string {
	agreement := e.Agreement
	money := func(amount types.Amount) string { return ctx.money(agreement.Asset, amount) }
	if split.Phase == types.PhasePaid {
		back := money(trade.LockedSum())
		if e.Consumer {
			return fmt.Sprintf("if the producer does not record a delivery by %s, you get back %s; if it does, the trade goes on.",
				ctx.moment(agreement.Deadlines.DeliverBy), back)
		}
		return fmt.Sprintf("you can record the delivery until %s; if you don't, the consumer gets back %s and you get nothing.",
			ctx.moment(agreement.Deadlines.DeliverBy), back)
	}
	consumers, _ := trade.Find(types.PartReturn)
	whole := trade.LockedSum() - consumers.Amount // payment and bond
	if e.Consumer {
		whole = consumers.Amount
	}
	text := fmt.Sprintf("when the trade is released you get %s;", money(whole))
	switch terms := agreement.Fallback.(type) {
	case *types.Meter:
		text += fmt.Sprintf(" if it is not by %s, the meter's readings decide.", ctx.moment(agreement.Deadlines.ConfirmBy))
	case *types.Arbiter:
		text += fmt.Sprintf(" if it is not by %s, the arbiter %s decides.", ctx.moment(agreement.Deadlines.ConfirmBy), terms.Key)
	case *types.Hold:
		text += " until then everything stays locked."
	}
	return text
}

// explainValidity lists the signatures so far, and the time for which they can be used.
func (a *Account) explainValidity(ctx *Context, e *Explanation, p *Proposal) {
	for _, key := range p.Signers() {
		who := key.String()
		if key == a.key {
			who = "you"
		}
		e.row("signed by", "%s", who)
	}
	e.row("open until", "%s, %s from now", ctx.moment(p.validUntil), p.validUntil.Since(ctx.BlockTime).Std().Round(time.Second))
	e.row("", "Until then anyone with both signatures can put it on the ledger, without asking you again.")
}
