package sim

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"lockstep/client"
	"lockstep/internal/agent"
	"lockstep/internal/node"
	"lockstep/internal/page"
	"lockstep/types"
	"lockstep/wallet"
)

// TownOptions describe a town that lives until it is closed.
type TownOptions struct {
	Profile    *Profile
	Households []Household
	From, To   int           // the part of each day, in quarter-hours, the last one not played; zero: all of it
	Speed      float64       // quarter-hours a second; zero: [TownSpeed]
	Window     time.Duration // from one deadline of a trade to the next; zero: a time that leaves a busy machine room
	Folder     string        // of the ledger, kept; empty: a temporary one, removed
	Logger     *slog.Logger
	// Node returns the command of a process that runs the node in a folder, with its API at an address, until its input ends: see [ServeNode].
	Node func(dir, api string) *exec.Cmd
}

// Pace of a town: a person can follow it.
const (
	TownSpeed  = 0.25
	townWindow = 3 * time.Second
	townPause  = 150 * time.Millisecond
)

// Bounds of the speed: a day takes from ten seconds to nearly three hours. A window must leave room for several blocks.
const (
	minSpeed  = 0.01
	maxSpeed  = 10
	minWindow = 600 * time.Millisecond
)

// CheckSpeed checks a number of quarter-hours a second.
func CheckSpeed(speed float64) error {
	if !(speed >= minSpeed && speed <= maxSpeed) { // NaN too
		return badOption("the speed %g is not between %g and %d quarter-hours a second", speed, minSpeed, maxSpeed)
	}
	return nil
}

// complete checks the options, and fills those in that are left open.
func (o *TownOptions) complete() error {
	if o.Speed == 0 {
		o.Speed = TownSpeed
	}
	if o.Window == 0 {
		o.Window = townWindow
	}
	if o.To == 0 {
		o.To = SlotsPerDay
	}
	if o.From < 0 || o.To > SlotsPerDay || o.From >= o.To {
		return badOption("quarter-hours %d to %d are not a part of a day of %d", o.From, o.To, SlotsPerDay)
	}
	if o.Window < minWindow {
		return badOption("the window %s is below %s", o.Window, minWindow)
	}
	return CheckSpeed(o.Speed)
}

// Town is a community whose day goes on and begins again, which a reader of its page watches and steers. Each household is an agent with a
// wallet of its own, on a node in a process of its own. It implements [page.Town].
type Town struct {
	options   TownOptions
	process   *process
	folder    string
	temporary bool
	wallets   []*wallet.Wallet
	secret    string // the passphrase of the wallets
	doors     doors

	node    *client.Client
	ledger  *client.Ledger
	params  types.Params
	money   types.Asset
	issuer  *client.Account // of the money; as the ledger's operator it enrols the meters too
	members []*member
	places  map[types.PublicKey]int // of the members
	played  []int                   // the quarter-hours in which somebody has a surplus
	begin   types.Time              // of the first slot, as the ledger counts time

	steering sync.Mutex // guards the steering of the members

	mu   sync.Mutex
	book townBook
}

// never is after the last slot.
const never = math.MaxInt

