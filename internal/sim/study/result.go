package study

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"lockstep/client/wire"
	"lockstep/internal/sim/rules"
	"lockstep/types"
)

// Result is the outcome of a scenario. All numbers are whole, so that they are the same on every machine: energy in Wh, money in smallest
// units, prices in smallest units for a Wh.
type Result struct {
	Scenario   string      `json:"scenario"`
	Seed       uint64      `json:"seed"`
	Slots      int         `json:"slots"`
	Blocks     int         `json:"blocks"`
	Txs        int         `json:"transactions"`
	Refused    []Count     `json:"refused"`  // transactions by the code of their refusal
	Unsigned   []Count     `json:"unsigned"` // that agents could not make
	Trades     int         `json:"trades"`
	Released   int         `json:"released"`
	Settled    int         `json:"settled"`
	Open       int         `json:"open"`
	Use        uint64      `json:"use_wh"`
	Sun        uint64      `json:"sun_wh"`
	Own        uint64      `json:"own_wh"`     // used from the own roof or battery
	Sold       uint64      `json:"sold_wh"`    // matched by auctions
	Traded     uint64      `json:"traded_wh"`  // of it, fed in as metered and paid
	Saved      int64       `json:"saved"`      // by all, against the utility alone
	MeanPrice  uint64      `json:"mean_price"` // in hundredths of the smallest unit for a Wh: by energy
	Prices     []SlotPrice `json:"prices"`
	Breaches   []Breach    `json:"breaches"`
	Rules      []Rule      `json:"rules"`
	Households []Account   `json:"households"`
	Books      Books       `json:"books"`
	Commitment types.Hash  `json:"commitment"` // of the last block, to all of the state
}

// Count is how often something happened.
type Count struct {
	What  string `json:"what"`
	Times int    `json:"times"`
}

// SlotPrice is the result of a slot's auction.
type SlotPrice struct {
	Clock  string `json:"clock"`
	Price  uint64 `json:"price"` // of its largest round; zero without a match
	Volume uint64 `json:"volume_wh"`
}

// Breach is the promises that a household broke for one cause.
type Breach struct {
	Household string `json:"household"`
	Cause     string `json:"cause"`
	Trades    int    `json:"trades"`
	Energy    uint64 `json:"energy_wh"`
	Read      uint64 `json:"read_wh"` // of it, as metered
	Price     uint64 `json:"price"`
	Lost      uint64 `json:"lost"`   // to the others: bonds or deposits
	Others    int    `json:"others"` // households on the other side

	others map[int]bool
}

// The causes of broken promises.
const (
	CauseUndelivered = "sold, and fed nothing in"
	CauseWithheld    = "took deliveries, and released nothing"
	CauseMeter       = "its meter is broken"
	CauseOffline     = "its agent was away"
	CauseCloud       = "less sun than foreseen"
	CauseOutage      = "the ledger stood still"
)

// Account is the energy and the money of a household. Start + In - Out = Held + Locked.
type Account struct {
	Name   string `json:"name"`
	Roof   bool   `json:"roof"`
	Tariff uint64 `json:"tariff"`
	FeedIn uint64 `json:"feed_in"`
	Use    uint64 `json:"use_wh"`
	Sun    uint64 `json:"sun_wh"`
	Spare  uint64 `json:"spare_wh"`
	Need   uint64 `json:"need_wh"`
	Sold   uint64 `json:"sold_wh"`
	Bought uint64 `json:"bought_wh"`
	Start  uint64 `json:"start"`
	In     uint64 `json:"in"`
	Out    uint64 `json:"out"`
	Saved  int64  `json:"saved"`
	Held   uint64 `json:"held"`
	Locked uint64 `json:"locked"`
}

// Rule is the same days under another rule, if every household kept its word: no ledger is involved.
type Rule struct {
	Name   string  `json:"name"`
	Traded uint64  `json:"traded_wh"`
	Saved  int64   `json:"saved"`  // by all
	Least  int64   `json:"least"`  // by the household that saves least
	Median int64   `json:"median"` // and by the one in the middle
	Most   int64   `json:"most"`
	Gini   uint64  `json:"gini"` // how uneven the savings are, in thousandths
	saved  []int64 // of each household
}

