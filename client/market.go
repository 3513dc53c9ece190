package client

import (
	"context"
	"iter"
	"net/url"

	"lockstep/client/wire"
	"lockstep/types"
)

// Products returns a page of the products that are open and have orders, by gate. after is the Next of the page before,
// empty for the first; a limit of zero is the node's default.
func (c *Client) Products(ctx context.Context, after string, limit int) (page wire.Products, err error) {
	err = c.get(ctx, "/v1/products", pageQuery(after, limit), &page)
	for i := range page.Products {
		if err == nil {
			err = c.checkProduct(&page.Products[i], page.Products[i].ID)
		}
	}
	return page, wrap("products", err)
}

// AllProducts goes through the open products page by page. After an error there is nothing more.
func (c *Client) AllProducts(ctx context.Context) iter.Seq2[wire.Product, error] {
	return pages(func(after string) ([]wire.Product, string, error) {
		page, err := c.Products(ctx, after, 0)
		return page.Products, page.Next, err
	})
}

// Product returns a product: its book while it is open, then what was traded in short.
func (c *Client) Product(ctx context.Context, id types.ProductID) (book wire.Book, err error) {
	if err = c.get(ctx, "/v1/products/"+id.String(), nil, &book); err == nil {
		err = c.checkProduct(&book.Product, id)
	}
	return book, wrap("product "+id.String(), err)
}

// ProductOrders returns a page of the orders of an open product, or of those that it had at its gate. They come in order of
// owner and number, which is that of an auction's results. after and limit are as in [Client.Products].
func (c *Client) ProductOrders(ctx context.Context, id types.ProductID, after string, limit int) (page wire.BookOrders, err error) {
	err = c.get(ctx, "/v1/products/"+id.String()+"/orders", pageQuery(after, limit), &page)
	for i := range page.Orders {
		order := &page.Orders[i]
		if err == nil && order.Order.Product.ID() != id {
			err = c.lied("order %s is not for product %s", order.ID, id)
		}
		if err == nil {
			err = c.checkOrder(order)
		}
	}
	return page, wrap("orders of product "+id.String(), err)
}

// AllProductOrders goes through the orders of a product page by page. After an error there is nothing more.
func (c *Client) AllProductOrders(ctx context.Context, id types.ProductID) iter.Seq2[wire.BookOrder, error] {
	return pages(func(after string) ([]wire.BookOrder, string, error) {
		page, err := c.ProductOrders(ctx, id, after, maxOrdersPage)
		return page.Orders, page.Next, err
	})
}

// maxOrdersPage is the most that a node gives in one page of the orders of a product.
const maxOrdersPage = 2000

// Auction is what became of a product at its gate, with its lists.
type Auction struct {
	wire.Auction
	Rounds  []wire.Round       `json:"rounds"`
	Results []types.Result     `json:"results"`
	Trades  []types.MatchTrade `json:"trades"`
}

// Auction returns what became of a product at its gate, all pages of its lists put together. That its results are right can be
// computed from the orders.
func (c *Client) Auction(ctx context.Context, id types.ProductID) (auction Auction, err error) {
	path := "/v1/products/" + id.String() + "/auction"
	if err = c.get(ctx, path, nil, &auction.Auction); err != nil {
		return auction, wrap("auction of product "+id.String(), err)
	}
	auction.Rounds, err = collect(auction.RoundCount, func(after string) ([]wire.Round, string, error) {
		var page wire.AuctionRounds
		err := c.get(ctx, path+"/rounds", pageQuery(after, maxPage), &page)
		return page.Rounds, page.Next, err
	})
	if err == nil {
		auction.Results, err = collect(auction.ResultCount, func(after string) ([]types.Result, string, error) {
			var page wire.AuctionResults
			err := c.get(ctx, path+"/results", pageQuery(after, maxPage), &page)
			return page.Results, page.Next, err
		})
	}
	if err == nil {
		auction.Trades, err = collect(auction.TradeCount, func(after string) ([]types.MatchTrade, string, error) {
			var page wire.AuctionTrades
			err := c.get(ctx, path+"/trades", pageQuery(after, maxPage), &page)
			return page.Trades, page.Next, err
		})
	}
	if err == nil {
		err = c.checkAuction(&auction, id)
	}
	return auction, wrap("auction of product "+id.String(), err)
}

// collect puts pages together that must hold a number of items.
func collect[T any](count int, fetch func(after string) ([]T, string, error)) (all []T, err error) {
	all = []T{}
	for item, err := range pages(fetch) {
		if err != nil {
			return nil, err
		}
		if all = append(all, item); len(all) > count {
			break
		}
	}
	if len(all) != count {
		return nil, types.Refuse(types.CodeInternal, "the node's pages hold %d items instead of the %d that it counts", len(all), count)
	}
	return all, nil
}

// KeyOrders returns a page of the open orders of a key, by the begin of their slots. after and limit are as in [Client.Products].
func (c *Client) KeyOrders(ctx context.Context, key types.PublicKey, after string, limit int) (page wire.BookOrders, err error) {
	err = c.get(ctx, "/v1/keys/"+key.String()+"/orders", pageQuery(after, limit), &page)
	for i := range page.Orders {
		order := &page.Orders[i]
		if err == nil && order.Order.Owner != key {
			err = c.lied("order %s is none of %s", order.ID, key)
		}
		if err == nil {
			err = c.checkOrder(order)
		}
	}
	return page, wrap("orders of "+key.String(), err)
}

// AllKeyOrders goes through the open orders of a key page by page. After an error there is nothing more.
func (c *Client) AllKeyOrders(ctx context.Context, key types.PublicKey) iter.Seq2[wire.BookOrder, error] {
	return pages(func(after string) ([]wire.BookOrder, string, error) {
		page, err := c.KeyOrders(ctx, key, after, 0)
		return page.Orders, page.Next, err
	})
}

// Record returns what a key did with what auctions gave it, in one asset.
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

// Records returns a page of what a key did with what auctions gave it, by asset.
func (c *Client) Records(ctx context.Context, key types.PublicKey, page Page) (records wire.KeyRecords, err error) {
	records, err = c.records(ctx, key, pageQuery(page.After, page.Limit))
	return records, wrap("records of "+key.String(), err)
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
			return records, c.lied("a record of %s is not the percentage that it is said to be", key)
		}
	}
	return records, nil
}
