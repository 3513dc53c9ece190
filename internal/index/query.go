package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// queries are the statements of the readers.
type queries struct {
	findParty, findProduct, tradeSince *sql.Stmt
	trades                             map[tradeShape]*sql.Stmt
	auctions                           map[auctionShape]*sql.Stmt
	auctionOf, rounds                  *sql.Stmt
	volumes                            map[bool]*sql.Stmt // by whether the oldest come first
	fills, fillTrades, conduct         *sql.Stmt
	keyOf                              *sql.Stmt
	offer, offers                      *sql.Stmt
}

// texts are all queries; each must find its answer by an index.
func (s *queries) texts() map[**sql.Stmt]string {
	return map[**sql.Stmt]string{
		&s.findParty:   "SELECT n FROM parties WHERE key = ?",
		&s.keyOf:       "SELECT key FROM parties WHERE n = ?",
		&s.findProduct: "SELECT n FROM products WHERE id = ?",
		&s.tradeSince:  "SELECT first FROM moments WHERE agreed_at >= ? ORDER BY agreed_at LIMIT 1",
		&s.auctionOf:   auctionColumns + "FROM auctions a CROSS JOIN products p ON p.n = a.product WHERE a.product = ?",
		&s.rounds:      "SELECT sellers, buyers, price, volume FROM rounds WHERE auction = ? ORDER BY round LIMIT ?",
		&s.offer:       "SELECT closed_at, tx FROM offers WHERE id = ?",
		&s.offers:      "SELECT id FROM offers WHERE id >= ? AND id <= ? ORDER BY id LIMIT ?",
		&s.fills:       fillsText,
		&s.fillTrades:  fillTradesText,
		&s.conduct:     "SELECT asset, sums FROM conduct WHERE party = ? AND asset > ? ORDER BY asset LIMIT ?",
	}
}

func prepareQueries(db *sql.DB) (s queries, err error) {
	prepare := func(text string) (statement *sql.Stmt) {
		if err == nil {
			if statement, err = db.Prepare(text); err != nil {
				err = fmt.Errorf("prepare %q: %w", text, err)
			}
		}
		return statement
	}
	for statement, text := range s.texts() {
		*statement = prepare(text)
	}
	s.trades, s.auctions = map[tradeShape]*sql.Stmt{}, map[auctionShape]*sql.Stmt{}
	for _, shape := range tradeShapes() {
		s.trades[shape] = prepare(shape.text())
	}
	for _, shape := range auctionShapes() {
		s.auctions[shape] = prepare(shape.text())
	}
	s.volumes = map[bool]*sql.Stmt{false: prepare(volumesText(false)), true: prepare(volumesText(true))}
	return s, err
}

// query is one question being answered, from one height.
type query struct {
	ctx     context.Context
	tx      *sql.Tx
	queries *queries
	at      place
	open    *open                   // at the same height; nil when the question does not need it
	bound   map[*sql.Stmt]*sql.Stmt // the statements in the transaction: some are asked for every entry of a page
}

func (q *query) place() (at place, err error) {
	at, _, err = loadPlace(q.tx)
	return at, err
}

// asking lets a query read tables and open trades at one height. A batch is in the database a moment before its open trades are shown.
func (x *Index) asking(ctx context.Context, answer func(*query) error) error {
	for {
		err := x.reading(ctx, func(db *database, tx *sql.Tx) (err error) {
			q := &query{ctx: ctx, tx: tx, queries: &db.queries, open: db.open}
			if q.at, err = q.place(); err != nil {
				return err
			}
			db.open.mu.RLock()
			defer db.open.mu.RUnlock()
			if db.open.height != q.at.Height {
				return errMoved
			}
			return answer(q)
		})
		if !errors.Is(err, errMoved) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

// errMoved says that a batch was added between two looks.
var errMoved = errors.New("the index has moved on")

func (q *query) in(statement *sql.Stmt) *sql.Stmt {
	if q.bound == nil {
		q.bound = map[*sql.Stmt]*sql.Stmt{}
	}
	if q.bound[statement] == nil {
		q.bound[statement] = q.tx.StmtContext(q.ctx, statement)
	}
	return q.bound[statement]
}

func (q *query) rows(statement *sql.Stmt, args ...any) (*sql.Rows, error) {
	return q.in(statement).QueryContext(q.ctx, args...)
}

func (q *query) row(statement *sql.Stmt, args ...any) *sql.Row {
	return q.in(statement).QueryRowContext(q.ctx, args...)
}

// number looks up the number of something; false when it has none.
func (q *query) number(statement *sql.Stmt, arg any) (n int64, known bool, err error) {
	err = q.row(statement, arg).Scan(&n)
	if isNone(err) {
		return 0, false, nil
	}
	return n, err == nil, err
}
