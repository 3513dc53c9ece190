package node

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"lockstep/client/wire"
	"lockstep/internal/httpapi"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

const second = types.Duration(1000)

// quickParams returns parameters with short clock caps, so that deadlines pass within a test.
func quickParams() types.Params {
	params := types.DefaultParams("test")
	params.ClockCap, params.MinWindow = second/10, 3*second/10
	return params
}

// body returns a body that is valid for half of the longest time that the parameters allow.
func body(params types.Params, actions ...types.Action) types.Body {
	return types.Body{ChainID: params.ChainID, ValidUntil: types.TimeOf(time.Now()).Add(params.MaxValidity / 2), Actions: actions}
}

// mint gives each named party one output of the amount.
func mint(params types.Params, amount types.Amount, names ...string) *types.Tx {
	return party.Issue(body(params), amount, names...)
}

// start runs a node in a folder until the test ends, or until stop is called.
func start(t *testing.T, dir string) (n *Node, stop func()) {
	t.Helper()
	return startWith(t, Config{Dir: dir, API: "127.0.0.1:0", Version: "test"})
}

// startWith is start with other options.
func startWith(t *testing.T, config Config) (n *Node, stop func()) {
	t.Helper()
	n, err := Open(config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	stopped := false
	stop = func() {
		t.Helper()
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := errors.Join(<-done, n.Close()); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return n, stop
}

func initNode(t *testing.T, params types.Params) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := Init(dir, InitOptions{Params: params}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// must submits transactions and wants each committed.
func must(t *testing.T, ledger httpapi.Ledger, txs ...*types.Tx) {
	t.Helper()
	for _, tx := range txs {
		if err := ledger.Submit(t.Context(), tx); err != nil {
			t.Fatal(err)
		}
	}
	for _, tx := range txs {
		receipt, err := ledger.Await(t.Context(), tx.ID())
		if err != nil {
			t.Fatal(err)
		}
		if receipt.Status != wire.StatusCommitted {
			t.Fatalf("transaction %s: %s: %s", tx.ID(), receipt.Code, receipt.Detail)
		}
	}
}
