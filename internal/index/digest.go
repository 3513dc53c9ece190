package index

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"hash"
	"maps"
	"math"
	"slices"
	"strings"

	"lockstep/trade"
	"lockstep/types"
)

// Counts is how much the index holds.
type Counts struct {
	Blocks   uint64 `json:"blocks"`
	Trades   uint64 `json:"trades"`
	Auctions uint64 `json:"auctions"`
	Orders   uint64 `json:"orders"` // that came to an auction
	Parties  uint64 `json:"parties"`
}

// Counts returns how much the index holds. It counts the orders one by one.
func (x *Index) Counts(ctx context.Context) (c Counts, err error) {
	err = x.reading(ctx, func(_ *database, tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT height, trades, auctions, (SELECT count(*) FROM orders),
			(SELECT coalesce(max(n), 0) FROM parties) FROM position`).Scan(&c.Blocks, &c.Trades, &c.Auctions, &c.Orders, &c.Parties)
	})
	return c, err
}

// Digest is a SHA-256 of all that the index holds. It depends on the chain up to the index's height and on nothing else: not on the time or the
// size of the batches, nor on where a trade stands. It reads everything, and the follower waits meanwhile.
func (x *Index) Digest(ctx context.Context) (types.Hash, error) {
	digest := sha256.New()
	err := x.asking(ctx, func(q *query) error {
		digest.Reset()
		for _, table := range tables() {
			if err := digestTable(ctx, q.tx, table, digest); err != nil {
				return err
			}
		}
		if err := q.digestConduct(digest); err != nil {
			return err
		}
		return q.digestTrades(digest)
	})
	return types.Hash(digest.Sum(nil)), err
}

// digestConduct adds the conduct of the parties, with their trades in memory.
func (q *query) digestConduct(digest hash.Hash) error {
	rows, err := q.tx.QueryContext(q.ctx, "SELECT party, asset, sums FROM conduct ORDER BY party, asset")
	if err != nil {
		return err
	}
	defer rows.Close()
	open := conductOf(q.open, nil)
	keys := slices.SortedFunc(maps.Keys(open), compareConduct)
	write := func(key conductKey, s *Statistics) {
		for _, value := range []any{key.party, key.asset[:], encodeConduct(s)} {
			digest.Write(digestValue(value))
		}
	}
	for rows.Next() {
		var key conductKey
		var sums []byte
		if err := rows.Scan(&key.party, (*id)(&key.asset), &sums); err != nil {
			return err
		}
		statistics := Statistics{Asset: key.asset}
		if err := decodeConduct(sums, &statistics); err != nil {
			return err
		}
		for ; len(keys) > 0 && compareConduct(keys[0], key) < 0; keys = keys[1:] {
			write(keys[0], open[keys[0]])
		}
		if len(keys) > 0 && keys[0] == key {
			statistics.addOpen(open[key])
			keys = keys[1:]
		}
		write(key, &statistics)
	}
	for _, key := range keys {
		write(key, open[key])
	}
	return rows.Err()
}

// digestTrades adds the trades in the order of their numbers: those of the table and those in memory.
func (q *query) digestTrades(digest hash.Hash) error {
	rows, err := q.tx.QueryContext(q.ctx, "SELECT n, id, producer, consumer, product, phase, deliver_by, ended_at, rest FROM trades ORDER BY n")
	if err != nil {
		return err
	}
	defer rows.Close()
	open := slices.DeleteFunc(slices.Clone(q.open.all.rows), func(r *tradeRow) bool { return !trade.Running(r.phase) })
	write := func(r *tradeRow, product, phase int64, rest []byte) {
		for _, value := range []any{r.n, r.id[:], r.producer, r.consumer, product, phase, int64(r.deliverBy), int64(r.endedAt), rest} {
			digest.Write(digestValue(value))
		}
	}
	upTo := func(n int64) {
		for ; len(open) > 0 && open[0].n < n; open = open[1:] {
			write(open[0], open[0].product.n, int64(open[0].phase), open[0].appendRest(nil, &open[0].progress))
		}
	}
	for rows.Next() {
		var r tradeRow
		var product, phase int64
		var rest []byte
		if err := rows.Scan(&r.n, (*id)(&r.id), &r.producer, &r.consumer, &product, &phase, &r.deliverBy, &r.endedAt, &rest); err != nil {
			return err
		}
		upTo(r.n)
		write(&r, product, phase, rest)
	}
	upTo(math.MaxInt64)
	return rows.Err()
}

func digestTable(ctx context.Context, tx *sql.Tx, t table, digest hash.Hash) error {
	var order []string
	for column := range t.key {
		order = append(order, fmt.Sprint(column+1))
	}
	rows, err := tx.QueryContext(ctx, fmt.Sprintf("SELECT * FROM %s ORDER BY %s", t.name, strings.Join(order, ", ")))
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, into := cells(len(columns))
	fmt.Fprintf(digest, "%s %d\n", t.name, len(columns))
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for _, value := range values {
			digest.Write(digestValue(value))
		}
	}
	return rows.Err()
}

// cells returns room for the values of a row, and the pointers by which a scan fills it.
func cells(columns int) (values, into []any) {
	values, into = make([]any, columns), make([]any, columns)
	for i := range values {
		into[i] = &values[i]
	}
	return values, into
}

// digestValue writes a value so that no two rows read alike: its type, its length, itself.
func digestValue(value any) []byte {
	switch v := value.(type) {
	case int64:
		return binary.BigEndian.AppendUint64([]byte{'i'}, uint64(v))
	case string:
		return append(binary.BigEndian.AppendUint64([]byte{'s'}, uint64(len(v))), v...)
	case []byte:
		return append(binary.BigEndian.AppendUint64([]byte{'b'}, uint64(len(v))), v...)
	}
	panic(fmt.Sprintf("index: a column holds a %T", value)) // the tables are strict
}
