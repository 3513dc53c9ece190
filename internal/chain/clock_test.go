package chain

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cometbft/cometbft/privval"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"

	"lockstep/types"
)

// machine is a machine whose wall clock can be set.
type machine struct {
	mu     sync.Mutex
	off    time.Duration
	extra  time.Duration // that has passed beside what really has
	boot   string
	synced bool
}

var testsBegan = time.Now()

func (m *machine) read() moment {
	m.mu.Lock()
	defer m.mu.Unlock()
	passed := time.Since(testsBegan) + m.extra
	return moment{wall: testsBegan.Round(0).Add(passed + m.off), up: passed, boot: m.boot, synced: m.synced}
}

func (m *machine) set(off time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.off = off
}

func (m *machine) pass(span time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.extra += span
}

// newTestClock is the clock of a machine; last is how long ago the last block was, negative for ahead.
func newTestClock(t *testing.T, m *machine, last time.Duration, edit ...func(*Config)) *clock {
	t.Helper()
	config := Config{Dir: t.TempDir(), clock: m.read}
	for _, e := range edit {
		e(&config)
	}
	return newClock(config, m.read().wall.Add(-m.off-last), false, slog.New(slog.DiscardHandler))
}

// wantOff tells how far a clock is from the machine's right time.
func wantOff(t *testing.T, when string, c *clock, m *machine, want time.Duration) {
	t.Helper()
	got := c.now()
	right := m.read().wall.Add(-m.off)
	if off := got.Sub(right) - want; off.Abs() > 5*time.Second { // the machine may be slow
		t.Errorf("%s: the clock is %s off, want %s", when, got.Sub(right), want)
	}
}

func wantTrouble(t *testing.T, when string, c *clock, some string) {
	t.Helper()
	list := strings.Join(c.troubles(), "; ")
	if some == "" && list != "" || !strings.Contains(list, some) {
		t.Errorf("%s: troubles %q, want %q", when, list, some)
	}
}

func TestClockJump(t *testing.T) {
	t.Parallel()
	m := &machine{boot: "a"}
	c := newTestClock(t, m, time.Minute)
	wantOff(t, "at first", c, m, 0)
	wantTrouble(t, "at first", c, "")
	m.set(24 * time.Hour)
	wantOff(t, "a day ahead", c, m, 0)
	wantTrouble(t, "a day ahead", c, "24h0m0s more than the time that has passed")
	m.pass(time.Hour)
	wantOff(t, "after an hour", c, m, 0)
	m.set(0)
	wantOff(t, "right again", c, m, 0)
	wantTrouble(t, "right again", c, "")
	m.set(clockSlack / 2)
	wantOff(t, "a small step", c, m, clockSlack/2)
	wantTrouble(t, "a small step", c, "")
}

func TestClockSetBack(t *testing.T) {
	t.Parallel()
	m := &machine{boot: "a"}
	c := newTestClock(t, m, time.Minute)
	m.set(-24 * time.Hour)
	wantOff(t, "a day behind", c, m, -24*time.Hour)
	wantTrouble(t, "a day behind", c, "ahead of this machine's clock")
	stamp := c.stamp()
	if !stamp.After(c.last) || stamp.After(c.last.Add(time.Second)) {
		t.Errorf("a vote at %s after a block of %s", stamp, c.last)
	}
	m.set(0)
	wantOff(t, "right again", c, m, 0)
	wantTrouble(t, "right again", c, "")
	m.set(time.Hour)
	wantOff(t, "ahead", c, m, 0)
}

func TestClockSleep(t *testing.T) {
	t.Parallel()
	m := &machine{boot: "a"}
	c := newTestClock(t, m, time.Minute)
	m.pass(100 * time.Hour) // both clocks go on while a machine sleeps
	wantOff(t, "after a sleep", c, m, 0)
	wantTrouble(t, "after a sleep", c, "")
}

