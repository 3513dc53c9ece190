package node

import (
	"bytes"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/types"
)

// listening makes the node of a ledger that takes connections of others.
func listening(t *testing.T) (dir string) {
	t.Helper()
	dir, settings := t.TempDir(), DefaultSettings()
	settings.P2PListen = places(t, 1)[0].Listen
	if err := Init(dir, InitOptions{Params: quickParams(), Settings: settings}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestJoin: a node follows a ledger by the address of one node, comes to the same state, and hands transactions on.
func TestJoin(t *testing.T) {
	t.Parallel()
	first, _ := start(t, listening(t))
	before := mint(quickParams(), 1000, "peter")
	must(t, first.Ledger(), before)
	asked, err := client.New("http://" + first.APIAddress())
	if err != nil {
		t.Fatal(err)
	}
	network, err := asked.Network(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse("http://" + first.APIAddress())
	if err != nil {
		t.Fatal(err)
	}
	options := JoinOptions{Genesis: network.File, Hash: network.Genesis}
	options.Settings.P2PPeers = PeersOf(&network, address.Hostname())
	dir := t.TempDir()
	if err := Join(dir, options); err != nil {
		t.Fatal(err)
	}
	second, stop := start(t, dir)
	if _, err := second.Ledger().Await(t.Context(), before.ID()); err != nil {
		t.Fatal(err)
	}
	after := mint(quickParams(), 1000, "paula")
	must(t, second.Ledger(), after)
	if receipt, err := first.Ledger().Await(t.Context(), after.ID()); err != nil || receipt.Status != wire.StatusCommitted {
		t.Fatalf("%+v, %v", receipt, err)
	}
	stop()
	mine, err := IdentityOf(dir)
	if err != nil || mine.Genesis != network.Genesis || mine.Node == network.Node {
		t.Errorf("%+v, %v", mine, err)
	}
	if report, err := Check(dir, first.logger); err != nil || report.Txs != 2 {
		t.Errorf("the follower has %d transactions, %v", report.Txs, err)
	}
}

// TestJoinRefuses: a changed genesis, one that has not begun and one that can't be read make no folder.
func TestJoinRefuses(t *testing.T) {
	t.Parallel()
	unborn, err := os.ReadFile(filepath.Join(listening(t), engineFolder, "config", "genesis.json"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := ReadGenesis(unborn); err == nil || !strings.Contains(err.Error(), "has not begun") {
		t.Errorf("a ledger that has not begun: %v", err)
	}
	begun := bytes.Replace(unborn, []byte(`"0001-01-01T00:00:00Z"`), []byte(`"2026-01-01T00:00:00Z"`), 1)
	hash, params, err := ReadGenesis(begun)
	if err != nil || params.ChainID != "test" {
		t.Fatalf("%+v, %v", params, err)
	}
	peers := []string{"0123456789abcdef0123456789abcdef01234567@node.example:26656"}
	spaced := append([]byte(" \n"), begun...)
	for says, options := range map[string]JoinOptions{
		"it is that of another ledger":       {Genesis: bytes.Replace(begun, []byte("2026-01-01"), []byte("2026-01-02"), 1), Hash: hash},
		"no node is known":                   {Genesis: begun, Hash: hash},
		"can't be read":                      {Genesis: begun[:len(begun)/2], Hash: hash},
		"not, but it is that of another":     {},
		"has format 13, and this program":    {Genesis: bytes.Replace(begun, fmt.Appendf(nil, `"format": %d`, types.Format), []byte(`"format": 13`), 1), Hash: hash},
		"unknown field":                      {Genesis: bytes.Replace(begun, []byte(`"clock_cap"`), []byte(`"clock_cup"`), 1), Hash: hash},
		"\"x\" is not a node: write id@host": {Genesis: begun, Hash: hash, Settings: Settings{P2PPeers: []string{"x"}}},
	} {
		if says == "not, but it is that of another" {
			says, options = "it is that of another ledger", JoinOptions{Genesis: begun, Hash: types.Hash{}}
		}
		if options.Settings.P2PPeers == nil && says != "no node is known" {
			options.Settings.P2PPeers = peers
		}
		dir := filepath.Join(t.TempDir(), "node")
		if err := Join(dir, options); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want %q, got %v", says, err)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%q leaves a folder", says)
		}
	}
	dir := t.TempDir()
	if err := Join(dir, JoinOptions{Genesis: spaced, Hash: hash, Settings: Settings{P2PPeers: peers}}); err != nil {
		t.Errorf("another layout of the file: %v", err)
	}
}

// TestPeersOf: a node that listens everywhere is reached where its API is. Texts that name no node are left out.
func TestPeersOf(t *testing.T) {
	t.Parallel()
	n, m := strings.Repeat("0a", 20), strings.Repeat("b1", 20)
	for listen, want := range map[string]string{
		"0.0.0.0:26656": n + "@town.example:26656", "[::]:1": n + "@town.example:1", ":2": n + "@town.example:2", "10.0.0.7:3": n + "@10.0.0.7:3", "": "",
		"10.0.0.7:0": "", "a b:1": "", "a,b:1": "",
	} {
		got := PeersOf(&wire.Network{Node: n, Listen: listen, Peers: []string{m + "@a:1"}}, "town.example")
		if expected := slices.DeleteFunc([]string{want, m + "@a:1"}, func(s string) bool { return s == "" }); !slices.Equal(got, expected) {
			t.Errorf("%q: %q", listen, got)
		}
	}
	many := &wire.Network{Node: n, Listen: net.JoinHostPort("::1", "1")}
	for _, bad := range []string{
		"", "@a:1", "x@a:1", m[1:] + "@a:1", m + "0@a:1", m + "@a", m + "@a:0", m + "@a:99999", m + "@:1", m + "@a:1," + m + "@b:1", m + "@\x1b[2Ja:1", "\x1b" + m[1:] + "@a:1", m + "@a\n:1", m + "@a b:1",
	} {
		many.Peers = append(many.Peers, bad)
		settings := DefaultSettings()
		settings.P2PPeers = []string{bad}
		if err := settings.Check(); err == nil || !strings.Contains(err.Error(), "is not a node") {
			t.Errorf("%q is a node of the settings: %v", bad, err)
		}
	}
	many.Peers = append(many.Peers, slices.Repeat([]string{m + "@a:1"}, 100)...)
	if got := PeersOf(many, "x"); len(got) != mostPeers || got[0] != n+"@[::1]:1" || got[1] != m+"@a:1" {
		t.Errorf("%d peers: %q", len(got), got[0])
	}
	settings := DefaultSettings()
	settings.P2PPeers = []string{n + "@town.example:26656", n + "@10.0.0.7:1", n + "@[2001:db8::1]:1", strings.ToUpper(n) + "@localhost:1", n + "@node1:65535"}
	if err := settings.Check(); err != nil {
		t.Error(err)
	}
}

func FuzzGenesis(f *testing.F) {
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"genesis_time":"2026-01-01T00:00:00Z","chain_id":"x","validators":[{"address":"","pub_key":{"type":"tendermint/PubKeyEd25519","value":""},"power":"-1"}]}`))
	f.Fuzz(func(_ *testing.T, genesis []byte) { _, _, _ = ReadGenesis(genesis) })
}
