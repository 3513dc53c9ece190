package query_test

import (
	"strings"
	"testing"

	"lockstep/client/wire"
	"lockstep/internal/ledgertest"
	"lockstep/internal/ledgertest/party"
	"lockstep/internal/query"
	"lockstep/types"
)

// FuzzPlaces: a place in a list is parsed to its exact value or refused as malformed.
func FuzzPlaces(f *testing.F) {
	f.Add("")
	f.Add(strings.Repeat("0", 80))
	f.Add(strings.Repeat("f", 66))
	l := ledgertest.New(f, "test")
	product := l.Auctioned(f)
	key := party.Key("consumer")
	f.Fuzz(func(t *testing.T, after string) {
		if place, err := query.ParseOrderPlace(after); err == nil && after != "" && place.String() != strings.ToLower(after) {
			t.Errorf("%q is written as %s", after, place)
		}
		ctx, page := t.Context(), wire.Page{After: after, Limit: 1}
		_, products := l.Products(ctx, page)
		_, orders := l.ProductOrders(ctx, product.ID(), page)
		_, own := l.KeyOrders(ctx, key, page)
		_, rounds := l.AuctionRounds(ctx, product.ID(), page)
		_, records := l.Records(ctx, key, page)
		_, trades := l.Trades(ctx, key, false, page)
		_, offers := l.Offers(ctx, page)
		_, assets := l.Assets(ctx, "", page)
		_, balances := l.Balances(ctx, key, nil, page)
		_, coins := l.Coins(ctx, key, product.Asset, 0, page)
		for i, err := range []error{products, orders, own, rounds, records, trades, offers, assets, balances, coins} {
			if err != nil && types.CodeOf(err) != types.CodeMalformed {
				t.Errorf("list %d: %v", i, err)
			}
		}
	})
}
