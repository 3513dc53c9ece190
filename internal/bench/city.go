package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"lockstep/types"
)

// Bounds of a city.
const (
	leastHouseholds = 4
	mostHouseholds  = 2_000_000
)

const (
	// cityAtOnce is how many transactions of a burst are on their way: as many as the pool has room for, so that it takes
	// all the time to do them and none to refuse them.
	cityAtOnce = 12_000
	// rehearsal is how many orders are placed for another product first, to learn how long the burst will take.
	rehearsal = 4000
	// gateSlack is by how much the gate is later than the burst is thought to end.
	gateSlack = 2
)

// city is one quarter-hour of many households on one node: all place a funded order, the gate closes, and the auctions of all zones make
// trades that are paid and delivered from the beginning. The slot passes, the meters are read, and the trades are released.
type city struct {
	o          *Options
	world      *world // money and signatures
	node       *nodeTarget
	households []*household
	zones      int
	from       types.Time       // the slot
	purses     []types.Outpoint // of the households of the rehearsal, for after it
	deals      []*deal
	report     *CityReport
}

// cityRules are the default ones with slots of a second, so that the gate can close whenever all orders are there, and windows in
// which a slow machine is late rather than refused. Between gate and slot there is time for the auction, and little more: the meters are
// read after it.
func cityRules(households int) types.Params {
	const second, hour = types.Duration(1000), types.Duration(3600 * 1000)
	p := types.DefaultParams("lockstep-bench")
	p.Slot, p.ClockCap, p.MinWindow = second, second, 3*second
	p.Market.Opens, p.Market.Gate = 6*hour, 4*second+types.Duration(households)/householdsCleared
	p.Market.Reading, p.Market.Confirm = 6*hour, 6*hour
	return p
}

// householdsCleared is how many households' auction a millisecond is thought to be long enough for, on a slow machine.
const householdsCleared = 2

// City does one quarter-hour of so many households as fast as one node takes it.
func City(ctx context.Context, o Options, households int) (*CityReport, error) {
	o = o.withDefaults()
	rules := cityRules(households)
	o.rules = &rules
	if err := o.check(); err != nil {
		return nil, err
	}
	switch {
	case o.Mode != ModeNode:
		return nil, &OptionError{fmt.Errorf("a city is measured in mode node, not %s", o.Mode)}
	case households < leastHouseholds || households > mostHouseholds:
		return nil, &OptionError{fmt.Errorf("a city of %d households: %d to %d are possible", households, leastHouseholds, mostHouseholds)}
	}
	c := newCity(&o, households)
	var err error
	if c.node, err = newNodeTarget(ctx, &o); err != nil {
		return nil, err
	}
	stop := func() {}
	for i, step := range []func(context.Context) error{c.fund, c.enrol, c.rehearse, c.order, c.auction, c.read, c.release, c.index} {
		if i == 3 {
			stop = o.Measured()
		}
		if err = step(ctx); err != nil {
			break
		}
	}
	stop()
	if err != nil {
		return nil, errors.Join(err, c.node.abandon(), c.node.remove())
	}
	o.Progress(Progress{What: "auditing"})
	if err := errors.Join(c.node.close(c.world.issued), c.node.remove()); err != nil {
		return nil, err
	}
	c.report.finish()
	return c.report, nil
}

// fund gives every household a purse, and those of the rehearsal another one.
func (c *city) fund(ctx context.Context) error {
	var owners []*party
	for _, h := range slices.Concat(c.households, c.rehearsing()) {
		owners = append(owners, h.party)
	}
	purses := c.world.endow(owners)
	for i, h := range c.households {
		h.purse = purses[i]
	}
	c.purses = purses[len(c.households):]
	c.o.Progress(Progress{What: "issuing money"})
	_, err := run(ctx, c.node, single(c.world.grants), c.o.Clients, plan{})
	return err
}

