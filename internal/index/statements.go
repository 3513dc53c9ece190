package index

import (
	"database/sql"
	"errors"
	"fmt"

	"lockstep/types"
)

// writeStatements are the statements that follow blocks, each named after its job.
type writeStatements struct {
	position, addStall, stalled, findConduct, putConduct        *sql.Stmt
	lastTrade, findOpen, addTrade, addMoment, closeOffer        *sql.Stmt
	moveTrade, dueTrades, overTrades                            *sql.Stmt
	findParty, addParty, findProduct, addProduct                *sql.Stmt
	addAuction, addRound, addOrder, addMatch, volume, putVolume *sql.Stmt
}

const tradeRowColumns = `SELECT t.id, t.n, t.producer, t.consumer, p.asset, t.price, t.agreed_at, t.pay_by, t.deliver_by,
	t.phase, t.released, t.allotted, t.paid_at, t.ended_at, t.excused FROM trades t `

func (s *writeStatements) texts() map[**sql.Stmt]string {
	return map[**sql.Stmt]string{
		&s.position:    "UPDATE position SET height = ?, commitment = ?, clock = ?, skew = ?",
		&s.addStall:    "INSERT OR IGNORE INTO stalls (at, since) VALUES (?, ?)", // another block's clock may stand at it
		&s.stalled:     "SELECT coalesce(max(at), 0) > 0 FROM stalls WHERE at > ? AND since < ?",
		&s.findConduct: "SELECT sums FROM conduct WHERE party = ? AND asset = ?",
		&s.putConduct:  "INSERT OR REPLACE INTO conduct (party, asset, sums) VALUES (?, ?, ?)",

		&s.lastTrade: "SELECT coalesce(max(n), 0) FROM trades",
		&s.findOpen:  tradeRowColumns + "INDEXED BY trades_open JOIN products p ON p.n = t.product WHERE t.deliver_by = ? AND t.id = ? AND t.phase <= 3",
		&s.dueTrades: tradeRowColumns + `INDEXED BY trades_open JOIN products p ON p.n = t.product
			WHERE t.deliver_by >= ? AND t.deliver_by < ? AND t.phase <= 3 AND t.phase = 2`,
		&s.overTrades: "SELECT id, n FROM trades INDEXED BY trades_product WHERE product = ? AND phase > 3",
		&s.addTrade: `INSERT INTO trades (n, id, height, agreed_at, producer, consumer, product, quantity, price, deposit, bond,
			terms, instalments, matched, pay_by, deliver_by, phase, released, allotted, paid_at, ended_at, excused)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		&s.addMoment:  "INSERT OR IGNORE INTO moments (agreed_at, first) VALUES (?, ?)",     // another block's clock may stand at it
		&s.closeOffer: "INSERT OR REPLACE INTO offers (id, closed_at, tx) VALUES (?, ?, ?)", // it may be put up again, and close again
		&s.moveTrade:  "UPDATE trades SET phase = ?, released = ?, allotted = ?, paid_at = ?, ended_at = ?, excused = ? WHERE n = ?",

		&s.findParty:   "SELECT n FROM parties WHERE key = ?",
		&s.addParty:    "INSERT INTO parties (key) VALUES (?)",
		&s.findProduct: "SELECT n FROM products WHERE id = ?",
		&s.addProduct:  "INSERT INTO products (id, commodity, unit, zone, starts, ends, asset) VALUES (?, ?, ?, ?, ?, ?, ?)",

		&s.addAuction: `INSERT INTO auctions (product, commodity, zone, asset, starts,
			lot, deposit, bond, terms, arbiter, height, held_at, void,
			orders, excluded, filled, trades, rounds, demanded, offered, volume, value)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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

// memory caches rows of the tables: the numbers of parties and products met lately, since a number
// replaces 32 bytes in the indexes; recent conduct; and open trades written lately, since most change again soon.
type memory struct {
	parties  map[types.PublicKey]int64
	products map[types.Product]int64
	conduct  map[conductKey]*Statistics
	open     map[types.TradeID]*tradeRow
}

// remembered bounds each of these, all together to some tens of MB.
const remembered = 50_000

func newMemory() memory {
	return memory{
		parties: map[types.PublicKey]int64{}, products: map[types.Product]int64{},
		conduct: map[conductKey]*Statistics{}, open: map[types.TradeID]*tradeRow{},
	}
}

func (m *memory) forget() { *m = newMemory() }

func remember[K comparable, V any](in map[K]V, key K, value V) {
	if len(in) >= remembered {
		clear(in)
	}
	in[key] = value
}

// party returns the number of a key, giving it one if it has none.
func (b *batch) party(key types.PublicKey) (int64, error) {
	if n, known := b.memory.parties[key]; known {
		return n, nil
	}
	return number(b.memory.parties, key, b.do.findParty, []any{id(key)}, b.do.addParty, []any{id(key)})
}

// product returns the number of a product, giving it one if it has none.
func (b *batch) product(p *types.Product) (int64, error) {
	if n, known := b.memory.products[*p]; known {
		return n, nil
	}
	name := id(p.ID())
	return number(b.memory.products, *p, b.do.findProduct, []any{name},
		b.do.addProduct, []any{name, p.Commodity, p.Unit, p.Zone, p.From, p.Until, id(p.Asset)})
}

func number[K comparable](known map[K]int64, key K, find *sql.Stmt, findArgs []any, add *sql.Stmt, addArgs []any) (int64, error) {
	var n int64
	err := find.QueryRow(findArgs...).Scan(&n)
	if isNone(err) {
		var result sql.Result
		if result, err = add.Exec(addArgs...); err == nil {
			n, err = result.LastInsertId()
		}
	}
	if err != nil {
		return 0, err
	}
	remember(known, key, n)
	return n, nil
}

func isNone(err error) bool { return errors.Is(err, sql.ErrNoRows) }
