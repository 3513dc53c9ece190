package httpapi

import (
	"context"

	"lockstep/client/wire"
	"lockstep/types"
)

// PageInput selects a page of a list. It is exported because huma ignores unexported embedded structs.
type PageInput struct {
	After string `query:"after" maxLength:"256" doc:"the 'next' of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"the most items of a page"`
}

func (p *PageInput) page() wire.Page { return wire.Page{After: p.After, Limit: p.Limit} }

func (s *server) products(ctx context.Context, in *PageInput) (*answer[wire.Products], error) {
	page, err := s.ledger.Products(ctx, in.page())
	page.Products = filled(page.Products)
	return respond(s, page, err)
}

type productInput struct {
	ID types.ProductID `path:"id" doc:"the id of a product: its hash"`
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
	page, err := s.ledger.ProductOrders(ctx, in.ID, wire.Page{After: in.After, Limit: in.Limit})
	page.Orders = filled(page.Orders)
	return respond(s, page, err)
}

func (s *server) auction(ctx context.Context, in *productInput) (*answer[wire.Auction], error) {
	auction, err := s.ledger.Auction(ctx, in.ID)
	return respond(s, auction, err)
}

type auctionListInput struct {
	ID types.ProductID `path:"id" doc:"the id of a product"`
	PageInput
}

func (s *server) auctionRounds(ctx context.Context, in *auctionListInput) (*answer[wire.AuctionRounds], error) {
	page, err := s.ledger.AuctionRounds(ctx, in.ID, in.page())
	page.Rounds = filled(page.Rounds)
	return respond(s, page, err)
}

func (s *server) auctionResults(ctx context.Context, in *auctionListInput) (*answer[wire.AuctionResults], error) {
	page, err := s.ledger.AuctionResults(ctx, in.ID, in.page())
	page.Results = filled(page.Results)
	return respond(s, page, err)
}

func (s *server) auctionTrades(ctx context.Context, in *auctionListInput) (*answer[wire.AuctionTrades], error) {
	page, err := s.ledger.AuctionTrades(ctx, in.ID, in.page())
	page.Trades = filled(page.Trades)
	return respond(s, page, err)
}

type keyOrdersInput struct {
	Key types.PublicKey `path:"key" doc:"a public key"`
	PageInput
}

func (s *server) keyOrders(ctx context.Context, in *keyOrdersInput) (*answer[wire.BookOrders], error) {
	page, err := s.ledger.KeyOrders(ctx, in.Key, in.page())
	page.Orders = filled(page.Orders)
	return respond(s, page, err)
}

type keyRecordInput struct {
	Key   types.PublicKey `path:"key" doc:"a public key"`
	Asset types.AssetID   `query:"asset" doc:"only the record in this asset; without it, the records in all assets"`
	PageInput
}

func (s *server) keyRecord(ctx context.Context, in *keyRecordInput) (*answer[wire.KeyRecords], error) {
	if in.Asset != (types.AssetID{}) {
		record, err := s.ledger.Record(ctx, in.Key, in.Asset)
		return respond(s, record, err)
	}
	records, err := s.ledger.Records(ctx, in.Key, in.page())
	records.Records = filled(records.Records)
	return respond(s, records, err)
}