func TestClockConfirmedByTimeService(t *testing.T) {
	t.Parallel()
	for _, synced := range []bool{false, true} {
		m := &machine{boot: "a", synced: synced}
		c := newTestClock(t, m, time.Minute)
		m.set(time.Hour)
		wantOff(t, "ahead", c, m, 0)
		m.pass(confirmAfter - time.Minute)
		wantOff(t, "not long enough", c, m, 0)
		m.set(2 * time.Hour)
		wantOff(t, "ahead again", c, m, 0)
		m.pass(2 * time.Minute)
		wantOff(t, "not long enough since", c, m, 0)
		m.pass(confirmAfter)
		if want := time.Duration(0); synced {
			wantOff(t, "proved by the time service", c, m, 2*time.Hour)
			wantTrouble(t, "proved by the time service", c, "")
		} else {
			wantOff(t, "without a time service", c, m, want)
		}
	}
}

func TestClockStart(t *testing.T) {
	t.Parallel()
	trust := func(c *Config) { c.TrustClock = true }
	const day = 24 * time.Hour
	for _, c := range []struct {
		name   string
		last   time.Duration // ago
		synced bool
		edit   []func(*Config)
		off    time.Duration
		says   string
	}{
		{name: "after a week", last: maxDowntime - time.Minute},
		{name: "after more", last: maxDowntime + time.Minute, off: -maxDowntime - time.Minute, says: "more than the time that has passed"},
		{name: "after more, with a time service", last: maxDowntime + time.Minute, synced: true},
		{name: "after a year, with a time service", last: maxSyncedDowntime + day, synced: true, off: -maxSyncedDowntime - day, says: "--trust-clock"},
		{name: "after years, trusted", last: 3000 * day, edit: []func(*Config){trust}},
		{name: "behind the ledger", last: -time.Hour, says: "1h0m0s ahead of this machine's clock"},
	} {
		m := &machine{boot: "a", synced: c.synced}
		k := newTestClock(t, m, c.last, c.edit...)
		wantOff(t, c.name, k, m, c.off)
		wantTrouble(t, c.name, k, c.says)
	}
}

// TestClockOfMachineWithoutBattery starts with its wall clock in the past, which a time service then sets right.
func TestClockOfMachineWithoutBattery(t *testing.T) {
	t.Parallel()
	m := &machine{boot: "a", off: -1000 * time.Hour}
	c := newTestClock(t, m, time.Minute)
	wantTrouble(t, "behind", c, "ahead of this machine's clock")
	m.set(0)
	wantOff(t, "set right", c, m, 0)
	wantTrouble(t, "set right", c, "")
}

func TestClockRestart(t *testing.T) {
	t.Parallel()
	m := &machine{boot: "a"}
	c := newTestClock(t, m, time.Minute)
	dir := func(config *Config) { config.Dir = filepath.Dir(filepath.Dir(c.file)) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(filepath.Dir(c.file), 0o700))
	must(c.save())
	m.set(time.Hour)
	again := newTestClock(t, m, time.Minute, dir)
	wantOff(t, "on the same start of the machine", again, m, 0)
	wantTrouble(t, "on the same start of the machine", again, "1h0m0s more")
	must(again.save()) // keeps nothing that is in doubt
	wantOff(t, "once more", newTestClock(t, m, time.Minute, dir), m, 0)
	m.boot = "b"
	wantOff(t, "on another start of the machine", newTestClock(t, m, time.Minute, dir), m, time.Hour)
}

func TestClockAhead(t *testing.T) {
	t.Parallel()
	const ahead = 24 * 365 * 173 * time.Hour
	m := &machine{boot: "a"}
	c := newTestClock(t, m, -ahead+time.Minute, func(c *Config) { c.ClockAhead = ahead })
	wantOff(t, "by years", c, m, ahead)
	wantTrouble(t, "by years", c, "")
}

func TestClockOfPeers(t *testing.T) {
	t.Parallel()
	m := &machine{boot: "a"}
	c := newTestClock(t, m, 0)
	c.several = true
	now := c.now()
	if !c.judge(now.Add(peerBound-time.Second)) || c.judge(now.Add(peerBound+5*time.Second)) {
		t.Error("a proposal may be ahead by less than the bound")
	}
	m.set(time.Hour)
	wantOff(t, "ahead alone", c, m, 0)
	c.decided(m.read().wall)
	wantOff(t, "as the others say", c, m, time.Hour)
	wantTrouble(t, "as the others say", c, "")
	for range peerBlocks {
		m.pass(2 * time.Second)
		c.decided(c.last.Add(2*time.Second - time.Millisecond))
	}
	wantTrouble(t, "as the others", c, "")
	c.last = c.last.Add(-2 * peerDiffer)
	for i := range peerBlocks {
		wantTrouble(t, "apart for a few blocks", c, "")
		m.pass(2 * time.Second)
		if c.decided(c.last.Add(2 * time.Second)); i == peerBlocks-1 {
			wantTrouble(t, "apart", c, "apart from the other validators'")
		}
	}
}

