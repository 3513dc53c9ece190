package chain

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cometbft/cometbft/p2p"
	cmttypes "github.com/cometbft/cometbft/types"

	"lockstep/types"
)

// TestFollowerNode: a follower replays the blocks of a validator, and its submissions reach the validator.
func TestFollowerNode(t *testing.T) {
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

// TestTwoValidators on blocks that either proposes, with transactions handed in at either.
func TestTwoValidators(t *testing.T) {
	t.Parallel()
	addresses := [2]string{freeAddress(t), freeAddress(t)}
	var nodes [2]*world
	for i := range nodes {
		nodes[i] = newWorld(t, func(c *Config) { c.Listen = addresses[i] })
		nodes[i].close()
	}
	shareGenesis(t, nodes[0], nodes[1])
	for i, w := range nodes {
		other := 1 - i
		id, err := NodeID(nodes[other].config.Dir)
		if err != nil {
			t.Fatal(err)
		}
		w.config.Peers = []string{fmt.Sprintf("%s@%s", id, addresses[other])}
		w.open()
		w.run()
	}
	var coin types.Outpoint
	mint := nodes[0].mint(1000, "peter")
	nodes[0].must(mint)
	coin.Tx = mint.ID()
	for i := range 6 {
		w := nodes[i%2]
		if _, err := w.Await(t.Context(), coin.Tx); err != nil {
			t.Fatal(err)
		}
		pay := w.pay(coin, 1000, "peter", "peter")
		w.must(pay)
		coin.Tx = pay.ID()
	}
	height := min(nodes[0].store.Height(), nodes[1].store.Height())
	a, err := nodes[0].store.Block(height)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := nodes[1].store.Block(height); err != nil || a.Commitment != b.Commitment {
		t.Errorf("block %d: two states, %v", height, err)
	}
}

// shareGenesis makes both nodes validators of one chain.
func shareGenesis(t *testing.T, a, b *world) {
	t.Helper()
	first, err := cmttypes.GenesisDocFromFile(filesOf(a.config.Dir).Genesis)
	if err != nil {
		t.Fatal(err)
	}
	second, err := cmttypes.GenesisDocFromFile(filesOf(b.config.Dir).Genesis)
	if err != nil {
		t.Fatal(err)
	}
	first.Validators = append(first.Validators, second.Validators...)
	for _, w := range []*world{a, b} {
		for _, file := range []string{"blockstore.db", "state.db", "evidence.db", "cs.wal"} { // they know the other genesis
			if err := os.RemoveAll(filepath.Join(w.config.Dir, "data", file)); err != nil {
				t.Fatal(err)
			}
		}
		if err := first.SaveAs(filesOf(w.config.Dir).Genesis); err != nil {
			t.Fatal(err)
		}
	}
}

// join makes the world a node of another's chain, with keys of its own.
func (w *world) join(other *world) {
	w.t.Helper()
	genesis, err := os.ReadFile(filesOf(other.config.Dir).Genesis)
	if err != nil {
		w.t.Fatal(err)
	}
	w.empty()
	if err := Create(w.config.Dir, w.params, 0); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.config.Dir, "config", "genesis.json"), genesis, 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.open()
}

// empty closes the world's node and deletes its files.
func (w *world) empty() {
	w.t.Helper()
	w.close()
	if err := os.RemoveAll(w.dir); err != nil {
		w.t.Fatal(err)
	}
}

// TestNodesFindEachOther: nodes that were told of one node find each other, and go on without it. A node that takes no
// connections finds others too, and one that wants none connects with none.
func TestNodesFindEachOther(t *testing.T) {
	t.Parallel()
	quick := func(c *Config) { c.Exchange, c.every = true, 200*time.Millisecond }
	first := newWorld(t, func(c *Config) { c.Listen = freeAddress(t); quick(c) }).run()
	first.must(first.mint(1, "peter"))
	id, err := NodeID(first.config.Dir)
	if err != nil {
		t.Fatal(err)
	}
	follow := func(edit func(c *Config)) *world {
		w := newWorld(t, func(c *Config) {
			quick(c)
			c.Peers = []string{id + "@" + first.config.Listen}
			edit(c)
		})
		w.join(first)
		return w.run()
	}
	var others []*world
	for range 3 {
		others = append(others, follow(func(c *Config) { c.Listen = freeAddress(t) }))
	}
	hidden := follow(func(*Config) {})
	alone := follow(func(c *Config) { c.Listen, c.Exchange = freeAddress(t), false })
	for i, w := range others {
		until(t, "each knows the others", func() bool {
			known := 0
			for j, other := range others {
				name, err := NodeID(other.config.Dir)
				if err != nil {
					t.Fatal(err)
				}
				if i != j && w.engine.Switch().Peers().Has(p2p.ID(name)) {
					known++
				}
			}
			return known == len(others)-1
		})
	}
	until(t, "the hidden node finds others", func() bool { return hidden.Status().Peers > 1 })
	if outbound, _, _ := alone.engine.Switch().NumPeers(); outbound > 0 { // besides the one that it was told of
		t.Errorf("the node on its own has connected with %d more", outbound)
	}
}

