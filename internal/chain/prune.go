package chain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"sync/atomic"
	"time"

	cmtstore "github.com/cometbft/cometbft/store"
	cmttypes "github.com/cometbft/cometbft/types"
)

// The bounds of pruning.
const (
	// retainStep is the most blocks that the engine removes after one block.
	retainStep = 1000
	// alwaysKept are the last blocks, which stay however short the time is: peers that are a little behind ask for them, and the last signers are counted in them.
	alwaysKept = 2 * signedBlocks
	// reclaimedBlocks are the fewest whose room is given back at once.
	reclaimedBlocks = 100
	// prunePause is the time between two looks for blocks that are old enough.
	prunePause = 5 * time.Second
	// keptLogs is how many full files of the engine's log of messages stay: a height takes one of 10 MB hardly ever.
	keptLogs = 2
	// logMargin is far more than the time between the decision of a block and its commit.
	logMargin = time.Minute
)

// retention is which blocks the engine keeps. The zero retention is all.
type retention struct {
	from atomic.Int64 // the first block that is kept, as the store has pruned
	told int64        // to the engine; used by commits only

	reclaimed int64 // the blocks before have given their room back; of [Chain.prune] alone
}

// next returns the first block that the engine keeps from now on, at most so many blocks further than before; 0 to leave all as it is.
func (r *retention) next() int64 {
	to := min(r.from.Load(), r.told+retainStep)
	if to <= r.told {
		return 0
	}
	r.told = to
	return to
}

// prune removes the history that is older than the configured time, from the store and then from the engine, until the context ends. It never removes blocks that a peer needs after the oldest snapshot,
// that the index has not read, that a crash would replay, or that evidence against a validator needs.
func (c *Chain) prune(ctx context.Context) {
	for ctx.Err() == nil {
		if c.feed == nil { // a chain of the engine alone has no history of ours
			return
		}
		if came := c.feed.lastCame(); !came.IsZero() {
			if err := trimLogs(filepath.Join(c.config.Dir, "data", "cs.wal"), came.Add(-logMargin)); err != nil {
				c.logger.Warn("the engine's log is not trimmed", "why", err)
			}
		}
		if c.config.Keep > 0 {
			if err := c.pruneOnce(ctx); err != nil && ctx.Err() == nil {
				c.logger.Error("old history is not removed", "why", err)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(c.config.prunePause):
		}
	}
}

func (c *Chain) pruneOnce(ctx context.Context) error {
	target, err := c.prunable()
	for base := c.store.Base(); err == nil && ctx.Err() == nil && base < target; {
		before := base
		base, err = c.store.Prune(target)
		c.driven.retention.from.Store(int64(base) + 1)
		if base == before {
			break
		}
	}
	return errors.Join(err, c.reclaim())
}

// reclaim gives back the room of the blocks that the engine has removed, once they are many: a quarter of those that it keeps.
func (c *Chain) reclaim() error {
	blocks, r := c.engine.BlockStore(), &c.driven.retention
	base := blocks.Base()
	if base-r.reclaimed < max(reclaimedBlocks, (blocks.Height()-base)/4) {
		return nil
	}
	from := r.reclaimed
	r.reclaimed = base
	return c.blocks.reclaim(from, base)
}

// prunable returns the last block that nobody needs.
func (c *Chain) prunable() (uint64, error) {
	blocks := c.engine.BlockStore()
	last := blocks.LoadBlockMeta(blocks.Height())
	if last == nil || last.Header.Height <= alwaysKept {
		return 0, nil
	}
	evidence := c.engine.GenesisDoc().ConsensusParams.Evidence
	keep := max(c.config.Keep, evidence.MaxAgeDuration)
	target := last.Header.Height - max(alwaysKept, evidence.MaxAgeNumBlocks+1)
	target = min(target, olderThan(blocks, last.Header.Time.Add(-keep)))
	bounds := []func() (uint64, error){c.store.Flushed, c.oldestSnapshot, c.config.Indexed}
	for _, bound := range bounds {
		if bound == nil {
			continue
		}
		height, err := bound()
		if err != nil {
			return 0, err
		}
		target = min(target, int64(height))
	}
	return uint64(max(target, 0)), nil
}

// olderThan returns the last block before a time, 0 when the engine keeps none.
func olderThan(blocks *cmtstore.BlockStore, limit time.Time) int64 {
	base, height := blocks.Base(), blocks.Height()
	count := sort.Search(int(height-base+1), func(i int) bool {
		meta := blocks.LoadBlockMeta(base + int64(i))
		return meta == nil || !meta.Header.Time.Before(limit)
	})
	return base + int64(count) - 1
}

// oldestSnapshot bounds pruning: a peer that takes over that snapshot needs the blocks behind it. A node that makes snapshots and has none yet removes nothing.
func (c *Chain) oldestSnapshot() (uint64, error) {
	folder := c.store.Snapshots()
	if folder == "" {
		return c.store.Height(), nil
	}
	heights, err := folder.Heights()
	if err != nil || len(heights) == 0 {
		return 0, err
	}
	return heights[len(heights)-1], nil
}

// trimLogs removes the full files of the engine's log of messages but the newest, and none that was written after a time: after a crash the engine reads the messages since the last
// block, by which a validator knows the block that it is locked on.
func trimLogs(dir string, before time.Time) error {
	full, err := filepath.Glob(filepath.Join(dir, "wal.*"))
	if err != nil || len(full) <= keptLogs {
		return err
	}
	slices.Sort(full) // numbers of three digits, then more
	slices.SortStableFunc(full, func(a, b string) int { return len(a) - len(b) })
	for _, file := range full[:len(full)-keptLogs] {
		info, statErr := os.Stat(file)
		if statErr == nil && info.ModTime().Before(before) {
			statErr = os.Remove(file)
		}
		if !errors.Is(statErr, fs.ErrNotExist) {
			err = errors.Join(err, statErr)
		}
	}
	return err
}

// evidenceParams bound how old evidence against a validator may be. The engine asks for both bounds to be passed.
func evidenceParams(age time.Duration) (cmttypes.EvidenceParams, error) {
	params := cmttypes.DefaultConsensusParams().Evidence
	if age == 0 {
		age = DefaultEvidenceAge
	}
	if age < MinEvidenceAge {
		return params, fmt.Errorf("evidence against a validator would count for %s only: set %s or more", age, MinEvidenceAge)
	}
	params.MaxAgeDuration, params.MaxAgeNumBlocks = age, signedBlocks
	return params, nil
}

// The default and the minimum of how long evidence against a validator counts.
const (
	DefaultEvidenceAge = 48 * time.Hour
	MinEvidenceAge     = time.Second
)
