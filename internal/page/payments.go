package page

import (
	"context"
	"log/slog"
	"slices"
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
	cut    bool  // there were more than are kept
	caught bool  // all of the past was read
	failed error // the node can't list them
}

const mostPayments = 5000

func newPayments(node *client.Client, log *slog.Logger) *payments {
	return &payments{node: node, log: log, want: make(chan types.PublicKey, 1)}
}

// paid is the payments of a key that are known so far.
type paid struct {
	Moves   []statement.Move
	Reading bool  // older ones are still being read
	Cut     bool  // there were older ones, which the node has pruned or which are too many
	Failed  error // the node can't list them
}

// of returns the payments of a key.
func (p *payments) of(key types.PublicKey) paid {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.key != key {
		select {
		case p.want <- key:
		default: // it is being taken up
		}
		return paid{Reading: true}
	}
	return paid{Moves: slices.Clone(p.moves), Reading: !p.caught, Cut: p.cut, Failed: p.failed}
}

// within returns the payments of a key when all of them were read, or after a time.
func (p *payments) within(key types.PublicKey, patience time.Duration) paid {
	for begin := time.Now(); ; time.Sleep(patience / 16) {
		if paid := p.of(key); !paid.Reading || paid.Failed != nil || time.Since(begin) >= patience {
			return paid
		}
	}
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
		p.key, p.moves, p.cut, p.failed, p.caught = key, nil, false, nil, false
		p.mu.Unlock()
	}
}

// follow reads the events of a key from the first block that the node keeps.
func (p *payments) follow(ctx context.Context, key types.PublicKey) {
	var next uint64 = 1
	for ctx.Err() == nil {
		err := p.read(ctx, key, &next)
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

// read takes up the events from a height on, which it moves on: those up to now, and then each as it comes.
func (p *payments) read(ctx context.Context, key types.PublicKey, next *uint64) error {
	params, err := p.node.Params(ctx)
	if err != nil {
		return err
	}
	status, err := p.node.Status(ctx)
	if err != nil {
		return err
	}
	if status.From > *next {
		*next = status.From
		p.mu.Lock()
		p.cut = true
		p.mu.Unlock()
	}
	if *next <= status.Height {
		if err := p.readUntil(ctx, key, params.FeeAsset, next, status.Height); err != nil {
			return err
		}
		*next = status.Height + 1
	}
	p.mu.Lock()
	p.caught, p.failed = true, nil
	p.mu.Unlock()
	return p.readUntil(ctx, key, params.FeeAsset, next, 0)
}

func (p *payments) readUntil(ctx context.Context, key types.PublicKey, feeAsset types.AssetID, next *uint64, until uint64) error {
	last := types.TxID{}
	for event, err := range p.node.Events(ctx, client.EventsOptions{From: *next, Until: until, Key: key}) {
		if err != nil {
			return err
		}
		*next = max(*next, event.Height)
		if event.Kind != types.EventTransferred && event.Kind != types.EventIssued && event.Kind != types.EventRedeemed || event.Tx == last {
			continue
		}
		if err := p.take(ctx, &event.Event, key, feeAsset); err != nil {
			return err
		}
		last = event.Tx
	}
	return ctx.Err()
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
		p.failed = nil
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