// Books are the sums of the money at the end.
type Books struct {
	Issued    uint64   `json:"issued"`
	Held      uint64   `json:"held"`
	Locked    uint64   `json:"locked"`
	Conserved bool     `json:"conserved"`
	Faults    []string `json:"faults"`
}

// fixedPrice is the price of a Wh where a rule has none of its own: the middle of the scenario's tariffs.
func (s *Scenario) fixedPrice() uint64 {
	const units = 10
	return (s.Tariffs.Buy.From + s.Tariffs.Buy.To + s.Tariffs.FeedIn.From + s.Tariffs.FeedIn.To) * units / 4
}

// result reads the results from the ledger.
func (w *world) result() (*Result, error) {
	s := w.scenario
	r := &Result{
		Scenario: s.Name, Seed: s.Seed, Slots: s.Slots, Blocks: w.chain.blocks, Txs: w.chain.txs, Refused: []Count{}, Unsigned: []Count{},
		Prices: make([]SlotPrice, s.Slots), Breaches: []Breach{}, Rules: []Rule{}, Commitment: w.chain.store.Commitment(),
	}
	for code, times := range w.chain.refused { // in any order: sorted below
		r.Refused = append(r.Refused, Count{code.String(), times})
	}
	for text, times := range w.failures { // in any order: sorted below
		r.Unsigned = append(r.Unsigned, Count{text, times})
	}
	for _, counts := range [][]Count{r.Refused, r.Unsigned} {
		slices.SortFunc(counts, func(a, b Count) int { return cmp.Compare(a.What, b.What) })
	}
	for n := range r.Prices {
		at := w.begin + n
		r.Prices[n].Clock = fmt.Sprintf("%02d:%02d", at/4%24, at%4*15)
	}
	for _, p := range w.players {
		a := Account{Name: p.name, Roof: p.roof, Tariff: p.tariff, FeedIn: p.feedIn, Start: uint64(p.purse)}
		for n := range s.Slots {
			a.Use, a.Sun, a.Spare, a.Need = a.Use+p.use[n], a.Sun+p.sun[n], a.Spare+p.surplus[n], a.Need+p.need[n]
		}
		r.Use, r.Sun, r.Own = r.Use+a.Use, r.Sun+a.Sun, r.Own+a.Use-a.Need
		r.Households = append(r.Households, a)
	}
	if err := w.enterTrades(r); err != nil {
		return nil, err
	}
	for i := range r.Households {
		r.Saved += r.Households[i].Saved
	}
	for _, name := range s.Rules {
		r.Rules = append(r.Rules, w.under(name))
	}
	return r, w.close(r)
}

// enterTrades enters each trade once, by its seller.
func (w *world) enterTrades(r *Result) error {
	places := map[types.PublicKey]int{}
	for _, p := range w.players {
		places[p.account.Key()] = p.place
	}
	var paid uint64
	best := make([]map[uint64]uint64, len(r.Prices)) // volume by price
	breaches := map[string]*Breach{}
	for _, p := range w.players {
		for t, err := range w.chain.trades(p.account.Key()) {
			if err != nil {
				return err
			}
			a := &t.Trade.Agreement
			if a.Producer != p.account.Key() {
				continue
			}
			w.enter(r, &t, p.place, places[a.Consumer], breaches)
			r.Sold, paid = r.Sold+a.Goods.Quantity, paid+uint64(a.Price)
			if n, played := w.slotOf(a.Goods.From); played {
				if best[n] == nil {
					best[n] = map[uint64]uint64{}
				}
				best[n][uint64(a.Price)/a.Goods.Quantity] += a.Goods.Quantity
				r.Prices[n].Volume += a.Goods.Quantity
			}
		}
	}
	for n, prices := range best {
		var most uint64
		for price, volume := range prices { // in any order: the largest, of equal ones the lowest
			if volume > most || volume == most && price < r.Prices[n].Price {
				most, r.Prices[n].Price = volume, price
			}
		}
	}
	if r.Sold > 0 {
		r.MeanPrice = paid * 100 / r.Sold
	}
	for _, b := range breaches { // in any order: sorted below
		b.Others = len(b.others)
		r.Breaches = append(r.Breaches, *b)
	}
	slices.SortFunc(r.Breaches, func(a, b Breach) int {
		return cmp.Or(cmp.Compare(b.Lost, a.Lost), cmp.Compare(a.Household, b.Household), cmp.Compare(a.Cause, b.Cause))
	})
	return nil
}

