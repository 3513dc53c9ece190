package books

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lockstep/client/wire/history"
	"lockstep/internal/ledgertest"
	"lockstep/internal/ledgertest/party"
	"lockstep/internal/ledgertest/served"
	"lockstep/trade"
	"lockstep/types"
)

// tradeOf draws a trade that ended, with the shares of one that was divided.
func tradeOf(r *rapid.T) (history.Trade, *trade.Division) {
	t := history.Trade{
		ID:       types.TradeID(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(r, "id")),
		Phase:    types.Phase(rapid.IntRange(int(types.PhaseReleased), int(types.PhaseLapsed)).Draw(r, "phase")),
		Producer: party.Key("seller"), Consumer: party.Key("buyer"),
		Product:  types.Product{Commodity: "energy", Unit: "Wh", Zone: rapid.SampledFrom([]string{"", "town", "=1+1", "a,\"b\"\nc"}).Draw(r, "zone"), Asset: assetID(rapid.IntRange(0, 1).Draw(r, "asset"))},
		Quantity: rapid.Uint64Range(1, 1<<40).Draw(r, "quantity"), Price: types.Amount(rapid.Uint64Range(10, 1<<60).Draw(r, "price")),
		Deposit: types.Amount(rapid.Uint64Range(1, 1<<50).Draw(r, "deposit")), Bond: types.Amount(rapid.Uint64Range(0, 1<<50).Draw(r, "bond")),
		Matched: rapid.Bool().Draw(r, "matched"), Instalments: rapid.Uint16Range(1, 10).Draw(r, "instalments"),
		EndedAt: types.Time(rapid.Uint64Range(1_000_000, 2_000_000).Draw(r, "ended")),
	}
	t.Allotted = rapid.Uint64Range(0, t.Quantity).Draw(r, "allotted")
	t.Released = rapid.Uint16Range(0, t.Instalments-1).Draw(r, "released")
	var shares *trade.Division
	if t.Phase == types.PhaseSplit || t.Phase == types.PhaseAwarded {
		locked := t.Price - trade.Due(agreementOf(&t), t.Released) + t.Deposit + t.Bond
		half := types.Amount(rapid.Uint64Range(0, uint64(locked)).Draw(r, "half"))
		if rapid.Bool().Draw(r, "known") {
			shares = &trade.Division{ToProducer: half, ToConsumer: locked - half}
		}
	}
	return t, shares
}

func asset(n int) types.Asset {
	return types.Asset{Issuer: party.Key("issuer"), Code: fmt.Sprint("EUR", n), Decimals: uint8(n * 6)}
}

func assetID(n int) types.AssetID { a := asset(n); return a.ID() }

func assets(id types.AssetID) (types.Asset, bool) {
	for n := range 2 {
		if a := asset(n); a.ID() == id {
			return a, true
		}
	}
	return types.Asset{}, false
}

// TestEntryOf: the loss of one party is the gain of the other, neither gets more than all that was put in, and a released trade costs its price.
func TestEntryOf(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		x, shares := tradeOf(r)
		sold, ok1 := EntryOf(&x, party.Key("seller"), shares)
		bought, ok2 := EntryOf(&x, party.Key("buyer"), shares)
		if _, ok := EntryOf(&x, party.Key("stranger"), shares); ok || !ok1 || !ok2 {
			r.Fatalf("%t %t", ok1, ok2)
		}
		if sum := new(big.Int).Add(sold.Net(), bought.Net()); sum.Sign() != 0 {
			r.Errorf("%s: the nets %s and %s don't cancel out", x.Phase, sold.Net(), bought.Net())
		}
		if sold.Unknown != bought.Unknown || sold.Unknown != (shares == nil && (x.Phase == types.PhaseSplit || x.Phase == types.PhaseAwarded)) {
			r.Errorf("unknown %t %t", sold.Unknown, bought.Unknown)
		}
		switch x.Phase {
		case types.PhaseReleased:
			if bought.Net().String() != "-"+x.Price.String() || sold.Came != x.Quantity {
				r.Errorf("released: %+v", bought)
			}
		case types.PhaseRefunded, types.PhaseLapsed:
			if bought.Net().Sign() != 0 || sold.Came != 0 || (bought.PutIn == 0) != (x.Phase == types.PhaseLapsed) {
				r.Errorf("%s: %+v", x.Phase, bought)
			}
		case types.PhaseSettled:
			if sold.Came != x.Allotted || x.Allotted == x.Quantity && bought.GotBack != 0 {
				r.Errorf("settled: %+v", bought)
			}
		}
	})
	for _, phase := range []types.Phase{types.PhaseAgreed, types.PhasePaid, types.PhaseDelivered} {
		if _, ok := EntryOf(&history.Trade{Phase: phase, Producer: party.Key("seller")}, party.Key("seller"), nil); ok {
			t.Errorf("a trade that is %s has ended", phase)
		}
	}
}

