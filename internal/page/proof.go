package page

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"strings"
	"time"

	"lockstep/client/wire"
	"lockstep/internal/light"
	"lockstep/internal/receipt"
	"lockstep/trade"
	"lockstep/types"
	"lockstep/wallet"
)

// proofPatience bounds the wait for a proof that a page only shows.
const proofPatience = 2 * time.Second

// receiptPath is the page that checks receipts.
const receiptPath = "/receipt"

// checking returns the client that checks the member's node by proof, from the header that the wallet trusts on.
func (k *keeper) checking(ctx context.Context) (*light.Client, error) {
	account, err := k.acting(ctx)
	if err != nil {
		return nil, err
	}
	opened := k.unlocked()
	k.mu.Lock()
	defer k.mu.Unlock()
	if ledger := account.Ledger(); k.checks == nil || k.checked != ledger {
		config := light.Config{Genesis: ledger.Genesis}
		if opened != nil && !k.practising() {
			config = light.ConfigOf(opened, ledger.Genesis)
		}
		k.checks, k.checked = light.New(k.node, config), ledger
	}
	return k.checks, nil
}

// proved tells whether the state of a trade is checked by proof; empty for a reader without a wallet.
func (c *screen) proved(t *wire.Trade) template.HTML {
	if !c.SignedIn() || c.member == nil {
		return ""
	}
	ctx, stop := context.WithTimeout(c.r.Context(), proofPatience)
	defer stop()
	checks, err := c.member.checking(ctx)
	var proof *light.Proof
	var newest light.Header
	if err == nil {
		newest, err = checks.Newest(ctx)
	}
	if err == nil {
		proof, err = checks.Shown(ctx, t.ID, &t.Trade, t.Height)
	}
	if err != nil {
		return c.T("proof.said", "why", plainReason(err))
	}
	text := c.T("proof.checked", "h", c.Count(proof.Outcome.Height))
	if old := newest.Stale(checks.Now()); old != nil {
		text += " " + c.T("proof.old", "why", plainReason(old))
	}
	return text
}

func plainReason(err error) string { return strings.TrimSuffix(detail(err), ".") }

// stepOf is the step of a move that wants a proof; empty for others.
func stepOf(move string) light.Step {
	switch move {
	case strings.TrimPrefix(trade.MoveDeliver.String(), "move."):
		return light.Deliver
	case strings.TrimPrefix(trade.MoveRelease.String(), "move."):
		return light.Release
	}
	return ""
}

// prove judges a step by proof. The line names the proof; without one it is empty, and doubt gives the reason.
func (c *screen) prove(ctx context.Context, t *wire.Trade, move string) (line, doubt template.HTML, err error) {
	step := stepOf(move)
	if step == "" {
		return "", "", nil
	}
	checks, err := c.member.checking(ctx)
	if err != nil {
		return "", "", err
	}
	opened := c.member.unlocked()
	if opened == nil {
		return "", "", &wallet.Error{Reason: wallet.ReasonPassphrase, Detail: "the wallet is locked: sign in first"}
	}
	found, err := checks.Check(ctx, step, t, opened, c.self)
	if err != nil {
		if _, lies := errors.AsType[*light.Lie](err); lies {
			return "", "", err
		}
		return "", c.T("proof.none", "why", plainReason(err)), nil
	}
	if err := light.Refusal(found.Verdicts); err != nil {
		return "", "", err
	}
	if !c.member.practising() {
		if err := checks.Keep(opened); err != nil {
			return "", "", err
		}
	}
	line = c.T("proof.checked", "h", c.Count(found.Proof.Outcome.Height))
	if found.Old != nil {
		line += " " + c.T("proof.old", "why", plainReason(found.Old))
	}
	return line, "", nil
}

// mustProve refuses a step without a proof, unless the form says that it is meant.
func (c *screen) mustProve(ctx context.Context, t *wire.Trade, move string) error {
	_, doubt, err := c.prove(ctx, t, move)
	if err == nil && doubt != "" && c.r.PostFormValue("odd") != "yes" {
		err = &wallet.Error{Reason: wallet.ReasonConsent, Detail: plainText(doubt) + " " + c.Plain("odd.refused")}
	}
	return err
}

