package access

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"lockstep/types"
)

func at0(seconds float64) time.Time {
	return time.Unix(1_800_000_000, 0).Add(time.Duration(seconds * 1e9))
}

func isNameError(err error) bool {
	_, ok := errors.AsType[*NameError](err)
	return ok
}

// TestTokens: a token is good from its making until its end, and the file never holds it.
func TestTokens(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tokens")
	book, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	if holder, err := book.Find("anything", at0(0)); holder != nil || err != nil {
		t.Fatalf("%v, %v", holder, err)
	}
	anna, err := Add(file, Token{Name: "anna", Expires: types.TimeOf(at0(10))})
	if err != nil {
		t.Fatal(err)
	}
	ben, err := Add(file, Token{Name: "ben"})
	if err != nil || anna == ben || len(ben) != 64 {
		t.Fatalf("%q, %v", ben, err)
	}
	for now, want := range map[float64]string{0: "anna", 9.999: "anna", 10: ""} {
		holder, err := book.Find(anna, at0(now))
		if want == "" && (err == nil || !strings.Contains(err.Error(), "token anna expired")) || want != "" && (err != nil || holder.Name != want) {
			t.Errorf("after %v s: %v, %v", now, holder, err)
		}
	}
	if holder, err := book.Find(ben, at0(1e6)); err != nil || holder.Name != "ben" {
		t.Errorf("%v, %v", holder, err)
	}
	for _, other := range []string{"", ben[:63], strings.ToUpper(ben), ben + " "} {
		if holder, err := book.Find(other, at0(0)); holder != nil || err != nil {
			t.Errorf("%q lets %v in, %v", other, holder, err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(text), ben) {
		t.Errorf("the file holds the token itself: %v", err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := Add(file, Token{Name: "ben"}); !isNameError(err) {
		t.Error(err)
	}
	if err := Revoke(file, "carl"); !isNameError(err) {
		t.Error(err)
	}
	if err := Revoke(file, "ben"); err != nil {
		t.Fatal(err)
	}
	if holder, err := book.Find(ben, at0(0)); holder != nil || err != nil {
		t.Errorf("a revoked token lets %v in, %v", holder, err)
	}
	if holder, err := book.Find(anna, at0(0)); holder == nil || err != nil {
		t.Errorf("anna is out too: %v", err)
	}
}

// TestBadTokens: a file that can't be read lets nobody in, and names its fault.
func TestBadTokens(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("ab", 32)
	for text, says := range map[string]string{
		`{"tokens": [`:              "EOF",
		`{"tokens": [], "more": 1}`: "unknown field",
		`{"tokens": [{"name": "a b", "sha256": "` + hash + `"}]}`:                                        "can't name a token",
		`{"tokens": [{"name": "a", "sha256": "` + hash + `"}, {"name": "a", "sha256": "` + hash + `"}]}`: "comes twice",
		`{"tokens": [{"name": "a", "sha256": "` + hash + `", "rate": -1}]}`:                              "is not from 0 to",
	} {
		file := filepath.Join(t.TempDir(), "tokens")
		secret, err := Add(file, Token{Name: "anna"})
		if err != nil {
			t.Fatal(err)
		}
		book, err := Open(file)
		if err != nil {
			t.Fatal(err)
		}
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if holder, err := book.Find(secret, at0(0)); holder != nil || err == nil || !strings.Contains(err.Error(), says) || book.Fault() == nil {
			t.Errorf("%s: %v, %v", text, holder, err)
		}
		if err := os.WriteFile(file, good, 0o600); err != nil {
			t.Fatal(err)
		}
		if holder, err := book.Find(secret, at0(0)); holder == nil || err != nil || book.Fault() != nil {
			t.Errorf("a mended file: %v, %v", holder, err)
		}
	}
	for _, name := range []string{"", "a b", "a\n", "ä", strings.Repeat("a", 65)} {
		if _, err := Add(filepath.Join(t.TempDir(), "tokens"), Token{Name: name}); err == nil {
			t.Errorf("%q names a token", name)
		}
	}
}

// TestEditsAtOnce: programs that add tokens at the same time lose none.
func TestEditsAtOnce(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tokens")
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			if _, err := Add(file, Token{Name: fmt.Sprint(i)}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if tokens, err := List(file); err != nil || len(tokens) != 20 {
		t.Errorf("%d, %v", len(tokens), err)
	}
}

// TestRateOfAToken: four seconds' worth at once, then as they come; a change of another token gives no new ones.
func TestRateOfAToken(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tokens")
	secret, err := Add(file, Token{Name: "anna", Rate: 2})
	if err != nil {
		t.Fatal(err)
	}
	book, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	take := func(now float64, n int) bool {
		t.Helper()
		holder, err := book.Find(secret, at0(now))
		if err != nil || holder == nil {
			t.Fatalf("%v, %v", holder, err)
		}
		_, ok := holder.Take(at0(now), n)
		return ok
	}
	if !take(0, 8) || take(0, 1) || take(0.4, 1) || !take(0.5, 1) || take(0.5, 1) {
		t.Error("the rate of 2 a second isn't kept")
	}
	if _, err := Add(file, Token{Name: "ben"}); err != nil {
		t.Fatal(err)
	}
	if take(0.5, 1) {
		t.Error("another token gave this one a new rate")
	}
	if !take(100, 256) || take(100, 1) || take(224, 1) || !take(224.5, 1) || take(224.5, 1) {
		t.Error("a batch larger than the burst isn't counted in full")
	}
	if take(227, 100) || !take(300, 100) || take(300, 1) {
		t.Error("a batch larger than the burst passes without a whole burst")
	}
}

// TestFaultOfTheSystem: a file that could not be read is read again, though nothing of it shows a change, and a count outlasts that. A changed rate holds at
// once, and a holder that was given out stays as it was.
func TestFaultOfTheSystem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, hidden := filepath.Join(dir, "tokens"), filepath.Join(dir, "hidden")
	secret, err := Add(file, Token{Name: "anna", Rate: 1})
	if err != nil {
		t.Fatal(err)
	}
	book, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	anna, err := book.Find(secret, at0(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := anna.Take(at0(0), 4); !ok {
		t.Fatal("no burst")
	}
	if err := errors.Join(os.Rename(file, hidden), os.Mkdir(file, 0o700)); err != nil { // a folder can be seen and not read
		t.Fatal(err)
	}
	for range 2 {
		if holder, err := book.Find(secret, at0(0)); holder != nil || err == nil {
			t.Errorf("%v, %v", holder, err)
		}
		if book.read != nil {
			t.Error("a file that could not be read is taken for read")
		}
	}
	if err := errors.Join(os.Remove(file), os.Rename(hidden, file)); err != nil {
		t.Fatal(err)
	}
	again, err := book.Find(secret, at0(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := again.Take(at0(0), 1); ok {
		t.Error("a fault gave the token a new rate")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.NewReplacer("anna", "bert", `"rate": 1`, `"rate": 20`).Replace(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	bert, err := book.Find(secret, at0(0))
	if err != nil || bert.Name != "bert" || anna.Name != "anna" {
		t.Fatalf("%v, %v, %v", bert, anna, err)
	}
	if _, ok := bert.Take(at0(0), 80); !ok {
		t.Error("a changed rate doesn't hold")
	}
}

// TestRates: each network has its own rate, and many networks take bounded memory.
func TestRates(t *testing.T) {
	t.Parallel()
	network := func(i int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32)
	}
	rates := NewRates(1)
	for i := range 4 {
		if _, ok := rates.Take(network(0), at0(0)); !ok {
			t.Fatalf("request %d is refused", i)
		}
	}
	if wait, ok := rates.Take(network(0), at0(0)); ok || wait != time.Second {
		t.Errorf("%v, %v", wait, ok)
	}
	for i := 1; i <= MaxNetworks; i++ { // a flood of networks does not forget one that asked just before
		if _, ok := rates.Take(network(i), at0(0)); !ok {
			t.Fatalf("network %d is refused", i)
		}
	}
	if _, ok := rates.Take(network(0), at0(0)); ok {
		t.Error("a flood gave a network new requests")
	}
	for i := range 3 * MaxNetworks {
		rates.Take(network(i), at0(0))
	}
	if n := len(rates.young) + len(rates.older); n > 2*MaxNetworks {
		t.Errorf("%d networks are remembered", n)
	}
	if _, ok := NewRates(0).Take(network(0), at0(0)); !ok {
		t.Error("no rate is no bound")
	}
}
