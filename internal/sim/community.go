package sim

import (
	"context"
	"fmt"
	"math"
	"sync"

	"golang.org/x/sync/errgroup"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/types"
	"lockstep/wallet"
)

// community is the households with their wallets, and the ledger as its API shows it. It knows nothing of how the node runs.
type community struct {
	node    *client.Client
	ledger  *client.Ledger
	params  types.Params
	profile *Profile
	window  types.Duration // from one deadline to the next
	money   types.Asset
	issuer  *client.Account // of the money; as the ledger's operator it enrols the meters too
	members []*member
	places  map[types.PublicKey]int // of the members
	played  []int                   // the quarter-hours in which somebody has a surplus
	slots   int                     // to be played: one for each of these, or without end
	begin   types.Time              // of the first slot, as the ledger counts time
	seen    map[types.TradeID]bool
	done    tally

	steering sync.Mutex // guards the steering of the members, which a town changes as it goes
}

// member is a household with its wallet and its memory.
type member struct {
	Household
	place     int
	account   *client.Account
	gateway   *gateway // nil without a roof
	memory    Memory
	load, sun Day
	next      int             // the first slot that it has no order for
	readings  map[int]reading // by slot, that are on the ledger
	refused   int             // plans in a row that the ledger refused
	steering
}

// steering is how a member behaves. Slots are counted from the first one on, over all days.
type steering struct {
	defaultsFrom  int   // the slot from which on it sells and feeds nothing in
	withholdsFrom int   // the slot from which on it takes deliveries and shows no secret
	cloud         Slots // a part of the forecast of these slots does not come
	byHand        bool  // its owner orders and releases
	bid, ask      uint64
}

// The community's money: millionths of a euro, so that the price of a Wh has three digits.
const (
	moneyCode     = "EUR"
	moneyDecimals = 6
	issuerName    = "Bank"
)

// found opens the wallets and the meters and gives every household its purse: one issue, one transaction.
func found(ctx context.Context, node *client.Client, issuer *wallet.Account, options *Options) (*community, error) {
	ledger, err := node.Ledger(ctx)
	if err != nil {
		return nil, err
	}
	c := &community{
		node: node, ledger: ledger, params: ledger.Params, profile: options.Profile, window: types.DurationOf(options.Window),
		money: types.Asset{Issuer: issuer.Key(), Code: moneyCode, Decimals: moneyDecimals}, places: map[types.PublicKey]int{},
		seen: map[types.TradeID]bool{},
	}
	if c.issuer, err = ledger.Account(issuer); err != nil {
		return nil, err
	}
	for place, house := range options.Households {
		account, err := options.account(house.Name)
		if err != nil {
			return nil, err
		}
		m, err := c.newMember(house, place, account)
		if err != nil {
			return nil, err
		}
		c.members = append(c.members, m)
		c.places[m.account.Key()] = place
	}
	for quarter := options.From; quarter < options.To; quarter++ {
		if !c.idle(quarter) {
			c.played = append(c.played, quarter)
		}
	}
	if c.slots = len(c.played); options.endless {
		c.slots = math.MaxInt
	}
	for _, m := range c.members {
		m.steering = c.planned(&m.Household)
	}
	if err := c.setUp(ctx); err != nil {
		return nil, err
	}
	status, err := node.Status(ctx)
	begin := status.BlockTime.Add(c.params.Market.Gate + c.window + c.params.Slot)
	c.begin = begin - begin%types.Time(c.params.Slot)
	return c, err
}

// planned is the steering by the plan of the first day.
func (c *community) planned(house *Household) steering {
	first := func(quarter int) int {
		for n, played := range c.played {
			if played >= quarter {
				return n
			}
		}
		return c.slots
	}
	s := steering{defaultsFrom: c.slots, withholdsFrom: c.slots, bid: house.Tariff, ask: house.FeedIn}
	if house.DeliversUntil < faithful {
		s.defaultsFrom = first(house.DeliversUntil)
	}
	if house.ReleasesUntil < faithful {
		s.withholdsFrom = first(house.ReleasesUntil)
	}
	if house.Cloud.To > house.Cloud.From {
		s.cloud = Slots{first(house.Cloud.From), first(house.Cloud.To)}
	}
	return s
}

// steered reads the steering of a member.
func (c *community) steered(m *member) steering {
	c.steering.Lock()
	defer c.steering.Unlock()
	return m.steering
}

func (c *community) newMember(house Household, place int, account *wallet.Account) (m *member, err error) {
	m = &member{
		Household: house, place: place, readings: map[int]reading{},
		load: c.profile.Load(house.Kind, house.Annual), sun: c.profile.Sun(house.Roof, house.Power),
	}
	if m.account, err = c.ledger.Account(account); err == nil && m.Roof != NoRoof {
		m.gateway, err = newGateway()
	}
	return m, err
}

// idle reports whether nobody has a surplus in the quarter-hour, so that nothing can be traded.
func (c *community) idle(quarter int) bool {
	for _, m := range c.members {
		if surplus, _ := m.foreseen(quarter); surplus > 0 {
			return false
		}
	}
	return true
}

// setUp fills the purses and enrols the meters.
func (c *community) setUp(ctx context.Context) error {
	draft, err := c.issuer.Draft(ctx)
	if err != nil {
		return err
	}
	var total types.Amount
	for _, m := range c.members {
		total += m.Purse
		if err := draft.Send(m.account.Key(), c.money.ID(), m.Purse); err != nil {
			return err
		}
		draft.Admit(types.Member{Key: m.account.Key(), Name: m.Name})
		if m.gateway != nil {
			draft.Enrol(m.account.Key(), types.PointID{}, m.gateway.meter())
		}
	}
	if err := draft.Issue(c.money, total); err != nil {
		return err
	}
	if err := draft.Recognise(c.money, 1); err != nil {
		return err
	}
	draft.Admit(types.Member{Key: c.issuer.Key(), Name: issuerName})
	_, err = c.issuer.Submit(ctx, draft)
	return err
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

// balance is a key's balance in the community's money.
func (c *community) balance(ctx context.Context, key types.PublicKey) (wire.Balance, error) {
	return c.node.Balance(ctx, key, c.money.ID())
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

// mostMerged bounds the coins that become one in a transaction.
const mostMerged = 500

// collect lets every household merge the outputs of its finished trades into one coin: payments, returns and refunds.
func (c *community) collect(ctx context.Context) error {
	return together(ctx, c.members, func(ctx context.Context, m *member) error {
		coins, err := c.coins(ctx, m.account.Key())
		if err != nil || len(coins) < 2 {
			return err
		}
		coins = coins[:min(len(coins), mostMerged)]
		if _, err := m.account.Do(ctx, func(d *wallet.Draft) error { return d.Merge(coins...) }); err != nil {
			return fmt.Errorf("%s collects: %w", m.Name, err)
		}
		return nil
	})
}
