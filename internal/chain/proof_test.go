package chain

import (
	"context"
	"testing"
	"time"

	"lockstep/types"
)

// TestProofOfOutcomesAtOnce: the block after one with outcomes comes without the wait of an idle chain, since its header proves them. It has none itself, so
// nothing follows it.
func TestProofOfOutcomesAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Idle = time.Hour }).run()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	tx := w.mint(100, "clara")
	if err := w.Submit(ctx, tx); err != nil {
		t.Fatal(err)
	}
	outcome, err := w.Await(ctx, tx.ID())
	if err != nil {
		t.Fatal(err)
	}
	for block, err := range w.Blocks(ctx, outcome.Height+1) {
		if err != nil || len(block.Txs) != 0 {
			t.Fatalf("block %+v, %v", block, err)
		}
		break
	}
	signed, err := w.SignedHeader(0)
	if err != nil || signed.Height != outcome.Height+1 {
		t.Fatalf("the newest header is %d, %v", signed.Height, err)
	}
	header, err := w.trust(t).Check(signed.Header, signed.Commit)
	if err != nil {
		t.Fatal(err)
	}
	block, err := w.store.Block(outcome.Height)
	if err != nil || header.AppHash != types.AppHash(block.State, block.Log) {
		t.Errorf("header %d does not commit to block %d (%v)", header.Height, block.Height, err)
	}
	time.Sleep(100 * time.Millisecond) // the third block would be there by now
	if height := w.store.Height(); height != outcome.Height+1 {
		t.Errorf("an empty block has triggered block %d", height)
	}
}

func (w *world) trust(t *testing.T) *Trust {
	t.Helper()
	trust, err := TrustGenesis(filesOf(w.config.Dir).Genesis)
	if err != nil {
		t.Fatal(err)
	}
	return trust
}
