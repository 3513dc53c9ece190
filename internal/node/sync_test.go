package node

import (
	"bytes"
	"fmt"
	"net/url"
	"testing"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/outcomes"
	"lockstep/types"
)

// TestJoinBySnapshot: a node joins a ledger by a snapshot whose headers it has from the API of another node. It hands transactions on, and names the history that it does not have.
func TestJoinBySnapshot(t *testing.T) {
	t.Parallel()
	first, _ := start(t, listening(t))
	asked, err := client.New("http://" + first.APIAddress())
	if err != nil {
		t.Fatal(err)
	}
	before := mint(quickParams(), 1000, "peter")
	must(t, first.Ledger(), before)
	var network wire.Network
	for i, deadline := types.Amount(1), time.Now().Add(3*time.Minute); network.Snapshot == 0; i++ {
		if network, err = asked.Network(t.Context()); err != nil || time.Now().After(deadline) {
			t.Fatalf("at block %d there is no snapshot (%v)", first.store.Height(), err)
		}
		if first.store.Height() < 165 {
			must(t, first.Ledger(), mint(quickParams(), i, "clara"))
		} else {
			time.Sleep(20 * time.Millisecond)
		}
	}
	address, err := url.Parse("http://" + first.APIAddress())
	if err != nil {
		t.Fatal(err)
	}
	options := JoinOptions{Genesis: network.File, Hash: network.Genesis}
	options.Settings.P2PPeers = PeersOf(&network, address.Hostname())
	options.Settings.Sync = &SyncSettings{From: "http://" + first.APIAddress()}
	dir := t.TempDir()
	if err := Join(dir, options); err != nil {
		t.Fatal(err)
	}
	second, stop := start(t, dir)
	after := mint(quickParams(), 1000, "paula")
	must(t, first.Ledger(), after)
	if receipt, err := second.Ledger().Await(t.Context(), after.ID()); err != nil || receipt.Status != wire.StatusCommitted {
		t.Fatalf("%+v, %v", receipt, err)
	}
	if base := second.store.Base(); base != network.Snapshot {
		t.Errorf("the history begins behind block %d, the snapshot is of block %d", base, network.Snapshot)
	}
	_, err = second.Ledger().Receipt(t.Context(), before.ID())
	wantPruned(t, "a receipt from before the snapshot", err)
	must(t, second.Ledger(), mint(quickParams(), 3, "clara"))
	for deadline := time.Now().Add(time.Minute); second.index.Height() < second.store.Height(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the index has blocks %d to %d", second.index.From(), second.index.Height())
		}
	}
	if from := second.index.From(); from != network.Snapshot+1 {
		t.Errorf("the index begins at block %d, the snapshot is of block %d", from, network.Snapshot)
	}
	stop()
	if _, err := Check(dir, first.logger); err != nil {
		t.Error(err)
	}
	report, err := Repair(t.Context(), dir, RepairOptions{From: []string{"http://" + first.APIAddress()}, All: true}, first.logger)
	if err != nil || !report.Log.Whole() || report.Log.From != 0 || report.Check == nil {
		t.Fatalf("the outcomes from before the snapshot: %+v, %v", report, err)
	}
	again, _ := start(t, dir)
	must(t, again.Ledger(), mint(quickParams(), 4, "clara"))
	proof, err := again.Ledger().LeafProof(t.Context(), 1)
	if err != nil || !outcomes.Proves(proof.Leaf, 1, proof.Path, proof.Log) {
		t.Fatalf("the proof of an outcome from before the snapshot: %v", err)
	}
	for _, kind := range []string{"entries", "0"} {
		path := fmt.Sprintf("tile/%s/000.p/%d", kind, min(proof.Log.Size, outcomes.Width-1))
		ours, err := again.Ledger().LogFile(t.Context(), path)
		if theirs, other := first.Ledger().LogFile(t.Context(), path); err != nil || other != nil || !bytes.Equal(ours, theirs) {
			t.Errorf("%s: %v, %v", path, err, other)
		}
	}
}

// TestSyncSettings checks the forms of the settings.
func TestSyncSettings(t *testing.T) {
	t.Parallel()
	const hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	for _, c := range []struct {
		sync  *SyncSettings
		valid bool
	}{
		{nil, true},
		{&SyncSettings{From: "http://node.example:8645"}, true},
		{&SyncSettings{From: "http://node.example:8645", Trusted: "7:" + hash}, true},
		{&SyncSettings{}, false},
		{&SyncSettings{From: "node.example"}, false},
		{&SyncSettings{From: "http://node.example:8645", Trusted: "0:" + hash}, false},
		{&SyncSettings{From: "http://node.example:8645", Trusted: hash}, false},
		{&SyncSettings{From: "http://node.example:8645", Trusted: "7:" + hash[1:]}, false},
	} {
		settings := DefaultSettings()
		settings.Sync = c.sync
		if err := settings.Check(); (err == nil) != c.valid {
			t.Errorf("%+v: %v", c.sync, err)
		}
	}
}
