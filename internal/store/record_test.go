package store

import (
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"lockstep/types"
	"lockstep/types/canon"
)

func TestRecordOfLargeBlock(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	block := &Block{Height: 7, Commitment: types.AppHash(types.Hash{}, types.LogHead{}), Txs: make([]TxResult, 20_000), Events: make([]types.Event, 20_000)}
	for i := range block.Events {
		block.Events[i] = types.Event{Kind: types.EventPaid, Keys: []types.PublicKey{}}
	}
	wantSame(t, block)
}

func wantSame(t rapid.TB, block *Block) {
	t.Helper()
	shared := newSharedIDs()
	encoded, err := encodeBlock(block, shared)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := decodeBlock(encoded, shared.all)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(block, decoded, cmpopts.IgnoreUnexported(types.Event{}, Block{})); diff != "" {
		t.Fatal(diff)
	}
}

// TestRecordRoundTrip draws IDs from a few, so that one stands in several places, as a transaction and otherwise.
func TestRecordRoundTrip(t *testing.T) {
	t.Parallel()
	id := rapid.Custom(func(t *rapid.T) [32]byte { return [32]byte{rapid.Uint8Max(5).Draw(t, "id")} })
	result := rapid.Custom(func(t *rapid.T) TxResult {
		return TxResult{ID: id.Draw(t, "tx"), Code: types.Code(rapid.Uint32().Draw(t, "code")), Detail: rapid.String().Draw(t, "detail")}
	})
	key := rapid.Map(id, func(id [32]byte) types.PublicKey { return id })
	rapid.Check(t, func(t *rapid.T) {
		block := &Block{
			Height: rapid.Uint64().Draw(t, "height"), BlockTime: types.Time(rapid.Uint64().Draw(t, "block time")),
			Clock: types.Time(rapid.Uint64().Draw(t, "clock")), State: id.Draw(t, "state"),
			Log: types.LogHead{Size: rapid.Uint64().Draw(t, "leaves"), Root: id.Draw(t, "root")}, First: rapid.Uint64().Draw(t, "first leaf"),
			Txs: rapid.SliceOfN(result, 0, 5).Draw(t, "txs"), Events: []types.Event{},
		}
		block.Commitment = types.AppHash(block.State, block.Log)
		for range rapid.IntRange(0, 8).Draw(t, "events") {
			event := types.Event{
				Kind: types.EventNumber(rapid.Uint8Range(1, 22).Draw(t, "kind")).Kind(), Height: block.Height, At: block.Clock,
				Tx: id.Draw(t, "tx"), Trade: id.Draw(t, "trade"), Offer: id.Draw(t, "offer"), Product: id.Draw(t, "product"),
				Keys: rapid.SliceOfN(key, 0, 4).Draw(t, "keys"),
			}
			if rapid.Bool().Draw(t, "at another moment") {
				event.Height, event.At = rapid.Uint64().Draw(t, "event height"), types.Time(rapid.Uint64().Draw(t, "at"))
			}
			block.Events = append(block.Events, event)
		}
		wantSame(t, block)
	})
}

func TestRecordOfUnknownEventKind(t *testing.T) {
	t.Parallel()
	if _, err := encodeBlock(&Block{Events: []types.Event{{Kind: "unheard_of"}}}, newSharedIDs()); err == nil {
		t.Error("it has a record, which nobody could read")
	}
}

func TestDamagedRecord(t *testing.T) {
	t.Parallel()
	for finding, damage := range map[string]func(*blockRecord, *sharedIDs){
		"event 0: there is no kind 24":        func(r *blockRecord, _ *sharedIDs) { r.events[0].kind = 24 },
		"event 0: there is no kind 0":         func(r *blockRecord, _ *sharedIDs) { r.events[0].kind = 0 },
		"event 0: it has 2 moments":           func(r *blockRecord, _ *sharedIDs) { r.events[0].moment = make([]moment, 2) },
		"event 0: it names the ID 3 of 2":     func(r *blockRecord, _ *sharedIDs) { r.events[0].trade = 3 },
		"event 0: it names the ID 9 of 2":     func(r *blockRecord, _ *sharedIDs) { r.events[0].keys = []idPlace{9} },
		"event 0: it names the ID 2 of 1":     func(_ *blockRecord, shared *sharedIDs) { shared.ids = shared.ids[:31] },
		"event 0: it names the ID 4294967295": func(r *blockRecord, _ *sharedIDs) { r.events[0].product = 1<<32 - 1 },
	} {
		r := &blockRecord{Block: Block{Txs: make([]TxResult, 1)}, events: []eventRecord{{kind: 1, tx: 1, trade: 2, keys: []idPlace{0}}}}
		shared := newSharedIDs()
		shared.place([idLength]byte{1})
		if _, err := decodeBlock(canon.Encode(r), shared.all); err != nil {
			t.Fatal(err)
		}
		damage(r, shared)
		if _, err := decodeBlock(canon.Encode(r), shared.all); err == nil || !strings.Contains(err.Error(), "damaged: "+finding) {
			t.Errorf("found %v, want %s", err, finding)
		}
	}
	shared := newSharedIDs()
	encoded, err := encodeBlock(&Block{Events: []types.Event{{Kind: types.EventPaid}}}, shared)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range encoded {
		if _, err := decodeBlock(encoded[:cut], shared.all); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("the first %d bytes of %d: %v", cut, len(encoded), err)
		}
	}
}

func (s *sharedIDs) all(use idsUser) error { return use(s.ids) }

