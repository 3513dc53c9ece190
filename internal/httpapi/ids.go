package httpapi

import (
	"context"
	"slices"

	"lockstep/client/wire"
	"lockstep/types"
)

type idsInput struct {
	Kind   string `path:"kind" enum:"trade,offer,asset,product,transaction,point,key" doc:"the kind of the id"`
	Prefix string `path:"prefix" minLength:"4" maxLength:"64" doc:"the first digits of the id; of a key, its text from lk1 on"`
}

// ids lists the IDs that begin with some digits, so that a person need not type all digits.
func (s *server) ids(ctx context.Context, in *idsInput) (*answer[wire.IDs], error) {
	found, err := s.ledger.IDs(ctx, in.Kind, in.Prefix, wire.MaxIDs+1)
	if err == nil && in.Kind == "offer" {
		found, err = s.endedOffers(ctx, in.Prefix, found)
	}
	more := len(found) > wire.MaxIDs
	if more {
		found = found[:wire.MaxIDs]
	}
	return respond(s, wire.IDs{IDs: filled(found), More: more}, err)
}

// endedOffers adds the offers that have ended, as far as the index knows.
func (s *server) endedOffers(ctx context.Context, prefix string, found []string) ([]string, error) {
	low, high, err := types.PrefixRange(prefix)
	if err != nil || s.history == nil {
		return found, err
	}
	ended, err := s.history.Offers(ctx, low, high, wire.MaxIDs+1)
	for _, id := range ended {
		found = append(found, id.String())
	}
	slices.Sort(found)
	return slices.Compact(found), err
}
