package page

import (
	"fmt"
	"html/template"
	"slices"

	"lockstep/internal/svg"
	"lockstep/trade"
	"lockstep/types"
)

// The lock picture shows the money of a trade. Left: the consumer's. Middle: nobody's yet. Right: the producer's. A part sits where it
// belongs and points to the side that gets it next; a dashed outline shows where it was or will be. The badge shows the thing that opens the lock.

// place is a column of the picture.
type place int

const (
	left place = iota
	middle
	right
)

// The styles of a part, which are classes of the style sheet.
const (
	stylePlan  = "plan"  // its owner still has it
	styleIn    = "held"  // under the lock
	styleAux   = "aux"   // under the lock, beside payment and return
	styleOwn   = "own"   // the new owner has it
	styleGhost = "ghost" // where it was or will be
)

// chip is one part in the picture.
type chip struct {
	style  string
	at     place
	row    int
	name   string
	amount string
	points int // -1 to the left, 1 to the right, 0 nowhere
}

// way is an arrow between two columns in a row.
type way struct {
	from, to place
	row      int
	hot      bool // the next step
}

// lockPicture is the drawing of a trade at a moment.
type lockPicture struct {
	closed, empty bool
	chips         []chip
	ways          []way
	rivet         bool   // payment and return hang on one lock
	key           bool   // the consumer has the secret
	release       string // the label of the key's way into the lock
	badge         string
	under         string // what opens the lock, or has opened it
	left, right   [2]string
	secret        [2]string // the text beside the key, wide and narrow
}

// division is how the money of a trade was divided, where a step of the trade did so.
type division struct {
	known              bool
	producer, consumer types.Amount
}