// TestStatement adds the lines of the journal up again.
func TestStatement(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		var entries []Entry
		for range rapid.IntRange(0, 30).Draw(r, "trades") {
			x, shares := tradeOf(r)
			e, _ := EntryOf(&x, party.Key(rapid.SampledFrom([]string{"seller", "buyer"}).Draw(r, "side")), shares)
			entries = append(entries, e)
		}
		var journal, text bytes.Buffer
		if err := WriteJournal(&journal, entries, assets); err != nil {
			r.Fatal(err)
		}
		rows, err := csv.NewReader(&journal).ReadAll()
		if err != nil || len(rows) != len(entries)+1 {
			r.Fatalf("%d rows: %v", len(rows), err)
		}
		column := map[string]int{}
		for i, name := range rows[0] {
			column[name] = i
		}
		sums, counts := map[string]*big.Int{}, map[string]int{}
		for _, row := range rows[1:] {
			if strings.HasPrefix(row[column["zone"]], "=") {
				r.Errorf("a formula: %q", row)
			}
			id := row[column["asset"]] + row[column["role"]]
			if row[column["net"]] == "" {
				counts[row[column["asset"]]+"unknown"]++
				continue
			}
			counts[id]++
			for _, name := range []string{"came", "put_in", "got_back", "net"} {
				n, ok := new(big.Int).SetString(row[column[name]], 10)
				if !ok {
					r.Fatalf("%s is %q", name, row[column[name]])
				}
				if sums[id+name] == nil {
					sums[id+name] = new(big.Int)
				}
				sums[id+name].Add(sums[id+name], n)
			}
		}
		s := NewStatement(1_000_000, 2_000_001, entries)
		trades := 0
		for i := range s.Sums {
			of := &s.Sums[i]
			trades += of.Unknown
			if of.Unknown != counts[of.Asset.String()+"unknown"] {
				r.Errorf("%d unknown", of.Unknown)
			}
			for role, side := range map[string]*Side{"producer": &of.Sold, "consumer": &of.Bought} {
				id := of.Asset.String() + role
				trades += side.Trades
				if side.Trades != counts[id] {
					r.Errorf("%d trades", side.Trades)
				}
				if side.Trades == 0 {
					continue
				}
				for name, got := range map[string]*big.Int{"came": side.Came["Wh"].Big(), "put_in": side.PutIn.Big(), "got_back": side.GotBack.Big(), "net": side.Net()} {
					if got.Cmp(sums[id+name]) != 0 {
						r.Errorf("%s %s is %s, the lines add up to %s", role, name, got, sums[id+name])
					}
				}
			}
		}
		if trades != len(entries) {
			r.Errorf("%d of %d trades", trades, len(entries))
		}
		if err := s.Write(&text, party.Key("seller"), assets); err != nil || !strings.Contains(text.String(), "Fees of transactions") {
			r.Errorf("%v\n%s", err, text.String())
		}
	})
}

