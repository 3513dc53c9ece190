package sim

import (
	"fmt"
	"html/template"
	"math"

	"lockstep/internal/svg"
)

// chart draws into an SVG. Colours are classes of the page's style sheet, so that they follow light and dark.
type chart struct {
	svg.Drawing
	*size
	height                   float64
	left, right, top, bottom float64 // margins
	fromX, toX, fromY, toY   float64 // values at the margins
}

// size is a width at which each drawing is made. The style sheet shows the one that fits the window.
type size struct {
	class               string
	width, left, right  float64
	names               float64 // the margin at the left for names of households
	over                float64 // room for the numbers beside bars, as a factor
	steps, ticksX, hour int     // labels of the axes; a label for so many slots
}

func sizes() []size {
	return []size{{"ch wide-only", 760, 62, 18, 92, 1.16, 5, 7, 8}, {"ch narrow-only", 360, 46, 10, 72, 1.34, 4, 4, 16}}
}

// drawn draws at each size.
func drawn(draw func(*size) template.HTML) (all template.HTML) {
	for _, s := range sizes() {
		all += draw(&s)
	}
	return all
}

func newChart(s *size, height float64, fromX, toX, fromY, toY float64) *chart {
	return &chart{
		size: s, height: height, left: s.left, right: s.right, top: 18, bottom: 46, fromX: fromX, toX: toX, fromY: fromY, toY: toY,
	}
}

func (c *chart) x(value float64) float64 {
	return c.left + (value-c.fromX)/(c.toX-c.fromX)*(c.width-c.left-c.right)
}

func (c *chart) y(value float64) float64 {
	return c.height - c.bottom - (value-c.fromY)/(c.toY-c.fromY)*(c.height-c.top-c.bottom)
}

func (c *chart) line(class string, x1, y1, x2, y2 float64) {
	c.Add("line", "class", class, "x1", x1, "y1", y1, "x2", x2, "y2", y2)
}

// bar fills a rectangle between values, with a text that shows when one points at it.
func (c *chart) bar(class string, fromX, toX, fromY, toY float64, says string) {
	top, bottom := min(c.y(fromY), c.y(toY)), max(c.y(fromY), c.y(toY))
	c.Titled(says, "rect", "class", class, "x", c.x(fromX), "y", top, "width", c.x(toX)-c.x(fromX), "height", bottom-top)
}

func (c *chart) text(class, anchor string, x, y float64, text string) {
	c.Text(text, "class", class, "text-anchor", anchor, "x", x, "y", y)
}

// path draws through points given in values.
func (c *chart) path(class string, points [][2]float64) {
	if len(points) == 0 {
		return
	}
	drawn := make([][2]float64, len(points))
	for i, p := range points {
		drawn[i] = [2]float64{c.x(p[0]), c.y(p[1])}
	}
	c.Path(drawn, "class", class)
}

// rulesY draws the grid and the labels of the upright axis, and its unit above it.
func (c *chart) rulesY(unit string) {
	step := niceStep(c.toY-c.fromY, c.steps)
	for value := math.Ceil(c.fromY/step) * step; value <= c.toY+step/1e6; value += step {
		c.line("gr", c.left, c.y(value), c.width-c.right, c.y(value))
		c.text("tick", "end", c.left-8, c.y(value)+4, number(math.Abs(value), step))
	}
	c.text("unit", "start", 4, c.top-5, unit)
}

// rulesX draws the ticks of the level axis with their labels, and its unit below it.
func (c *chart) rulesX(step float64, label func(float64) string, unit string) {
	base := c.height - c.bottom
	for value := math.Ceil(c.fromX/step) * step; value <= c.toX+step/1e6; value += step {
		c.line("gr", c.x(value), base, c.x(value), base+5)
		c.text("tick", "middle", c.x(value), base+20, label(value))
	}
	c.line("axis", c.left, base, c.width-c.right, base)
	c.text("unit", "end", c.width-c.right, base+38, unit)
}

// niceStep divides a span into about so many round steps.
func niceStep(span float64, parts int) float64 {
	raw := max(span, 1e-9) / float64(parts)
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, factor := range []float64{1, 2, 5} {
		if raw <= factor*power {
			return factor * power
		}
	}
	return 10 * power
}

// number writes a tick with as many places as its step has.
func number(value, step float64) string {
	places := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	return fmt.Sprintf("%.*f", places, value)
}

