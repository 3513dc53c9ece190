package index_test

import (
	"context"
	"encoding/base64"
	"math/big"
	"path/filepath"
	"testing"

	"lockstep/internal/index"
	"lockstep/types"
)

// TestLargestAmounts: prices near 2^64 are listed as they are, and their sums go beyond it.
func TestLargestAmounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.issueFirst()
	const price, count = types.MaxAmount - 1, 5
	for range count {
		agreement := w.agreement(1, 2)
		agreement.Fallback, agreement.Goods, agreement.Asset = &types.Hold{}, types.Goods{Commodity: "castle", Unit: types.UnitItem, Quantity: 1}, assetID(0)
		agreement.Producer, agreement.Consumer = party(1), party(2)
		agreement.Price, agreement.Deposit, agreement.Bond, agreement.Instalments = price, 1, 0, 1
		agreement.Deadlines = types.Deadlines{
			PayBy: w.time.Add(4 * second), DeliverBy: w.time.Add(8 * second), ReadingBy: w.time.Add(12 * second), ConfirmBy: w.time.Add(16 * second),
		}
		for _, result := range w.block(w.agree(agreement)) {
			if result.Code != types.CodeOK {
				t.Fatal(result.Detail)
			}
		}
	}
	x := w.open(filepath.Join(t.TempDir(), "index.db"))
	w.follow(x)
	for range 10 { // until all have lapsed
		w.block()
		w.follow(x)
	}
	key := party(1)
	trades, err := x.Trades(t.Context(), index.TradeFilter{Party: &key}, index.Page{})
	if err != nil || len(trades.Trades) != count || trades.Trades[0].Price != price || trades.Trades[0].Phase != types.PhaseLapsed {
		t.Errorf("%+v, %v", trades.Trades, err)
	}
	member, err := x.Member(t.Context(), key, index.Page{})
	if err != nil {
		t.Fatal(err)
	}
	want := new(big.Int).Mul(new(big.Int).SetUint64(uint64(price)), big.NewInt(count)).String()
	if lapsed := member.Assets[0].AsProducer.Lapsed; lapsed.Trades != count || lapsed.Value.String() != want {
		t.Errorf("%d trades of %s, want %s", lapsed.Trades, lapsed.Value, want)
	}
	if open := member.Assets[0].AsProducer.Open; open != (index.Tally{}) {
		t.Errorf("%+v are still open", open)
	}
}

// FuzzCursor: every cursor of a client gives a page or a refusal.
func FuzzCursor(f *testing.F) {
	w := newWorld(f, 21)
	w.issueFirst()
	w.play(40, nil)
	x := w.rebuilt()
	key := party(0)
	f.Add("")
	for _, list := range "tavfm" {
		for _, words := range []int{1, 2, 4} {
			for _, fill := range []byte{0, 1, 0x7f, 0x80, 0xff} {
				cursor := []byte{byte(list)}
				for range 8 * words {
					cursor = append(cursor, fill)
				}
				f.Add(base64.RawURLEncoding.EncodeToString(cursor))
			}
		}
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		ctx, page := context.Background(), index.Page{After: cursor, Limit: 3}
		_, e1 := x.Trades(ctx, index.TradeFilter{Party: &key}, page)
		_, e2 := x.Auctions(ctx, index.AuctionFilter{}, page)
		_, e3 := x.Auctions(ctx, index.AuctionFilter{Oldest: true}, page)
		_, e4 := x.Fills(ctx, index.FillFilter{Owner: key}, page)
		_, e5 := x.Member(ctx, key, page)
		_, e6 := x.Volumes(ctx, index.VolumeFilter{Span: index.Hourly, Oldest: true}, page)
		for _, err := range []error{e1, e2, e3, e4, e5, e6} {
			if err != nil && types.CodeOf(err) != types.CodeMalformed {
				t.Fatal(err)
			}
		}
	})
}
