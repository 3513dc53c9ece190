package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"

	"lockstep/types"
)

// Index is the query index of one ledger. It is safe for concurrent use by one follower ([Index.Advance],
// [Index.Verify], [Index.Reset]) and any number of queries.
type Index struct {
	file   string
	ledger types.Hash
	logger *slog.Logger

	openLimit int // how many open trades are kept in memory

	mu sync.RWMutex // held to use the database, and alone to put another in its place
	db *database
	at place // the follower's

	behind bool // the follower's: rows may be left to prune

	height atomic.Uint64 // of at
	from   atomic.Uint64 // the first block that the index has, see [Index.From]
}

// place is the position, with the fact of earlier blocks that the next block needs.
type place struct {
	Position
	skew             types.Duration
	trades, auctions int64 // how many have numbers

	base  Since      // the rows of blocks up to base.Height are pruned; base.Clock is that of the next one
	begun Since      // the same, as it was when the index began
	whole types.Time // the index has all auctions of the slots from then on
}

func newIndex(file string, ledger types.Hash, logger *slog.Logger) *Index {
	return &Index{file: file, ledger: ledger, logger: logger, openLimit: mostOpen, behind: true}
}

// Open opens the index in a file, or begins one there. ledger is the hash of the ledger's parameters. An index that can't
// be continued from the source, since it is damaged, of another format or chain, or ahead of it, is begun anew and the log
// says why.
func Open(file string, ledger types.Hash, source Source, logger *slog.Logger) (*Index, error) {
	x := newIndex(file, ledger, logger)
	err := x.open(source)
	if err == nil {
		x.tell()
		return x, nil
	}
	if !damaged(err) {
		return nil, errors.Join(fmt.Errorf("open the index %s: %w", file, explain(file, err)), x.Close())
	}
	logger.Warn("the index is built anew", "file", file, "why", err)
	if err := x.Reset(); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

// open takes up the file. An error that is [damaged] says why it can't be continued.
func (x *Index) open(source Source) (err error) {
	if _, err := os.Stat(x.file); errors.Is(err, fs.ErrNotExist) {
		return x.begin()
	}
	if err := reachable(x.file); err != nil {
		return err
	}
	if x.db, err = openDatabase(x.file); err != nil {
		return err
	}
	var version int
	if err := x.db.write.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version != types.Format {
		return fmt.Errorf("%w: it has format %d, this program reads %d", ErrDamaged, version, types.Format)
	}
	var ledger types.Hash
	if x.at, ledger, err = loadPlace(x.db.write); err != nil {
		return err
	}
	if ledger != x.ledger {
		return fmt.Errorf("%w: it is of a ledger with other parameters", ErrDamaged)
	}
	if err := x.checkPlace(source); err != nil {
		return err
	}
	if err := x.db.prepare(); err != nil {
		return err
	}
	return x.db.load(x.at.Height)
}

// checkPlace wants the source to have the very block that the index has followed to.
func (x *Index) checkPlace(source Source) error {
	if x.at.Height == 0 {
		return nil
	}
	switch base, commitment := source.History(); {
	case x.at.Height < base:
		return gap(x.at.Height, base)
	case x.at.Height == base && x.at.Commitment != commitment:
		return fmt.Errorf("%w: its block %d is not the ledger's", ErrDamaged, base)
	case x.at.Height == base:
		return nil
	}
	block, err := source.Block(x.at.Height)
	switch {
	case err != nil:
		return err
	case block == nil:
		return fmt.Errorf("%w: it has followed to block %d, which the ledger does not have", ErrDamaged, x.at.Height)
	case block.Commitment != x.at.Commitment:
		return fmt.Errorf("%w: its block %d is not the ledger's", ErrDamaged, x.at.Height)
	}
	return nil
}

// gap is the error of an index that stands before the first block of its source.
func gap(at, base uint64) error {
	return fmt.Errorf("%w: it has followed to block %d, and the node keeps blocks from %d on", ErrDamaged, at, base+1)
}

// tell shows the position to those that ask without a query.
func (x *Index) tell() {
	x.height.Store(x.at.Height)
	x.from.Store(x.at.base.Height + 1)
}

// begin makes a new index in the file, which must not exist.
func (x *Index) begin() (err error) {
	file, err := os.OpenFile(x.file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // SQLite would let others read it
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if x.db, err = openDatabase(x.file); err != nil {
		return err
	}
	x.at = place{}
	x.tell()
	if err := x.db.create(x.ledger); err != nil {
		return err
	}
	return x.db.prepare()
}

// Reset throws the index away and begins it anew. It waits for the queries that are being answered.
func (x *Index) Reset() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	err := errors.Join(x.closeDatabase(), x.remove())
	if err == nil {
		err = x.begin()
	}
	if err != nil {
		return fmt.Errorf("begin the index %s anew: %w", x.file, explain(x.file, err))
	}
	return nil
}

// remove removes the files of the index, which must be closed.
func (x *Index) remove() (err error) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if removing := os.Remove(x.file + suffix); !errors.Is(removing, fs.ErrNotExist) {
			err = errors.Join(err, removing)
		}
	}
	return err
}