// lockOf composes the picture from the status of a trade. The status decides everything; this only places its parts.
func (c *screen) lockOf(a *types.Agreement, s *trade.Status, released types.Amount, allotted uint64, shares division) *lockPicture {
	p := &lockPicture{}
	part := func(kind types.Part) string { return c.W(trade.PartKey(kind)) }
	payment, deposit, refund, bond := part(types.PartPayment), part(types.PartDeposit), part(types.PartReturn), part(types.PartBond)
	sum := func(amount types.Amount) string { return c.plain(a.Asset, amount) }
	put := func(style string, at place, row int, name string, amount types.Amount, points int) {
		text := ""
		if style != styleGhost {
			if amount == 0 {
				return
			}
			text = sum(amount)
		}
		p.chips = append(p.chips, chip{style, at, row, name, text, points})
	}
	ghost := func(at place, row int, name string) { put(styleGhost, at, row, name, 0, 0) }
	bondGhost := func(at place) {
		if a.Bond > 0 {
			ghost(at, 2, bond)
		}
	}
	staked := slices.ContainsFunc(s.Locked, func(held trade.Held) bool { return held.Part == types.PartBond })
	switch s.Phase {
	case types.PhaseAgreed:
		p.empty = true
		put(stylePlan, left, 0, payment, a.Price, 1)
		put(stylePlan, left, 1, deposit, a.Deposit, 1)
		put(stylePlan, right, 2, bond, a.Bond, -1)
		ghost(middle, 0, payment)
		ghost(middle, 1, deposit)
		bondGhost(middle)
		p.ways = []way{{left, middle, 0, true}, {left, middle, 1, true}}
		p.under = c.Plain("lock.empty")
	case types.PhasePaid:
		p.closed, p.key, p.badge = true, true, "clock"
		when := c.By(a.Deadlines.DeliverBy)
		ghost(left, 0, c.Plain("lock.back", "t", when))
		ghost(left, 1, c.Plain("lock.back", "t", when))
		put(styleIn, middle, 0, payment, a.Price, -1)
		put(styleIn, middle, 1, deposit, a.Deposit, -1)
		p.ways = []way{{middle, left, 0, false}, {middle, left, 1, false}}
		switch {
		case staked:
			ghost(right, 2, c.Plain("lock.back", "t", when))
			put(styleAux, middle, 2, bond, a.Bond, 1)
			p.ways = append(p.ways, way{middle, right, 2, false})
		case a.Bond > 0:
			bondGhost(middle)
			put(stylePlan, right, 2, bond, a.Bond, -1)
			p.ways = append(p.ways, way{right, middle, 2, true})
		}
		p.under = c.Plain("lock.clock", "t", when)
	case types.PhaseDelivered:
		p.closed, p.key, p.badge, p.rivet = true, true, "hole", true
		ghost(left, 1, refund)
		if released > 0 {
			put(styleOwn, right, 0, c.Plain("lock.released_part"), released, 0)
		} else {
			ghost(right, 0, payment)
		}
		bondGhost(right)
		put(styleIn, middle, 0, payment, a.Price-min(released, a.Price), 1)
		put(styleIn, middle, 1, refund, a.Deposit, -1)
		put(styleAux, middle, 2, bond, a.Bond, 1)
		p.ways = []way{{middle, right, 0, false}, {middle, left, 1, false}}
		if a.Bond > 0 {
			p.ways = append(p.ways, way{middle, right, 2, false})
		}
		p.under = c.Plain("lock.secret")
		p.release = c.W(trade.MoveKey("release"))
		if s.Turn.Move == trade.MoveKey("settle") || s.Turn.Move == trade.MoveKey("award") {
			p.release, p.badge, p.under = "", "meter", c.Plain("lock.meter_next")
			if s.Turn.Move == trade.MoveKey("award") {
				p.badge, p.under = "scale", c.Plain("lock.arbiter_next")
			}
		}
	case types.PhaseReleased:
		p.badge = "key"
		put(styleOwn, left, 1, refund, a.Deposit, 0)
		put(styleOwn, right, 0, payment, a.Price, 0)
		put(styleOwn, right, 2, bond, a.Bond, 0)
		ghost(middle, 0, payment)
		ghost(middle, 1, refund)
		bondGhost(middle)
		p.under = c.Plain("lock.public")
	case types.PhaseRefunded:
		p.badge = "clock"
		put(styleOwn, left, 0, payment, a.Price, 0)
		put(styleOwn, left, 1, deposit, a.Deposit, 0)
		ghost(middle, 0, payment)
		ghost(middle, 1, deposit)
		if staked {
			put(styleOwn, right, 2, bond, a.Bond, 0)
		} else {
			put(stylePlan, right, 2, bond, a.Bond, 0)
		}
		p.under = c.Plain("lock.clock_opened")
	case types.PhaseLapsed:
		p.empty, p.badge = true, "clock"
		put(stylePlan, left, 0, payment, a.Price, 0)
		put(stylePlan, left, 1, deposit, a.Deposit, 0)
		put(stylePlan, right, 2, bond, a.Bond, 0)
		p.under = c.Plain("lock.lapsed")
	case types.PhaseSettled, types.PhaseSplit, types.PhaseAwarded:
		ghost(middle, 0, payment)
		ghost(middle, 1, refund)
		bondGhost(middle)
		if shares.known {
			put(styleOwn, left, 1, c.Plain("lock.share"), shares.consumer, 0)
			put(styleOwn, right, 1, c.Plain("lock.share"), shares.producer, 0)
		}
		switch s.Phase {
		case types.PhaseSettled:
			p.badge, p.under = "meter", c.Plain("lock.read", "q", c.Quantity(allotted, a.Goods.Unit), "all", c.Quantity(a.Goods.Quantity, a.Goods.Unit))
		case types.PhaseSplit:
			p.badge, p.under = "both", c.Plain("lock.both")
		default:
			p.badge, p.under = "scale", c.Plain("lock.arbiter")
		}
	}
	consumer := c.PartyName(a, trade.Consumer)
	p.left = [2]string{consumer, c.sideText(s, trade.Consumer)}
	p.right = [2]string{c.PartyName(a, trade.Producer), c.sideText(s, trade.Producer)}
	p.secret = [2]string{c.Plain("lock.key", "name", consumer), c.Plain("lock.key_short")}
	return p
}

