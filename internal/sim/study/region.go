package study

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"lockstep/internal/sim/rules"
	"lockstep/internal/table"
	"lockstep/types"
)

// Communities are the communities of a region, each with a ledger of its own. Every community has the households of the scenario.
type Communities struct {
	Count int    `yaml:"count"` // zero: the scenario is one community
	Roofs Range  `yaml:"roofs"` // percent of the households, drawn for each community in place of the scenario's share
	Fee   uint64 `yaml:"fee"`   // ct/kWh that the grid takes for energy between two communities
}

// Bounds of a region: its memory is about 50 bytes for each quarter-hour of a household.
const (
	maxCommunities   = 1_000
	maxRegionEntries = 20_000_000
)

// Region is the outcome of a region's days by arithmetic alone: no ledger is involved, and every household keeps its word.
type Region struct {
	Scenario    string      `json:"scenario"`
	Seed        uint64      `json:"seed"`
	Slots       int         `json:"slots"`
	Households  int         `json:"households"` // of each community
	Fee         uint64      `json:"fee"`        // smallest units for a Wh
	Communities []Community `json:"communities"`
	Use         uint64      `json:"use_wh"`
	Sun         uint64      `json:"sun_wh"`
	Own         uint64      `json:"own_wh"` // used from the own roof or battery
	Alone       Level       `json:"alone"`
	Rest        Level       `json:"between"` // by a regional auction of all that is left over
	Together    Level       `json:"together"`
}

// Community is the energy of one community, in Wh.
type Community struct {
	Roofs    uint64 `json:"roofs_percent"`
	Use      uint64 `json:"use_wh"`
	Sun      uint64 `json:"sun_wh"`
	Traded   uint64 `json:"traded_wh"`   // within it
	Exported uint64 `json:"exported_wh"` // to other communities
	Imported uint64 `json:"imported_wh"`
}

// Level is the trade of one way to hold the auctions.
type Level struct {
	Traded     uint64 `json:"traded_wh"`
	Saved      int64  `json:"saved"` // by all, against the utility alone
	Orders     uint64 `json:"orders"`
	MostOrders int    `json:"most_orders"` // of one auction
	Trades     uint64 `json:"trades"`
}

// neighbour is a household of a region.
type neighbour struct {
	*house
	community int
}

// checkRegion checks the values that a region has beyond those of its communities.
func (s *Scenario) checkRegion() error {
	c := &s.Communities
	switch {
	case c.Count == 0:
		return nil
	case c.Count < 2 || c.Count > maxCommunities:
		return fault("communities.count %d: choose 2 to %d, or leave it out", c.Count, maxCommunities)
	case s.Town || s.Profiles != "":
		return fault("communities: the town and measured houses are one community: leave town and profiles out")
	case c.Roofs.From > c.Roofs.To || c.Roofs.To > percent:
		return fault("communities.roofs from %d to %d: choose a range within 0 to 100", c.Roofs.From, c.Roofs.To)
	case c.Fee > maxCents:
		return fault("communities.fee %d: choose 0 to %d ct/kWh", c.Fee, maxCents)
	case s.Households*s.Slots > maxRegionEntries/c.Count:
		return fault("communities.count %d: with %d households and %d quarter-hours that is too much: choose at most %d in all, multiplied", c.Count, s.Households, s.Slots, maxRegionEntries)
	}
	return nil
}

// RunRegion compares three ways to trade in a region: each community alone; then an auction between all of them for the rest; and one
// auction for all households, without a fee.
func RunRegion(s Scenario) (*Region, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	const units = 10 // smallest units for a Wh are ten to a ct/kWh
	r := &Region{Scenario: s.Name, Seed: s.Seed, Slots: s.Slots, Households: s.Households, Fee: s.Communities.Fee * units}
	var all []neighbour
	for c := range s.Communities.Count {
		each := s
		each.place = c
		each.Roofs.Share = s.Communities.Roofs.draw(each.chance(communityChance))
		houses, _, err := each.houses()
		if err != nil {
			return nil, err
		}
		r.Communities = append(r.Communities, Community{Roofs: each.Roofs.Share})
		for _, h := range houses {
			all = append(all, neighbour{h, c})
			r.enter(c, h)
		}
	}
	for n := range s.Slots {
		r.play(all, n)
	}
	return r, nil
}

// enter enters the energy of a house.
func (r *Region) enter(c int, h *house) {
	for n := range h.use {
		r.Communities[c].Use += h.use[n]
		r.Communities[c].Sun += h.sun[n]
		r.Use, r.Sun, r.Own = r.Use+h.use[n], r.Sun+h.sun[n], r.Own+h.use[n]-h.need[n]
	}
}

