package chain

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	cmtstore "github.com/cometbft/cometbft/proto/tendermint/store"
	sm "github.com/cometbft/cometbft/state"
	blockstore "github.com/cometbft/cometbft/store"

	"lockstep/internal/ledger"
	"lockstep/internal/snapshot"
	"lockstep/internal/store"
	"lockstep/types"
)

// TestSync lets a node join a running chain by a snapshot, with headers from the other node's API: it never reads the blocks before, and follows. A node whose headers
// are altered on the way takes no snapshot.
func TestSync(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(*world) *world{
		"a new ledger":               func(w *world) *world { return w },
		"one that continues another": (*world).continued,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testSync(t, begin)
		})
	}
}

func testSync(t *testing.T, begin func(*world) *world) {
	t.Helper()
	address := freeAddress(t)
	w := begin(newWorld(t, func(c *Config) { c.Listen, c.Idle = address, 5*time.Millisecond }))
	first := w.store.First()
	w.makeSnapshots()
	w.reachSnapshot()
	liar := w.follower(func(c *Config) {
		c.Sync.Fetch = func(_ context.Context, height uint64) (LightBlock, error) {
			light, err := w.LightBlock(height)
			light.Header = bytes.Replace(light.Header, []byte("test"), []byte("tset"), 1)
			return light, err
		}
	})
	if says := liar.Status().Beginning; !strings.Contains(says, "it waits for a snapshot from its peers") {
		t.Errorf("a node without a snapshot says %q", says)
	}
	j := w.follower()
	w.followed(j, 4711)
	if base := j.store.Base(); base < ledger.StandardCheckpoints().Every {
		t.Errorf("the history of the node begins at %d: it has not taken the snapshot", base)
	}
	if liar.store.Height() >= first {
		t.Error("a node takes a snapshot whose headers are not signed")
	}
	j.close()
	j.open()
	j.run()
	w.followed(j, 4712)
	j.close()
	s, err := store.Open(filepath.Join(j.dir, "store"), j.params, store.DefaultMemory, j.logger)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Check()
	if err == nil {
		_, err = Check(j.config.Dir, s)
	}
	if err = errors.Join(err, s.Close()); err != nil {
		t.Error(err)
	}
}

// TestJoinAnIdleLedger: a node that joins by a snapshot gets the blocks since at once, and not one of them with each new block of a proposer that waits.
func TestJoinAnIdleLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Listen, c.Idle = freeAddress(t), time.Second })
	w.makeSnapshots()
	w.reachSnapshot()
	const behind = 15
	for i := range types.Amount(behind) {
		w.must(w.mint(i+1, "clara"))
	}
	j := w.follower()
	until(t, "it follows", func() bool { return j.store.Height()+behind/2 > w.store.Height() })
	if base := j.store.Base(); base == 0 || base+behind > w.store.Height() {
		t.Errorf("its history begins at block %d of %d", base, w.store.Height())
	}
}

// TestSyncAfterUpgrade: a node joins by a snapshot of a ledger that follows other rules than at its beginning. A program without them takes the
// snapshot and stops with the version that it needs, now and at its next start.
func TestSyncAfterUpgrade(t *testing.T) {
	t.Parallel()
	second := append(ledger.KnownRules(), ledger.Rules{Version: 2})
	address := freeAddress(t)
	w := newWorldOf(t, councilParams(), func(c *Config) { c.Listen, c.Idle, c.rules = address, 5*time.Millisecond, second })
	w.makeSnapshots()
	before, after := w.params.Changeable(), w.params.Changeable()
	after.Rules = 2
	w.awaitHeight(2)
	w.must(w.decision(1, &types.SetParams{Replaces: before.Hash(), From: w.store.Height() + 20, Change: after}))
	w.reachSnapshot()
	joined := func(rules []ledger.Rules) *world { return w.follower(func(c *Config) { c.rules = rules }) }
	j := joined(second)
	w.followed(j, 4711)
	if base := j.store.Base(); base < ledger.StandardCheckpoints().Every {
		t.Errorf("the history of the node begins at %d: it has not taken the snapshot", base)
	}
	state, err := j.engineState()
	if err != nil || state.ConsensusParams.Version.App != 2 || state.Version.Consensus.App != 2 {
		t.Errorf("the engine is at version %d and %d, %v", state.ConsensusParams.Version.App, state.Version.Consensus.App, err)
	}
	old := joined(nil)
	var upgrade *UpgradeError
	select {
	case err := <-old.done:
		if !errors.As(err, &upgrade) || upgrade.Version != 2 || upgrade.Newest != 1 {
			t.Errorf("the old program stops with %v", err)
		}
	case <-time.After(2 * time.Minute):
		t.Fatalf("the old program is at block %d of %d, and says %q", old.store.Height(), w.store.Height(), old.Status().Beginning)
	}
	old.cancel()
	old.cancel = nil
	old.close()
	if old.reopen(); old.failed != nil && !errors.As(old.failed, &upgrade) {
		t.Errorf("the old program starts again with %v", old.failed)
	}
}

