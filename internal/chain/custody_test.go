package chain

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"

	"lockstep/types"
)

// pen notes each vote that is signed with a key, on all machines together.
type pen struct {
	t     testing.TB
	mu    sync.Mutex
	votes map[string]string // a height, round and kind; the block that was signed for
	last  map[string]int64  // the newest height, by the machine
	first map[string]int64
}

func newPen(t testing.TB) *pen {
	return &pen{t: t, votes: map[string]string{}, last: map[string]int64{}, first: map[string]int64{}}
}

func (p *pen) on(machine string) func(*cmtproto.Vote) {
	return func(vote *cmtproto.Vote) {
		p.mu.Lock()
		defer p.mu.Unlock()
		at, block := fmt.Sprint(vote.Height, "/", vote.Round, " ", vote.Type), fmt.Sprintf("%x", vote.BlockID.Hash)
		if before, ok := p.votes[at]; ok && before != block {
			p.t.Errorf("the key signs twice at %s: for %q and %q (%s)", at, before, block, machine)
		}
		p.votes[at] = block
		if p.last[machine] = vote.Height; p.first[machine] == 0 {
			p.first[machine] = vote.Height
		}
	}
}

func (p *pen) lastOf(machine string) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last[machine]
}

func (p *pen) firstOf(machine string) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.first[machine]
}

// newNetwork makes a ledger with several validators, which run; edit changes the configuration of each.
func newNetwork(t *testing.T, count int, edit func(i int, c *Config)) []*world {
	t.Helper()
	params := types.DefaultParams("test")
	worlds, dirs := make([]*world, count), make([]string, count)
	for i := range worlds {
		dir := t.TempDir()
		dirs[i] = filepath.Join(dir, "engine")
		worlds[i] = &world{t: t, dir: dir, params: params, logger: slog.New(slog.DiscardHandler), config: Config{
			Dir: dirs[i], Idle: 20 * time.Millisecond, Listen: freeAddress(t),
		}}
	}
	if err := CreateAll(dirs, params, 0); err != nil {
		t.Fatal(err)
	}
	for i, w := range worlds {
		w.config.Peers = peersOf(t, worlds, i)
		if edit != nil {
			edit(i, &w.config)
		}
		w.open()
		w.run()
		t.Cleanup(w.close)
	}
	connected(t, worlds...)
	return worlds
}

// connected waits until worlds are connected with each other. An engine that is stopped while it connects leaves the connection open, as no process
// can: the other side takes it for alive for 105 s.
func connected(t *testing.T, worlds ...*world) {
	t.Helper()
	for _, w := range worlds {
		until(t, "all are connected", func() bool { return w.Status().Peers >= len(worlds)-1 })
	}
}

// peersOf returns the addresses of all worlds but one.
func peersOf(t *testing.T, worlds []*world, without int) (peers []string) {
	t.Helper()
	for i, w := range worlds {
		id, err := NodeID(w.config.Dir)
		if err != nil {
			t.Fatal(err)
		}
		if i != without {
			peers = append(peers, id+"@"+w.config.Listen)
		}
	}
	return peers
}

// until waits for a condition.
func until(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if yes() {
			return
		}
	}
	t.Fatalf("it never happens that %s", what)
}

// copyOf makes a world of a copy of a stopped world's folder, on another machine: with another name among its peers.
func copyOf(t *testing.T, w *world, edit func(*Config)) *world {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
		t.Fatal(err)
	}
	other := &world{t: t, dir: dir, params: w.params, logger: w.logger, config: w.config}
	other.config.Dir, other.config.Listen = filepath.Join(dir, "engine"), freeAddress(t)
	edit(&other.config)
	key := filesOf(other.config.Dir).NodeKey
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if _, err := p2p.LoadOrGenNodeKey(key); err != nil {
		t.Fatal(err)
	}
	return other
}

// trouble reports whether the status of a world has a trouble that says something.
func (w *world) trouble(says string) bool {
	for _, trouble := range w.Status().Troubles {
		if strings.Contains(trouble, says) {
			return true
		}
	}
	return false
}