// rehearsing are the households that place an order before the burst.
func (c *city) rehearsing() []*household { return c.households[:min(rehearsal, len(c.households))] }

// rehearse places orders for a product that is not cleared before the end, and sets the gate by how long that took.
func (c *city) rehearse(ctx context.Context) error {
	c.o.Progress(Progress{What: "placing a few orders, to set the gate"})
	begin := time.Now()
	far := c.product("rehearsal", c.slotAfter(begin.Add(3*time.Hour)))
	orders := c.signed(c.rehearsing(), func(h *household) (types.Body, int) { return c.orderFor(h, far), 1 })
	if _, err := run(ctx, c.node, queues(orders), c.o.Clients, plan{}); err != nil {
		return fmt.Errorf("rehearse: %w", err)
	}
	for i, h := range c.rehearsing() {
		h.purse = c.purses[i]
	}
	each := time.Since(begin) / time.Duration(len(orders)) // signing in it
	c.from = c.slotAfter(time.Now().Add(gateSlack * each * time.Duration(len(c.households))))
	return nil
}

// slotAfter is the first slot whose gate is a second or more after some moment.
func (c *city) slotAfter(moment time.Time) types.Time {
	p := c.o.params()
	from := types.TimeOf(moment).Add(p.Market.Gate + 2*p.Slot)
	return from - from%types.Time(p.Slot)
}

// order is the burst: all households' orders.
func (c *city) order(ctx context.Context) error {
	c.o.Progress(Progress{What: "signing orders"})
	var err error
	if c.report.Sizes, err = c.sizes(c.households[0], c.households[1], c.from); err != nil {
		return err
	}
	orders := c.signed(c.households, func(h *household) (types.Body, int) { return c.orderFor(h, c.productOf(h)), 1 })
	c.report.Orders = len(orders)
	return c.phase(ctx, "orders", orders)
}

