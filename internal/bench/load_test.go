package bench

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"lockstep/internal/node"
)

// childFolder makes the test binary run a node in the folder that it names, instead of tests.
const childFolder = "LOCKSTEP_TEST_LOAD_NODE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		if err := runChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func runChild(dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	n, err := node.Open(node.Config{Dir: dir, Version: "test"}, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	if err := n.Run(ctx); err != nil {
		return err
	}
	return n.Close()
}

// childNode runs a node in a process of its own, by this test binary.
func childNode(ctx context.Context, dir string) *exec.Cmd {
	command := exec.CommandContext(ctx, os.Args[0])
	command.Env = append(os.Environ(), childFolder+"="+dir)
	return command
}

// TestModes does a few hundred trades in each mode and mix; a run audits its own books.
func TestModes(t *testing.T) {
	t.Parallel()
	for _, c := range []Options{
		{Mode: ModeRules, Trades: 300, Keys: 60},
		{Mode: ModeRules, Trades: 300, Keys: 60, Mix: MixOneProducer},
		{Mode: ModeRules, Trades: 300, Keys: 60, Mix: MixOneConsumer, Actions: 8},
		{Mode: ModeRules, Trades: 640, Keys: 10, Actions: 64},
		{Mode: ModeStore, Trades: 320, Keys: 60, Actions: 8},
		{Mode: ModeNode, Trades: 300, Keys: 60},
		{Mode: ModeNode, Trades: 320, Keys: 40, Actions: 8, Mix: MixOneProducer},
		{Mode: ModeAPI, Trades: 200, Keys: 60, Clients: 16},
	} {
		t.Run(fmt.Sprintf("%s %s %d", c.Mode, c.Mix, c.Actions), func(t *testing.T) {
			t.Parallel()
			checkMode(t, c)
		})
	}
}

// TestModeNet is the case of TestModes whose nodes are four processes.
func TestModeNet(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("four processes, without -short")
	}
	checkMode(t, Options{Mode: ModeNet, Trades: 200, Keys: 40, Clients: 16})
}

// checkMode runs a mode and checks its report.
func checkMode(t *testing.T, c Options) {
	t.Helper()
	c.Folder, c.Node = t.TempDir(), childNode
	report, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if report.Trades < c.Trades || report.TradesPerS <= 0 || report.LimitPerS <= 0 || !report.Conserved {
		t.Errorf("%+v", report)
	}
	if want := report.Trades / report.Actions * 3; report.Txs != want {
		t.Errorf("%d trades were done by %d transactions, not %d", report.Trades, report.Txs, want)
	}
	if report.P50 <= 0 || report.P50 > report.P99 || report.Trade.P50 <= report.P50 {
		t.Errorf("times: %+v, of trades %+v", report.Times, report.Trade)
	}
	if err := report.WriteText(io.Discard); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(c.Folder); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v behind, %v", left, err)
	}
}
