// Package practice runs a ledger of its own on this machine with a practice partner, which sells honey for play money and delivers at once:
// for a first trade in which nothing is at stake.
package practice

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"lockstep/client"
	"lockstep/internal/atomicfile"
	"lockstep/internal/node"
	"lockstep/internal/plaintext"
	"lockstep/types"
	"lockstep/wallet"
)

// Partner is the name of the partner on the ledger.
const Partner = "Practice partner"

// The goods, and the sums of the offer in hundredths.
const (
	goods    = "honey"
	jars     = 5
	price    = 400 // a jar
	deposit  = 20
	bond     = 40
	pocket   = 2_000 // play money for a newcomer
	minute   = types.Duration(60_000)
	lookWait = time.Second
)

// Ledger is the practice ledger.
type Ledger struct {
	node *node.Node
	api  *client.Client
	seed *wallet.Seed
	play types.Asset
	log  *slog.Logger

	mu      sync.Mutex
	partner *client.Account
}

// Open opens the ledger in a folder, and makes it when there is none. [Ledger.Run] runs it.
func Open(folder, version string, log *slog.Logger) (*Ledger, error) {
	l := &Ledger{log: log}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("practice: %w", err)
	}
	var err error
	if l.seed, err = partnerSeed(filepath.Join(folder, "partner.words")); err != nil {
		return nil, fmt.Errorf("practice: %w", err)
	}
	account, err := l.account()
	if err != nil {
		return nil, err
	}
	l.play = types.Asset{Issuer: account.Key(), Code: "PLAY", Decimals: 2}
	dir := filepath.Join(folder, "node")
	if _, err := node.LoadSettings(dir); errors.Is(err, node.ErrNoNode) {
		if err := l.make(dir, account.Key()); err != nil {
			return nil, fmt.Errorf("practice: %w", err)
		}
	}
	if l.node, err = node.Open(node.Config{Dir: dir, API: "127.0.0.1:0", Version: version}, log); err != nil {
		return nil, fmt.Errorf("practice: %w", err)
	}
	l.api, err = client.New("http://"+l.node.APIAddress(), client.WithToken(l.node.Token()))
	return l, err
}

// partnerSeed reads the words of the partner, or draws new ones. They guard play money alone.
func partnerSeed(file string) (*wallet.Seed, error) {
	const most = 4 << 10
	text, err := plaintext.ReadFile(file, most)
	if err == nil {
		return wallet.ParseWords(string(text), "")
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	seed, err := wallet.NewSeed(rand.Reader, "")
	if err != nil {
		return nil, err
	}
	return seed, atomicfile.Create(file, []byte(seed.Words()+"\n"))
}

func (l *Ledger) account() (*wallet.Account, error) { return l.seed.Account(0, wallet.DefaultLimits()) }

// make makes the ledger: its name is its own, so that no signature for it is good elsewhere.
func (l *Ledger) make(dir string, partner types.PublicKey) error {
	var unique [4]byte
	if _, err := rand.Read(unique[:]); err != nil {
		return err
	}
	params := types.DefaultParams("practice-" + hex.EncodeToString(unique[:]))
	params.Operators = []types.PublicKey{partner}
	params.Genesis = []types.GenesisAsset{{Asset: l.play, Least: 1, Supply: 100_000_000}}
	return node.Init(dir, node.InitOptions{Params: params})
}

// Address is the address of the node's API, and Token its access token.
func (l *Ledger) Address() string { return "http://" + l.node.APIAddress() }

// Token is the access token of the node.
func (l *Ledger) Token() string { return l.node.Token() }

// Run runs the node and the partner until the context ends, and closes the node.
func (l *Ledger) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return l.node.Run(ctx) })
	group.Go(func() error {
		for ctx.Err() == nil {
			if err := l.deliver(ctx); err != nil && ctx.Err() == nil {
				l.log.Warn("the practice partner could not deliver", "error", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(lookWait):
			}
		}
		return nil
	})
	return errors.Join(group.Wait(), l.node.Close())
}

// acting is the partner on the ledger; it waits for the first block.
func (l *Ledger) acting(ctx context.Context) (*client.Account, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.partner != nil {
		return l.partner, nil
	}
	for {
		status, err := l.api.Status(ctx)
		if err == nil && status.Height > 0 {
			break
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lookWait / 10):
		}
	}
	account, err := l.account()
	if err != nil {
		return nil, err
	}
	l.partner, err = l.api.Account(ctx, account)
	return l.partner, err
}

// deliver delivers every trade that is paid.
func (l *Ledger) deliver(ctx context.Context) error {
	partner, err := l.acting(ctx)
	if err != nil {
		return err
	}
	for t, err := range l.api.AllTrades(ctx, partner.Key(), true) {
		if err != nil {
			return err
		}
		if t.Phase != types.PhasePaid || t.Trade.Agreement.Producer != partner.Key() {
			continue
		}
		if _, err := partner.Do(ctx, func(d *wallet.Draft) error { return d.Deliver(t.ID, &t.Trade) }); err != nil {
			return err
		}
	}
	return nil
}

// Welcome gives a newcomer play money, once, and returns an offer of the partner that stands.
func (l *Ledger) Welcome(ctx context.Context, key types.PublicKey) (id types.OfferID, err error) {
	partner, err := l.acting(ctx)
	if err != nil {
		return id, err
	}
	var steps []func(*wallet.Draft) error
	if _, err := l.api.Member(ctx, partner.Key()); types.CodeOf(err) == types.CodeNotFound {
		steps = append(steps, func(d *wallet.Draft) error {
			d.Admit(types.Member{Key: partner.Key(), Name: Partner})
			return nil
		})
	}
	balances, err := l.api.BalancesOf(ctx, key, l.play.ID())
	if err != nil {
		return id, err
	}
	if len(balances.Balances) == 0 || balances.Balances[0].Spendable+balances.Balances[0].Locked == 0 {
		steps = append(steps, func(d *wallet.Draft) error { return d.Send(key, l.play.ID(), pocket) })
	}
	for offer, err := range l.api.AllOffers(ctx) {
		if err != nil {
			return id, err
		}
		if offer.Offer.Producer == partner.Key() {
			id = offer.ID
		}
	}
	if (id == types.OfferID{}) {
		steps = append(steps, func(d *wallet.Draft) (err error) {
			id, err = l.offer(ctx, d)
			return err
		})
	}
	if len(steps) > 0 {
		_, err = partner.Do(ctx, steps...)
	}
	return id, err
}

// offer posts the partner's offer, under hold terms: the money stays locked until the release.
func (l *Ledger) offer(ctx context.Context, d *wallet.Draft) (types.OfferID, error) {
	status, err := l.api.Status(ctx)
	if err != nil {
		return types.OfferID{}, err
	}
	return d.Post(types.Offer{
		Asset: l.play.ID(), Goods: types.Goods{Commodity: goods, Unit: "jar", Quantity: jars, Note: "made up: nothing is sent"},
		Price: types.Rate{Mantissa: price}, Deposit: types.Rate{Mantissa: deposit}, Bond: types.Rate{Mantissa: bond}, MinFill: 1, Instalments: 1,
		Fallback: &types.Hold{}, Deadlines: types.Deadlines{
			PayBy: status.Clock.Add(60 * minute), DeliverBy: status.Clock.Add(90 * minute), ReadingBy: status.Clock.Add(120 * minute), ConfirmBy: status.Clock.Add(150 * minute),
		},
	}, false)
}
