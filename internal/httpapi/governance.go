package httpapi

import (
	"context"

	"lockstep/client/wire"
)

func (s *server) governance(ctx context.Context, _ *struct{}) (*answer[wire.Governance], error) {
	governance, err := s.ledger.Governance(ctx)
	return respond(s, governance, err)
}

func (s *server) decisions(ctx context.Context, in *PageInput) (*answer[wire.Decisions], error) {
	decisions, err := s.ledger.Decisions(ctx, in.page())
	return respond(s, decisions, err)
}