// close ends the drawing. Screen readers read the title.
func (c *chart) close(title string) template.HTML {
	return template.HTML(c.Inline(title, c.width, c.height, "class", c.class)) //nolint:gosec // the drawing escapes all texts
}

// curves draws demand and supply of a round, and where they meet.
func (r *Round) curves(w words, s *size) template.HTML {
	bids, offers := r.sorted()
	reach, most := float64(r.Volume), 0.0
	for _, side := range [][]Line{bids, offers} {
		sum := 0.0
		for _, line := range side {
			sum += float64(line.Quantity)
			most = max(most, float64(line.Limit)/10)
		}
		reach = max(reach, sum)
	}
	c := newChart(s, 360, 0, reach*1.04, 0, most*1.14)
	c.rulesY(w.say("ct/kWh"))
	step := niceStep(reach, s.ticksX)
	c.rulesX(step, func(v float64) string { return number(v/1000, step/1000) }, "kWh")
	price, volume := cents(r.Price), float64(r.Volume)
	c.bar("traded", 0, volume, 0, c.toY, w.say("traded"))
	c.line("mark", c.left, c.y(price), c.x(volume), c.y(price))
	c.line("mark", c.x(volume), c.y(price), c.x(volume), c.y(0))
	for _, side := range []struct {
		class string
		lines []Line
		end   float64
	}{{"bidc", bids, 0}, {"askc", offers, c.toY}} {
		var points [][2]float64
		at := 0.0
		for _, line := range side.lines {
			limit := float64(line.Limit) / 10
			points = append(points, [2]float64{at, limit})
			at += float64(line.Quantity)
			points = append(points, [2]float64{at, limit})
		}
		points = append(points, [2]float64{at, side.end})
		c.path("curve "+side.class, points)
	}
	c.Add("circle", "class", "point", "cx", c.x(volume), "cy", c.y(price), "r", 5.5)
	label := fmt.Sprintf("%.2f %s, %s kWh", price, w.say("ct/kWh"), kilowattHours(r.Volume))
	const room = 175 // of the label
	switch x := c.x(volume); {
	case x+12+room <= c.width-c.right:
		c.text("callout", "start", x+12, c.y(price)-24, label)
	case x-12-room >= c.left:
		c.text("callout", "end", x-12, c.y(price)-10, label)
	default:
		c.text("callout", "end", c.width-c.right-2, c.top+12, label)
	}
	return c.close(w.say("Supply and demand"))
}

// hours labels an axis of slots by the hour.
func (c *chart) hours(w words) {
	c.rulesX(float64(c.hour), func(slot float64) string { return fmt.Sprintf("%02.0f:00", slot/4) }, w.say("time of day"))
}

func (r *Report) span() (from, to float64) {
	if len(r.Auctions) == 0 {
		return 0, SlotsPerDay
	}
	return float64(r.Auctions[0].Slot), float64(r.Auctions[len(r.Auctions)-1].Slot + 1)
}

// prices draws the price of each slot, between the utility's tariff and the grid's feed-in price.
func (r *Report) prices(w words, s *size) template.HTML {
	from, to := r.span()
	most, least, paid := 0.0, math.Inf(1), 0.0
	for i := range r.Households {
		h := &r.Households[i]
		most = max(most, float64(h.Tariff)/10)
		if h.FeedIn > 0 {
			least, paid = min(least, float64(h.FeedIn)/10), max(paid, float64(h.FeedIn)/10)
		}
	}
	cheapest := most
	for i := range r.Households {
		cheapest = min(cheapest, float64(r.Households[i].Tariff)/10)
	}
	c := newChart(s, 300, from, to, 0, most*1.1)
	c.bar("tariffs", from, to, cheapest, most, w.say("what utilities charge"))
	c.bar("feedins", from, to, min(least, paid), paid, w.say("what the grid pays"))
	c.rulesY(w.say("ct/kWh"))
	c.hours(w)
	var points [][2]float64
	for i := range r.Auctions {
		a := &r.Auctions[i]
		if a.Price == "" {
			c.path("curve price", points)
			points = nil
			continue
		}
		points = append(points, [2]float64{float64(a.Slot), cents(a.Price)}, [2]float64{float64(a.Slot + 1), cents(a.Price)})
	}
	c.path("curve price", points)
	for i := range r.Auctions {
		if a := &r.Auctions[i]; a.Price != "" {
			c.bar("touch", float64(a.Slot), float64(a.Slot+1), 0, c.toY, fmt.Sprintf("%s  %.2f %s, %s kWh", a.Clock, cents(a.Price), w.say("ct/kWh"), kilowattHours(a.Volume)))
		}
	}
	return c.close(w.say("Price over the day"))
}

