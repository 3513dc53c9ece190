package wallet

import (
	"fmt"
	"slices"
	"strings"

	"lockstep/api/wire"
	"lockstep/types"
)

// Explanation is what a signature of the account would do, made from the transaction itself and not from what its sender
// says of it.
type Explanation struct {
	Effects    []Effect       // what the account's signature authorises
	Receives   []types.Output // explicit outputs to the account's key, paid by others
	ValidUntil types.Time
	Memo       string
	Missing    []types.PublicKey // who has still to sign, the account included
	Lines      []string          // all of it for a person
}

// Effect is one action that the signature would authorise.
type Effect struct {
	Action    types.Action // Agree, Pay or Split
	Agreement *types.Agreement
	Trade     types.TradeID
	Consumer  bool         // the account is the consumer of the trade, else its producer
	Yours     types.Amount // of a split: what the account gets
	Theirs    types.Amount // of a split: what the other party gets
	Text      string       // for a person
}

// String is the explanation for a person.
func (e *Explanation) String() string { return strings.Join(e.Lines, "\n") }

// Explain tells what signing a partial transaction of another party would do, and refuses one that the account should not
// or need not sign. Only agreements and splits can be completed: they spend none of the account's coins, so whatever
// else the transaction does is paid by others. The trades that it splits must be given, as a node shows them.
func (a *Account) Explain(ctx Context, p *Partial, trades ...*types.Trade) (*Explanation, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := a.checkSignable(&ctx, p); err != nil {
		return nil, err
	}
	body := &p.Tx.Body
	explained := &Explanation{ValidUntil: body.ValidUntil, Memo: body.Memo, Missing: p.Missing()}
	for _, action := range body.Actions {
		effect, err := a.explain(&ctx, action, explained.Effects, trades)
		if err != nil {
			return nil, err
		}
		for _, party := range []types.PublicKey{effect.Agreement.Producer, effect.Agreement.Consumer} {
			if !slices.Contains(p.Needs, party) {
				return nil, refuse(ReasonPartial, "it does not ask for the signature of %s, without which it can't be accepted", party)
			}
		}
		explained.Effects = append(explained.Effects, effect)
		explained.Lines = append(explained.Lines, effect.Text)
	}
	if len(explained.Effects) == 0 {
		return nil, refuse(ReasonPartial, "there is no agreement and no split in it: your signature is not needed")
	}
	for _, output := range body.Outputs {
		if lock, ok := output.Lock.(*types.KeyLock); ok && lock.Key == a.key {
			explained.Receives = append(explained.Receives, output)
			explained.Lines = append(explained.Lines, "You receive "+ctx.money(output.Asset, output.Amount)+".")
		}
	}
	if body.Memo != "" {
		explained.Lines = append(explained.Lines, fmt.Sprintf("It carries the memo %q.", body.Memo))
	}
	explained.Lines = append(explained.Lines, fmt.Sprintf("It can come on the ledger until %s.", body.ValidUntil))
	return explained, nil
}

// checkSignable is what must hold of the whole transaction.
func (a *Account) checkSignable(ctx *Context, p *Partial) error {
	body := &p.Tx.Body
	switch {
	case body.ChainID != ctx.Params.ChainID:
		return types.Refuse(types.CodeChain, "it is for chain %q, the node is on %q", body.ChainID, ctx.Params.ChainID)
	case body.ValidUntil < ctx.BlockTime:
		return types.Refuse(types.CodeExpired, "it was valid until %s: ask the other party to make it again", body.ValidUntil)
	case !slices.Contains(p.Needs, a.key):
		return refuse(ReasonPartial, "it does not ask for the signature of this account, %s", a.key)
	case p.hasSigned(a.key):
		return refuse(ReasonPartial, "this account has signed it already")
	}
	for _, input := range body.Inputs {
		ours := slices.ContainsFunc(ctx.Coins, func(coin wire.Coin) bool { return coin.Outpoint == input })
		if ours || a.reserve.has(input, ctx.BlockTime) {
			return refuse(ReasonPartial, "it spends your coin %s, which this wallet did not put into it: don't sign", input)
		}
	}
	return types.CheckText("memo", body.Memo, types.MaxMemo)
}

func (a *Account) explain(ctx *Context, action types.Action, before []Effect, trades []*types.Trade) (Effect, error) {
	switch action := action.(type) {
	case *types.Agree:
		return a.explainAgree(ctx, action)
	case *types.Split:
		return a.explainSplit(ctx, action, trades)
	case *types.Pay:
		return a.explainPay(ctx, action, before)
	case *types.Issue, *types.Redeem, *types.Post, *types.Cancel, *types.Take, *types.Deliver, *types.Release, *types.Settle, *types.Award,
		*types.Place, *types.Withdraw, *types.Reading, *types.Admit, *types.Enrol, *types.Exchange, *types.Retire:
	}
	return Effect{}, refuse(ReasonPartial, "it holds a step %q, which this wallet signs only when it makes it itself: don't sign",
		types.ActionKind(action))
}

