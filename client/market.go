package client

import (
	"context"
	"iter"
	"net/url"

	"lockstep/client/wire"
	"lockstep/types"
)

// Products returns a page of the products that are open and have orders, by gate.
func (c *Client) Products(ctx context.Context, page Page) (answer wire.Products, err error) {
	err = c.get(ctx, "/v1/products", pageQuery(page), &answer)
	for i := range answer.Products {
		if err == nil {
			err = c.checkProduct(&answer.Products[i], answer.Products[i].ID)
		}
	}
	return answer, wrap("products", err)
}

// AllProducts iterates over the open products, page by page. It ends after an error.
func (c *Client) AllProducts(ctx context.Context) iter.Seq2[wire.Product, error] {
	return Pages(Page{}, func(page Page) ([]wire.Product, string, error) {
		answer, err := c.Products(ctx, page)
		return answer.Products, answer.Next, err
	})
}

// Product returns a product: its book while it is open, then a summary of its auction.
func (c *Client) Product(ctx context.Context, id types.ProductID) (book wire.Book, err error) {
	if err = c.get(ctx, "/v1/products/"+id.String(), nil, &book); err == nil {
		err = c.checkProduct(&book.Product, id)
	}
	return book, wrap("product "+id.String(), err)
}

// ProductOrders returns a page of the orders of an open product, or of the orders at its gate. They are sorted by owner and number, like the
// results of an auction.
func (c *Client) ProductOrders(ctx context.Context, id types.ProductID, page Page) (answer wire.BookOrders, err error) {
	err = c.get(ctx, "/v1/products/"+id.String()+"/orders", pageQuery(page), &answer)
	for i := range answer.Orders {
		order := &answer.Orders[i]
		if err == nil && order.Order.Product.ID() != id {
			err = c.lied("order %s is not for product %s", order.ID, id)
		}
		if err == nil {
			err = c.checkOrder(order)
		}
	}
	return answer, wrap("orders of product "+id.String(), err)
}

// AllProductOrders iterates over the orders of a product, page by page. It ends after an error.
func (c *Client) AllProductOrders(ctx context.Context, id types.ProductID) iter.Seq2[wire.BookOrder, error] {
	return Pages(Page{Limit: maxOrdersPage}, func(page Page) ([]wire.BookOrder, string, error) {
		answer, err := c.ProductOrders(ctx, id, page)
		return answer.Orders, answer.Next, err
	})
}

// maxOrdersPage is the largest page of the orders of a product that a node returns.
const maxOrdersPage = 2000

// Auction is the auction of a product at its gate, with its lists.
type Auction struct {
	wire.Auction
	Rounds  []types.Round      `json:"rounds"`
	Results []types.Result     `json:"results"`
	Trades  []types.MatchTrade `json:"trades"`
}

// Auction returns the auction of a product with all pages of its lists. Its results can be recomputed from the orders.
func (c *Client) Auction(ctx context.Context, id types.ProductID) (auction Auction, err error) {
	path := "/v1/products/" + id.String() + "/auction"
	if err = c.get(ctx, path, nil, &auction.Auction); err != nil {
		return auction, wrap("auction of product "+id.String(), err)
	}
	auction.Rounds, err = collect(auction.RoundCount, func(page Page) ([]types.Round, string, error) {
		var answer wire.AuctionRounds
		err := c.get(ctx, path+"/rounds", pageQuery(page), &answer)
		return answer.Rounds, answer.Next, err
	})
	if err == nil {
		auction.Results, err = collect(auction.ResultCount, func(page Page) ([]types.Result, string, error) {
			var answer wire.AuctionResults
			err := c.get(ctx, path+"/results", pageQuery(page), &answer)
			return answer.Results, answer.Next, err
		})
	}
	if err == nil {
		auction.Trades, err = collect(auction.TradeCount, func(page Page) ([]types.MatchTrade, string, error) {
			var answer wire.AuctionTrades
			err := c.get(ctx, path+"/trades", pageQuery(page), &answer)
			return answer.Trades, answer.Next, err
		})
	}
	if err == nil {
		err = c.checkAuction(&auction, id)
	}
	return auction, wrap("auction of product "+id.String(), err)
}

// collect joins pages that must hold count items.
func collect[T any](count int, fetch func(Page) ([]T, string, error)) (all []T, err error) {
	all = []T{}
	for item, err := range Pages(Page{Limit: maxPage}, fetch) {
		if err != nil {
			return nil, err
		}
		if all = append(all, item); len(all) > count {
			break
		}
	}
	if len(all) != count {
		return nil, types.Refuse(types.CodeInternal, "the node's pages hold %d items, its count is %d", len(all), count)
	}
	return all, nil
}

// KeyOrders returns a page of the open orders of a key, by the beginning of their slots.
func (c *Client) KeyOrders(ctx context.Context, key types.PublicKey, page Page) (answer wire.BookOrders, err error) {
	err = c.get(ctx, "/v1/keys/"+key.String()+"/orders", pageQuery(page), &answer)
	for i := range answer.Orders {
		order := &answer.Orders[i]
		if err == nil && order.Order.Owner != key {
			err = c.lied("order %s is not of %s", order.ID, key)
		}
		if err == nil {
			err = c.checkOrder(order)
		}
	}
	return answer, wrap("orders of "+key.String(), err)
}

// AllKeyOrders iterates over the open orders of a key, page by page. It ends after an error.
func (c *Client) AllKeyOrders(ctx context.Context, key types.PublicKey) iter.Seq2[wire.BookOrder, error] {
	return Pages(Page{}, func(page Page) ([]wire.BookOrder, string, error) {
		answer, err := c.KeyOrders(ctx, key, page)
		return answer.Orders, answer.Next, err
	})
}

// Record returns the conduct of a key in the matches of auctions, in one asset.
func (c *Client) Record(ctx context.Context, key types.PublicKey, asset types.AssetID) (record wire.KeyRecord, err error) {
	answer, err := c.records(ctx, key, url.Values{"asset": {asset.String()}})
	if err == nil && (len(answer.Records) != 1 || answer.Records[0].Asset != asset) {
		err = c.lied("its answer is not the record in asset %s", asset)
	}
	if err != nil {
		return record, wrap("record of "+key.String(), err)
	}
	return answer.Records[0], nil
}

// Records returns a page of the conduct of a key in the matches of auctions, by asset.
func (c *Client) Records(ctx context.Context, key types.PublicKey, page Page) (records wire.KeyRecords, err error) {
	records, err = c.records(ctx, key, pageQuery(page))
	return records, wrap("records of "+key.String(), err)
}

// AllRecords iterates over the records of a key by asset, page by page. It ends after an error.
func (c *Client) AllRecords(ctx context.Context, key types.PublicKey) iter.Seq2[wire.KeyRecord, error] {
	return Pages(Page{}, func(page Page) ([]wire.KeyRecord, string, error) {
		answer, err := c.Records(ctx, key, page)
		return answer.Records, answer.Next, err
	})
}

func (c *Client) records(ctx context.Context, key types.PublicKey, query url.Values) (records wire.KeyRecords, err error) {
	if err = c.get(ctx, "/v1/keys/"+key.String()+"/record", query, &records); err != nil {
		return records, err
	}
	if records.Key != key {
		return records, c.lied("its answer is the record of another key")
	}
	for i := range records.Records {
		if record := &records.Records[i]; record.Percent != record.Record.Percent() {
			return records, c.lied("the percentage of a record of %s does not fit the record", key)
		}
	}
	return records, nil
}