// volumes draws for each slot the demand upwards and the supply downwards, and the matched part of each.
func (r *Report) volumes(w words, s *size) template.HTML {
	from, to := r.span()
	up, down := 1.0, 1.0
	for i := range r.Auctions {
		up, down = max(up, float64(r.Auctions[i].Asked)/1000), max(down, float64(r.Auctions[i].Offered)/1000)
	}
	c := newChart(s, 340, from, to, -down*1.08, up*1.12)
	c.rulesY("kWh")
	c.hours(w)
	for i := range r.Auctions {
		a := &r.Auctions[i]
		left, right := float64(a.Slot)+0.08, float64(a.Slot)+0.92
		matched, asked, offered := float64(a.Volume)/1000, float64(a.Asked)/1000, float64(a.Offered)/1000
		c.bar("matched", left, right, 0, matched, fmt.Sprintf("%s  %s %s kWh", a.Clock, w.say("matched"), kilowattHours(a.Volume)))
		c.bar("unserved", left, right, matched, asked, fmt.Sprintf("%s  %s %s kWh", a.Clock, w.say("asked, not matched"), kilowattHours(a.Asked-a.Volume)))
		c.bar("matched", left, right, 0, -matched, fmt.Sprintf("%s  %s %s kWh", a.Clock, w.say("matched"), kilowattHours(a.Volume)))
		c.bar("unsold", left, right, -matched, -offered, fmt.Sprintf("%s  %s %s kWh", a.Clock, w.say("offered, not matched"), kilowattHours(a.Offered-a.Volume)))
	}
	c.line("axis", c.left, c.y(0), c.width-c.right, c.y(0))
	c.text("side", "end", c.width-c.right-4, c.y(up*1.12)+14, w.say("asked")+" ↑")
	c.text("side", "end", c.width-c.right-4, c.y(-down*1.08)-6, w.say("offered")+" ↓")
	return c.close(w.say("Energy matched and not"))
}

// savings draws the saving of each household.
func (r *Report) savings(w words, s *size) template.HTML {
	least, most := 0.0, 0.01
	for i := range r.Households {
		saved := eur(r.Households[i].Saved)
		least, most = min(least, saved), max(most, saved)
	}
	row := 26.0
	c := newChart(s, float64(len(r.Households))*row+66, least*1.1, most*s.over, float64(len(r.Households)), 0)
	c.left = s.names
	step := niceStep(most-least, s.steps)
	for value := math.Ceil(c.fromX/step) * step; value <= c.toX; value += step {
		c.line("gr", c.x(value), c.top, c.x(value), c.height-c.bottom)
	}
	c.rulesX(step, func(v float64) string { return number(v, step) }, moneyCode)
	for i := range r.Households {
		h, at := &r.Households[i], float64(i)
		saved := eur(h.Saved)
		class := "buyer"
		if h.Roof != NoRoof {
			class = "seller"
		}
		c.bar(class, min(0, saved), max(0, saved), at+0.16, at+0.84, h.Name+"  "+signed(h.Saved)+" "+moneyCode)
		c.text("label", "end", c.left-8, c.y(at+0.5)+4, h.Name)
		c.text("tick", "start", c.x(max(0, saved))+6, c.y(at+0.5)+4, fmt.Sprintf("%.2f", saved))
	}
	c.line("axis", c.x(0), c.top, c.x(0), c.height-c.bottom)
	return c.close(w.say("Money per household"))
}

// lock draws how much money was in trades at the end of each slot.
func (r *Report) lock(w words, s *size) template.HTML {
	from, to := r.span()
	most := 0.01
	points := [][2]float64{{from, 0}}
	for i := range r.Auctions {
		locked := eur(int64(r.Auctions[i].Locked))
		most = max(most, locked)
		points = append(points, [2]float64{float64(r.Auctions[i].Slot), locked}, [2]float64{float64(r.Auctions[i].Slot + 1), locked})
	}
	c := newChart(s, 240, from, to, 0, most*1.12)
	c.rulesY(moneyCode)
	c.hours(w)
	c.path("locked", append(points, [2]float64{to, 0}))
	return c.close(w.say("Money locked in trades"))
}
