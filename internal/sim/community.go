package sim

import (
	"context"
	"crypto/rand"
	"fmt"

	"golang.org/x/sync/errgroup"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/types"
	"lockstep/wallet"
)

// community is the households with their wallets, and the ledger as its API shows it. It knows nothing of how the node runs.
type community struct {
	node    *client.Client
	params  types.Params
	profile *Profile
	window  types.Duration // from one deadline to the next
	money   types.Asset
	issuer  *wallet.Account // of the money; as the ledger's operator it enrols the meters too
	members []*member
	places  map[types.PublicKey]int // of the members
	played  []int                   // the slots in which somebody has a surplus
	begin   types.Time              // of the first of them, as the ledger counts time
	done    tally
}

// member is a household with its wallet and its memory.
type member struct {
	Household
	place     int
	account   *wallet.Account
	gateway   *gateway // nil without a roof
	memory    Memory
	load, sun Day
	next      int             // of the slots that are played, the first that it has no order for
	readings  map[int]reading // by slot, that are on the ledger
}

// The community's money: millionths of a euro, so that the price of a Wh has three digits.
const (
	moneyCode     = "EUR"
	moneyDecimals = 6
)

// found opens the wallets and the meters and gives every household its purse: one issue, one transaction.
func found(ctx context.Context, node *client.Client, issuer *wallet.Account, options *Options) (*community, error) {
	params, err := node.Params(ctx)
	if err != nil {
		return nil, err
	}
	c := &community{
		node: node, params: params, profile: options.Profile, window: types.DurationOf(options.Window), issuer: issuer,
		money: types.Asset{Issuer: issuer.Key(), Code: moneyCode, Decimals: moneyDecimals}, places: map[types.PublicKey]int{},
	}
	for place, house := range options.Households {
		m, err := newMember(options.Profile, house, place)
		if err != nil {
			return nil, err
		}
		c.members = append(c.members, m)
		c.places[m.account.Key()] = place
	}
	for slot := options.From; slot < options.To; slot++ {
		if !c.idle(slot) {
			c.played = append(c.played, slot)
		}
	}
	if err := c.setUp(ctx); err != nil {
		return nil, err
	}
	status, err := node.Status(ctx)
	begin := status.BlockTime.Add(params.Market.Gate + c.window + params.Slot)
	c.begin = begin - begin%types.Time(params.Slot)
	return c, err
}

func newMember(profile *Profile, house Household, place int) (m *member, err error) {
	m = &member{
		Household: house, place: place, readings: map[int]reading{},
		load: profile.Load(house.Kind, house.Annual), sun: profile.Sun(house.Roof, house.Power),
	}
	if m.account, err = newAccount(); err == nil && m.Roof != NoRoof {
		m.gateway, err = newGateway()
	}
	return m, err
}

// idle reports whether nobody has a surplus in the slot, so that nothing can be traded.
func (c *community) idle(slot int) bool {
	for _, m := range c.members {
		if surplus, _ := m.foreseen(slot); surplus > 0 {
			return false
		}
	}
	return true
}

func newAccount() (*wallet.Account, error) {
	seed, err := wallet.NewSeed(rand.Reader, "")
	if err != nil {
		return nil, err
	}
	return seed.Account(0, wallet.DefaultLimits())
}

// setUp fills the purses and enrols the meters.
func (c *community) setUp(ctx context.Context) error {
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
		if m.gateway != nil {
			draft.Admit(types.Member{Key: m.account.Key(), Name: m.Name})
			draft.Enrol(m.account.Key(), types.PointID{}, m.gateway.meter())
		}
	}
	if err := draft.Issue(c.money, total); err != nil {
		return err
	}
	return c.sign(ctx, c.issuer, draft)
}

// context asks the node for the state that an account needs to make a transaction.
func (c *community) context(ctx context.Context, account *wallet.Account) (wallet.Context, error) {
	status, err := c.node.Status(ctx)
	if err != nil {
		return wallet.Context{}, err
	}
	coins, err := c.coins(ctx, account.Key())
	return wallet.Context{Params: c.params, BlockTime: status.BlockTime, Clock: status.Clock, Coins: coins}, err
}

// coins are those that a key has of the community's money.
func (c *community) coins(ctx context.Context, key types.PublicKey) (coins []types.Coin, err error) {
	for coin, err := range c.node.AllCoins(ctx, key, c.money.ID()) {
		if err != nil {
			return nil, err
		}
		coins = append(coins, coin)
	}
	return coins, nil
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

// balance is a key's balance in the community's money.
func (c *community) balance(ctx context.Context, key types.PublicKey) (wire.Balance, error) {
	answer, err := c.node.BalancesOf(ctx, key, c.money.ID())
	if err != nil || len(answer.Balances) == 0 {
		return wire.Balance{}, err
	}
	return answer.Balances[0], nil
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

// collect lets every household merge the outputs of its finished trades into one coin: payments, returns and refunds.
func (c *community) collect(ctx context.Context) error {
	return together(ctx, c.members, func(ctx context.Context, m *member) error {
		known, err := c.context(ctx, m.account)
		if err != nil || len(known.Coins) < 2 {
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
