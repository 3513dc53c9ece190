package page

import (
	"fmt"
	"html/template"
	"math/big"
	"strconv"
	"strings"

	"lockstep/client/wire"
	"lockstep/types"
)

// The flow picture shows the power that is traded in the present slot: the member's home on the left, those that it trades with on the
// right, and a ribbon to each as wide as its power.

// flowView is the flow picture with its table.
type flowView struct {
	Slot      string
	Gone      string // of the slot
	Note      template.HTML
	Rows      []flowRow
	Title     string
	Total     string
	Own       bool // live values of the home are there
	Facts     [][2]string
	Ribbons   template.HTML // wide
	Stack     template.HTML // narrow
	FullTable bool

	sold, bought uint64
	from, until  types.Time
	asset        types.AssetID
	read, all    uint64
	value        big.Int // price of all, and their quantity
	quantity     big.Int
}

// add takes up a trade whose slot is now.
func (f *flowView) add(c *screen, t *wire.Trade, row *tradeRow) {
	a := &t.Trade.Agreement
	one := flowRow{
		Path: row.Path, Other: row.Other, Sum: c.Money(a.Asset, a.Price), Sells: a.Producer == c.self, reading: t.Reading, all: a.Goods.Quantity,
		Read: c.Plain("now.of", "q", c.Quantity(t.Reading, a.Goods.Unit), "all", c.Quantity(a.Goods.Quantity, a.Goods.Unit)),
	}
	if span := uint64(a.Goods.Until.Since(a.Goods.From)); span > 0 && a.Goods.Quantity < 1<<40 {
		one.watt = a.Goods.Quantity * 3_600_000 / span
	}
	one.Power = power(one.watt)
	metered := !a.Goods.Flow.IsZero()
	if !metered { // nothing counts it
		one.Read = c.Quantity(a.Goods.Quantity, a.Goods.Unit)
	} else if a.Goods.Quantity > 0 {
		read := min(t.Reading, a.Goods.Quantity)
		one.Bar = bar("bar", one.Read, barPart{"fill", float64(read)}, barPart{"rest", float64(a.Goods.Quantity - read)})
	}
	if one.Sells {
		f.sold += one.watt
	} else {
		f.bought += one.watt
	}
	if metered {
		f.read, f.all = f.read+min(t.Reading, a.Goods.Quantity), f.all+a.Goods.Quantity
	}
	f.asset, f.from, f.until = a.Asset, a.Goods.From, a.Goods.Until
	f.value.Add(&f.value, new(big.Int).SetUint64(uint64(a.Price)))
	f.quantity.Add(&f.quantity, new(big.Int).SetUint64(a.Goods.Quantity))
	f.Rows = append(f.Rows, one)
}

// price is the mean price of the trades that flow.
func (f *flowView) price(c *screen) string {
	if f.quantity.Sign() == 0 {
		return ""
	}
	return c.Price(f.asset, types.UnitWattHour, new(big.Rat).SetFrac(&f.value, &f.quantity))
}

const (
	flowRowHigh  = 50 // pixels of a row of the table
	flowWide     = 400
	mostFlowRows = 12
)

// draw completes the picture. Live values of the home come from an agent; without one the picture shows the trades alone.
func (f *flowView) draw(c *screen, live *Power) {
	if len(f.Rows) > mostFlowRows {
		f.Rows = f.Rows[:mostFlowRows]
	}
	f.Slot = c.Slot(f.from, f.until)
	if gone := c.Status.BlockTime.Since(f.from); f.until > f.from && c.Status.BlockTime >= f.from {
		f.Gone = c.Span(gone)
	}
	if f.Gone != "" {
		f.Note = c.T("flow.gone", "gone", f.Gone)
	}
	if f.all > 0 {
		f.Note = c.T("flow.note", "gone", f.Gone, "read", c.Quantity(f.read, types.UnitWattHour), "all", c.Quantity(f.all, types.UnitWattHour))
	}
	switch {
	case live != nil:
		f.live(c, live)
	case f.sold >= f.bought:
		f.Title, f.Total = c.Plain("flow.you_sell"), power(f.sold)
		if f.bought > 0 {
			f.Facts = append(f.Facts, [2]string{c.Plain("flow.you_buy"), power(f.bought)})
		}
	default:
		f.Title, f.Total = c.Plain("flow.you_buy"), power(f.bought)
		if f.sold > 0 {
			f.Facts = append(f.Facts, [2]string{c.Plain("flow.you_sell"), power(f.sold)})
		}
	}
	f.ribbons(c)
}

