package page

import (
	"fmt"
	"html/template"
	"math/big"

	"lockstep/internal/svg"
	"lockstep/types"
)

// Energy writes energy for a person: in kWh with two decimals.
func (c *screen) Energy(wh uint64) string { return kilowattHours(wh) + space + "kWh" }

// kilowattHours rounds to hundredths of a kWh.
func kilowattHours(wh uint64) string {
	const step, kilo = 10, 100 // Wh in a hundredth of a kWh, hundredths in a kWh
	hundredths := (wh + step/2) / step
	return fmt.Sprintf("%s.%02d", grouped(hundredths/kilo), hundredths%kilo)
}

// TownPrice writes the price of a Wh as one of a kWh.
func (c *screen) TownPrice(v *townView, price types.Amount) string {
	return c.Price(v.Asset, types.UnitWattHour, new(big.Rat).SetInt(types.TotalOf(price).Big()))
}

// Limit writes a limit for the field of a form, in ct/kWh.
func (c *screen) Limit(v *townView, limit types.Amount) string { return limit.Format(v.PriceDigits) }

// Gain writes a sum with its sign.
func (c *screen) Gain(id types.AssetID, sum int64) template.HTML {
	if sum < 0 {
		return c.Signed(id, types.Amount(-sum), false)
	}
	return c.Signed(id, types.Amount(sum), true)
}

// HouseName is the name of a household of the town.
func (v *townView) HouseName(place int) string {
	if place < 0 || place >= len(v.Houses) {
		return ""
	}
	return v.Houses[place].Name
}

// Initials are the first letters of a household.
func (h *TownHouse) Initials() string {
	name := []rune(h.Name)
	return string(name[:min(2, len(name))])
}

// Need is the energy of the slot that a household takes from elsewhere, and Grid the part that comes from the grid.
func (h *TownHouse) Need() uint64 { return h.Load - min(h.Load, h.Sun) }

// Grid is the energy that a household takes from the grid in the slot.
func (h *TownHouse) Grid() uint64 { return h.Need() - min(h.Buys, h.Need()) }

// Names lists households of an event.
func (c *screen) Names(v *townView, places []int) string {
	const most = 3
	text := ""
	for i, place := range places {
		if i == most {
			return text + string(c.T("town.more", "n", len(places)-most))
		}
		if i > 0 {
			text += c.mark(", ", "、")
		}
		text += v.HouseName(place)
	}
	return text
}

// Tell writes an event and its consequences.
func (c *screen) Tell(v *townView, e *townEvent) template.HTML {
	key := "town.event." + string(e.Kind)
	return c.T(key, "name", v.HouseName(e.House), "others", c.Names(v, e.Others), "n", c.N("town.trades", e.Trades), "q", c.Energy(e.Energy), "read", c.Energy(e.Read),
		"price", c.Short(v.Asset, e.Price), "lost", c.Short(v.Asset, e.Lost), "s", e.Seconds, "missed", c.N("town.orders", e.Missed),
		"locked", c.Short(v.Asset, e.Locked), "running", c.N("town.trades", e.Spending), "day", e.Day)
}

// Consequence writes the consequence of an event for others; empty when the event says it all.
func (c *screen) Consequence(v *townView, e *townEvent) template.HTML {
	key := "town.means." + string(e.Kind)
	if texts[key] == nil {
		return ""
	}
	return c.T(key, "name", v.HouseName(e.House), "others", c.Names(v, e.Others), "lost", c.Short(v.Asset, e.Lost), "price", c.Short(v.Asset, e.Price), "s", e.Seconds,
		"missed", c.N("town.orders", e.Missed))
}

// block is an end of the ribbons of the picture.
type block struct {
	name, under string
	wh          uint64
	y, height   float64
	class       string
	filled      float64 // how far ribbons have come
}

// Flow draws the energy of the slot: from the roofs and the grid at the left to the households at the right, at two widths.
func (c *screen) Flow(v *townView) template.HTML {
	out := ""
	for _, size := range []struct {
		class               string
		width, margin, step float64
	}{{"stream wide-only", 1000, 120, 44}, {"stream narrow-only", 348, 92, 42}} {
		out += c.drawFlow(v, size.class, size.width, size.margin, size.step)
	}
	return template.HTML(out) //nolint:gosec // package svg escapes all texts
}

