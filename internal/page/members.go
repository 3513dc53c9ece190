package page

import (
	"cmp"
	"context"
	"html/template"
	"slices"
	"strconv"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/client/wire/history"
	"lockstep/internal/svg"
	"lockstep/types"
)

// coverView is the share of the energy asked for that neighbours delivered, in a day.
type coverView struct {
	Percent  uint64
	Bar      template.HTML
	Matched  string
	Asked    string
	Rest     string
	Price    string // the lowest and the highest
	Auctions int
	Hours    template.HTML
}

// cover adds up the auctions of a day; nil where there were none.
func (c *screen) cover(begin types.Time, asset types.AssetID) (*coverView, error) {
	auctions, err := c.dayAuctions(begin, asset)
	if err != nil {
		return nil, err
	}
	var hours [24]hourSum
	var asked, matched uint64
	var low, high *history.Auction
	count := 0
	for i := range auctions {
		a := &auctions[i]
		demanded, traded := a.Demanded.Big(), a.Volume.Big()
		if !demanded.IsUint64() || !traded.IsUint64() || a.Product.Unit != types.UnitWattHour {
			continue
		}
		hour := &hours[c.local(a.Product.From).Hour()]
		hour.asked, hour.matched = hour.asked+demanded.Uint64(), hour.matched+traded.Uint64()
		asked, matched = asked+demanded.Uint64(), matched+traded.Uint64()
		count++
		if len(a.Rounds) == 0 {
			continue
		}
		if low == nil || a.Rounds[0].Price < low.Rounds[0].Price {
			low = a
		}
		if high == nil || a.Rounds[0].Price > high.Rounds[0].Price {
			high = a
		}
	}
	if asked == 0 || matched > asked {
		return nil, nil
	}
	v := &coverView{
		Percent: (matched*200 + asked) / (asked * 2), Matched: c.Quantity(matched, types.UnitWattHour), Asked: c.Quantity(asked, types.UnitWattHour), Rest: c.Quantity(asked-matched, types.UnitWattHour), Auctions: count,
		Bar: bar("share big", c.Plain("cover.bar"), barPart{"k-lock", float64(matched)}, barPart{"k-grid", float64(asked - matched)}),
	}
	if low != nil {
		v.Price = c.LotPrice(asset, types.UnitWattHour, low.Rounds[0].Price, low.Lot)
		if top := c.LotPrice(asset, types.UnitWattHour, high.Rounds[0].Price, high.Lot); top != v.Price {
			number, _, _ := cutUnit(v.Price)
			v.Price = number + "\u2013" + top
		}
	}
	v.Hours = c.drawHours(hours[:])
	return v, nil
}

// hourSum is the demand of an hour, and the part of it that neighbours delivered.
type hourSum struct{ asked, matched uint64 }

