package index_test

import (
	"path/filepath"
	"testing"

	"lockstep/internal/index"
	"lockstep/internal/store"
	"lockstep/types"
)

// An offer that ran out and one that was cancelled are told apart, with when; one that stands, or never did, is not known.
func TestEndedOffers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.issueFirst()
	post := func(nonce uint64, payBy types.Duration) types.OfferID {
		at := w.time.Add(payBy)
		offer := types.Offer{
			ChainID: w.params.ChainID, Producer: party(1), Goods: types.Goods{Commodity: "film", Unit: types.UnitItem, Quantity: 1},
			Asset: assetID(0), Price: types.Rate{Mantissa: 10}, Deposit: types.Rate{Mantissa: 1}, MinFill: 1, Instalments: 1,
			Deadlines: types.Deadlines{PayBy: at, DeliverBy: at.Add(3 * second), ReadingBy: at.Add(6 * second), ConfirmBy: at.Add(9 * second)},
			Fallback:  &types.Hold{}, Nonce: nonce,
		}
		for _, result := range w.block(w.tx([]string{"1"}, &types.Post{Offer: offer})) {
			if result.Code != types.CodeOK {
				t.Fatal(result)
			}
		}
		return offer.ID()
	}
	runsOut, cancelled, stands := post(1, 5*second), post(2, 60*second), post(3, 600*second)
	cancel := w.tx([]string{"1"}, &types.Cancel{Offer: cancelled})
	w.block(cancel)
	at := w.time
	for range 8 {
		w.block()
	}
	w.read(func(snapshot *store.IndexedSnapshot) {
		x, err := index.Open(filepath.Join(t.TempDir(), "index.db"), types.Hash{}, source{snapshot}, quiet)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := x.Close(); err != nil {
				t.Error(err)
			}
		}()
		for {
			if blocks, err := x.Advance(t.Context(), source{snapshot}); err != nil {
				t.Fatal(err)
			} else if blocks == 0 {
				break
			}
		}
		if closed, known, err := x.Offer(t.Context(), runsOut); err != nil || !known || closed.Tx != (types.TxID{}) || closed.At <= at-5_000 {
			t.Errorf("the offer that ran out: %+v, %t, %v", closed, known, err)
		}
		if closed, known, err := x.Offer(t.Context(), cancelled); err != nil || !known || closed.Tx != cancel.ID() || closed.At != at {
			t.Errorf("the offer that was cancelled: %+v, %t, %v", closed, known, err)
		}
		for _, id := range []types.OfferID{stands, {1}} {
			if closed, known, err := x.Offer(t.Context(), id); err != nil || known {
				t.Errorf("an offer that has not ended: %+v, %v", closed, err)
			}
		}
		var all types.OfferID
		for i := range all {
			all[i] = 0xff
		}
		if ids, err := x.Offers(t.Context(), types.OfferID{}, all, 9); err != nil || len(ids) != 2 || ids[0].String() >= ids[1].String() {
			t.Errorf("%v, %v", ids, err)
		}
		if ids, err := x.Offers(t.Context(), cancelled, cancelled, 9); err != nil || len(ids) != 1 || ids[0] != cancelled {
			t.Errorf("%v, %v", ids, err)
		}
	})
}
