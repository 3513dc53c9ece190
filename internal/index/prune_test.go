package index_test

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"lockstep/internal/index"
	"lockstep/internal/store"
	"lockstep/types"
)

// pruneStore removes the history of the store up to some blocks before its end.
func (w *world) pruneStore(kept uint64) {
	w.t.Helper()
	w.read(func(*store.IndexedSnapshot) {}) // writes the blocks to the disk
	to := w.store.Height() - min(kept, w.store.Height())
	for base := w.store.Base(); base < to; {
		before := base
		var err error
		if base, err = w.store.Prune(to); err != nil {
			w.t.Fatal(err)
		}
		if base == before {
			w.t.Fatalf("the history begins at block %d, not %d", base+1, to+1)
		}
	}
}

// prune does some steps of pruning.
func (w *world) prune(x *index.Index, steps int) (more bool) {
	w.t.Helper()
	w.read(func(s *store.IndexedSnapshot) {
		more = true
		for ; more && steps > 0; steps-- {
			var err error
			if more, err = x.Prune(source{s}); err != nil {
				w.t.Fatal(err)
			}
		}
	})
	return more
}

const allSteps = 1000

// TestPrunedIndex prunes an index while it follows, closes and opens it at times, and compares it with an index that keeps all, and with one that was begun from the blocks that are left.
func TestPrunedIndex(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	for seed := uint64(50); seed < 54; seed++ {
		w := newWorld(t, seed)
		w.issueFirst()
		file := filepath.Join(t.TempDir(), "index.db")
		pruned, whole := w.open(file), w.open(filepath.Join(t.TempDir(), "whole.db"))
		if seed%2 == 0 {
			pruned.KeepOpen(3)
		}
		w.play(160, func() {
			w.follow(whole)
			switch w.random.IntN(10) {
			case 0, 1:
			case 2:
				closeIndex(t, pruned)
				pruned = w.open(file)
			case 3:
				w.follow(pruned)
				w.pruneStore(60)
				w.prune(pruned, 1+w.random.IntN(2))
			default:
				w.follow(pruned)
			}
		})
		w.follow(pruned)
		w.pruneStore(60)
		if w.prune(pruned, allSteps) {
			t.Fatal("pruning has no end")
		}
		w.sameWindow(pruned, whole, seed)
		for range 2 { // the second time from the blocks that are left, and what an index of them has
			if _, err := w.checkIndex(file); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if err := pruned.Reset(); err != nil {
				t.Fatal(err)
			}
			w.follow(pruned)
			w.prune(pruned, allSteps)
		}
		if err := pruned.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// sameWindow compares the answers of a pruned index with those of one that keeps all.
func (w *world) sameWindow(pruned, whole *index.Index, seed uint64) {
	t, ctx := w.t, w.t.Context()
	t.Helper()
	all, err := whole.Trades(ctx, index.TradeFilter{}, index.Page{Limit: index.MaxLimit})
	if err != nil || all.Next != "" || all.Since != (index.Since{}) {
		t.Fatal(all.Since, all.Next, err)
	}
	kept, err := pruned.Trades(ctx, index.TradeFilter{}, index.Page{Limit: index.MaxLimit})
	if err != nil || kept.Since.Height != w.store.Base()+1 || pruned.From() != w.store.Base()+1 {
		t.Fatalf("the trades since %+v: %v", kept.Since, err)
	}
	since := kept.Since.Clock
	gone := slices.DeleteFunc(slices.Clone(all.Trades), func(t index.Trade) bool { return t.EndedAt == 0 || t.EndedAt >= since })
	all.Trades = slices.DeleteFunc(all.Trades, func(t index.Trade) bool { return t.EndedAt != 0 && t.EndedAt < since })
	if !reflect.DeepEqual(kept.Trades, all.Trades) || len(gone) < 5 || len(kept.Trades) < 5 {
		t.Errorf("seed %d: %d trades are kept, %d should be, %d ended before", seed, len(kept.Trades), len(all.Trades), len(gone))
	}
	held, err := whole.Auctions(ctx, index.AuctionFilter{}, index.Page{Limit: index.MaxLimit})
	if err != nil {
		t.Fatal(err)
	}
	left, err := pruned.Auctions(ctx, index.AuctionFilter{}, index.Page{Limit: index.MaxLimit})
	if err != nil {
		t.Fatal(err)
	}
	earlier := len(held.Auctions)
	held.Auctions = slices.DeleteFunc(held.Auctions, func(a index.Auction) bool { return a.Product.From < since })
	if !reflect.DeepEqual(left.Auctions, held.Auctions) || earlier == len(held.Auctions) {
		t.Errorf("seed %d: %d auctions are kept, %d of %d should be", seed, len(left.Auctions), len(held.Auctions), earlier)
	}
	for n := range parties {
		want, err := whole.Member(ctx, party(n), index.Page{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := pruned.Member(ctx, party(n), index.Page{}); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("seed %d: the conduct of %d changed: %+v, %v", seed, n, got, err)
		}
		fills, err := pruned.Fills(ctx, index.FillFilter{Owner: party(n)}, index.Page{})
		if err != nil || slices.ContainsFunc(fills.Fills, func(f index.Fill) bool { return f.Product.From < since }) {
			t.Errorf("seed %d: fills: %v", seed, err)
		}
	}
	w.refusesEarlier(pruned, since, left.Since.Clock)
	if _, _, err := pruned.Offer(ctx, types.OfferID{1}); types.CodeOf(err) != types.CodePruned {
		t.Errorf("an unknown offer: %v", err)
	}
	if _, known, err := whole.Offer(ctx, types.OfferID{1}); known || err != nil {
		t.Errorf("an unknown offer: %v", err)
	}
	for table, column := range map[string]string{"moments": "agreed_at", "offers": "closed_at", "trades": "CASE ended_at WHEN 0 THEN 9e18 ELSE ended_at END", "auctions": "starts"} {
		if n := count(t, pruned, "SELECT count(*) FROM "+table+" WHERE "+column+" < ?", since); n > 0 {
			t.Errorf("seed %d: %s has %d rows of pruned history", seed, table, n)
		}
	}
	for _, orphans := range []string{
		"SELECT count(*) FROM products p WHERE NOT EXISTS (SELECT 1 FROM trades WHERE product = p.n) AND NOT EXISTS (SELECT 1 FROM auctions WHERE product = p.n)",
		"SELECT count(*) FROM orders WHERE auction NOT IN (SELECT n FROM auctions)", "SELECT count(*) FROM matches WHERE auction NOT IN (SELECT n FROM auctions)",
		"SELECT count(*) FROM rounds WHERE auction NOT IN (SELECT n FROM auctions)", "SELECT count(*) FROM leaving",
	} {
		if n := count(t, pruned, orphans); n > 0 && !strings.Contains(orphans, "products") || n > 10 { // products of trades in memory
			t.Errorf("seed %d: %s: %d", seed, orphans, n)
		}
	}
}

// refusesEarlier asks for time before the window, at its edge and within it.
func (w *world) refusesEarlier(x *index.Index, since, slots types.Time) {
	ctx := w.t.Context()
	w.t.Helper()
	asset := assetID(0)
	market := index.Market{Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Asset: asset}
	hour := since - since%types.Time(index.Hourly)
	for _, ask := range []struct {
		what        string
		from, until types.Time
		refused     bool
		question    func(from, until types.Time) error
	}{
		{"trades", since - 1, 0, true, w.askTrades(ctx, x)}, {"trades", since, 0, false, w.askTrades(ctx, x)}, {"trades", 0, 0, false, w.askTrades(ctx, x)},
		{"trades", 0, since, true, w.askTrades(ctx, x)}, {"trades", 0, since + 1, false, w.askTrades(ctx, x)},
		{"auctions", slots - 1, 0, true, askAuctions(ctx, x)}, {"auctions", slots, 0, false, askAuctions(ctx, x)}, {"auctions", 0, slots, true, askAuctions(ctx, x)},
		{"volumes", hour - 1, 0, true, askVolumes(ctx, x, market)}, {"volumes", hour, 0, false, askVolumes(ctx, x, market)}, {"volumes", 0, hour, true, askVolumes(ctx, x, market)},
	} {
		err := ask.question(ask.from, ask.until)
		if !ask.refused && err != nil || ask.refused && (types.CodeOf(err) != types.CodePruned || !strings.Contains(err.Error(), `"keep": "all"`)) {
			w.t.Errorf("%s from %d until %d: %v", ask.what, ask.from, ask.until, err)
		}
	}
}

func (w *world) askTrades(ctx context.Context, x *index.Index) func(from, until types.Time) error {
	return func(from, until types.Time) error {
		_, err := x.Trades(ctx, index.TradeFilter{From: from, Until: until}, index.Page{})
		return err
	}
}

func askAuctions(ctx context.Context, x *index.Index) func(from, until types.Time) error {
	return func(from, until types.Time) error {
		_, err := x.Auctions(ctx, index.AuctionFilter{From: from, Until: until}, index.Page{})
		return err
	}
}

func askVolumes(ctx context.Context, x *index.Index, market index.Market) func(from, until types.Time) error {
	return func(from, until types.Time) error {
		_, err := x.Volumes(ctx, index.VolumeFilter{Market: market, Span: index.Hourly, From: from, Until: until}, index.Page{})
		return err
	}
}

func count(t testing.TB, x *index.Index, question string, args ...any) (n int) {
	t.Helper()
	n, err := x.Count(question, args...)
	if err != nil {
		t.Fatalf("%s: %v", question, err)
	}
	return n
}

// TestBegunIndex begins an index on a pruned ledger: it tells where it begins, has the trades that went on there, and a change of any row is found.
func TestBegunIndex(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 61)
	w.issueFirst()
	whole := w.open(filepath.Join(t.TempDir(), "whole.db"))
	w.play(160, func() { w.follow(whole) })
	w.pruneStore(80)
	file := filepath.Join(t.TempDir(), "index.db")
	x := w.open(file)
	w.follow(x)
	w.prune(x, allSteps)
	kept, err := x.Trades(t.Context(), index.TradeFilter{}, index.Page{Limit: index.MaxLimit})
	if err != nil || kept.Since.Height != w.store.Base()+1 {
		t.Fatal(kept.Since, err)
	}
	all, err := whole.Trades(t.Context(), index.TradeFilter{}, index.Page{Limit: index.MaxLimit})
	if err != nil {
		t.Fatal(err)
	}
	all.Trades = slices.DeleteFunc(all.Trades, func(t index.Trade) bool { return t.EndedAt != 0 && t.EndedAt < kept.Since.Clock })
	straddling := 0
	for i := range max(len(all.Trades), len(kept.Trades)) {
		if i >= len(all.Trades) || i >= len(kept.Trades) {
			t.Fatalf("%d trades are kept, and %d should be", len(kept.Trades), len(all.Trades))
		}
		got, want := kept.Trades[i], all.Trades[i]
		if want.AgreedAt < kept.Since.Clock {
			straddling++
			got.Excused = want.Excused // by stalls that it may not know
		}
		if got.AgreedAt >= kept.Since.Clock && got != want {
			t.Errorf("trade %d is %+v, and should be %+v", i, got, want)
		}
		if !slices.ContainsFunc(all.Trades, func(t index.Trade) bool { t.Excused = got.Excused; return t == got }) {
			t.Errorf("trade %d is %+v, and is not so in the index of all blocks", i, got)
		}
	}
	if straddling < 2 {
		t.Errorf("only %d trades went on where the history begins", straddling)
	}
	member, err := x.Member(t.Context(), party(0), index.Page{})
	if err != nil || member.Since != kept.Since {
		t.Errorf("the conduct is since %+v: %v", member.Since, err)
	}
	closeIndex(t, x)
	if _, err := w.checkIndex(file); err != nil {
		t.Error(err)
	}
	for _, tamper := range []string{
		"UPDATE trades SET deliver_by = deliver_by + 1 WHERE n = (SELECT max(n) FROM trades)", "DELETE FROM moments WHERE agreed_at = (SELECT max(agreed_at) FROM moments)",
		"DELETE FROM trades WHERE n = (SELECT max(n) FROM trades)", "UPDATE parties SET key = zeroblob(32) WHERE n = (SELECT producer FROM trades ORDER BY n DESC LIMIT 1)",
		"UPDATE orders SET price = price + 1", "UPDATE matches SET leaf = leaf + 1", "UPDATE rounds SET buyers = buyers + 1",
	} {
		w.tamper(file, tamper)
	}
}

// TestIndexBehindHistory: an index that stands before the history that is kept is begun anew, at once or when it follows.
func TestIndexBehindHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 71)
	w.issueFirst()
	w.play(20, nil)
	file := filepath.Join(t.TempDir(), "index.db")
	x := w.open(file)
	w.follow(x)
	w.play(40, nil)
	w.pruneStore(10)
	w.read(func(s *store.IndexedSnapshot) {
		if _, err := x.Advance(t.Context(), source{s}); !errors.Is(err, index.ErrDamaged) || !strings.Contains(err.Error(), "keeps blocks from") {
			t.Errorf("it followed across the gap: %v", err)
		}
	})
	closeIndex(t, x)
	x = w.open(file)
	if x.Height() != 0 {
		t.Errorf("it stands at block %d", x.Height())
	}
	w.follow(x)
	if x.Height() != w.store.Height() || x.From() != w.store.Base()+1 {
		t.Errorf("it has blocks %d to %d", x.From(), x.Height())
	}
}
