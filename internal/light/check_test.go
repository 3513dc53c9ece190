package light_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"lockstep/internal/light"
	"lockstep/types"
	"lockstep/wallet"
)

// TestCheckWithAWallet: a split that the producer has signed since the delivery keeps its goods back, one of an earlier phase does not; the verified header is kept.
func TestCheckWithAWallet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opened, err := wallet.Restore(filepath.Join(t.TempDir(), "wallet.age"), seedOf(1).Words(), "correct horse battery", wallet.Options{Work: 10, Quick: true})
	if err != nil {
		t.Fatal(err)
	}
	account := must(opened.Account(0))
	check := func(step light.Step, id types.TradeID) error {
		shown := must(w.node.Trade(t.Context(), id))
		checks := w.checks(func(c *light.Config) { *c = light.ConfigOf(opened, c.Genesis) })
		found, err := checks.Check(t.Context(), step, &shown, opened, account.Key())
		if err != nil {
			return err
		}
		if err := light.Refusal(found.Verdicts); err != nil {
			return err
		}
		return checks.Keep(opened)
	}
	split := func(id types.TradeID) {
		t.Helper()
		shown := must(w.node.Trade(t.Context(), id))
		known := must(w.producer.Context(t.Context()))
		proposal, err := account.ProposeSplit(known, id, &shown.Trade, 50, shown.Trade.LockedSum()-50)
		if err == nil {
			_, err = account.SignProposal(known, proposal, &shown.Trade)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	id := w.paid()
	split(id)
	if err := check(light.Deliver, id); err != nil {
		t.Errorf("a split that the delivery ends: %v", err)
	}
	first, pinned := opened.Header()
	if !pinned || time.Since(first.Time.Std()) > time.Minute {
		t.Errorf("the wallet keeps %+v", first)
	}
	if _, err := w.producer.Deliver(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := check(light.HandOver, id); err != nil {
		t.Errorf("after the delivery: %v", err)
	}
	if kept, _ := opened.Header(); kept != first {
		t.Error("a recent header is replaced")
	}
	split(id)
	if err := check(light.HandOver, id); types.CodeOf(err) != types.CodeSplit {
		t.Errorf("a split of the delivered trade: %v", err)
	}
}

// TestPrunedPin: a wallet goes on from its header by a node that no longer has that block. A file beside the wallet that is damaged, of another header or
// missing does no harm as long as a node has it.
func TestPrunedPin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opened, err := wallet.Restore(filepath.Join(t.TempDir(), "wallet.age"), seedOf(1).Words(), "correct horse battery", wallet.Options{Work: 10, Quick: true})
	if err != nil {
		t.Fatal(err)
	}
	client := func() *light.Client {
		return w.checks(func(c *light.Config) { *c = light.ConfigOf(opened, c.Genesis) })
	}
	newest := func() error {
		_, err := client().Newest(t.Context())
		return err
	}
	kept := func() wallet.PinnedHeader {
		t.Helper()
		checks := client()
		if _, err := checks.Newest(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := checks.Keep(opened); err != nil {
			t.Fatal(err)
		}
		header, _ := opened.Header()
		return header
	}
	pruned := kept()
	w.paid()
	gone := func(path string) bool { return path == headers+strconv.FormatUint(pruned.Height, 10) }
	w.lies.withhold(gone)
	if err := newest(); err != nil {
		t.Errorf("a node without the wallet's header: %v", err)
	}
	file := must(os.ReadFile(opened.HeaderFile()))
	for name, content := range map[string]string{
		"cut short":          string(file[:len(file)/2]),
		"another hash":       strings.Replace(string(file), pruned.Hash.String(), types.Hash{1}.String(), 1),
		"another height":     strings.Replace(string(file), `"height":`, `"height":1`, 1),
		"another commit":     strings.Replace(string(file), `"commit":"`, `"commit":"00`, 1),
		"without validators": `{"genesis":"` + w.genesis.String() + `","height":` + strconv.FormatUint(pruned.Height, 10) + `,"hash":"` + pruned.Hash.String() + `"}`,
		"empty":              "",
	} {
		if err := os.WriteFile(opened.HeaderFile(), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		w.lies.withhold(gone)
		if err := newest(); types.CodeOf(err) != types.CodeNotFound {
			t.Errorf("%s, a node without the header: %v", name, err)
		}
		w.lies.stop()
		if err := newest(); err != nil {
			t.Errorf("%s, a node with the header: %v", name, err)
		}
	}
	if err := os.Remove(opened.HeaderFile()); err != nil {
		t.Fatal(err)
	}
	if header := kept(); header.Height <= pruned.Height {
		t.Errorf("without its file, the header stays %d", header.Height)
	}
	if header := kept(); light.ConfigOf(opened, w.genesis).Known.Hash != header.Hash {
		t.Error("the file is of another header than the wallet's")
	}
}
