package chain

import (
	"fmt"
	"time"

	"github.com/cometbft/cometbft/consensus"
	cmttypes "github.com/cometbft/cometbft/types"
)

const (
	// mostLag is how many blocks a node may be behind its peers before it looks whether it catches up.
	mostLag = 20
	// lagPatience is the time in which it has to come nearer by a quarter.
	lagPatience = 20 * time.Second
)

// lag notices a node that falls behind its peers and stays there. The engine fetches many missing blocks at once only after a start. Later its peers hand
// them out one by one, and a proposer that waits for transactions holds the lock that this needs: a follower of a single validator would get one old
// block for each new one.
type lag struct {
	near  bool      // since the start it has been as high as its peers, or it began with a snapshot: a start brings it there
	since time.Time // when it was as far behind as gap
	gap   int64
}

// stays reports, from how far behind the node is now, whether it is to be opened again.
func (l *lag) stays(gap int64, now time.Time) bool {
	switch {
	case gap <= mostLag:
		l.near, l.since = true, time.Time{}
	case l.since.IsZero():
		l.since, l.gap = now, gap
	case now.Sub(l.since) < lagPatience:
	case gap > l.gap-l.gap/4:
		return l.near
	default:
		l.since, l.gap = now, gap
	}
	return false
}

// watchLag opens a node again that follows its peers and stays behind. A validator gets old blocks from the others, which don't propose.
func (c *Chain) watchLag(state *consensus.State, l *lag, now time.Time) {
	reactor, ok := c.engine.Switch().Reactor("CONSENSUS")
	if r, is := reactor.(*consensus.Reactor); !ok || !is || r.WaitSync() {
		return
	}
	round := state.GetRoundState()
	if round.Validators.HasAddress(c.address) {
		return
	}
	highest, _, _ := c.heights()
	gap := highest - round.Height
	if now.Sub(state.GetState().LastBlockTime) < lagPatience { // many blocks, but quick ones
		gap = 0
	}
	if l.stays(gap, now) {
		c.failure.set(fmt.Errorf("the node is %d blocks behind its peers, and does not catch up: it fetches them anew: %w", gap, ErrRestart))
	}
}

// heights returns the height of the highest peer that the node is to stay connected with, whether it has such a peer, and the height of the highest
// other peer: anybody can claim one.
func (c *Chain) heights() (named, others int64, anyNamed bool) {
	for _, peer := range c.engine.Switch().Peers().Copy() {
		height := int64(0)
		if state, ok := peer.Get(cmttypes.PeerStateKey).(*consensus.PeerState); ok {
			height = state.GetHeight()
		}
		if c.engine.Switch().IsPeerUnconditional(peer.ID()) {
			named, anyNamed = max(named, height), true
		} else {
			others = max(others, height)
		}
	}
	return named, others, anyNamed
}
