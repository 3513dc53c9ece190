package query

import (
	"context"

	"lockstep/client/wire"
	"lockstep/internal/store"
	"lockstep/types"
)

// Member implements [httpapi.Ledger].
func (l *Ledger) Member(_ context.Context, key types.PublicKey) (types.Member, error) {
	return fromHead(l, func(s *store.Head) (types.Member, error) {
		member, admitted := s.Member(key)
		if !admitted {
			return types.Member{}, types.Refuse(types.CodeNotFound, "no operator has admitted the key %s", key)
		}
		return *member, nil
	})
}

// Members implements [httpapi.Ledger].
func (l *Ledger) Members(_ context.Context, part wire.Page) (wire.Members, error) {
	var last types.PublicKey
	if part.After != "" {
		if err := last.UnmarshalText([]byte(part.After)); err != nil {
			return wire.Members{}, misplaced(part.After)
		}
	}
	return fromHead(l, func(s *store.Head) (wire.Members, error) {
		page := wire.Members{Height: s.Height(), Members: []types.Member{}}
		for member := range s.MembersFrom(last) {
			if part.After != "" && member.Key == last {
				continue
			}
			if len(page.Members) == part.Limit {
				page.Next = page.Members[part.Limit-1].Key.String()
				break
			}
			page.Members = append(page.Members, *member)
		}
		return page, nil
	})
}