// enter enters a trade into the accounts of its parties.
func (w *world) enter(r *Result, t *wire.Trade, seller, buyer int, breaches map[string]*Breach) {
	a := &t.Trade.Agreement
	r.Trades++
	switch t.Phase {
	case types.PhaseReleased:
		r.Released++
		r.transfer(seller, buyer, a.Goods.Quantity, uint64(a.Price), 0)
	case types.PhaseSettled:
		r.Settled++
		read := min(t.Trade.Allotted, a.Goods.Quantity)
		price := uint64(a.Price.Share(read, a.Goods.Quantity))
		if read == a.Goods.Quantity {
			r.transfer(seller, buyer, read, price+uint64(a.Deposit), 0)
			w.blame(breaches, w.players[buyer], seller, w.whyWithheld(w.players[buyer], a.Goods.From), a, read, uint64(a.Deposit))
			return
		}
		bond := uint64(a.Bond - a.Bond.Share(read, a.Goods.Quantity))
		r.transfer(seller, buyer, read, price, bond)
		w.blame(breaches, w.players[seller], buyer, w.whyShort(w.players[seller], a.Goods.From, read), a, read, bond)
	default:
		r.Open++
		r.Households[seller].Locked += uint64(a.Bond)
		r.Households[buyer].Locked += uint64(a.Price + a.Deposit)
	}
}

// whyShort names the cause of a short delivery.
func (w *world) whyShort(p *player, from types.Time, read uint64) string {
	n := w.slotAt(from)
	switch {
	case n >= p.defaultsFrom:
		return CauseUndelivered
	case n >= p.brokenFrom:
		return CauseMeter
	case p.fed[n] < p.surplus[n] && read > 0:
		return CauseCloud
	case p.offline:
		return CauseOffline
	}
	return CauseOutage
}

// whyWithheld names the cause of a release that did not come.
func (w *world) whyWithheld(p *player, from types.Time) string {
	switch {
	case w.slotAt(from) >= p.withholdsFrom:
		return CauseWithheld
	case p.offline:
		return CauseOffline
	}
	return CauseOutage
}

func (r *Result) transfer(seller, buyer int, wh, paid, back uint64) {
	from, to := &r.Households[seller], &r.Households[buyer]
	from.Sold, to.Bought = from.Sold+wh, to.Bought+wh
	from.In, to.Out = from.In+paid, to.Out+paid
	from.Out, to.In = from.Out+back, to.In+back
	from.Saved += int64(paid) - int64(back) - int64(wh*from.FeedIn)
	to.Saved += int64(wh*to.Tariff) + int64(back) - int64(paid)
	r.Traded += wh
}

func (w *world) blame(breaches map[string]*Breach, p *player, other int, cause string, a *types.Agreement, read, lost uint64) {
	key := fmt.Sprintf("%d %s", p.place, cause)
	b := breaches[key]
	if b == nil {
		b = &Breach{Household: p.name, Cause: cause, others: map[int]bool{}}
		breaches[key] = b
	}
	b.others[other] = true
	b.Trades, b.Energy, b.Read = b.Trades+1, b.Energy+a.Goods.Quantity, b.Read+read
	b.Price, b.Lost = b.Price+uint64(a.Price), b.Lost+lost
}

