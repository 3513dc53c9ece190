package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"lockstep/internal/ledger"
	"lockstep/types"
	"lockstep/types/canon"
)

// An auction leaves the state as its matches become trades. The data for recomputing it is kept outside the state: the placed orders, and
// the result, whose lists are split into pages, since they may be long.
const auctionPage = 1024

func auctionKey(id types.ProductID) []byte { return append([]byte{prefixAuction}, id[:]...) }

func auctionPageKey(id types.ProductID, list byte, page int) []byte {
	return binary.BigEndian.AppendUint32(append(auctionKey(id), list), uint32(page))
}

const (
	listRounds  = 'o'
	listResults = 'r'
	listTrades  = 't'
)

// archiveAuctions writes the auctions, matches and removed orders of a block.
func (w *writer) archiveAuctions(diff *ledger.Diff) {
	for _, auction := range diff.Auctions {
		id := auction.Product.ID()
		head := *auction
		head.Rounds, head.Results, head.Trades = nil, nil, nil
		w.set(auctionKey(id), types.Encode(&head))
		putPages(w, id, listRounds, auction.Rounds)
		putPages(w, id, listResults, auction.Results)
	}
	for _, matched := range diff.Matched {
		w.set(auctionPageKey(matched.Product, listTrades, int(matched.Page)), types.Encode(&listPage[types.MatchTrade, *types.MatchTrade]{matched.Trades}))
	}
	for _, change := range diff.Departed {
		w.set(append([]byte{prefixPlaced}, change.Key[1:]...), change.Old)
	}
}

// Item is an entry of an auction's list.
type Item[T any] interface {
	*T
	canon.Value
}

// listPage is one page of an auction's list in the canonical encoding.
type listPage[T any, P Item[T]] struct{ items []T }

func (l *listPage[T, P]) Fields(c *canon.Coder) {
	canon.List(c, "items", &l.items, func(entry *T, c *canon.Coder) { P(entry).Fields(c) })
}

func putPages[T any, P Item[T]](w *writer, id types.ProductID, list byte, items []T) {
	for page := 0; page*auctionPage < len(items); page++ {
		part := items[page*auctionPage : min((page+1)*auctionPage, len(items))]
		w.set(auctionPageKey(id, list, page), types.Encode(&listPage[T, P]{part}))
	}
}

// Auction returns the auction of a product; nil before it was held and all of its matches are trades.
func (s *IndexedSnapshot) Auction(id types.ProductID) (*types.Auction, error) {
	if s.Reader.Held(id) {
		return nil, nil
	}
	auction, err := s.auctionHead(id)
	if auction == nil || err != nil {
		return nil, err
	}
	if auction.Rounds, err = getPages[types.Round](s, id, listRounds); err != nil {
		return nil, err
	}
	if auction.Results, err = getPages[types.Result](s, id, listResults); err != nil {
		return nil, err
	}
	auction.Trades, err = getPages[types.MatchTrade](s, id, listTrades)
	return auction, err
}

func (s *IndexedSnapshot) auctionHead(id types.ProductID) (*types.Auction, error) {
	encoded, err := get(s.db, auctionKey(id))
	if encoded == nil || err != nil {
		return nil, err
	}
	auction := new(types.Auction)
	if err := types.Decode(encoded, auction); err != nil {
		return nil, fmt.Errorf("read the auction of product %s: %w", id, err)
	}
	return auction, nil
}

// AuctionHead is an auction with the lengths of its lists.
type AuctionHead struct {
	types.Auction           // without its lists
	Rounds, Results, Trades int
}

// AuctionHead returns the auction of a product without its lists; nil before it was held. The number of trades grows until all matches are
// trades.
func (s *IndexedSnapshot) AuctionHead(id types.ProductID) (*AuctionHead, error) {
	auction, err := s.auctionHead(id)
	if auction == nil || err != nil {
		return nil, err
	}
	head := &AuctionHead{Auction: *auction}
	if head.Rounds, err = listLength[types.Round](s, id); err != nil {
		return nil, err
	}
	if head.Results, err = listLength[types.Result](s, id); err != nil {
		return nil, err
	}
	head.Trades, err = listLength[types.MatchTrade](s, id)
	return head, err
}

