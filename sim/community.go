package sim

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"lockstep/api/wire"
	"lockstep/client"
	"lockstep/types"
	"lockstep/wallet"
)

// community is the households with their wallets, and the ledger as its API shows it. It knows nothing of how the node runs.
type community struct {
	node    *client.Client
	params  types.Params
	profile *Profile
	window  types.Span // from one deadline to the next
	money   types.Asset
	issuer  *wallet.Account
	members []*member
	places  map[types.PublicKey]int // of the members
}

// member is a household with its wallet and what it has in mind.
type member struct {
	Household
	account   *wallet.Account
	memory    Memory
	load, sun Day
}

// The community's money: millionths of a euro, so that the price of a Wh has three digits.
const (
	moneyCode     = "EUR"
	moneyDecimals = 6
)

// found opens the wallets and gives every household its purse: one issue, one transaction.
func found(ctx context.Context, node *client.Client, profile *Profile, houses []Household, window time.Duration) (*community, error) {
	params, err := node.Params(ctx)
	if err != nil {
		return nil, err
	}
	c := &community{node: node, params: params, profile: profile, window: types.SpanOf(window), places: map[types.PublicKey]int{}}
	if c.issuer, err = newAccount(); err != nil {
		return nil, err
	}
	c.money = types.Asset{Issuer: c.issuer.Key(), Code: moneyCode, Decimals: moneyDecimals}
	for place, house := range houses {
		m := &member{Household: house, load: profile.Load(house.Kind, house.Annual), sun: profile.Sun(house.Roof, house.Power)}
		if m.account, err = newAccount(); err != nil {
			return nil, err
		}
		c.members = append(c.members, m)
		c.places[m.account.Key()] = place
	}
	return c, c.fillPurses(ctx)
}

func newAccount() (*wallet.Account, error) {
	seed, err := wallet.NewSeed(rand.Reader, "")
	if err != nil {
		return nil, err
	}
	return seed.Account(0, wallet.DefaultLimits())
}

func (c *community) fillPurses(ctx context.Context) error {
	known, err := c.context(ctx, c.issuer)
	if err != nil {
		return err
	}
	draft := c.issuer.Draft(known)
	var total types.Amount
	for _, m := range c.members {
		total += m.Purse
		if err := draft.Send(m.account.Key(), c.money.ID(), m.Purse); err != nil {
			return err
		}
	}
	if err := draft.Issue(c.money, total); err != nil {
		return err
	}
	return c.sign(ctx, c.issuer, draft)
}

// context asks what an account has to know to make a transaction.
func (c *community) context(ctx context.Context, account *wallet.Account) (wallet.Context, error) {
	status, err := c.node.Status(ctx)
	if err != nil {
		return wallet.Context{}, err
	}
	holdings, err := c.node.Holdings(ctx, account.Key())
	return wallet.Context{Params: c.params, BlockTime: status.BlockTime, Clock: status.Clock, Holdings: holdings}, err
}

// sign finishes a transaction and waits until it is on the ledger.
func (c *community) sign(ctx context.Context, account *wallet.Account, draft *wallet.Draft) error {
	tx, err := draft.Sign()
	if err != nil {
		return err
	}
	if _, err = c.node.Submit(ctx, tx); err != nil {
		account.Forget(tx.ID())
	}
	return err
}

// spendable is what an account can spend of the community's money.
func (c *community) spendable(holdings wire.Holdings) types.Amount {
	for _, balance := range holdings.Balances {
		if balance.Asset == c.money.ID() {
			return balance.Spendable
		}
	}
	return 0
}

// atOnce is how many households act at the same time.
const atOnce = 8

// together does something for each of many, a few at a time. The first error ends the others.
func together[T any](ctx context.Context, items []T, do func(context.Context, T) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, item := range items {
		group.Go(func() error { return do(ctx, item) })
	}
	return group.Wait()
}

// collect lets every household gather what trades have left to it into one coin: what it earned, its returns, its refunds.
func (c *community) collect(ctx context.Context) error {
	return together(ctx, c.members, func(ctx context.Context, m *member) error {
		known, err := c.context(ctx, m.account)
		if err != nil || len(known.Holdings.Coins) < 2 {
			return err
		}
		draft := m.account.Draft(known)
		if err := draft.Consolidate(); err != nil {
			return err
		}
		if err := c.sign(ctx, m.account, draft); err != nil {
			return fmt.Errorf("%s collects: %w", m.Name, err)
		}
		return nil
	})
}
