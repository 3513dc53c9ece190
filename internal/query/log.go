package query

import (
	"context"
	"fmt"
	"time"

	"lockstep/client/wire"
	"lockstep/internal/outcomes"
	"lockstep/internal/store"
	"lockstep/types"
)

// TradeProof proves the last leaf of a trade: its story once it is over, its last step before.
func (l *Ledger) TradeProof(ctx context.Context, id types.TradeID) (wire.Proof, error) {
	leaf, err := fromHead(l, func(s *store.Head) (uint64, error) { return l.tradeLeaf(s, id) })
	if err != nil {
		return wire.Proof{}, err
	}
	return l.prove(ctx, leaf)
}

// tradeLeaf returns the last leaf about a trade.
func (l *Ledger) tradeLeaf(s *store.Head, id types.TradeID) (uint64, error) {
	leaf, over, err := s.TradeLeaf(id)
	if over || err != nil {
		return leaf, err
	}
	record, err := s.Trade(id)
	switch {
	case err != nil:
		return 0, err
	case record == nil:
		if err := l.unknown(s.Base(), "trade", id); err != nil {
			return 0, err
		}
		return 0, types.Refuse(types.CodeNotFound, "trade %s was never on this ledger", id)
	}
	if leaf, err = l.lastStep(id, record); types.CodeOf(err) == types.CodePruned {
		err = types.Refuse(types.CodePruned, "trade %s goes on, and its last step is from before block %d, with which the history of this node begins: ask a node that keeps all (\"keep\": \"all\") for the proof",
			id, s.Base()+1)
	}
	return leaf, err
}

// lastStep returns the leaf of the last step of a trade that goes on.
func (l *Ledger) lastStep(id types.TradeID, record *store.TradeRecord) (uint64, error) {
	if leaf, carried, err := l.carriedLeaf(record.Trade, id); carried || err != nil {
		return leaf, err
	}
	step := record.Trade.Steps[len(record.Trade.Steps)-1]
	if step.Tx != (types.TxID{}) {
		first, err := l.txLeaf(step.Tx)
		if err != nil {
			return 0, err
		}
		return l.stepLeaf(first, step.Tx, id)
	}
	leaf, made, err := l.matchLeaf(id, record.Trade.Height, step.At)
	if err == nil && !made {
		err = fmt.Errorf("no leaf of the log of outcomes has the match that made trade %s", id)
	}
	return leaf, err
}

// stepLeaf returns the leaf in which a transaction tells of a trade: its first one, unless its effects are more than that holds.
func (l *Ledger) stepLeaf(first uint64, tx types.TxID, id types.TradeID) (uint64, error) {
	for leaf := first; ; leaf++ {
		outcome, err := l.store.Log().Outcome(leaf)
		if err != nil {
			return 0, err
		}
		if outcome.Tx != tx {
			return 0, fmt.Errorf("the leaves of transaction %s do not tell of trade %s", tx, id)
		}
		for _, effect := range outcome.Effects {
			if step, ok := effect.(*types.Stepped); ok && step.Trade == id {
				return leaf, nil
			}
		}
	}
}

// TxProof proves the first leaf of an accepted transaction by the header of a height; 0 is the newest.
func (l *Ledger) TxProof(ctx context.Context, id types.TxID, header uint64) (wire.Proof, error) {
	leaf, err := l.txLeaf(id)
	if err != nil {
		return wire.Proof{}, err
	}
	if header != 0 {
		return l.proveBy(leaf, header)
	}
	return l.prove(ctx, leaf)
}

// txLeaf returns the first leaf of an accepted transaction.
func (l *Ledger) txLeaf(id types.TxID) (uint64, error) {
	receipt, err := l.store.Receipt(id)
	if err == nil && receipt == nil {
		err = l.unknown(l.store.Base(), "transaction", id)
	}
	if err == nil && (receipt == nil || receipt.Code != types.CodeOK) {
		err = types.Refuse(types.CodeNotFound, "transaction %s was not accepted by this ledger, so it has no outcome", id)
	}
	if err != nil {
		return 0, err
	}
	return receipt.Leaf, nil
}

// LeafProof proves a leaf by its index.
func (l *Ledger) LeafProof(ctx context.Context, index uint64) (wire.Proof, error) {
	leaves, err := fromHead(l, func(s *store.Head) (uint64, error) { return s.Leaves(), nil })
	if err == nil && index >= leaves {
		err = types.Refuse(types.CodeAhead, "there is no leaf %d yet, the log has %d", index, leaves)
	}
	if err != nil {
		return wire.Proof{}, err
	}
	return l.prove(ctx, index)
}

// proofWait is the longest wait for the header that proves a leaf of the newest block. The next block is proposed at once.
const proofWait = 3 * time.Second

// prove proves a leaf by the newest header, or by the next one if that is needed.
func (l *Ledger) prove(ctx context.Context, index uint64) (wire.Proof, error) {
	ctx, stop := context.WithTimeout(ctx, proofWait)
	defer stop()
	for {
		proof, err := l.proveBy(index, 0)
		if types.CodeOf(err) != types.CodeAhead || ctx.Err() != nil {
			return proof, err
		}
		for _, err := range l.chain.Blocks(ctx, proof.Signed.Height+1) {
			if err != nil {
				return proof, err
			}
			break
		}
	}
}

// proveBy proves a leaf by a header, which has the app hash of the block before. Height 0 is the newest header.
func (l *Ledger) proveBy(index, header uint64) (proof wire.Proof, err error) {
	if proof.Signed, err = l.chain.SignedHeader(header); err != nil {
		return proof, err
	}
	var block *store.Block
	if proof.Signed.Height > l.store.First() { // the first header proves no leaf
		if block, err = l.store.Block(proof.Signed.Height - 1); err != nil {
			return proof, err
		}
	}
	if block == nil || index >= block.Log.Size {
		return proof, types.Refuse(types.CodeAhead, "leaf %d can't be proved by header %d: a later header proves it; ask again in a moment", index, proof.Signed.Height)
	}
	proof.Index, proof.Log, proof.State = index, block.Log, block.State
	log := l.store.Log()
	if proof.Leaf, err = log.Leaf(index); err != nil {
		return proof, err
	}
	proof.Path, err = log.Prove(index, block.Log.Size)
	if err == nil && !outcomes.Proves(proof.Leaf, index, proof.Path, proof.Log) { // a client would take it for a lie
		err = fmt.Errorf("%w: leaf %d does not lead to the root of block %d: stop the node and run: lockstep node check", outcomes.ErrDamaged, index, block.Height)
	}
	return proof, err
}

// LogKey returns the verifier's key of the checkpoints (C2SP signed-note), empty for none.
func (l *Ledger) LogKey() string { return l.signerKey }

// LogFile returns a file of the log as C2SP tlog-tiles names it, at the last block: "checkpoint", or a tile or a bundle.
func (l *Ledger) LogFile(_ context.Context, path string) ([]byte, error) {
	return fromHead(l, func(s *store.Head) ([]byte, error) {
		if path != "checkpoint" {
			return l.store.Log().File(path, s.Leaves())
		}
		if l.signer == nil {
			return nil, types.Refuse(types.CodeNotFound, "this ledger has no key for checkpoints")
		}
		return outcomes.Checkpoint(s.LogHead(), l.signer) // not by the hashes on the disk: a damaged file must not make the node sign another log
	})
}

// LightBlock returns a header with its signatures and validators; height 0 is the newest block.
func (l *Ledger) LightBlock(_ context.Context, height uint64) (wire.LightBlock, error) {
	return l.chain.LightBlock(height)
}
