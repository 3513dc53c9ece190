package index

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// writeStatements are the statements that follow blocks, each named after its job.
type writeStatements struct {
	position, addStall, stalled, findConduct, putConduct        *sql.Stmt
	putConducts                                                 *sql.Stmt
	findOpen, addTrade, addTrades, addMoment, closeOffer        *sql.Stmt
	moveTrade, dueTrades, overTrades, putChunk, putChunks       *sql.Stmt
	dropChunk                                                   *sql.Stmt
	findParty, addParty, findProduct, addProduct, productOf     *sql.Stmt
	addAuction, addRound, addOrder, addMatch, volume, putVolume *sql.Stmt

	pruned, dropTrades, dropOffers, dropMoments, dropStalls *sql.Stmt
	dropAuctions, addLeaving, leaving, left                 *sql.Stmt
	dropOrders, dropMatches, dropRounds, dropVolumes        *sql.Stmt
	usedByTrades, usedByAuctions, dropProduct               *sql.Stmt
}

const putChunk = "INSERT OR REPLACE INTO open (chunk, rows) VALUES (?, ?)"

const putConduct = "INSERT OR REPLACE INTO conduct (party, asset, sums) VALUES (?, ?, ?)"

const addTrade = "INSERT INTO trades (n, id, producer, consumer, product, phase, deliver_by, ended_at, rest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"

func (s *writeStatements) texts() map[**sql.Stmt]string {
	return map[**sql.Stmt]string{
		&s.position:    "UPDATE position SET height = ?, commitment = ?, clock = ?, skew = ?, trades = ?, auctions = ?, base = ?, since = ?, begun = ?, begun_at = ?, whole = ?",
		&s.addStall:    "INSERT OR IGNORE INTO stalls (at, since) VALUES (?, ?)", // another block's clock may stand at it
		&s.stalled:     "SELECT coalesce(max(at), 0) > 0 FROM stalls WHERE at > ? AND since < ?",
		&s.findConduct: "SELECT sums FROM conduct WHERE party = ? AND asset = ?",
		&s.putConduct:  putConduct,
		&s.putConducts: putConduct + strings.Repeat(", (?, ?, ?)", rowsAtOnce-1),

		&s.findOpen:   "SELECT id, n, producer, consumer, product, phase, deliver_by, rest FROM trades INDEXED BY trades_open WHERE id = ? AND phase <= 3",
		&s.dueTrades:  "SELECT id FROM trades INDEXED BY trades_due WHERE deliver_by >= ? AND deliver_by < ? AND phase = 2",
		&s.overTrades: "SELECT id, n FROM trades INDEXED BY trades_product WHERE product = ? AND phase > 3",
		&s.addTrade:   addTrade,
		&s.addTrades:  addTrade + strings.Repeat(", (?, ?, ?, ?, ?, ?, ?, ?, ?)", rowsAtOnce-1),
		&s.putChunk:   putChunk,
		&s.putChunks:  putChunk + strings.Repeat(", (?, ?)", rowsAtOnce-1),
		&s.dropChunk:  "DELETE FROM open WHERE chunk = ?",
		&s.addMoment:  "INSERT OR IGNORE INTO moments (agreed_at, first) VALUES (?, ?)",     // another block's clock may stand at it
		&s.closeOffer: "INSERT OR REPLACE INTO offers (id, closed_at, tx) VALUES (?, ?, ?)", // it may be put up again, and close again
		&s.moveTrade:  "UPDATE trades SET phase = ?, ended_at = ?, rest = ? WHERE n = ?",

		&s.findParty:   "SELECT n FROM parties WHERE key = ?",
		&s.addParty:    "INSERT INTO parties (key) VALUES (?)",
		&s.findProduct: "SELECT n FROM products WHERE id = ?",
		&s.productOf:   "SELECT id, commodity, unit, zone, starts, ends, asset FROM products WHERE n = ?",
		&s.addProduct:  "INSERT INTO products (id, commodity, unit, zone, starts, ends, asset) VALUES (?, ?, ?, ?, ?, ?, ?)",

		&s.addAuction: `INSERT INTO auctions (n, product, commodity, zone, asset, starts,
			lot, deposit, bond, terms, arbiter, height, held_at, void,
			orders, excluded, filled, trades, rounds, demanded, offered, volume, value)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		&s.addRound: "INSERT INTO rounds (auction, round, sellers, buyers, price, volume) VALUES (?, ?, ?, ?, ?, ?)",
		&s.addOrder: `INSERT INTO orders (auction, place, id, owner, number, side, quantity, price, filled, standing, excluded, trades, value,
			stake, used)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		&s.addMatch: "INSERT INTO matches (auction, place, trade, round, leaf) VALUES (?, ?, ?, ?, ?)",
		&s.volume:   "SELECT volume, value FROM volumes WHERE commodity = ? AND unit = ? AND zone = ? AND asset = ? AND span = ? AND starts = ?",
		&s.putVolume: `INSERT INTO volumes (commodity, unit, zone, asset, span, starts, auctions, orders, trades, volume, value)
			VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET auctions = auctions + 1, orders = orders + excluded.orders, trades = trades + excluded.trades,
				volume = excluded.volume, value = excluded.value`,

		&s.pruned: "UPDATE position SET base = ?, since = ?",
		&s.dropTrades: `DELETE FROM trades WHERE n IN
			(SELECT n FROM trades INDEXED BY trades_ended WHERE ended_at > 0 AND ended_at < ? ORDER BY ended_at LIMIT ?) RETURNING product`,
		&s.dropOffers: `DELETE FROM offers WHERE id IN
			(SELECT id FROM offers INDEXED BY offers_closed WHERE closed_at < ? ORDER BY closed_at LIMIT ?) RETURNING 0`,
		&s.dropMoments: `DELETE FROM moments WHERE agreed_at IN
			(SELECT agreed_at FROM moments WHERE agreed_at < ? ORDER BY agreed_at LIMIT ?) RETURNING 0`,
		&s.dropStalls: "DELETE FROM stalls WHERE at IN (SELECT at FROM stalls WHERE at < ? ORDER BY at LIMIT ?) RETURNING 0",
		&s.dropAuctions: `DELETE FROM auctions WHERE n IN
			(SELECT n FROM auctions INDEXED BY auctions_ WHERE starts < ? ORDER BY starts LIMIT ?) RETURNING n, product`,
		&s.addLeaving: "INSERT INTO leaving (auction) VALUES (?)",
		&s.leaving:    "SELECT auction FROM leaving WHERE auction > 0 ORDER BY auction LIMIT 1",
		&s.left:       "DELETE FROM leaving WHERE auction = ?",
		&s.dropOrders: `DELETE FROM orders WHERE (auction, place) IN
			(SELECT auction, place FROM orders WHERE auction = ? LIMIT ?) RETURNING 0`,
		&s.dropMatches: `DELETE FROM matches WHERE (auction, place, trade) IN
			(SELECT auction, place, trade FROM matches WHERE auction = ? LIMIT ?) RETURNING 0`,
		&s.dropRounds: `DELETE FROM rounds WHERE (auction, round) IN
			(SELECT auction, round FROM rounds WHERE auction = ? LIMIT ?) RETURNING 0`,
		&s.dropVolumes: `DELETE FROM volumes WHERE (span, starts, commodity, unit, zone, asset) IN
			(SELECT span, starts, commodity, unit, zone, asset FROM volumes INDEXED BY volumes_starts WHERE span = ? AND starts < ? LIMIT ?) RETURNING 0`,
		&s.usedByTrades:   "SELECT 1 FROM trades INDEXED BY trades_product WHERE product = ? LIMIT 1",
		&s.usedByAuctions: "SELECT 1 FROM auctions WHERE product = ?",
		&s.dropProduct:    "DELETE FROM products WHERE n = ?",
	}
}

