package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"lockstep/types"
)

// A batch ends after so many blocks, or when it has so many rows to write; a block is never divided.
const (
	batchBlocks = 1024
	batchRows   = 20_000
)

// batch is some blocks on their way into the index, in one transaction with the position behind them. It takes each trade
// of theirs up once, however much they tell of it, and writes it once, at the end.
type batch struct {
	tx     *sql.Tx
	do     writeStatements // in the transaction
	memory *memory
	source Source
	at     place
	from   types.Time // the clock before the batch
	blocks int
	rows   int // of trades and orders, a measure of the batch's work and memory

	trades  map[types.TradeID]*tradeRow // nil for one that the table has as over already
	touched []*tradeRow                 // the trades in the order in which the blocks first told of them
	last    int64                       // number of the newest trade
	newest  types.Time                  // when it was agreed, if that was in this batch
	conduct map[conductKey]*Statistics  // of the parties of those
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
		tx: tx, do: x.db.writing.in(tx), memory: &x.db.memory, source: source, at: x.at, from: x.at.Clock,
		trades: map[types.TradeID]*tradeRow{}, conduct: map[conductKey]*Statistics{},
	}
	err = b.follow(ctx)
	if err == nil && b.blocks > 0 {
		err = tx.Commit()
	} else {
		err = errors.Join(err, tx.Rollback())
	}
	if err != nil {
		x.db.memory.forget() // the transaction's rows are gone with it
		return 0, err
	}
	x.at = b.at
	x.height.Store(b.at.Height)
	return b.blocks, nil
}

func (b *batch) follow(ctx context.Context) error {
	if err := b.do.lastTrade.QueryRow().Scan(&b.last); err != nil {
		return err
	}
	for b.blocks < batchBlocks && b.rows < batchRows {
		if err := ctx.Err(); err != nil {
			return err
		}
		block, err := b.source.Block(b.at.Height + 1)
		if err != nil {
			return err
		}
		if block == nil {
			break
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
	_, err := b.do.position.Exec(b.at.Height, id(b.at.Commitment), b.at.Clock, b.at.skew)
	return err
}

// block records the events of a block, in order: so parties, products and trades get the same numbers for all sizes of
// batches.
func (b *batch) block(block *Block) error {
	if err := b.moveClock(block); err != nil {
		return err
	}
	for i := range block.Events {
		event := &block.Events[i]
		var err error
		switch event.Kind {
		case types.EventCleared:
			err = b.auction(event.Product)
		case types.EventOfferClosed:
			err = b.closeOffer(event)
		case types.EventLapsed:
			err = b.lapse(event.Trade)
		case types.EventCollected, types.EventReturned, types.EventRefunded: // spends outputs that the trade has freed before
		default:
			if event.Trade != (types.TradeID{}) {
				_, err = b.trade(event.Trade, event.Kind)
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", event.Kind, err)
		}
	}
	return nil
}

// closeOffer notes when an offer ended, and by which transaction; one that ran out ended by none.
func (b *batch) closeOffer(event *types.Event) error {
	b.rows++
	tx := []byte{}
	if event.Tx != (types.TxID{}) {
		tx = event.Tx[:]
	}
	_, err := b.do.closeOffer.Exec(event.Offer[:], event.At, tx)
	return err
}

// moveClock notes when the chain stood still, as the rules do: it is only then that the ledger clock falls behind.
func (b *batch) moveClock(block *Block) error {
	skew := block.BlockTime.Since(block.Clock)
	stalled := b.at.Height > 0 && skew > b.at.skew
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