// Close closes the index. Its follower and all queries must have returned.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.closeDatabase(); err != nil {
		return fmt.Errorf("close the index %s: %w", x.file, err)
	}
	return nil
}

func (x *Index) closeDatabase() error {
	if x.db == nil {
		return nil
	}
	db := x.db
	x.db = nil
	return db.close()
}

// Verify reads the whole file and returns [ErrDamaged] when its structure is broken. It takes a second for every few
// hundred MB.
func (x *Index) Verify(ctx context.Context) error { return x.verify(ctx, "quick_check") }

// verify asks the database to check itself: quickly, or with every entry by which rows are found.
func (x *Index) verify(ctx context.Context, how string) error {
	return x.reading(ctx, func(db *database, _ *sql.Tx) error {
		var verdict string
		switch err := db.read.QueryRowContext(ctx, "PRAGMA "+how+"(1)").Scan(&verdict); {
		case ctx.Err() != nil:
			return ctx.Err()
		case damaged(err):
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		case err != nil:
			return err
		case verdict != "ok":
			return fmt.Errorf("%w: %s", ErrDamaged, verdict)
		}
		return nil
	})
}

// Position returns how far the index has followed.
func (x *Index) Position(ctx context.Context) (Position, error) {
	var at place
	err := x.reading(ctx, func(_ *database, tx *sql.Tx) (err error) {
		at, _, err = loadPlace(tx)
		return err
	})
	return at.Position, err
}

// Height returns how far the index has followed, at once: other than [Index.Position] it waits for no query.
func (x *Index) Height() uint64 { return x.height.Load() }

// From returns the first block whose history the index has, at once.
func (x *Index) From() uint64 { return x.from.Load() }

// reading lets a query read from one height.
func (x *Index) reading(ctx context.Context, answer func(*database, *sql.Tx) error) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.db == nil {
		return types.Refuse(types.CodeUnavailable, "the index is closed")
	}
	tx, err := x.db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err == nil {
		err = errors.Join(answer(x.db, tx), tx.Rollback())
	}
	if err != nil && types.CodeOf(err) == types.CodeInternal {
		return fmt.Errorf("ask the index: %w", err)
	}
	return err
}

// rowQuerier is a database or a transaction of one.
type rowQuerier interface {
	QueryRow(query string, args ...any) *sql.Row
}

func loadPlace(db rowQuerier) (at place, ledger types.Hash, err error) {
	row := db.QueryRow("SELECT ledger, height, commitment, clock, skew, trades, auctions, base, since, begun, begun_at, whole FROM position")
	err = row.Scan((*id)(&ledger), &at.Height, (*id)(&at.Commitment), &at.Clock, &at.skew, &at.trades, &at.auctions,
		&at.base.Height, &at.base.Clock, &at.begun.Height, &at.begun.Clock, &at.whole)
	return at, ledger, err
}
