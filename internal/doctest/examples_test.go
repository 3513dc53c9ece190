package doctest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lockstep/client/wire"
	"lockstep/internal/node"
	"lockstep/types"
)

// TestExamples builds the programs of the examples, which are a module of their own as those of a stranger are, and runs them against a node.
func TestExamples(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds and runs whole programs: make test runs them, without the race detector")
	}
	programs := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", programs, "./...")
	build.Dir = filepath.Join("..", "..", "examples")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the examples: %v\n%s", err, output)
	}
	url, token := runNode(t)
	run := func(name string, args ...string) []string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		output, err := exec.CommandContext(ctx, filepath.Join(programs, name), args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, output)
		}
		return strings.Split(strings.TrimSpace(string(output)), "\n")
	}
	traded := run("trade", url, token)
	slices.Sort(traded)
	if !slices.Equal(traded, []string{"The buyer has 875.00 EUR.", "The seller has 125.00 EUR."}) {
		t.Errorf("trade printed %q", traded)
	}
	events := strings.Join(run("watch", url, "8"), "\n")
	for _, kind := range []types.EventKind{types.EventIssued, types.EventOffered, types.EventPaid, types.EventDelivered, types.EventReleased} {
		if !strings.Contains(events, ": "+string(kind)) {
			t.Errorf("watch printed no %q:\n%s", kind, events)
		}
	}
	runMarketplace(t, filepath.Join(programs, "marketplace"), url, token)
}

// runMarketplace starts the marketplace, which shows the two bags that the trade has left, and relays nothing but purchases.
func runMarketplace(t *testing.T, program, url, token string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, url, token, "127.0.0.1:0")
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(command.Process.Kill(), command.Wait()); err != nil && command.ProcessState == nil {
			t.Error(err)
		}
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimSpace(line[strings.Index(line, "http://"):])
	var offers []wire.Offer
	if status := exchange(t, http.MethodGet, address, nil, &offers); status != http.StatusOK || len(offers) != 1 || offers[0].Remaining != 2 {
		t.Errorf("%d, offers %+v", status, offers)
	}
	var refusal struct{ Code string }
	purchases := strings.TrimSuffix(address, "/offers") + "/purchases"
	other := types.NewTx(types.Body{ChainID: "town", ValidUntil: 1, Actions: []types.Action{&types.Cancel{}}})
	for name, body := range map[string][]byte{"rubbish": {1, 2, 3}, "another action": other.Bytes()} {
		if status := exchange(t, http.MethodPost, purchases, body, &refusal); status != http.StatusUnprocessableEntity || refusal.Code != "malformed" {
			t.Errorf("%s: %d, %+v", name, status, refusal)
		}
	}
}

func exchange(t *testing.T, method, url string, body []byte, answer any) (status int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, answer); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return response.StatusCode
}

// runNode runs a node until the test ends, and returns its address and the file of its token.
func runNode(t *testing.T) (url, token string) {
	t.Helper()
	dir := t.TempDir()
	if err := node.Init(dir, node.InitOptions{Params: types.DefaultParams("town")}); err != nil {
		t.Fatal(err)
	}
	n, err := node.Open(node.Config{Dir: dir, API: "127.0.0.1:0", Version: "test"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, n.Close()); err != nil {
			t.Error(err)
		}
	})
	for _, err := range n.Ledger().Events(t.Context(), 1) { // until there is a clock to count from
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	token = filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(n.Token()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return "http://" + n.APIAddress(), token
}