// under plays the days under a rule.
func (w *world) under(name string) Rule {
	r := Rule{Name: name, saved: make([]int64, len(w.players))}
	surplus, needs, weights := make([]uint64, len(w.players)), make([]uint64, len(w.players)), make([]uint64, len(w.players))
	for i, p := range w.players {
		for _, wh := range p.use {
			weights[i] += wh
		}
		weights[i] = max(weights[i], 1)
	}
	for n := range w.scenario.Slots {
		var book []rules.Bid
		for i, p := range w.players {
			if surplus[i], needs[i] = p.surplus[n], p.need[n]; surplus[i] > 0 {
				book = append(book, rules.Bid{Place: i, Side: types.Sell, Quantity: surplus[i], Limit: p.feedIn})
			} else if needs[i] > 0 {
				book = append(book, rules.Bid{Place: i, Side: types.Bid, Quantity: needs[i], Limit: p.tariff})
			}
		}
		for _, f := range w.share(name, book, surplus, needs, weights) {
			r.Traded += f.Wh
			r.saved[f.Seller] += int64(f.Price) - int64(f.Wh*w.players[f.Seller].feedIn)
			r.saved[f.Buyer] += int64(f.Wh*w.players[f.Buyer].tariff) - int64(f.Price)
		}
	}
	for _, saved := range r.saved {
		r.Saved += saved
	}
	slices.Sort(r.saved)
	r.Least, r.Median, r.Most, r.Gini = r.saved[0], r.saved[len(r.saved)/2], r.saved[len(r.saved)-1], gini(r.saved)
	return r
}

func (w *world) share(name string, book []rules.Bid, surplus, needs, weights []uint64) []rules.Flow {
	switch name {
	case RuleUniform:
		return rules.Uniform(book)
	case RulePayAsBid:
		return rules.PayAsBid(book)
	case RuleStatic:
		return rules.Static(surplus, needs, weights, w.scenario.fixedPrice())
	case RuleProRata:
		return rules.ProRata(surplus, needs, w.scenario.fixedPrice())
	}
	return nil
}

// gini tells how unevenly sums are spread, in thousandths: 0 for all the same, towards 1000 for all to one. Losses count as nothing.
func gini(sorted []int64) uint64 {
	var sum, weighted uint64
	for i, saved := range sorted {
		sum += uint64(max(saved, 0))
		weighted += uint64(i+1) * uint64(max(saved, 0))
	}
	if sum == 0 {
		return 0
	}
	n := uint64(len(sorted))
	// 2*weighted/(n*sum) - (n+1)/n, in thousandths; the sums stay far below 2^64
	return (2*weighted/sum*1000 + 2*weighted%sum*1000/sum - (n+1)*1000) / n
}

// close compares the sums of the money: the state's, those of each key, and those of the trades.
func (w *world) close(r *Result) error {
	ctx := context.Background()
	asset, err := w.chain.Asset(ctx, w.money.ID())
	if err != nil {
		return err
	}
	r.Books = Books{Issued: uint64(asset.Issued), Faults: []string{}}
	for i, p := range w.players {
		balances, err := w.chain.Balances(ctx, p.account.Key(), []types.AssetID{w.money.ID()}, wire.Page{Limit: 1})
		if err != nil {
			return err
		}
		a := &r.Households[i]
		var locked uint64
		for _, b := range balances.Balances {
			a.Held, locked = uint64(b.Spendable), uint64(b.Locked+b.InOrders)
		}
		r.Books.Held, r.Books.Locked = r.Books.Held+a.Held, r.Books.Locked+locked
		if a.Locked != locked || a.Start+a.In-a.Out != a.Held+a.Locked {
			r.Books.Faults = append(r.Books.Faults, fmt.Sprintf("%s: start %d + in %d - out %d is not held %d + locked %d", a.Name, a.Start, a.In, a.Out, a.Held, locked))
		}
	}
	if r.Books.Issued != r.Books.Held+r.Books.Locked {
		r.Books.Faults = append(r.Books.Faults, fmt.Sprintf("issued %d is not held %d + locked %d", r.Books.Issued, r.Books.Held, r.Books.Locked))
	}
	r.Books.Conserved = len(r.Books.Faults) == 0
	return nil
}
