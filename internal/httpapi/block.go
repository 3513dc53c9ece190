package httpapi

import (
	"context"

	"lockstep/client/wire"
	"lockstep/internal/query"
)

// The size of a block bounds the transactions and events in memory. An answer holds a page of them.

type blockInput struct {
	Height height `path:"height" doc:"the height of a block, or 'latest'"`
}

func (s *server) block(ctx context.Context, in *blockInput) (*answer[wire.BlockHead], error) {
	block, err := s.ledger.Block(ctx, in.Height.number, false)
	return respond(s, block.Head(), err)
}

type blockTxsInput struct {
	Height height `path:"height" doc:"the height of a block, or 'latest'"`
	After  string `query:"after" maxLength:"256" doc:"the 'next' of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50" doc:"the most items of a page"`
}

func (s *server) blockTxs(ctx context.Context, in *blockTxsInput) (*answer[wire.BlockTxs], error) {
	block, err := s.ledger.Block(ctx, in.Height.number, true)
	if err != nil {
		return nil, s.refuse(err)
	}
	page := wire.BlockTxs{Height: block.Height}
	page.Txs, page.Next, err = query.Cut(block.Txs, wire.Page{After: in.After, Limit: in.Limit})
	page.Txs = filled(page.Txs)
	return respond(s, page, err)
}

type blockEventsInput struct {
	Height height `path:"height" doc:"the height of a block, or 'latest'"`
	PageInput
}

func (s *server) blockEvents(ctx context.Context, in *blockEventsInput) (*answer[wire.BlockEvents], error) {
	block, err := s.ledger.Block(ctx, in.Height.number, false)
	if err != nil {
		return nil, s.refuse(err)
	}
	page := wire.BlockEvents{Height: block.Height}
	page.Events, page.Next, err = query.Cut(block.Events, in.page())
	page.Events = filled(page.Events)
	return respond(s, page, err)
}
