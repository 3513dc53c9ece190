package index_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lockstep/internal/index"
	"lockstep/internal/store"
	"lockstep/types"
)

// TestLiveIndexMatchesRebuild: an index that follows block by block, is closed and opened and broken off at times, ends
// the same as one that was made at once from the end.
func TestLiveIndexMatchesRebuild(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		w := newWorld(t, seed)
		w.issueFirst()
		file := filepath.Join(t.TempDir(), "index.db")
		live := w.open(file)
		broken := 0
		w.play(150, func() {
			switch w.random.IntN(12) {
			case 0, 1, 2: // falls behind
			case 3:
				closeIndex(t, live)
				live = w.open(file)
			case 4:
				before := digest(t, live)
				w.read(func(s *store.IndexedSnapshot) {
					if _, err := live.Advance(t.Context(), &failing{source{s}, w.random.IntN(3)}); err == nil {
						return
					} else if !errors.Is(err, errBroken) {
						t.Fatal(err)
					}
					broken++
					if digest(t, live) != before {
						t.Fatal("a batch that failed left something behind")
					}
				})
			default:
				w.follow(live)
			}
		})
		w.follow(live)
		rebuilt := w.rebuilt()
		if digest(t, live) != digest(t, rebuilt) {
			t.Errorf("seed %d: the index that followed and the one that was rebuilt differ", seed)
		}
		if err := live.Verify(t.Context()); err != nil {
			t.Error(err)
		}
		counts, err := live.Counts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if counts.Blocks != w.store.Height() || counts.Trades < 20 || counts.Auctions < 5 || broken == 0 {
			t.Errorf("seed %d: not much of a story: %+v, broken off %d times", seed, counts, broken)
		}
	}
}

// TestBatchIndependence: for all batch sizes and lags behind the chain, and with or without the memory of
// rows written before, the index is the same.
func TestBatchIndependence(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	for seed := uint64(30); seed < 34; seed++ {
		w := newWorld(t, seed)
		w.issueFirst()
		spilled := 0
		each, lagging := w.open(filepath.Join(t.TempDir(), "each.db")), w.open(filepath.Join(t.TempDir(), "lagging.db"))
		each.KeepOpen(3) // the others go to the table
		w.play(120, func() {
			w.followTo(each, w.store.Height())
			memory, table, err := each.Open()
			if err != nil || memory > 3 {
				t.Fatalf("%d open trades are in memory: %v", memory, err)
			}
			spilled = max(spilled, table)
			if w.random.IntN(5) == 0 { // it is some blocks behind, and reads trades as they are later
				w.followTo(lagging, w.store.Height()-w.random.Uint64N(8))
			}
		})
		want := digest(t, w.rebuilt())
		w.follow(lagging)
		for name, x := range map[string]*index.Index{"each": each, "lagging": lagging} {
			if digest(t, x) != want {
				t.Errorf("seed %d: the index %s is not the rebuilt one", seed, name)
			}
		}
		if memory, table, err := lagging.Open(); err != nil || memory == 0 || table > 0 || spilled == 0 {
			t.Errorf("seed %d: %d open trades are in memory and %d in the table, %d with the bound: %v", seed, memory, table, spilled, err)
		}
		for longest := range uint64(3) { // batches of one block, then of some, then of many
			file := filepath.Join(t.TempDir(), "late.db")
			late := w.open(file)
			late.KeepOpen(int(2 * longest)) // also after it was opened again without the bound
			for height := uint64(0); height < w.store.Height(); {
				height = min(w.store.Height(), height+1+w.random.Uint64N(1+10*longest*longest))
				w.followTo(late, height)
				if w.random.IntN(10) == 0 {
					closeIndex(t, late)
					late = w.open(file)
				}
			}
			if digest(t, late) != want {
				t.Errorf("seed %d: from the end in batches up to %d it is not the rebuilt one", seed, 1+10*longest*longest)
			}
		}
	}
}

