package store_test

import (
	"encoding/hex"
	"testing"

	"lockstep/internal/ledgertest/party"
	"lockstep/internal/store"
	"lockstep/types"
)

func coinsOf(t *testing.T, s *store.IndexedSnapshot, name string) (coins []store.Coin) {
	t.Helper()
	asset := party.Euro()
	for coin, err := range s.Coins(party.Key(name), asset.ID(), "") {
		if err != nil {
			t.Fatal(err)
		}
		coins = append(coins, coin)
	}
	return coins
}

func TestCoinsOfKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mint := w.mint(1000, "peter", "clara", "peter")
	w.must(mint)
	w.must(w.pay(types.Outpoint{Tx: mint.ID(), Index: 2}, 1000, "peter", "clara"))
	w.read(func(s *store.IndexedSnapshot) {
		peter, first := coinsOf(t, s, "peter"), types.Outpoint{Tx: mint.ID()}
		if len(peter) != 1 || peter[0].Outpoint != first || peter[0].Amount != 1000 {
			t.Errorf("peter has %+v", peter)
		}
		if clara := coinsOf(t, s, "clara"); len(clara) != 2 {
			t.Errorf("clara has %+v", clara)
		}
		if stranger := coinsOf(t, s, "stranger"); len(stranger) != 0 {
			t.Errorf("a stranger has %+v", stranger)
		}
	})
	w.check()
}

func TestSnapshotHeight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mint := w.mint(1000, "peter")
	w.must(mint)
	w.read(func(s *store.IndexedSnapshot) {
		spend := w.pay(types.Outpoint{Tx: mint.ID()}, 1000, "peter", "clara")
		block := w.must(spend)
		if s.Height() != 1 || s.Clock().Height != 1 || len(coinsOf(t, s, "peter")) != 1 || len(coinsOf(t, s, "clara")) != 0 {
			t.Error("the snapshot shows a later block's state")
		}
		if later, err := s.Block(2); later != nil || err != nil {
			t.Errorf("the snapshot shows a later block: %v, %v", later, err)
		}
		if receipt, err := s.Receipt(spend.ID()); receipt != nil || err != nil {
			t.Errorf("the snapshot shows a later receipt: %v, %v", receipt, err)
		}
		if s.Commitment() == block.Commitment {
			t.Error("the snapshot shows a later commitment")
		}
	})
}

// tradesOf reads all pages of the trades of a party, a few at a time.
func tradesOf(t *testing.T, s *store.IndexedSnapshot, party types.PublicKey, openOnly bool, page int) (ids []types.TradeID) {
	t.Helper()
	cursor := ""
	for {
		seen := 0
		for entry, err := range s.Trades(party, openOnly, cursor) {
			if err != nil {
				t.Fatal(err)
			}
			ids, cursor, seen = append(ids, entry.ID), entry.Cursor, seen+1
			if seen == page {
				break
			}
		}
		if seen < page {
			return ids
		}
	}
}

func TestTradesOfParty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mint := w.mint(110, "clara", "clara", "clara")
	w.must(mint)
	var made []types.TradeID // newest first
	for i := range uint32(3) {
		made = append([]types.TradeID{w.trade(uint64(i), types.Outpoint{Tx: mint.ID(), Index: i})}, made...)
		if err := w.store.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	w.collect(made[1])
	if partitions := w.store.Partitions(); partitions < 3 {
		t.Errorf("all of it is in %d partitions", partitions)
	}
	w.read(func(s *store.IndexedSnapshot) {
		for _, name := range []string{"peter", "clara"} {
			for page := 1; page <= 4; page++ {
				wantIDs(t, tradesOf(t, s, party.Key(name), false, page), made...)
				wantIDs(t, tradesOf(t, s, party.Key(name), true, page), made[0], made[2])
			}
		}
		wantIDs(t, tradesOf(t, s, party.Key("mallory"), false, 1))
		over, err := s.Trade(made[1])
		if err != nil || !over.Over || over.Trade.Phase != types.PhaseReleased || len(over.Trade.Locked) != 0 {
			t.Errorf("the trade that is over: %+v, %v", over, err)
		}
		live, err := s.Trade(made[0])
		if err != nil || live.Over || len(live.Trade.Locked) != 2 {
			t.Errorf("the trade that is not over: %+v, %v", live, err)
		}
		if none, err := s.Trade(types.TradeID{1}); none != nil || err != nil {
			t.Errorf("a trade that never was: %+v, %v", none, err)
		}
	})
	if report := w.check(); report.Live != 2 || report.Archived != 1 {
		t.Errorf("%+v", report)
	}
}

