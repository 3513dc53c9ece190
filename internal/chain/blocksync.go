package chain

import (
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/cometbft/cometbft/blocksync"
	"github.com/cometbft/cometbft/consensus"
	"github.com/cometbft/cometbft/mempool"
	cmtnode "github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	bcproto "github.com/cometbft/cometbft/proto/tendermint/blocksync"
	"github.com/cometbft/cometbft/proxy"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/statesync"
	"github.com/go-kit/kit/metrics"
)

// blockSync is the engine's reactor that fetches the blocks a node lacks. It keeps a fault of engine 0.40.0 from ending the process (ADR 0056).
//
// The engine's loop looks at the next block, checks it, and takes it out of the engine's pool. When the peer that sent the block leaves in between,
// the pool drops the block, and the loop panics. So changes of peers wait here until the loop calls FinalizeBlock, between two blocks. The pool also
// drops slow peers by itself, unseen from here; the panic that may follow is caught at the end of the loop.
type blockSync struct {
	*blocksync.Reactor
	failure *failure
	logger  *slog.Logger
	stop    <-chan struct{}
	joins   bool // the node begins with a snapshot

	mu      sync.Mutex
	running bool                     // the loop
	waiting map[chan struct{}]func() // changes, each with the channel that is closed after it
}

const (
	// restWait is how long a change waits for the loop's rest at most. Without a block for that long the loop has none to check.
	restWait = 200 * time.Millisecond
	// restPause is how long the loop rests after changes: the pool drops blocks in other goroutines.
	restPause = 2 * time.Millisecond
	// firstBlocks is the time until the first blocks have come behind a snapshot: three seconds until they are asked for, and some for a slow link.
	firstBlocks = 5 * time.Second
)

func newBlockSync(failure *failure, stop <-chan struct{}, logger *slog.Logger) *blockSync {
	return &blockSync{failure: failure, logger: logger, stop: stop, waiting: map[chan struct{}]func(){}}
}

// replace puts the reactor in the place of the engine's. It is an option of the engine's node.
func (b *blockSync) replace(n *cmtnode.Node) {
	const name = "BLOCKSYNC"
	reactor, _ := n.Switch().Reactor(name)
	if inner, ok := reactor.(*blocksync.Reactor); ok {
		b.Reactor = inner
		cmtnode.CustomReactors(map[string]p2p.Reactor{name: b})(n)
	}
}

// RemovePeer removes a peer that has left.
func (b *blockSync) RemovePeer(peer p2p.Peer, reason any) {
	b.atRest(func() { b.Reactor.RemovePeer(peer, reason) })
}

// Receive handles a message of a peer. Its word that it lacks a block, or has fewer than it said, makes the pool drop blocks as its departure does.
func (b *blockSync) Receive(e p2p.Envelope) {
	switch e.Message.(type) {
	case *bcproto.NoBlockResponse, *bcproto.StatusResponse:
		if blocksync.ValidateMsg(e.Message) == nil { // else the peer is removed, which waits
			b.atRest(func() { b.Reactor.Receive(e) })
			return
		}
	}
	b.Reactor.Receive(e)
}

// atRest makes a change while the loop rests, and returns after it, or when the node stops.
func (b *blockSync) atRest(change func()) {
	done := make(chan struct{})
	b.mu.Lock()
	running := b.running
	if running {
		b.waiting[done] = change
	}
	b.mu.Unlock()
	if !running {
		change()
		return
	}
	select {
	case <-done:
	case <-b.stop:
	case <-time.After(restWait):
		b.mu.Lock()
		_, waits := b.waiting[done]
		delete(b.waiting, done)
		b.mu.Unlock()
		if waits {
			change()
		} else {
			<-done
		}
	}
}

// rest makes the changes that wait. The loop calls it between two blocks.
func (b *blockSync) rest() {
	if b.makeChanges() > 0 {
		time.Sleep(restPause)
	}
}

// makeChanges makes the changes that wait, and returns their number.
func (b *blockSync) makeChanges() int {
	b.mu.Lock()
	waiting := b.waiting
	b.waiting = map[chan struct{}]func(){}
	b.mu.Unlock()
	for done, change := range waiting { // in any order: each is of another goroutine
		change()
		close(done)
	}
	return len(waiting)
}

// run notes that the loop begins or has ended. Then no change waits.
func (b *blockSync) run(running bool) {
	b.mu.Lock()
	b.running = running
	b.mu.Unlock()
	b.makeChanges()
	if running && b.joins {
		b.joins = false
		b.await()
	}
}

// await holds a loop that begins behind a snapshot until the first blocks can be there. The engine asks for blocks after three seconds, and at that very moment
// such a loop would believe that it has all if none has come.
func (b *blockSync) await() {
	b.Reactor.Switch.BroadcastAsync(p2p.Envelope{ChannelID: blocksync.BlocksyncChannel, Message: &bcproto.StatusRequest{}})
	select {
	case <-b.stop:
	case <-time.After(firstBlocks):
	}
}

// watch adds the reactor to the metrics of the engine.
func (b *blockSync) watch(provider cmtnode.MetricsProvider) cmtnode.MetricsProvider {
	return func(chainID string) (
		*consensus.Metrics, *p2p.Metrics, *mempool.Metrics, *sm.Metrics, *proxy.Metrics, *blocksync.Metrics, *statesync.Metrics,
	) {
		ofConsensus, ofPeers, ofPool, ofState, ofProxy, ofSync, ofSnapshots := provider(chainID)
		ofSync.Syncing = &syncGauge{ofSync.Syncing, b}
		return ofConsensus, ofPeers, ofPool, ofState, ofProxy, ofSync, ofSnapshots
	}
}

// syncGauge is the engine's metric of a running loop, which the loop sets to 1 when it begins and to 0 when it ends.
type syncGauge struct {
	metrics.Gauge
	sync *blockSync
}

// Set notes the begin and the end of the loop. The loop defers the latter, so Set recovers from the loop's panic.
func (g *syncGauge) Set(value float64) {
	if r := recover(); r != nil {
		g.sync.failed(r)
	}
	g.Gauge.Set(value)
	g.sync.run(value != 0)
}

// failed stops the node after a panic of the loop. One like that of a block that was dropped is over when the node is opened again.
func (b *blockSync) failed(r any) {
	if err, ok := r.(runtime.Error); ok {
		b.logger.Error("the engine's block sync has failed", "error", err, "stack", string(debug.Stack()))
		b.failure.set(fmt.Errorf("the engine's block sync has failed, perhaps since a peer left (%w): %w", err, ErrRestart))
		return
	}
	b.failure.set(fmt.Errorf("block sync: panic: %v\n%s", r, debug.Stack()))
}
