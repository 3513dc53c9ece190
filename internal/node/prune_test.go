package node

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/types"
)

// TestPrunedNode runs a node that keeps its history for a moment, kills it while it removes the rest, and checks its files. Asked for removed history, it says so, and where to ask.
func TestPrunedNode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	settings := DefaultSettings()
	settings.Keep = "1s"
	if err := Init(dir, InitOptions{Params: quickParams(), Settings: settings, Evidence: time.Second}); err != nil {
		t.Fatal(err)
	}
	n, stop := start(t, dir)
	first := mint(n.Params(), 7, "peter")
	must(t, n.Ledger(), first)
	agreement := agreeTx(n.Params(), 1)
	open := agreement.Body.Actions[0].(*types.Agree).Agreement.ID()
	must(t, n.Ledger(), agreement)
	receipt, err := n.Ledger().Receipt(t.Context(), first.ID())
	if err != nil || receipt.Status != wire.StatusCommitted {
		t.Fatal(receipt, err)
	}
	for i, deadline := types.Amount(1), time.Now().Add(3*time.Minute); n.store.Base() <= receipt.Height+1; i++ {
		if time.Now().After(deadline) {
			t.Fatalf("at block %d the history begins at %d", n.store.Height(), n.store.Base()+1)
		}
		if n.store.Height() < receipt.Height+300 {
			must(t, n.Ledger(), mint(n.Params(), i, "clara"))
		} else {
			time.Sleep(20 * time.Millisecond)
		}
	}
	_, err = n.Ledger().Receipt(t.Context(), first.ID())
	wantPruned(t, "the receipt", err)
	_, err = n.Ledger().Block(t.Context(), receipt.Height, false)
	wantPruned(t, "the block", err)
	_, err = n.Ledger().Trade(t.Context(), types.TradeID{1})
	wantPruned(t, "a trade", err)
	_, err = n.Ledger().TradeProof(t.Context(), types.TradeID{1})
	wantPruned(t, "the proof of a trade", err)
	_, err = n.Ledger().TxProof(t.Context(), first.ID(), 0)
	wantPruned(t, "the proof of a transaction", err)
	if running, err := n.Ledger().Trade(t.Context(), open); err != nil || running.Over {
		t.Errorf("a trade that goes on: %+v, %v", running, err)
	}
	_, err = n.Ledger().TradeProof(t.Context(), open)
	wantPruned(t, "the proof of the last step of a trade that goes on", err)
	if !strings.Contains(err.Error(), "trade "+open.String()+" goes on") {
		t.Errorf("%v", err)
	}
	if _, err := n.Ledger().LeafProof(t.Context(), 1); err != nil {
		t.Errorf("a leaf of a segment that is kept: %v", err)
	}
	n.prunedIndex(t)
	stop()
	for range 2 {
		c := startChild(t, dir)
		c.address(t)
		time.Sleep(300 * time.Millisecond)
		c.kill()
		if _, err := Check(dir, slog.New(slog.DiscardHandler)); err != nil {
			t.Error(err)
		}
	}
	removeIndex(t, dir)
	n, stop = start(t, dir)
	defer stop()
	for deadline := time.Now().Add(time.Minute); n.index.Height() == 0 || n.index.From() <= 1; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("a new index has blocks %d to %d, the store begins at %d", n.index.From(), n.index.Height(), n.store.Base()+1)
		}
	}
}

func removeIndex(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, indexFile+"*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}

// prunedIndex waits until the index has removed the same blocks as the store, and asks for their trades.
func (n *Node) prunedIndex(t *testing.T) {
	t.Helper()
	for i, deadline := types.Amount(0), time.Now().Add(time.Minute); n.index.From() <= 1; i++ {
		if time.Now().After(deadline) {
			t.Fatalf("the store keeps blocks from %d on, and the index from %d on", n.store.Base()+1, n.index.From())
		}
		must(t, n.Ledger(), mint(n.Params(), 1_000_000+i, "clara")) // a block, after which the index looks
	}
	c, err := client.New("http://" + n.APIAddress())
	if err != nil {
		t.Fatal(err)
	}
	status, err := c.Status(t.Context())
	if err != nil || status.From < 2 || status.IndexFrom < 2 {
		t.Errorf("the status says from block %d, index from %d: %v", status.From, status.IndexFrom, err)
	}
	kept, err := c.TradeHistory(t.Context(), client.TradeFilter{}, client.Page{})
	if err != nil || kept.Since == nil || kept.Since.Height < 2 {
		t.Fatalf("the trades are since %+v: %v", kept.Since, err)
	}
	_, err = c.TradeHistory(t.Context(), client.TradeFilter{Until: kept.Since.Clock}, client.Page{})
	wantPruned(t, "trades", err)
	_, err = c.AuctionHistory(t.Context(), client.AuctionFilter{From: 1}, client.Page{})
	wantPruned(t, "auctions", err)
	_, err = c.Offer(t.Context(), types.OfferID{1})
	wantPruned(t, "an offer", err)
}

func wantPruned(t *testing.T, what string, err error) {
	t.Helper()
	if types.CodeOf(err) != types.CodePruned || !strings.Contains(err.Error(), `ask a node that keeps all ("keep": "all")`) {
		t.Errorf("%s: %v", what, err)
	}
}

// TestKeepSetting checks the forms of the setting.
func TestKeepSetting(t *testing.T) {
	t.Parallel()
	for text, valid := range map[string]bool{"all": true, "720h": true, "1s": true, "0s": false, "-1h": false, "30": false, "": false, "All": false} {
		settings := DefaultSettings()
		settings.Keep = text
		if err := settings.Check(); (err == nil) != valid {
			t.Errorf("keep %q: %v", text, err)
		}
		if keep, err := settings.keep(); valid && (err != nil || (keep == 0) != (text == KeepAll)) {
			t.Errorf("keep %q is %s (%v)", text, keep, err)
		}
	}
}