// original is the last of four validators, closed after its first signatures.
func (p *pen) original(t *testing.T) *world {
	t.Helper()
	nodes := newNetwork(t, 4, func(i int, c *Config) {
		if i == 3 {
			c.signed = p.on("original")
		}
	})
	until(t, "the original signs", func() bool { return p.lastOf("original") > 3 })
	nodes[3].close()
	return nodes[3]
}

// TestCopyOfAValidator: a copy that runs beside its original signs nothing; it takes over once the original is silent, and the original then
// signs nothing when it comes back. At no height does the key sign twice.
func TestCopyOfAValidator(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("nodes at their own pace: make test runs them, without the race detector")
	}
	pen := newPen(t)
	original := pen.original(t)
	replica := copyOf(t, original, func(c *Config) { c.signed, c.silent, c.silence = pen.on("copy"), 12, 3*time.Second })
	before := pen.lastOf("original")
	original.open()
	original.run()
	until(t, "the original signs again", func() bool { return pen.lastOf("original") > before }) // or a slow machine makes it the silent one
	replica.open()
	t.Cleanup(replica.close)
	replica.run()
	until(t, "the copy sees its key", func() bool { return replica.trouble("its key has signed block") })
	height := pen.lastOf("original")
	until(t, "the original goes on", func() bool { return pen.lastOf("original") > height+30 })
	if at := pen.firstOf("copy"); at != 0 {
		t.Errorf("the copy signs at height %d beside its original", at)
	}
	original.close()
	until(t, "the copy takes over", func() bool { return pen.lastOf("copy") > 0 })
	original.open()
	original.run()
	until(t, "the original sees its key", func() bool { return original.trouble("its key has signed block") })
	height = pen.lastOf("copy")
	until(t, "the copy goes on", func() bool { return pen.lastOf("copy") > height+30 })
	if original.Status().Halted || pen.lastOf("original") >= pen.firstOf("copy") {
		t.Errorf("the original signs at %d, the copy has since %d", pen.lastOf("original"), pen.firstOf("copy"))
	}
	original.close()
	replica.close()
	again := copyOf(t, replica, func(c *Config) { c.signed, c.SignNow = pen.on("again"), true })
	again.open()
	t.Cleanup(again.close)
	again.run()
	until(t, "the operator's word is enough", func() bool { return pen.lastOf("again") > 0 })
}

// TestRestoredBackup: a restored folder signs nothing before the last signature of its key.
func TestRestoredBackup(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("nodes at their own pace: make test runs them, without the race detector")
	}
	pen := newPen(t)
	original := pen.original(t)
	restored := copyOf(t, original, func(c *Config) { c.signed, c.silent, c.silence = pen.on("restored"), 12, 3*time.Second })
	if err := MarkRestored(restored.config.Dir); err != nil {
		t.Fatal(err)
	}
	original.open()
	original.run()
	height := pen.lastOf("original")
	until(t, "the original goes on", func() bool { return pen.lastOf("original") > height+20 })
	original.close()
	restored.open()
	t.Cleanup(restored.close)
	if !restored.Held() {
		t.Error("it does not listen first")
	}
	restored.run()
	until(t, "it signs", func() bool { return pen.lastOf("restored") > 0 })
	if first, last := pen.firstOf("restored"), pen.lastOf("original"); first <= last {
		t.Errorf("it signs from height %d on, the original up to %d", first, last)
	}
}

// TestAwayFromAStandingLedger: a validator that was away, and without which the ledger stands still, signs after a pause.
func TestAwayFromAStandingLedger(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("nodes at their own pace: make test runs them, without the race detector")
	}
	nodes := newNetwork(t, 4, nil)
	until(t, "blocks are made", func() bool { return nodes[0].store.Height() > 2 })
	nodes[3].close()
	height := nodes[0].store.Height()
	until(t, "the others go on", func() bool { return nodes[0].store.Height() > height+2*awayBlocks })
	nodes[2].close()
	nodes[3].open()
	nodes[3].run()
	mint := nodes[3].mint(1, "peter")
	nodes[3].must(mint)
	if outcome, err := nodes[0].Await(t.Context(), mint.ID()); err != nil || outcome.Code != types.CodeOK {
		t.Errorf("%+v, %v", outcome, err)
	}
}

