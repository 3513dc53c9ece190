package page

import (
	"fmt"
	"html/template"
	"math/big"

	"lockstep/client/wire/history"
	"lockstep/internal/svg"
	"lockstep/types"
)

// The chart of a day: the price of each auction as steps, below it the energy that the member sold and bought in each slot.

// daySlot is the energy that the member traded in a slot.
type daySlot struct {
	from, until  types.Time
	sold, bought uint64
}

// dayChart holds the numbers of the chart.
type dayChart struct {
	begin  types.Time
	asset  types.AssetID
	unit   string
	prices []history.Auction
	slots  []daySlot
}

// trade takes up a trade of the day.
func (d *dayChart) trade(a *types.Agreement, sells bool) {
	at := quarter(d.slots, a.Goods.From)
	if at < 0 {
		d.slots = append(d.slots, daySlot{from: a.Goods.From, until: a.Goods.Until})
		at = len(d.slots) - 1
	}
	if sells {
		d.slots[at].sold += a.Goods.Quantity
	} else {
		d.slots[at].bought += a.Goods.Quantity
	}
}

// dayFrame is the place of the chart on a page of some width.
type dayFrame struct {
	class                 string
	width, height         float64
	x0, right             float64
	priceTop, priceFoot   float64
	energyTop, energyFoot float64
	begin, end            types.Time
	highPrice, highEnergy float64
}

func (f *dayFrame) x(t types.Time) float64 {
	return f.x0 + float64(t-f.begin)/float64(f.end-f.begin)*(f.width-f.x0-f.right)
}
func (f *dayFrame) price(p float64) float64 {
	return f.priceFoot - p/f.highPrice*(f.priceFoot-f.priceTop)
}
func (f *dayFrame) energy(q float64) float64 {
	return f.energyFoot - q/f.highEnergy*(f.energyFoot-f.energyTop)
}

// drawDay draws the chart at two widths; empty while the day has neither a price nor a trade.
func (c *screen) drawDay(d *dayChart) template.HTML {
	highPrice, highEnergy := 0.0, 0.0
	first, last := d.begin.Add(dayLong), d.begin
	scale := c.priceScale(d.asset, d.unit)
	widen := func(from, until types.Time) { first, last = min(first, from), max(last, until) }
	for i := range d.prices {
		if a := &d.prices[i]; len(a.Rounds) > 0 {
			highPrice = max(highPrice, scale(a.Rounds[0].Price, a.Lot))
			widen(a.Product.From, a.Product.Until)
		}
	}
	for _, s := range d.slots {
		highEnergy = max(highEnergy, float64(s.sold), float64(s.bought))
		widen(s.from, s.until)
	}
	if highPrice == 0 && highEnergy == 0 || last <= first {
		return ""
	}
	const hour = types.Time(3_600_000)
	first, last = first/hour*hour, (last+hour-1)/hour*hour
	for last-first < 6*hour { // a few slots don't fill a whole page
		last += hour
		if last-first < 6*hour && first > d.begin {
			first -= hour
		}
	}
	out := ""
	for _, f := range []dayFrame{
		{class: "ch wide-only", width: 1148, height: 372, x0: 46, right: 12, priceTop: 26, priceFoot: 236, energyTop: 262, energyFoot: 336},
		{class: "ch narrow-only", width: 348, height: 310, x0: 36, right: 4, priceTop: 22, priceFoot: 176, energyTop: 200, energyFoot: 276},
	} {
		if highPrice == 0 { // only what the member traded
			up := f.energyTop - f.priceTop - 14
			f.priceTop, f.energyTop, f.energyFoot, f.height = f.priceTop-14, f.energyTop-up, f.energyFoot-up, f.height-up
		}
		f.begin, f.end, f.highPrice, f.highEnergy = first, last, max(highPrice, 1e-9)*1.12, max(highEnergy, 1)*1.1
		out += c.drawDayIn(&f, d, scale, highPrice > 0)
	}
	return template.HTML(out) //nolint:gosec // package svg escapes all texts
}

// priceScale returns the function that writes a price of a lot in the unit of the page's prices.
func (c *screen) priceScale(id types.AssetID, unit string) func(price types.Amount, lot uint64) float64 {
	decimals := 0
	if asset, known := c.facts.asset(c.r.Context(), id); known {
		decimals = int(asset.Asset.Decimals)
	}
	factor := 1.0
	for range decimals {
		factor /= 10
	}
	if unit == types.UnitWattHour {
		if factor *= 1000; decimals >= 2 {
			factor *= 100
		}
	}
	return func(price types.Amount, lot uint64) float64 { return float64(price) / float64(max(lot, 1)) * factor }
}