// OpenTown makes a ledger, starts its node and gives every household its purse. Close the town also after [Town.Run] has failed.
func OpenTown(ctx context.Context, options TownOptions) (*Town, error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	t := &Town{options: options, folder: options.Folder, places: map[types.PublicKey]int{}}
	if err := t.open(ctx); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// townParams are those of a ledger whose slots are seconds, as are its deadlines. A small clock cap makes them safe to keep: a machine that is
// too busy to make blocks holds the ledger clock up.
func townParams(options *TownOptions, operator types.PublicKey) types.Params {
	window := types.DurationOf(options.Window)
	p := types.DefaultParams("demo")
	p.Operators = []types.PublicKey{operator}
	p.ClockCap = window / 3
	p.MinWindow = 3 * p.ClockCap
	p.Slot = types.Duration(1000 / options.Speed)
	p.Market = types.DefaultMarketParams()
	p.Market.Gate = window + window/3 // a third to spare: a late auction is void
	p.Market.Opens = 5*window + 2*p.Slot
	p.Market.Reading, p.Market.Confirm = window, window
	p.Market.Grids = []types.Grid{{
		Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Lot: 1, Tick: 1, Ceiling: ceiling, Deposit: lotDeposit, Bond: lotBond, Fallback: &types.Meter{},
	}}
	return p
}

func (t *Town) open(ctx context.Context) (err error) {
	if t.folder == "" {
		if t.folder, err = os.MkdirTemp("", "lockstep-town-"); err != nil {
			return err
		}
		t.temporary = true
	}
	var secret [8]byte
	_, _ = rand.Read(secret[:]) // never fails, see crypto/rand
	t.secret = strings.Join([]string{hex.EncodeToString(secret[:2]), hex.EncodeToString(secret[2:4]), hex.EncodeToString(secret[4:6]), hex.EncodeToString(secret[6:])}, "-")
	issuer, err := wallet.Ephemeral()
	if err != nil {
		return err
	}
	dir := filepath.Join(t.folder, "node")
	if t.options.Folder != "" {
		dir = t.options.Folder
	}
	t.params = townParams(&t.options, issuer.Key())
	if err := node.Init(dir, node.InitOptions{Params: t.params}); err != nil {
		return err
	}
	if t.process, err = newProcess(dir, t.options.Node); err != nil {
		return err
	}
	if err := t.process.start(ctx); err != nil {
		return err
	}
	token, err := node.LoadToken(dir)
	if err != nil {
		return err
	}
	connections := &http.Transport{MaxIdleConnsPerHost: 4 * TownSize}
	if t.node, err = client.New("http://"+t.process.address, client.WithToken(token), client.WithHTTPClient(&http.Client{Transport: connections})); err != nil {
		return err
	}
	if err := t.found(ctx, issuer); err != nil {
		return err
	}
	t.book = newTownBook(len(t.members))
	t.tell(page.TownEvent{Kind: page.TownBegins, House: page.WholeTown})
	return nil
}

// found opens the wallets and the meters and gives every household its purse: one issue, one transaction.
func (t *Town) found(ctx context.Context, issuer *wallet.Account) (err error) {
	if t.ledger, err = t.node.Ledger(ctx); err != nil {
		return err
	}
	t.money = types.Asset{Issuer: issuer.Key(), Code: moneyCode, Decimals: moneyDecimals}
	if t.issuer, err = t.ledger.Account(issuer); err != nil {
		return err
	}
	houses := housesOf(t.options.Profile, t.options.Households)
	if t.played = traded(houses, t.options.From, t.options.To); len(t.played) == 0 {
		return badOption("no household has a surplus on this day, so there is nothing to trade")
	}
	draft, err := t.issuer.Draft(ctx)
	if err != nil {
		return err
	}
	var total types.Amount
	for _, h := range houses {
		account, err := t.account(h.Name)
		if err != nil {
			return err
		}
		m, err := t.newMember(h, account)
		if err != nil {
			return err
		}
		t.members, t.places[account.Key()] = append(t.members, m), h.place
		total += h.Purse
		if err := draft.Send(account.Key(), t.money.ID(), h.Purse); err != nil {
			return err
		}
		draft.Admit(types.Member{Key: account.Key(), Name: h.Name})
		if h.Roof != NoRoof {
			draft.Enrol(account.Key(), types.PointID{}, m.enrolled())
		}
	}
	if err := draft.Issue(t.money, total); err != nil {
		return err
	}
	if err := draft.Recognise(t.money, 1); err != nil {
		return err
	}
	draft.Admit(types.Member{Key: t.issuer.Key(), Name: issuerName})
	if _, err := t.issuer.Submit(ctx, draft); err != nil {
		return err
	}
	status, err := t.node.Status(ctx)
	begin := status.BlockTime.Add(t.params.Market.Opens)
	t.begin = begin - begin%types.Time(t.params.Slot)
	for _, m := range t.members {
		m.runner = t.newRunner(m)
	}
	return err
}

// quickWork is the work of the passphrase of a household's wallet, which guards play money alone.
const quickWork = 10

// account makes the wallet of a household in a file of its own.
func (t *Town) account(household string) (*wallet.Account, error) {
	folder := filepath.Join(t.folder, "wallets")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	made, err := wallet.Create(t.walletFile(household), t.secret, wallet.Options{Work: quickWork, Quick: true})
	if err != nil {
		return nil, err
	}
	t.wallets = append(t.wallets, made)
	return made.Account(0)
}

func (t *Town) walletFile(household string) string {
	return filepath.Join(t.folder, "wallets", strings.ToLower(household)+".age")
}

// Client asks the town's node.
func (t *Town) Client() *client.Client { return t.node }

// Run lets the town live until the context ends. While the node is away, the households wait for it.
func (t *Town) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	var agents errgroup.Group
	for _, m := range t.members {
		agents.Go(func() error { return m.runner.Run(ctx) })
	}
	for ctx.Err() == nil {
		err := t.turn(ctx)
		if ctx.Err() != nil {
			break
		}
		t.away(err)
		if err != nil && !isAway(err) {
			t.options.Logger.Warn("a turn of the town failed", "error", err)
		}
		wait(ctx, townPause)
	}
	stop()
	return agents.Wait()
}

