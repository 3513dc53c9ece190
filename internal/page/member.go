package page

import (
	"errors"
	"html/template"
	"net/http"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/trade"
	"lockstep/types"
	"lockstep/wallet"
)

// homeView is the content of the member's first page.
type homeView struct {
	Waiting  []tradeRow
	Notes    []tradeRow
	Balances []wire.Balance
	Incoming []incoming
	Running  int
	Flowing  []flowRow
	Sells    string // power that is sold in this slot
	Buys     string
	Slot     string
	More     bool
}

// incoming is a sum that is locked in trades and due to the member.
type incoming struct {
	Asset  types.AssetID
	Sum    types.Amount
	Trades int
	Last   types.Time
}

// flowRow is a metered trade of the present slot.
type flowRow struct {
	tradeRow
	Quantity string
	Read     string
	Sells    bool
	watt     uint64
}

func (c *screen) home() error {
	if !c.SignedIn() {
		return c.redirect("/start")
	}
	c.Nav, c.Live, c.Title = "now", "key:"+c.self.String(), string(c.T("nav.now"))
	c.Status, c.Down = c.facts.status(c.r.Context())
	view := homeView{}
	if err := c.look(&view); err != nil {
		return err
	}
	balances, err := c.ask().Balances(c.r.Context(), c.self, client.Page{Limit: mostOver})
	if err != nil {
		return err
	}
	view.Balances = c.sorted(balances.Balances)
	return c.render("now", &view)
}

// sorted puts the assets that the member or the community knows first.
func (c *screen) sorted(balances []wire.Balance) []wire.Balance {
	var known, others []wire.Balance
	for _, b := range balances {
		if b.Spendable == 0 && b.Locked == 0 {
			continue
		}
		asset, found := c.facts.asset(c.r.Context(), b.Asset)
		if found && (asset.Recognised || c.trusts(&asset.Asset)) {
			known = append(known, b)
		} else {
			others = append(others, b)
		}
	}
	return append(known, others...)
}

// look goes through the member's open trades.
func (c *screen) look(v *homeView) error {
	open, err := c.ask().Trades(c.r.Context(), c.self, true, client.Page{Limit: mostOpen})
	if err != nil {
		return err
	}
	v.More = open.Next != ""
	var sold, bought uint64
	for i := range open.Trades {
		t := &open.Trades[i]
		a := &t.Trade.Agreement
		status := trade.StatusAt(&t.Trade, t.Clock, t.Reading, c.self)
		if !trade.Running(status.Phase) && status.Phase != types.PhaseAgreed {
			continue
		}
		row := c.openRow(t, &status)
		switch {
		case waitsFor(t, c.self):
			row.Next = c.sentence(c.printer(a), status.Else...)
			row.Phase, _ = c.printer(a).Headline(&status)
			v.Waiting = append(v.Waiting, row)
		default:
			v.Running++
		}
		if c.flow(a, &status) == "flowing" {
			flow := flowRow{tradeRow: row, Quantity: c.Quantity(a.Goods.Quantity, a.Goods.Unit), Read: c.Quantity(t.Reading, a.Goods.Unit), Sells: a.Producer == c.self}
			if span := uint64(a.Goods.Until.Since(a.Goods.From)); span > 0 {
				flow.watt = a.Goods.Quantity * 3_600_000 / span
			}
			if flow.Sells {
				sold += flow.watt
			} else {
				bought += flow.watt
			}
			v.Slot = c.Slot(a.Goods.From, a.Goods.Until)
			v.Flowing = append(v.Flowing, flow)
		}
		v.Incoming = addIncoming(v.Incoming, &t.Trade, &status)
	}
	v.Sells, v.Buys = power(sold), power(bought)
	return nil
}

// power writes watts in kW.
func power(watt uint64) string {
	if watt == 0 {
		return ""
	}
	const kilo = 1000
	return grouped(watt/kilo) + "." + string(rune('0'+watt%kilo/100)) + string(rune('0'+watt%100/10)) + space + "kW"
}

// addIncoming adds the payment that is locked in a trade and goes to the viewer by the release.
func addIncoming(list []incoming, t *types.Trade, s *trade.Status) []incoming {
	if s.Viewer != trade.Producer || s.Phase != types.PhaseDelivered {
		return list
	}
	payment, ok := t.Find(types.PartPayment)
	if !ok {
		return list
	}
	for i := range list {
		if list[i].Asset == t.Agreement.Asset {
			list[i].Sum = list[i].Sum.Saturate(payment.Amount)
			list[i].Trades++
			list[i].Last = max(list[i].Last, s.Turn.Until)
			return list
		}
	}
	return append(list, incoming{t.Agreement.Asset, payment.Amount, 1, s.Turn.Until})
}

