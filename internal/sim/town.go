package sim

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"lockstep/client"
	"lockstep/internal/node"
	"lockstep/internal/page"
	"lockstep/types"
	"lockstep/wallet"
)

// TownOptions describe a town that lives until it is closed.
type TownOptions struct {
	Options
	// Node returns the command of a process that runs the node in a folder, with its API at an address, until its input ends: see [ServeNode].
	Node func(dir, api string) *exec.Cmd
}

// Pace of a town: a person can follow it.
const (
	TownSpeed  = 0.25
	townWindow = 3 * time.Second
	townPause  = 150 * time.Millisecond
)

// Town is a community whose day goes on and begins again, which a reader of its page watches and steers. It implements [page.Town].
type Town struct {
	*community
	options   TownOptions
	process   *process
	folder    string
	temporary bool
	wallets   []*wallet.Wallet
	secret    string // the passphrase of the wallets
	doors     doors

	mu   sync.Mutex
	book townBook
}

// OpenTown makes a ledger, starts its node and gives every household its purse. Close the town also after [Town.Run] has failed.
func OpenTown(ctx context.Context, options TownOptions) (*Town, error) {
	if options.Speed == 0 {
		options.Speed = TownSpeed
	}
	if options.Window == 0 {
		options.Window = townWindow
	}
	if err := options.complete(); err != nil {
		return nil, err
	}
	t := &Town{options: options, folder: options.Folder}
	if err := t.open(ctx); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
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
	if _, err := makeHost(dir, &t.options.Options, issuer.Key()); err != nil {
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
	api, err := client.New("http://"+t.process.address, client.WithToken(token))
	if err != nil {
		return err
	}
	t.options.accounts, t.options.endless = t.account, true
	if t.community, err = found(ctx, api, issuer, &t.options.Options); err != nil {
		return err
	}
	t.book = newTownBook(len(t.members))
	t.tell(page.TownEvent{Kind: page.TownBegins, House: page.WholeTown})
	return nil
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

// Run lets the town live until the context ends. While the node is away, the town waits for it.
func (t *Town) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		busy, err := t.turn(ctx)
		if ctx.Err() != nil {
			return nil
		}
		t.away(err)
		if err != nil && !isAway(err) {
			t.options.Logger.Warn("a turn of the town failed", "error", err)
		}
		if !busy || err != nil {
			if err := wait(ctx, townPause); err != nil {
				return nil
			}
		}
	}
	return nil
}

// turn lets every household look at the ledger and do all that it has to do.
func (t *Town) turn(ctx context.Context) (busy bool, err error) {
	status, sights, err := t.look(ctx)
	if err != nil {
		return false, err
	}
	t.countTrades(sights)
	morning, err := t.watch(ctx, &status, sights)
	if err != nil {
		return false, err
	}
	if morning {
		if err := t.topUp(ctx, sights); err != nil {
			return false, err
		}
	}
	plans := t.decide(sights)
	return len(plans) > 0, together(ctx, plans, t.try)
}

// isAway reports whether an error says that the node does not answer.
func isAway(err error) bool { return types.CodeOf(err) == types.CodeUnavailable }

// try carries a plan out. A household whose owner acts at the same time may be refused, for a coin that is spent: it tries again in its next turn, and
// passes a slot by after some times.
func (t *Town) try(ctx context.Context, p plan) error {
	err := t.carryOut(ctx, p)
	switch {
	case err == nil:
		p.member.refused = 0
		return nil
	case isAway(err) || ctx.Err() != nil:
		return err
	}
	t.options.Logger.Debug("a household was refused", "household", p.member.Name, "error", err)
	const patienceWithLedger = 4
	if p.member.refused++; p.member.refused >= patienceWithLedger {
		p.member.refused = 0
		t.remember(p)
	}
	return nil
}

// topUp gives money to households that are short of it, so that the town lives on.
func (t *Town) topUp(ctx context.Context, sights []*sight) error {
	draft, err := t.issuer.Draft(ctx)
	if err != nil {
		return err
	}
	var total types.Amount
	for place, s := range sights {
		purse := t.members[place].Household.Purse
		if s.Purse >= purse/2 {
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
