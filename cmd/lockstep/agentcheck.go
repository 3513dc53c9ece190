package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"lockstep/internal/agent/config"
	strategy "lockstep/internal/agent/plan"
	"lockstep/internal/agent/runner"
	"lockstep/meter/source"
	"lockstep/types"
)

type agentCheckCmd struct {
	agentFlags
	Wait time.Duration `help:"Longest wait for the first value of a source." default:"20s"`
}

// checked is one line of a check.
type checked struct {
	Part  string `json:"part"`
	Good  bool   `json:"good"`
	Text  string `json:"text"`
	fatal error
}

// agentCheck collects the results of a check.
type agentCheck struct {
	mu    sync.Mutex
	lines []checked
}

func (c *agentCheck) good(part, format string, args ...any) {
	c.add(checked{Part: part, Good: true, Text: fmt.Sprintf(format, args...)})
}

func (c *agentCheck) bad(part string, err error) {
	c.add(checked{Part: part, Text: err.Error(), fatal: err})
}

func (c *agentCheck) add(line checked) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, line)
}

// Run explains the configuration and tries all that it names, and reports every fault.
func (c *agentCheckCmd) Run(ctx context.Context, a *app) error {
	conf, err := c.load(a)
	if err != nil {
		return err
	}
	result := &agentCheck{}
	result.good("configuration", "it can be read; the role is %s", conf.Role)
	c.sources(ctx, a, conf, result)
	if prices := conf.PriceSource(); prices != nil {
		if priced, err := prices.Fetch(ctx); err != nil {
			result.bad("prices", err)
		} else {
			last := priced.Curve[len(priced.Curve)-1]
			result.good("prices", "%d prices of %s, up to %s", len(priced.Curve), conf.Prices.From, stamp(last.Until))
		}
	}
	c.ledger(ctx, a, conf, result)
	if err := a.show(result.lines, func(p *page) {
		for _, line := range result.lines {
			state := "ok"
			if !line.Good {
				state = "FAULT"
			}
			p.row(state, line.Part, line.Text)
		}
	}); err != nil {
		return err
	}
	for _, line := range result.lines {
		if !line.Good {
			return errors.New("the agent can't run like this: mend the faults above")
		}
	}
	return nil
}

// sources waits for the first value of each source, for all at the same time.
func (c *agentCheckCmd) sources(ctx context.Context, a *app, conf *config.Config, result *agentCheck) {
	ctx, stop := context.WithTimeout(ctx, c.Wait)
	defer stop()
	var tries sync.WaitGroup
	for _, name := range slices.Sorted(maps.Keys(conf.Sources)) {
		tries.Go(func() { c.source(ctx, a, name, conf.Sources[name], result) })
	}
	tries.Wait()
}

func (c *agentCheckCmd) source(ctx context.Context, a *app, name string, s *source.Config, result *agentCheck) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var mu sync.Mutex
	seen := map[string]string{}
	err := source.Open(s, a.logger()).Run(ctx, func(r source.Reading) {
		unit := "W"
		if r.Measures == source.Energy {
			unit = "Wh"
		}
		mu.Lock()
		defer mu.Unlock()
		seen[r.Value] = fmt.Sprintf("%v %s", r.Number, unit)
		if len(seen) == len(s.Values) {
			stop()
		}
	})
	mu.Lock()
	defer mu.Unlock()
	var missing, found []string
	for _, v := range s.Values {
		if text, ok := seen[v.Name]; ok {
			found = append(found, v.Name+" "+text)
		} else {
			missing = append(missing, v.Name)
		}
	}
	part := "source " + name
	switch {
	case err != nil:
		result.bad(part, err)
	case len(missing) > 0:
		result.bad(part, fmt.Errorf("no value of %s within %s: is the device on, and is the topic, path or register right? Seen: %s", nameList(missing), c.Wait, nameList(found)))
	default:
		result.good(part, "%s", nameList(found))
	}
}

// ledger checks node, wallet, limits, point and money.
func (c *agentCheckCmd) ledger(ctx context.Context, a *app, conf *config.Config, result *agentCheck) {
	s, err := a.session(ctx, &c.walletFlags)
	if err != nil {
		part := "wallet"
		if types.CodeOf(err) == types.CodeUnavailable {
			part = "node"
		}
		result.bad(part, err)
		return
	}
	defer s.wallet.Close()
	result.good("node", "ledger %q at height %d", s.params.ChainID, s.status.Height)
	result.good("wallet", "account %s", s.account.Key())
	p, err := prepare(ctx, conf, s.wallet, s.account, s.node, s.ledger)
	if err != nil {
		result.bad("market", err)
		return
	}
	if p.setup.Flow.IsZero() {
		result.good("point", "none: the agent sells nothing by meter")
	} else if conf.Meter != nil && conf.Meter.Sign && !runner.GatewayOf(s.account, p.point) {
		result.bad("point", fmt.Errorf("meter.sign: the wallet's gateway is not the meter of point %s: let an operator enrol the key that lockstep agent gateway prints", p.setup.Flow.Point))
	} else {
		result.good("point", "%s", p.setup.Flow.Point)
	}
	balance, err := s.node.Balance(ctx, s.account.Key(), p.setup.Market.Asset)
	switch {
	case err != nil:
		result.bad("money", err)
	case balance.Spendable == 0:
		result.bad("money", errors.New("the account has nothing to spend: an order locks money, also that of a seller (its bond)"))
	default:
		result.good("money", "%s to spend", s.money(p.setup.Market.Asset, balance.Spendable))
	}
	c.example(p, s, result)
	if err := config.CheckConsent(config.ConsentFile(c.path(a), c.Account), p.terms); err != nil {
		result.bad("limits", err)
	} else {
		result.good("limits", "confirmed")
	}
}

// example states the decision of the strategy for the next slot as far as it knows.
func (c *agentCheckCmd) example(p *prepared, s *session, result *agentCheck) {
	slot := types.Time(p.setup.Params.Slot)
	from := s.status.BlockTime - s.status.BlockTime%slot + 2*slot
	wish := p.setup.Strategy.Decide(&strategy.Situation{From: from, Until: from + slot, Now: s.status.BlockTime})
	for _, side := range []struct {
		name string
		want strategy.Want
		has  bool
	}{{"buying", wish.Buy, p.setup.Strategy.Buy != nil}, {"selling", wish.Sell, p.setup.Strategy.Sell != nil}} {
		switch {
		case !side.has:
		case side.want.Quantity == 0:
			result.good(side.name, "nothing yet: the strategy waits for values of meter, battery or prices")
		default:
			result.good(side.name, "for the slot at %s: %s at %s for a kWh or better", stamp(from), quantity(side.want.Quantity, types.UnitWattHour), side.want.Limit)
		}
	}
}
