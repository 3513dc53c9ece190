package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"lockstep/types"
)

// A batch ends after so many blocks or events; a block is never divided.
const (
	batchBlocks = 1024
	batchEvents = 20_000
)

// batch is some blocks on their way into the index, in one transaction with the position behind them.
type batch struct {
	tx     *sql.Tx
	do     writeStatements // in the transaction
	names  *names
	source Source
	at     place
	events int
	seen   map[types.TradeID]bool // read in this batch: the source says the same of it until the batch ends
	tally  map[tallyKey]tallyChange
}

// Advance follows the source for one batch, and returns how many blocks that were: none when the index is where the source
// is. Whatever ends it early leaves the index as it was.
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
			err = fmt.Errorf("follow the chain: %w", err)
		}
	}()
	tx, err := x.db.write.Begin()
	if err != nil {
		return 0, err
	}
	b := &batch{
		tx: tx, do: x.db.writing.in(tx), names: &x.db.names, source: source, at: x.at,
		seen: map[types.TradeID]bool{}, tally: map[tallyKey]tallyChange{},
	}
	blocks, err = b.follow(ctx)
	if err == nil && blocks > 0 {
		err = tx.Commit()
	} else {
		err = errors.Join(err, tx.Rollback())
	}
	if err != nil {
		x.db.names.forget() // what was named in the transaction is gone with it
		return 0, err
	}
	x.at = b.at
	return blocks, nil
}

func (b *batch) follow(ctx context.Context) (blocks int, err error) {
	for blocks < batchBlocks && b.events < batchEvents {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		block, err := b.source.Block(b.at.Height + 1)
		if err != nil {
			return 0, err
		}
		if block == nil {
			break
		}
		if err := b.block(block); err != nil {
			return 0, fmt.Errorf("block %d: %w", block.Height, err)
		}
		blocks++
	}
	if blocks == 0 {
		return 0, nil
	}
	if err := b.writeTallies(); err != nil {
		return 0, err
	}
	_, err = b.do.position.Exec(b.at.Height, id(b.at.Commitment), b.at.Clock, b.at.skew, b.at.stalled)
	return blocks, err
}

// block does what a block tells of, in order.
func (b *batch) block(block *Block) error {
	b.moveClock(block)
	if err := b.refund(); err != nil {
		return err
	}
	for i := range block.Events {
		event := &block.Events[i]
		b.events++
		var err error
		switch {
		case event.Kind == types.EventCleared:
			err = b.auction(event.Product)
		case event.Kind == types.EventLapsed:
			err = b.lapse(event.Trade)
		case event.Trade != types.TradeID{}:
			_, err = b.trade(event.Trade)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", event.Kind, err)
		}
	}
	return nil
}

// moveClock notes when the chain last stood still, as the rules do: it is only then that the ledger clock falls behind.
func (b *batch) moveClock(block *Block) {
	skew := block.BlockTime.Since(block.Clock)
	if b.at.Height > 0 && skew > b.at.skew {
		b.at.stalled = block.Clock
	}
	b.at.skew = skew
	b.at.Position = Position{Height: block.Height, Commitment: block.Commitment, Clock: block.Clock}
}

// tallyKey is one row of what a party did. All open trades are in one row, [types.PhaseAgreed], so that most steps change
// none.
type tallyKey struct {
	party int64
	asset types.AssetID
	role  Role
	phase types.Phase
}

func tallyPhase(phase types.Phase) types.Phase {
	if phase == types.PhasePaid || phase == types.PhaseDelivered {
		return types.PhaseAgreed
	}
	return phase
}

// tallyChange is added to it; a value that is taken away wraps, and the sum comes out right.
type tallyChange struct {
	trades, excused int64
	value           Total
}

// count adds a trade to a phase on both sides, or takes it away with n = -1.
func (b *batch) count(row *tradeRow, phase types.Phase, excused bool, n int64) {
	for role, party := range map[Role]int64{Producer: row.producer, Consumer: row.consumer} {
		key := tallyKey{party, row.asset, role, tallyPhase(phase)}
		change := b.tally[key]
		change.trades += n
		if excused {
			change.excused += n
		}
		if value := totalOf(row.price); n > 0 {
			change.value = change.value.Add(value)
		} else {
			change.value = change.value.Sub(value)
		}
		b.tally[key] = change
	}
}

// writeTallies adds what the batch has counted. A row of no trades is none, so that a rebuild comes out the same.
func (b *batch) writeTallies() error {
	for _, key := range slices.SortedFunc(maps.Keys(b.tally), compareTallies) {
		change := b.tally[key]
		if change == (tallyChange{}) {
			continue
		}
		where := []any{key.party, id(key.asset), key.role, key.phase}
		var now tallyChange
		err := b.do.tally.QueryRow(where...).Scan(&now.trades, &now.excused, &now.value)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		now.trades, now.excused, now.value = now.trades+change.trades, now.excused+change.excused, now.value.Add(change.value)
		if now.trades == 0 {
			_, err = b.do.dropTally.Exec(where...)
		} else {
			_, err = b.do.putTally.Exec(append(where, now.trades, now.excused, now.value)...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
