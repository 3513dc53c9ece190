package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"lockstep/types"
)

// Prices that the households of a city bid and ask for a Wh. Every bid is above every offer, so that nearly all trade.
const (
	leastAsked, mostAsked = 50, 199
	leastBid, mostBid     = 200, 399
)

// household is a key that bids, or offers, in the auction of its zone.
type household struct {
	*party
	index int
	bids  bool
	zone  int
	coin  types.Outpoint // its money that is not staked
	money types.Amount
	meter *party // of a producer: its gateway
	deals []*deal
}

// turn is a transaction of a household to be.
type turn struct {
	actions []types.Action
	stake   types.Amount // to be paid for them; zero: no coin is spent
	counts  int          // orders, or trades; zero: there is nothing to do
}

// deal is a match of the auction, as its parties learn of it.
type deal struct {
	id       types.TradeID
	quantity uint64
	consumer *household
	quarter  int    // of the consumer's order
	leaf     uint16 // of its tree
}

// treeDepth is the depth of the trees of digests of the bids: many more leaves than nearly all bids get trades.
const treeDepth = 4

// secretOf is a leaf of a household's order of a quarter-hour: no secret opens two trades.
func (c *city) secretOf(h *household, quarter int, leaf uint64) types.Secret {
	return c.world.secret(h.index, uint64(quarter)<<treeDepth|leaf)
}

// tree is the tree of digests that a household brings with its bid of a quarter-hour.
func (c *city) tree(h *household, quarter int) types.DigestTree {
	digests := make([]types.Hash, 1<<treeDepth)
	for leaf := range digests {
		digests[leaf] = c.secretOf(h, quarter, uint64(leaf)).Digest(1)
	}
	return types.NewDigestTree(digests)
}

// releaseOf opens a deal.
func (c *city) releaseOf(d *deal) types.Release {
	return types.Release{
		Trade: d.id, Instalment: 1, Preimage: c.secretOf(d.consumer, d.quarter, uint64(d.leaf)), Path: c.tree(d.consumer, d.quarter).Path(d.leaf),
	}
}

// releasesOf opens all deals of a consumer.
func (c *city) releasesOf(h *household) (actions []types.Action) {
	for _, d := range h.deals {
		release := c.releaseOf(d)
		actions = append(actions, &release)
	}
	return actions
}

// readingOf reads a producer's meter, which shows that it delivered everything; nothing if it has sold nothing.
func (c *city) readingOf(h *household, product *types.Product) []types.Action {
	var sold uint64
	for _, d := range h.deals {
		sold += d.quantity
	}
	if sold == 0 {
		return nil
	}
	return []types.Action{&types.Reading{Flow: flowOf(h.meter), From: product.From, Records: []types.HexBytes{recordOf(h.meter, product, sold)}}}
}

func newCity(o *Options, households int) *city {
	params := o.params()
	params.Operators = []types.PublicKey{newParty(o.Seed, "issuer", 0).key} // it enrols the meters
	o.rules = &params
	most := int(params.Market.MaxOrders)
	c := &city{
		o: o, world: newWorld(params, types.TimeOf(time.Now()), o, 0, true), households: make([]*household, households),
		zones: (households + most - 1) / most,
	}
	if o.zones > c.zones {
		c.zones = o.zones
	}
	o.Progress(Progress{What: "making keys"})
	shared(households, func(i int) {
		h := &household{party: newParty(o.Seed, "household", i), index: i, bids: i%2 == 0, zone: i / 2 % c.zones}
		if !h.bids {
			h.meter = newParty(o.Seed, "gateway", i)
		}
		c.households[i] = h
	})
	c.report = &CityReport{Households: households, Zones: c.zones, Cores: runtime.GOMAXPROCS(0), MemoryMB: o.memory}
	return c
}

// product is a slot of a zone.
func (c *city) product(zone string, from types.Time) types.Product {
	return types.Product{
		Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: zone, From: from, Until: from.Add(c.world.params.Slot),
		Asset: c.world.asset.ID(),
	}
}