// walletView is the content of the wallet's page.
type walletView struct {
	Balances []wire.Balance
	Incoming []incoming
	Bar      template.HTML
	Code     template.HTML // the key as a QR code
	Key      types.PublicKey
	Locked   []lockedRow
	More     bool
	Fee      bool
	Send     sendForm
}

// lockedRow is money of the member in a trade.
type lockedRow struct {
	tradeRow
	Part string
}

func (c *screen) wallet() error { return c.walletWith(&sendForm{}, nil) }

// walletWith shows the wallet with a payment as it was typed, and why it can't be made.
func (c *screen) walletWith(typed *sendForm, wrong error) error {
	if !c.SignedIn() {
		return c.noWallet()
	}
	c.Nav, c.Live, c.Title = "wallet", "key:"+c.self.String(), string(c.T("nav.wallet"))
	c.Status, c.Down = c.facts.status(c.r.Context())
	view := walletView{Key: c.self, Send: *typed}
	if wrong != nil {
		view.Send.Error, c.code = wrong.Error(), http.StatusUnprocessableEntity
		if refusal := (*types.Refusal)(nil); errors.As(wrong, &refusal) {
			view.Send.Error = refusal.Detail
		}
	}
	balances, err := c.ask().Balances(c.r.Context(), c.self, client.Page{Limit: mostOver})
	if err != nil {
		return err
	}
	view.Balances, view.More = c.sorted(balances.Balances), balances.Next != ""
	open, err := c.ask().Trades(c.r.Context(), c.self, true, client.Page{Limit: mostOpen})
	if err != nil {
		return err
	}
	for i := range open.Trades {
		t := &open.Trades[i]
		a := &t.Trade.Agreement
		status := trade.StatusAt(&t.Trade, t.Clock, t.Reading, c.self)
		view.Incoming = addIncoming(view.Incoming, &t.Trade, &status)
		for _, held := range status.Locked {
			if trade.Running(status.Phase) && trade.PutIn(&t.Trade, held.Part) == c.self {
				row := lockedRow{c.openRow(t, &status), c.W(trade.PartKey(held.Part))}
				row.Sum = c.Money(a.Asset, held.Amount)
				view.Locked = append(view.Locked, row)
			}
		}
	}
	if len(view.Balances) > 0 {
		first := &view.Balances[0]
		var coming float64
		for _, in := range view.Incoming {
			if in.Asset == first.Asset {
				coming = float64(in.Sum)
			}
		}
		view.Bar = bar("share tall", c.Plain("wallet.bar"), barPart{"k-open", float64(first.Spendable)}, barPart{"k-lock", float64(first.Locked)}, barPart{"k-coming", coming})
	}
	if view.Code, err = qrCode(c.self.String(), c.Plain("wallet.qr")); err != nil {
		return err
	}
	params, err := c.ask().Params(c.r.Context())
	if err != nil {
		return err
	}
	view.Fee = params.MinFee > 0 && params.FeeAsset != types.AssetID{}
	return c.render("wallet", &view)
}

// settingsView is the content of the settings.
type settingsView struct {
	File     string
	Ledger   wallet.PinnedLedger
	Used     bool
	Limits   wallet.Limits
	Trusted  []wallet.TrustedAsset
	Sessions int
	Idle     string
	Accounts []wallet.AccountInfo
}

func (c *screen) settings() error {
	if !c.SignedIn() {
		return c.noWallet()
	}
	c.Nav, c.Title = "settings", string(c.T("nav.settings"))
	opened := c.member.unlocked()
	view := settingsView{
		File: c.member.File, Limits: opened.Limits(), Trusted: opened.Trusted(), Sessions: c.sessions.count(),
		Idle: c.Plain("time.minutes", "n", int(c.sessions.idle.Minutes())), Accounts: opened.Accounts(),
	}
	view.Ledger, view.Used = opened.Ledger()
	return c.render("settings", &view)
}

// noWallet is the error of a page that needs a wallet.
func (c *screen) noWallet() error {
	return &wallet.Error{Reason: wallet.ReasonMissing, Detail: c.Plain("wallet.none", "file", c.member.File)}
}
