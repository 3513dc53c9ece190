package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"lockstep/internal/chain"
	"lockstep/internal/ledger"
	"lockstep/internal/store"
	"lockstep/types"
)

// Limits are the speeds of the system's parts on this machine, each measured alone.
type Limits struct {
	Signatures float64 `json:"signatures_per_s"` // checks, in batches on all cores
	Fsync      float64 `json:"fsync_ms"`         // to write 4 KiB and wait for the disk

	Verify  float64 `json:"verify_trades_per_s"`       // allowed by the signature checks, on all cores
	Decode  float64 `json:"decode_trades_per_s"`       // on all cores
	Rules   float64 `json:"rules_trades_per_s"`        // on one core, as the order of transactions asks
	Commit  float64 `json:"commitment_trades_per_s"`   // the hash of a block's changes, on one core
	Stored  float64 `json:"stored_rules_trades_per_s"` // the rules as they read the state from a store, on one core
	Store   float64 `json:"store_trades_per_s"`        // written as the mode does, synced, with the commitment
	Engine  float64 `json:"engine_trades_per_s"`       // one validator that decides and does nothing; zero in modes without one
	Changes float64 `json:"changes_per_trade"`         // entries of the state that a trade writes or removes
}

// Blocks of the sample: enough to be even, few enough to be quick.
const (
	samplePairs  = 1000
	sampleRounds = 3
	executions   = 3
	signatureRun = 500 * time.Millisecond
	fsyncs       = 32
	engineTxs    = 60_000 // several blocks of the engine
)

// sample is a few trades of the same kind as those that are measured.
type sample struct {
	params types.Params
	trades int
	setup  [][]*types.Tx
	blocks [][]*types.Tx
}

func newSample(o *Options) (*sample, error) {
	pairs := min(o.pairs(), max(samplePairs/o.Actions, 16))
	w := newWorld(o.params(), types.TimeOf(time.Now()), o, pairs, true)
	w.extend(sampleRounds)
	s := &sample{params: w.params, trades: pairs * sampleRounds * o.Actions, setup: [][]*types.Tx{w.grants, w.posts}}
	for i := range 3 * sampleRounds {
		block, err := w.stepsAt(i)
		if err != nil {
			return nil, err
		}
		s.blocks = append(s.blocks, block)
	}
	return s, nil
}

// perSecond is how many trades a second it is when the sample takes so long.
func (s *sample) perSecond(took time.Duration) float64 { return float64(s.trades) / took.Seconds() }

// MeasureLimits measures the speed of each part of the system with such trades.
func MeasureLimits(ctx context.Context, o Options) (l Limits, err error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return l, err
	}
	s, err := newSample(&o)
	if err != nil {
		return l, err
	}
	s.signatures(&l)
	for _, measure := range []func(context.Context, *Options, *Limits) error{s.decoding, s.execution, s.engine, fsync} {
		if err := errors.Join(ctx.Err(), measure(ctx, &o, &l)); err != nil {
			return l, fmt.Errorf("measure the limits: %w", err)
		}
	}
	return l, nil
}

// signatures verifies again and again in batches on all cores.
func (s *sample) signatures(l *Limits) {
	var signed []*types.Tx
	count := 0
	for _, tx := range slices.Concat(s.blocks...) {
		if len(tx.Signatures) > 0 {
			signed = append(signed, tx)
			count += len(tx.Signatures)
		}
	}
	perTrade := float64(count) / float64(s.trades)
	batches := slices.Collect(slices.Chunk(signed, batchLimit))
	begin := time.Now()
	var mu sync.Mutex
	done := 0
	everywhere(func(core int) {
		own := 0
		for i := core; time.Since(begin) < signatureRun; i++ {
			batch := batches[i%len(batches)]
			types.VerifySignatures(batch...)
			own += len(batch)
		}
		mu.Lock()
		done += own
		mu.Unlock()
	})
	l.Signatures = float64(done) / time.Since(begin).Seconds() // each of these has one signature
	l.Verify = l.Signatures / perTrade
}

// everywhere does the same on each core.
func everywhere(do func(core int)) {
	var running sync.WaitGroup
	for core := range runtime.GOMAXPROCS(0) {
		running.Go(func() { do(core) })
	}
	running.Wait()
}

// shared does something for each of so many things, on all cores.
func shared(count int, do func(i int)) {
	var next atomic.Int64
	everywhere(func(int) {
		for i := int(next.Add(1)) - 1; i < count; i = int(next.Add(1)) - 1 {
			do(i)
		}
	})
}

func (s *sample) decoding(_ context.Context, _ *Options, l *Limits) error {
	txs := slices.Concat(s.blocks...)
	cores := runtime.GOMAXPROCS(0)
	failures := make([]error, cores)
	begin := time.Now()
	everywhere(func(core int) {
		for i := core; i < len(txs); i += cores {
			if _, err := types.DecodeTx(txs[i].Bytes()); err != nil {
				failures[core] = err
			}
		}
	})
	l.Decode = s.perSecond(time.Since(begin))
	return errors.Join(failures...)
}

// execution does the sample some times over, and takes each part at its best, without the hiccups of the disk.
func (s *sample) execution(ctx context.Context, o *Options, l *Limits) error {
	for range executions {
		once, err := s.executeOnce(o)
		if err := errors.Join(ctx.Err(), err); err != nil {
			return err
		}
		l.Rules, l.Stored = max(l.Rules, once.Rules), max(l.Stored, once.Stored)
		l.Commit, l.Store = max(l.Commit, once.Commit), max(l.Store, once.Store)
		l.Changes = once.Changes
	}
	return nil
}