func (c *city) productOf(h *household) types.Product {
	return c.product(fmt.Sprintf("zone-%d", h.zone), c.from)
}

// orderFor is a household's order for a product, with its stake: the same for every product but for its secrets.
func (c *city) orderFor(h *household, product types.Product) turn {
	random := rand.New(rand.NewPCG(c.world.seed, uint64(h.index)))
	between := func(least, most uint64) uint64 { return least + random.Uint64N(most-least+1) }
	grid, _ := c.world.params.Grid(&product)
	order := types.Order{
		ChainID: c.world.params.ChainID, Owner: h.key, Product: product, Side: types.Sell, Quantity: between(leastQuantity, mostQuantity),
		Limit: types.Amount(between(leastAsked, mostAsked)), MinFill: grid.Lot, Expires: product.From,
		Lot: grid.Lot, Deposit: grid.Deposit, Bond: grid.Bond, Fallback: grid.Fallback,
	}
	if h.bids {
		order.Side, order.Limit = types.Bid, types.Amount(between(leastBid, mostBid))
		order.Root, order.Depth = c.tree(h, c.quarter).Root(), treeDepth
	} else {
		order.Flow = flowOf(h.meter)
	}
	stake, _ := order.Stake() // less than its money
	return turn{actions: []types.Action{&types.Place{Order: order}}, stake: stake, counts: 1}
}

// sign makes a household's transaction. It spends the household's coin, and the change is its coin for the next one.
func (c *city) sign(h *household, t *turn) *types.Tx {
	if t.stake == 0 {
		return c.world.sign(types.Body{Actions: t.actions}, h.party)
	}
	h.money -= t.stake
	tx := c.world.sign(types.Body{Inputs: []types.Outpoint{h.coin}, Outputs: []types.Output{c.world.toKey(h.party, h.money)}, Actions: t.actions}, h.party)
	h.coin = types.Outpoint{Tx: tx.ID()}
	return tx
}

// signingTime is a little ago: the time of the last block, which validity is counted from, is behind the clock.
func signingTime() types.Time { return types.TimeOf(time.Now().Add(-time.Minute)) }

// signed makes and signs, on all cores, the transaction of each household that has something to do.
func (c *city) signed(households []*household, todo func(*household) turn) []step {
	c.world.begin = signingTime()
	steps := make([]step, len(households))
	shared(len(households), func(i int) {
		if t := todo(households[i]); t.counts > 0 {
			steps[i] = step{encoded: encode(c.sign(households[i], &t)), first: true, ends: t.counts}
		}
	})
	return slices.DeleteFunc(steps, func(s step) bool { return s.bytes == nil })
}

// learn looks up the trades that came of the auctions, as their parties do. They take the place of those of the last quarter-hour.
func (c *city) learn(ctx context.Context, trades []types.TradeID) error {
	c.o.Progress(Progress{What: "looking up the matches"})
	found, failures := make([]types.Trade, len(trades)), make([]error, len(trades))
	shared(len(trades), func(i int) {
		trade, err := c.node.node.Ledger().Trade(ctx, trades[i])
		found[i], failures[i] = trade.Trade, err
	})
	if err := errors.Join(failures...); err != nil {
		return err
	}
	byKey := make(map[types.PublicKey]*household, len(c.households))
	for _, h := range c.households {
		byKey[h.key], h.deals = h, nil
	}
	c.deals = nil
	for i := range found {
		agreement := &found[i].Agreement
		_, leaf, _ := agreement.Match()
		d := &deal{id: trades[i], quantity: agreement.Goods.Quantity, consumer: byKey[agreement.Consumer], quarter: c.quarter, leaf: leaf}
		c.deals = append(c.deals, d)
		for _, party := range []types.PublicKey{agreement.Producer, agreement.Consumer} {
			h := byKey[party]
			h.deals = append(h.deals, d)
		}
	}
	return nil
}
