package query

import (
	"cmp"
	"fmt"
	"slices"

	"lockstep/client/wire"
	"lockstep/internal/ledger"
	"lockstep/market"
	"lockstep/types"
)

const (
	// maxIndicative bounds the orders of a book whose indicative auction is computed: more would take the node too long.
	maxIndicative = 20_000
	// maxLevels bounds the levels of each side in an answer.
	maxLevels = 1_000
)

// openBook returns an open product with its depth and the indicative result; false when it has no orders.
func openBook(r ledger.Reader, params *types.Params, id types.ProductID) (wire.Book, bool) {
	known, open := r.Book(id)
	if !open {
		return wire.Book{}, false
	}
	clock := r.Clock()
	book := wire.Book{
		Height: clock.Height, BlockTime: clock.BlockTime, Product: product(known.Product, params, wire.ProductOpen, known.Orders),
	}
	indicative := known.Orders <= maxIndicative
	sides := map[types.Side]map[types.Amount]*wire.Level{types.Bid: {}, types.Sell: {}}
	var orders []*types.PlacedOrder
	for placed := range r.Orders(id) {
		order := &placed.Order
		level := sides[order.Side][order.Limit]
		if level == nil {
			level = &wire.Level{Limit: order.Limit}
			sides[order.Side][order.Limit] = level
		}
		level.Quantity += order.Quantity
		level.Orders++
		if indicative {
			orders = append(orders, placed)
		}
	}
	book.Bids, book.Offers = depth(sides[types.Bid], -1), depth(sides[types.Sell], 1)
	if !indicative {
		book.Omitted = fmt.Sprintf("the book has more than %d orders; fetch them and compute the auction yourself", maxIndicative)
	}
	outcome := market.Auction(entrants(r, orders), &book.Product.Grid, id).Rounds
	book.Indicative, book.IndicativeCount = append([]types.Round{}, outcome[:min(len(outcome), wire.MaxRounds)]...), len(outcome)
	return book, true
}

// depth sorts the levels of one side, best limit first; direction is 1 when that is the lowest.
func depth(side map[types.Amount]*wire.Level, direction int) []wire.Level {
	levels := make([]wire.Level, 0, len(side))
	for _, level := range side {
		levels = append(levels, *level)
	}
	slices.SortFunc(levels, func(a, b wire.Level) int { return direction * cmp.Compare(a.Limit, b.Limit) })
	return levels[:min(len(levels), maxLevels)]
}

// entrants returns the entrants of an auction that is held now. A retired meter is detected only at the gate.
func entrants(r ledger.Reader, orders []*types.PlacedOrder) []market.Entrant {
	demanding := slices.ContainsFunc(orders, func(o *types.PlacedOrder) bool { return o.Order.MinRecord > 0 })
	list := make([]market.Entrant, 0, len(orders))
	for _, placed := range orders {
		order := &placed.Order
		entrant := market.Entrant{Order: order}
		if demanding {
			record := r.Conduct(order.Owner, order.Product.Asset)
			entrant.Record = record.Percent()
		}
		list = append(list, entrant)
	}
	return list
}

func product(p types.Product, params *types.Params, state string, orders uint32) wire.Product {
	told := wire.Product{
		ID: p.ID(), Product: p, Opens: p.Opens(params), Withdrawable: p.Withdrawable(params), Gate: p.Gate(params), State: state, Orders: orders,
	}
	if grid, ok := params.Grid(&p); ok { // of every product that has or had orders
		told.Grid = *grid
	}
	return told
}

// clearedBook returns a product whose auction was held, with a summary and the first rounds.
func clearedBook(a *wire.Auction, first []types.Round, r ledger.Reader, params *types.Params) wire.Book {
	clock := r.Clock()
	return wire.Book{
		Height: clock.Height, BlockTime: clock.BlockTime, Product: product(a.Product, params, wire.ProductCleared, uint32(a.ResultCount)),
		Bids: []wire.Level{}, Offers: []wire.Level{}, Indicative: []types.Round{},
		Held: &wire.Held{
			Height: a.Height, BlockTime: a.BlockTime, Clock: a.Clock, Void: a.Void,
			Rounds: first, RoundCount: a.RoundCount, Trades: uint32(a.TradeCount),
		},
	}
}

// auctionHead returns the auction of a product without the lengths of its lists, which the caller adds.
func auctionHead(a *types.Auction) wire.Auction {
	return wire.Auction{ID: a.Product.ID(), Product: a.Product, Grid: a.Grid, Height: a.Height, BlockTime: a.BlockTime, Clock: a.Clock, Void: a.Void}
}

// recordOf returns the record of a key in one asset.
func recordOf(r ledger.Reader, key types.PublicKey, asset types.AssetID) wire.KeyRecords {
	record := r.Conduct(key, asset)
	return wire.KeyRecords{Key: key, Height: r.Clock().Height, Records: []wire.KeyRecord{keyRecord(asset, record)}}
}

func keyRecord(asset types.AssetID, record types.Conduct) wire.KeyRecord {
	return wire.KeyRecord{Asset: asset, Record: record, Percent: record.Percent()}
}

// recordsPage returns a page of the records of a key by asset, after the place of an earlier page.
func recordsPage(r ledger.Reader, key types.PublicKey, after string, limit int) (wire.KeyRecords, error) {
	page := wire.KeyRecords{Key: key, Height: r.Clock().Height, Records: []wire.KeyRecord{}}
	var from types.AssetID
	if after != "" {
		if err := from.UnmarshalText([]byte(after)); err != nil {
			return page, misplaced(after)
		}
	}
	for asset, record := range r.ConductsFrom(key, from) {
		if after != "" && asset == from {
			continue
		}
		if len(page.Records) == limit {
			page.Next = page.Records[limit-1].Asset.String()
			break
		}
		page.Records = append(page.Records, keyRecord(asset, *record))
	}
	return page, nil
}
