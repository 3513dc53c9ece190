package index

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strings"

	"lockstep/types"
)

// Role is a party's side in a trade.
type Role uint8

// The roles. The zero Role is either of them.
const (
	Producer Role = 1
	Consumer Role = 2
)

// TradeFilter selects trades; a zero field does not narrow. All fields can be combined.
type TradeFilter struct {
	Party   *types.PublicKey
	Role    Role // of the party; of no account without one
	Product *types.ProductID
	Phase   types.Phase
	From    types.Time // of the agreement, by the ledger clock: from here on
	Until   types.Time // and before this
}

// Trades returns the trades that a filter lets through, newest first.
func (x *Index) Trades(ctx context.Context, filter TradeFilter, page Page) (answer Trades, err error) {
	answer.Trades = []Trade{}
	limit, err := page.limit()
	if err != nil {
		return answer, err
	}
	after, err := parseCursor(page.After, listTrades, math.MaxInt64)
	if err != nil {
		return answer, err
	}
	err = x.asking(ctx, func(q *query) error {
		answer.At, answer.Since = q.at.Position, q.at.base.first()
		if err := q.at.base.refuse("trades", filter.From, filter.Until); err != nil {
			return err
		}
		search, some, err := q.tradeSearch(&filter, after[0])
		if err != nil || !some {
			return err
		}
		rows, err := q.rows(search.statement, append(search.args, sql.Named("limit", limit+1))...)
		if err != nil {
			return err
		}
		found, _, err := collect(rows, limit+1, func(t *listedTrade) error { return t.scan(rows) })
		if err != nil {
			return err
		}
		if found, err = q.withOpen(found, &filter, &search, limit+1); err != nil {
			return err
		}
		if len(found) > limit {
			found = found[:limit]
			answer.Next = cursorText(listTrades, found[limit-1].n)
		}
		for i := range found {
			answer.Trades = append(answer.Trades, found[i].Trade)
		}
		return nil
	})
	return answer, err
}

// listedTrade is a trade with its number.
type listedTrade struct {
	Trade
	n int64
}

// withOpen adds the trades that go on to those of the table, newest first, at most so many in all.
func (q *query) withOpen(found []listedTrade, filter *TradeFilter, search *tradeSearch, limit int) ([]listedTrade, error) {
	var open []*tradeRow
	q.open.visit(search.party, search.product, filter.Role, search.below, func(row *tradeRow) bool {
		if row.n < search.low {
			return false
		}
		if filter.Phase == 0 || row.phase == filter.Phase {
			open = append(open, row)
		}
		return len(open) < limit
	})
	if len(open) == 0 {
		return found, nil
	}
	all := make([]listedTrade, 0, min(limit, len(found)+len(open)))
	for len(all) < limit && len(found)+len(open) > 0 {
		if len(open) == 0 || len(found) > 0 && found[0].n > open[0].n {
			all, found = append(all, found[0]), found[1:]
			continue
		}
		listed, err := q.listed(open[0])
		if err != nil {
			return nil, err
		}
		all, open = append(all, listed), open[1:]
	}
	return all, nil
}

// listed returns a trade in memory as a list has it.
func (q *query) listed(row *tradeRow) (t listedTrade, err error) {
	t = listedTrade{n: row.n, Trade: Trade{ID: row.id, ProductID: row.product.id, Product: row.product.Product}}
	if err = q.row(q.queries.keyOf, row.producer).Scan((*id)(&t.Producer)); err == nil {
		err = q.row(q.queries.keyOf, row.consumer).Scan((*id)(&t.Consumer))
	}
	t.take(row)
	return t, err
}

// tradeSearch is a filter as the database takes it.
type tradeSearch struct {
	statement      *sql.Stmt
	args           []any
	low, below     int64 // of the trades' numbers
	party, product *int64
}

// tradeSearch prepares a filter; false when nothing can pass it.
func (q *query) tradeSearch(filter *TradeFilter, below int64) (s tradeSearch, some bool, err error) {
	low, err := q.tradeSince(filter.From)
	if err != nil {
		return s, false, err
	}
	if filter.Until != 0 {
		until, err := q.tradeSince(filter.Until)
		if err != nil {
			return s, false, err
		}
		below = min(below, until)
	}
	s.low, s.below = low, below
	s.args = []any{sql.Named("low", low), sql.Named("below", below)}
	shape := tradeShape{product: filter.Product != nil, phase: filter.Phase != 0}
	if shape.phase {
		s.args = append(s.args, sql.Named("phase", filter.Phase))
	}
	if filter.Party != nil {
		shape.party, shape.role = true, filter.Role
		n, known, err := q.number(q.queries.findParty, id(*filter.Party))
		if err != nil || !known {
			return s, false, err
		}
		s.party, s.args = &n, append(s.args, sql.Named("party", n))
	}
	if filter.Product != nil {
		n, known, err := q.number(q.queries.findProduct, id(*filter.Product))
		if err != nil || !known {
			return s, false, err
		}
		s.product, s.args = &n, append(s.args, sql.Named("product", n))
	}
	statement, ok := q.queries.trades[shape]
	if !ok {
		return s, false, types.Refuse(types.CodeMalformed, "a party is a producer (1), a consumer (2) or either (0), not %d", filter.Role)
	}
	s.statement = statement
	return s, low < below, nil
}

