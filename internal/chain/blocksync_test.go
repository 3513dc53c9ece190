package chain

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cometbft/cometbft/blocksync"
	"github.com/cometbft/cometbft/p2p"
	bcproto "github.com/cometbft/cometbft/proto/tendermint/blocksync"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/go-kit/kit/metrics"
	nometrics "github.com/go-kit/kit/metrics/discard"
)

// TestEngineVersion: a new engine needs another look at ADR 0056.
func TestEngineVersion(t *testing.T) {
	t.Parallel()
	modules, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(modules), "\tgithub.com/cometbft/cometbft v0.40.0\n") {
		t.Error("another engine: does its BlockPool.PopRequest still read a block that may be gone? If not, remove blockSync (ADR 0056). If it does, " +
			"check the facts of that ADR in the engine's blocksync/reactor.go, then change the version here")
	}
}

// TestPeersLeaveDuringSync: while a node reads blocks from three peers, they leave and come back, and say that they lack blocks that they sent. Each such
// change is made between two blocks, in the engine's loop, or once no block has come for a time.
func TestPeersLeaveDuringSync(t *testing.T) {
	t.Parallel()
	first := newWorld(t, func(c *Config) { c.Listen = freeAddress(t) }).run() // at a pace that a busy machine can follow
	peers := []string{first.peer(t)}
	for range 2 {
		w := newWorld(t, func(c *Config) { c.Listen, c.Peers = freeAddress(t), peers[:1] })
		w.join(first)
		peers = append(peers, w.run().peer(t))
	}
	const blocks, departures = 150, 12
	first.awaitHeight(blocks)
	late := newWorld(t, func(c *Config) { c.Peers = peers })
	late.join(first)
	var tries sync.WaitGroup
	var changes atomic.Int64
	var over atomic.Bool
	change := func() {
		began := time.Now()
		late.sync.atRest(func() {
			switch stack := string(debug.Stack()); {
			case strings.Contains(stack, "poolRoutine") && strings.Contains(stack, ".FinalizeBlock("):
				changes.Add(1)
			case late.syncs() && time.Since(began) < restWait:
				t.Errorf("the loop does not rest:\n%s", stack)
			}
		})
	}
	for range 3 {
		tries.Go(func() {
			for ; !over.Load(); time.Sleep(time.Millisecond) {
				if late.syncs() {
					change()
				}
			}
		})
	}
	late.run()
	until(t, "a change waits for a block", func() bool { return changes.Load() > 0 || late.halted() })
	for left := 0; left < departures && late.store.Height() < blocks && !late.halted(); {
		connected := late.engine.Switch().Peers().Copy()
		if len(connected) < 2 {
			time.Sleep(time.Millisecond)
			continue
		}
		peer := connected[left%len(connected)]
		lacks := &bcproto.NoBlockResponse{Height: int64(late.store.Height()) + 1}
		late.sync.Receive(p2p.Envelope{Src: peer, ChannelID: blocksync.BlocksyncChannel, Message: lacks})
		late.engine.Switch().StopPeerForError(peer, errors.New("it leaves"))
		tries.Go(func() { late.comeBack(peer) })
		left++
	}
	over.Store(true)
	tries.Wait()
	if late.halted() {
		t.Fatalf("at block %d: %v", late.store.Height(), late.failure.err)
	}
	late.close() // else it may wait for 30 s for a block that a peer has taken back
	late.open()
	late.run()
	first.followed(late, 4711)
}

