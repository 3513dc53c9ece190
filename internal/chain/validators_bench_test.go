package chain

import (
	"fmt"
	"sync"
	"testing"

	"lockstep/types"
)

// newNet makes a chain of so many validators, all connected and running.
func newNet(t testing.TB, validators int) []*world {
	t.Helper()
	return newNetOf(t, types.DefaultParams("test"), validators)
}

func newNetOf(t testing.TB, params types.Params, validators int) []*world {
	t.Helper()
	nodes, dirs, addresses := make([]*world, validators), make([]string, validators), make([]string, validators)
	for i := range nodes {
		address := freeAddress(t)
		nodes[i] = newWorldOf(t, params, func(c *Config) { c.Listen = address })
		nodes[i].empty()
		dirs[i], addresses[i] = nodes[i].config.Dir, address
	}
	if err := CreateAll(dirs, nodes[0].params, 0); err != nil {
		t.Fatal(err)
	}
	for i, dir := range dirs {
		id, err := NodeID(dir)
		if err != nil {
			t.Fatal(err)
		}
		addresses[i] = fmt.Sprintf("%s@%s", id, addresses[i])
	}
	for i, w := range nodes {
		for j, address := range addresses {
			if i != j {
				w.config.Peers = append(w.config.Peers, address)
			}
		}
		w.open()
		w.run()
	}
	return nodes
}

// BenchmarkValidators is BenchmarkTrades with four validators in one process, each with its share of the parties.
func BenchmarkValidators(b *testing.B) {
	nodes := newNet(b, 4)
	clients := nodes[0].trades(b.N)
	for _, w := range nodes { // what the clients spend must be everywhere
		for _, err := range w.Blocks(b.Context(), nodes[0].store.Height()) {
			if err != nil {
				b.Fatal(err)
			}
			break
		}
	}
	b.ResetTimer()
	var running sync.WaitGroup
	for i, w := range nodes {
		var own [][]*types.Tx
		for c := i; c < len(clients); c += len(nodes) {
			own = append(own, clients[c])
		}
		running.Go(func() { w.submitAll(b, own) })
	}
	running.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "trades/s")
}

// BenchmarkValidatorsLatency is the time from handing in one transaction at the next node to its being on its disk.
func BenchmarkValidatorsLatency(b *testing.B) {
	nodes := newNet(b, 4)
	for i := 0; b.Loop(); i++ {
		w := nodes[i%len(nodes)]
		w.must(w.mint(types.Amount(1+i), "peter"))
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "ms/tx")
}
