package apitest

import (
	"context"
	"slices"
	"strings"

	"lockstep/types"
)

// IDs implements api.Ledger.
func (l *Ledger) IDs(_ context.Context, kind, prefix string, limit int) ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, _, err := types.PrefixRange(prefix); err != nil {
		return nil, err
	}
	var ids []string
	switch kind {
	case "trade":
		for _, id := range l.trades {
			ids = append(ids, id.String())
		}
	case "offer":
		for offer := range l.reader().Offers() {
			ids = append(ids, offer.Offer.ID().String())
		}
	case "asset":
		for asset := range l.reader().Assets() {
			ids = append(ids, asset.Asset.ID().String())
		}
	case "transaction":
		for id := range l.receipts {
			ids = append(ids, id.String())
		}
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return !strings.HasPrefix(id, prefix) })
	slices.Sort(ids)
	return ids[:min(len(ids), limit)], nil
}
