package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/node"
)

// BenchmarkJoin shows how long a node takes that joins a ledger by a snapshot, after some trades and after ten times as many, with a state of
// equal size. It takes minutes: go test -run NONE -bench Join -benchtime 1x -timeout 60m ./internal/bench
func BenchmarkJoin(b *testing.B) {
	for range b.N {
		o := Options{Keys: 4000, Trades: 2000, Folder: b.TempDir(), listen: freePort(b)}.withDefaults()
		p := newParts(b, &o)
		target := p.node()
		var took [2]time.Duration
		for i, behind := range []int{100_000, 1_000_000} {
			for p.done < behind {
				p.trade(3)
			}
			network := target.snapshot(b, func() { p.trade(1) })
			const times = 3
			took[i] = time.Hour
			for range times {
				took[i] = min(took[i], target.join(b, &network))
			}
			b.Logf("%d trades behind: joined in %s", p.done, took[i].Round(time.Millisecond))
			b.ReportMetric(took[i].Seconds(), fmt.Sprintf("s-after-%d", behind))
		}
		b.ReportMetric(float64(took[1])/float64(took[0]), "times")
		if err := p.end(true); err != nil {
			b.Fatal(err)
		}
	}
}

func freePort(b *testing.B) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// snapshot trades on until there is a snapshot of a recent block, and returns the network as a node that joins asks for it.
func (t *nodeTarget) snapshot(b *testing.B, trade func()) wire.Network {
	b.Helper()
	asked, err := client.New("http://" + t.node.APIAddress())
	if err != nil {
		b.Fatal(err)
	}
	const most, recent = 1000, 300 // waves of trades, blocks
	for range most {
		network, err := asked.Network(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		status, err := t.node.Ledger().Status(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if network.Snapshot > 0 && network.Snapshot+recent > status.Height {
			return network
		}
		trade()
	}
	b.Fatal("there is no snapshot")
	return wire.Network{}
}

// join makes a node that joins the target's ledger, and returns how long it takes until it has the ledger's last block.
func (t *nodeTarget) join(b *testing.B, network *wire.Network) time.Duration {
	b.Helper()
	const patience = 2 * time.Minute
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	status, err := t.node.Ledger().Status(ctx)
	if err != nil {
		b.Fatal(err)
	}
	begin := time.Now()
	dir := filepath.Join(b.TempDir(), "joined")
	options := node.JoinOptions{Genesis: network.File, Hash: network.Genesis}
	options.Settings.P2PPeers = node.PeersOf(network, "127.0.0.1")
	options.Settings.Sync = &node.SyncSettings{From: "http://" + t.node.APIAddress()}
	if err := node.Join(dir, options); err != nil {
		b.Fatal(err)
	}
	joined, err := node.Open(node.Config{Dir: dir, API: "127.0.0.1:0", Version: "bench"}, t.o.Logger)
	if err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- joined.Run(ctx) }()
	for {
		if own, err := joined.Ledger().Status(ctx); err == nil && own.Height >= status.Height {
			break
		}
		if ctx.Err() != nil {
			b.Fatalf("the node does not join: %v", errors.Join(<-ended, joined.Close()))
		}
		time.Sleep(10 * time.Millisecond)
	}
	took := time.Since(begin)
	cancel()
	if err := errors.Join(<-ended, joined.Close()); err != nil {
		b.Fatal(err)
	}
	return took
}
