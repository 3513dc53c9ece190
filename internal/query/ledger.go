package query

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"time"

	"golang.org/x/mod/sumdb/note"

	"lockstep/client/wire"
	"lockstep/internal/store"
	"lockstep/trade"
	"lockstep/types"
)

// Ledger answers questions on the state and the blocks of the ledger. Each answer has one height. It is safe for concurrent use.
type Ledger struct {
	chain   Chain
	store   *store.Store
	books   *bookCache
	matches matchLeaves
	carried carried

	signer    note.Signer // of checkpoints; nil for none
	signerKey string
}

// Chain is the part of a node that orders transactions. The chain of tests makes a block for each submission.
type Chain interface {
	// Submit puts a transaction into the pool; its error is a refusal, or that of the context.
	Submit(ctx context.Context, tx *types.Tx) error
	// SubmitAll is Submit for each of several transactions, in their order.
	SubmitAll(ctx context.Context, txs []*types.Tx) []error
	// Outcome returns the state of a transaction; false when it is neither in a block nor in the pool.
	Outcome(id types.TxID) (Outcome, bool, error)
	// Await waits until a transaction is final, or until the context ends.
	Await(ctx context.Context, id types.TxID) (Outcome, error)
	// Blocks yields the blocks from a height on (0: the next one), then each new one, until the context ends.
	Blocks(ctx context.Context, from uint64) iter.Seq2[*store.Block, error]
	// Transactions returns the transactions of a block: none where they are pruned, and nil for one that can't be decoded.
	Transactions(height uint64) []*types.Tx
	// SignedHeader returns a header with its signatures, LightBlock with its validators too; height 0 is the newest block.
	SignedHeader(height uint64) (wire.SignedHeader, error)
	LightBlock(height uint64) (wire.LightBlock, error)
	// Status describes the node among others.
	Status() Status
}

// Outcome is the state of a transaction: pending, or final.
type Outcome struct {
	Tx      types.TxID
	Pending bool
	Height  uint64 // of its block; zero without one
	Code    types.Code
	Detail  string
}

// Status describes a node among others.
type Status struct {
	Waiting    int // transactions in the pool
	Peers      int
	Validators int
	Genesis    types.Hash // the same on every node of a ledger
	Node       string     // how its peers name the node

	SinceBlock time.Duration // since the last block arrived
	Halted     bool          // no block arrived for longer than an idle ledger waits
	OnDisk     uint64        // the height up to which the state is on the disk
	Index      uint64        // the height up to which the index goes
	IndexFrom  uint64        // the first block whose history it has
	DiskFree   uint64        // bytes left on the disk, 0: not known
	DiskFullIn time.Duration // at the pace of the last day, 0: not known
	CertEnds   types.Time    // of the TLS certificate, 0: there is none
	Troubles   []string      // faults of the node, in sentences
	Beginning  string        // why there is no block yet, where the node waits for others
}

// New answers from a chain and the store that it commits its blocks to.
func New(chain Chain, s *store.Store) *Ledger {
	return &Ledger{chain: chain, store: s, books: newBookCache()}
}

// SignCheckpoints makes the ledger sign checkpoints of its log. The key is the signer's, for verifiers. Call it before the first question.
func (l *Ledger) SignCheckpoints(signer note.Signer, key string) { l.signer, l.signerKey = signer, key }

// fromHead answers from the state alone.
func fromHead[T any](l *Ledger, answer func(*store.Head) (T, error)) (result T, err error) {
	head, err := l.store.Head()
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, head.Close()) }() // also after a panic: the store waits for it
	return answer(head)
}

// read answers from one snapshot.
func read[T any](l *Ledger, answer func(*store.IndexedSnapshot) (T, error)) (result T, err error) {
	snapshot, err := l.store.Snapshot()
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	return answer(snapshot)
}

// Params returns the parameters of the ledger.
func (l *Ledger) Params() types.Params { return l.store.Params() }

