package store_test

import (
	"runtime"
	"testing"

	"lockstep/types"
)

// A store that is closed while readers use it waits for them and refuses new ones.
func TestCloseDuringReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mint := w.mint(1000, "peter")
	w.must(mint)
	head := w.head()
	snapshot, err := w.store.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	closing := w.store
	closed := make(chan error, 1)
	go func() { closed <- closing.Close() }()
	for { // until the store closes
		later, err := closing.Head()
		if err != nil {
			break
		}
		if err := later.Close(); err != nil {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
	for range coinsOf(t, snapshot, "peter") {
		if _, there := head.Holding(types.Outpoint{Tx: mint.ID()}); !there {
			t.Error("a head of a closing store lacks an output")
		}
	}
	wantRefused := func() {
		t.Helper()
		_, head := closing.Head()
		_, snapshot := closing.Snapshot()
		_, block := closing.Block(1)
		_, receipt := closing.Receipt(mint.ID())
		for name, err := range map[string]error{"head": head, "snapshot": snapshot, "block": block, "receipt": receipt} {
			if types.CodeOf(err) != types.CodeUnavailable {
				t.Errorf("%s of a closing store: %v", name, err)
			}
		}
	}
	wantRefused()
	for _, reader := range []interface{ Close() error }{snapshot, head} {
		select {
		case err := <-closed:
			t.Fatalf("the store closed under its readers: %v", err)
		default:
		}
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	wantRefused()
	w.open()
	w.check()
}
