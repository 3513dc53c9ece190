package main

import (
	"context"
	"fmt"

	"lockstep/api/wire"
	"lockstep/internal/atomicfile"
	"lockstep/internal/plaintext"
	"lockstep/types"
	"lockstep/wallet"
)

type tradeCmd struct {
	Take    tradeTakeCmd    `cmd:"" help:"Take a quantity of an offer and pay for it (E1)."`
	Agree   tradeAgreeCmd   `cmd:"" help:"Write an agreement with somebody, for both to sign."`
	Pay     tradePayCmd     `cmd:"" help:"Pay for an agreed trade (E1)."`
	Deliver tradeDeliverCmd `cmd:"" help:"As the producer: turn the deposit into the return and lock the bond (E2)."`
	Release tradeReleaseCmd `cmd:"" help:"As the consumer, when the goods are there: show the secret (E3)."`
	Key     tradeKeyCmd     `cmd:"" help:"As the consumer: write the key of an instalment to a file, to hand over off the ledger."`
	Collect tradeCollectCmd `cmd:"" help:"Spend to oneself what a trade has left to one (E4). Never urgent: such money is spendable as it is."`
	Refund  tradeRefundCmd  `cmd:"" help:"As the consumer, after deliver-by: take payment and deposit back."`
	Split   tradeSplitCmd   `cmd:"" help:"Divide what is locked as both wish: write a file for the other to sign."`
	Sign    tradeSignCmd    `cmd:"" help:"Sign what the other party wrote, and send it."`
	Settle  tradeSettleCmd  `cmd:"" help:"Under meter terms, after confirm-by: settle by what was read."`
	Award   tradeAwardCmd   `cmd:"" help:"As the arbiter, after confirm-by: divide what is locked."`
	List    tradeListCmd    `cmd:"" help:"List one's trades."`
	Show    tradeShowCmd    `cmd:"" help:"Print a trade's timeline: what is locked, until when, and whose turn it is."`
	Watch   tradeWatchCmd   `cmd:"" help:"Print what happens to one's trades, as it happens."`
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

// done tells what became of a trade after a step of one's own.
func (s *session) done(ctx context.Context, id types.TradeID, receipt wire.Receipt, what string) error {
	trade, err := s.node.Trade(ctx, id)
	if err != nil {
		return err
	}
	result := struct {
		Receipt wire.Receipt `json:"receipt"`
		Trade   wire.Trade   `json:"trade"`
	}{receipt, trade}
	return s.app.show(result, func(p *page) {
		p.line("%s.\n", what)
		s.timeline(p, &trade)
	})
}

// step drafts one thing about a trade, asks for leave and sends it.
func (c *tradeFlags) step(ctx context.Context, a *app, yes yesFlag, do func(s *session, d *wallet.Draft, trade *types.Trade) (plan, error)) error {
	s, trade, err := c.begin(ctx, a)
	if err != nil {
		return err
	}
	d, err := s.draft(ctx)
	if err != nil {
		return err
	}
	p, err := do(s, d, &trade.Trade)
	if err != nil {
		return err
	}
	receipt, err := s.send(ctx, d, yes, p)
	if err != nil {
		return err
	}
	return s.done(ctx, c.Trade, receipt, p.done)
}

// namedAsset names the asset that the user means in something that others wrote.
type namedAsset struct {
	Asset string `help:"Only if it is paid in this asset; one of an unknown issuer is named by its whole id." placeholder:"ASSET"`
}

type tradeTakeCmd struct {
	walletFlags
	namedAsset
	priceFlags
	Offer    types.OfferID `arg:"" help:"The offer's id."`
	Quantity string        `help:"How much, such as 2kWh; a number alone counts units. By default all that is left." placeholder:"QUANTITY"`
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
	p := s.payment(agreement, "Take")
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

// payment is the plan to lock the price and the deposit of an agreement (E1).
func (s *session) payment(agreement *types.Agreement, verb string) plan {
	return plan{
		ask: fmt.Sprintf("%s %s for %s and a deposit of %s", verb, describeGoods(&agreement.Goods),
			s.money(agreement.Asset, agreement.Price), s.money(agreement.Asset, agreement.Deposit)),
		worst: s.worstOf(agreement), done: "Paid: payment and deposit are locked (E1)",
	}
}

type tradeAgreeCmd struct {
	walletFlags
	termsFlags
	priceFlags
	Producer *types.PublicKey `help:"The producer, if the consumer writes." placeholder:"KEY" xor:"other"`
	Consumer *types.PublicKey `help:"The consumer, if the producer writes." placeholder:"KEY" xor:"other"`
	Price    string           `help:"Price of all of it, such as 0.30, or by quantity, such as 30ct/kWh." required:"" placeholder:"PRICE"`
	Deposit  string           `help:"Deposit." required:"" placeholder:"AMOUNT"`
	Bond     string           `help:"Bond that the producer stakes." default:"0" placeholder:"AMOUNT"`
	Out      string           `help:"File to write for the other party." required:"" type:"path" placeholder:"FILE"`
}

func (c *tradeAgreeCmd) Run(ctx context.Context, a *app) error {
	if (c.Producer == nil) == (c.Consumer == nil) {
		return misuse("name the other party: --producer KEY or --consumer KEY")
	}
	s, err := a.session(ctx, &c.walletFlags)
	if err != nil {
		return err
	}
	agreement, err := c.agreement(ctx, s)
	if err != nil {
		return err
	}
	d, err := s.partDraft(ctx)
	if err != nil {
		return err
	}
	record := d.Agree
	if c.Producer != nil {
		record = d.AgreeAndPay // the consumer writes: one exchange of signatures is enough
	}
	id, err := record(agreement)
	if err != nil {
		return err
	}
	p := s.payment(&agreement, "Sign the agreement on")
	if err := s.showClaims(ctx, &p, &agreement); err != nil {
		return err
	}
	p.odd = s.odd(ctx, &c.priceFlags, &agreement.Goods, agreement.Asset, unitPrice(&agreement))
	return s.writePart(ctx, d, id, c.Out, c.yesFlag, p, "Trade %s needs the other party's signature.")
}

func (c *tradeAgreeCmd) agreement(ctx context.Context, s *session) (types.Agreement, error) {
	asset, err := s.asset(ctx, c.Asset)
	if err != nil {
		return types.Agreement{}, err
	}
	agreement := types.Agreement{Asset: asset.ID(), Instalments: c.Instalments, Producer: s.account.Key(), Consumer: s.account.Key()}
	if c.Producer != nil {
		agreement.Producer = *c.Producer
	} else {
		agreement.Consumer = *c.Consumer
	}
	if agreement.Goods, agreement.Deadlines, err = c.describe(s.status.Clock, &s.params); err != nil {
		return agreement, err
	}
	if agreement.Price, err = priceOfAll("--price", c.Price, &agreement.Goods, &asset); err != nil {
		return agreement, err
	}
	for _, sum := range []struct {
		text string
		to   *types.Amount
	}{{c.Deposit, &agreement.Deposit}, {c.Bond, &agreement.Bond}} {
		if *sum.to, err = parseAmount(sum.text, asset.Decimals); err != nil {
			return agreement, err
		}
	}
	agreement.Fallback, err = c.fallback()
	return agreement, err
}

// writePart asks for leave, signs one's part of a transaction and writes the file that the other party completes.
func (s *session) writePart(ctx context.Context, d *wallet.Draft, id types.TradeID, file string, yes yesFlag, p plan, what string) error {
	if err := s.fund(ctx, d); err != nil {
		return err
	}
	if _, err := s.consent(yes, p, d.Cost()); err != nil {
		return err
	}
	partial, err := d.SignPart()
	if err != nil {
		return err
	}
	if err := writeSecret(file, partial.Encode()); err != nil {
		return fmt.Errorf("write the file for the other party: %w", err)
	}
	written := struct {
		Trade types.TradeID     `json:"trade"`
		Tx    types.TxID        `json:"tx"`
		File  string            `json:"file"`
		Needs []types.PublicKey `json:"missing"`
	}{id, partial.Tx.ID(), file, partial.Missing()}
	return s.app.show(written, func(p *page) {
		p.line(what, id)
		p.line("Send them %s; they complete it with: lockstep trade sign %s", file, file)
	})
}

type tradePayCmd struct {
	tradeFlags
	yesFlag
}

func (c *tradePayCmd) Run(ctx context.Context, a *app) error {
	return c.step(ctx, a, c.yesFlag, func(s *session, d *wallet.Draft, trade *types.Trade) (plan, error) {
		p := s.payment(&trade.Agreement, "Pay for")
		if err := s.showClaims(ctx, &p, &trade.Agreement); err != nil {
			return p, err
		}
		return p, d.Pay(c.Trade, trade)
	})
}

type tradeDeliverCmd struct {
	tradeFlags
	yesFlag
}

func (c *tradeDeliverCmd) Run(ctx context.Context, a *app) error {
	return c.step(ctx, a, c.yesFlag, func(s *session, d *wallet.Draft, trade *types.Trade) (plan, error) {
		agreement := &trade.Agreement
		p := plan{
			ask:   fmt.Sprintf("Deliver %s for %s and lock your bond of %s", describeGoods(&agreement.Goods), s.money(agreement.Asset, agreement.Price), s.money(agreement.Asset, agreement.Bond)),
			worst: s.worstOf(agreement)[1:], done: "Delivered: the deposit became the return, locked like the payment (E2)",
		}
		return p, d.Deliver(c.Trade, trade)
	})
}

type tradeCollectCmd struct {
	tradeFlags
	yesFlag
}

func (c *tradeCollectCmd) Run(ctx context.Context, a *app) error {
	return c.step(ctx, a, c.yesFlag, func(_ *session, d *wallet.Draft, trade *types.Trade) (plan, error) {
		return plan{
			ask:  fmt.Sprintf("Spend to yourself all that trade %s has left to you", c.Trade),
			done: "Collected: it is plain money of yours now",
		}, d.Collect(c.Trade, trade)
	})
}

type tradeRefundCmd struct {
	tradeFlags
	yesFlag
}

func (c *tradeRefundCmd) Run(ctx context.Context, a *app) error {
	return c.step(ctx, a, c.yesFlag, func(s *session, d *wallet.Draft, trade *types.Trade) (plan, error) {
		agreement := &trade.Agreement
		if phase := trade.PhaseAt(s.status.Clock); phase != types.PhaseRefunded {
			return plan{}, types.Refuse(types.CodePhase, "the trade is %s: a refund comes when deliver-by (%s) has passed with nothing delivered",
				phase, agreement.Deadlines.DeliverBy)
		}
		return plan{
			ask:  fmt.Sprintf("Take back the payment of %s and the deposit of %s", s.money(agreement.Asset, agreement.Price), s.money(agreement.Asset, agreement.Deposit)),
			done: "Refunded: payment and deposit are yours again",
		}, d.Collect(c.Trade, trade)
	})
}

type tradeSplitCmd struct {
	tradeFlags
	yesFlag
	ToProducer string `help:"What the producer gets." required:"" placeholder:"AMOUNT"`
	Out        string `help:"File to write for the other party." required:"" type:"path" placeholder:"FILE"`
}

func (c *tradeSplitCmd) Run(ctx context.Context, a *app) error {
	s, trade, err := c.begin(ctx, a)
	if err != nil {
		return err
	}
	toProducer, toConsumer, err := s.shares(&trade, c.ToProducer)
	if err != nil {
		return err
	}
	d, err := s.partDraft(ctx)
	if err != nil {
		return err
	}
	if err := d.Split(c.Trade, &trade.Trade, toProducer, toConsumer); err != nil {
		return err
	}
	return s.writePart(ctx, d, c.Trade, c.Out, c.yesFlag, s.division("Sign the split", &trade.Trade, toProducer, toConsumer, ""),
		"The split of trade %s needs the other party's signature.")
}

// division is the plan to divide all that a trade has locked.
func (s *session) division(verb string, trade *types.Trade, toProducer, toConsumer types.Amount, done string) plan {
	asset := trade.Agreement.Asset
	return plan{
		ask:   fmt.Sprintf("%s: %s to the producer and %s to the consumer", verb, s.money(asset, toProducer), s.money(asset, toConsumer)),
		worst: []string{"A division ends the trade and can't be taken back."}, done: done,
	}
}

// shares divides what a trade has locked: so much to the producer, the rest to the consumer.
func (s *session) shares(trade *wire.Trade, text string) (toProducer, toConsumer types.Amount, err error) {
	asset, err := s.assets.of(trade.Trade.Agreement.Asset)
	if err != nil {
		return 0, 0, err
	}
	if toProducer, err = parseAmount(text, asset.Decimals); err != nil {
		return 0, 0, err
	}
	locked := trade.Trade.LockedSum()
	toConsumer, ok := locked.Sub(toProducer)
	if !ok {
		return 0, 0, types.Refuse(types.CodeSplit, "only %s is locked in the trade", s.money(trade.Trade.Agreement.Asset, locked))
	}
	return toProducer, toConsumer, nil
}

type tradeSignCmd struct {
	walletFlags
	namedAsset
	File string `arg:"" help:"File that the other party wrote." type:"existingfile"`
	Out  string `help:"Where to write it if it needs yet another signature; by default over the file." type:"path" placeholder:"FILE"`
	yesFlag
}

func (c *tradeSignCmd) Run(ctx context.Context, a *app) error {
	content, err := plaintext.ReadFile(c.File, wallet.MaxPartialBytes)
	if err != nil {
		return err
	}
	partial, err := wallet.ParsePartial(content)
	if err != nil {
		return err
	}
	s, err := a.session(ctx, &c.walletFlags)
	if err != nil {
		return err
	}
	trades, err := s.splitTrades(ctx, partial.Tx)
	if err != nil {
		return err
	}
	known, err := s.known(ctx)
	if err != nil {
		return err
	}
	if known.Coins, err = s.ownInputs(ctx, partial.Tx); err != nil {
		return err
	}
	explanation, err := s.account.Explain(known, partial, trades...)
	if err != nil {
		return err
	}
	if !a.JSON {
		fmt.Fprintln(a.err, explanation)
	}
	p := plan{ask: "Sign it"}
	for _, effect := range explanation.Effects {
		if agree, ok := effect.Action.(*types.Agree); ok {
			if err := s.vouch(ctx, agree.Agreement.Asset, c.Asset); err != nil {
				return err
			}
			p.worst = append(p.worst, s.worstOf(&agree.Agreement)...)
			if err := s.showClaims(ctx, &p, &agree.Agreement); err != nil {
				return err
			}
		}
	}
	leave, err := s.consent(c.yesFlag, p, wallet.Cost{})
	if err != nil {
		return err
	}
	signed, err := s.account.SignPartial(known, partial, trades...)
	if err != nil {
		return err
	}
	return c.pass(ctx, s, signed, leave)
}

// ownInputs looks up the inputs of a transaction that are the account's to spend.
func (s *session) ownInputs(ctx context.Context, tx *types.Tx) (coins []wire.Coin, err error) {
	for _, input := range tx.Body.Inputs {
		output, err := s.node.Output(ctx, input)
		switch {
		case types.CodeOf(err) == types.CodeNotFound: // the ledger refuses it
		case err != nil:
			return nil, err
		case output.Owner != nil && *output.Owner == s.account.Key():
			coins = append(coins, wire.Coin{Outpoint: input, Asset: output.Output.Asset, Amount: output.Output.Amount})
		}
	}
	return coins, nil
}

// splitTrades looks up the trades that a transaction splits.
func (s *session) splitTrades(ctx context.Context, tx *types.Tx) ([]*types.Trade, error) {
	var trades []*types.Trade
	for _, action := range tx.Body.Actions {
		if split, ok := action.(*types.Split); ok {
			trade, err := s.node.Trade(ctx, split.Trade)
			if err != nil {
				return nil, err
			}
			trades = append(trades, &trade.Trade)
		}
	}
	return trades, nil
}

// pass sends a transaction that all have signed, or writes it for the next.
func (c *tradeSignCmd) pass(ctx context.Context, s *session, signed *wallet.Partial, leave leave) error {
	tx, complete := signed.Complete()
	if !complete {
		out := c.Out
		if out == "" {
			out = c.File
		}
		if err := atomicfile.Replace(out, signed.Encode()); err != nil {
			return fmt.Errorf("write the file for the next to sign: %w", err)
		}
		return s.app.show(map[string]any{"file": out, "missing": signed.Missing()}, func(p *page) {
			p.line("Signed. %s needs %d more signature(s).", out, len(signed.Missing()))
		})
	}
	receipt, err := s.submit(ctx, tx, leave)
	if err != nil {
		return err
	}
	return s.app.show(receipt, func(p *page) {
		p.line("Signed by all and sent.\nTransaction %s, %s at height %d.", receipt.Tx, receipt.Status, receipt.Height)
	})
}

type tradeSettleCmd struct {
	tradeIDFlags
	yesFlag
}

// tradeIDFlags name a trade for something that needs no wallet.
type tradeIDFlags struct {
	Trade types.TradeID `arg:"" help:"The trade's id."`
}

func (c *tradeSettleCmd) Run(ctx context.Context, a *app) error {
	s, err := a.visitor(ctx)
	if err != nil {
		return err
	}
	p := plan{
		ask:   fmt.Sprintf("Settle trade %s by what was read", c.Trade),
		worst: []string{"A settlement divides all that the trade has locked and can't be taken back."}, done: "Settled by what was read",
	}
	receipt, err := s.sendUnsigned(ctx, types.NewSettle(s.params.ChainID, c.Trade), c.yesFlag, p)
	if err != nil {
		return err
	}
	return s.done(ctx, c.Trade, receipt, p.done)
}

type tradeAwardCmd struct {
	tradeFlags
	yesFlag
	ToProducer string `help:"What the producer gets; the consumer gets the rest." required:"" placeholder:"AMOUNT"`
}

func (c *tradeAwardCmd) Run(ctx context.Context, a *app) error {
	return c.step(ctx, a, c.yesFlag, func(s *session, d *wallet.Draft, trade *types.Trade) (plan, error) {
		toProducer, toConsumer, err := s.shares(&wire.Trade{Trade: *trade}, c.ToProducer)
		if err != nil {
			return plan{}, err
		}
		return s.division("Award", trade, toProducer, toConsumer, "Awarded"), d.Award(c.Trade, trade, toProducer, toConsumer)
	})
}