// sideText names a side below its party: "consumer · you".
func (c *screen) sideText(s *trade.Status, role trade.Role) string {
	text := c.W(trade.RoleKey(role))
	if s.Viewer == role {
		text += " · " + c.Plain("you")
	}
	return text
}

// measures of the picture at a width.
type measures struct {
	class                  string
	width, lane, chip, row float64 // the width of all, of a column beside the lock, of a part in the lock; the height of a part
	gap, body, top, above  float64 // between parts; the place of the lock's left edge; of its first part; the room above
	below, foot, shackle   float64 // under the last part; under the lock; half the width of the shackle
	arch                   float64 // the height of the shackle's arc
	wide                   bool
}

func wideLock() measures {
	return measures{"wide-only", 1040, 272, 264, 46, 10, 364, 138, 24, 32, 50, 88, 80, true}
}

func narrowLock() measures {
	return measures{"narrow-only", 348, 100, 106, 48, 8, 110, 116, 12, 26, 66, 38, 40, false}
}

// draw draws the picture at a width.
func (p *lockPicture) draw(m measures, title string) string {
	d := &svg.Drawing{}
	centre := m.width / 2
	rows := []float64{m.top, m.top + m.row + m.gap, m.top + 2*(m.row+m.gap)}
	roof, floor := m.top-m.above, rows[2]+m.row+m.below
	for _, side := range []struct {
		x      float64
		anchor string
		texts  [2]string
	}{{0, "start", p.left}, {m.width, "end", p.right}} {
		d.Text(clip(side.texts[0], m.wide), "class", "t-n", "x", side.x, "y", 20, "text-anchor", side.anchor)
		d.Text(side.texts[1], "class", "t-r", "x", side.x, "y", 40, "text-anchor", side.anchor)
	}
	p.drawLock(d, m, centre, roof, floor)
	for _, w := range p.ways {
		if m.wide {
			w.draw(d, m, centre, rows[w.row]+m.row/2)
		}
	}
	for i := range p.chips {
		p.chips[i].draw(d, m, centre, rows[p.chips[i].row])
	}
	if p.rivet {
		scale, y := 1.0, rows[0]+m.row+m.gap/2
		if !m.wide {
			scale = 0.8
		}
		d.Add("circle", "class", "riv", "cx", centre, "cy", y, "r", 13*scale)
		end := d.Group("class", "gl", "transform", fmt.Sprintf("translate(%g %g) scale(%g)", centre-9*scale, y-9*scale, scale))
		d.Add("path", "d", "M7.6 13.3A4.5 4.5 0 1 1 10.1 11.4")
		d.Add("path", "d", "M10.4 4.7A4.5 4.5 0 1 1 7.9 6.6")
		end()
	}
	p.drawBadge(d, m, centre, floor)
	p.drawKey(d, m, centre, floor)
	y := floor + 42
	if p.badge == "" {
		y = floor + 22
	}
	d.Text(p.under, "class", "t-s", "x", centre, "y", y, "text-anchor", "middle")
	return d.Inline(title, m.width, floor+m.foot, "class", m.class)
}

// clip shortens a long name so that two of them have room in the narrow picture.
func clip(name string, wide bool) string {
	most := 36
	if !wide {
		most = 15
	}
	if letters := []rune(name); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return name
}