// listName returns the name of the list whose items have a type.
func listName[T any]() byte {
	switch any((*T)(nil)).(type) {
	case *types.Round:
		return listRounds
	case *types.Result:
		return listResults
	default:
		return listTrades
	}
}

// listLength counts the items of a list by its last page: all other pages are full.
func listLength[T any, P Item[T]](s *IndexedSnapshot, id types.ProductID) (int, error) {
	prefix := append(auctionKey(id), listName[T]())
	last, err := lastKey(s.db, prefix, after(prefix))
	if last == nil || err != nil {
		return 0, err
	}
	page := int(binary.BigEndian.Uint32(last[len(prefix):]))
	items, err := getPage[T, P](s, id, page)
	return page*auctionPage + len(items), err
}

// AuctionList returns at most so many items of an auction's list (rounds, results or trades) from an index on. It reads only their pages.
func AuctionList[T any, P Item[T]](s *IndexedSnapshot, id types.ProductID, from, most int) (items []T, err error) {
	items = []T{}
	for page := from / auctionPage; len(items) < most; page++ {
		part, err := getPage[T, P](s, id, page)
		if err != nil || len(part) == 0 {
			return items, err
		}
		skip := min(max(from-page*auctionPage, 0), len(part))
		part = part[skip:]
		items = append(items, part[:min(len(part), most-len(items))]...)
	}
	return items, nil
}

// getPage returns a page of a list, empty when there is none.
func getPage[T any, P Item[T]](s *IndexedSnapshot, id types.ProductID, page int) (items []T, err error) {
	if page > math.MaxUint32 {
		return nil, nil
	}
	encoded, err := get(s.db, auctionPageKey(id, listName[T](), page))
	if err == nil && encoded != nil {
		page := listPage[T, P]{}
		err = types.Decode(encoded, &page)
		items = page.items
	}
	if err != nil {
		return nil, fmt.Errorf("read the auction of product %s: %w", id, err)
	}
	return items, nil
}

func getPages[T any, P Item[T]](s *IndexedSnapshot, id types.ProductID, list byte) (items []T, err error) {
	prefix := append(auctionKey(id), list)
	var damaged error
	err = scan(s.db, prefix, after(prefix), func(_, value []byte) bool {
		var page listPage[T, P]
		if damaged = types.Decode(append([]byte{}, value...), &page); damaged != nil {
			return false
		}
		items = append(items, page.items...)
		return true
	})
	if err = errors.Join(err, damaged); err != nil {
		return nil, fmt.Errorf("read the auction of product %s: %w", id, err)
	}
	return items, nil
}

// AuctionedOrders returns the orders of a product at its gate, by owner and number: the order of the auction's results. Some are missing
// until all matches are trades.
func (s *IndexedSnapshot) AuctionedOrders(id types.ProductID) iter.Seq2[*types.PlacedOrder, error] {
	return s.AuctionedOrdersFrom(id, types.PublicKey{}, 0)
}

// AuctionedOrdersFrom is [IndexedSnapshot.AuctionedOrders] from an owner's order with a number on.
func (s *IndexedSnapshot) AuctionedOrdersFrom(id types.ProductID, owner types.PublicKey, number uint8) iter.Seq2[*types.PlacedOrder, error] {
	return func(yield func(*types.PlacedOrder, error) bool) {
		prefix := append([]byte{prefixPlaced}, id[:]...)
		from := append(slices.Concat(prefix, owner[:]), number)
		going := true
		err := scan(s.db, from, after(prefix), func(_, value []byte) bool {
			order := new(types.PlacedOrder)
			err := types.Decode(append([]byte{}, value...), order)
			going = yield(order, err) && err == nil
			return going
		})
		if err != nil && going {
			yield(nil, fmt.Errorf("read the orders of product %s: %w", id, err))
		}
	}
}
