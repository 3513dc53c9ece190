package index

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"

	"lockstep/types"
)

// AuctionFilter selects auctions; a zero field does not narrow.
type AuctionFilter struct {
	Commodity *string
	Zone      *string
	Asset     *types.AssetID
	From      types.Time // of the slot's beginning: from here on
	Until     types.Time // and before this
	Oldest    bool       // first; else the newest
}

// Auctions returns the auctions that a filter lets through, by the beginning of their slots.
func (x *Index) Auctions(ctx context.Context, filter AuctionFilter, page Page) (answer Auctions, err error) {
	answer.Auctions = []Auction{}
	limit, err := page.limit()
	if err != nil {
		return answer, err
	}
	search, err := filter.search(page)
	if err != nil {
		return answer, err
	}
	err = x.reading(ctx, func(db *database, tx *sql.Tx) error {
		q := &query{ctx: ctx, tx: tx, queries: &db.queries}
		if q.at, err = q.place(); err != nil {
			return err
		}
		kept := q.at.slots()
		answer.At, answer.Since = q.at.Position, kept.first()
		if err := kept.refuse("auctions", filter.From, filter.Until); err != nil {
			return err
		}
		rows, err := q.rows(db.queries.auctions[filter.shape()], append(search, sql.Named("limit", limit+1))...)
		if err != nil {
			return err
		}
		var numbers []int64
		var more bool
		answer.Auctions, more, err = collect(rows, limit, func(a *Auction) error {
			n, err := scanAuction(rows, a)
			numbers = append(numbers, n)
			return err
		})
		if err != nil {
			return err
		}
		for i := range answer.Auctions {
			if answer.Auctions[i].Rounds, err = q.roundsOf(numbers[i]); err != nil {
				return err
			}
		}
		if more {
			last := len(numbers) - 1
			answer.Next = cursorText(listAuctions, int64(answer.Auctions[last].Product.From), numbers[last])
		}
		return nil
	})
	return answer, err
}

// Auction returns the result of one product's auction; false when none was held up to the index's height.
func (x *Index) Auction(ctx context.Context, product types.ProductID) (auction Auction, held bool, err error) {
	err = x.reading(ctx, func(db *database, tx *sql.Tx) error {
		q := &query{ctx: ctx, tx: tx, queries: &db.queries}
		n, known, err := q.number(db.queries.findProduct, id(product))
		if err != nil || !known {
			return err
		}
		n, err = scanAuction(q.row(db.queries.auctionOf, n), &auction)
		if isNone(err) {
			return nil
		}
		if err != nil {
			return err
		}
		held = true
		auction.Rounds, err = q.roundsOf(n)
		return err
	})
	return auction, held, err
}

func (q *query) roundsOf(auction int64) ([]Round, error) {
	rows, err := q.rows(q.queries.rounds, auction, MaxRounds)
	if err != nil {
		return nil, err
	}
	rounds, _, err := collect(rows, MaxRounds, func(r *Round) error {
		return rows.Scan(&r.Sellers, &r.Buyers, &r.Price, (*amount)(&r.Volume))
	})
	return rounds, err
}

const auctionColumns = `SELECT a.n, p.id, p.commodity, p.unit, p.zone, p.starts, p.ends, p.asset, a.lot, a.deposit, a.bond, a.terms, a.arbiter,
	a.height, a.held_at, a.void, a.orders, a.excluded, a.filled, a.trades, a.rounds, a.demanded, a.offered, a.volume, a.value `

func scanAuction(from interface{ Scan(...any) error }, a *Auction) (n int64, err error) {
	var terms int
	var arbiter []byte
	err = from.Scan(&n, (*id)(&a.ProductID), &a.Product.Commodity, &a.Product.Unit, &a.Product.Zone, &a.Product.From, &a.Product.Until,
		(*id)(&a.Product.Asset), &a.Lot, &a.Deposit, &a.Bond, &terms, &arbiter, &a.Height, &a.HeldAt, &a.Void,
		&a.Orders, &a.Excluded, &a.Filled, &a.Trades, &a.RoundCount, (*total)(&a.Demanded), (*total)(&a.Offered), (*total)(&a.Volume), (*total)(&a.Value))
	a.Terms, a.Average = termsName(terms), quotient(a.Value, a.Volume)
	if key := (types.PublicKey{}); len(arbiter) == len(key) {
		copy(key[:], arbiter)
		a.Arbiter = &key
	}
	return n, err
}

// auctionShape lists the fields that a filter narrows, and the direction.
type auctionShape struct{ commodity, zone, asset, oldest bool }

func auctionShapes() (shapes []auctionShape) {
	for bits := range 16 {
		shapes = append(shapes, auctionShape{bits&1 != 0, bits&2 != 0, bits&4 != 0, bits&8 != 0})
	}
	return shapes
}

func (f *AuctionFilter) shape() auctionShape {
	return auctionShape{f.Commodity != nil, f.Zone != nil, f.Asset != nil, f.Oldest}
}

