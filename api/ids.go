package api

import (
	"context"

	"lockstep/api/wire"
)

type idsInput struct {
	Kind   string `path:"kind" enum:"trade,offer,asset,product,transaction,point,key" doc:"what the id names"`
	Prefix string `path:"prefix" minLength:"4" maxLength:"64" doc:"the first digits of the id; of a key, its text from lk1 on"`
}

// ids answers which IDs begin with some digits, so that a person need not type all of them.
func (s *server) ids(ctx context.Context, in *idsInput) (*answer[wire.IDs], error) {
	found, err := s.ledger.IDs(ctx, in.Kind, in.Prefix, wire.MaxIDs+1)
	more := len(found) > wire.MaxIDs
	if more {
		found = found[:wire.MaxIDs]
	}
	return respond(s, wire.IDs{IDs: filled(found), More: more}, err)
}
