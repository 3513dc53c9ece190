package store

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"lockstep/types"
	"lockstep/types/canon"
)

func TestRecordOfLargeBlock(t *testing.T) {
	t.Parallel()
	block := &Block{Height: 7, Txs: make([]TxResult, 20_000), Events: make([]types.Event, 20_000)}
	for i := range block.Events {
		block.Events[i] = types.Event{Kind: types.EventPaid, Keys: []types.PublicKey{}}
	}
	wantSame(t, block)
}

func wantSame(t rapid.TB, block *Block) {
	t.Helper()
	encoded, err := encodeBlock(block)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := decodeBlock(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(block, decoded, cmpopts.IgnoreUnexported(types.Event{})); diff != "" {
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
			Clock: types.Time(rapid.Uint64().Draw(t, "clock")), Commitment: id.Draw(t, "commitment"),
			Txs: rapid.SliceOfN(result, 0, 5).Draw(t, "txs"), Events: []types.Event{},
		}
		for range rapid.IntRange(0, 8).Draw(t, "events") {
			event := types.Event{
				Kind: rapid.SampledFrom(eventKinds[:]).Draw(t, "kind"), Height: block.Height, At: block.Clock,
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

// TestEventKindNumbers reads the kinds from the source of package types, so that none can be forgotten. Their
// numbers are frozen: stores hold them.
func TestEventKindNumbers(t *testing.T) {
	t.Parallel()
	source, err := parser.ParseFile(token.NewFileSet(), "../../types/event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	ast.Inspect(source, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if named, ok := spec.Type.(*ast.Ident); !ok || named.Name != "EventKind" {
			return true
		}
		kind, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil || !slices.Contains(eventKinds[:], types.EventKind(kind)) {
			t.Errorf("events of kind %q have no number (%v)", kind, err)
		}
		declared++
		return true
	})
	if declared != len(eventKinds) {
		t.Errorf("%d kinds are declared, %d have numbers", declared, len(eventKinds))
	}
	for number, kind := range map[int]types.EventKind{0: "issued", 9: "agreed", 12: "released", 21: "registered"} {
		if eventKinds[number] != kind {
			t.Errorf("kind %d is %q, not %q", number, eventKinds[number], kind)
		}
	}
}

func TestRecordOfUnknownEventKind(t *testing.T) {
	t.Parallel()
	if _, err := encodeBlock(&Block{Events: []types.Event{{Kind: "unheard_of"}}}); err == nil {
		t.Error("it has a record, which nobody could read")
	}
}

func TestDamagedRecord(t *testing.T) {
	t.Parallel()
	for finding, damage := range map[string]func(*blockRecord){
		"event 0: there is no kind 22":        func(r *blockRecord) { r.events[0].kind = uint8(len(eventKinds)) },
		"event 0: it has 2 moments":           func(r *blockRecord) { r.events[0].moment = make([]moment, 2) },
		"event 0: it names the ID 3 of 2":     func(r *blockRecord) { r.events[0].trade = 3 },
		"event 0: it names the ID 9 of 2":     func(r *blockRecord) { r.events[0].keys = []idPlace{9} },
		"event 0: it names the ID 2 of 1":     func(r *blockRecord) { r.ids = r.ids[:31] },
		"event 0: it names the ID 4294967295": func(r *blockRecord) { r.events[0].product = 1<<32 - 1 },
	} {
		r := &blockRecord{
			Block: Block{Txs: make([]TxResult, 1)}, ids: make([]byte, idLength),
			events: []eventRecord{{tx: 1, trade: 2, keys: []idPlace{0}}},
		}
		if _, err := decodeBlock(canon.Encode(r)); err != nil {
			t.Fatal(err)
		}
		damage(r)
		if _, err := decodeBlock(canon.Encode(r)); err == nil || !strings.Contains(err.Error(), "damaged: "+finding) {
			t.Errorf("found %v, want %s", err, finding)
		}
	}
	encoded, err := encodeBlock(&Block{Events: []types.Event{{Kind: types.EventPaid}}})
	if err != nil {
		t.Fatal(err)
	}
	for cut := range encoded {
		if _, err := decodeBlock(encoded[:cut]); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("the first %d bytes of %d: %v", cut, len(encoded), err)
		}
	}
}

func FuzzBlockRecord(f *testing.F) {
	sample, err := encodeBlock(&Block{
		Height: 1, Txs: []TxResult{{ID: types.TxID{1}, Code: types.CodePhase, Detail: "why"}},
		Events: []types.Event{{Kind: types.EventPaid, Tx: types.TxID{1}, Trade: types.TradeID{2}, Keys: []types.PublicKey{{3}}}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sample)
	f.Add([]byte{0x87})
	f.Fuzz(func(t *testing.T, encoded []byte) {
		if block, err := decodeBlock(encoded); err == nil {
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
	var first position
	f.Add(first.encode())
	f.Fuzz(func(t *testing.T, encoded []byte) {
		var stored positionRecord
		if types.Decode(encoded, &stored) == nil && string(types.Encode(&stored)) != string(encoded) {
			t.Errorf("%x is read as %+v", encoded, stored)
		}
	})
}