// wait pauses until the context ends, at most.
func wait(ctx context.Context, span time.Duration) {
	timer := time.NewTimer(span)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// turn lets the meters count, and enters the news of the ledger into the book.
func (t *Town) turn(ctx context.Context) error {
	status, err := t.node.Status(ctx)
	if err != nil {
		return err
	}
	if err := t.read(ctx, status.BlockTime); err != nil {
		return err
	}
	views := t.views()
	morning, err := t.watch(ctx, &status, views)
	if err != nil || !morning {
		return err
	}
	return t.topUp(ctx, views)
}

// read gives the agents the readings of the slots that are over.
func (t *Town) read(ctx context.Context, now types.Time) error {
	for _, m := range t.members {
		for ; m.Roof != NoRoof && m.told < t.slotsUntil(now); m.told++ {
			if t.metered(m, m.told) == 0 {
				continue
			}
			signed, err := t.reading(m, m.told)
			if err != nil {
				return err
			}
			if err := m.runner.Send(ctx, signed); err != nil {
				return err
			}
		}
	}
	return nil
}

// views returns the last view of each agent; nil for one that has seen nothing yet.
func (t *Town) views() []*agent.View {
	views := make([]*agent.View, len(t.members))
	for place, m := range t.members {
		state, _ := m.runner.State()
		views[place] = state.View
	}
	return views
}

// quarter is the quarter-hour of the day that a slot stands for. After the last one the day begins again.
func (t *Town) quarter(n int) int { return t.played[n%len(t.played)] }

// slotBegin is the moment at which a slot begins. Slots are real and short; each stands for a quarter-hour of the day.
func (t *Town) slotBegin(n int) types.Time { return t.begin.Add(types.Duration(n) * t.params.Slot) }

// slotAt is the slot that begins at a moment, which is not before the first one.
func (t *Town) slotAt(from types.Time) int { return int(from.Since(t.begin) / t.params.Slot) }

// slotsUntil counts the slots that have ended.
func (t *Town) slotsUntil(now types.Time) int { return max(0, t.slotAt(max(now, t.begin))) }

// isAway reports whether an error says that the node does not answer.
func isAway(err error) bool { return types.CodeOf(err) == types.CodeUnavailable }

// topUp gives money to households that are short of it, so that the town lives on.
func (t *Town) topUp(ctx context.Context, views []*agent.View) error {
	draft, err := t.issuer.Draft(ctx)
	if err != nil {
		return err
	}
	var total types.Amount
	for place, v := range views {
		purse := t.members[place].Household.Purse
		if v == nil || v.Money.Spendable >= purse/2 {
			continue
		}
		total += purse // a part of the first issue
		if err := draft.Send(t.members[place].account.Key(), t.money.ID(), purse); err != nil {
			return err
		}
	}
	if total == 0 {
		return nil
	}
	if err := draft.Issue(t.money, total); err != nil {
		return err
	}
	_, err = t.issuer.Submit(ctx, draft)
	return err
}

// Close ends the pages of the households and the node. [Town.Run] must have returned.
func (t *Town) Close() error {
	t.doors.close()
	for _, w := range t.wallets {
		w.Close()
	}
	if t.process != nil {
		t.process.stop()
	}
	if t.temporary {
		return os.RemoveAll(t.folder)
	}
	return nil
}

// ServeNode runs the node of a town in its folder until the context ends, or the input does.
func ServeNode(ctx context.Context, dir, api, version string, input io.Reader, logger *slog.Logger) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, input) // it ends with the town
		stop()
	}()
	n, err := node.Open(node.Config{Dir: dir, API: api, Version: version}, logger)
	if err != nil {
		return err
	}
	return errors.Join(n.Run(ctx), n.Close())
}

// Folder is the folder of the town's own files, which only its user can read.
func (t *Town) Folder() string { return t.folder }