// TestChangesWait: the removal of a peer, and its word that it lacks blocks, wait while the engine's loop may be checking a block.
func TestChangesWait(t *testing.T) {
	t.Parallel()
	first := newWorld(t, func(c *Config) { c.Listen = freeAddress(t) }).run()
	until(t, "it runs", func() bool { return first.store.Height() > 0 })
	second := newWorld(t, func(c *Config) { c.Peers = []string{first.peer(t)} })
	second.join(first)
	second.run()
	until(t, "they are connected", func() bool { return first.engine.Switch().Peers().Size() > 0 })
	peer := first.engine.Switch().Peers().Copy()[0]
	w := newWorld(t) // does not run, so its loop rests only here
	w.sync.run(true)
	says := func(e p2p.Envelope) func() {
		e.Src, e.ChannelID = peer, blocksync.BlocksyncChannel
		return func() { w.sync.Receive(e) }
	}
	for what, change := range map[string]func(){
		"a removal":       func() { w.sync.RemovePeer(peer, nil) },
		"a missing block": says(p2p.Envelope{Message: &bcproto.NoBlockResponse{Height: 1}}),
		"a lower height":  says(p2p.Envelope{Message: &bcproto.StatusResponse{Height: 1, Base: 1}}),
	} {
		done, began := make(chan struct{}), time.Now()
		go func() {
			change()
			close(done)
		}()
		for waits := false; !waits; time.Sleep(time.Millisecond) {
			select {
			case <-done:
				if waits = true; time.Since(began) < restWait {
					t.Errorf("%s does not wait", what)
				}
			default:
				w.sync.mu.Lock()
				waits = len(w.sync.waiting) == 1
				w.sync.mu.Unlock()
			}
		}
		w.sync.rest()
		<-done
	}
}

// comeBack connects with a peer that has left. The peer may still take itself for connected.
func (w *world) comeBack(peer p2p.Peer) {
	for range 100 {
		err := w.engine.Switch().DialPeerWithAddress(peer.SocketAddr())
		if known := (p2p.ErrCurrentlyDialingOrExistingAddress{}); err == nil || errors.As(err, &known) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// syncs reports whether the engine's loop of a world runs.
func (w *world) syncs() bool {
	w.sync.mu.Lock()
	defer w.sync.mu.Unlock()
	return w.sync.running
}

// halted reports whether a world's node has failed.
func (w *world) halted() bool {
	select {
	case <-w.failure.done:
		return true
	default:
		return false
	}
}

// peer is how others connect with a world's node.
func (w *world) peer(t *testing.T) string {
	t.Helper()
	id, err := NodeID(w.config.Dir)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s@%s", id, w.config.Listen)
}

// TestSyncPanics: a panic of the engine's block sync does not end the process. That of a block that was dropped asks for a new start.
func TestSyncPanics(t *testing.T) {
	t.Parallel()
	for what, doing := range map[string]func(){
		"a dropped block": func() {
			var block *cmttypes.Block
			_ = block.Time
		},
		"a failed block": func() { panic("Failed to process committed block (7:00): it is false") },
	} {
		b := newBlockSync(newFailure(), nil, slog.New(slog.DiscardHandler))
		made := make(chan struct{})
		ended := make(chan struct{})
		go func() { // as the engine's loop
			defer close(ended)
			var gauge metrics.Gauge = &syncGauge{nometrics.NewGauge(), b}
			gauge.Set(1)
			defer gauge.Set(0)
			b.waiting[made] = func() {}
			doing()
		}()
		<-ended
		if b.failure.err == nil {
			t.Fatalf("%s: the node goes on", what)
		}
		if err := b.failure.err; errors.Is(err, ErrRestart) != (what == "a dropped block") || !strings.Contains(err.Error(), "block sync") {
			t.Errorf("%s: %v", what, err)
		}
		select {
		case <-made:
		default:
			t.Errorf("%s: a change still waits", what)
		}
		b.atRest(func() { what = "" })
		if what != "" {
			t.Errorf("%s: a later change waits", what)
		}
	}
}

// TestSyncBeyondTheLastBlock: a node that catches up, and is to stop before a block that the others have, says so. The engine's loop panics then.
func TestSyncBeyondTheLastBlock(t *testing.T) {
	t.Parallel()
	first := newWorld(t, func(c *Config) { c.Listen, c.Idle = freeAddress(t), 5*time.Millisecond }).run()
	first.awaitHeight(8)
	late := newWorld(t, func(c *Config) { c.Peers, c.Until = []string{first.peer(t)}, 3 })
	late.join(first)
	late.run()
	select {
	case err := <-late.done:
		late.cancel()
		late.cancel = nil
		if err == nil || !strings.Contains(err.Error(), "this node was to stop after block 3") {
			t.Errorf("it stops with %v", err)
		}
	case <-time.After(2 * time.Minute):
		t.Fatalf("it is at block %d", late.store.Height())
	}
}
