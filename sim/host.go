package sim

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"lockstep/client"
	"lockstep/node"
	"lockstep/store"
	"lockstep/types"
)

// onLedger makes a new ledger in a folder (empty: a temporary one, removed in the end), runs its node in this process with
// its API on a free port of loopback, and plays on it. When the node has stopped, all that it left on the disk is checked.
func onLedger(ctx context.Context, folder string, logger *slog.Logger, play func(context.Context, *client.Client) error) (store.Report, error) {
	if folder == "" {
		temporary, err := os.MkdirTemp("", "lockstep-demo-")
		if err != nil {
			return store.Report{}, err
		}
		defer os.RemoveAll(temporary)
		folder = temporary
	}
	if err := node.Init(folder, node.InitOptions{Params: params()}); err != nil {
		return store.Report{}, err
	}
	if err := runNode(ctx, folder, logger, play); err != nil {
		return store.Report{}, err
	}
	return node.Check(folder, logger)
}

// params are those of a ledger whose deadlines are seconds. A small clock cap makes them safe to keep: a machine that is too
// busy to make blocks holds the ledger clock up.
func params() types.Params {
	p := types.DefaultParams("demo")
	p.ClockCap = types.SpanOf(500 * time.Millisecond)
	p.MinWindow = 3 * p.ClockCap
	return p
}

// runNode runs the node for as long as the play takes. When either fails, the other ends.
func runNode(ctx context.Context, folder string, logger *slog.Logger, play func(context.Context, *client.Client) error) error {
	n, err := node.Open(node.Config{Dir: folder, API: "127.0.0.1:0", Version: "demo"}, logger)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return n.Run(ctx) })
	group.Go(func() error {
		defer stop()
		connections := &http.Transport{MaxIdleConnsPerHost: 2 * atOnce}
		defer connections.CloseIdleConnections() // or the node would wait for them
		api, err := client.New("http://"+n.APIAddress(), client.WithToken(n.Token()), client.WithHTTPClient(&http.Client{Transport: connections}))
		if err != nil {
			return err
		}
		if err := awaitFirstBlock(ctx, api); err != nil {
			return err
		}
		return play(ctx, api)
	})
	return errors.Join(group.Wait(), n.Close())
}

// awaitFirstBlock waits until the ledger has a clock.
func awaitFirstBlock(ctx context.Context, api *client.Client) error {
	for {
		status, err := api.Status(ctx)
		if err != nil || status.Height > 0 {
			return err
		}
		if err := wait(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}