func prepareWriting(db *sql.DB) (s writeStatements, err error) {
	for statement, text := range s.texts() {
		if *statement, err = db.Prepare(text); err != nil {
			return s, fmt.Errorf("prepare %q: %w", text, err)
		}
	}
	return s, nil
}

// in returns the statements within a transaction.
func (s *writeStatements) in(tx *sql.Tx) (within writeStatements) {
	within = *s
	for statement := range within.texts() {
		*statement = tx.Stmt(*statement)
	}
	return within
}

// rowsAtOnce is the number of rows of a statement that writes some: each statement costs as much as a row or two.
const rowsAtOnce = 32

// rowWriter writes rows, some with each statement.
type rowWriter struct {
	one, some *sql.Stmt
	columns   int
	values    []any // of rows to come
}

// add adds a row. Its values must stay as they are.
func (w *rowWriter) add(values ...any) error {
	w.columns = len(values)
	w.values = append(w.values, values...)
	if len(w.values) < rowsAtOnce*w.columns {
		return nil
	}
	_, err := w.some.Exec(w.values...)
	w.values = w.values[:0]
	return err
}

// finish writes the last rows.
func (w *rowWriter) finish() error {
	for row := range slices.Chunk(w.values, max(w.columns, 1)) {
		if _, err := w.one.Exec(row...); err != nil {
			return err
		}
	}
	return nil
}
