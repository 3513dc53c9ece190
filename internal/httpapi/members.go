package httpapi

import (
	"context"

	"lockstep/client/wire"
	"lockstep/types"
)

type memberInput struct {
	Key types.PublicKey `path:"key" doc:"a public key"`
}

func (s *server) member(ctx context.Context, in *memberInput) (*answer[types.Member], error) {
	member, err := s.ledger.Member(ctx, in.Key)
	return respond(s, member, err)
}

func (s *server) members(ctx context.Context, in *PageInput) (*answer[wire.Members], error) {
	members, err := s.ledger.Members(ctx, in.page())
	members.Members = filled(members.Members)
	return respond(s, members, err)
}
