package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/internal/ledgertest/party"
	"lockstep/internal/store"
	"lockstep/types"
)

// mintAmounts gives a party one output of each amount.
func (w *world) mintAmounts(name string, amounts ...types.Amount) {
	w.t.Helper()
	var total types.Amount
	body := w.body()
	for _, amount := range amounts {
		body.Outputs = append(body.Outputs, party.Output(name, amount))
		total += amount
	}
	body.Actions = []types.Action{&types.Issue{Asset: party.Euro(), Amount: total}}
	w.must(sign(body, "issuer"))
}

// amounts lists the coins of a sequence until they are worth a sum.
func amounts(t *testing.T, coins func(func(store.Coin, error) bool), sum types.Amount) (list []types.Amount, last store.CoinPlace) {
	t.Helper()
	for coin, err := range coins {
		if err != nil {
			t.Fatal(err)
		}
		list, last = append(list, coin.Amount), coin.Place()
		if sum > 0 && coin.Amount >= sum {
			break
		}
		sum -= min(sum, coin.Amount)
	}
	return list, last
}

// TestCoinOrder: the largest first, and for a sum from the smallest on that alone is worth it.
func TestCoinOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mintAmounts("peter", 7, 500, 20, 7, 100, 1)
	w.mintAmounts("clara", 1000)
	w.mintAmounts("peter", 20)
	asset, peter := party.Euro(), party.Key("peter")
	id := asset.ID()
	w.read(func(s *store.IndexedSnapshot) {
		all, _ := amounts(t, s.Coins(peter, id, ""), 0)
		if got := fmt.Sprint(all); got != "[500 100 20 20 7 7 1]" {
			t.Errorf("coins %s", got)
		}
		var paged []types.Amount
		for place := store.CoinPlace(""); ; {
			part, next := amounts(t, s.Coins(peter, id, place), 1) // one coin
			if len(part) == 0 {
				break
			}
			paged, place = append(paged, part...), next
		}
		if fmt.Sprint(paged) != fmt.Sprint(all) {
			t.Errorf("one by one %v", paged)
		}
		for sum, want := range map[types.Amount]string{
			1: "[1]", 2: "[7]", 7: "[7]", 8: "[20]", 20: "[20]", 21: "[100]", 100: "[100]", 101: "[500]", 500: "[500]", 501: "[500 100]",
			620: "[500 100 20]", 621: "[500 100 20 20]", 655: "[500 100 20 20 7 7 1]", 656: "[500 100 20 20 7 7 1]", 1 << 63: "[500 100 20 20 7 7 1]",
		} {
			if got, _ := amounts(t, s.CoinsWorth(peter, id, sum), sum); fmt.Sprint(got) != want {
				t.Errorf("worth %d: %v, want %s", sum, got, want)
			}
		}
		for _, bad := range []store.CoinPlace{"x", "00", store.CoinPlace(fmt.Sprintf("%0106x", 0))} {
			for _, err := range s.Coins(peter, id, bad) {
				if types.CodeOf(err) != types.CodeMalformed {
					t.Errorf("place %q: %v", bad, err)
				}
			}
		}
		for _, code := range []string{"", "EU", "EUR\x00", "EUR\x00" + string(id[:1]), "EURO"} {
			for other, err := range s.AssetsCoded(code, types.AssetID{}) {
				t.Errorf("asset %s has the code %q, %v", other, code, err)
			}
		}
		for other, err := range s.AssetsCoded("EUR", types.AssetID{}) {
			if other != id || err != nil {
				t.Errorf("asset %s, %v", other, err)
			}
		}
		balance, err := s.Balance(peter, id)
		if want := (store.Balance{Coins: 7, Spendable: 655}); err != nil || balance != want {
			t.Errorf("balance %+v, %v", balance, err)
		}
	})
	w.check()
}

