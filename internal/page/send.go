package page

import (
	"context"
	"fmt"
	"html/template"
	"strings"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/types"
	"lockstep/wallet"
)

// doTrust adds an asset to those that the member trusts.
func (c *screen) doTrust() error {
	id, asset, err := c.assetOf()
	if err != nil {
		return err
	}
	label := strings.TrimSpace(c.r.PostFormValue("label"))
	if label != "" {
		if err := wallet.CheckLabel(label); err != nil {
			return types.Refuse(types.CodeMalformed, "%v", err)
		}
	}
	if err := c.member.unlocked().Trust(asset.Asset, label); err != nil {
		return err
	}
	return c.redirect("/assets/" + id.String())
}

// sendForm holds the typed fields of a payment.
type sendForm struct {
	To, Amount, Asset, Memo string
	Error                   string
}

// askSend asks about a payment. A field that can't be read leads back to the form, with everything that was typed.
func (c *screen) askSend() error {
	form := sendForm{To: c.r.FormValue("to"), Amount: c.r.FormValue("amount"), Asset: c.r.FormValue("asset"), Memo: c.r.FormValue("memo")}
	to, asset, amount, err := c.payment(&form)
	if err != nil {
		return c.walletWith(&form, err)
	}
	c.Nav = "wallet"
	c.Status, c.Down = c.facts.status(c.r.Context())
	q := &question{
		Title: c.T("ask.send", "sum", c.Money(asset, amount), "name", c.Name(to)), Action: "/send", Yes: c.T("yes.send"), Back: "/wallet",
		Fields: [][2]string{{"to", to.String()}, {"amount", form.Amount}, {"asset", asset.String()}, {"memo", form.Memo}},
		Lines:  []template.HTML{c.T("send.key", "key", to.String()), c.T("send.final")},
	}
	if form.Memo != "" {
		q.Lines = append(q.Lines, c.T("send.public", "memo", form.Memo))
	}
	if err := c.fee(q, func(account *client.Account) (*wallet.Draft, error) {
		d, err := account.Draft(c.r.Context())
		if err != nil {
			return nil, err
		}
		return d, draftPayment(d, to, asset, amount, form.Memo)
	}); err != nil {
		return c.walletWith(&form, err)
	}
	return c.asked(q)
}

func draftPayment(d *wallet.Draft, to types.PublicKey, asset types.AssetID, amount types.Amount, memo string) error {
	if err := d.Send(to, asset, amount); err != nil {
		return err
	}
	return d.Memo(memo)
}

// payment reads the form of a payment.
func (c *screen) payment(form *sendForm) (to types.PublicKey, asset types.AssetID, amount types.Amount, err error) {
	if to, err = c.keyOf(form.To); err != nil {
		return to, asset, 0, err
	}
	if to == c.self {
		return to, asset, 0, c.tell(types.CodeMalformed, "send.yourself")
	}
	if err = asset.UnmarshalText([]byte(form.Asset)); err != nil {
		return to, asset, 0, err
	}
	amount, err = c.amount(asset, form.Amount)
	return to, asset, amount, err
}

// doSend pays.
func (c *screen) doSend() error {
	form := sendForm{To: c.r.PostFormValue("to"), Amount: c.r.PostFormValue("amount"), Asset: c.r.PostFormValue("asset"), Memo: c.r.PostFormValue("memo")}
	to, asset, amount, err := c.payment(&form)
	if err != nil {
		return err
	}
	var receipt wire.Receipt
	err = c.once(func(ctx context.Context, account *client.Account) (err error) {
		receipt, err = account.Do(ctx, func(d *wallet.Draft) error { return draftPayment(d, to, asset, amount, form.Memo) })
		return err
	})
	if err != nil {
		return err
	}
	return c.redirect(fmt.Sprintf("/transactions/%s", receipt.Tx))
}
