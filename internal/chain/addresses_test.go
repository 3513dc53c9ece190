package chain

import (
	"os"
	"strings"
	"testing"

	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/p2p/pex"

	"lockstep/internal/plaintext"
)

// TestDamagedAddresses: a book that the engine can't read, or would panic over later, is removed, and the node starts; a whole one stays.
func TestDamagedAddresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Listen, c.Exchange = freeAddress(t), true })
	w.close()
	config, err := w.config.engineConfig()
	if err != nil {
		t.Fatal(err)
	}
	file := config.P2P.AddrBookFile()
	peer, err := p2p.NewNetAddressString("0123456789abcdef0123456789abcdef01234567@192.0.2.7:26656")
	if err != nil {
		t.Fatal(err)
	}
	book := pex.NewAddrBook(file, false)
	if err := book.AddAddress(peer, peer); err != nil {
		t.Fatal(err)
	}
	book.Save()
	whole, err := plaintext.ReadFile(file, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func(string) string{
		"none":             func(s string) string { return s },
		"empty":            func(string) string { return "" },
		"torn":             func(s string) string { return s[:len(s)-20] },
		"no source":        func(s string) string { return strings.Replace(s, `"src"`, `"srb"`, 1) },
		"no address":       func(s string) string { return strings.Replace(s, `"addr"`, `"adds"`, 1) },
		"a null":           func(s string) string { return strings.Replace(s, `"addrs": [`, `"addrs": [null,`, 1) },
		"no such bucket":   func(s string) string { return strings.Replace(s, `"buckets": [`, `"buckets": [9999,`, 1) },
		"a negative place": func(s string) string { return strings.Replace(s, `"buckets": [`, `"buckets": [-1,`, 1) },
		"no such kind":     func(s string) string { return strings.Replace(s, `"bucket_type": 1`, `"bucket_type": 5`, 1) },
		"another name":     func(s string) string { return strings.Replace(s, "0123456789abcdef0", "0123456789abcdeg0", 1) },
	} {
		damaged := damage(string(whole))
		if (damaged == string(whole)) != (name == "none") {
			t.Fatalf("%s changes nothing in %s", name, whole)
		}
		if err := os.WriteFile(file, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := checkAddresses(file, w.logger); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(file); (err == nil) != (name == "none") {
			t.Errorf("%s: the file is there: %t", name, err == nil)
		}
	}
	if err := os.WriteFile(file, whole[:10], 0o600); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	w.run()
	w.must(w.mint(1000, "peter"))
}