// tradeSince is the number of the first trade that was agreed at a moment or later; beyond all when there is none.
func (q *query) tradeSince(at types.Time) (int64, error) {
	if at == 0 {
		return 0, nil
	}
	n, known, err := q.number(q.queries.tradeSince, moment(at))
	if !known {
		n = math.MaxInt64
	}
	return n, err
}

// scan reads a row of the table.
func (t *listedTrade) scan(rows *sql.Rows) error {
	row := new(tradeRow)
	var rest []byte
	err := rows.Scan(&row.n, (*id)(&t.ID), &row.phase, &row.deliverBy, &row.endedAt, (*id)(&t.Producer), (*id)(&t.Consumer), (*id)(&t.ProductID),
		&t.Product.Commodity, &t.Product.Unit, &t.Product.Zone, &t.Product.From, &t.Product.Until, (*id)(&t.Product.Asset), &rest)
	if err == nil {
		err = row.readRest(rest)
	}
	t.n = row.n
	t.take(row)
	return err
}

// take takes over the columns that are no names.
func (t *Trade) take(row *tradeRow) {
	t.Phase, t.Height, t.AgreedAt, t.Quantity, t.Price, t.Deposit, t.Bond = row.phase, row.height, row.agreedAt, row.quantity, row.price, row.deposit, row.bond
	t.Terms, t.Matched, t.Instalments, t.Released, t.Allotted = termsName(row.terms), row.matched, row.instalments, row.released, row.allotted
	t.PayBy, t.DeliverBy, t.PaidAt, t.EndedAt, t.Excused = row.payBy, row.deliverBy, row.paidAt, row.endedAt, row.excused
}

// termsName is the name of fallback terms of a [termsRank].
func termsName(rank int) string { return []string{"", "meter", "arbiter", "hold"}[rank&3] }

// tradeShape lists the fields that a filter narrows.
type tradeShape struct {
	party   bool
	role    Role
	product bool
	phase   bool
}

func tradeShapes() (shapes []tradeShape) {
	for _, product := range []bool{false, true} {
		for _, phase := range []bool{false, true} {
			shapes = append(shapes, tradeShape{product: product, phase: phase})
			for _, role := range []Role{0, Producer, Consumer} {
				shapes = append(shapes, tradeShape{true, role, product, phase})
			}
		}
	}
	return shapes
}

const lastPhase = types.PhaseLapsed

// text is the query for filters of a shape. The indexes lead to the trades of one side, or of one product, in one phase in order; where the
// filter leaves side or phase open, as many such streams as needed are merged.
func (s tradeShape) text() string {
	columns := []string{""}
	switch {
	case s.party && s.role == Producer:
		columns = []string{"producer"}
	case s.party && s.role == Consumer:
		columns = []string{"consumer"}
	case s.party:
		columns = []string{"producer", "consumer"}
	}
	var streams []string
	for _, column := range columns {
		streams = append(streams, s.streams(column)...)
	}
	return `WITH found (n) AS (` + strings.Join(streams, " UNION ALL ") + ` ORDER BY n DESC LIMIT :limit)
		SELECT t.n, t.id, t.phase, t.deliver_by, t.ended_at, a.key, b.key, p.id, p.commodity, p.unit, p.zone, p.starts, p.ends, p.asset, t.rest
		FROM found CROSS JOIN trades t ON t.n = found.n CROSS JOIN products p ON p.n = t.product
			CROSS JOIN parties a ON a.n = t.producer CROSS JOIN parties b ON b.n = t.consumer
		ORDER BY t.n DESC`
}

// streams are those of one side, or of any when column is empty. Those of a product read its trades of all parties: a product is one slot.
func (s tradeShape) streams(column string) (streams []string) {
	const from, within = "SELECT n FROM trades ", "n >= :low AND n < :below"
	where := from + "WHERE "
	switch {
	case s.product && column != "":
		where = from + "INDEXED BY trades_product WHERE product = :product AND " + column + " = :party AND "
	case s.product:
		where = from + "INDEXED BY trades_product WHERE product = :product AND "
	case column != "":
		where = from + "WHERE " + column + " = :party AND "
	case !s.phase:
		return []string{where + within} // the table itself has this order
	}
	if s.phase {
		return []string{where + "phase = :phase AND " + within}
	}
	for phase := types.PhaseAgreed; phase <= lastPhase; phase++ {
		streams = append(streams, fmt.Sprintf("%sphase = %d AND %s", where, phase, within))
	}
	return streams
}