// TestAllRestored: validators that are all restored from backups of running nodes go on when their operators say so, although their keys have signed
// a block that no backup has.
func TestAllRestored(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("nodes at their own pace: make test runs them, without the race detector")
	}
	nodes := newNetwork(t, 4, nil)
	until(t, "blocks are made", func() bool { return nodes[0].store.Height() > 2 })
	newest := int64(0)
	for _, n := range nodes {
		n.close()
		newest = max(newest, int64(n.store.Height()))
	}
	for _, n := range nodes {
		files := filesOf(n.config.Dir)
		key := privval.LoadFilePV(files.ValidatorKey, files.ValidatorState)
		last := &key.LastSignState
		last.Height, last.Round, last.Step, last.Signature, last.SignBytes = newest+2, 0, stepPrecommit, []byte{1}, []byte{2}
		key.Save()
		if err := errors.Join(os.RemoveAll(filepath.Join(n.config.Dir, "data", "cs.wal")), MarkRestored(n.config.Dir)); err != nil {
			t.Fatal(err)
		}
		n.config.SignNow = true
		n.open()
		n.run()
	}
	mint := nodes[3].mint(1, "peter")
	nodes[3].must(mint)
	if outcome, err := nodes[0].Await(t.Context(), mint.ID()); err != nil || outcome.Code != types.CodeOK {
		t.Errorf("%+v, %v", outcome, err)
	}
	until(t, "its folder counts as the original, also when the other three were first", func() bool { return !isRestored(filesOf(nodes[0].config.Dir)) })
}

