package sim

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"lockstep/client"
	"lockstep/internal/node"
	"lockstep/internal/store"
	"lockstep/types"
)

// host is where a play takes place: a new ledger in a folder, its node in this process with its API on a free port of loopback.
type host struct {
	folder string
	params types.Params
	logger *slog.Logger
}

// makeHost makes a new ledger.
func makeHost(folder string, options *Options, operator types.PublicKey) (*host, error) {
	h := &host{folder: folder, params: params(options, operator), logger: options.Logger}
	return h, node.Init(folder, node.InitOptions{Params: h.params})
}

// params are those of a ledger whose slots are parts of a second and whose deadlines are seconds. A small clock cap makes them
// safe to keep: a machine that is too busy to make blocks holds the ledger clock up.
func params(options *Options, operator types.PublicKey) types.Params {
	window := types.DurationOf(options.Window)
	p := types.DefaultParams("demo")
	p.Operators = []types.PublicKey{operator}
	p.ClockCap = window / 3
	p.MinWindow = 3 * p.ClockCap
	p.Slot = types.Duration(1000 / options.Speed)
	p.Market = types.DefaultMarketParams()
	p.Market.Gate, p.Market.Opens = window+window/3, 2*window+2*window/3 // a third to spare: a late auction is void
	p.Market.Reading, p.Market.Confirm = window, window
	p.Market.Grids = []types.Grid{{
		Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Lot: 1, Tick: 1, Ceiling: ceiling, Deposit: lotDeposit, Bond: lotBond, Fallback: &types.Meter{},
	}}
	return p
}

// The stakes of a Wh, in millionths of a euro: thousandths of a euro for a kWh. The bond is the highest price that there can be, so that
// breaking a promise never pays, at any value of the energy elsewhere.
const (
	ceiling    = 500
	lotDeposit = 10
	lotBond    = ceiling
)

// check recomputes all that the node left on the disk.
func (h *host) check() (store.Report, error) {
	report, err := node.Check(h.folder, h.logger)
	return report.Report, err
}

// run runs the node for as long as the play takes. When either fails, the other ends.
func (h *host) run(ctx context.Context, play func(context.Context, *client.Client) error) error {
	n, err := node.Open(node.Config{Dir: h.folder, API: "127.0.0.1:0", Version: "demo"}, h.logger)
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
