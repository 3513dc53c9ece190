package page

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"lockstep/client"
	"lockstep/internal/page/statement"
	"lockstep/types"
)

// payments collects the transactions outside of trades that concern a key, from the beginning of the ledger: the ledger keeps no
// list of them. They stay in memory, and the program follows them as long as it runs.
type payments struct {
	node *client.Client
	log  *slog.Logger
	want chan types.PublicKey // a key to follow; the zero key: another ledger

	mu     sync.Mutex
	key    types.PublicKey
	moves  []statement.Move
	cut    bool      // there were more than are kept
	seen   time.Time // when the last one came
	caught bool      // all of the past was read
	failed error     // the node can't list them
}

const (
	mostPayments = 5000
	quietAfter   = 400 * time.Millisecond // older payments come faster than this
)

func newPayments(node *client.Client, log *slog.Logger) *payments {
	return &payments{node: node, log: log, want: make(chan types.PublicKey, 1)}
}

// of returns the payments of a key that are known so far, and reports whether older ones are still being read.
func (p *payments) of(key types.PublicKey) (moves []statement.Move, reading bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.key != key {
		select {
		case p.want <- key:
		default: // it is being taken up
		}
		return nil, true, nil
	}
	p.caught = p.caught || time.Since(p.seen) >= quietAfter
	return append([]statement.Move(nil), p.moves...), !p.caught, p.failed
}

// moved forgets everything, for another ledger.
func (p *payments) moved() {
	select {
	case p.want <- types.PublicKey{}:
	default:
	}
}

// run follows the payments of the wanted key until the context ends.
func (p *payments) run(ctx context.Context) {
	for key := (types.PublicKey{}); ; {
		inner, cancel := context.WithCancel(ctx)
		var done sync.WaitGroup
		if key != (types.PublicKey{}) {
			done.Go(func() { p.follow(inner, key) })
		}
		select {
		case key = <-p.want:
		case <-ctx.Done():
		}
		cancel()
		done.Wait()
		if ctx.Err() != nil {
			return
		}
		p.mu.Lock()
		p.key, p.moves, p.cut, p.failed, p.seen, p.caught = key, nil, false, nil, time.Now(), false
		p.mu.Unlock()
	}
}

// follow reads the events of a key from the first block on.
func (p *payments) follow(ctx context.Context, key types.PublicKey) {
	var next uint64 = 1
	for ctx.Err() == nil {
		params, err := p.node.Params(ctx)
		if err == nil {
			next, err = p.read(ctx, key, params.FeeAsset, next)
		}
		if err != nil && ctx.Err() == nil {
			p.mu.Lock()
			p.failed = err
			p.mu.Unlock()
			p.log.Debug("the statement lost the events of the node", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(again):
		}
	}
}

// read takes up events from a height on. It returns the height at which to go on.
func (p *payments) read(ctx context.Context, key types.PublicKey, feeAsset types.AssetID, from uint64) (next uint64, err error) {
	last := types.TxID{}
	for event, err := range p.node.Events(ctx, client.EventsOptions{From: from, Key: key}) {
		if err != nil {
			return from, err
		}
		if event.Height > from {
			from = event.Height
		}
		if event.Kind != types.EventTransferred && event.Kind != types.EventIssued && event.Kind != types.EventRedeemed || event.Tx == last {
			continue
		}
		if err := p.take(ctx, &event.Event, key, feeAsset); err != nil {
			return from, err
		}
		last = event.Tx
	}
	return from, nil
}

// take adds the payments of a transaction, once.
func (p *payments) take(ctx context.Context, event *types.Event, key types.PublicKey, feeAsset types.AssetID) error {
	for tx, err := range p.node.AllBlockTxs(ctx, event.Height) {
		if err != nil {
			return err
		}
		if tx.ID != event.Tx {
			continue
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.seen, p.failed = time.Now(), nil
		if tx.Tx == nil { // pruned
			p.cut = true
			return nil
		}
		for i := range p.moves {
			if p.moves[i].Tx == event.Tx {
				return nil
			}
		}
		p.moves = append(p.moves, statement.OfTx(tx.Tx, event.At, key, feeAsset)...)
		if len(p.moves) > mostPayments {
			p.moves, p.cut = p.moves[len(p.moves)-mostPayments:], true
		}
		return nil
	}
	return nil
}