// auction waits for the gate and then for the block that holds the auctions.
func (c *city) auction(ctx context.Context) error {
	c.o.Progress(Progress{What: "waiting for the gate"})
	product := c.product("", c.from)
	gate := product.Gate(&c.world.params).Std()
	select {
	case <-time.After(time.Until(gate)):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	before, err := c.node.usage()
	if err != nil {
		return err
	}
	trades, longest, err := c.clear(ctx)
	if err != nil {
		return fmt.Errorf("auction: %w", err)
	}
	c.report.Trades = len(trades)
	if err := c.note(Phase{Name: "auction", Count: len(trades), LongestBlock: milliseconds(longest)}, time.Since(gate), before); err != nil {
		return err
	}
	return c.learn(ctx, trades)
}

// clear returns the matched trades, and the longest time between two blocks until all auctions are held. So that the chain does not
// wait for transactions before it makes that block, one small payment after the other is made meanwhile.
func (c *city) clear(ctx context.Context) (trades []types.TradeID, longest time.Duration, err error) {
	if err := c.node.ready(ctx); err != nil {
		return nil, 0, err
	}
	c.world.begin = signingTime()
	held, last, tick := 0, time.Now(), types.Amount(1)
	err = c.tick(ctx, tick)
	for block, failure := range c.node.node.Ledger().Events(ctx, c.node.next) {
		if err = errors.Join(err, failure); err != nil {
			return nil, 0, err
		}
		longest, last = max(longest, time.Since(last)), time.Now()
		for _, event := range block.Events {
			if event.Kind == types.EventMatched {
				trades = append(trades, event.Trade)
			}
			if event.Kind == types.EventCleared {
				held++
			}
		}
		if held >= c.zones {
			return trades, longest, nil
		}
		tick++
		err = c.tick(ctx, tick)
	}
	return nil, 0, errors.Join(err, context.Cause(ctx))
}

// tick makes a little money, each time another sum so that no two transactions are the same.
func (c *city) tick(ctx context.Context, amount types.Amount) error {
	return c.node.submit(ctx, 0, []encoded{encode(c.world.issue([]types.Output{c.world.toKey(c.world.issuer, amount)}))})[0]
}

// read waits for the end of the slot and reads the meters: the readings of a producer are one transaction for all its trades. A release does
// not wait for it, but a ledger's record of kept promises does.
func (c *city) read(ctx context.Context) error {
	c.o.Progress(Progress{What: "waiting for the end of the slot"})
	product := c.product("", c.from)
	select {
	case <-time.After(time.Until(product.Until.Std()) + time.Second):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := c.tick(ctx, lastTick); err != nil { // so that a block is of a time after the slot
		return err
	}
	return c.phase(ctx, "read", c.signed(c.households, func(h *household) (types.Body, int) {
		if h.bids {
			return types.Body{}, 0
		}
		var sold uint64
		for _, d := range h.deals {
			sold += d.quantity
		}
		reading := &types.Reading{Flow: flowOf(h.meter), From: c.from, Records: []types.HexBytes{recordOf(h.meter, &product, sold)}}
		return types.Body{Actions: []types.Action{reading}}, len(h.deals)
	}))
}

// lastTick is a sum of money that no other tick makes.
const lastTick = types.Amount(1 << 40)

// release is E3, unsigned: a transaction for each trade.
func (c *city) release(ctx context.Context) error {
	steps := make([]step, len(c.deals))
	for i := range c.deals {
		steps[i] = step{first: true, ends: 1}
	}
	shared(len(steps), func(i int) {
		steps[i].encoded = encode(types.NewRelease(c.world.params.ChainID, c.releaseOf(c.deals[i])))
	})
	return c.phase(ctx, "release", steps)
}

// index waits until the node's index has followed. The ledger never waits for it.
func (c *city) index(ctx context.Context) error {
	status, err := c.node.node.Ledger().Status(ctx)
	if err != nil {
		return err
	}
	before, err := c.node.usage()
	if err != nil {
		return err
	}
	begin := time.Now()
	for {
		at, err := c.node.node.Index().Position(ctx)
		if err != nil {
			return err
		}
		if at.Height >= status.Height {
			return c.note(Phase{Name: "index behind"}, time.Since(begin), before)
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// phase sends transactions that are signed, as fast as the node takes them.
func (c *city) phase(ctx context.Context, name string, steps []step) error {
	if len(steps) == 0 {
		return fmt.Errorf("%s: there is nothing to do: no order was matched", name)
	}
	runtime.GC()
	before, err := c.node.usage()
	if err != nil {
		return err
	}
	total := 0
	for i := range steps {
		total += steps[i].ends
	}
	tally, err := run(ctx, c.node, queues(steps), c.o.Clients, plan{progress: func(done int) {
		c.o.Progress(Progress{What: name, Done: done, Total: total})
	}})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	longest := timesOf(tally.blocks).Max
	return c.note(Phase{Name: name, Count: tally.trades, Txs: tally.txs, LongestBlock: longest}, tally.took(), before)
}

// note puts a phase into the report.
func (c *city) note(p Phase, took time.Duration, before usage) error {
	after, err := c.node.usage()
	if err != nil {
		return err
	}
	p.Seconds = took.Seconds()
	if p.Count > 0 {
		p.PerS = float64(p.Count) / p.Seconds
		p.CPU = float64((after.cpu - before.cpu).Microseconds()) / float64(p.Count)
	}
	p.RSS, p.Disk = float64(after.rss)/(1<<20), float64(after.disk)/(1<<20)
	c.report.Phases = append(c.report.Phases, p)
	return nil
}

// queues shares transactions out among as many pairs as may be on their way at once.
func queues(steps []step) []*pair {
	pairs := make([]*pair, min(cityAtOnce, len(steps)))
	for i := range pairs {
		pairs[i] = new(pair)
	}
	for i, s := range steps {
		l := pairs[i%len(pairs)]
		l.steps = append(l.steps, s)
	}
	return pairs
}