func (l *Ledger) Status(context.Context) (wire.Status, error) {
	return fromHead(l, func(s *store.Head) (wire.Status, error) {
		if s.Clock().Height == 0 { // without a clock no valid transaction could be signed
			return wire.Status{}, types.Refuse(types.CodeUnavailable, "%s", cmp.Or(l.chain.Status().Beginning, "the first block has not been made yet"))
		}
		clock, status := s.Clock(), l.chain.Status()
		return wire.Status{
			ChainID: l.store.Params().ChainID, Height: s.Height(), BlockTime: clock.BlockTime, Clock: clock.Now(), Skew: clock.Skew,
			Commitment: s.Commitment(), Waiting: status.Waiting, Peers: status.Peers, Validators: status.Validators, Genesis: status.Genesis, Node: status.Node,
			SinceBlock: types.DurationOf(status.SinceBlock), Halted: status.Halted,
			OnDisk: status.OnDisk, CertEnds: status.CertEnds, Index: status.Index, IndexFrom: beyondFirst(status.IndexFrom), From: l.keptFrom(s.Base() + 1), DiskFree: status.DiskFree, DiskFullIn: types.DurationOf(status.DiskFullIn), Troubles: append([]string{}, status.Troubles...),
		}, nil
	})
}

// keptFrom is the first block that the node keeps, 0 when it keeps all of the ledger.
func (l *Ledger) keptFrom(from uint64) uint64 {
	if from <= l.store.First() {
		return 0
	}
	return from
}

// beyondFirst is the first block of a history, 0 when that has all blocks.
func beyondFirst(from uint64) uint64 {
	if from <= 1 {
		return 0
	}
	return from
}

func (l *Ledger) Submit(ctx context.Context, tx *types.Tx) error { return l.chain.Submit(ctx, tx) }

func (l *Ledger) SubmitAll(ctx context.Context, txs []*types.Tx) []error {
	return l.chain.SubmitAll(ctx, txs)
}

func (l *Ledger) Receipt(_ context.Context, id types.TxID) (wire.Receipt, error) {
	outcome, known, err := l.chain.Outcome(id)
	if err == nil && !known {
		if err = l.unknown(l.store.Base(), "transaction", id); err == nil {
			err = types.Refuse(types.CodeNotFound, "transaction %s is neither on the ledger nor waiting", id)
		}
	}
	return receiptOf(outcome), err
}

func (l *Ledger) Await(ctx context.Context, id types.TxID) (wire.Receipt, error) {
	outcome, err := l.chain.Await(ctx, id)
	return receiptOf(outcome), err
}

// unknown is the refusal of a node that knows nothing under an ID, and has pruned its history up to a block; nil when it keeps all.
func (l *Ledger) unknown(base uint64, what string, id fmt.Stringer) error {
	if base < l.store.First() {
		return nil
	}
	return types.Refuse(types.CodePruned, "%s %s is not in the history that this node keeps, which begins at block %d: ask a node that keeps all (\"keep\": \"all\"), or use a receipt that was exported before", what, id, base+1)
}

func receiptOf(outcome Outcome) wire.Receipt {
	receipt := wire.Receipt{
		Tx: outcome.Tx, Status: wire.StatusRefused, Height: outcome.Height, Code: outcome.Code, Detail: outcome.Detail,
	}
	switch {
	case outcome.Pending:
		receipt.Status = wire.StatusPending
	case outcome.Code == types.CodeOK:
		receipt.Status = wire.StatusCommitted
	}
	return receipt
}

func (l *Ledger) Trade(_ context.Context, id types.TradeID) (wire.Trade, error) {
	return fromHead(l, func(s *store.Head) (wire.Trade, error) {
		record, err := s.Trade(id)
		if err == nil && record == nil {
			if err = l.unknown(s.Base(), "trade", id); err == nil {
				err = types.Refuse(types.CodeNotFound, "trade %s was never on this ledger", id)
			}
		}
		if err != nil {
			return wire.Trade{}, err
		}
		return tradeOf(record, s), nil
	})
}

