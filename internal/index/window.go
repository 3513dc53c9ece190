package index

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"

	"lockstep/trade"
	"lockstep/types"
)

// windowDigest is a digest of the rows that follow from the blocks that are kept, whether the index has followed all blocks or began behind those that are pruned. So numbers
// are replaced by keys and IDs, and the order of rows doesn't matter. The conduct of keys is not in it, since it has no window, nor stalls before it. whole is the moment
// from which slots have had all of their auctions in the window.
func (x *Index) windowDigest(ctx context.Context, whole types.Time) (sum types.Hash, err error) {
	err = x.asking(ctx, func(q *query) error {
		sum = types.Hash{}
		w := &window{q: q, add: func(table string, values ...any) {
			digest := sha256.New()
			digest.Write(digestValue(table))
			for _, value := range values {
				digest.Write(digestValue(value))
			}
			sum = addHashes(sum, types.Hash(digest.Sum(nil)))
		}}
		return w.all(whole)
	})
	return sum, err
}

// addHashes adds two hashes as numbers, so that the order of terms doesn't matter.
func addHashes(a, b types.Hash) (sum types.Hash) {
	var carry uint64
	for at := len(a) - 8; at >= 0; at -= 8 {
		x, y := binary.BigEndian.Uint64(a[at:]), binary.BigEndian.Uint64(b[at:])
		total := x + y + carry
		if total < x || carry > 0 && total == x {
			carry = 1
		} else {
			carry = 0
		}
		binary.BigEndian.PutUint64(sum[at:], total)
	}
	return sum
}

// window reads the rows of a digest.
type window struct {
	q   *query
	add func(table string, values ...any)
}

func (w *window) all(whole types.Time) error {
	if err := w.trades(); err != nil {
		return err
	}
	for _, t := range []struct{ table, text string }{
		{"position", "SELECT height, commitment, clock, base, since FROM position"},
		{"offers", "SELECT id, closed_at, tx FROM offers"},
		{"moments", "SELECT agreed_at FROM moments"},
		{"auctions", `SELECT p.id, a.commodity, a.zone, a.asset, a.starts, a.lot, a.deposit, a.bond, a.terms, a.arbiter, a.height, a.held_at, a.void, a.orders,
			a.excluded, a.filled, a.trades, a.rounds, a.demanded, a.offered, a.volume, a.value
			FROM auctions a JOIN products p ON p.n = a.product WHERE a.starts >= ?`},
		{"rounds", `SELECT p.id, r.round, r.sellers, r.buyers, r.price, r.volume
			FROM rounds r JOIN auctions a ON a.n = r.auction JOIN products p ON p.n = a.product WHERE a.starts >= ?`},
		{"orders", `SELECT p.id, o.place, o.id, k.key, o.number, o.side, o.quantity, o.price, o.filled, o.standing, o.excluded, o.trades, o.value, o.stake, o.used
			FROM orders o JOIN auctions a ON a.n = o.auction JOIN products p ON p.n = a.product JOIN parties k ON k.n = o.owner WHERE a.starts >= ?`},
	} {
		if err := w.rows(t.table, t.text, whole); err != nil {
			return err
		}
	}
	for _, span := range spans() {
		first := firstSpan(span, &place{base: w.q.at.base, whole: whole})
		err := w.rows("volumes", "SELECT commodity, unit, zone, asset, span, starts, auctions, orders, trades, volume, value FROM volumes WHERE starts >= ? AND span = ?", first, span)
		if err != nil {
			return err
		}
	}
	return w.matches(whole)
}

// rows adds the rows of a query, which may begin with parameters.
func (w *window) rows(table, text string, args ...any) error {
	count := 0
	for _, c := range text {
		if c == '?' {
			count++
		}
	}
	return w.visit(text, args[:count], func(rows *sql.Rows) error {
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		values, into := cells(len(columns))
		if err := rows.Scan(into...); err != nil {
			return err
		}
		w.add(table, values...)
		return nil
	})
}

func (w *window) visit(text string, args []any, visit func(*sql.Rows) error) error {
	rows, err := w.q.tx.QueryContext(w.q.ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := visit(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// trades adds the trades of the table and those in memory.
func (w *window) trades() error {
	add := func(t *Trade, row *tradeRow) {
		if row.agreedAt < w.q.at.base.Clock { // stalls before the window may be unknown
			row.excused = false
		}
		w.add("trades", t.ID[:], t.Producer[:], t.Consumer[:], t.ProductID[:], int64(row.phase), int64(row.deliverBy), int64(row.endedAt), row.appendRest(nil, &row.progress))
	}
	for _, row := range w.q.open.all.rows {
		if !trade.Running(row.phase) {
			continue
		}
		t, err := w.q.listed(row)
		if err != nil {
			return err
		}
		add(&t.Trade, &tradeRow{
			height: row.height, quantity: row.quantity, price: row.price, deposit: row.deposit, bond: row.bond, terms: row.terms, instalments: row.instalments,
			matched: row.matched, agreedAt: row.agreedAt, payBy: row.payBy, deliverBy: row.deliverBy, progress: row.progress,
		})
	}
	return w.visit(`SELECT t.n, t.id, a.key, b.key, p.id, t.phase, t.deliver_by, t.ended_at, t.rest FROM trades t
		JOIN parties a ON a.n = t.producer JOIN parties b ON b.n = t.consumer JOIN products p ON p.n = t.product`, nil, func(rows *sql.Rows) error {
		var t Trade
		row := new(tradeRow)
		var rest []byte
		err := rows.Scan(&row.n, (*id)(&t.ID), (*id)(&t.Producer), (*id)(&t.Consumer), (*id)(&t.ProductID), &row.phase, &row.deliverBy, &row.endedAt, &rest)
		if err == nil {
			err = row.readRest(rest)
		}
		if err == nil {
			add(&t, row)
		}
		return err
	})
}

// matches adds those whose trade is kept.
func (w *window) matches(whole types.Time) error {
	return w.visit(`SELECT p.id, m.place, m.trade, t.id, m.round, m.leaf FROM matches m JOIN auctions a ON a.n = m.auction JOIN products p ON p.n = a.product
		LEFT JOIN trades t ON t.n = m.trade WHERE a.starts >= ?`, []any{whole}, func(rows *sql.Rows) error {
		var product, name []byte
		var place, n, round, leaf int64
		if err := rows.Scan(&product, &place, &n, &name, &round, &leaf); err != nil {
			return err
		}
		if name == nil {
			row := w.q.open.numbered(n)
			if row == nil {
				return nil
			}
			name = row.id[:]
		}
		w.add("matches", product, place, name, round, leaf)
		return nil
	})
}