// play holds the auctions of one slot in each of the three ways.
func (r *Region) play(all []neighbour, n int) {
	var book []rules.Bid
	within := make([][]rules.Bid, len(r.Communities))
	for i, h := range all {
		bid := rules.Bid{Place: i, Side: types.Sell, Quantity: h.surplus[n], Limit: h.feedIn}
		if bid.Quantity == 0 {
			bid = rules.Bid{Place: i, Side: types.Bid, Quantity: h.need[n], Limit: h.tariff}
		}
		if bid.Quantity > 0 {
			book = append(book, bid)
			within[h.community] = append(within[h.community], bid)
		}
	}
	r.Together.trade(book)
	var rest []rules.Bid // each community's orders, one for each limit; place is its community
	for c, orders := range within {
		left := make(map[int]uint64, len(orders))
		for _, b := range orders {
			left[b.Place] = b.Quantity
		}
		for _, f := range r.Alone.trade(orders) {
			left[f.Seller] -= f.Wh
			left[f.Buyer] -= f.Wh
			r.Communities[c].Traded += f.Wh
		}
		slices.SortFunc(orders, func(a, b rules.Bid) int { return cmp.Or(cmp.Compare(a.Side, b.Side), cmp.Compare(a.Limit, b.Limit)) })
		for _, b := range orders {
			wh := left[b.Place]
			if wh == 0 {
				continue
			}
			if b.Side == types.Sell {
				b.Limit += r.Fee
			}
			if last := len(rest) - 1; last >= 0 && rest[last].Place == c && rest[last].Side == b.Side && rest[last].Limit == b.Limit {
				rest[last].Quantity += wh
				continue
			}
			rest = append(rest, rules.Bid{Place: c, Side: b.Side, Quantity: wh, Limit: b.Limit})
		}
	}
	communities := make([]int, len(rest))
	for i := range rest {
		communities[i], rest[i].Place = rest[i].Place, i
	}
	for _, f := range r.Rest.trade(rest) {
		r.Communities[communities[f.Seller]].Exported += f.Wh
		r.Communities[communities[f.Buyer]].Imported += f.Wh
	}
}

// trade holds one auction and enters its outcome. A Wh saves the difference between the limits of its buyer and its seller.
func (l *Level) trade(book []rules.Bid) []rules.Flow {
	limits := make(map[int]uint64, len(book))
	for _, b := range book {
		limits[b.Place] = b.Limit
	}
	flows := rules.Uniform(book)
	l.Orders += uint64(len(book))
	l.MostOrders = max(l.MostOrders, len(book))
	l.Trades += uint64(len(flows))
	for _, f := range flows {
		l.Traded += f.Wh
		l.Saved += int64(f.Wh*limits[f.Buyer]) - int64(f.Wh*limits[f.Seller])
	}
	return flows
}

// WriteText writes the region for people.
func (r *Region) WriteText(to io.Writer) error {
	w := table.New(to)
	w.Line("%s: %d communities of %d households, %d quarter-hours, seed %d\n", r.Scenario, len(r.Communities), r.Households, r.Slots, r.Seed)
	w.Gap, w.Columns = 2, []table.Column{{}, {Right: true}, {}}
	w.Row("used", kWh(r.Use), "kWh")
	w.Row("made by roofs", kWh(r.Sun), "kWh, "+kWh(r.Own)+" kWh of it used in the same house")
	w.Line("")
	both := Level{Traded: r.Alone.Traded + r.Rest.Traded, Saved: r.Alone.Saved + r.Rest.Saved, Orders: r.Alone.Orders + r.Rest.Orders, Trades: r.Alone.Trades + r.Rest.Trades}
	both.MostOrders = max(r.Alone.MostOrders, r.Rest.MostOrders)
	w.Gap, w.Columns = 2, append([]table.Column{{}}, slices.Repeat([]table.Column{{Right: true}}, 6)...)
	w.Row("auctions", "traded kWh", "self-suff.", "saved EUR", "orders", "trades", "largest auction")
	w.Rule()
	for _, row := range []struct {
		name  string
		level *Level
	}{{"in each community alone", &r.Alone}, {"then between communities", &r.Rest}, {"both", &both}, {"one for all, no fee", &r.Together}} {
		l := row.level
		covered := share(r.Own+l.Traded, r.Use)
		if l == &r.Rest {
			covered = "" // it adds to the first row's
		}
		w.Row(row.name, kWh(l.Traded), covered, eur(l.Saved), strconv.FormatUint(l.Orders, 10), strconv.FormatUint(l.Trades, 10), strconv.Itoa(l.MostOrders))
	}
	w.Line("\nComputed without a ledger, for households that keep their word. Energy between communities costs a fee of %s ct/kWh.", ct(r.Fee*100))
	return w.Flush()
}

// WriteCSV writes a line for each community, in Wh.
func (r *Region) WriteCSV(to io.Writer) error {
	lines := csv.NewWriter(to)
	rows := [][]string{strings.Split("community,households,roofs_percent,use_wh,sun_wh,traded_wh,exported_wh,imported_wh", ",")}
	for i := range r.Communities {
		c := &r.Communities[i]
		row := []string{strconv.Itoa(i + 1), strconv.Itoa(r.Households)}
		for _, n := range []uint64{c.Roofs, c.Use, c.Sun, c.Traded, c.Exported, c.Imported} {
			row = append(row, fmt.Sprint(n))
		}
		rows = append(rows, row)
	}
	return lines.WriteAll(rows)
}
