// Package study plays scenarios: a community of many households, each an agent with its own wallet, on the rules and the store of a node,
// block by block with given block times and without the consensus engine. So the same seed has the same results on every machine, however
// busy it is.
//
// Start with [Read] or [Default], then [Run].
package study

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"lockstep/client/wire"
	"lockstep/internal/sim"
	"lockstep/types"
	"lockstep/wallet"
)

// world is a scenario while it is played.
type world struct {
	scenario *Scenario
	profile  *sim.Profile // of the day
	chain    *chain
	money    types.Asset
	issuer   *wallet.Account
	players  []*player
	start    types.Time // of the first slot
	begin    int        // the quarter-hour of the day that it is
	now      wire.Status

	restarts []Outage

	mu       sync.Mutex
	failures map[string]int // of agents, by their text
}

// Times of a simulation. A block a minute lets a day of a thousand households pass in minutes; each agent looks at every third one.
const (
	blockTime = types.Duration(60_000)
	lookEvery = 3
	leadTime  = 2 * types.Duration(3600_000) // from the first block to the first slot
	tail      = 5 * types.Duration(3600_000) // after the last slot, at most
)

// The money is that of the demonstration.
const (
	moneyCode     = "EUR"
	moneyDecimals = 6
	purse         = 1_000 * 1_000_000 // of each household
)

func params(operator types.PublicKey) types.Params {
	p := types.DefaultParams("simulation")
	p.Operators = []types.PublicKey{operator}
	p.ClockCap, p.MinWindow = blockTime, 3*blockTime
	return p
}

// Options are the wishes of the caller of [Run].
type Options struct {
	Progress func(slot int)  // called after each slot
	Context  context.Context // ends the simulation; nil never does
}

// Run plays a scenario and returns its results.
func Run(scenario Scenario, options Options) (r *Result, err error) {
	err = play(scenario, options, func(w *world) (err error) {
		r, err = w.result()
		return err
	})
	return r, err
}

// play plays a scenario, and lets a function read the ledger afterwards.
func play(scenario Scenario, options Options, read func(*world) error) (err error) {
	if err := scenario.Check(); err != nil {
		return err
	}
	w := &world{scenario: &scenario, failures: map[string]int{}}
	if w.profile, err = scenario.profile(); err != nil {
		return err
	}
	houses, begin, err := scenario.houses()
	if err != nil {
		return err
	}
	w.begin = begin
	if w.issuer, err = accountOf(scenario.Seed, "bank"); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "lockstep-sim-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if err := w.open(folder, houses); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.chain.store.Close()) }()
	if err := w.play(options); err != nil {
		return err
	}
	return read(w)
}

// open makes the ledger, and gives every household its purse, and every roof its meter.
func (w *world) open(folder string, houses []*house) (err error) {
	day, _ := w.profile.Slot(0)
	w.start = day.Add(types.Duration(w.begin) * 15 * 60_000)
	w.money = types.Asset{Issuer: w.issuer.Key(), Code: moneyCode, Decimals: moneyDecimals}
	if w.chain, err = openChain(folder, params(w.issuer.Key()), w.start-types.Time(leadTime)); err != nil {
		return err
	}
	w.restarts = append([]Outage(nil), w.scenario.Restarts...)
	for place, h := range houses {
		p, err := w.newPlayer(h, place)
		if err != nil {
			return errors.Join(err, w.chain.store.Close())
		}
		w.players = append(w.players, p)
	}
	if err := w.block(nil, nil); err != nil {
		return errors.Join(err, w.chain.store.Close())
	}
	if err := w.setUp(); err != nil {
		return errors.Join(err, w.chain.store.Close())
	}
	return nil
}

// setUp issues the money and enrols the meters, some households in each transaction.
func (w *world) setUp() error {
	const each = 20
	for from := 0; from < len(w.players); from += each {
		draft := w.issuer.Draft(w.context())
		var total types.Amount
		for _, p := range w.players[from:min(from+each, len(w.players))] {
			total += p.purse
			if err := draft.Send(p.account.Key(), w.money.ID(), p.purse); err != nil {
				return err
			}
			if p.roof {
				draft.Admit(types.Member{Key: p.account.Key(), Name: p.name})
				draft.Enrol(p.account.Key(), types.PointID{}, p.gateway())
			}
		}
		if err := draft.Issue(w.money, total); err != nil {
			return err
		}
		tx, err := draft.Sign()
		if err != nil {
			return err
		}
		ends, _, err := w.chain.block(w.chain.time.Add(blockTime/60), []*types.Tx{tx})
		if err == nil && ends[0].code != types.CodeOK {
			err = types.Refuse(ends[0].code, "set the households up: %s", ends[0].detail)
		}
		if err != nil {
			return err
		}
		if err := w.observe(); err != nil {
			return err
		}
	}
	return nil
}

