package chain

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"lockstep/types"
)

// moment is one reading of the machine's clocks.
type moment struct {
	wall   time.Time     // the wall clock, which can be set
	up     time.Duration // since the machine started, its sleep included; nobody can set it
	boot   string        // names this start of the machine
	synced bool          // the system says that a time service keeps the wall clock right
}

// Bounds of a node's clock.
const (
	// clockSlack is how far the wall clock may part from the steady one: time services step it by less.
	clockSlack = 2 * time.Second
	// maxDowntime is how long after the last block a machine may start and be believed without a time service.
	maxDowntime = 7 * 24 * time.Hour
	// maxSyncedDowntime is the same with a time service.
	maxSyncedDowntime = 366 * 24 * time.Hour
	// confirmAfter is how long a wall clock that jumped ahead must go on evenly, with a time service that says it is right.
	confirmAfter = 10 * time.Minute
	// peerBound is how far a proposal of another validator may be ahead of this node's time.
	peerBound = time.Minute
	// peerDiffer is from when on the clocks of other validators count as different.
	peerDiffer = 10 * time.Second
	// peerBlocks is how many blocks in a row must show that.
	peerBlocks = 5
)

// clock tells the time that this node signs for. It follows the wall clock, but not when that jumps ahead of the time that
// has passed since the machine started: a block with a time of tomorrow can't be taken back. Then it goes on evenly, and says
// so, until the wall clock is right again. See ADR 0022.
type clock struct {
	read   func() moment
	file   string        // keeps the line for the next start of the program
	trust  bool          // the operator says that the wall clock is right
	ahead  time.Duration // of the ledger's time before the wall clock, as the operator has accepted it
	logger *slog.Logger

	mu      sync.Mutex // guards what follows
	several bool       // validators decide together
	line    time.Time  // the moment at which the machine started, by a wall clock that was right
	peak    time.Time  // the latest such line of this start of the machine
	boot    string
	doubt   string    // why the wall clock isn't believed; empty when it is
	other   time.Time // the line of the wall clock that isn't believed
	since   time.Duration
	last    time.Time // of the last block
	judged  time.Time // the latest of the proposals at this height
	refuse  time.Time // of the proposal that this node has refused last at this height
	differ  int       // blocks in a row that show other clocks at the other validators
	commit  time.Duration

	saving  sync.Mutex // guards what follows, while the file is written
	written time.Time  // the line in the file
}

// newClock begins with the last block's time, zero before the first.
func newClock(c Config, last time.Time, several bool, logger *slog.Logger) *clock {
	k := &clock{
		read: c.clock, file: filesOf(c.Dir).Clock, trust: c.TrustClock, ahead: c.ClockAhead, several: several, logger: logger, last: last,
	}
	if k.read == nil {
		k.read = readClocks
	}
	k.begin(k.read())
	return k
}

// WallClock is the machine's wall clock, as a node sees it.
func WallClock() time.Time { return wallClock() }

// clockFile is the stored form of a line.
type clockFile struct {
	Boot string    `json:"boot"`
	Line time.Time `json:"line"`
}

// begin takes up the line of an earlier run on this start of the machine, or judges the wall clock by the last block.
func (c *clock) begin(m moment) {
	c.boot = m.boot
	var before clockFile
	text, err := os.ReadFile(c.file)
	switch {
	case c.trust:
		c.adopt(m)
	case err == nil && json.Unmarshal(text, &before) == nil && m.boot != "" && before.Boot == m.boot && !before.Line.IsZero():
		c.line, c.peak, c.written = before.Line, before.Line, before.Line
		c.follow(m)
	case c.afterDowntime(m):
		c.adopt(m)
	default:
		c.line = c.wallOf(c.last).Add(-m.up)
		c.peak = c.line
		c.follow(m)
	}
}

// wallOf is the wall clock at a block time.
func (c *clock) wallOf(block time.Time) time.Time { return block.Add(-c.ahead) }

// afterDowntime reports whether the wall clock fits a machine that has been off since the last block.
func (c *clock) afterDowntime(m moment) bool {
	if c.last.IsZero() {
		return true
	}
	limit := maxDowntime
	if m.synced {
		limit = maxSyncedDowntime
	}
	return !m.wall.After(c.wallOf(c.last).Add(limit))
}

// now is the time that this node stands for.
func (c *clock) now() time.Time {
	m := c.read()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.follow(m)
	return c.line.Add(m.up + c.ahead)
}

// follow judges a reading.
func (c *clock) follow(m moment) {
	steady, peak := c.line.Add(m.up), c.peak.Add(m.up)
	switch off := m.wall.Sub(steady); {
	case off.Abs() <= clockSlack:
		c.adopt(m)
	case off < 0: // an earlier time does no harm: no block takes one before its parent's
		c.logger.Warn("the wall clock went back", "by", -off.Round(time.Millisecond), "to", m.wall.UTC())
		c.adopt(m)
	case !m.wall.After(peak.Add(clockSlack)): // and is back
		c.adopt(m)
	case peak.Before(c.wallOf(c.last).Add(-clockSlack)) && c.afterDowntime(m): // it was behind the ledger until now
		c.adopt(m)
	default:
		c.suspect(m, off)
	}
}

