package node

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/types"
)

// TestThreeOfFourStop: when three of four validators stop, the last one lives, but is not ready, says why, and no wait hangs. When they are
// back, all goes on.
func TestThreeOfFourStop(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("nodes at their own pace: make test runs them, without the race detector")
	}
	validators := places(t, 4)
	if err := InitAll(validators, quickParams(), 0); err != nil {
		t.Fatal(err)
	}
	nodes, stops := make([]*Node, len(validators)), make([]func(), len(validators))
	for i, v := range validators {
		settings, err := LoadSettings(v.Dir)
		if err != nil {
			t.Fatal(err)
		}
		settings.HaltedAfter = types.DurationOf(minHalted)
		if err := writeSettings(filepath.Join(v.Dir, settingsFile), settings); err != nil {
			t.Fatal(err)
		}
		nodes[i], stops[i] = start(t, v.Dir)
	}
	must(t, nodes[1].Ledger(), mint(quickParams(), 1000, "peter"))
	one, err := client.New("http://"+nodes[0].APIAddress(), client.WithToken(nodes[0].Token()), client.WithPatience(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	all := validatorsAt(t, nodes[0].APIAddress(), func(v *wire.Validators) bool { return v.Heard == 48 })
	for _, v := range all.Validators {
		if v.Ahead.Std() > time.Minute || v.Behind.Std() > time.Minute {
			t.Errorf("one machine has two clocks: %+v", v)
		}
	}
	if code, text := probe(t, nodes[0], "/readyz"); code != http.StatusOK || text.Status != "ready" {
		t.Errorf("%d: %+v", code, text)
	}
	connected(t, nodes)
	for _, stop := range stops[1:] {
		stop()
	}
	statusAt(t, one, func(s *wire.Status) bool { return s.Halted && s.SinceBlock.Std() > minHalted })
	if code, text := probe(t, nodes[0], "/healthz"); code != http.StatusOK || text.Status != "halted" {
		t.Errorf("%d: %+v", code, text)
	}
	missing := validatorsAt(t, nodes[0].APIAddress(), func(v *wire.Validators) bool { return v.Heard == 12 })
	if missing.Needed != 33 {
		t.Errorf("%+v", missing)
	}
	if code, text := probe(t, nodes[0], "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(text.Detail, "the ledger stands still") ||
		!strings.Contains(text.Detail, "validators of power 12 of 48 are heard, and a block needs 33") {
		t.Errorf("%d: %+v", code, text)
	}
	tx := mint(quickParams(), 7, "paula")
	if _, err := one.Submit(t.Context(), tx); !stands(err) {
		t.Errorf("a wait on a ledger that stands still: %v", err)
	}
	for i := range 2 {
		nodes[i+1], _ = start(t, validators[i+1].Dir)
	}
	if receipt, err := nodes[2].Ledger().Await(t.Context(), tx.ID()); err != nil || receipt.Status != wire.StatusCommitted {
		t.Errorf("%+v, %v", receipt, err)
	}
	if _, err := nodes[0].Ledger().Await(t.Context(), tx.ID()); err != nil {
		t.Error(err)
	}
	if code, text := probe(t, nodes[0], "/healthz"); code != http.StatusOK || text.Status != "ok" {
		t.Errorf("%d: %+v", code, text)
	}
}

// connected waits until nodes have all been connected for two seconds. Two that connect to each other at once close both connections again, and an engine that
// stops meanwhile leaves one open, in this process: for a minute and a half the other takes it for a peer.
func connected(t *testing.T, nodes []*Node) {
	t.Helper()
	since := time.Now()
	for end := since.Add(time.Minute); time.Since(since) < 2*time.Second; time.Sleep(20 * time.Millisecond) {
		for i, n := range nodes {
			if peers := n.chain.Status().Peers; peers < len(nodes)-1 {
				if since = time.Now(); since.After(end) {
					t.Fatalf("node %d has %d peers", i, peers)
				}
			}
		}
	}
}

func stands(err error) bool {
	_, ok := errors.AsType[*client.StandsStill](err)
	return ok
}

// answered is an answer to a probe, or the problem in its place.
type answered struct {
	wire.Health
	Detail string `json:"detail"`
}

func probe(t *testing.T, n *Node, path string) (int, answered) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+n.APIAddress()+path, http.NoBody)
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
	var said struct {
		Status json.RawMessage `json:"status"` // a number in a problem
		Detail string          `json:"detail"`
	}
	if err := json.Unmarshal(text, &said); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answered{wire.Health{Status: strings.Trim(string(said.Status), `"`)}, said.Detail}
}

// statusAt waits until a node has a status.
func statusAt(t *testing.T, node *client.Client, want func(*wire.Status) bool) wire.Status {
	t.Helper()
	for range 1200 {
		status, err := node.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want(&status) {
			return status
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the node never has the status")
	return wire.Status{}
}
