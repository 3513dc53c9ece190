package study

import (
	"errors"
	"log/slog"
	"runtime"
	"sync"

	"lockstep/internal/ledger"
	"lockstep/internal/query"
	"lockstep/internal/store"
	"lockstep/types"
)

// chain is a ledger without consensus: the rules and the store of a node, with blocks whose times are given.
type chain struct {
	*query.Ledger
	dir    string
	params types.Params
	store  *store.Store
	time   types.Time

	blocks, txs int
	refused     map[types.Code]int
}

func openChain(dir string, params types.Params, begin types.Time) (*chain, error) {
	c := &chain{dir: dir, params: params, time: begin, refused: map[types.Code]int{}}
	return c, c.open()
}

func (c *chain) open() (err error) {
	if c.store, err = store.Open(c.dir, c.params, store.DefaultMemory, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	c.Ledger = query.New(alone{}, c.store)
	return nil
}

// restart closes the store and opens it again, as a node does that is stopped and started.
func (c *chain) restart() error { return errors.Join(c.store.Close(), c.open()) }

// alone is a node without others and without a pool.
type alone struct{ query.Chain }

func (alone) Status() query.Status { return query.Status{Validators: 1} }

// outcome is the end of a transaction.
type outcome struct {
	height uint64
	code   types.Code
	detail string
}

// block makes the next block, of the transactions in their order. Those for which the block has no room are left over.
func (c *chain) block(at types.Time, txs []*types.Tx) (ends []outcome, over []*types.Tx, err error) {
	valid := verify(txs)
	height := c.store.Height() + 1
	state := ledger.New(c.store.StateReader(), c.params)
	state.Begin(height, at)
	var executed store.Executed
	for i, tx := range txs {
		if ledger.Work(tx) > state.WorkLeft() {
			over = txs[i:]
			break
		}
		result := state.Execute(tx, valid[i])
		ends = append(ends, outcome{height, result.Code, result.Detail})
		if result.Code != types.CodeOK {
			c.refused[result.Code]++
			continue
		}
		executed.Txs = append(executed.Txs, store.TxResult{ID: tx.ID(), Code: result.Code, Detail: result.Detail})
	}
	executed.Diff = state.Finish()
	staged, err := c.store.Stage(executed)
	if err != nil {
		return nil, nil, err
	}
	c.time, c.blocks, c.txs = at, c.blocks+1, c.txs+len(executed.Txs)
	return ends, over, staged.Commit()
}

// verify checks the signatures of transactions on all cores.
func verify(txs []*types.Tx) []bool {
	valid := make([]bool, len(txs))
	parallel(len(txs), func(from, to int) {
		copy(valid[from:to], types.VerifySignatures(txs[from:to]...))
	})
	return valid
}

// parallel divides n things among the cores. The parts are the same however many cores there are.
func parallel(n int, do func(from, to int)) {
	const size = 64
	var group sync.WaitGroup
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	for from := 0; from < n; from += size {
		free <- struct{}{}
		group.Go(func() {
			do(from, min(from+size, n))
			<-free
		})
	}
	group.Wait()
}