func (p *lockPicture) drawLock(d *svg.Drawing, m measures, centre, roof, floor float64) {
	from, to := centre-m.shackle, centre+m.shackle
	bend := m.arch + 42
	if m.wide {
		bend = m.arch + 18
	}
	class := "shk"
	if p.empty {
		class += " void"
	}
	end := roof + 1
	attributes := []any{"class", class}
	if !p.closed {
		bend -= 6
		end = bend + 12
		if !p.empty {
			attributes = append(attributes, "transform", fmt.Sprintf("rotate(-9 %g %g)", from, roof))
		}
	}
	d.Add("path", append(attributes, "d", fmt.Sprintf("M%g %gV%gA%g %g 0 0 1 %g %gV%g", from, roof+1, bend, m.shackle, m.arch, to, bend, end))...)
	class, radius := "body", 14
	if !p.closed {
		class += " void"
	}
	if m.wide {
		radius = 18
	}
	d.Add("rect", "class", class, "x", m.body, "y", roof, "width", m.width-2*m.body, "height", floor-roof, "rx", radius)
}

func (w way) draw(d *svg.Drawing, m measures, centre, y float64) {
	edge := func(at place, leaving bool) float64 {
		switch {
		case at == left && leaving:
			return m.lane + 6
		case at == left:
			return m.lane + 8
		case at == right && leaving:
			return m.width - m.lane - 6
		case at == right:
			return m.width - m.lane - 8
		case leaving && w.to == right || !leaving && w.from == right:
			return m.width - m.body + 8
		}
		return m.body - 8
	}
	a, b := edge(w.from, true), edge(w.to, false)
	sign := 1.0
	if b < a {
		sign = -1
	}
	class := "way"
	if w.hot {
		class += " hot"
	}
	d.Add("path", "class", class, "d", fmt.Sprintf("M%g %gH%g", a, y, b))
	d.Add("path", "class", "tip", "d", fmt.Sprintf("M%g %gL%g %gL%g %g", b-6*sign, y-5, b, y, b-6*sign, y+5))
}

// draw draws a part: a box, with a point on the side of its next owner.
func (k *chip) draw(d *svg.Drawing, m measures, centre, y float64) {
	x, width := 0.0, m.lane
	switch k.at {
	case middle:
		x, width = centre-m.chip/2, m.chip
	case right:
		x = m.width - m.lane
	}
	pad, tip := 10.0, 10.0
	if m.wide {
		pad, tip = 16, 15
	}
	end := d.Group("class", k.style)
	d.Add("path", "d", outline(x, y, width, m.row, tip, k.points))
	from, to, base := x+pad, x+width-pad, y+m.row/2+5
	if k.points < 0 {
		from += tip / 2
	}
	if k.points > 0 && m.wide {
		to -= tip / 2
	}
	switch {
	case m.wide:
		d.Text(k.name, "class", "t-k", "x", from, "y", base)
		if k.amount != "" {
			d.Text(k.amount, "class", "t-a", "x", to, "y", base, "text-anchor", "end")
		}
	case k.amount == "":
		d.Text(k.name, "class", "t-k", "x", from, "y", y+28)
	default:
		d.Text(k.name, "class", "t-k", "x", from, "y", y+19)
		d.Text(k.amount, "class", "t-a", "x", from, "y", y+37)
	}
	end()
}

// outline is the path of a box with round corners, pointed on one side.
func outline(x, y, w, h, tip float64, points int) string {
	const r = 8
	right, bottom, mid := x+w, y+h, y+h/2
	switch {
	case points > 0:
		return fmt.Sprintf("M%g %gH%gL%g %gL%g %gH%gQ%g %g %g %gV%gQ%g %g %g %gZ", x+r, y, right-tip, right, mid, right-tip, bottom,
			x+r, x, bottom, x, bottom-r, y+r, x, y, x+r, y)
	case points < 0:
		return fmt.Sprintf("M%g %gH%gL%g %gL%g %gH%gQ%g %g %g %gV%gQ%g %g %g %gZ", right-r, y, x+tip, x, mid, x+tip, bottom,
			right-r, right, bottom, right, bottom-r, y+r, right, y, right-r, y)
	}
	return fmt.Sprintf("M%g %gH%gQ%g %g %g %gV%gQ%g %g %g %gH%gQ%g %g %g %gV%gQ%g %g %g %gZ", x+r, y, right-r, right, y, right, y+r,
		bottom-r, right, bottom, right-r, bottom, x+r, x, bottom, x, bottom-r, y+r, x, y, x+r, y)
}