// drawHours draws a bar for each hour in which something was asked for: the part of neighbours, and the rest from the grid.
func (c *screen) drawHours(hours []hourSum) template.HTML {
	first, last := -1, -1
	for i, h := range hours {
		if h.asked > 0 {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 {
		return ""
	}
	out := ""
	for _, f := range []struct {
		class                               string
		width, height, x0, right, top, foot float64
	}{{"ch wide-only", 1148, 260, 46, 130, 12, 222}, {"ch narrow-only", 348, 230, 40, 4, 12, 196}} {
		d := &svg.Drawing{}
		step := (f.width - f.x0 - f.right) / float64(last-first+1)
		y := func(part float64) float64 { return f.foot - part*(f.foot-f.top) }
		for _, percent := range []int{0, 50, 100} {
			d.Add("line", "class", "gr", "x1", f.x0, "x2", f.width-f.right, "y1", y(float64(percent)/100), "y2", y(float64(percent)/100))
			d.Text(strconv.Itoa(percent)+space+"%", "x", f.x0-8, "y", y(float64(percent)/100)+4, "text-anchor", "end")
		}
		for i := first; i <= last; i++ {
			x := f.x0 + step*float64(i-first)
			if h := hours[i]; h.asked > 0 {
				part := float64(h.matched) / float64(h.asked)
				title := c.Plain("cover.hour", "h", strconv.Itoa(i)+":00", "q", c.Quantity(h.matched, types.UnitWattHour), "all", c.Quantity(h.asked, types.UnitWattHour))
				d.Titled(title, "rect", "class", "gridb", "x", x+1.5, "y", y(1), "width", max(1, step-3), "height", y(part)-y(1))
				d.Titled(title, "rect", "class", "soldb", "x", x+1.5, "y", y(part), "width", max(1, step-3), "height", f.foot-y(part))
			}
			if every := int(48/step) + 1; (i-first)%every == 0 {
				d.Text(strconv.Itoa(i)+":00", "x", x+step/2, "y", f.foot+20, "text-anchor", "middle")
			}
		}
		if f.right > 100 {
			lastPart := 1.0
			if h := hours[last]; h.asked > 0 {
				lastPart = float64(h.matched) / float64(h.asked)
			}
			d.Text(c.Plain("cover.grid"), "x", f.width-f.right+12, "y", y(1)+16)
			d.Text(c.Plain("cover.neighbours"), "class", "lb peerl", "x", f.width-f.right+12, "y", min(f.foot-4, max(y(lastPart)+16, y(1)+40)))
		}
		out += d.Inline(c.Plain("cover.chart"), f.width, f.height, "class", f.class)
	}
	return template.HTML(out) //nolint:gosec // package svg escapes all texts
}

// memberRow is a member's day.
type memberRow struct {
	Key          types.PublicKey
	You          bool
	Bought, Sold string
	Bar          template.HTML
	Net          template.HTML
	Record       string
	Low          bool // the record is below that which most orders demand

	bought, sold uint64
	paid, got    types.Amount
}

// lowRecord is the record below which it is marked.
const lowRecord = 80

// bookRow is the place of all money of an asset.
type bookRow struct {
	Asset                        types.AssetID
	Issued, Keys, Trades, Orders types.Amount
	Fees, Rest                   types.Amount
	AddUp                        bool
}

// mostMembers bounds the members that the page lists, and whose money it adds up.
const mostMembers = 100

// books are the money and the records of the members at a moment.
type books struct {
	keys    []types.PublicKey
	more    bool
	records map[types.PublicKey]wire.KeyRecord
	rows    []bookRow
}

// members fills in the table of the members and the books.
func (c *screen) members(v *communityView, trades []history.Trade, asset types.AssetID) error {
	held, err := c.facts.bookkeep(c.r.Context(), v.Assets)
	if err != nil {
		return err
	}
	v.Books = held.rows
	var rows []memberRow
	at := func(key types.PublicKey) *memberRow {
		i := slices.IndexFunc(rows, func(r memberRow) bool { return r.Key == key })
		if i < 0 {
			rows = append(rows, memberRow{Key: key, You: key == c.self})
			i = len(rows) - 1
		}
		return &rows[i]
	}
	for _, key := range held.keys {
		at(key)
	}
	for i := range trades {
		t := &trades[i]
		if t.Phase != types.PhaseReleased && t.Phase != types.PhaseSettled || t.Product.Asset != asset {
			continue
		}
		quantity := t.Quantity
		if t.Phase == types.PhaseSettled {
			quantity = t.Allotted
		}
		price := t.Price
		if t.Phase == types.PhaseSettled {
			price = t.Price.Share(min(t.Allotted, t.Quantity), max(t.Quantity, 1))
		}
		seller := at(t.Producer)
		seller.got = seller.got.Saturate(price)
		if t.Product.Commodity == types.CommodityEnergy {
			seller.sold += quantity
		}
		buyer := at(t.Consumer)
		buyer.paid = buyer.paid.Saturate(price)
		if t.Product.Commodity == types.CommodityEnergy {
			buyer.bought += quantity
		}
	}
	most := uint64(1)
	for i := range rows {
		most = max(most, rows[i].bought, rows[i].sold)
	}
	for i := range rows {
		c.memberRow(&rows[i], most, asset, held)
	}
	slices.SortStableFunc(rows, func(a, b memberRow) int {
		return cmp.Or(cmp.Compare(min(1, b.bought+b.sold), min(1, a.bought+a.sold)), cmp.Compare(c.Name(a.Key), c.Name(b.Key)))
	})
	if len(rows) > mostMembers {
		v.MoreMembers, rows = len(rows)-mostMembers, rows[:mostMembers]
	}
	v.Members = rows
	return nil
}

// Sells reports whether the member sold energy in the day.
func (r memberRow) Sells() bool { return r.sold > 0 }

// Rest is the remainder to a hundred.
func (c *screen) Rest(percent uint64) uint64 { return 100 - min(100, percent) }

func (c *screen) memberRow(r *memberRow, most uint64, asset types.AssetID, held *books) {
	r.Bought, r.Sold, r.Record = "–", "–", "–"
	if r.bought > 0 {
		r.Bought = c.Quantity(r.bought, types.UnitWattHour)
	}
	if r.sold > 0 {
		r.Sold = c.Quantity(r.sold, types.UnitWattHour)
	}
	if more, ok := r.got.Sub(r.paid); ok && more > 0 {
		r.Net = c.Signed(asset, more, true)
	} else if less, _ := r.paid.Sub(r.got); less > 0 {
		r.Net = c.Signed(asset, less, false)
	}
	if r.bought|r.sold > 0 {
		r.Bar = twoSided(float64(r.bought)/float64(most), float64(r.sold)/float64(most), r.Bought+" · "+r.Sold)
	}
	if record, known := held.records[r.Key]; known && record.Record != (types.Conduct{}) {
		r.Record = strconv.Itoa(int(record.Percent)) + space + "%"
		r.Low = record.Percent < lowRecord
	}
}

// twoSided draws the bought quantity to the left of a line and the sold one to its right.
func twoSided(left, right float64, title string) template.HTML {
	d := &svg.Drawing{}
	const half, high = 100, 8
	if left > 0 {
		d.Add("rect", "class", "soldb", "x", half-left*half, "y", 3, "width", max(1, left*half), "height", high)
	}
	if right > 0 {
		d.Add("rect", "class", "sn", "x", half, "y", 3, "width", max(1, right*half), "height", high)
	}
	d.Add("line", "class", "base", "x1", half, "x2", half, "y1", 0, "y2", 14)
	return template.HTML(d.Inline(title, 2*half, 14, "class", "two")) //nolint:gosec // package svg escapes all texts
}

// bookkeep adds up the money of the members in the recognised assets. All readers share one answer for some seconds.
func (f *facts) bookkeep(ctx context.Context, assets []wire.Asset) (*books, error) {
	ctx = context.WithoutCancel(ctx) // others may wait for the answer
	found, err := f.books.get(f.now, booksLife, func() (books, error) { return f.fetchBooks(ctx, assets) })
	return &found, err
}

func (f *facts) fetchBooks(ctx context.Context, assets []wire.Asset) (books, error) {
	b := books{records: map[types.PublicKey]wire.KeyRecord{}}
	page, err := f.node.Members(ctx, client.Page{Limit: mostMembers})
	if err != nil {
		return b, err
	}
	b.more = page.Next != ""
	for i := range page.Members {
		b.keys = append(b.keys, page.Members[i].Key)
	}
	if len(assets) > 0 {
		for _, key := range b.keys {
			if record, err := f.node.Record(ctx, key, assets[0].ID); err == nil {
				b.records[key] = record
			}
		}
	}
	for i := range assets {
		if row, ok := f.book(ctx, &assets[i], b.keys); ok {
			b.rows = append(b.rows, row)
		}
	}
	return b, nil
}

const booksLife = 10 * time.Second

// book adds up the money of some keys and of the issuer in an asset, all at one height.
func (f *facts) book(ctx context.Context, asset *wire.Asset, keys []types.PublicKey) (row bookRow, ok bool) {
	const tries = 3 // a block may come between two answers
	if !slices.Contains(keys, asset.Asset.Issuer) {
		keys = append(slices.Clone(keys), asset.Asset.Issuer)
	}
	for range tries {
		now, err := f.node.Asset(ctx, asset.ID)
		if err != nil {
			return row, false
		}
		row = bookRow{Asset: asset.ID, Issued: now.Issued, Fees: now.Fees}
		height, same := uint64(0), true
		for _, key := range keys {
			page, err := f.node.BalancesOf(ctx, key, asset.ID)
			if err != nil {
				return row, false
			}
			if height == 0 {
				height = page.Height
			}
			same = same && page.Height == height
			for _, balance := range page.Balances {
				row.Keys, row.Trades, row.Orders = row.Keys.Saturate(balance.Spendable), row.Trades.Saturate(balance.Locked), row.Orders.Saturate(balance.InOrders)
			}
		}
		rest, fits := row.Issued.Sub(row.Keys.Saturate(row.Trades).Saturate(row.Orders).Saturate(row.Fees))
		if row.Rest, row.AddUp = rest, fits && rest == 0; same && fits {
			return row, true
		}
	}
	return row, true
}