// TestSharedIDs: the blocks of a flush share the IDs of their events, and each block is read with the IDs of its own flush.
func TestSharedIDs(t *testing.T) {
	t.Parallel()
	s, err := OpenVolatile(types.DefaultParams("test"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	event := func(height uint64, trade, party byte) types.Event {
		return types.Event{
			Kind: types.EventPaid, Height: height, Tx: types.TxID{byte(height), 1}, Trade: types.TradeID{trade}, Keys: []types.PublicKey{{party}, {9}},
		}
	}
	block := func(height uint64, trade, party byte) *Block {
		return &Block{
			Height: height, Commitment: types.AppHash(types.Hash{}, types.LogHead{}), Txs: []TxResult{{ID: types.TxID{byte(height), 1}}},
			Events: []types.Event{event(height, trade, party)},
		}
	}
	quiet := &Block{Height: 3, Commitment: types.AppHash(types.Hash{}, types.LogHead{}), Txs: []TxResult{}, Events: []types.Event{}}
	flushes := [][]*Block{{block(1, 1, 5), block(2, 1, 6)}, {quiet}, {block(4, 2, 5), block(5, 1, 5)}}
	for _, blocks := range flushes {
		w := &writer{}
		if err := errors.Join(w.writeBlocks(blocks), w.commit(s.db, pebble.Sync)); err != nil {
			t.Fatal(err)
		}
	}
	for height, want := range map[uint64]int{1: 4, 2: 4, 3: 0, 4: 4, 5: 4, 6: 0} { // a trade, two parties and the key 9; two trades, a party and the key 9
		err := withIDs(s.db, height, func(ids []byte) error {
			if len(ids) != want*idLength {
				t.Errorf("block %d has %d bytes of IDs, want %d IDs", height, len(ids), want)
			}
			return errUsed
		})
		if !errors.Is(err, errUsed) {
			t.Errorf("the IDs of block %d: %v", height, err)
		}
	}
	for _, want := range slices.Concat(flushes...) {
		got, err := readBlock(s.db, want.Height)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(types.Event{}, Block{})); diff != "" {
			t.Errorf("block %d: %s", want.Height, diff)
		}
	}
}

var errUsed = errors.New("used")

// TestManySharedIDs: the blocks of a flush are read without a copy of all its IDs for each.
func TestManySharedIDs(t *testing.T) { //nolint:paralleltest // it counts the bytes that the process allocates
	s, err := OpenVolatile(types.DefaultParams("test"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const last, perBlock = 100, 1000
	blocks := make([]*Block, last)
	for i := range blocks {
		blocks[i] = &Block{Height: uint64(i) + 1, Txs: []TxResult{}}
		for j := range perBlock {
			id := types.TradeID{1, byte(i), byte(j), byte(j >> 8)}
			blocks[i].Events = append(blocks[i].Events, types.Event{Kind: types.EventPaid, Height: blocks[i].Height, Trade: id})
		}
	}
	blocks[last-1].Events = blocks[last-1].Events[:1]
	w := &writer{}
	if err := errors.Join(w.writeBlocks(blocks), w.commit(s.db, pebble.Sync)); err != nil {
		t.Fatal(err)
	}
	const reads = 100
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range reads {
		if block, err := readBlock(s.db, last); err != nil || len(block.Events) != 1 || block.Events[0].Trade != blocks[last-1].Events[0].Trade {
			t.Fatalf("it is read as %+v (%v)", block, err)
		}
	}
	runtime.ReadMemStats(&after)
	if took := (after.TotalAlloc - before.TotalAlloc) / reads; took > last*perBlock*idLength/2 {
		t.Errorf("a block of one event takes %d bytes to read, of %d blocks that share %d bytes of IDs", took, last, last*perBlock*idLength)
	}
}

func FuzzBlockRecord(f *testing.F) {
	shared := newSharedIDs()
	sample, err := encodeBlock(&Block{
		Height: 1, Checkpoint: types.Hash{4}, Txs: []TxResult{{ID: types.TxID{1}, Code: types.CodePhase, Detail: "why"}},
		Events: []types.Event{{Kind: types.EventPaid, Tx: types.TxID{1}, Trade: types.TradeID{2}, Keys: []types.PublicKey{{3}}}},
	}, shared)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sample, shared.ids)
	f.Add([]byte{0x87}, []byte{})
	f.Fuzz(func(t *testing.T, encoded, ids []byte) {
		if block, err := decodeBlock(encoded, func(use idsUser) error { return use(ids) }); err == nil {
			wantSame(t, block)
		}
	})
}

func FuzzReceipt(f *testing.F) {
	f.Add(types.Encode(&Receipt{Height: 1 << 20, Index: 300, Code: types.CodePhase, Detail: "why"}))
	f.Fuzz(func(t *testing.T, encoded []byte) {
		var receipt Receipt
		if types.Decode(encoded, &receipt) == nil && string(types.Encode(&receipt)) != string(encoded) {
			t.Errorf("%x is read as %+v, which is written as %x", encoded, receipt, types.Encode(&receipt))
		}
	})
}

func FuzzHead(f *testing.F) {
	var first flushed
	f.Add(first.encode())
	f.Fuzz(func(t *testing.T, encoded []byte) {
		var stored flushedRecord
		if types.Decode(encoded, &stored) == nil && string(types.Encode(&stored)) != string(encoded) {
			t.Errorf("%x is read as %+v", encoded, stored)
		}
	})
}