// text is the query for filters of a shape; there is an index for each.
func (s auctionShape) text() string {
	where, index := "", "auctions_"
	for _, column := range []struct {
		name   string
		narrow bool
	}{{"commodity", s.commodity}, {"zone", s.zone}, {"asset", s.asset}} {
		if column.narrow {
			where += fmt.Sprintf("a.%s = :%s AND ", column.name, column.name)
			index += column.name[:1]
		}
	}
	bounds, order := "a.starts >= :bound AND (a.starts, a.n) < (:starts, :n)", "DESC"
	if s.oldest {
		bounds, order = "a.starts < :bound AND (a.starts, a.n) > (:starts, :n)", "ASC"
	}
	return fmt.Sprintf(`%sFROM auctions a INDEXED BY %s CROSS JOIN products p ON p.n = a.product
		WHERE %s%s ORDER BY a.starts %s, a.n %s LIMIT :limit`,
		auctionColumns, index, where, bounds, order, order)
}

// search is the filter as the database takes it: from the cursor or the near bound on, up to the far one.
func (f *AuctionFilter) search(page Page) (args []any, err error) {
	var place []int64
	var bound int64
	if f.Oldest {
		place, err = parseCursor(page.After, listAuctions, -1, 0)
		if err == nil {
			place = larger(place, []int64{moment(f.From), -1})
		}
		bound = untilMoment(f.Until)
	} else {
		place, err = parseCursor(page.After, listAuctions, math.MaxInt64, 0)
		if err == nil {
			place = smaller(place, []int64{untilMoment(f.Until), -1})
		}
		bound = moment(f.From)
	}
	if err != nil {
		return nil, err
	}
	args = []any{sql.Named("bound", bound), sql.Named("starts", place[0]), sql.Named("n", place[1])}
	if f.Commodity != nil {
		args = append(args, sql.Named("commodity", *f.Commodity))
	}
	if f.Zone != nil {
		args = append(args, sql.Named("zone", *f.Zone))
	}
	if f.Asset != nil {
		args = append(args, sql.Named("asset", id(*f.Asset)))
	}
	return args, nil
}

// VolumeSpan is the length of time over which volumes are summed, in milliseconds.
type VolumeSpan types.Duration

// The spans, in UTC. A slot counts where it begins.
const (
	Hourly VolumeSpan = 3600 * 1000
	Daily  VolumeSpan = 24 * Hourly
)

func spans() []VolumeSpan { return []VolumeSpan{Hourly, Daily} }

// Market identifies the summed products: all slots of a commodity in a zone for an asset.
type Market struct {
	Commodity string
	Unit      string
	Zone      string
	Asset     types.AssetID
}

// VolumeFilter says which volumes.
type VolumeFilter struct {
	Market Market
	Span   VolumeSpan
	From   types.Time // beginning of the span: from here on
	Until  types.Time // and before this; zero for no end
	Oldest bool       // first; else the newest
}

// Volumes returns the traded volume of each hour or day in which an auctioned slot of a market began.
func (x *Index) Volumes(ctx context.Context, filter VolumeFilter, page Page) (answer Volumes, err error) {
	answer.Volumes = []Volume{}
	limit, err := page.limit()
	if err != nil {
		return answer, err
	}
	if !slices.Contains(spans(), filter.Span) {
		return answer, types.Refuse(types.CodeMalformed, "volumes are summed by the hour or by the day")
	}
	low, below := moment(filter.From), untilMoment(filter.Until)
	after, err := parseCursor(page.After, listVolumes, -1)
	switch {
	case err != nil:
		return answer, err
	case page.After == "":
	case filter.Oldest:
		low = max(low, after[0]+1)
	default:
		below = min(below, after[0])
	}
	m := &filter.Market
	err = x.reading(ctx, func(db *database, tx *sql.Tx) error {
		q := &query{ctx: ctx, tx: tx, queries: &db.queries}
		if q.at, err = q.place(); err != nil {
			return err
		}
		kept := q.at.slots()
		kept.Clock = firstSpan(filter.Span, &q.at)
		answer.At, answer.Since = q.at.Position, kept.first()
		if err := kept.refuse("volumes", filter.From, filter.Until); err != nil {
			return err
		}
		rows, err := q.rows(db.queries.volumes[filter.Oldest], m.Commodity, m.Unit, m.Zone, id(m.Asset), filter.Span, low, below, limit+1)
		if err != nil {
			return err
		}
		var more bool
		answer.Volumes, more, err = collect(rows, limit, func(v *Volume) error {
			err := rows.Scan(&v.Starts, &v.Auctions, &v.Orders, &v.Trades, (*total)(&v.Volume), (*total)(&v.Value))
			v.Average = quotient(v.Value, v.Volume)
			return err
		})
		if more {
			answer.Next = cursorText(listVolumes, int64(answer.Volumes[limit-1].Starts))
		}
		return err
	})
	return answer, err
}

func volumesText(oldest bool) string {
	return `SELECT starts, auctions, orders, trades, volume, value FROM volumes
		WHERE commodity = ? AND unit = ? AND zone = ? AND asset = ? AND span = ? AND starts >= ? AND starts < ?
		ORDER BY starts ` + map[bool]string{true: "ASC", false: "DESC"}[oldest] + ` LIMIT ?`
}
