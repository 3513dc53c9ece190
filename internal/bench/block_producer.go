package bench

import (
	"context"
	"fmt"
	"os"
	"time"

	"lockstep/internal/ledger"
	"lockstep/internal/store"
	"lockstep/types"
)

// backend keeps the state of a ledger that nobody orders blocks for.
type backend interface {
	view() ledger.View
	// commit writes a block; when it returns the block is as final as it gets.
	commit(executed store.Executed) error
	// audit checks all books and closes the backend.
	audit() (ledger.Sums, error)
	close() error
	folder() string // empty when there is none
}

// producedBlock is how many transactions a block of a blockProducer holds at most: so few that others are verified meanwhile.
const producedBlock = 1024

// rememberedKeys are kept in the form that is quickest to verify with, as a node does.
const rememberedKeys = 16 << 10

// blockProducer makes blocks of submitted transactions, without pool and consensus. The submitters verify signatures while it executes
// earlier batches.
type blockProducer struct {
	backend  backend
	params   types.Params
	verifier *types.Verifier
	verified chan []checked
	height   uint64
}

type checked struct {
	tx   *types.Tx
	good bool
}

func newBlockProducer(b backend, params types.Params) *blockProducer {
	return &blockProducer{
		backend: b, params: params, verifier: types.NewVerifier(rememberedKeys), verified: make(chan []checked, producedBlock/batchLimit),
	}
}

func (p *blockProducer) ready(context.Context) error { return nil }

func (p *blockProducer) nodes() int { return 1 }

// submit decodes and verifies transactions, as a node would.
func (p *blockProducer) submit(ctx context.Context, _ int, txs []encoded) []error {
	decoded, err := decodeAll(txs)
	if err != nil {
		return allFailed(len(txs), err)
	}
	batch := make([]checked, len(txs))
	for i, good := range p.verifier.Verify(decoded...) {
		batch[i] = checked{decoded[i], good}
	}
	select {
	case p.verified <- batch:
		return make([]error, len(txs))
	case <-ctx.Done():
		return allFailed(len(txs), ctx.Err())
	}
}

func (p *blockProducer) follow(ctx context.Context, seen func(final)) error {
	for block := p.next(ctx); block != nil; block = p.next(ctx) {
		verdicts, err := p.makeBlock(types.TimeOf(time.Now()), block)
		if err != nil {
			return err
		}
		seen(final{height: p.height, at: time.Now(), txs: verdicts})
	}
	return nil
}

// next returns the transactions of the next block; nil at the end.
func (p *blockProducer) next(ctx context.Context) []checked {
	var block []checked
	select {
	case batch := <-p.verified:
		block = batch
	case <-ctx.Done():
		return nil
	}
	for len(block) < producedBlock {
		select {
		case batch := <-p.verified:
			block = append(block, batch...)
		default:
			return block
		}
	}
	return block
}

func (p *blockProducer) makeBlock(now types.Time, txs []checked) ([]verdict, error) {
	p.height++
	executed := execute(p.backend.view(), p.params, p.height, now, txs)
	if err := p.backend.commit(executed); err != nil {
		return nil, err
	}
	verdicts := make([]verdict, len(txs))
	for i, tx := range executed.Txs {
		verdicts[i] = verdict{tx.ID, tx.Code}
	}
	return verdicts, nil
}

// execute does a block by the rules, as a chain does.
func execute(view ledger.View, params types.Params, height uint64, now types.Time, txs []checked) store.Executed {
	state := ledger.New(view, params)
	state.Reserve(len(txs))
	state.Begin(height, now)
	executed := store.Executed{Txs: make([]store.TxResult, len(txs))}
	for i, tx := range txs {
		result := state.Execute(tx.tx, tx.good)
		executed.Txs[i] = store.TxResult{ID: tx.tx.ID(), Code: result.Code, Detail: result.Detail}
	}
	executed.Diff = state.Finish()
	return executed
}

func (p *blockProducer) usage() (usage, error) {
	used, err := ownUsage()
	if err == nil && p.backend.folder() != "" {
		used.disk, err = folderBytes(p.backend.folder())
	}
	return used, err
}

func (p *blockProducer) close(issued types.Amount) error {
	sums, err := p.backend.audit()
	if err != nil {
		return err
	}
	return checkSums(sums, issued)
}

// checkSums finds all the money that was issued, and no more.
func checkSums(sums ledger.Sums, issued types.Amount) error {
	if len(sums) != 1 {
		return fmt.Errorf("the books show %d assets, one was issued", len(sums))
	}
	for _, sum := range sums { // any order: there is one
		if total, ok := types.Sum(sum.Spendable, sum.Locked, sum.InOrders, sum.Fees); !ok || sum.Issued != issued || total != issued {
			return fmt.Errorf("the books do not add up: %s was issued, they show %s issued, %s spendable, %s locked, %s in orders and %s fees",
				issued, sum.Issued, sum.Spendable, sum.Locked, sum.InOrders, sum.Fees)
		}
	}
	return nil
}

func (p *blockProducer) abandon() error { return p.backend.close() }

func (p *blockProducer) remove() error {
	if p.backend.folder() == "" {
		return nil
	}
	return os.RemoveAll(p.backend.folder())
}
