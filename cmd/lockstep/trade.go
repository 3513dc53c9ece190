package main

import (
	"context"
	"fmt"

	"lockstep/client/wire"
	"lockstep/internal/light"
	"lockstep/trade"
	"lockstep/types"
	"lockstep/wallet"
)

type tradeCmd struct {
	Take    tradeTakeCmd    `cmd:"" help:"Take a quantity of an offer and pay for it (E1)."`
	Agree   tradeAgreeCmd   `cmd:"" help:"Write and sign an agreement, for the other party to sign."`
	Pay     tradePayCmd     `cmd:"" help:"Pay for an agreed trade (E1)."`
	Deliver tradeDeliverCmd `cmd:"" help:"As the producer: turn the deposit into the return and lock the bond (E2)."`
	Release tradeReleaseCmd `cmd:"" help:"As the consumer, once the goods have arrived: publish the secret (E3)."`
	Key     tradeKeyCmd     `cmd:"" help:"As the consumer: write the key of an instalment to a file, to hand over off the ledger."`
	Collect tradeCollectCmd `cmd:"" help:"Collect your money from a trade (E4). Never urgent: the money can be spent without it."`
	Refund  tradeRefundCmd  `cmd:"" help:"As the consumer, after deliver-by: take payment and deposit back."`
	Split   tradeSplitCmd   `cmd:"" help:"Divide the locked money by agreement of both: sign a split, and write a file for the other party to sign."`
	Sign    tradeSignCmd    `cmd:"" help:"Sign the proposal of the other party, and send it."`
	Settle  tradeSettleCmd  `cmd:"" help:"Under meter terms, after confirm-by: settle by the readings."`
	Award   tradeAwardCmd   `cmd:"" help:"As the arbiter, after confirm-by: divide the locked money."`
	List    tradeListCmd    `cmd:"" help:"List your trades."`
	Show    tradeShowCmd    `cmd:"" help:"Print a trade's timeline: the locked money, the deadlines, and whose turn it is."`
	Watch   tradeWatchCmd   `cmd:"" help:"Print the events of your trades as they happen."`
}

// tradeFlags name a trade and the wallet to act with.
type tradeFlags struct {
	walletFlags
	Trade types.TradeID `arg:"" help:"The trade's id."`
}

// begin opens a session and looks the trade up.
func (c *tradeFlags) begin(ctx context.Context, a *app) (*session, wire.Trade, error) {
	s, err := a.session(ctx, &c.walletFlags)
	if err != nil {
		return nil, wire.Trade{}, err
	}
	trade, err := s.node.Trade(ctx, c.Trade)
	return s, trade, err
}

// done prints a trade after a step of the user.
func (s *session) done(ctx context.Context, id types.TradeID, receipt wire.Receipt, what string) error {
	t, err := s.trade(ctx, id)
	if err != nil {
		return err
	}
	result := struct {
		Receipt wire.Receipt `json:"receipt"`
		Trade   wire.Trade   `json:"trade"`
	}{receipt, t}
	return s.app.show(result, func(p *page) {
		p.line("%s\n", s.printer(&t, s.viewer()).Full(what))
		s.timeline(p, &t)
	})
}

// step drafts one action of a trade, asks for consent and sends it.
func (c *tradeFlags) step(ctx context.Context, a *app, yes yesFlag, do func(s *session, d *wallet.Draft, trade *wire.Trade) (plan, error)) error {
	s, trade, err := c.begin(ctx, a)
	if err != nil {
		return err
	}
	d, err := s.draft(ctx)
	if err != nil {
		return err
	}
	p, err := do(s, d, &trade)
	if err != nil {
		return err
	}
	receipt, err := s.send(ctx, d, yes, p)
	if err != nil {
		return err
	}
	return s.done(ctx, c.Trade, receipt, p.done)
}

// namedAsset names the asset that the user expects in an offer or a proposal of others.
type namedAsset struct {
	Asset string `help:"Refuse any other asset of the payment; name an asset of an unknown issuer by its whole id." placeholder:"ASSET"`
}

type tradeTakeCmd struct {
	walletFlags
	namedAsset
	priceFlags
	Offer    types.OfferID `arg:"" help:"The offer's id."`
	Quantity string        `help:"Quantity, such as 2kWh; a number alone counts units. By default all that remains." placeholder:"QUANTITY"`
	yesFlag
}

func (c *tradeTakeCmd) Run(ctx context.Context, a *app) error {
	s, err := a.session(ctx, &c.walletFlags)
	if err != nil {
		return err
	}
	offer, err := s.node.Offer(ctx, c.Offer)
	if err != nil {
		return err
	}
	amount := offer.Remaining
	if c.Quantity != "" {
		if amount, err = parseQuantity("--quantity", c.Quantity, offer.Offer.Goods.Unit); err != nil {
			return err
		}
	}
	if err := s.vouch(ctx, offer.Offer.Asset, c.Asset); err != nil {
		return err
	}
	d, err := s.draft(ctx)
	if err != nil {
		return err
	}
	agreement, err := d.Take(c.Offer, &offer.Offer, amount)
	if err != nil {
		return err
	}
	p := s.payment(agreement, true)
	if err := s.showClaims(ctx, &p, agreement); err != nil {
		return err
	}
	p.odd = s.odd(ctx, &c.priceFlags, &agreement.Goods, agreement.Asset, exactly(offer.Offer.Price))
	receipt, err := s.send(ctx, d, c.yesFlag, p)
	if err != nil {
		return err
	}
	return s.done(ctx, agreement.ID(), receipt, p.done)
}