func (c *screen) drawDayIn(f *dayFrame, d *dayChart, scale func(types.Amount, uint64) float64, priced bool) string {
	drawing := &svg.Drawing{}
	if priced {
		for price, step := 0.0, roundStep(f.highPrice); price <= f.highPrice; price += step {
			drawing.Add("line", "class", "gr", "x1", f.x0, "x2", f.width-f.right, "y1", f.price(price), "y2", f.price(price))
			drawing.Text(plainNumber(price, step), "x", f.x0-8, "y", f.price(price)+4, "text-anchor", "end")
		}
		drawing.Text(c.PriceUnit(&types.Product{Asset: d.asset, Unit: d.unit}), "x", f.x0-8, "y", f.priceTop-12, "text-anchor", "start")
	}
	if now := c.Status.BlockTime; now > f.begin && now < f.end {
		drawing.Add("rect", "class", "later", "x", f.x(now), "y", f.priceTop, "width", f.width-f.right-f.x(now), "height", f.energyFoot-f.priceTop)
		drawing.Add("line", "class", "nowl", "x1", f.x(now), "x2", f.x(now), "y1", f.priceTop, "y2", f.energyFoot)
	}
	path, end := "", types.Time(0)
	var last *history.Auction
	for i := range d.prices {
		a := &d.prices[i]
		if len(a.Rounds) == 0 {
			continue
		}
		command := "M"
		if a.Product.From == end {
			command = "L"
		}
		y := f.price(scale(a.Rounds[0].Price, a.Lot))
		path += command + point(f.x(a.Product.From), y) + "L" + point(f.x(a.Product.Until), y)
		end, last = a.Product.Until, a
	}
	if path != "" {
		drawing.Add("path", "class", "pricel", "d", path)
		y := f.price(scale(last.Rounds[0].Price, last.Lot))
		drawing.Text(plainNumber(scale(last.Rounds[0].Price, last.Lot), 0.01), "class", "lb halo", "x", f.x(last.Product.From)-6, "y", y-8, "text-anchor", "end")
	}
	var sold, bought uint64
	for _, s := range d.slots {
		x, w := f.x(s.from), f.x(s.until)-f.x(s.from)
		if s.sold > 0 {
			drawing.Titled(c.Slot(s.from, s.until)+c.Colon()+c.Plain("day.sold", "q", c.Quantity(s.sold, d.unit)), "rect", "class", "soldb", "x", x+1, "y", f.energy(float64(s.sold)), "width", max(1, w-2), "height", f.energyFoot-f.energy(float64(s.sold)))
		}
		if s.bought > 0 {
			drawing.Titled(c.Slot(s.from, s.until)+c.Colon()+c.Plain("day.bought", "q", c.Quantity(s.bought, d.unit)), "rect", "class", "boughtb", "x", x+1, "y", f.energy(float64(s.bought)), "width", max(1, w-2), "height", f.energyFoot-f.energy(float64(s.bought)))
		}
		sold, bought = sold+s.sold, bought+s.bought
	}
	drawing.Add("line", "class", "base", "x1", f.x0, "x2", f.width-f.right, "y1", f.energyFoot, "y2", f.energyFoot)
	if sold > 0 {
		drawing.Text(c.Plain("day.sold", "q", c.Quantity(sold, d.unit)), "class", "halo", "x", f.x0, "y", f.energyTop-4, "text-anchor", "start")
	}
	if bought > 0 {
		drawing.Text(c.Plain("day.bought", "q", c.Quantity(bought, d.unit)), "class", "halo", "x", f.width-f.right, "y", f.energyTop-4, "text-anchor", "end")
	}
	const hour = types.Time(3_600_000)
	step := hour
	const room = 64 // pixels of a label
	for float64((f.end-f.begin)/step) > f.width/room {
		step += hour
	}
	for at := f.begin; at <= f.end; at += step {
		anchor := "middle"
		if at == f.begin {
			anchor = "start"
		} else if f.width-f.x(at) < 20 {
			anchor = "end"
		}
		drawing.Text(c.Minute(at), "x", f.x(at), "y", f.energyFoot+20, "text-anchor", anchor)
	}
	return drawing.Inline(c.Plain("day.chart"), f.width, f.height, "class", f.class)
}

// plainNumber writes a number of an axis with the decimals of its step.
func plainNumber(n, step float64) string {
	decimals := 0
	for s := step; s < 0.999 && decimals < 4; s *= 10 {
		decimals++
	}
	value := new(big.Rat)
	if value.SetFloat64(n) == nil {
		return fmt.Sprint(n)
	}
	return value.FloatString(decimals)
}