// live adds the values of the meters: the home's own use, and the power from the grid or to it.
func (f *flowView) live(c *screen, live *Power) {
	f.Own = true
	f.Title, f.Total = c.Plain("flow.roof"), power(live.Own)
	if live.Own == 0 {
		f.Title, f.Total = c.Plain("flow.house"), power(live.House)
	}
	f.Facts = [][2]string{{c.Plain("flow.grid"), "+" + orZero(power(live.FromOutside))}, {c.Plain("flow.to_grid"), orZero(power(live.ToOutside))}}
	own := flowRow{Name: c.Plain("flow.house"), Class: "hm", watt: min(live.House, live.Own), Power: orZero(power(live.House)), Read: c.Plain("flow.own_use"), Sells: true}
	f.Rows = append([]flowRow{own}, f.Rows...)
	if rest, ok := less(live.FromOutside, f.bought); ok {
		f.Rows = append(f.Rows, flowRow{Name: c.Plain("flow.grid"), Class: "gd", watt: rest, Power: power(rest), Read: c.Plain("flow.from_grid")})
	}
	if rest, ok := less(live.ToOutside, f.sold); ok {
		f.Rows = append(f.Rows, flowRow{Name: c.Plain("flow.grid"), Class: "gd", watt: rest, Power: power(rest), Read: c.Plain("flow.to_grid"), Sells: true})
	}
}

// less returns a-b where that is 10 W or more.
func less(a, b uint64) (uint64, bool) {
	const least = 10
	if a < b+least {
		return 0, false
	}
	return a - b, true
}

func orZero(text string) string {
	if text == "" {
		return "0.00" + space + "kW"
	}
	return text
}

// class is the colour of the taker at the end of a ribbon.
func (r *flowRow) class() string {
	if r.Class != "" {
		return r.Class
	}
	return "pr"
}

// source is the colour of a ribbon: that of its source.
func (r *flowRow) source() string {
	switch {
	case r.Sells:
		return "sn"
	case r.Class == "gd":
		return "gd"
	}
	return "pr"
}

// ribbons draws the picture: ribbons on a wide page, two stacked bars on a narrow one.
func (f *flowView) ribbons(c *screen) {
	var total float64
	for i := range f.Rows {
		total += float64(f.Rows[i].watt)
	}
	if total == 0 {
		return
	}
	high := float64(flowRowHigh * len(f.Rows))
	scale := min(high*0.63/total, 0.92*flowRowHigh*float64(len(f.Rows))/total)
	for i := range f.Rows { // no ribbon is higher than its row
		if w := float64(f.Rows[i].watt); w > 0 {
			scale = min(scale, 0.92*flowRowHigh/w)
		}
	}
	num := func(n float64) string { return strconv.FormatFloat(n, 'f', 1, 64) }
	var out, from, to strings.Builder
	label := c.Plain("flow.picture", "n", len(f.Rows), "total", f.Total)
	fmt.Fprintf(&out, `<svg class="rbs wide-only" viewBox="0 0 %d %s" height="%s" preserveAspectRatio="none" role="img" aria-label="%s">`, flowWide, num(high), num(high), escape(label))
	y := (high - total*scale) / 2
	for i := range f.Rows {
		row := &f.Rows[i]
		h := float64(row.watt) * scale
		if h == 0 {
			continue
		}
		mid := flowRowHigh*float64(i) + flowRowHigh/2
		top, bottom := mid-h/2, mid+h/2
		fmt.Fprintf(&out, `<path class="rb %s" d="M8 %sC190 %s 210 %s 392 %sV%sC210 %s 190 %s 8 %sZ"/>`, row.source(), num(y), num(y), num(top), num(top), num(bottom), num(bottom), num(y+h), num(y+h))
		back := ""
		if !row.Sells {
			back = " back"
		}
		fmt.Fprintf(&out, `<path class="fl %s%s" d="M8 %sC190 %s 210 %s 392 %s"/>`, row.source(), back, num(y+h/2), num(y+h/2), num(mid), num(mid))
		left, right := row.source(), row.class()
		if !row.Sells {
			left, right = "hm", row.source()
		}
		fmt.Fprintf(&out, `<rect class="%s" x="0" y="%s" width="8" height="%s"/><rect class="%s" x="392" y="%s" width="8" height="%s"/>`, left, num(y), num(h), right, num(top), num(h))
		y += h
	}
	out.WriteString(`</svg>`)
	x := 0.0
	for i := range f.Rows {
		row := &f.Rows[i]
		w := 1000 * float64(row.watt) / total
		left, right := row.source(), row.class()
		if !row.Sells {
			left, right = "hm", row.source()
		}
		fmt.Fprintf(&from, `<rect class="%s" x="%s" y="0" width="%s" height="16"/>`, left, num(x), num(w))
		fmt.Fprintf(&to, `<rect class="%s" x="%s" y="20" width="%s" height="16"/>`, right, num(x), num(max(0, w-5)))
		x += w
	}
	f.Ribbons = template.HTML(out.String())
	f.Stack = template.HTML(`<svg class="stk narrow-only" viewBox="0 0 1000 36" preserveAspectRatio="none" aria-hidden="true">` + from.String() + to.String() + `</svg>`)
}