func (c *screen) drawFlow(v *townView, class string, width, margin, step float64) string {
	const thick, fewest, bar, top = 230.0, 3.0, 10.0, 10.0
	sources, takers := map[int]*block{}, map[int]*block{}
	var left, right []*block
	grid := &block{name: c.Plain("town.grid"), class: "grid"}
	var total uint64
	for i := range v.Houses {
		h := &v.Houses[i]
		if h.Sells > 0 {
			sources[i] = &block{name: h.Name, under: c.Energy(h.Sells), wh: h.Sells, class: "sun"}
			left = append(left, sources[i])
		}
		if h.Need() > 0 {
			takers[i] = &block{name: h.Name, under: c.Energy(h.Need()), wh: max(h.Need(), h.Buys), class: "house"}
			right = append(right, takers[i])
			grid.wh += h.Grid()
			total += takers[i].wh
		}
	}
	if total == 0 {
		return ""
	}
	if grid.wh > 0 {
		grid.under = c.Energy(grid.wh)
		left = append(left, grid)
	}
	scale := thick / float64(total)
	bottom := max(stack(left, scale, step, top), stack(right, scale, step, top))
	d := &svg.Drawing{}
	ribbon := func(from, to *block, wh uint64, class string) {
		w := float64(wh) * scale
		d.Titled(from.name+" → "+to.name+": "+c.Energy(wh), "path", "class", "rib "+class, "d", ribbonPath(margin+bar, from.y+from.filled, width-margin-bar, to.y+to.filled, max(w, 1)))
		from.filled, to.filled = from.filled+w, to.filled+w
	}
	for _, flow := range v.Flows {
		from, to := sources[flow.From], takers[flow.To]
		if from == nil || to == nil {
			continue
		}
		kind := "near"
		if flow.Broken {
			kind = "broken"
		}
		ribbon(from, to, flow.Quantity, kind)
	}
	for i := range v.Houses {
		if to := takers[i]; to != nil && v.Houses[i].Grid() > 0 {
			ribbon(grid, to, v.Houses[i].Grid(), "far")
		}
	}
	for side, blocks := range [][]*block{left, right} {
		x, label, anchor := margin, margin-10, "end"
		if side == 1 {
			x, label, anchor = width-margin-bar, width-margin+10, "start"
		}
		for _, b := range blocks {
			d.Add("rect", "class", "end "+b.class, "x", x, "y", b.y, "width", bar, "height", max(b.height, fewest), "rx", 2)
			d.Text(b.name, "class", "n", "x", label, "y", b.y+b.height/2, "text-anchor", anchor)
			d.Text(b.under, "class", "q", "x", label, "y", b.y+b.height/2+15, "text-anchor", anchor)
		}
	}
	return d.Inline(c.Plain("town.flow"), width, bottom+14, "class", class)
}

// stack places blocks below each other, and returns where they end.
func stack(blocks []*block, scale, step, top float64) float64 {
	y := top
	for _, b := range blocks {
		b.height = float64(b.wh) * scale
		b.y = y + max(0, (step-b.height-14)/2)
		y += max(step, b.height+22)
	}
	return y
}

// ribbonPath is the outline of a ribbon of a width between two upright edges.
func ribbonPath(x0, y0, x1, y1, w float64) string {
	middle := (x0 + x1) / 2
	return "M" + point(x0, y0) + "C" + point(middle, y0) + " " + point(middle, y1) + " " + point(x1, y1) + "L" + point(x1, y1+w) +
		"C" + point(middle, y1+w) + " " + point(middle, y0+w) + " " + point(x0, y0+w) + "Z"
}

// DayPrices draws the price of the day so far, in steps.
func (c *screen) DayPrices(v *townView) template.HTML {
	high := 0.0
	for _, p := range v.Prices {
		high = max(high, float64(p.Price))
	}
	if high == 0 || len(v.Prices) < 2 {
		return ""
	}
	out := ""
	for _, f := range []chart{
		{"ch wide-only", 1000, 220, 56, 16, 180, 26, float64(len(v.Prices)), high * 1.15}, {"ch narrow-only", 348, 200, 44, 8, 164, 22, float64(len(v.Prices)), high * 1.15},
	} {
		out += c.drawPrices(v, &f)
	}
	return template.HTML(out) //nolint:gosec // package svg escapes all texts
}

func (c *screen) drawPrices(v *townView, f *chart) string {
	const perCent = 10 // smallest units of a Wh in a ct/kWh
	d := &svg.Drawing{}
	for price, step := 0.0, roundStep(f.high); price <= f.high; price += step {
		d.Add("line", "class", "gr", "x1", f.x0, "x2", f.width-f.right, "y1", f.y(price), "y2", f.y(price))
		d.Text(fmt.Sprintf("%.0f", price/perCent), "x", f.x0-8, "y", f.y(price)+4, "text-anchor", "end")
	}
	d.Text("ct/kWh", "x", 4, "y", f.y0-10, "text-anchor", "start")
	path, drawn := "", false
	every := max(1, len(v.Prices)/5)
	for i, p := range v.Prices {
		if i%every == 0 && i+every/2 < len(v.Prices) {
			d.Text(p.Clock, "x", f.x(float64(i)), "y", f.foot+20, "text-anchor", "start")
		}
		if p.Price == 0 {
			drawn = false
			continue
		}
		command := "L"
		if !drawn {
			command, drawn = "M", true
		}
		path += command + point(f.x(float64(i)), f.y(float64(p.Price))) + "L" + point(f.x(float64(i+1)), f.y(float64(p.Price)))
	}
	d.Add("path", "class", "curve price", "d", path)
	return d.Inline(c.Plain("town.prices"), f.width, f.height, "class", f.class)
}