// TestTradeBalance: the locked parts of a trade count for the parties that contributed them, and a refund is a coin once it is due.
func TestTradeBalance(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mint := w.mint(110, "clara")
	w.must(mint)
	agreement, asset := w.paid(1, types.Outpoint{Tx: mint.ID()}), party.Euro()
	look := func(due bool) {
		t.Helper()
		w.read(func(s *store.IndexedSnapshot) {
			if balance, err := s.Balance(party.Key("clara"), asset.ID()); err != nil || balance != (store.Balance{Locked: 110}) {
				t.Errorf("balance %+v, %v", balance, err)
			}
			want := ""
			if due {
				want = "[100 10]"
			}
			got := ""
			for _, coins := range []func(func(store.Coin, error) bool){s.DueRefunds(party.Key("clara"), asset.ID()), s.Coins(party.Key("clara"), asset.ID(), "")} {
				if list, _ := amounts(t, coins, 0); len(list) > 0 {
					got = fmt.Sprint(list)
				} else {
					got = ""
				}
				if got != want {
					t.Errorf("coins %s, want %s", got, want)
				}
			}
		})
	}
	for now := w.time; now < agreement.Deadlines.DeliverBy; now = w.time {
		w.time = min(now.Add(5*second), agreement.Deadlines.DeliverBy-1000)
		w.must()
	}
	look(false) // at deliver-by it is not due, after it is
	w.must()
	look(true)
	w.check()
}

// TestLockedParts: the parts of a delivered trade, which only a release unlocks, count in the balances and are in no list of coins.
func TestLockedParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	purse := w.mint(110, "clara")
	w.must(purse)
	agreement, asset := w.paid(1, types.Outpoint{Tx: purse.ID()}), party.Euro()
	w.must(sign(w.body(&types.Deliver{Trade: agreement.ID()}), "peter"))
	look := func(listed int, clara, peter store.Balance) {
		t.Helper()
		w.read(func(s *store.IndexedSnapshot) {
			for name, want := range map[string]store.Balance{"clara": clara, "peter": peter} {
				if balance, err := s.Balance(party.Key(name), asset.ID()); err != nil || balance != want {
					t.Errorf("%s has %+v, %v, want %+v", name, balance, err, want)
				}
			}
		})
		w.check()
		w.tamper(func(db *pebble.DB) error {
			iterator, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte("c"), UpperBound: []byte("d")})
			if err != nil {
				return err
			}
			found := 0
			for valid := iterator.First(); valid; valid = iterator.Next() {
				found++
			}
			if found != listed {
				t.Errorf("%d coins are listed, want %d", found, listed)
			}
			return iterator.Close()
		})
		w.open()
	}
	look(0, store.Balance{Locked: 110}, store.Balance{})
	clara, id := party.Key("clara"), asset.ID()
	balance := slices.Concat([]byte("l"), clara[:], id[:])
	payment := agreement.ID().Outpoint(types.PartPayment)
	locked := slices.Concat([]byte("c"), clara[:], id[:], bytes.Repeat([]byte{0xff}, 15), []byte{0xff - 100}, payment.Tx[:], []byte{0, 0, 0, byte(payment.Index)})
	for name, damage := range map[string]struct {
		key, value []byte
		finding    string
	}{
		"listed":        {locked, []byte{}, "1 outputs by owner are listed, there are 0"},
		"no balance":    {balance, nil, "the balance of key"},
		"wrong balance": {balance, types.Encode(&store.Balance{Locked: 109}), "the balance of key"},
	} {
		var before []byte
		change := func(db *pebble.DB) error {
			value, closer, err := db.Get(damage.key)
			if err == nil {
				before = slices.Clone(value)
				err = closer.Close()
			} else if errors.Is(err, pebble.ErrNotFound) {
				err = nil
			}
			if damage.value == nil {
				return errors.Join(err, db.Delete(damage.key, pebble.Sync))
			}
			return errors.Join(err, db.Set(damage.key, damage.value, pebble.Sync))
		}
		w.tamper(change)
		w.open()
		if _, err := w.store.Check(); err == nil || !strings.Contains(err.Error(), damage.finding) {
			t.Errorf("%s: found %v, want %q", name, err, damage.finding)
		}
		damage.value = before
		w.tamper(change)
		w.open()
		w.check()
	}
	w.must(types.NewRelease(w.params.ChainID, types.Release{Trade: agreement.ID(), Instalment: 1, Preimage: party.Secret("clara")}))
	look(2, store.Balance{Coins: 1, Spendable: 10}, store.Balance{Coins: 1, Spendable: 100})
	w.collect(agreement.ID())
	look(2, store.Balance{Coins: 1, Spendable: 10}, store.Balance{Coins: 1, Spendable: 100})
}