func wantIDs(t *testing.T, got []types.TradeID, want ...types.TradeID) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d trades, want %d", len(got), len(want))
		return
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("trade %d is %s, want %s", i, got[i], want[i])
		}
	}
}

// TestTradeWithinOneBlock never stands in the state, and is kept all the same.
func TestTradeWithinOneBlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mint := w.mint(110, "clara")
	w.must(mint)
	agreement := w.agreement(1)
	id := agreement.ID()
	pay := w.body(&types.Pay{Trade: id, Digest: party.Secret("clara").Digest(1)})
	pay.Inputs = []types.Outpoint{{Tx: mint.ID()}}
	w.must(w.agree(agreement), sign(pay, "clara"), sign(w.body(&types.Split{
		Trade: id, Phase: types.PhasePaid, ToProducer: 50, ToConsumer: 60, Mandates: w.mandated(&agreement), Submitter: agreement.Producer,
	}), "peter"))
	w.read(func(s *store.IndexedSnapshot) {
		wantIDs(t, tradesOf(t, s, party.Key("peter"), false, 10), id)
		wantIDs(t, tradesOf(t, s, party.Key("peter"), true, 10))
	})
	if report := w.check(); report.Live != 0 || report.Archived != 1 {
		t.Errorf("%+v", report)
	}
}

func TestLapsedAgreementArchived(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.mint(1, "peter"))
	agreement := w.agreement(1)
	w.must(w.agree(agreement))
	for range 70 {
		w.must()
	}
	w.read(func(s *store.IndexedSnapshot) {
		record, err := s.Trade(agreement.ID())
		if err != nil || !record.Over || record.Trade.Phase != types.PhaseLapsed {
			t.Errorf("%+v, %v", record, err)
		}
	})
	w.check()
}

func TestReceiptAfterAcceptance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mint := w.mint(1000, "peter")
	spend := w.pay(types.Outpoint{Tx: mint.ID()}, 1000, "peter", "clara")
	want := func(height uint64, code types.Code) {
		t.Helper()
		receipt, err := w.store.Receipt(spend.ID())
		if err != nil || receipt == nil || receipt.Height != height || receipt.Code != code {
			t.Errorf("receipt %+v, %v, want height %d with %s", receipt, err, height, code)
		}
		w.check()
	}
	w.block(spend)
	want(1, types.CodeInputMissing)
	w.block(spend)
	want(2, types.CodeInputMissing)
	w.block(mint, spend, spend)
	want(3, types.CodeOK)
	w.block(spend)
	want(3, types.CodeOK)
}

func TestOffersInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.mint(1, "peter"))
	a := w.agreement(0)
	var txs []*types.Tx
	for nonce := range uint64(5) {
		txs = append(txs, sign(w.body(&types.Post{Offer: types.Offer{
			ChainID: a.ChainID, Producer: a.Producer, Goods: a.Goods, Asset: a.Asset,
			Price: types.Rate{Mantissa: 7}, Deposit: types.Rate{Mantissa: 1},
			MinFill: 1, Instalments: 1, Deadlines: a.Deadlines, Fallback: a.Fallback, Nonce: nonce,
		}}), "peter"))
	}
	w.must(txs...)
	w.read(func(s *store.IndexedSnapshot) {
		var last types.OfferID
		for n := range 6 {
			found := false
			for standing, err := range s.OffersAfter(last) {
				if err != nil {
					t.Fatal(err)
				}
				id := standing.Offer.ID()
				if id.String() <= last.String() {
					t.Errorf("offer %s does not follow %s", id, last)
				}
				last, found = id, true
				break
			}
			if found != (n < 5) {
				t.Errorf("offer %d found: %t", n, found)
			}
		}
	})
}

func FuzzTradesCursor(f *testing.F) {
	w := newWorld(f)
	w.must(w.mint(1, "peter"))
	w.must(w.agree(w.agreement(1)))
	f.Add("")
	f.Add("00")
	f.Add(hex.EncodeToString(make([]byte, 40)))
	f.Fuzz(func(t *testing.T, cursor string) {
		snapshot, err := w.store.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		defer snapshot.Close()
		for entry, err := range snapshot.Trades(party.Key("peter"), false, cursor) {
			switch {
			case err != nil && types.CodeOf(err) != types.CodeMalformed:
				t.Error(err)
			case err == nil && entry.Trade == nil:
				t.Error("an entry without a trade")
			}
		}
	})
}
