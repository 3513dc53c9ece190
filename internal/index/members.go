package index

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"

	"lockstep/types"
)

// FillFilter says whose orders.
type FillFilter struct {
	Owner   types.PublicKey
	Product *types.ProductID // only those of this product
}

const fillsText = `SELECT o.auction, o.place, p.id, p.commodity, p.unit, p.zone, p.starts, p.ends, p.asset, a.lot, a.height, a.held_at, a.void,
	o.id, o.number, o.side, o.quantity, o.price, o.standing, o.filled, o.value, o.stake, o.used, o.excluded, o.trades
	FROM orders o INDEXED BY orders_owner CROSS JOIN auctions a ON a.n = o.auction CROSS JOIN products p ON p.n = a.product
	WHERE o.owner = :party AND o.auction >= :low AND (o.auction, o.place) < (:auction, :place)
	ORDER BY o.auction DESC, o.place DESC LIMIT :limit`

const fillTradesText = `SELECT m.trade, t.id, t.rest, r.price, m.leaf
	FROM matches m LEFT JOIN trades t ON t.n = m.trade JOIN rounds r ON r.auction = m.auction AND r.round = m.round
	WHERE m.auction = ? AND m.place = ? ORDER BY m.trade LIMIT ?`

// fillRow is a fill with its place in the auctions.
type fillRow struct {
	Fill
	auction, place int64
}

// Fills returns the auctioned orders of a key, newest first, with their fills. Standing orders are
// in the ledger's state.
func (x *Index) Fills(ctx context.Context, filter FillFilter, page Page) (answer Fills, err error) {
	answer.Fills = []Fill{}
	limit, err := page.limit()
	if err != nil {
		return answer, err
	}
	after, err := parseCursor(page.After, listFills, math.MaxInt64, 0)
	if err != nil {
		return answer, err
	}
	err = x.asking(ctx, func(q *query) error {
		answer.At, answer.Since = q.at.Position, q.at.slots().first()
		args, some, err := q.fillSearch(&filter, after)
		if err != nil || !some {
			return err
		}
		rows, err := q.rows(q.queries.fills, append(args, sql.Named("limit", limit+1))...)
		if err != nil {
			return err
		}
		found, more, err := collect(rows, limit, func(f *fillRow) error { return scanFill(rows, f) })
		if err != nil {
			return err
		}
		for i := range found {
			if found[i].Trades, err = q.fillTrades(&found[i]); err != nil {
				return err
			}
			answer.Fills = append(answer.Fills, found[i].Fill)
		}
		if more {
			answer.Next = cursorText(listFills, found[limit-1].auction, found[limit-1].place)
		}
		return nil
	})
	return answer, err
}

// fillSearch is a filter as the database takes it; false when nothing can pass it.
func (q *query) fillSearch(filter *FillFilter, after []int64) (args []any, some bool, err error) {
	party, known, err := q.number(q.queries.findParty, id(filter.Owner))
	if err != nil || !known {
		return nil, false, err
	}
	var low int64
	if filter.Product != nil {
		product, known, err := q.number(q.queries.findProduct, id(*filter.Product))
		if err != nil || !known {
			return nil, false, err
		}
		low, err = scanAuction(q.row(q.queries.auctionOf, product), new(Auction))
		if isNone(err) {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		after = smaller(after, []int64{low + 1, 0})
	}
	return []any{sql.Named("party", party), sql.Named("low", low), sql.Named("auction", after[0]), sql.Named("place", after[1])}, true, nil
}

func scanFill(rows *sql.Rows, f *fillRow) error {
	p := &f.Product
	return rows.Scan(&f.auction, &f.place, (*id)(&f.ProductID), &p.Commodity, &p.Unit, &p.Zone, &p.From, &p.Until, (*id)(&p.Asset),
		&f.Lot, &f.Height, &f.HeldAt, &f.Void, (*id)(&f.Order), &f.Number, &f.Side, &f.Quantity, &f.Limit,
		&f.Standing, &f.Filled, (*total)(&f.Value), (*amount)(&f.Stake), (*amount)(&f.Used), &f.Excluded, &f.Count)
}

func (q *query) fillTrades(f *fillRow) ([]FillTrade, error) {
	if f.Count == 0 {
		return []FillTrade{}, nil
	}
	rows, err := q.rows(q.queries.fillTrades, f.auction, f.place, MaxFillTrades)
	if err != nil {
		return nil, err
	}
	trades, _, err := collect(rows, MaxFillTrades, func(t *FillTrade) error { return q.scanFillTrade(rows, t) })
	trades = slices.DeleteFunc(trades, func(t FillTrade) bool { return t.ID == types.TradeID{} })
	return trades, err
}

// scanFillTrade reads a match with its trade, from the table or from memory. A trade that is pruned has no ID.
func (q *query) scanFillTrade(rows *sql.Rows, t *FillTrade) error {
	row := new(tradeRow)
	var name, rest []byte
	if err := rows.Scan(&row.n, &name, &rest, &t.LotPrice, &t.Leaf); err != nil {
		return err
	}
	if name == nil {
		row = q.open.numbered(row.n)
		if row == nil && q.at.base.Height > 0 {
			return nil
		}
		if row == nil {
			return fmt.Errorf("%w: the trade of a match is missing", ErrDamaged)
		}
		t.ID = row.id
	} else if err := errors.Join((*id)(&t.ID).Scan(name), row.readRest(rest)); err != nil {
		return err
	}
	t.Quantity, t.Price = row.quantity, row.price
	return nil
}

// Member returns the conduct of a key in its trades, for each asset.
func (x *Index) Member(ctx context.Context, key types.PublicKey, page Page) (answer Member, err error) {
	answer.Assets = []Statistics{}
	limit, err := page.limit()
	if err != nil {
		return answer, err
	}
	words, err := parseCursor(page.After, listMember, 0, 0, 0, 0)
	if err != nil {
		return answer, err
	}
	after := fromWords(words)
	err = x.asking(ctx, func(q *query) error {
		answer.At, answer.Since = q.at.Position, q.at.begun.first()
		party, known, err := q.number(q.queries.findParty, id(key))
		if err != nil || !known {
			return err
		}
		rows, err := q.rows(q.queries.conduct, party, after, limit+1)
		if err != nil {
			return err
		}
		found, _, err := collect(rows, limit+1, func(s *Statistics) error {
			var sums []byte
			if err := rows.Scan((*id)(&s.Asset), &sums); err != nil {
				return err
			}
			return decodeConduct(sums, s)
		})
		if err != nil {
			return err
		}
		open := conductOf(q.open, &party)
		for i := range found {
			if of := open[conductKey{party, found[i].Asset}]; of != nil {
				found[i].addOpen(of)
				delete(open, conductKey{party, found[i].Asset})
			}
		}
		for key, of := range open { // any order: sorted below. Those up to the cursor, and behind the last row of a full page, are on other pages
			full := len(found) > limit && bytes.Compare(key.asset[:], found[limit].Asset[:]) > 0
			if bytes.Compare(key.asset[:], after[:]) > 0 && !full {
				found = append(found, *of)
			}
		}
		slices.SortFunc(found, func(a, b Statistics) int { return bytes.Compare(a.Asset[:], b.Asset[:]) })
		if len(found) > limit {
			found = found[:limit]
			answer.Next = cursorText(listMember, toWords(found[limit-1].Asset)...)
		}
		answer.Assets = found
		return nil
	})
	return answer, err
}