// TestStranded: a node whose peers keep only later blocks says so, with the remedy.
func TestStranded(t *testing.T) {
	t.Parallel()
	first := newWorld(t, func(c *Config) { c.Listen = freeAddress(t) }).run()
	until(t, "there are blocks", func() bool { return first.store.Height() > 20 })
	environment, err := first.engine.ConfigureRPC()
	if err != nil {
		t.Fatal(err)
	}
	state, err := environment.StateStore.Load()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := first.engine.BlockStore().PruneBlocks(15, state); err != nil {
		t.Fatal(err)
	}
	late := first.joiner()
	until(t, "it says that it is stranded", func() bool { return late.trouble("no peer gives it block 1: they may keep only later ones") })
	if first.trouble("fell behind") {
		t.Error("its peer says so too")
	}
}

// joiner is a node that joins the ledger of another from its first block on, and soon takes it for halted.
func (w *world) joiner() *world {
	w.t.Helper()
	id, err := NodeID(w.config.Dir)
	if err != nil {
		w.t.Fatal(err)
	}
	late := newWorld(w.t, func(c *Config) { c.Peers, c.HaltedAfter = []string{id + "@" + w.config.Listen}, 500*time.Millisecond })
	late.join(w)
	return late.run()
}

// TestPortInUse: an address for other nodes that is taken is named, with the remedy.
func TestPortInUse(t *testing.T) {
	t.Parallel()
	first := newWorld(t, func(c *Config) { c.Listen = freeAddress(t) }).run()
	first.awaitHeight(1)
	second := newWorld(t, func(c *Config) { c.Listen = first.config.Listen })
	if err := second.Run(t.Context()); err == nil || !strings.Contains(err.Error(), first.config.Listen+": the address is in use") || !strings.Contains(err.Error(), "p2p_listen") {
		t.Errorf("it stops with %v", err)
	}
}

// TestLonely: a node that nobody is connected with says so once no block comes.
func TestLonely(t *testing.T) {
	t.Parallel()
	const says = "no other node is connected"
	first := newWorld(t, func(c *Config) { c.Listen = freeAddress(t) }).run()
	late := first.joiner()
	until(t, "it follows", func() bool { return late.store.Height() > 3 })
	first.close()
	until(t, "it says that it is alone", func() bool { return late.trouble(says) })
	if first := newWorld(t).run(); first.trouble(says) {
		t.Error("a node without peers to follow says so too")
	}
}

// TestStrangersLeaveRoom: strangers can't take the places of the peers that a node is to stay connected with.
func TestStrangersLeaveRoom(t *testing.T) {
	t.Parallel()
	c := Config{Dir: t.TempDir(), Idle: time.Second, Listen: "127.0.0.1:0", Exchange: true, Peers: []string{strings.Repeat("a", 40) + "@a:1", strings.Repeat("b", 40) + "@b:1"}}
	config, err := c.engineConfig()
	if err != nil {
		t.Fatal(err)
	}
	p := config.P2P
	if p.UnconditionalPeerIDs != strings.Repeat("a", 40)+","+strings.Repeat("b", 40) || p.MaxNumInboundPeers != mostInbound || p.MaxNumOutboundPeers != mostOutbound || !p.PexReactor || p.SeedMode {
		t.Errorf("%+v", p)
	}
	for _, c := range []Config{{Exchange: true}, {Exchange: false, Listen: "127.0.0.1:0"}} {
		c.Dir, c.Idle = t.TempDir(), time.Second
		if config, err := c.engineConfig(); err != nil || config.P2P.PexReactor || c.Listen == "" && config.P2P.MaxNumInboundPeers != 0 {
			t.Errorf("%+v: %+v, %v", c, config.P2P, err)
		}
	}
}

func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
