package main

import (
	"strings"

	"lockstep/trade/words"
	"lockstep/types"
)

// listedGoods formats the quantity, the commodity and the begin of goods for a table.
func listedGoods(w *words.Printer, g *types.Goods) string {
	text := listedAmount(w, g)
	if from := slotBegin(g); from != "-" {
		text += w.Key(words.Separator) + from
	}
	return text
}

// listedAmount is [amountText] for a table: watt-hours need no commodity, and number and unit stay on one line.
func listedAmount(w *words.Printer, g *types.Goods) string {
	if g.Commodity == types.CommodityEnergy && g.Unit == types.UnitWattHour {
		return strings.ReplaceAll(quantity(g.Quantity, g.Unit), " ", fixedSpace)
	}
	return amountText(w, g)
}

// amountText formats the quantity and the commodity of goods.
func amountText(w *words.Printer, g *types.Goods) string {
	commodity := name(g.Commodity)
	if g.Commodity == types.CommodityEnergy {
		commodity = w.Key(words.Energy)
	}
	if g.Unit == types.UnitItem {
		return w.Fill(words.OneItem, commodity)
	}
	return quantity(g.Quantity, g.Unit) + " " + commodity
}

// describeGoods formats all of goods.
func describeGoods(w *words.Printer, g *types.Goods) string {
	parts := []string{amountText(w, g)}
	if slot := slotText(w, g); slot != "-" {
		parts = append(parts, slot)
	}
	if g.Zone != "" {
		parts = append(parts, name(g.Zone))
	}
	if !g.Flow.IsZero() {
		parts = append(parts, w.Flow(g.Flow))
	}
	text := strings.Join(parts, w.Key(words.Separator))
	if g.Note != "" {
		text += w.Fill(words.WithNote, `"`+printable(g.Note)+`"`)
	}
	return text
}