// payment returns the plan to lock the price and the deposit of an agreement (E1).
func (s *session) payment(agreement *types.Agreement, takes bool) plan {
	w := s.agreementPrinter(agreement, s.status.Clock, s.viewer())
	p := planOf(w, trade.ConsentToPay(agreement, takes))
	withMeterHint(w, agreement, p.worst)
	return p
}

type tradePayCmd struct {
	tradeFlags
	yesFlag
}

func (c *tradePayCmd) Run(ctx context.Context, a *app) error {
	return c.step(ctx, a, c.yesFlag, func(s *session, d *wallet.Draft, t *wire.Trade) (plan, error) {
		p := s.payment(&t.Trade.Agreement, false)
		if err := s.showClaims(ctx, &p, &t.Trade.Agreement); err != nil {
			return p, err
		}
		return p, d.Pay(c.Trade, &t.Trade)
	})
}

type tradeDeliverCmd struct {
	tradeFlags
	yesFlag
	proofFlags
}

func (c *tradeDeliverCmd) Run(ctx context.Context, a *app) error {
	return c.step(ctx, a, c.yesFlag, func(s *session, d *wallet.Draft, t *wire.Trade) (p plan, err error) {
		w := s.agreementPrinter(&t.Trade.Agreement, s.status.Clock, s.viewer())
		p = planOf(w, trade.ConsentToDeliver(&t.Trade))
		withMeterHint(w, &t.Trade.Agreement, p.worst)
		if err = d.Deliver(c.Trade, &t.Trade); err == nil {
			p.checked, err = s.prove(ctx, light.Deliver, t, c.proofFlags)
		}
		return p, err
	})
}

type tradeCollectCmd struct {
	tradeFlags
	yesFlag
}

func (c *tradeCollectCmd) Run(ctx context.Context, a *app) error {
	return c.step(ctx, a, c.yesFlag, func(s *session, d *wallet.Draft, now *wire.Trade) (plan, error) {
		t := &now.Trade
		return s.spending(t), d.Collect(c.Trade, t)
	})
}

// spending returns the plan to spend the account's parts of a trade.
func (s *session) spending(t *types.Trade) plan {
	w := s.agreementPrinter(&t.Agreement, s.status.Clock, s.viewer())
	return planOf(w, trade.ConsentToSpend(t, s.viewer(), s.status.Clock))
}

type tradeRefundCmd struct {
	tradeFlags
	yesFlag
}

func (c *tradeRefundCmd) Run(ctx context.Context, a *app) error {
	return c.step(ctx, a, c.yesFlag, func(s *session, d *wallet.Draft, now *wire.Trade) (plan, error) {
		t := &now.Trade
		if err := trade.May(t, trade.MoveRefund, s.status.Clock); err != nil {
			return plan{}, fmt.Errorf("%w; a refund is possible after deliver-by (%s) if nothing was delivered", err, t.Agreement.Deadlines.DeliverBy)
		}
		return s.spending(t), d.Collect(c.Trade, t)
	})
}

type tradeSettleCmd struct {
	tradeIDFlags
	yesFlag
}

// tradeIDFlags name a trade for a command that needs no wallet.
type tradeIDFlags struct {
	Trade types.TradeID `arg:"" help:"The trade's id."`
}

func (c *tradeSettleCmd) Run(ctx context.Context, a *app) error {
	s, err := a.visitor(ctx)
	if err != nil {
		return err
	}
	t, err := s.trade(ctx, c.Trade)
	if err != nil {
		return err
	}
	p := planOf(s.printer(&t, s.viewer()), trade.ConsentToSettle(&t.Trade, t.Reading))
	receipt, err := s.sendUnsigned(ctx, types.NewSettle(s.params.ChainID, c.Trade), c.yesFlag, p)
	if err != nil {
		return err
	}
	return s.done(ctx, c.Trade, receipt, p.done)
}

type tradeAwardCmd struct {
	tradeFlags
	yesFlag
	ToProducer string `help:"Amount for the producer; the consumer gets the rest." required:"" placeholder:"AMOUNT"`
}

func (c *tradeAwardCmd) Run(ctx context.Context, a *app) error {
	return c.step(ctx, a, c.yesFlag, func(s *session, d *wallet.Draft, now *wire.Trade) (plan, error) {
		t := &now.Trade
		toProducer, toConsumer, err := s.shares(&wire.Trade{Trade: *t}, c.ToProducer)
		if err != nil {
			return plan{}, err
		}
		w := s.agreementPrinter(&t.Agreement, s.status.Clock, s.viewer())
		return planOf(w, trade.ConsentToAward(toProducer, toConsumer)), d.Award(c.Trade, t, toProducer, toConsumer)
	})
}