// adopt believes the wall clock.
func (c *clock) adopt(m moment) {
	if c.doubt != "" {
		c.logger.Info("the wall clock is believed again", "at", m.wall.UTC())
	}
	c.doubt = ""
	c.line = m.wall.Add(-m.up)
	if c.line.After(c.peak) {
		c.peak = c.line
	}
}

// suspect goes on without a wall clock that is so far ahead, until it has proved itself.
func (c *clock) suspect(m moment, off time.Duration) {
	if line := m.wall.Add(-m.up); c.doubt == "" || line.Sub(c.other).Abs() > clockSlack {
		c.other, c.since = line, m.up
		c.doubt = fmt.Sprintf("the wall clock says %s, %s more than the time that has passed: the ledger goes on by the machine's steady clock. "+
			"Set the wall clock right; if it is right, start the node with --trust-clock", m.wall.UTC().Format(time.RFC3339), off.Round(time.Second))
		c.logger.Error(c.doubt)
	}
	if m.synced && m.up-c.since >= confirmAfter {
		c.adopt(m)
	}
}

// stamp is the time that a vote bears: after the last block's and that of every proposal at this height.
func (c *clock) stamp() time.Time {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, earlier := range []time.Time{c.last, c.judged} {
		if least := earlier.Add(time.Millisecond); now.Before(least) {
			now = least
		}
	}
	return now.UTC()
}

// judge takes note of a proposal, and tells whether its time may be: one of another validator is at most a bound ahead.
func (c *clock) judge(block time.Time) bool {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.several && block.After(now.Add(peerBound)) {
		c.logger.Error("a proposal is refused: its time is ahead of this node's", "proposal", block.UTC(), "here", now.UTC())
		c.refuse = block
		return false
	}
	if block.After(c.judged) {
		c.judged = block
	}
	return true
}

// decided takes note of a block. The time of a block that several validators have decided is evidence on the wall clock.
func (c *clock) decided(block time.Time) {
	m := c.read()
	c.mu.Lock()
	defer c.mu.Unlock()
	gap, passed := block.Sub(c.last), m.up-c.commit
	c.last, c.judged, c.refuse, c.commit = block, time.Time{}, time.Time{}, m.up
	if !c.several {
		return
	}
	if c.doubt != "" && m.wall.Sub(c.wallOf(block)).Abs() <= peerDiffer {
		c.adopt(m)
	}
	c.follow(m)
	live := gap <= 2*passed+time.Second // a node that catches up sees old blocks quickly
	if off := c.line.Add(m.up + c.ahead).Sub(block); live && off.Abs() > peerDiffer+passed {
		c.differ++
	} else {
		c.differ = 0
	}
}

// troubles are sentences about a clock that is wrong; none about one that is right.
func (c *clock) troubles() (list []string) {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.doubt != "" {
		list = append(list, c.doubt)
	}
	switch ahead := c.last.Sub(now); {
	case ahead > peerDiffer && !c.several:
		list = append(list, fmt.Sprintf("the ledger's time is %s ahead of this machine's clock: blocks are made, deadlines wait until the clock gets there. "+
			"If the clock is wrong, set it right; if the ledger's time is, see \"lockstep node clock\"", ahead.Round(time.Second)))
	case c.several && c.differ >= peerBlocks:
		list = append(list, fmt.Sprintf("this machine's clock is %s apart from the other validators': set it right", (-ahead).Round(time.Second).Abs()))
	}
	if ahead := c.refuse.Sub(now); ahead > peerBound {
		list = append(list, fmt.Sprintf("another validator proposes a block that is %s ahead of this machine's clock, which this node refuses: "+
			"set right the one of the two clocks that is wrong", ahead.Round(time.Second)))
	}
	return list
}

// save keeps the line for the next start of the program. The file is small, and is written when the line has changed.
func (c *clock) save() error {
	c.saving.Lock()
	defer c.saving.Unlock()
	c.mu.Lock()
	line, doubt := c.line, c.doubt
	c.mu.Unlock()
	if doubt != "" || line.Sub(c.written).Abs() < clockSlack/2 {
		return nil
	}
	text, err := json.Marshal(clockFile{Boot: c.boot, Line: line.UTC()})
	if err == nil {
		err = os.WriteFile(c.file+".new", append(text, '\n'), 0o600)
	}
	if err == nil {
		err = os.Rename(c.file+".new", c.file)
	}
	if err != nil {
		return fmt.Errorf("keep the clock's line: %w", err)
	}
	c.written = line
	return nil
}

// next is about the time of the next block: a guess, to judge waiting transactions by.
func (c *clock) next() types.Time { return types.TimeOf(c.stamp()) }

// setSeveral tells whether several validators decide together, from now on.
func (c *clock) setSeveral(several bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.several = several
}
