package page

import (
	"html/template"

	"lockstep/client/wire/history"
	"lockstep/types"
)

// wrongRow is a group of trades of a day that ended otherwise than by a release, for one reason and by one party.
type wrongRow struct {
	Title template.HTML
	Text  template.HTML
	Path  string // of the trade, or of all of them
	Count int

	kind               string
	by, other          types.PublicKey
	asset              types.AssetID
	unit               string
	price, deposit     types.Amount
	bond               types.Amount
	quantity, allotted types.Total
	first              types.Time
	excused            int
}

const mostWrong = 8

// blame names the reason for which a trade ended otherwise, and the party that missed its step; empty for a trade that did not. A split is
// the wish of both.
func blame(t *history.Trade) (kind string, by, other types.PublicKey) {
	switch t.Phase {
	case types.PhaseLapsed:
		return "lapsed", t.Consumer, t.Producer
	case types.PhaseRefunded:
		return "refunded", t.Producer, t.Consumer
	case types.PhaseSettled:
		if t.Allotted >= t.Quantity {
			return "kept", t.Consumer, t.Producer
		}
		return "short", t.Producer, t.Consumer
	case types.PhaseSplit:
		return "split", t.Producer, t.Consumer
	case types.PhaseAwarded:
		return "awarded", t.Producer, t.Consumer
	}
	return "", by, other
}

// wrong groups the trades of a day that ended otherwise, the newest first.
func (c *screen) wrong(trades []history.Trade) (rows []wrongRow) {
	for i := range trades {
		t := &trades[i]
		kind, by, other := blame(t)
		if kind == "" {
			continue
		}
		at := -1
		for j := range rows {
			if r := &rows[j]; r.kind == kind && r.by == by && r.asset == t.Product.Asset && r.unit == t.Product.Unit {
				at = j
			}
		}
		if at < 0 {
			if len(rows) == mostWrong {
				continue
			}
			rows = append(rows, wrongRow{kind: kind, by: by, other: other, asset: t.Product.Asset, unit: t.Product.Unit, Path: "/trades/" + t.ID.String(), first: t.EndedAt})
			at = len(rows) - 1
		}
		r := &rows[at]
		r.Count++
		r.price, r.deposit, r.bond = r.price.Saturate(t.Price), r.deposit.Saturate(t.Deposit), r.bond.Saturate(t.Bond)
		r.quantity, r.allotted = r.quantity.Add(types.TotalOf(t.Quantity)), r.allotted.Add(types.TotalOf(t.Allotted))
		r.first = min(r.first, t.EndedAt)
		if t.Excused {
			r.excused++
		}
	}
	for i := range rows {
		r := &rows[i]
		if r.Count > 1 {
			r.Path = "/keys/" + r.by.String()
		}
		args := []any{
			"name", c.Name(r.by), "other", c.Name(r.other), "t", c.Minute(r.first), "price", c.Money(r.asset, r.price), "deposit", c.Money(r.asset, r.deposit),
			"bond", c.Money(r.asset, r.bond), "q", c.TotalQuantity(r.quantity, r.unit), "read", c.TotalQuantity(r.allotted, r.unit),
		}
		r.Title = c.T("wrong."+r.kind, args...)
		r.Text = c.N("wrong.trades", r.Count) + " " + c.T("wrong."+r.kind+".text", args...)
		if r.excused > 0 {
			r.Text += " " + c.N("wrong.excused", r.excused)
		}
	}
	return rows
}
