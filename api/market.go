package api

import (
	"context"

	"lockstep/api/wire"
	"lockstep/types"
)

type pageInput struct {
	After string `query:"after" maxLength:"256" doc:"the 'next' of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"the most items of a page"`
}

func (s *server) products(ctx context.Context, in *pageInput) (*answer[wire.Products], error) {
	page, err := s.ledger.Products(ctx, in.After, in.Limit)
	page.Products = filled(page.Products)
	return respond(s, page, err)
}

type productInput struct {
	ID types.ProductID `path:"id" doc:"the id of a product: the hash of what it is"`
}

func (s *server) product(ctx context.Context, in *productInput) (*answer[wire.Book], error) {
	book, err := s.ledger.Product(ctx, in.ID)
	return respond(s, book, err)
}

type productOrdersInput struct {
	ID    types.ProductID `path:"id" doc:"the id of a product"`
	After string          `query:"after" maxLength:"256" doc:"the 'next' of the page before"`
	Limit int             `query:"limit" minimum:"1" maximum:"2000" default:"500" doc:"the most items of a page"`
}

func (s *server) productOrders(ctx context.Context, in *productOrdersInput) (*answer[wire.BookOrders], error) {
	page, err := s.ledger.ProductOrders(ctx, in.ID, in.After, in.Limit)
	page.Orders = withLists(page.Orders)
	return respond(s, page, err)
}

// withLists keeps the empty lists of orders lists.
func withLists(orders []wire.BookOrder) []wire.BookOrder {
	for i := range orders {
		order := &orders[i].Order
		order.Accepts = filled(order.Accepts)
	}
	return filled(orders)
}

func (s *server) auction(ctx context.Context, in *productInput) (*answer[wire.Auction], error) {
	auction, err := s.ledger.Auction(ctx, in.ID)
	return respond(s, auction, err)
}

type keyOrdersInput struct {
	Key   types.PublicKey `path:"key" doc:"a public key"`
	After string          `query:"after" maxLength:"256" doc:"the 'next' of the page before"`
	Limit int             `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"about how many items a page has: the orders of a product stay together"`
}

func (s *server) keyOrders(ctx context.Context, in *keyOrdersInput) (*answer[wire.BookOrders], error) {
	page, err := s.ledger.KeyOrders(ctx, in.Key, in.After, in.Limit)
	page.Orders = withLists(page.Orders)
	return respond(s, page, err)
}

type keyRecordInput struct {
	Key   types.PublicKey `path:"key" doc:"a public key"`
	Asset types.AssetID   `query:"asset" doc:"only the record in this asset; without it, in each in which there is one"`
}

func (s *server) keyRecord(ctx context.Context, in *keyRecordInput) (*answer[wire.KeyRecords], error) {
	records, err := s.ledger.Records(ctx, in.Key, in.Asset)
	return respond(s, records, err)
}