// TestStopAfterSnapshot: a node that stops between its snapshot and its first block begins with a snapshot again.
func TestStopAfterSnapshot(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	w := newWorld(t, func(c *Config) { c.Listen, c.Idle = address, 5*time.Millisecond })
	w.makeSnapshots()
	w.reachSnapshot()
	j := w.follower()
	j.awaitHeight(ledger.StandardCheckpoints().Every + ledger.StandardCheckpoints().Delay + 1)
	j.close()
	db, err := dbm.NewGoLevelDB(blockDatabase, filepath.Join(j.config.Dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	blockstore.SaveBlockStoreState(&cmtstore.BlockStoreState{}, db) //nolint:staticcheck // as before the first block; nothing else sets it back
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(j.dir, "store")); err != nil { // at the snapshot at most
		t.Fatal(err)
	}
	j.open()
	j.run()
	w.followed(j, 4711)
}

// makeSnapshots lets a world make snapshots, and run.
func (w *world) makeSnapshots() {
	w.t.Helper()
	w.store.MakeSnapshots(store.Snapshots{Folder: snapshot.Folder(w.t.TempDir()), Every: types.Duration(time.Hour / time.Millisecond)})
	w.run()
}

// reachSnapshot makes blocks until there is a snapshot.
func (w *world) reachSnapshot() {
	w.t.Helper()
	checkpoints := ledger.StandardCheckpoints()
	for i := types.Amount(1); w.store.Height() < checkpoints.Every+checkpoints.Delay; i++ {
		w.must(w.mint(i, "peter"))
	}
	awaitSnapshot(w.t, w.application())
}

// follower is a node that joins the ledger of a world by a snapshot; edit changes its configuration.
func (w *world) follower(edit ...func(*Config)) *world {
	w.t.Helper()
	genesis, err := os.ReadFile(filesOf(w.config.Dir).Genesis)
	if err != nil {
		w.t.Fatal(err)
	}
	j := &world{t: w.t, dir: w.t.TempDir(), params: w.params, logger: slog.New(slog.DiscardHandler)}
	j.config = Config{
		Dir: filepath.Join(j.dir, "engine"), Peers: []string{string(w.engine.NodeInfo().ID()) + "@" + w.config.Listen},
		Sync: &Sync{Fetch: func(_ context.Context, height uint64) (LightBlock, error) { return w.LightBlock(height) }},
	}
	for _, e := range edit {
		e(&j.config)
	}
	if err := Join(j.config.Dir, genesis); err != nil {
		w.t.Fatal(err)
	}
	j.open()
	w.t.Cleanup(j.close)
	return j.run()
}

// followed wants a follower to get a new block, with a transaction of its own amount.
func (w *world) followed(j *world, amount types.Amount) {
	w.t.Helper()
	last := w.mint(amount, "clara")
	w.must(last)
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Minute)
	defer cancel()
	if outcome, err := j.Await(ctx, last.ID()); err != nil || outcome.Code != types.CodeOK {
		w.t.Fatalf("the node is at block %d of %d: %v (%v)", j.store.Height(), w.store.Height(), outcome, err)
	}
}

func (w *world) engineState() (sm.State, error) {
	environment, err := w.engine.ConfigureRPC()
	if err != nil {
		return sm.State{}, err
	}
	return environment.StateStore.Load()
}
