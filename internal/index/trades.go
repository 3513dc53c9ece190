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
	err = x.reading(ctx, func(db *database, tx *sql.Tx) error {
		q := &query{ctx: ctx, tx: tx, queries: &db.queries}
		if answer.At, err = q.position(); err != nil {
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
		var last int64
		var more bool
		answer.Trades, more, err = collect(rows, limit, func(t *Trade) error { return scanListed(rows, t, &last) })
		if more {
			answer.Next = cursorText(listTrades, last)
		}
		return err
	})
	return answer, err
}

// tradeSearch is a filter as the database takes it.
type tradeSearch struct {
	statement *sql.Stmt
	args      []any
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
		s.args = append(s.args, sql.Named("party", n))
	}
	if filter.Product != nil {
		n, known, err := q.number(q.queries.findProduct, id(*filter.Product))
		if err != nil || !known {
			return s, false, err
		}
		s.args = append(s.args, sql.Named("product", n))
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

func scanListed(rows *sql.Rows, t *Trade, n *int64) error {
	var terms int
	err := rows.Scan(n, (*id)(&t.ID), &t.Phase, &t.Height, &t.AgreedAt, (*id)(&t.Producer), (*id)(&t.Consumer), (*id)(&t.ProductID),
		&t.Product.Commodity, &t.Product.Unit, &t.Product.Zone, &t.Product.From, &t.Product.Until, (*id)(&t.Product.Asset),
		&t.Quantity, (*amount)(&t.Price), (*amount)(&t.Deposit), (*amount)(&t.Bond), &terms, &t.Matched, &t.Instalments, &t.Released,
		&t.Allotted, &t.PayBy, &t.DeliverBy, &t.PaidAt, &t.EndedAt, &t.Excused)
	t.Terms = termsName(terms)
	return err
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

// text is the query for filters of a shape. The indexes lead to the trades of one side in one phase in order; where the
// filter leaves side or phase open, as many such streams as needed are merged, so that no row is read in vain.
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
		SELECT t.n, t.id, t.phase, t.height, t.agreed_at, a.key, b.key, p.id,
			p.commodity, p.unit, p.zone, p.starts, p.ends, p.asset,
			t.quantity, t.price, t.deposit, t.bond, t.terms, t.matched, t.instalments, t.released,
			t.allotted, t.pay_by, t.deliver_by, t.paid_at, t.ended_at, t.excused
		FROM found CROSS JOIN trades t ON t.n = found.n CROSS JOIN products p ON p.n = t.product
			CROSS JOIN parties a ON a.n = t.producer CROSS JOIN parties b ON b.n = t.consumer
		ORDER BY t.n DESC`
}

// streams are those of one side, or of any when column is empty.
func (s tradeShape) streams(column string) (streams []string) {
	const from, within = "SELECT n FROM trades WHERE ", "n >= :low AND n < :below"
	where := ""
	if column != "" {
		where = column + " = :party AND "
	}
	if s.product {
		where += "product = :product AND "
	}
	switch {
	case s.phase:
		return []string{from + where + "phase = :phase AND " + within}
	case where == "":
		return []string{from + within} // the table itself has this order
	}
	for phase := types.PhaseAgreed; phase <= lastPhase; phase++ {
		streams = append(streams, fmt.Sprintf("%s%sphase = %d AND %s", from, where, phase, within))
	}
	return streams
}