func TestStatementText(t *testing.T) {
	t.Parallel()
	x := history.Trade{
		Phase: types.PhaseReleased, Producer: party.Key("seller"), Consumer: party.Key("buyer"), EndedAt: 5, Quantity: 1500, Price: 450_000, Deposit: 45_000, Bond: 9,
		Instalments: 1, Product: types.Product{Commodity: "energy", Unit: "Wh", Asset: assetID(1)},
	}
	e, _ := EntryOf(&x, party.Key("buyer"), nil)
	var text bytes.Buffer
	if err := NewStatement(0, 86_400_000, []Entry{e}).Write(&text, party.Key("buyer"), assets); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1970-01-01 00:00:00 UTC to 1970-01-02 00:00:00 UTC", "bought", "1500 Wh  0.495000  0.045000  -0.450000", "total       1                                -0.450000"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("lacks %q:\n%s", want, text.String())
		}
	}
	text.Reset()
	if err := NewStatement(0, 1, nil).Write(&text, party.Key("buyer"), assets); err != nil || !strings.Contains(text.String(), "No trade ended") {
		t.Errorf("%v\n%s", err, text.String())
	}
	for n, want := range map[int64]string{0: "0.00", 5: "0.05", -5: "-0.05", -12345: "-123.45"} {
		if got := decimal(big.NewInt(n), 2); got != want {
			t.Errorf("%d is %s", n, got)
		}
	}
}

// The files of a day and a month are written once both are over and indexed, and stay as they are.
func TestKeeper(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, "test")
	l.Story(t)
	began := l.Now().Std()
	folder := filepath.Join(t.TempDir(), "journals")
	node, _ := served.Node(t, l)
	k := &Keeper{Node: node, Key: party.Key("producer"), Folder: folder, Assets: assets, Log: slog.New(slog.DiscardHandler)}
	if err := k.Keep(t.Context(), began.AddDate(0, 0, 1)); err != nil {
		t.Fatal(err)
	}
	day, month := filepath.Join(folder, began.Format("2006-01-02")+".csv"), filepath.Join(folder, began.Format("2006-01"))
	if _, err := os.Stat(day); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the day is not over by the ledger: %v", err)
	}
	from, until := began.Add(-time.Hour), began.Add(time.Second)
	files := func(indexed types.Time) {
		t.Helper()
		for _, file := range []struct {
			name      string
			statement bool
		}{{began.Format("2006-01-02"), false}, {began.Format("2006-01"), true}} {
			if err := k.write(t.Context(), from, until, indexed, file.name, file.statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	files(types.TimeOf(until) - 1)
	if _, err := os.Stat(day); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the index is not there yet: %v", err)
	}
	files(types.TimeOf(until))
	for _, path := range []string{day, month + ".csv", month + ".txt"} {
		content, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(content), "400") {
			t.Errorf("%s: %v %s", path, err, content)
		}
		if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files(types.TimeOf(until))
	if content, err := os.ReadFile(day); err != nil || string(content) != "mine" {
		t.Errorf("written over: %v %s", err, content)
	}
}

// The lines of a real ledger, from a node.
func TestFetch(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, "test")
	_, id := l.Story(t)
	node, _ := served.Node(t, l)
	for name, net := range map[string]string{"producer": "400", "consumer": "-400"} {
		entries, err := Fetch(t.Context(), node, party.Key(name), ledgertest.Start, l.Now()+1)
		if err != nil || len(entries) != 1 || entries[0].Trade != id || entries[0].Net().String() != net || entries[0].Came != 400 {
			t.Errorf("%s: %+v %v", name, entries, err)
		}
	}
	ended, _ := Fetch(t.Context(), node, party.Key("producer"), 0, types.MaxTime)
	at := ended[0].Ended
	for _, c := range []struct {
		from, until types.Time
		want        int
	}{{at, at + 1, 1}, {at + 1, at + 2, 0}, {0, at, 0}} {
		if entries, err := Fetch(t.Context(), node, party.Key("producer"), c.from, c.until); err != nil || len(entries) != c.want {
			t.Errorf("%+v: %d %v", c, len(entries), err)
		}
	}
}
