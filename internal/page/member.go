package page

import (
	"lockstep/wallet"
)

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