// TestAnAuctionOverBlocks: the first trades of a large auction may be over, and written as such, before its last ones are made.
func TestAnAuctionOverBlocks(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	const owners, each = 2100, 8
	w := newWorld(t, 1)
	w.issueFirst()
	live := w.open(filepath.Join(t.TempDir(), "live.db"))
	order := w.order(0)
	for order.Product.Commodity != "heat" { // hold terms
		order = w.order(0)
	}
	grid, _ := w.params.Grid(&order.Product)
	order.Expires, order.Limit, order.MinFill = types.MaxTime, 4, grid.Lot
	var txs []*types.Tx
	for i := range owners * each {
		order.Owner, order.Number, order.Side = publicKey(fmt.Sprint("household ", i/each)), uint8(i%each), types.Side(1+i/each%2)
		order.Quantity, order.Root, order.Depth = grid.Lot*(1+w.random.Uint64N(1000)), types.Hash{}, 0
		if order.Side == types.Bid {
			order.Root, order.Depth = types.Hash{1}, types.MaxDigestDepth
		}
		txs = append(txs, w.place(order, 0))
	}
	w.block(txs...)
	id := order.Product.ID()
	w.time = order.Product.Gate(&w.params)
	for made := false; !made; { // it is held, its orders leave, and the first trades are made
		w.block()
		w.followTo(live, w.store.Height())
		w.read(func(s *store.IndexedSnapshot) {
			for range s.Reader.Trades() {
				made = true
			}
		})
	}
	w.read(func(s *store.IndexedSnapshot) {
		for trade := range s.Reader.Trades() {
			txs = []*types.Tx{
				w.next(trade, s.Clock().Now()),
				w.split(trade, types.PhaseDelivered, 0, trade.LockedSum()),
			}
			return
		}
	})
	for i, result := range w.block(txs...) {
		if result.Code != types.CodeOK {
			t.Fatalf("transaction %d: %s", i, result.Detail)
		}
	}
	w.followTo(live, w.store.Height())
	w.read(func(s *store.IndexedSnapshot) {
		if !s.Reader.Held(id) {
			t.Fatal("the auction is over: no trade could be before")
		}
	})
	for going := true; going; {
		w.block()
		w.read(func(s *store.IndexedSnapshot) { going = s.Reader.Held(id) })
	}
	w.follow(live)
	auction, told, err := live.Auction(t.Context(), id)
	if err != nil || !told || auction.Orders != owners*each || auction.Trades < owners*each*9/10 {
		t.Errorf("the auction is told as %+v, %v", auction, err)
	}
	if digest(t, live) != digest(t, w.rebuilt()) {
		t.Error("the index that followed and the one that was rebuilt differ")
	}
	if err := live.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAdvanceCancellation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.issueFirst()
	w.play(10, nil)
	x := w.open(filepath.Join(t.TempDir(), "index.db"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.read(func(s *store.IndexedSnapshot) {
		if _, err := x.Advance(ctx, source{s}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	if at, err := x.Position(t.Context()); err != nil || at.Height != 0 {
		t.Errorf("it is at %d, %v", at.Height, err)
	}
}

// TestRebuildOfDamagedIndex: for every kind of damage, opening the file ends in a good index and logs the reason.
func TestRebuildOfDamagedIndex(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.issueFirst()
	w.play(60, nil)
	want := digest(t, w.rebuilt())
	other := newWorld(t, 3)
	other.issueFirst()
	other.play(60, nil)
	ahead := newWorld(t, 2)
	for _, c := range []struct {
		name, says string
		of         *world
		spoil      func(t *testing.T, file string)
	}{
		{"other chain", "is not the ledger's", other, nil},
		{"ahead", "does not have", ahead, nil},
		{"not a database", "not a database", w, func(t *testing.T, file string) { write(t, file, []byte(strings.Repeat("nonsense ", 1000))) }},
		{"empty file", "format 0", w, func(t *testing.T, file string) { write(t, file, nil) }},
		{"cut short", "malformed", w, func(t *testing.T, file string) {
			if err := os.Truncate(file, 8192); err != nil {
				t.Fatal(err)
			}
		}},
		{"other format", "format 99", w, func(t *testing.T, file string) { overwrite(t, file, 60, []byte{0, 0, 0, 99}) }},
		{"other ledger", "other parameters", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "index.db")
			made := w
			if c.of != nil && c.spoil == nil && c.of == other {
				made = other
			}
			x := made.open(file)
			made.follow(x)
			closeIndex(t, x)
			if c.spoil != nil {
				c.spoil(t, file)
			}
			reader, ledgerHash := w, w.params.Hash()
			switch {
			case c.of == ahead:
				reader = ahead
			case c.of == nil:
				ledgerHash[0] ^= 1
			}
			var log bytes.Buffer
			snapshot, err := reader.store.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			defer snapshot.Close()
			opened, err := index.Open(file, ledgerHash, source{snapshot}, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			defer closeIndex(t, opened)
			if !strings.Contains(log.String(), c.says) {
				t.Errorf("the log says %q, not %q", log.String(), c.says)
			}
			if at, err := opened.Position(t.Context()); err != nil || at.Height != 0 {
				t.Fatalf("it begins at %d: %v", at.Height, err)
			}
			if _, err := opened.Advance(t.Context(), source{snapshot}); err != nil {
				t.Fatal(err)
			}
			if reader == w && c.of != nil && digest(t, opened) != want {
				t.Error("what was built anew is not the index of the chain")
			}
		})
	}
}

func write(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func overwrite(t *testing.T, file string, at int64, content []byte) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(content, at); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestDamageDetection: damage that opening does not see is found by Verify, and Reset mends it.
func TestDamageDetection(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5)
	w.issueFirst()
	w.play(60, nil)
	file := filepath.Join(t.TempDir(), "index.db")
	x := w.open(file)
	w.follow(x)
	want := digest(t, x)
	closeIndex(t, x)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	for at := len(content) / page * 2 / 3 * page; at < len(content); at += 3 * page {
		if !bytes.Contains(content[at:at+page], []byte("CREATE ")) { // opening reads the tables' definitions
			overwrite(t, file, int64(at), bytes.Repeat([]byte{0xa5}, 64))
		}
	}
	x = w.open(file)
	if err := x.Verify(t.Context()); !errors.Is(err, index.ErrDamaged) {
		t.Fatalf("got %v", err)
	}
	at, err := x.Position(t.Context())
	if err != nil || x.Height() != at.Height || at.Height == 0 {
		t.Errorf("height %d of a new opening, position %d, %v", x.Height(), at.Height, err)
	}
	if err := x.Reset(); err != nil {
		t.Fatal(err)
	}
	if x.Height() != 0 {
		t.Errorf("height %d after the reset", x.Height())
	}
	w.follow(x)
	if digest(t, x) != want {
		t.Error("after the reset it is another index")
	}
	free := x.Busy()
	if x.Height() != at.Height { // a deadlock here fails the test
		t.Errorf("height %d while it is busy, want %d", x.Height(), at.Height)
	}
	free()
}

func TestFilePermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	file := filepath.Join(t.TempDir(), "a folder?mode=memory#1 %41")
	if err := os.Mkdir(file, 0o700); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(file, "index.db")
	w.follow(w.open(file))
	for _, suffix := range []string{"", "-wal"} {
		info, err := os.Stat(file + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s%s has mode %o", file, suffix, mode)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.read(func(s *store.IndexedSnapshot) {
		if _, err := index.Open(t.TempDir(), w.params.Hash(), source{s}, quiet); err == nil || types.CodeOf(err) != types.CodeInternal {
			t.Errorf("a folder in the way: %v", err)
		}
	})
}

// TestQueriesWhileFollowing: while the index follows, each page of trades is of one height: no trade is missing or listed twice, and those that go on
// are as many as the conduct of their party says.
func TestQueriesWhileFollowing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 40)
	w.issueFirst()
	x := w.open(filepath.Join(t.TempDir(), "index.db"))
	x.KeepOpen(8)
	done := make(chan struct{})
	asked := make(chan error, 1)
	compared := 0
	go func() {
		defer close(asked)
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			default:
			}
			same, err := compareOpen(x, party(n%parties))
			if err != nil {
				asked <- err
				return
			}
			if same {
				compared++
			}
		}
	}()
	w.play(60, func() { w.follow(x) })
	close(done)
	if err := <-asked; err != nil {
		t.Error(err)
	}
	if compared == 0 {
		t.Error("nothing was compared")
	}
}

// compareOpen compares the open trades of a party with its conduct; false when the index moved on between the two questions.
func compareOpen(x *index.Index, key types.PublicKey) (bool, error) {
	ctx := context.Background()
	trades, err := x.Trades(ctx, index.TradeFilter{Party: &key}, index.Page{Limit: index.MaxLimit})
	if err != nil {
		return false, err
	}
	member, err := x.Member(ctx, key, index.Page{})
	if err != nil || member.At != trades.At {
		return false, err
	}
	open, seen := uint64(0), map[types.TradeID]bool{}
	for _, trade := range trades.Trades {
		if seen[trade.ID] {
			return false, fmt.Errorf("trade %s is listed twice", trade.ID)
		}
		seen[trade.ID] = true
		if trade.Phase <= types.PhaseDelivered {
			open++
		}
	}
	for _, asset := range member.Assets {
		open -= asset.AsProducer.Open.Trades + asset.AsConsumer.Open.Trades
	}
	if open != 0 && trades.Next == "" {
		return false, fmt.Errorf("at height %d %d open trades are listed too many", trades.At.Height, int64(open))
	}
	return true, nil
}