// executeOnce executes the sample in memory, then writes the result to a store, as the mode does: each block at
// once, or all behind the last one.
func (s *sample) executeOnce(o *Options) (l Limits, err error) {
	memory := newMemoryLedger()
	stored, err := newStoreLedger(o, o.Mode != ModeStore)
	if err != nil {
		return l, err
	}
	defer os.RemoveAll(stored.dir)
	height := uint64(0)
	var sum [4]time.Duration // rules, rules over the store, commitment, store
	changes := 0
	for i, block := range slices.Concat(s.setup, s.blocks) {
		height++
		now := types.TimeOf(time.Now())
		var took [4]time.Duration
		var executed store.Executed
		took[0] = timed(func() { executed = execute(memory, s.params, height, now, trusted(block)) })
		took[1] = timed(func() { executed = execute(stored.view(), s.params, height, now, trusted(block)) })
		if err := firstRefusal(&executed); err != nil {
			return l, errors.Join(err, stored.store.Close())
		}
		took[2] = commitment(executed.Diff.Changes)
		took[3] = timed(func() { err = stored.commit(executed) })
		if err := errors.Join(err, memory.commit(executed)); err != nil {
			return l, errors.Join(err, stored.store.Close())
		}
		if i < len(s.setup) {
			continue
		}
		for part := range sum {
			sum[part] += took[part]
		}
		changes += len(executed.Diff.Changes)
	}
	sum[3] += timed(func() { err = stored.store.Flush() })
	if err != nil {
		return l, errors.Join(err, stored.store.Close())
	}
	l.Rules, l.Stored = s.perSecond(sum[0]), s.perSecond(sum[1])
	l.Commit, l.Store = s.perSecond(sum[2]), s.perSecond(sum[3])
	l.Changes = float64(changes) / float64(s.trades)
	return l, stored.store.Close()
}

// engine has the bare engine decide the sample's transactions, often enough to fill some blocks.
func (s *sample) engine(ctx context.Context, o *Options, l *Limits) error {
	if o.Mode == ModeRules || o.Mode == ModeStore {
		return nil
	}
	var once [][]byte
	for _, tx := range slices.Concat(s.blocks...) {
		once = append(once, tx.Bytes())
	}
	dir, err := os.MkdirTemp(o.Folder, "lockstep-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	times := max(engineTxs/len(once), 1)
	took, err := chain.MeasureEngine(ctx, filepath.Join(dir, "engine"), slices.Repeat(once, times))
	l.Engine = float64(times) * s.perSecond(took)
	return err
}

func timed(do func()) time.Duration {
	begin := time.Now()
	do()
	return time.Since(begin)
}

// commitment takes the hash of a block's changes. The sum of the state belongs to the store's time: a flush computes it, in the background.
func commitment(changes []ledger.Change) time.Duration {
	return timed(func() { ledger.HashChanges(changes) })
}

// trusted are transactions whose signatures need no check.
func trusted(txs []*types.Tx) []checked {
	all := make([]checked, len(txs))
	for i, tx := range txs {
		all[i] = checked{tx, true}
	}
	return all
}

func firstRefusal(executed *store.Executed) error {
	for _, tx := range executed.Txs {
		if tx.Code != types.CodeOK {
			return fmt.Errorf("transaction %s was refused: %s", tx.ID, tx.Detail)
		}
	}
	return nil
}

// fsync takes the median of a few.
func fsync(_ context.Context, o *Options, l *Limits) error {
	file, err := os.CreateTemp(o.Folder, "lockstep-bench-")
	if err != nil {
		return err
	}
	defer os.Remove(filepath.Clean(file.Name()))
	defer file.Close()
	var took []time.Duration
	for range fsyncs {
		begin := time.Now()
		if _, err := file.Write(make([]byte, 4096)); err != nil {
			return err
		}
		if err := file.Sync(); err != nil {
			return err
		}
		took = append(took, time.Since(begin))
	}
	l.Fsync = timesOf(took).P50
	return nil
}

// part is the speed that one part of the system allows, with its name.
type part struct {
	name   string
	trades float64
	cores  float64 // it works on at once
	bound  bool    // the machine's, so part of the derived limit
}

// parts are those that a mode uses.
func (l *Limits) parts(mode string) []part {
	cores := float64(runtime.GOMAXPROCS(0))
	parts := []part{{"signature checks", l.Verify, cores, true}, {"decoding", l.Decode, cores, false}}
	if mode == ModeRules {
		return append(parts, part{"the rules", l.Rules, 1, false})
	}
	parts = append(parts, part{"executing on the store", l.Stored, 1, false}, part{"the commitment", l.Commit, 1, true}, part{"the store", l.Store, 1, true})
	if l.Engine > 0 {
		parts = append(parts, part{"the bare engine", l.Engine, 1, true})
	}
	return parts
}

// derive returns the least that the machine allows a mode, which part that is, and which part of all, our own code
// included, is the narrowest.
func (l *Limits) derive(mode string) (limit, narrowest part) {
	for _, p := range l.parts(mode) {
		if p.bound && (limit.trades == 0 || p.trades < limit.trades) {
			limit = p
		}
		if narrowest.trades == 0 || p.trades < narrowest.trades {
			narrowest = p
		}
	}
	return limit, narrowest
}

// together is the speed that all parts allow when they share the machine's cores: the sum of their work, spread evenly.
func (l *Limits) together(mode string) float64 {
	var perTrade float64 // seconds of one core
	for _, p := range l.parts(mode) {
		if p.name != "the commitment" { // the store's time holds it
			perTrade += p.cores / p.trades
		}
	}
	return float64(runtime.GOMAXPROCS(0)) / perTrade
}