// TestTroubleOfRefusedProposal: validators whose clocks part by much may not get a block together, so the one that refuses says why,
// until the clocks agree or there is a block.
func TestTroubleOfRefusedProposal(t *testing.T) {
	t.Parallel()
	m := &machine{boot: "a"}
	c := newTestClock(t, m, 0)
	c.several = true
	proposal := c.now()
	m.set(-2 * time.Minute)
	if c.judge(proposal) {
		t.Error("a proposal two minutes ahead was not refused")
	}
	wantTrouble(t, "behind", c, "which this node refuses")
	m.set(-peerBound + 5*time.Second)
	wantTrouble(t, "less behind", c, "")
	m.set(-2 * time.Minute)
	wantTrouble(t, "behind again", c, "which this node refuses")
	c.decided(proposal)
	wantTrouble(t, "after a block", c, "")
}

// TestClockAheadRecovers: a wall clock that is a day ahead while a ledger makes blocks doesn't stop it, and no block bears the
// wrong time.
func TestClockAheadRecovers(t *testing.T) {
	t.Parallel()
	m := &machine{boot: "a"}
	w := newWorld(t, func(c *Config) { c.clock = m.read }).run()
	w.must(w.mint(1, "peter"))
	last := w.blockTime()
	for i, off := range []time.Duration{24 * time.Hour, 0, -24 * time.Hour, 0} {
		m.set(off)
		w.must(w.mint(types.Amount(2+i), "peter"), w.mint(types.Amount(12+i), "peter"))
		w.must(w.mint(types.Amount(22+i), "peter")) // in a block whose time comes from votes at that offset
		if next := w.blockTime(); next.Before(last) || next.After(time.Now().Add(time.Minute)) {
			t.Errorf("%s off: block time %s after %s", off, next, last)
		} else {
			last = next
		}
	}
	if time.Since(last) > time.Minute {
		t.Errorf("block time is %s in the end", last)
	}
	w.check()
}

func (w *world) blockTime() time.Time {
	head := w.head()
	defer head.Close()
	return head.Clock().BlockTime.Std()
}

func TestStamperSignsProposalAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := privval.GenFilePV(filepath.Join(dir, "key"), filepath.Join(dir, "state"))
	stop := make(chan struct{})
	s := &stamper{FilePV: key, custody: &custody{key: key}, failure: newFailure(), stop: stop}
	block := cmttypes.BlockID{Hash: bytes.Repeat([]byte{1}, 32), PartSetHeader: cmttypes.PartSetHeader{Total: 1, Hash: bytes.Repeat([]byte{2}, 32)}}
	for range 2 {
		p := cmttypes.NewProposal(5, 0, -1, block).ToProto()
		if err := s.SignProposal("test", p); err != nil {
			t.Fatal(err)
		}
		if !key.Key.PubKey.VerifySignature(cmttypes.ProposalSignBytes("test", p), p.Signature) {
			t.Error("the signature isn't of the proposal that was asked for")
		}
		time.Sleep(time.Millisecond)
	}
	block.Hash = bytes.Repeat([]byte{3}, 32)
	if err := s.SignProposal("test", cmttypes.NewProposal(5, 0, -1, block).ToProto()); err == nil {
		t.Error("another block in the same round was signed")
	}
	close(stop)
	block.Hash = bytes.Repeat([]byte{1}, 32)
	if err := s.SignProposal("test", cmttypes.NewProposal(6, 0, -1, block).ToProto()); err == nil || key.LastSignState.Height != 5 {
		t.Error("a node that is stopping has signed")
	}
	if err := s.SignVote("test", &cmtproto.Vote{Height: 6}); err == nil {
		t.Error("a node that is stopping has voted")
	}
}
