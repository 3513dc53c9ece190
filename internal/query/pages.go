package query

import (
	"encoding/binary"
	"encoding/hex"
	"iter"
	"strconv"

	"lockstep/client/wire"
	"lockstep/internal/ledger"
	"lockstep/types"
)

// productsPage returns a page of the open products by gate, after the place of an earlier page.
func productsPage(r ledger.Reader, params *types.Params, after string, limit int) (wire.Products, error) {
	clock := r.Clock()
	page := wire.Products{Height: clock.Height, BlockTime: clock.BlockTime, Products: []wire.Product{}}
	gate, last, err := parseProductPlace(after)
	if err != nil {
		return page, err
	}
	for closes, open := range r.BooksFrom(gate, last) {
		next := product(open.Product, params, wire.ProductOpen, open.Orders)
		if closes == gate && next.ID == last {
			continue
		}
		if len(page.Products) == limit {
			page.Next = productPlace(&page.Products[limit-1])
			break
		}
		page.Products = append(page.Products, next)
	}
	return page, nil
}

func productPlace(p *wire.Product) string {
	return hex.EncodeToString(append(binary.BigEndian.AppendUint64(nil, uint64(p.Gate)), p.ID[:]...))
}

func parseProductPlace(after string) (gate types.Time, id types.ProductID, err error) {
	if after == "" {
		return 0, id, nil
	}
	place, err := hex.DecodeString(after)
	if err != nil || len(place) != 8+len(id) {
		return 0, id, misplaced(after)
	}
	return types.Time(binary.BigEndian.Uint64(place)), types.ProductID(place[8:]), nil
}

func misplaced(after string) error {
	return types.Refuse(types.CodeMalformed, "%.100q is not a place in this list: pass the 'next' of the last page", after)
}

// orderPlace is the first order of a page: an owner and a number.
type orderPlace struct {
	Owner  types.PublicKey
	Number uint8
}

// parseOrderPlace reads the next of an earlier page; the first page has none.
func parseOrderPlace(after string) (p orderPlace, err error) {
	if after == "" {
		return p, nil
	}
	place, err := hex.DecodeString(after)
	if err != nil || len(place) != len(p.Owner)+1 {
		return p, misplaced(after)
	}
	return orderPlace{Owner: types.PublicKey(place[:len(p.Owner)]), Number: place[len(p.Owner)]}, nil
}

func (p orderPlace) String() string {
	return hex.EncodeToString(append(append([]byte{}, p.Owner[:]...), p.Number))
}

// ordersPage returns a page of orders that are sorted by owner and number.
func ordersPage(r ledger.Reader, orders iter.Seq2[*types.PlacedOrder, error], limit int) (wire.BookOrders, error) {
	page := wire.BookOrders{Height: r.Clock().Height, Orders: []wire.BookOrder{}}
	for placed, err := range orders {
		if err != nil {
			return page, err
		}
		if len(page.Orders) == limit {
			page.Next = orderPlace{placed.Order.Owner, placed.Order.Number}.String()
			break
		}
		page.Orders = append(page.Orders, bookOrder(r, placed))
	}
	return page, nil
}

// ordersOfOpen yields the orders of an open product from a place on, for [ordersPage].
func ordersOfOpen(r ledger.Reader, id types.ProductID, from orderPlace) iter.Seq2[*types.PlacedOrder, error] {
	return func(yield func(*types.PlacedOrder, error) bool) {
		for placed := range r.OrdersFrom(id, from.Owner, from.Number) {
			if !yield(placed, nil) {
				return
			}
		}
	}
}

// bookOrder returns an order with the record of its owner.
func bookOrder(r ledger.Reader, placed *types.PlacedOrder) wire.BookOrder {
	record := r.Conduct(placed.Order.Owner, placed.Order.Product.Asset)
	stake, _ := placed.Order.Stake() // fits: checked when it was placed
	return wire.BookOrder{
		ID: placed.Order.ID(), Tx: placed.Tx, Height: placed.Height, Order: placed.Order, Stake: stake, Record: record, Percent: record.Percent(),
	}
}

// listIndex reads a place in a list whose places are indices.
func listIndex(after string) (int, error) {
	if after == "" {
		return 0, nil
	}
	index, err := strconv.ParseUint(after, 10, 31)
	if err != nil {
		return 0, misplaced(after)
	}
	return int(index), nil
}

// Cut returns a page of a list in memory and the place of the next page.
func Cut[T any](list []T, page wire.Page) (items []T, next string, err error) {
	from, err := listIndex(page.After)
	if err != nil {
		return nil, "", err
	}
	from = min(from, len(list))
	to := min(from+page.Limit, len(list))
	if to < len(list) {
		next = strconv.Itoa(to)
	}
	return list[from:to], next, nil
}
