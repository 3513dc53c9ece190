package light

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"lockstep/internal/agent"
	"lockstep/types"
)

// Belief believes a trade of an agent once its last step is proved. It implements [agent.Belief].
type Belief struct {
	client *Client
	key    types.PublicKey

	mu    sync.Mutex
	waits map[types.TradeID]time.Time // since when a trade waits for its proof
}

// NewBelief returns the belief of the agent of a key.
func NewBelief(client *Client, key types.PublicKey) *Belief {
	return &Belief{client: client, key: key, waits: map[types.TradeID]time.Time{}}
}

const (
	patience  = 30 * time.Second // before a missing proof is a reason to doubt
	proofTime = 4 * time.Second  // for one proof
)

// Believes implements [agent.Belief]. A missing proof is [agent.ErrUnproved] for a while, and then a reason to doubt.
func (b *Belief) Believes(ctx context.Context, height uint64, t *agent.Trade) error {
	if err := (agent.NodeBelief{}).Believes(ctx, height, t); err != nil {
		return err
	}
	sells := t.Trade.Agreement.Producer == b.key
	if t.Trade.Phase != types.PhaseDelivered && (t.Trade.Phase != types.PhasePaid || !sells) {
		return nil // nothing is at risk in its steps: see Steps
	}
	err := b.proved(ctx, t, height)
	if _, lies := errors.AsType[*Lie](err); err == nil || lies {
		b.forget(t.ID)
		return err
	}
	if b.waited(t.ID) < patience {
		return fmt.Errorf("%w: %w", agent.ErrUnproved, err)
	}
	return err
}

func (b *Belief) proved(ctx context.Context, t *agent.Trade, height uint64) error {
	ctx, stop := context.WithTimeout(ctx, proofTime)
	defer stop()
	e := Evidence{ID: t.ID, Trade: &t.Trade, Now: b.client.Now()}
	var err error
	if e.Newest, err = b.client.Fresh(ctx); err != nil {
		return err
	}
	if e.Proof, err = b.client.Shown(ctx, t.ID, &t.Trade, height); err != nil {
		return err
	}
	return e.in(types.PhasePaid, types.PhaseDelivered)
}

func (b *Belief) waited(id types.TradeID) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.client.Now()
	since, waits := b.waits[id]
	if !waits {
		if len(b.waits) >= maxProved {
			clear(b.waits)
		}
		since = now
		b.waits[id] = since
	}
	return now.Sub(since)
}

func (b *Belief) forget(id types.TradeID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.waits, id)
}

// Shown proves a trade as the node shows it at a height, by a proof that is known or by a new one. A step after that height is no lie: the error is
// [types.CodeUnavailable] then.
func (c *Client) Shown(ctx context.Context, id types.TradeID, shown *types.Trade, height uint64) (*Proof, error) {
	c.mu.Lock()
	known := c.proofs[id]
	c.mu.Unlock()
	if known != nil && known.Agrees(id, shown) == nil {
		return known, nil
	}
	proof, err := c.Trade(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := proof.Agrees(id, shown); err != nil {
		if proof.Outcome.Height > height {
			err = types.Refuse(types.CodeUnavailable, "trade %s has gone on since the node showed it at height %d: ask again", id, height)
		}
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.proofs) >= maxProved {
		clear(c.proofs)
	}
	c.proofs[id] = proof
	return proof, nil
}
