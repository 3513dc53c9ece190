//go:build vice && clockshift

package netlab

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// TestVices: one of four validators proposes bad blocks, none, or none with a delivery in it. The others reject them; trades go on, and no deadline
// passes: a delivery waits for the next proposer.
func TestVices(t *testing.T) {
	t.Parallel()
	l := New(t, 4, *seed)
	traffic := l.Trade(4, *seed)
	traffic.Flows()
	for _, vice := range []string{"garbage", "twice", "forged", "withhold", "censor"} {
		t.Log(vice)
		l.Vice(l.Nodes[1], vice)
		traffic.Flows()
		traffic.Flows()
	}
	l.Vice(l.Nodes[1], "")
	l.Goes(l.Nodes...)
	traffic.Verify()
}

// TestTwins: two nodes sign with one key. The ledger may not fork.
func TestTwins(t *testing.T) {
	t.Parallel()
	l := New(t, 4, *seed)
	traffic := l.Trade(4, *seed)
	traffic.Flows()
	n := l.Nodes[3]
	l.Kill(n)
	twin := l.Twin(n)
	l.Start(n, twin)
	t.Cleanup(func() { l.Kill(twin) })
	traffic.Flows()
	traffic.Flows()
	l.Kill(twin)
	l.Kill(n)
	l.Start(n)
	l.Goes(l.Nodes...)
	traffic.Verify()
}

// TestFlood: strangers fill the pool of every node with good transactions. Steps of trades still come in time.
func TestFlood(t *testing.T) {
	t.Parallel()
	l := New(t, 4, *seed)
	traffic := l.Trade(4, *seed)
	traffic.Flows()
	const strangers, batch = 4, 200
	spam := types.Asset{Issuer: party.Key("stranger"), Code: "SPAM"}
	until := traffic.pairs[0].clock.Add(l.Params.MaxValidity / 2)
	stop := make(chan struct{})
	var flood sync.WaitGroup
	for i := range strangers {
		flood.Go(func() {
			n := l.Nodes[i%len(l.Nodes)]
			for turn := 0; ; turn++ {
				var txs []*types.Tx
				for k := range batch {
					txs = append(txs, party.Sign(types.Body{
						ChainID: l.Params.ChainID, ValidUntil: until, Memo: fmt.Sprint(i, turn, k), Actions: []types.Action{&types.Issue{Asset: spam, Amount: 1}},
						Outputs: []types.Output{{Asset: spam.ID(), Amount: 1, Lock: types.ToKey(party.Key("stranger"))}},
					}, "stranger"))
				}
				select {
				case <-stop:
					return
				default:
					_, _ = n.Client.SubmitMany(t.Context(), txs) // a full pool refuses
				}
			}
		})
	}
	traffic.Flows()
	traffic.Flows()
	close(stop)
	flood.Wait()
	traffic.spam = true
	traffic.Verify()
}

// TestClocks: the wall clock of one validator is minutes ahead, then behind, then more. The ledger goes on or waits, and no deadline passes.
func TestClocks(t *testing.T) {
	t.Parallel()
	l := New(t, 4, *seed)
	traffic := l.Trade(4, *seed)
	traffic.Flows()
	for _, off := range []time.Duration{5 * time.Minute, -5 * time.Minute} {
		t.Log("one is off by ", off)
		l.SetClock(l.Nodes[2], off)
		traffic.Flows()
		l.SetClock(l.Nodes[2], 0)
		traffic.Flows()
	}
	t.Log("two are minutes ahead, so nobody has a quorum that agrees on the time for a while; then they are right again")
	l.SetClock(l.Nodes[0], 3*time.Minute)
	l.SetClock(l.Nodes[1], 3*time.Minute)
	time.Sleep(outage)
	l.SetClock(l.Nodes[0], 0)
	l.SetClock(l.Nodes[1], 0)
	traffic.Flows()
	t.Log("all go minutes back: the ledger's deadlines wait until they get there again, or are set right")
	for _, n := range l.Nodes {
		l.SetClock(n, -3*time.Minute)
	}
	time.Sleep(outage)
	for _, n := range l.Nodes {
		l.SetClock(n, 0)
	}
	traffic.Flows()
	traffic.Verify()
}
