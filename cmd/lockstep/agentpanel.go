package main

import (
	"context"
	"maps"
	"slices"
	"time"

	"lockstep/internal/agent"
	strategy "lockstep/internal/agent/plan"
	"lockstep/internal/agent/runner"
	webpage "lockstep/internal/page"
	"lockstep/meter"
	"lockstep/meter/source"
	"lockstep/types"
)

// agentPanel shows an agent of this program on the page.
type agentPanel struct {
	context context.Context // of the program
	runner  *runner.Runner
	meter   *runner.Meter // nil without sources
	uses    string        // the meter's values of energy from and into the grid
	makes   string
	words   string // the folder of the owner's words on trades
	now     func() time.Time
}

// plannedSlots are the slots that the panel shows.
const plannedSlots = 4

// oldReading is the age from which on a value is not live.
const oldReading = 5 * time.Minute

// Pause implements [webpage.Agent].
func (p *agentPanel) Pause(paused bool) error {
	ctx, stop := context.WithTimeout(p.context, 2*time.Second)
	defer stop()
	return p.runner.Send(ctx, agent.Pause{On: paused})
}

// Say implements [webpage.Agent]. The word is kept on the disk first, so that an agent that is busy or starts anew finds it too.
func (p *agentPanel) Say(id types.TradeID, came bool) error {
	if err := runner.GiveWord(p.words, id, came); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(p.context, 2*time.Second)
	defer stop()
	_ = p.runner.Send(ctx, agent.Word{Trade: id, Came: came}) // else it reads the word with its next view
	return nil
}

// State implements [webpage.Agent].
func (p *agentPanel) State() webpage.AgentState {
	state, fault := p.runner.State()
	decimals := state.Setup.Market.Decimals
	shown := webpage.AgentState{
		Paused: state.Paused, Asset: state.Setup.Market.Asset, MayPay: state.Setup.Limits.PerDay, Paid: state.Agreed(), Trouble: troubleOf(&state, fault),
		Said: map[types.TradeID]bool{},
	}
	for _, word := range state.Words {
		shown.Said[word.Trade] = word.Came
	}
	for _, planned := range state.Plan(plannedSlots) {
		limit := strategy.Rate(planned.Limit, decimals)
		shown.Plan = append(shown.Plan, webpage.PlannedSlot{
			From: planned.From, Until: planned.Until, Side: planned.Side, Quantity: planned.Quantity, Limit: limit, Ordered: planned.Ordered,
		})
		if planned.Side == types.Bid && shown.BuyAt == nil {
			shown.BuyAt = &limit
		} else if planned.Side == types.Sell && shown.SellAt == nil {
			shown.SellAt = &limit
		}
	}
	if p.meter != nil {
		shown.Meters, shown.Power = p.live()
	}
	return shown
}

func troubleOf(state *agent.State, fault error) webpage.Trouble {
	switch {
	case fault != nil:
		return webpage.TroubleNode + ": " + webpage.Trouble(fault.Error())
	case state.View == nil:
		return webpage.TroubleUnseen
	case state.View.BlockTime < state.Standby:
		return webpage.TroubleStandby
	}
	return ""
}

// live returns the newest values, and the power that flows at the connection point if the meter measures power.
func (p *agentPanel) live() (values []webpage.MeterValue, power *webpage.Power) {
	latest := p.meter.Latest()
	for _, name := range slices.Sorted(maps.Keys(latest)) {
		r := latest[name]
		value := webpage.MeterValue{Name: name, At: types.Time(max(r.At, 0)), Watts: watts(&r, name == p.makes && name != p.uses)}
		if p.now().Sub(time.UnixMilli(r.At)) > oldReading {
			value.Trouble = webpage.TroubleSilent
		}
		values = append(values, value)
		if r.Measures != source.Power || value.Trouble != "" || name != p.uses && name != p.makes {
			continue
		}
		if power == nil {
			power = &webpage.Power{}
		}
		if power.At = max(power.At, value.At); value.Watts >= 0 {
			power.FromOutside += uint64(value.Watts)
		} else {
			power.ToOutside += uint64(-value.Watts)
		}
	}
	if power != nil {
		power.House = power.FromOutside - min(power.FromOutside, power.ToOutside)
	}
	return values, power
}

// watts is a power in whole watts, positive from the grid; zero for a value of energy.
func watts(r *source.Reading, export bool) int64 {
	if r.Measures != source.Power {
		return 0
	}
	sign, number := int64(1), r.Number
	if number.Sign() < 0 {
		sign, number = -1, number.Mul(minusOne())
	}
	whole, fits := number.Whole()
	if !fits || whole > 1<<40 {
		return 0
	}
	if export {
		sign = -sign
	}
	return sign * int64(whole)
}

func minusOne() meter.Decimal {
	d, err := meter.ParseDecimal("-1")
	if err != nil {
		panic("lockstep: -1 is a number: " + err.Error())
	}
	return d
}
