package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"lockstep/client/wire"
	"lockstep/trade"
	"lockstep/trade/words"
	"lockstep/types"
	"lockstep/wallet"
)

// yesFlag accepts the question of a command in advance.
type yesFlag struct {
	Yes bool `help:"Don't ask." short:"y"`
}

// plan describes a step that moves its user's money or commits its user, before it is signed.
type plan struct {
	ask   string   // the question without its mark: "Pay 1.00 EUR to lk1..."
	worst []string // the worst losses, in sentences
	// checked are the facts that were checked by proof, and those that were not, in sentences.
	checked []string
	done    string // the report afterwards, without its full stop
	odd     string // a price that is far from the market's, which -y does not accept
	// free: it moves and locks no money, so that only a fee is a reason to ask.
	free bool
}

// leave is the user's consent to sign and send. Only [session.consent] grants it, so no command does either before it has asked
// its user.
type leave struct{ given bool }

// consent asks the user to accept a plan at a cost. No other function asks: every step that moves or locks money is shown with
// its worst loss, and needs an answer on the terminal or -y.
func (s *session) consent(yes yesFlag, p plan, cost wallet.Cost) (leave, error) {
	ask := p.ask + s.feeText(&cost)
	needed := !p.free || cost.Fee.Amount > 0
	if !s.JSON || needed && !yes.Yes {
		lines := slices.Concat(p.checked, p.worst)
		if s.late != "" {
			lines = append(lines, s.late)
		}
		for _, line := range lines {
			fmt.Fprintln(s.err, line)
		}
	}
	if p.odd != "" {
		accepted, err := s.answer(strings.ToUpper(p.odd[:1])+p.odd[1:]+". Do you mean it", "say so with --odd-price; -y is not enough")
		if err != nil {
			return leave{}, err
		}
		if !accepted {
			return leave{}, notAccepted()
		}
	}
	if yes.Yes || !needed {
		if cost.Fee.Amount > 0 && !s.JSON {
			fmt.Fprintf(s.err, "%s.\n", ask)
		}
		return leave{true}, nil
	}
	accepted, err := s.answer(ask, "add -y to say yes beforehand")
	if err != nil {
		return leave{}, err
	}
	if !accepted {
		return leave{}, notAccepted()
	}
	return leave{true}, nil
}

func notAccepted() error {
	return &wallet.Error{Reason: wallet.ReasonConsent, Detail: "you did not say yes: nothing was signed or sent"}
}

// answer asks a question on the terminal. Without a terminal it refuses, and names the flag that replaces the answer.
func (a *app) answer(ask, instead string) (yes bool, err error) {
	in, ok := terminal(a.in)
	if !ok {
		return false, &wallet.Error{Reason: wallet.ReasonConsent, Detail: fmt.Sprintf(
			"%s? There is no terminal to ask you on, so nothing was signed or sent: %s", ask, instead)}
	}
	fmt.Fprint(a.err, (&words.Printer{Language: a.language()}).Fill(words.YesOrNo, ask))
	text, err := readLine(in)
	text = strings.ToLower(strings.TrimSpace(text))
	return text == "y" || text == "yes", err
}

// readLine reads one line and no byte after it, which may belong to the answer to the next question.
func readLine(in io.Reader) (string, error) {
	var line []byte
	for next := make([]byte, 1); len(line) < maxLine; {
		n, err := in.Read(next)
		if n > 0 && next[0] == '\n' || errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
		line = append(line, next[:n]...)
	}
	return string(line), nil
}

// maxLine bounds an answer.
const maxLine = 1024

// feeText formats the fee of a transaction, and the total with it.
func (s *session) feeText(cost *wallet.Cost) string {
	if cost.Fee.Amount == 0 {
		return ""
	}
	w := s.printer(nil, types.PublicKey{})
	text := w.Fill(words.Fee, s.money(cost.Fee.Asset, cost.Fee.Amount))
	for _, moved := range cost.Moved {
		if total, ok := cost.Total(moved.Asset); ok {
			text += w.Fill(words.Total, s.money(moved.Asset, total))
		}
	}
	return text
}

// transact opens a session, drafts a transaction with do, asks for consent and sends it.
func (a *app) transact(ctx context.Context, f *walletFlags, yes yesFlag, do func(s *session, d *wallet.Draft) (plan, error)) error {
	s, err := a.session(ctx, f)
	if err != nil {
		return err
	}
	d, err := s.draft(ctx)
	if err != nil {
		return err
	}
	p, err := do(s, d)
	if err != nil {
		return err
	}
	receipt, err := s.send(ctx, d, yes, p)
	if err != nil {
		return err
	}
	return a.show(receipt, func(page *page) {
		page.line("%s.", p.done)
		page.line("Transaction %s, %s at height %d.", receipt.Tx, receipt.Status, receipt.Height)
	})
}

// send asks for consent, signs a draft, sends it and waits until it is on the ledger.
func (s *session) send(ctx context.Context, d *wallet.Draft, yes yesFlag, p plan) (wire.Receipt, error) {
	if err := s.signer.Fund(ctx, d); err != nil { // before the user is asked
		return wire.Receipt{}, err
	}
	leave, err := s.consent(yes, p, d.Cost())
	if err != nil {
		return wire.Receipt{}, err
	}
	tx, err := d.Sign()
	if err != nil {
		return wire.Receipt{}, err
	}
	return s.submit(ctx, tx, leave)
}

// sendUnsigned asks for consent, sends a transaction that needs no signature and waits until it is on the ledger.
func (s *session) sendUnsigned(ctx context.Context, tx *types.Tx, yes yesFlag, p plan) (wire.Receipt, error) {
	leave, err := s.consent(yes, p, wallet.Cost{})
	if err != nil {
		return wire.Receipt{}, err
	}
	return s.submit(ctx, tx, leave)
}

// submit sends a transaction and waits until it is on the ledger. A transaction that is still pending then is no failure: it can
// be sent again, or waited for.
func (s *session) submit(ctx context.Context, tx *types.Tx, leave leave) (wire.Receipt, error) {
	if !leave.given {
		return wire.Receipt{}, errors.New("the transaction was not sent: its user was not asked")
	}
	defer s.tellWhileWaiting(ctx)()
	return s.node.Submit(ctx, tx)
}

// planOf returns the plan to make a move of a trade, as package trade asks for consent.
func planOf(w *words.Printer, c trade.Consent) plan {
	return plan{ask: w.Question(&c), worst: sentences(w, c.Risks...), done: words.Upper(w.Text(c.Done))}
}

func sentences(w *words.Printer, messages ...trade.Message) []string {
	lines := make([]string, len(messages))
	for i, message := range messages {
		lines[i] = w.Sentence(message)
	}
	return lines
}

// risks states the terms of an agreement and the worst loss of each side, and how energy would be metered.
func (s *session) risks(a *types.Agreement) []string {
	w := s.agreementPrinter(a, s.status.Clock, s.viewer())
	return withMeterHint(w, a, sentences(w, trade.Risks(a, trade.Consumer, trade.Producer)...))
}

// withMeterHint adds to the first line, on hold terms for energy, how to have meter terms.
func withMeterHint(w *words.Printer, a *types.Agreement, lines []string) []string {
	if _, hold := a.Fallback.(*types.Hold); hold && a.Goods.Unit == types.UnitWattHour {
		lines[0] += " " + w.Key(words.MeterToo)
	}
	return lines
}
