package netlab

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"lockstep/client/wire"
	"lockstep/internal/ledgertest/party"
	"lockstep/internal/node"
	"lockstep/types"
)

// Traffic is pairs of parties that trade with each other all the time, and change sides after each trade. A pair has one transaction on its
// way, and submits it to one node after the other until it knows the outcome. A refusal is a fault: it would be a deadline that passed
// during an outage, or an outcome that was lost.
type Traffic struct {
	lab   *Lab
	pairs []*pair
	spam  bool // others made transactions too
	end   context.CancelFunc
	done  sync.WaitGroup
}

// pair is two parties with their coins.
type pair struct {
	lab    *Lab
	index  int
	random *rand.Rand
	clock  types.Time // of the ledger, as last seen
	sides  [2]purse
	trades uint64

	mu    sync.Mutex
	known []types.TxID    // that a node has reported as final
	waits []time.Duration // for each of them, from the first submission on
}

// purse is the coins of a party.
type purse struct {
	name  string
	coins []types.Outpoint
	sum   types.Amount
}

const purseStart = 100_000

// Trade starts traffic of some pairs.
func (l *Lab) Trade(pairs int, seed uint64) *Traffic {
	l.t.Helper()
	l.Await(1, l.Nodes...)
	ctx, cancel := context.WithCancel(l.t.Context())
	f := &Traffic{lab: l, end: cancel}
	var names []string
	for i := range pairs {
		names = append(names, fmt.Sprintf("left %d", i), fmt.Sprintf("right %d", i))
	}
	first := &pair{lab: l, index: pairs, random: rand.New(rand.NewPCG(seed, 0))}
	first.look(ctx)
	issue := party.Issue(first.body(), purseStart, names...)
	if err := first.submit(ctx, issue); err != nil {
		l.t.Fatal(err)
	}
	f.pairs = append(f.pairs, first)
	for i := range pairs {
		p := &pair{lab: l, index: i, random: rand.New(rand.NewPCG(seed, uint64(i)+1)), clock: first.clock}
		for side := range p.sides {
			at := 2*i + side
			p.sides[side] = purse{names[at], []types.Outpoint{{Tx: issue.ID(), Index: uint32(at)}}, purseStart}
		}
		f.pairs = append(f.pairs, p)
		f.done.Go(func() {
			for ctx.Err() == nil {
				if err := p.trade(context.WithoutCancel(ctx)); err != nil {
					l.t.Errorf("pair %d, trade %d: %v", p.index, p.trades, err)
					return
				}
			}
		})
	}
	return f
}

// Finish lets every pair end its trade, and returns the number of trades.
func (f *Traffic) Finish() (trades uint64) {
	f.end()
	f.done.Wait()
	for _, p := range f.pairs {
		trades += p.trades
	}
	return trades
}

// Known is the number of transactions that nodes have reported as final.
func (f *Traffic) Known() (count int) {
	for _, p := range f.pairs {
		p.mu.Lock()
		count += len(p.known)
		p.mu.Unlock()
	}
	return count
}

