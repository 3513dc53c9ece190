package page

import (
	"context"
	"net/http"
	"strings"

	"lockstep/internal/light"
	"lockstep/wallet"
)

// headerView is the header that the wallet trusts, and a form to trust another.
type headerView struct {
	Pin, Day string // empty without one
	Typed    string // of a form that failed
	Wrong    string // the failure
}

func (c *screen) headerOf(opened *wallet.Wallet) (v headerView) {
	if header, pinned := opened.Header(); pinned {
		pin := light.Pin{Height: header.Height, Hash: header.Hash}
		v.Pin, v.Day = pin.String(), c.Day(header.Time)
	}
	if c.wrongHeader != nil {
		v.Typed, v.Wrong = c.r.PostFormValue("header"), c.Upper(c.explain(c.wrongHeader))
	}
	return v
}

// doTrustHeader makes a header that the member has from somebody else the one that the wallet trusts. After a failure the form shows it, with the typed text.
func (c *screen) doTrustHeader() error {
	pin, err := light.ParsePin(strings.TrimSpace(c.r.PostFormValue("header")))
	if err == nil {
		err = c.member.trust(c.r.Context(), pin)
	}
	if err != nil {
		c.wrongHeader, c.code = err, http.StatusUnprocessableEntity
		return c.settings()
	}
	return c.redirect("/settings#header")
}

// trust makes a header the one that the wallet trusts, once the node has shown it with the signatures of its validators.
func (k *keeper) trust(ctx context.Context, pin light.Pin) error {
	account, err := k.acting(ctx)
	if err != nil {
		return err
	}
	opened := k.unlocked()
	if opened == nil || k.practising() {
		return &wallet.Error{Reason: wallet.ReasonMissing, Detail: "no wallet of this ledger is open: sign in first"}
	}
	checks := light.New(k.node, light.Config{Genesis: account.Ledger().Genesis, Pin: pin})
	if _, err := checks.At(ctx, pin.Height); err != nil {
		return err
	}
	if err := checks.Trust(opened); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.checks = nil
	return nil
}
