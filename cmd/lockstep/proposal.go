package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"lockstep/client/wire"
	"lockstep/internal/atomicfile"
	"lockstep/internal/plaintext"
	"lockstep/internal/table"
	"lockstep/trade"
	"lockstep/trade/words"
	"lockstep/types"
	"lockstep/wallet"
)

// The commands in which both parties sign: one writes the file of a proposal, the other signs it and sends both signatures. They
// sign the proposal itself and no transaction, so that a signature can't spend a coin of the signer.

// validFor sets how long a signature under a proposal is valid.
type validFor struct {
	ValidFor types.Duration `help:"Time for which your signature is valid, such as 10m; by default the most that the ledger allows." placeholder:"TIME"`
}

// known returns the wallet's view of the ledger for a proposal.
func (f *validFor) known(ctx context.Context, s *session) (wallet.Context, error) {
	known, err := s.known(ctx)
	known.Validity = s.params.MaxValidity
	switch {
	case f.ValidFor > s.params.MaxValidity:
		return known, misuse("--valid-for %s: this ledger takes signatures of at most %s", f.ValidFor, s.params.MaxValidity)
	case f.ValidFor > 0:
		known.Validity = f.ValidFor
	}
	return known, err
}

type tradeAgreeCmd struct {
	walletFlags
	termsFlags
	priceFlags
	validFor
	Producer *types.PublicKey `help:"The producer, if the consumer writes." placeholder:"KEY" xor:"other"`
	Consumer *types.PublicKey `help:"The consumer, if the producer writes." placeholder:"KEY" xor:"other"`
	Price    string           `help:"Price of all goods, such as 0.30, or by quantity, such as 30ct/kWh." required:"" placeholder:"PRICE"`
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
	known, err := c.known(ctx, s)
	if err != nil {
		return err
	}
	proposal, err := s.account.Propose(known, agreement)
	if err != nil {
		return err
	}
	odd := s.odd(ctx, &c.priceFlags, &agreement.Goods, agreement.Asset, unitPrice(&agreement))
	return s.propose(ctx, known, proposal, nil, c.Out, c.yesFlag, plan{ask: s.asked(words.AskSignAgreement), odd: odd})
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
	if agreement.Goods, agreement.Deadlines, agreement.Fallback, err = c.resolve(ctx, s, agreement.Producer); err != nil {
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
	return agreement, nil
}

type tradeSplitCmd struct {
	tradeFlags
	validFor
	yesFlag
	ToProducer string `help:"Amount for the producer." required:"" placeholder:"AMOUNT"`
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
	known, err := c.known(ctx, s)
	if err != nil {
		return err
	}
	proposal, err := s.account.ProposeSplit(known, c.Trade, &trade.Trade, toProducer, toConsumer)
	if err != nil {
		return err
	}
	return s.propose(ctx, known, proposal, &trade, c.Out, c.yesFlag, plan{ask: s.asked(words.AskSignSplit)})
}

// propose shows a proposal, asks for consent, signs it and writes the file for the other party.
func (s *session) propose(ctx context.Context, known wallet.Context, proposal *wallet.Proposal, t *wire.Trade, file string, yes yesFlag, p plan) error {
	explained, err := s.explain(ctx, known, proposal, t, &p)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(file); err == nil {
		return writeSecret(file, nil) // refuses, before anything is signed
	}
	if _, err := s.consent(yes, p, wallet.Cost{}); err != nil {
		return err
	}
	signed, err := s.account.SignProposal(known, proposal, recorded(t))
	if err != nil {
		return err
	}
	if err := writeSecret(file, signed.Encode()); err != nil {
		return fmt.Errorf("write the file for the other party: %w", err)
	}
	return s.written(signed, file, explained)
}

// explain adds all effects of a signature to a plan, to be shown with its question.
func (s *session) explain(ctx context.Context, known wallet.Context, proposal *wallet.Proposal, t *wire.Trade, p *plan) (*wallet.Explanation, error) {
	if t != nil {
		known.Reading = t.Reading
	}
	explained, err := s.account.Explain(known, proposal, recorded(t))
	if err != nil {
		return nil, err
	}
	width := 0
	for _, row := range explained.Rows {
		width = max(width, table.Width(row.Name))
	}
	for _, row := range explained.Rows {
		line := row.Text
		if row.Name != "" {
			line = table.Pad(row.Name, width+2) + row.Text
		}
		p.worst = append(p.worst, line)
	}
	if err := s.showMeter(ctx, p, &explained.Agreement.Goods); err != nil || explained.Split {
		return explained, err
	}
	claims, err := s.claimsBefore(ctx, explained.Agreement)
	p.worst = append(p.worst, claims...)
	return explained, err
}

// recorded returns the trade as the ledger records it; nil when it is not on the ledger.
func recorded(t *wire.Trade) *types.Trade {
	if t == nil {
		return nil
	}
	return &t.Trade
}

// writtenProposal is the result of a command that wrote the file of a proposal.
type writtenProposal struct {
	Trade      types.TradeID     `json:"trade"`
	File       string            `json:"file"`
	ValidUntil types.Time        `json:"valid_until"`
	Missing    []types.PublicKey `json:"missing"`
}

func (s *session) written(proposal *wallet.Proposal, file string, explained *wallet.Explanation) error {
	written := writtenProposal{proposal.Trade(), file, proposal.ValidUntil(), []types.PublicKey{}}
	for _, party := range []types.PublicKey{explained.Agreement.Producer, explained.Agreement.Consumer} {
		if !proposal.SignedBy(party) {
			written.Missing = append(written.Missing, party)
		}
	}
	return s.app.show(written, func(p *page) {
		p.line("Signed, valid until %s: trade %s.", stamp(written.ValidUntil), written.Trade)
		if len(written.Missing) == 0 {
			p.line("Both have signed %s; either of you sends it with: %s", file, s.next("trade sign", file))
			return
		}
		p.line("Send the other party %s. They sign it and send it to the ledger with: lockstep trade sign %s", file, file)
	})
}

type tradeSignCmd struct {
	walletFlags
	priceFlags
	namedAsset
	File string `arg:"" help:"File that the other party wrote." type:"existingfile"`
	Out  string `help:"Write the signed proposal to this file instead of sending it." type:"path" placeholder:"FILE"`
	Pay  bool   `help:"As the consumer: pay in the same transaction (E1)."`
	yesFlag
}

func (c *tradeSignCmd) Run(ctx context.Context, a *app) error {
	content, err := plaintext.ReadFile(c.File, wallet.MaxProposalBytes)
	if err != nil {
		return err
	}
	proposal, err := wallet.ParseProposal(content)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	s, err := a.session(ctx, &c.walletFlags)
	if err != nil {
		return err
	}
	known, err := s.known(ctx)
	if err != nil {
		return err
	}
	trade, err := s.tradeIfKnown(ctx, proposal.Trade())
	if err != nil {
		return err
	}
	if proposal.Complete() {
		return c.send(ctx, s, known, proposal, trade)
	}
	if agreement := proposal.Agreement(); agreement != nil {
		if err := s.vouch(ctx, agreement.Asset, c.Asset); err != nil {
			return err
		}
	}
	return c.sign(ctx, s, known, proposal, trade)
}

// tradeIfKnown looks a trade up; nil when it is not on the ledger.
func (s *session) tradeIfKnown(ctx context.Context, id types.TradeID) (*wire.Trade, error) {
	trade, err := s.node.Trade(ctx, id)
	switch code := types.CodeOf(err); {
	case code == types.CodeOK:
		return &trade, nil
	case code.Absent() || code == types.CodeTradeUnknown: // a node that keeps the history of a limited time can't tell a new trade from an old one
		return nil, nil
	}
	return nil, err
}

// asked returns the text of a question.
func (s *session) asked(key trade.Key) string { return s.printer(nil, types.PublicKey{}).Key(key) }

// sign shows the proposal, asks for consent, signs it, and sends it if both have signed.
func (c *tradeSignCmd) sign(ctx context.Context, s *session, known wallet.Context, proposal *wallet.Proposal, t *wire.Trade) error {
	p := plan{ask: s.asked(words.AskSign)}
	explained, err := s.explain(ctx, known, proposal, t, &p)
	if err != nil {
		return err
	}
	if agreement := proposal.Agreement(); agreement != nil {
		p.odd = s.odd(ctx, &c.priceFlags, &agreement.Goods, agreement.Asset, unitPrice(agreement))
	}
	if explained.Signed {
		return &wallet.Error{Reason: wallet.ReasonProposal, Detail: fmt.Sprintf(
			"you have signed %s already: send it to the other party, who signs it and sends it to the ledger", c.File)}
	}
	last := len(proposal.Signers()) == 1 && c.Out == ""
	cost := wallet.Cost{}
	if last {
		p.ask = s.asked(words.AskSignSend)
		if cost, err = c.cost(s, known, proposal); err != nil {
			return err
		}
		if c.Pay {
			p.ask = s.asked(words.AskSignPay)
		}
	}
	leave, err := s.consent(c.yesFlag, p, cost)
	if err != nil {
		return err
	}
	signed, err := s.account.SignProposal(known, proposal, recorded(t))
	if err != nil {
		return err
	}
	if last {
		return c.record(ctx, s, known, signed, recorded(t), leave)
	}
	out := c.Out
	if out == "" {
		out = c.File
	}
	if err := atomicfile.Replace(out, signed.Encode()); err != nil {
		return fmt.Errorf("write the signed proposal: %w", err)
	}
	return s.written(signed, out, explained)
}

// send submits a proposal that both have signed before: for a party whose transaction did not reach the ledger, or for anyone
// else.
func (c *tradeSignCmd) send(ctx context.Context, s *session, known wallet.Context, proposal *wallet.Proposal, t *wire.Trade) error {
	if c.Out != "" {
		return misuse("both have signed %s: omit --out to send it", c.File)
	}
	if t != nil && proposal.Agreement() != nil {
		return types.Refuse(types.CodeTradeExists, "the agreement is on the ledger already: trade %s is %s", proposal.Trade(), trade.PhaseAt(&t.Trade, known.Clock))
	}
	cost, err := c.cost(s, known, proposal)
	if err != nil {
		return err
	}
	p := plan{ask: s.asked(words.AskSend) + s.asked(words.Colon) + proposal.Trade().String()}
	if c.Pay { // so the account is the consumer's
		if err := s.vouch(ctx, proposal.Agreement().Asset, c.Asset); err != nil {
			return err
		}
		if _, err := s.explain(ctx, known, proposal, t, &p); err != nil {
			return err
		}
		p.odd = s.odd(ctx, &c.priceFlags, &proposal.Agreement().Goods, proposal.Agreement().Asset, unitPrice(proposal.Agreement()))
		p.ask = s.asked(words.AskSendPay)
	}
	leave, err := s.consent(c.yesFlag, p, cost)
	if err != nil {
		return err
	}
	return c.record(ctx, s, known, proposal, recorded(t), leave)
}

// cost returns the cost of sending the proposal: the fee, and with --pay the payment.
func (c *tradeSignCmd) cost(s *session, known wallet.Context, proposal *wallet.Proposal) (wallet.Cost, error) {
	d := s.account.Draft(known)
	if c.Pay {
		if err := d.PayProposed(proposal); err != nil {
			return wallet.Cost{}, err
		}
	}
	return d.Cost(), nil
}

// record sends the transaction that records a proposal which both have signed.
func (c *tradeSignCmd) record(ctx context.Context, s *session, known wallet.Context, proposal *wallet.Proposal, t *types.Trade, leave leave) error {
	d := s.account.Draft(known)
	if err := d.Record(proposal, t); err != nil {
		return err
	}
	done := s.asked(words.SignedAndSent)
	if c.Pay {
		if err := d.PayProposed(proposal); err != nil {
			return err
		}
		w := s.printer(nil, types.PublicKey{})
		done = w.Full(done) + words.Upper(w.Key(trade.DonePaid))
	}
	if err := s.signer.Fund(ctx, d); err != nil {
		return err
	}
	tx, err := d.Sign()
	if err != nil {
		return err
	}
	receipt, err := s.submit(ctx, tx, leave)
	if types.CodeOf(err) == types.CodeTradeExists {
		return errors.Join(err, fmt.Errorf("someone else with both signatures has sent them: see %s", s.next("trade show", proposal.Trade().String())))
	}
	if err != nil {
		return err
	}
	return s.done(ctx, proposal.Trade(), receipt, done)
}

type walletSignaturesCmd struct{ walletFlags }

// openSignature is a signature that can still be used.
type openSignature struct {
	Account    uint32          `json:"account"`
	Trade      types.TradeID   `json:"trade"`
	Proposal   string          `json:"proposal"` // "agreement" or "split"
	What       string          `json:"what"`     // for a person
	Other      types.PublicKey `json:"other"`    // the other party
	ValidUntil types.Time      `json:"valid_until"`
}

func (c *walletSignaturesCmd) Run(ctx context.Context, a *app) error {
	s, err := a.session(ctx, &c.walletFlags)
	if err != nil {
		return err
	}
	open := []openSignature{}
	for _, signed := range s.wallet.Signed(s.status.BlockTime) {
		proposal := signed.Proposal
		trade, err := s.tradeIfKnown(ctx, proposal.Trade())
		if err != nil {
			return err
		}
		if !proposal.Open(s.status.BlockTime, s.status.Clock, recorded(trade)) {
			continue
		}
		key, err := s.wallet.KeyAt(signed.Account)
		if err != nil {
			return err
		}
		open = append(open, s.describeSigned(signed.Account, key, proposal, recorded(trade)))
	}
	return a.show(map[string]any{"signatures": open}, func(p *page) {
		if len(open) == 0 {
			p.line("No signature of this wallet is open.")
			return
		}
		p.line("Anyone with both signatures can put these on the ledger without asking you again:")
		for _, o := range open {
			p.line("")
			p.row("trade", o.Trade.String())
			p.row("signed", o.What)
			p.row("with", o.Other.String())
			p.row("until", stamp(o.ValidUntil))
		}
	})
}

func (s *session) describeSigned(account uint32, key types.PublicKey, proposal *wallet.Proposal, trade *types.Trade) openSignature {
	open := openSignature{Account: account, Trade: proposal.Trade(), Proposal: "agreement", ValidUntil: proposal.ValidUntil()}
	agreement := proposal.Agreement()
	if agreement != nil {
		open.What = fmt.Sprintf("agreement on %s for %s", describeGoods(&words.Printer{}, &agreement.Goods), s.money(agreement.Asset, agreement.Price))
	} else {
		agreement = &trade.Agreement
		toProducer, toConsumer := proposal.Shares()
		open.Proposal = "split"
		open.What = fmt.Sprintf("split: %s to the producer, %s to the consumer", s.money(agreement.Asset, toProducer), s.money(agreement.Asset, toConsumer))
	}
	open.Other = agreement.Producer
	if key == agreement.Producer {
		open.Other = agreement.Consumer
	}
	return open
}

// shares divides the locked money of a trade: the given sum to the producer, the rest to the consumer.
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
