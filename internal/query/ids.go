package query

import (
	"context"

	"lockstep/internal/store"
	"lockstep/types"
)

func (l *Ledger) IDs(_ context.Context, kind, prefix string, limit int) ([]string, error) {
	low, high, err := types.PrefixRange(prefix)
	if err != nil {
		return nil, err
	}
	return read(l, func(s *store.IndexedSnapshot) ([]string, error) {
		ids, err := s.IDs(store.IDKind(kind), low, high, limit)
		var texts []string
		for _, id := range ids {
			if store.IDKind(kind) == store.Keys {
				texts = append(texts, types.PublicKey(id).String())
			} else {
				texts = append(texts, types.Hash(id).String())
			}
		}
		return texts, err
	})
}