// receiptView is the content of the page of a receipt.
type receiptView struct {
	Trade    string // whose receipt it is, if it is not one that the reader brought
	Text     string
	Error    string
	Checked  bool
	Holds    bool
	Story    []rawRow
	Verdicts []verdictRow
}

// showReceipt shows the receipt of a trade, or sends its file.
func (c *screen) showReceipt() error {
	t, _, err := c.tradeOf()
	if err != nil {
		return err
	}
	proof, err := c.ask().TradeProof(c.r.Context(), t.ID)
	if err != nil {
		return err
	}
	r := receipt.Of(t.ID, &proof)
	if c.r.URL.Query().Get("file") != "" {
		header := c.w.Header()
		header.Set("Content-Type", "text/plain; charset=utf-8")
		header.Set("Content-Disposition", `attachment; filename="`+t.ID.String()[:12]+`.receipt"`)
		_, _ = c.w.Write([]byte(r.Text())) // a reader who leaves needs none
		return nil
	}
	c.Title = string(c.T("receipt.title"))
	view := &receiptView{Trade: t.ID.String()}
	if err := c.checkReceipt(view, r); err != nil {
		return err
	}
	return c.render("receipt", view)
}

func (c *screen) receipt() error {
	c.Nav, c.Title = "explorer", string(c.T("receipt.title"))
	return c.render("receipt", &receiptView{})
}

// judgeReceipt checks a receipt that the reader brings.
func (c *screen) judgeReceipt() error {
	c.Nav, c.Title = "explorer", string(c.T("receipt.title"))
	view := new(receiptView)
	text, _, err := c.evidenceText()
	if err == nil {
		if len(text) < 64<<10 { // what was typed stays
			view.Text = string(text)
		}
		var r *receipt.Receipt
		if r, err = receipt.Parse(strings.ReplaceAll(strings.TrimSpace(string(text)), "\r\n", "\n") + "\n"); err == nil {
			err = c.checkReceipt(view, r)
		}
	}
	if err != nil {
		view.Error, c.code = detail(err), http.StatusUnprocessableEntity
	}
	return c.render("receipt", view)
}

// checkReceipt checks a receipt by the headers of the ledger: a member's from the header that the wallet trusts on, others from the genesis of this node on.
func (c *screen) checkReceipt(view *receiptView, r *receipt.Receipt) error {
	c.Status, c.Down = c.facts.status(c.r.Context())
	checks := light.New(c.ask(), light.Config{Genesis: c.Status.Genesis})
	if c.SignedIn() && c.member != nil {
		var err error
		if checks, err = c.member.checking(c.r.Context()); err != nil {
			return err
		}
	}
	if !c.judging.begin(c.r.Context()) {
		return types.Refuse(types.CodeUnavailable, "%s", c.Plain("evidence.busy"))
	}
	defer c.judging.end()
	checked := r.Verify(checks.Headers(c.r.Context()))
	if checked.Unchecked != nil { // nothing speaks against the receipt
		view.Error, c.code = detail(checked.Unchecked), http.StatusUnprocessableEntity
		return nil
	}
	view.Checked, view.Holds = true, checked.OK()
	for _, verdict := range checked.Verdicts {
		row := verdictRow{
			Kind: "open", Check: c.Plain("receipt.part." + verdict.Part), State: c.Plain("evidence.holds"), Why: c.Plain("receipt.holds." + verdict.Part), Details: verdict.Text,
		}
		if !verdict.OK {
			row.Kind, row.State, row.Why = "other", c.Plain("evidence.fails"), ""
		}
		view.Verdicts = append(view.Verdicts, row)
	}
	if view.Holds && checked.Story != nil {
		view.Story = c.raw(&wire.Trade{ID: r.Trade, Trade: *checked.Story})
	} else if view.Holds && checked.Step != nil {
		view.Story = []rawRow{
			{c.Plain("raw.trade"), template.HTML(escape(checked.Step.Trade.String()))},
			{c.Upper(c.W(trade.EventKey(checked.Step.Event.Kind()))), template.HTML(escape(c.Stamp(checked.Outcome.At)))},
			{c.Plain("raw.block"), template.HTML(escape(c.number(checked.Outcome.Height)))},
		}
	}
	return nil
}