// observe reads the state of the ledger that all agents see next.
func (w *world) observe() (err error) {
	w.now, err = w.chain.Status(context.Background())
	return err
}

// block makes a block of the transactions of some households, and tells them the ends.
func (w *world) block(txs []*types.Tx, from []*player) error {
	at := w.chain.time.Add(blockTime)
	at -= at % types.Time(blockTime)
	for {
		ends, over, err := w.chain.block(at, txs)
		if err != nil {
			return err
		}
		for i := range ends {
			from[i].ended(&ends[i])
		}
		if len(over) == 0 {
			break
		}
		txs, from = over, from[len(ends):]
		at = at.Add(1000)
	}
	return w.observe()
}

// play lets the blocks go by until the last trade is over.
func (w *world) play(options Options) error {
	last := w.start.Add(types.Duration(w.scenario.Slots) * w.chain.params.Slot)
	end := last.Add(tail)
	for _, outage := range w.scenario.Restarts { // the deadlines come that much later
		end = end.Add(types.Duration(outage.Minutes) * 60_000)
	}
	shown := 0
	for minute := 0; ; minute++ {
		if options.Context != nil && options.Context.Err() != nil {
			return options.Context.Err()
		}
		if err := w.outage(); err != nil {
			return err
		}
		txs, from, err := w.decide(minute)
		if err != nil {
			return err
		}
		if err := w.block(txs, from); err != nil {
			return err
		}
		for ; shown < w.over() && options.Progress != nil; shown++ {
			options.Progress(shown)
		}
		switch now := w.chain.time; {
		case now < last:
		case now > end:
			return nil
		case minute%lookEvery == 0:
			if done, err := w.done(); done || err != nil {
				return err
			}
		}
	}
}

// decide lets every third household look, and returns their transactions in the order of the households.
func (w *world) decide(minute int) (txs []*types.Tx, from []*player, err error) {
	made, errs := make([]*types.Tx, len(w.players)), make([]error, len(w.players))
	parallel(len(w.players), func(from, to int) {
		for i := from; i < to; i++ {
			if (i+minute)%lookEvery == 0 {
				made[i], errs[i] = w.look(w.players[i])
			}
		}
	})
	for i, tx := range made {
		if errs[i] != nil {
			return nil, nil, fmt.Errorf("%s: %w", w.players[i].name, errs[i])
		}
		if tx != nil {
			txs, from = append(txs, tx), append(from, w.players[i])
		}
	}
	return txs, from, nil
}

// outage stops the ledger when its time has come: its store is closed and opened again, all agents begin anew, and no block is made meanwhile.
func (w *world) outage() error {
	for i := range w.restarts {
		r := &w.restarts[i]
		if w.chain.time < w.product(first(r.At, w.begin)) {
			continue
		}
		if err := w.chain.restart(); err != nil {
			return err
		}
		for _, p := range w.players {
			w.restart(p)
			p.metered = max(0, w.over()-sim.SlotsPerDay)
		}
		w.chain.time = w.chain.time.Add(types.Duration(r.Minutes) * 60_000)
		w.restarts = append(w.restarts[:i], w.restarts[i+1:]...)
		return w.observe()
	}
	return nil
}

// done reports whether no trade is open any more.
func (w *world) done() (bool, error) {
	for _, p := range w.players {
		open, err := w.chain.Trades(context.Background(), p.account.Key(), true, wire.Page{Limit: 1})
		if err != nil || len(open.Trades) > 0 {
			return false, err
		}
	}
	return true, nil
}

// product is when a slot begins, in block time.
func (w *world) product(n int) types.Time {
	return w.start.Add(types.Duration(n) * w.chain.params.Slot)
}

// slotOf is the slot that begins at a moment; false for one that is not played.
func (w *world) slotOf(from types.Time) (int, bool) {
	if from < w.start {
		return 0, false
	}
	n := int(from.Since(w.start) / w.chain.params.Slot)
	return n, n < w.scenario.Slots
}

// over counts the slots that have ended.
func (w *world) over() int {
	if w.chain.time < w.start {
		return 0
	}
	return min(int(w.chain.time.Since(w.start)/w.chain.params.Slot), w.scenario.Slots)
}

// within reports whether it is now within a span of the day.
func (w *world) within(from, until string) bool {
	if w.chain.time < w.start {
		return false
	}
	return within(from, until, w.begin+int(w.chain.time.Since(w.start)/w.chain.params.Slot))
}

// slotAt is the slot that begins at a moment; -1 for one before all.
func (w *world) slotAt(from types.Time) int {
	if n, _ := w.slotOf(from); from >= w.start {
		return n
	}
	return -1
}

// failed counts transactions that agents could not sign.
func (w *world) failed(p *player, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures[err.Error()]++
}
