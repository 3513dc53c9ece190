package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"lockstep/types"
)

// A batch ends after so many blocks, or when they have so many steps and orders; a block is never divided.
const (
	batchBlocks = 1024
	batchRows   = 20_000
)

// batch is some blocks on their way into the index, in one transaction with the position behind them. It reads their outcomes once, and writes
// each trade that is over once, at the end.
type batch struct {
	tx     *sql.Tx
	do     writeStatements // in the transaction
	memory *memory
	source Source
	at     place
	from   types.Time // the clock before the batch
	blocks int

	open      *open
	openLimit int
	stories   map[types.TradeID]*types.Trade // of trades that end in the batch
	trades    map[types.TradeID]*tradeRow    // nil for one that is over
	touched   []*tradeRow                    // the trades in the order in which the blocks first told of them
	newest    types.Time                     // when the newest was agreed, if that was in this batch
	conduct   map[conductKey]*Statistics     // of the parties of those
	inserted  []*tradeRow                    // rows for the table of trades
	change    openChange
}

// Advance follows the source for one batch, and returns how many blocks that were: none when the index is where the source
// is. An error or a cancelled context leaves the index unchanged.
func (x *Index) Advance(ctx context.Context, source Source) (blocks int, err error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.db == nil {
		return 0, errors.New("follow the chain: the index is closed")
	}
	defer func() {
		switch {
		case damaged(err):
			err = fmt.Errorf("follow the chain: %w: %w", ErrDamaged, err)
		case err != nil:
			err = fmt.Errorf("follow the chain: %w", explain(x.file, err))
		}
	}()
	tx, err := x.db.write.Begin()
	if err != nil {
		return 0, err
	}
	b := &batch{
		tx: tx, do: x.db.writing.in(tx), memory: &x.db.memory, source: source, at: x.at, from: x.at.Clock, open: x.db.open, openLimit: x.openLimit,
		stories: map[types.TradeID]*types.Trade{}, trades: map[types.TradeID]*tradeRow{}, conduct: map[conductKey]*Statistics{},
	}
	if base, commitment := source.History(); b.at.Height < base {
		err = b.seed(ctx, base, commitment)
	}
	if base, _ := source.History(); err == nil && b.at.Height >= base {
		err = b.follow(ctx)
	}
	if err == nil && b.blocks > 0 {
		err = tx.Commit()
	} else {
		err = errors.Join(err, tx.Rollback())
	}
	if err != nil {
		return 0, errors.Join(err, x.db.load(x.at.Height)) // the transaction's rows are gone with it
	}
	x.at = b.at
	x.tell()
	b.open.publish(&b.change, b.at.Height)
	return b.blocks, nil
}

// follow reads the blocks of the batch and writes their rows.
func (b *batch) follow(ctx context.Context) error {
	blocks, err := b.read(ctx)
	if err != nil {
		return err
	}
	for _, block := range blocks {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := b.block(block); err != nil {
			return fmt.Errorf("block %d: %w", block.Height, err)
		}
	}
	if b.blocks == 0 {
		return nil
	}
	if err := b.writeTrades(); err != nil {
		return err
	}
	if err := b.writeConduct(); err != nil {
		return err
	}
	at := &b.at
	_, err = b.do.position.Exec(at.Height, id(at.Commitment), at.Clock, at.skew, at.trades, at.auctions,
		at.base.Height, at.base.Clock, at.begun.Height, at.begun.Clock, at.whole)
	return err
}

// read reads the blocks of the batch, and the stories of the trades that they end: a trade that begins in it needs not be looked up then.
func (b *batch) read(ctx context.Context) (blocks []*Block, err error) {
	for effects := 0; len(blocks) < batchBlocks && effects < batchRows; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		block, err := b.source.Block(max(b.at.Height, b.source.Base()) + uint64(len(blocks)) + 1)
		if err != nil {
			return nil, err
		}
		if block == nil {
			break
		}
		for i := range block.Outcomes {
			effects += b.look(&block.Outcomes[i], block.Stories)
		}
		blocks = append(blocks, block)
	}
	return blocks, nil
}

// look returns the work of an outcome, in steps and orders, and keeps the stories in it.
func (b *batch) look(o *types.Outcome, stories bool) (work int) {
	for _, effect := range o.Effects {
		switch e := effect.(type) {
		case *types.Cleared:
			work += int(e.Orders)
		case *types.Ended:
			if work++; stories {
				b.stories[e.Trade.ID()] = e.Trade
			}
		case *types.Stepped:
			work++
		case *types.Begun, *types.Noted, *types.Matched, *types.Governed:
		}
	}
	return work
}

// block records a block: its outcomes in order, then the auctions whose trades it completes. So parties, products and trades get the same numbers
// for all sizes of batches.
func (b *batch) block(block *Block) error {
	if err := b.moveClock(block); err != nil {
		return err
	}
	for i := range block.Outcomes {
		outcome := &block.Outcomes[i]
		for _, effect := range outcome.Effects {
			if err := b.effect(outcome, effect); err != nil {
				return err
			}
		}
	}
	for _, product := range block.Cleared {
		if err := b.auction(product); err != nil {
			return fmt.Errorf("cleared: %w", err)
		}
	}
	return nil
}

func (b *batch) effect(o *types.Outcome, effect types.Effect) (err error) {
	var kind types.EventKind
	switch e := effect.(type) {
	case *types.Noted:
		if kind = e.Event.Kind(); kind == types.EventOfferClosed {
			err = b.closeOffer(o, types.OfferID(e.Subject))
		}
	case *types.Stepped:
		kind = e.Event.Kind()
		err = b.step(o, kind, e)
	case *types.Ended:
		kind = e.Event.Kind()
		err = b.end(o, kind, e.Trade)
	case *types.Begun:
		err = b.begun(e)
	case *types.Governed, *types.Matched, *types.Cleared: // the step that follows a match tells of its trade, the source of its auction
	}
	if err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	return nil
}

// begun notes when the ledger that this one continues stood still.
func (b *batch) begun(e *types.Begun) error {
	for _, outage := range e.Outages {
		if _, err := b.do.addStall.Exec(outage.Until, outage.Since); err != nil {
			return err
		}
	}
	return nil
}

// closeOffer notes when an offer ended, and by which transaction; one that ran out ended by none.
func (b *batch) closeOffer(o *types.Outcome, offer types.OfferID) error {
	tx := []byte{}
	if o.Tx != (types.TxID{}) {
		tx = o.Tx[:]
	}
	_, err := b.do.closeOffer.Exec(offer[:], o.At, tx)
	return err
}

// moveClock notes when the chain stood still, as the rules do: it is only then that the ledger clock falls behind.
func (b *batch) moveClock(block *Block) error {
	skew := block.BlockTime.Since(block.Clock)
	stalled := b.at.Height > b.at.begun.Height && skew > b.at.skew // nothing is known before the first block
	b.at.skew = skew
	since := b.at.Clock
	b.at.Position = Position{Height: block.Height, Commitment: block.Commitment, Clock: block.Clock}
	b.blocks++
	if !stalled {
		return nil
	}
	_, err := b.do.addStall.Exec(block.Clock, since)
	return err
}
