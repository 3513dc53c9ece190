package chain

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"lockstep/types"
)

// TestANodeFollowsAnother: it replays the blocks of a validator, and what is handed in at it reaches the validator.
func TestANodeFollowsAnother(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	validator := newWorld(t, func(c *Config) { c.Listen = address }).run()
	mint := validator.mint(1000, "peter")
	validator.must(mint)
	id, err := NodeID(validator.config.Dir)
	if err != nil {
		t.Fatal(err)
	}
	follower := newWorld(t, func(c *Config) { c.Peers = []string{fmt.Sprintf("%s@%s", id, address)} })
	follower.join(validator)
	follower.run()
	if outcome, err := follower.Await(t.Context(), mint.ID()); err != nil || outcome.Code != types.CodeOK {
		t.Fatalf("%+v, %v", outcome, err)
	}
	follower.must(follower.pay(types.Outpoint{Tx: mint.ID()}, 1000, "peter", "clara"))
	mine, err := follower.store.Block(follower.store.Height())
	if err != nil {
		t.Fatal(err)
	}
	for theirs, err := range validator.Blocks(t.Context(), mine.Height) {
		if err != nil || theirs.Commitment != mine.Commitment {
			t.Errorf("block %d: the follower comes to another state, %v", mine.Height, err)
		}
		break
	}
	if status := follower.Status(); status.Peers != 1 || status.Validators != 1 {
		t.Errorf("%+v", status)
	}
}

// join makes the world a node of another's chain, with keys of its own.
func (w *world) join(other *world) {
	w.t.Helper()
	w.close()
	genesis, err := os.ReadFile(filesOf(other.config.Dir).Genesis)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.RemoveAll(w.dir); err != nil {
		w.t.Fatal(err)
	}
	if err := Create(w.config.Dir, w.params); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.config.Dir, "config", "genesis.json"), genesis, 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.open()
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