func tradeOf(record *store.TradeRecord, s *store.Head) wire.Trade {
	now := s.Clock().Now()
	t := wire.Trade{
		ID: record.ID, Phase: trade.PhaseAt(record.Trade, now), Over: record.Over, Clock: now, Height: s.Height(),
		Moves: []types.Move{}, Trade: *record.Trade, Reading: s.Reading(record.Trade),
	}
	if !record.Over {
		t.Moves = append(t.Moves, trade.Moves(record.Trade, now)...)
	}
	return t
}

func (l *Ledger) Trades(_ context.Context, key types.PublicKey, openOnly bool, part wire.Page) (wire.Trades, error) {
	return read(l, func(s *store.IndexedSnapshot) (wire.Trades, error) {
		page := wire.Trades{Trades: []wire.Trade{}}
		last := ""
		for entry, err := range s.Trades(key, openOnly, part.After) {
			if err != nil {
				return page, err
			}
			if len(page.Trades) == part.Limit {
				page.Next = last
				break
			}
			page.Trades = append(page.Trades, tradeOf(&entry.TradeRecord, s.Head))
			last = entry.Cursor
		}
		return page, nil
	})
}

func (l *Ledger) Offer(_ context.Context, id types.OfferID) (wire.Offer, error) {
	return fromHead(l, func(s *store.Head) (wire.Offer, error) {
		standing, ok := s.Offer(id)
		if !ok {
			return wire.Offer{}, types.Refuse(types.CodeNotFound, "offer %s does not stand", id)
		}
		return wire.Offer{ID: id, Remaining: standing.Remaining, Stake: standing.Stake, Offer: standing.Offer}, nil
	})
}

func (l *Ledger) Offers(_ context.Context, part wire.Page) (wire.Offers, error) {
	var from types.OfferID
	if part.After != "" {
		place, err := hex.DecodeString(part.After)
		if err != nil || len(place) != len(from) {
			return wire.Offers{}, types.Refuse(types.CodeMalformed,
				"%.80q is not a place in the list of offers: pass the 'next' of the last page", part.After)
		}
		from = types.OfferID(place)
	}
	return read(l, func(s *store.IndexedSnapshot) (wire.Offers, error) {
		page := wire.Offers{Clock: s.Clock().Now(), Offers: []wire.Offer{}}
		for standing, err := range s.OffersAfter(from) {
			if err != nil {
				return page, err
			}
			if len(page.Offers) == part.Limit {
				page.Next = from.String()
				break
			}
			from = standing.Offer.ID()
			page.Offers = append(page.Offers, wire.Offer{ID: from, Remaining: standing.Remaining, Stake: standing.Stake, Offer: standing.Offer})
		}
		return page, nil
	})
}

func (l *Ledger) Block(_ context.Context, height uint64, bodies bool) (wire.Block, error) {
	if height == 0 {
		height = l.store.Height()
	}
	record, err := l.store.Block(height)
	if err == nil && record == nil {
		err = types.Refuse(types.CodeNotFound, "there is no block %d yet", height)
	}
	if err != nil {
		return wire.Block{}, err
	}
	block := blockOf(record)
	if !bodies {
		return block, nil
	}
	for i, tx := range l.chain.Transactions(height) {
		block.Txs[i].Tx = tx
	}
	return block, nil
}

// Events yields blocks without the bodies of their transactions; [Ledger.Block] has them.
func (l *Ledger) Events(ctx context.Context, from uint64) iter.Seq2[wire.Block, error] {
	return func(yield func(wire.Block, error) bool) {
		for record, err := range l.chain.Blocks(ctx, from) {
			if err != nil {
				yield(wire.Block{}, err)
				return
			}
			if !yield(blockOf(record), nil) {
				return
			}
		}
	}
}

func blockOf(record *store.Block) wire.Block {
	block := wire.Block{
		Height: record.Height, BlockTime: record.BlockTime, Clock: record.Clock, Commitment: record.Commitment,
		Txs: make([]wire.BlockTx, len(record.Txs)), Events: record.Events,
	}
	if block.Events == nil { // otherwise they are shared with the record, which is never changed: many streams read one block
		block.Events = []types.Event{}
	}
	for i, tx := range record.Txs {
		block.Txs[i] = wire.BlockTx{ID: tx.ID, Code: tx.Code, Detail: tx.Detail}
	}
	return block
}