// glyphs are the signs in the badge, on a field of 22 by 22.
var glyphs = map[string]string{ //nolint:gochecknoglobals // a constant table
	"hole":  "M11 12V17M8.4 8.6A2.6 2.6 0 1 0 13.6 8.6A2.6 2.6 0 1 0 8.4 8.6Z",
	"key":   "M3.6 11A3.5 3.5 0 1 0 10.6 11A3.5 3.5 0 1 0 3.6 11ZM10.6 11H19V14.4M15.6 11V13.6",
	"clock": "M3.6 11A7.4 7.4 0 1 0 18.4 11A7.4 7.4 0 1 0 3.6 11ZM11 6.8V11L13.8 12.8",
	"meter": "M4 15.4A8 8 0 1 1 18 15.4M11 12.4L14.4 8.2M8 17.4H14",
	"both":  "M3.4 12.2L6.4 15.2L11.8 8.6M10 13.8L11.4 15.2L18 7.2",
	"scale": "M11 4V18M6.6 18H15.4M4 7.4H18M4 7.4L2 12.8H7.4ZM18 7.4L16 12.8H21.4Z",
}

func (p *lockPicture) drawBadge(d *svg.Drawing, m measures, centre, floor float64) {
	if p.badge == "" {
		return
	}
	radius := 18
	if m.wide {
		radius = 21
	}
	d.Add("circle", "class", "badge", "cx", centre, "cy", floor, "r", radius)
	end := d.Group("class", "gl "+p.badge, "transform", fmt.Sprintf("translate(%g %g)", centre-11, floor-11))
	d.Add("path", "d", glyphs[p.badge])
	end()
}

// drawKey draws the consumer's secret, and its way into the lock.
func (p *lockPicture) drawKey(d *svg.Drawing, m measures, centre, floor float64) {
	if !p.key {
		return
	}
	y, text := floor+26, p.secret[0]
	if !m.wide {
		y, text = floor+22, p.secret[1]
	}
	end := d.Group("class", "gl", "transform", fmt.Sprintf("translate(0 %g)", y-11))
	d.Add("path", "d", "M2 11A3.6 3.6 0 1 0 9.2 11A3.6 3.6 0 1 0 2 11ZM9.2 11H17.6V14.400M14.2 11V13.6")
	end()
	d.Text(clip(text, m.wide), "class", "t-s", "x", 26, "y", y+4.5)
	if p.release == "" {
		return
	}
	from, bend, target := 26+textWidth(clip(text, m.wide))+14, centre-54, centre-25
	if m.wide {
		bend, target = centre-84, centre-29
		from = max(from, 120)
		d.Text("E3 "+p.release, "class", "t-s hot", "x", (from+bend)/2, "y", y-9, "text-anchor", "middle")
	}
	if from < bend {
		d.Add("path", "class", "way hot", "d", fmt.Sprintf("M%g %gH%gC%g %g %g %g %g %g", from, y, bend, bend+24, y, target-18, floor+9, target, floor+6))
		d.Add("path", "class", "tip hot", "d", fmt.Sprintf("M%g %gL%g %gL%g %g", target-8, floor+1, target, floor+6, target-7, floor+13))
	}
}

// textWidth estimates the width of a small text.
func textWidth(text string) float64 {
	width := 0.0
	for _, r := range text {
		if r > 0x2e80 {
			width += 12.5
		} else {
			width += 6.7
		}
	}
	return width
}

// html draws the picture at both widths; the style sheet shows one of them.
func (p *lockPicture) html(title string) template.HTML {
	return template.HTML(p.draw(wideLock(), title+" "+p.under) + p.draw(narrowLock(), title+" "+p.under)) //nolint:gosec // package svg escapes all texts
}
