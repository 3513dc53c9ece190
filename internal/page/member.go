package page

import (
	"strings"

	"lockstep/types"
	"lockstep/wallet"
)

// settingsView is the content of the settings.
type settingsView struct {
	File     string
	Ledger   wallet.PinnedLedger
	Used     bool
	Limits   wallet.Limits
	Trusted  []wallet.TrustedAsset
	Header   headerView
	Sessions int
	Idle     string
	Accounts []wallet.AccountInfo
	Agent    *agentView
	Meters   []meterRow
	Points   []pointRow
}

// meterRow is a meter with its live value.
type meterRow struct {
	Name, Value, Age string
	Trouble          string
}

// pointRow is a connection point of the member on the ledger.
type pointRow struct {
	ID             types.PointID
	Serial, Form   string
	Import, Export string
	Retired        bool
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
	view.Header = c.headerOf(opened)
	c.Status, c.Down = c.facts.status(c.r.Context())
	view.Agent = c.agentPanel()
	if c.member.Agent != nil {
		c.Live = "key:" + c.self.String()
		for _, m := range c.member.Agent.State().Meters {
			row := meterRow{Name: m.Name, Trouble: c.trouble(m.Trouble)}
			if m.Trouble == "" {
				row.Value, row.Age = signedPower(m.Watts), c.At(m.At)
			}
			view.Meters = append(view.Meters, row)
		}
	}
	points, err := c.ask().KeyPoints(c.r.Context(), c.self)
	if err != nil {
		return err
	}
	for i := range points.Points {
		one := &points.Points[i]
		row := pointRow{ID: one.ID, Retired: one.Point.RetiredAt != 0, Import: "–", Export: "–"}
		if m, known := one.Point.MeterAt(c.Status.BlockTime); known {
			row.Serial, row.Form = m.Serial, m.Form.String()
			if len(m.Import) > 0 {
				row.Import = strings.Join(m.Import, " + ")
			}
			if len(m.Export) > 0 {
				row.Export = strings.Join(m.Export, " + ")
			}
		}
		view.Points = append(view.Points, row)
	}
	return c.render("settings", &view)
}

// signedPower writes the power at a meter: from the grid into the home with a plus.
func signedPower(watts int64) string {
	switch {
	case watts < 0:
		return minus + orZero(power(uint64(-watts)))
	case watts > 0:
		return "+" + orZero(power(uint64(watts)))
	}
	return orZero("")
}

// noWallet is the error of a page that needs a wallet.
func (c *screen) noWallet() error {
	return &wallet.Error{Reason: wallet.ReasonMissing, Detail: c.Plain("wallet.none", "file", c.member.File)}
}