// lone returns the custody of a new key that has signed a height.
func lone(t *testing.T, height int64) *custody {
	t.Helper()
	dir := t.TempDir()
	key := privval.GenFilePV(filepath.Join(dir, "key.json"), filepath.Join(dir, "state.json"))
	key.LastSignState.Height, key.LastSignState.Round, key.LastSignState.Step = height, 1, 2
	key.LastSignState.Signature, key.LastSignState.SignBytes = []byte{1}, []byte{2}
	key.Save()
	files := engineFiles{ValidatorState: filepath.Join(dir, "state.json"), Home: filepath.Join(dir, "home.json")}
	c, err := openCustody(files, key, &Config{silent: 3, silence: time.Nanosecond}, func() time.Time { return time.Unix(1000, 0) }, newFailure(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// later is after a lone custody began to listen.
func later() time.Time { return time.Unix(2000, 0) }

// TestCustody: the bounds of a custody.
func TestCustody(t *testing.T) {
	t.Parallel()
	c := lone(t, 100)
	if err := c.allow(100 + awayBlocks); err != nil {
		t.Errorf("after a short absence: %v", err)
	}
	if err := c.allow(101 + awayBlocks); err == nil {
		t.Error("after an absence it signs at once")
	}
	if c.rested(106) {
		t.Error("it does not pause")
	}
	c.since = c.since.Add(-awayPause)
	if !c.rested(106) || c.allow(106) != nil || c.key.LastSignState.Height != 105 {
		t.Errorf("after the pause: %+v", c.key.LastSignState)
	}

	for _, height := range []int64{99, 100} { // a restored folder whose operator wants signatures
		c = lone(t, 100)
		c.again = true
		if c.allow(height) == nil {
			t.Errorf("it signs block %d again at once", height)
		}
		c.since = c.since.Add(-awayPause)
		if !c.rested(height) || c.allow(height) != nil || c.key.LastSignState.Height != height-1 || c.again {
			t.Errorf("block %d, after the pause: %+v", height, c.key.LastSignState)
		}
	}
	c = lone(t, 100)
	if c.again = true; c.allow(101) != nil || c.again || c.allow(100) != nil || c.held != free {
		t.Error("it signs later blocks, and then listens")
	}

	c = lone(t, 100)
	_ = c.allow(106)
	for height := range int64(awayBlocks) {
		if c.allow(200) == nil {
			t.Errorf("it signs after %d blocks", height)
		}
		c.signed(106+height, false, later())
	}
	if c.allow(112) != nil {
		t.Error("it never signs again")
	}

	c = lone(t, 100)
	_ = c.allow(106)
	for height := int64(106); height < 118; height++ {
		c.signed(height, false, time.Unix(1000, 0))
	}
	if c.quiet != 0 || c.allow(118) == nil {
		t.Error("old blocks count as silence")
	}
	if c.signed(118, false, time.Unix(1000, 1)); c.quiet != 1 {
		t.Error("a new block does not count")
	}

	c = lone(t, 100)
	c.silence = time.Hour
	c.signed(101, true, later())
	_ = c.allow(102)
	for height := int64(102); height < 200; height++ {
		c.signed(height, false, later())
	}
	if c.allow(200) == nil {
		t.Error("many blocks in a short time are enough")
	}

	for name, see := range map[string]func(c *custody){
		"a commit": func(c *custody) { c.signed(101, true, later()) },
		"a vote": func(c *custody) {
			c.vote(&cmttypes.Vote{ValidatorAddress: c.address, Height: 101, Type: cmtproto.PrevoteType})
		},
		"a later step": func(c *custody) {
			c.vote(&cmttypes.Vote{ValidatorAddress: c.address, Height: 100, Round: 1, Type: cmtproto.PrecommitType})
		},
		"another vote": func(c *custody) {
			c.vote(&cmttypes.Vote{ValidatorAddress: c.address, Height: 100, Round: 1, Type: cmtproto.PrevoteType, Signature: []byte{9}})
		},
	} {
		c := lone(t, 100)
		see(c)
		if c.allow(101) == nil || !strings.Contains(c.trouble(), "Another node has the key") {
			t.Errorf("%s: it signs; %s", name, c.trouble())
		}
		c.since = c.since.Add(-time.Hour)
		if c.rested(101) {
			t.Errorf("%s: a pause is enough", name)
		}
		c.signed(101, false, later())
		c.signed(102, false, later())
		if c.signed(103, true, later()); c.allow(104) == nil {
			t.Errorf("%s: it signs though the other still does", name)
		}
		for height := range int64(3) {
			if c.allow(104+height) == nil {
				t.Errorf("%s: it signs after %d blocks", name, height)
			}
			c.signed(104+height, false, later())
		}
		if err := c.allow(109); err != nil || c.key.LastSignState.Height != 108 || c.trouble() != "" {
			t.Errorf("%s: %v, %+v", name, err, c.key.LastSignState)
		}
		if _, err := c.key.LastSignState.CheckHRS(108, 1<<30, 3); err == nil {
			t.Errorf("%s: it may sign a height that the other may have signed", name)
		}
	}

	c = lone(t, 100)
	for _, known := range []*cmttypes.Vote{
		{ValidatorAddress: c.address, Height: 100, Round: 1, Type: cmtproto.PrevoteType, Signature: []byte{1}},
		{ValidatorAddress: c.address, Height: 100, Round: 0, Type: cmtproto.PrecommitType},
		{ValidatorAddress: []byte("somebody else's key."), Height: 200},
	} {
		c.vote(known)
	}
	if c.signed(100, true, later()); c.allow(101) != nil {
		t.Error("its own votes stop it")
	}
}

// TestHome: a folder is known again, and a copy, a restored one or a damaged file is not.
func TestHome(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run()
	w.must(w.mint(1, "peter"))
	w.close()
	w.open()
	if w.Held() {
		t.Error("its own folder is another")
	}
	w.close()
	home := filesOf(w.config.Dir).Home
	if err := os.WriteFile(home, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.open()
	if !w.Held() || !w.trouble("is a copy or a restored backup") {
		t.Error("a damaged file is taken")
	}
	w.close()
	w.config.SignNow = true
	w.open()
	if w.Held() {
		t.Error("the operator's word is not enough")
	}
	w.close()
	w.config.SignNow = false
	w.open()
	if w.Held() {
		t.Error("the operator's word is not kept")
	}
	config, err := w.config.withDefaults(&w.params).engineConfig()
	if err != nil || config.BlockSync.AdaptiveSync {
		t.Errorf("the engine syncs while it signs: %v", err)
	}
}