func (a *Account) explainAgree(ctx *Context, agree *types.Agree) (Effect, error) {
	agreement := &agree.Agreement
	if err := a.checkAgreement(ctx, agreement); err != nil {
		return Effect{}, err
	}
	consumer := agreement.Consumer == a.key
	worst, err := WorstLoss(agreement, consumer)
	if err != nil {
		return Effect{}, err
	}
	money := func(amount types.Amount) string { return ctx.money(agreement.Asset, amount) }
	verb, other, risk := "sell", "to "+agreement.Consumer.String(), "and the goods"
	if agreement.Instalments > 1 {
		risk = fmt.Sprintf("and one instalment of %d of the goods, if you stop when one is not released", agreement.Instalments)
	}
	if consumer {
		verb, other, risk = "buy", "from "+agreement.Producer.String(), "if the goods don't come"
	}
	text := fmt.Sprintf("You agree to %s %d %s of %q for %s %s, with a deposit of %s and a bond of %s, in %d instalments; "+
		"pay by %s, deliver by %s, confirm by %s. %s At worst it costs you %s %s.",
		verb, agreement.Goods.Quantity, agreement.Goods.Unit, agreement.Goods.Commodity, money(agreement.Price), other,
		money(agreement.Deposit), money(agreement.Bond), agreement.Instalments,
		agreement.Deadlines.PayBy, agreement.Deadlines.DeliverBy, agreement.Deadlines.ConfirmBy,
		describeTerms(agreement.Fallback), money(worst.Money), risk)
	return Effect{Action: agree, Agreement: agreement, Trade: agreement.ID(), Consumer: consumer, Text: text}, nil
}

// describeTerms says what happens when the trade is not released.
func describeTerms(fallback types.Fallback) string {
	switch terms := fallback.(type) {
	case *types.Hold:
		return "Unless it is released or both agree to a split, everything stays locked."
	case *types.Meter:
		return "What is not released by then is settled by the meter's readings."
	case *types.Arbiter:
		return fmt.Sprintf("What is not released by then is divided by %s.", terms.Key)
	}
	return ""
}

func (a *Account) explainSplit(ctx *Context, split *types.Split, trades []*types.Trade) (Effect, error) {
	at := slices.IndexFunc(trades, func(t *types.Trade) bool { return checkTrade(split.Trade, t) == nil })
	if at < 0 {
		return Effect{}, refuse(ReasonPartial, "it splits trade %s, which was not looked up or is not on the ledger", split.Trade)
	}
	trade := trades[at]
	if err := a.checkSplit(ctx, split, trade); err != nil {
		return Effect{}, err
	}
	effect := Effect{
		Action: split, Agreement: &trade.Agreement, Trade: split.Trade, Consumer: trade.Agreement.Consumer == a.key,
		Yours: split.ToProducer, Theirs: split.ToConsumer,
	}
	if effect.Consumer {
		effect.Yours, effect.Theirs = split.ToConsumer, split.ToProducer
	}
	money := func(amount types.Amount) string { return ctx.money(trade.Agreement.Asset, amount) }
	effect.Text = fmt.Sprintf("You end trade %s: of the %s locked in it you get %s and the other party gets %s.",
		split.Trade, money(trade.LockedSum()), money(effect.Yours), money(effect.Theirs))
	return effect, nil
}

// explainPay accepts the other party's payment of what the same transaction agrees on. A payment by this account would
// come with a digest of the other party's, who could then release it alone.
func (a *Account) explainPay(ctx *Context, pay *types.Pay, before []Effect) (Effect, error) {
	at := slices.IndexFunc(before, func(e Effect) bool {
		_, agreed := e.Action.(*types.Agree)
		return agreed && e.Trade == pay.Trade
	})
	if at < 0 || before[at].Consumer {
		return Effect{}, refuse(ReasonPartial, "it pays for trade %s in your name: pay with this wallet instead", pay.Trade)
	}
	agreement := before[at].Agreement
	return Effect{
		Action: pay, Agreement: agreement, Trade: pay.Trade,
		Text: fmt.Sprintf("The other party locks %s and the deposit of %s at once.",
			ctx.money(agreement.Asset, agreement.Price), ctx.money(agreement.Asset, agreement.Deposit)),
	}, nil
}

// SignPartial adds the account's signature to a partial transaction that [Account.Explain] finds nothing wrong with.
// Show the user the explanation first.
func (a *Account) SignPartial(ctx Context, p *Partial, trades ...*types.Trade) (*Partial, error) {
	if _, err := a.Explain(ctx, p, trades...); err != nil {
		return nil, err
	}
	return p.with(a.sign(p.Tx)), nil
}
