package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"lockstep/internal/index"
	"lockstep/internal/store"
	"lockstep/types"
)

// indexSource lets the index read from a snapshot of the store. The newest blocks can come from memory.
type indexSource struct {
	*store.IndexedSnapshot
	recent []*store.Block // consecutive
	base   uint64         // the height before the first block
}

func (s indexSource) Base() uint64 { return s.base }

// History implements [index.Source]: a ledger that continues another has all its blocks, though the first has another height than 1.
func (s indexSource) History() (base uint64, commitment types.Hash) {
	if base, commitment = s.IndexedSnapshot.History(); base == s.base {
		base = 0
	}
	return base, commitment
}

func (s indexSource) Block(height uint64) (*index.Block, error) {
	block, err := s.find(height)
	if block == nil && err == nil && height <= s.Height() {
		err = fmt.Errorf("the store does not have block %d, from which the index must go on", height)
	}
	if block == nil || err != nil {
		return nil, err
	}
	outcomes, err := s.Outcomes(block)
	if err != nil {
		return nil, err
	}
	return &index.Block{
		Height: block.Height, BlockTime: block.BlockTime, Clock: block.Clock, Commitment: block.Commitment,
		Outcomes: outcomes, Cleared: block.Cleared(), Stories: block.Stored(),
	}, nil
}

func (s indexSource) find(height uint64) (*store.Block, error) {
	if n := uint64(len(s.recent)); n > 0 && height-s.recent[0].Height < n { // the difference wraps around for an earlier height
		return s.recent[height-s.recent[0].Height], nil
	}
	return s.IndexedSnapshot.Block(height)
}

func (s indexSource) Trade(id types.TradeID) (*types.Trade, error) {
	record, err := s.IndexedSnapshot.Trade(id)
	if record == nil || err != nil {
		return nil, err
	}
	return record.Trade, nil
}

func openIndex(dir string, s *store.Store, logger *slog.Logger) (*index.Index, error) {
	snapshot, err := s.Snapshot()
	if err != nil {
		return nil, err
	}
	params := s.Genesis()
	opened, err := index.Open(filepath.Join(dir, indexFile), params.Hash(), indexSource{IndexedSnapshot: snapshot, base: params.Base()}, logger)
	return opened, errors.Join(err, snapshot.Close())
}

// pruneSteps is the most steps of pruning after a batch: together they remove more rows than a batch has.
const pruneSteps = 16

// advanceIndex adds one batch of the store to the index, and removes rows of blocks that the store does not keep any more. The recent blocks need not be read from the store.
func advanceIndex(ctx context.Context, x *index.Index, s *store.Store, recent ...*store.Block) (blocks int, err error) {
	snapshot, err := s.Snapshot()
	if err != nil {
		return 0, err
	}
	source := indexSource{snapshot, recent, s.First() - 1}
	blocks, err = x.Advance(ctx, source)
	for steps, more := 0, true; err == nil && more && steps < pruneSteps; steps++ {
		more, err = x.Prune(source)
	}
	return blocks, errors.Join(err, snapshot.Close())
}

// followIndex keeps the index up to date until the context ends. If the index fails, the ledger continues without it: an index is derived,
// and a block that the index can't process must not halt every node at once.
func (n *Node) followIndex(ctx context.Context) error {
	err := n.keepIndex(ctx)
	if errors.Is(err, index.ErrDamaged) {
		n.logger.Warn("rebuilding the damaged index", "why", err)
		if err = n.index.Reset(); err == nil {
			err = n.keepIndex(ctx)
		}
	}
	switch {
	case err == nil || ctx.Err() != nil:
	default:
		n.logger.Error("the index has stopped; the ledger continues. Stop the node and run: lockstep node reindex", "why", err)
	}
	return nil
}

func (n *Node) keepIndex(ctx context.Context) error {
	if err := n.index.Verify(ctx); err != nil {
		return err
	}
	pause := time.Duration(0)
	for {
		recent, err := n.gather(ctx, max(n.index.Height(), n.store.Base())+1, pause)
		if types.CodeOf(err) == types.CodePruned { // a snapshot was taken over meanwhile: the index begins behind it
			recent, err = nil, nil
		}
		if err != nil || ctx.Err() != nil {
			return err
		}
		began := time.Now()
		if _, err := advanceIndex(ctx, n.index, n.store, recent...); err != nil {
			return err
		}
		pause = indexPause(n.chain.Status().Waiting, time.Since(began))
	}
}