// Wait is the median time from the submission of a transaction to the report that it is final.
func (f *Traffic) Wait() time.Duration {
	var all []time.Duration
	for _, p := range f.pairs {
		p.mu.Lock()
		all = append(all, p.waits...)
		p.mu.Unlock()
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// Flows waits until traffic has gone on a little.
func (f *Traffic) Flows() {
	f.lab.t.Helper()
	want, deadline := f.Known()+2*len(f.pairs), time.Now().Add(longest)
	for f.Known() < want {
		if time.Now().After(deadline) {
			f.lab.t.Fatalf("no transaction became final for %s", longest)
		}
		time.Sleep(pollTime)
	}
}

// spend takes all coins of a purse and gives the change back as the first output.
func (p *purse) spend(amount types.Amount, body types.Body) *types.Tx {
	body.Inputs, body.Outputs = p.coins, []types.Output{party.Output(p.name, p.sum-amount)}
	tx := party.Sign(body, p.name)
	p.coins, p.sum = []types.Outpoint{{Tx: tx.ID()}}, p.sum-amount
	return tx
}

func (p *purse) add(coin types.Outpoint, amount types.Amount) {
	p.coins, p.sum = append(p.coins, coin), p.sum+amount
}

// trade makes one trade: E1 by the consumer, E2 by the producer, E3.
func (p *pair) trade(ctx context.Context) error {
	producer, consumer := &p.sides[p.trades%2], &p.sides[(p.trades+1)%2]
	p.trades++
	p.look(ctx)
	euro, in := party.Euro(), func(windows types.Duration) types.Time { return p.clock.Add(windows * p.lab.Params.MinWindow) }
	agreement := types.Agreement{
		ChainID: p.lab.Params.ChainID, Producer: party.Key(producer.name), Consumer: party.Key(consumer.name), Asset: euro.ID(),
		Goods: types.Goods{Commodity: "coffee", Unit: "bag", Quantity: 1}, Price: types.Amount(1 + p.random.Uint64N(99)), Deposit: 10, Bond: 10, Instalments: 1,
		Deadlines: types.Deadlines{PayBy: in(1), DeliverBy: in(2), ReadingBy: in(3), ConfirmBy: in(4)}, Fallback: &types.Hold{}, Nonce: p.trades,
	}
	secret, id := party.Secret(fmt.Sprintf("%d of pair %d", p.trades, p.index)), agreement.ID()
	agree := party.Agree(agreement, p.clock.Add(p.lab.Params.MaxValidity/2), producer.name, consumer.name)
	agree.Submitter = party.Key(consumer.name)
	steps := []func() *types.Tx{
		func() *types.Tx {
			return consumer.spend(agreement.Price+agreement.Deposit, p.body(agree, &types.Pay{Trade: id, Digest: secret.Digest(1)}))
		},
		func() *types.Tx { return producer.spend(agreement.Bond, p.body(&types.Deliver{Trade: id})) },
		func() *types.Tx {
			return types.NewRelease(p.lab.Params.ChainID, types.Release{Trade: id, Instalment: 1, Preimage: secret})
		},
	}
	for _, step := range steps {
		if err := p.submit(ctx, step()); err != nil {
			return err
		}
	}
	producer.add(id.Outpoint(types.PartPayment), agreement.Price)
	producer.add(id.Outpoint(types.PartBond), agreement.Bond)
	consumer.add(id.Outpoint(types.PartReturn), agreement.Deposit)
	return nil
}

func (p *pair) body(actions ...types.Action) types.Body {
	return types.Body{ChainID: p.lab.Params.ChainID, ValidUntil: p.clock.Add(p.lab.Params.MaxValidity / 2), Actions: actions}
}

// any returns the nodes, from a random one on.
func (p *pair) any() []*Node {
	first := p.random.IntN(len(p.lab.Nodes))
	return slices.Concat(p.lab.Nodes[first:], p.lab.Nodes[:first])
}

// look reads the ledger clock from the first node that answers.
func (p *pair) look(ctx context.Context) {
	for ctx.Err() == nil {
		for _, n := range p.any() {
			if status, ok := n.Status(ctx); ok {
				p.clock = max(p.clock, status.Clock) // a node may be behind
				return
			}
		}
	}
}

// submit submits a transaction until its outcome is known.
func (p *pair) submit(ctx context.Context, tx *types.Tx) error {
	for begun := time.Now(); ; {
		for _, n := range p.any() {
			attempt, cancel := context.WithTimeout(ctx, attemptTime)
			receipt, err := n.Client.Submit(attempt, tx)
			cancel()
			switch {
			case err == nil && receipt.Status == wire.StatusCommitted:
				p.mu.Lock()
				p.known, p.waits = append(p.known, tx.ID()), append(p.waits, time.Since(begun))
				p.mu.Unlock()
				return nil
			case types.CodeOf(err) == types.CodeTooLate, time.Since(begun) > longest: // other refusals are those of a node that is behind
				return err
			}
			time.Sleep(pollTime) // a node that is down refuses at once
		}
	}
}

// Verify ends the traffic and the nodes, and checks that there is one history: the same commitments at every height, sums that are conserved, each
// transaction that was reported as final, and no other. It recomputes the folder of every node.
func (f *Traffic) Verify() {
	f.lab.t.Helper()
	l, trades := f.lab, f.Finish()
	if l.t.Failed() {
		return
	}
	height := l.Height(l.Nodes...)
	l.Await(height, l.Nodes...)
	f.compare(height)
	f.find()
	l.Stop(l.Nodes...)
	for _, n := range l.Nodes {
		report, err := node.Check(n.Dir, slog.New(slog.DiscardHandler))
		if err != nil {
			l.t.Errorf("node %d: %v", n.index, err)
			continue
		}
		asset := party.Euro()
		issued := types.Amount(len(f.pairs)-1) * 2 * purseStart
		if sum := report.Sums[asset.ID()]; sum.Issued != issued || sum.Spendable != issued {
			l.t.Errorf("node %d: %s is issued and %s spendable, not %s", n.index, sum.Issued, sum.Spendable, issued)
		}
		if known := f.Known(); report.Txs != known && !f.spam {
			l.t.Errorf("node %d has %d transactions, %d were reported as final", n.index, report.Txs, known)
		}
	}
	l.t.Logf("%d trades in %d blocks", trades, height)
}

// compare compares the commitments of all nodes.
func (f *Traffic) compare(height uint64) {
	f.lab.t.Helper()
	ctx := f.lab.t.Context()
	for h := uint64(1); h <= height; h += max(1, height/50) {
		var first types.Hash
		for i, n := range f.lab.Nodes {
			block, err := n.Client.Block(ctx, h)
			if err != nil {
				f.lab.t.Fatal(err)
			}
			if i == 0 {
				first = block.Commitment
			} else if block.Commitment != first {
				f.lab.t.Errorf("block %d: nodes 0 and %d have the commitments %s and %s", h, i, first, block.Commitment)
			}
		}
	}
}

// find looks every transaction up that was reported as final, each at one of the nodes.
func (f *Traffic) find() {
	f.lab.t.Helper()
	for _, p := range f.pairs {
		for _, id := range p.known {
			n := p.any()[0]
			if receipt, err := n.Client.Tx(f.lab.t.Context(), id); err != nil || receipt.Status != wire.StatusCommitted {
				f.lab.t.Errorf("transaction %s was final and is %q at node %d: %v", id, receipt.Status, n.index, err)
			}
		}
	}
}
