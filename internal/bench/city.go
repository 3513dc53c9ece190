package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"lockstep/internal/node"
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
	gateSlack = 4
)

// quarters is how many quarter-hours a city plays: in the first one nothing is to be read or released yet, and the rest are the steady
// state.
const quarters = 3

// city is some quarter-hours of many households on one node, one after the other. As agents do, a household makes one transaction in
// each: it ends its trades of the last slot, a producer by its reading and a consumer by its releases, and places a funded order for the
// next one. The gate closes, and the auctions of all zones make trades that are paid and delivered from the beginning.
type city struct {
	o          *Options
	world      *world // money and signatures
	node       *nodeTarget
	households []*household
	zones      int
	quarter    int           // the one under way, from zero
	each       time.Duration // to sign and place an order, by the rehearsal
	from       types.Time    // the slot
	deals      []*deal
	report     *CityReport
}

// CityMemory is the memory of a city's node, as memory_mb, in which the values that households use in each quarter-hour stay; and that of the
// process, which has the households in it as well.
func CityMemory(households int) (nodeMB, processMB int) {
	const forNode, forHousehold, most = 30_000, 10_000, 8192 // bytes for each household, and MB
	nodeMB = min(max(node.DefaultMemoryMB, households*forNode/1e6), most)
	return nodeMB, nodeMB + households*forHousehold/1e6
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

// City does some quarter-hours of so many households as fast as one node takes them.
func City(ctx context.Context, o Options, households int) (*CityReport, error) {
	o = o.withDefaults()
	rules := cityRules(households)
	o.rules = &rules
	o.memory, _ = CityMemory(households)
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
	for i, step := range []func(context.Context) error{c.fund, c.enrol, c.rehearse, c.open, c.goOn, c.read, c.release, c.index} {
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

// fund gives every household its money.
func (c *city) fund(ctx context.Context) error {
	owners := make([]*party, len(c.households))
	for i, h := range c.households {
		owners[i] = h.party
	}
	for i, outpoint := range c.world.endow(owners) {
		c.households[i].coin, c.households[i].money = outpoint, purse
	}
	c.o.Progress(Progress{What: "issuing money"})
	_, err := run(ctx, c.node, single(c.world.grants), c.o.Clients, plan{})
	return err
}

// rehearse places orders for a product that is not cleared before the end, and measures how long that takes, to set the gates.
func (c *city) rehearse(ctx context.Context) error {
	c.o.Progress(Progress{What: "placing a few orders, to set the gates"})
	begin := time.Now()
	far := c.product("rehearsal", c.slotAfter(begin.Add(3*time.Hour)))
	orders := c.signed(c.households[:min(rehearsal, len(c.households))], func(h *household) turn { return c.orderFor(h, far) })
	if _, err := run(ctx, c.node, queues(orders), c.o.Clients, plan{}); err != nil {
		return fmt.Errorf("rehearse: %w", err)
	}
	c.each = time.Since(begin) / time.Duration(len(orders)) // signing in it
	return nil
}

// nextSlot chooses a slot whose gate closes when all have had time to place their orders.
func (c *city) nextSlot() {
	c.from = c.slotAfter(time.Now().Add(gateSlack * c.each * time.Duration(len(c.households))))
}

// slotAfter is the first slot whose gate is a second or more after some moment.
func (c *city) slotAfter(moment time.Time) types.Time {
	p := c.o.params()
	from := types.TimeOf(moment).Add(p.Market.Gate + 2*p.Slot)
	return from - from%types.Time(p.Slot)
}

// open is the first quarter-hour: a burst of orders, and the auction.
func (c *city) open(ctx context.Context) error {
	c.o.Progress(Progress{What: "signing orders"})
	c.nextSlot()
	var err error
	if c.report.Sizes, err = c.sizes(c.households[0], c.households[1], c.from); err != nil {
		return err
	}
	orders := c.signed(c.households, func(h *household) turn { return c.orderFor(h, c.productOf(h)) })
	c.report.Orders = len(orders)
	if err := c.beforeGate(ctx, "orders", orders); err != nil {
		return err
	}
	return c.auction(ctx)
}

// beforeGate is a phase with orders, which must be there when the gate closes.
func (c *city) beforeGate(ctx context.Context, name string, steps []step) error {
	product := c.product("", c.from)
	ctx, cancel := context.WithDeadlineCause(ctx, product.Gate(&c.world.params).Std(), errors.New("the gate closed before all orders were there: the machine has become slower since the rehearsal"))
	defer cancel()
	return c.phase(ctx, name, steps)
}

// goOn is the steady state: the quarter-hours after the first one.
func (c *city) goOn(ctx context.Context) error {
	for c.quarter = 1; c.quarter < quarters; c.quarter++ {
		if err := c.goOnOnce(ctx); err != nil {
			return err
		}
	}
	return nil
}

// goOnOnce is a quarter-hour: the trades of the last slot end, and orders for the next one are placed, by one transaction of each household.
// The producers come first: a consumer releases when the ledger has the reading.
func (c *city) goOnOnce(ctx context.Context) error {
	if err := c.awaitReading(ctx); err != nil {
		return err
	}
	first := len(c.report.Phases)
	last := c.product("", c.from)
	c.nextSlot()
	for _, side := range []struct {
		name string
		bids bool
		ends func(*household) []types.Action
	}{
		{"read and offer", false, func(h *household) []types.Action { return c.readingOf(h, &last) }},
		{"release and bid", true, c.releasesOf},
	} {
		steps := c.signed(c.households, func(h *household) turn {
			if h.bids != side.bids {
				return turn{}
			}
			t := c.orderFor(h, c.productOf(h))
			t.actions = append(side.ends(h), t.actions...)
			return t
		})
		if err := c.beforeGate(ctx, side.name, steps); err != nil {
			return err
		}
	}
	if err := c.auction(ctx); err != nil {
		return err
	}
	c.report.addSteady(c.report.Phases[first:])
	return nil
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

// awaitReading waits until the meters of the slot can be read, and makes a block of that time.
func (c *city) awaitReading(ctx context.Context) error {
	c.o.Progress(Progress{What: "waiting for the end of the slot"})
	product := c.product("", c.from)
	select {
	case <-time.After(time.Until(product.Until.Std()) + time.Second):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return c.tick(ctx, lastTick+types.Amount(c.quarter))
}

// read ends the last quarter-hour: a transaction for each producer, with the reading for all its trades.
func (c *city) read(ctx context.Context) error {
	if err := c.awaitReading(ctx); err != nil {
		return err
	}
	product := c.product("", c.from)
	return c.phase(ctx, "read", c.signed(c.households, func(h *household) turn {
		if h.bids {
			return turn{}
		}
		return turn{actions: c.readingOf(h, &product), counts: len(h.deals)}
	}))
}

// lastTick is a sum of money that no other tick makes.
const lastTick = types.Amount(1 << 40)

// release is E3, unsigned: a transaction for each trade of the last quarter-hour.
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
	p.Seconds, p.CoreSeconds = took.Seconds(), (after.cpu - before.cpu).Seconds()
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