// indexPause returns the pause of the index after a batch that took so long. Without waiting transactions the index continues at once. The
// more transactions wait, the longer it lets blocks gather: indexing a trade whose steps fall into one batch costs a third, and the store
// must flush only once a batch. The index takes at most a quarter of one core, however far it falls behind: making blocks has priority.
func indexPause(waiting int, took time.Duration) time.Duration {
	if waiting == 0 {
		return 0
	}
	return max(3*took, min(time.Duration(waiting)*gatherPerWaiting, gatherAtMost))
}

const (
	gatherPerWaiting = 5 * time.Millisecond
	gatherAtMost     = 2 * time.Second
)

// The bounds of gathered blocks. The rest is read from the store.
const (
	gatherBlocks = 64
	gatherEvents = 50_000
)

// gather waits for a block of that height and for the end of the pause, and returns the blocks that have arrived by then.
func (n *Node) gather(ctx context.Context, height uint64, pause time.Duration) (blocks []*store.Block, err error) {
	pausing, cancel := n.whileBusy(ctx, pause)
	defer cancel()
	events := 0
	for block, err := range n.chain.Blocks(pausing, height) {
		if err != nil {
			return nil, err
		}
		blocks, events = append(blocks, block), events+len(block.Events)
		if len(blocks) == gatherBlocks || events >= gatherEvents {
			break
		}
	}
	<-pausing.Done()
	if len(blocks) > 0 {
		return blocks, nil
	}
	for block, err := range n.chain.Blocks(ctx, height) {
		return []*store.Block{block}, err
	}
	return nil, nil
}

// calmCheck is the interval at which a pause checks for waiting transactions.
const calmCheck = 50 * time.Millisecond

// whileBusy returns a context that ends after a time, or earlier when no transaction waits for a block.
func (n *Node) whileBusy(ctx context.Context, atMost time.Duration) (context.Context, context.CancelFunc) {
	busy, cancel := context.WithTimeout(ctx, atMost)
	if atMost <= calmCheck {
		return busy, cancel
	}
	go func() {
		look := time.NewTicker(calmCheck)
		defer look.Stop()
		for busy.Err() == nil {
			select {
			case <-busy.Done():
			case <-look.C:
				if n.chain.Status().Waiting == 0 {
					cancel()
				}
			}
		}
	}()
	return busy, cancel
}

// Index returns the query index, for programs that run a node in their own process; nil when the node keeps none.
func (n *Node) Index() *index.Index { return n.index }

// IndexReport describes the content of an index.
type IndexReport struct {
	index.Counts
	From   uint64     `json:"from"`   // the first block whose history it has
	Digest types.Hash `json:"digest"` // of the whole content: equal on every node of the ledger at this height that has built it from the same block on
}

// Reindex deletes the index of the node in a folder and rebuilds it from the store. The node must not run.
func Reindex(ctx context.Context, dir string, logger *slog.Logger) (report IndexReport, err error) {
	settings, err := LoadSettings(dir)
	if err != nil {
		return report, err
	}
	if !settings.indexed() {
		return report, fmt.Errorf("the node keeps no index: set \"index\": true in %s first; the next start builds it as well", filepath.Join(dir, settingsFile))
	}
	s, err := openStore(dir, store.DefaultMemory, logger)
	if err != nil {
		return report, err
	}
	report, err = reindex(ctx, dir, s, logger)
	return report, errors.Join(err, s.Close())
}

func reindex(ctx context.Context, dir string, s *store.Store, logger *slog.Logger) (report IndexReport, err error) {
	x, err := openIndex(dir, s, logger)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, x.Close()) }()
	if err := x.Reset(); err != nil {
		return report, err
	}
	for blocks := 1; blocks > 0; {
		if blocks, err = advanceIndex(ctx, x, s); err != nil {
			return report, err
		}
	}
	if report.Counts, err = x.Counts(ctx); err != nil {
		return report, err
	}
	if report.Blocks != s.Height() {
		return report, fmt.Errorf("the index stops at block %d of %d: the next block is missing in the store; run lockstep node check", report.Blocks, s.Height())
	}
	report.From = x.From()
	report.Digest, err = x.Digest(ctx)
	return report, err
}
