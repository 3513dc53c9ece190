package sim

import (
	"fmt"

	"lockstep/client"
	"lockstep/internal/agent"
	"lockstep/internal/agent/plan"
	"lockstep/internal/agent/runner"
	"lockstep/internal/ledger"
	"lockstep/meter"
	"lockstep/types"
	"lockstep/wallet"
)

// member is a household of a town: an agent with its wallet, and its conduct.
type member struct {
	house
	account *client.Account
	runner  *runner.Runner
	told    int // slots whose energy the agent was told
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

// newMember gives a household its account on the ledger.
func (t *Town) newMember(h house, account *wallet.Account) (*member, error) {
	signer, err := t.ledger.Account(account)
	return &member{house: h, account: signer, steering: t.planned(&h.Household)}, err
}

// planned is the steering by the plan of the first day.
func (t *Town) planned(h *Household) steering {
	first := func(quarter int) int {
		for n, played := range t.played {
			if played >= quarter {
				return n
			}
		}
		return never
	}
	s := steering{defaultsFrom: never, withholdsFrom: never, bid: h.Tariff, ask: h.FeedIn}
	if h.DeliversUntil < faithful {
		s.defaultsFrom = first(h.DeliversUntil)
	}
	if h.ReleasesUntil < faithful {
		s.withholdsFrom = first(h.ReleasesUntil)
	}
	if h.Cloud.To > h.Cloud.From {
		s.cloud = Slots{first(h.Cloud.From), first(h.Cloud.To)}
	}
	return s
}

// steered reads the steering of a member.
func (t *Town) steered(m *member) steering {
	t.steering.Lock()
	defer t.steering.Unlock()
	return m.steering
}

// enrolled is the meter of a member, as the operator enrols it: the wallet signs its readings.
func (m *member) enrolled() types.PointMeter {
	return types.PointMeter{Form: types.FormNative, Key: ledger.NativeMeterKey(m.account.Wallet().Gateway()), Export: []string{register}}
}

// register counts the export into the grid.
const register = "01-00:02.08.00*FF"

// run gives a member its agent. The agent knows nothing of cheats: they are the acts that the member does not carry out, and the energy that it does
// not feed in.
func (t *Town) newRunner(m *member) *runner.Runner {
	const limit = types.MaxAmount / 4
	setup := &agent.Setup{
		Key: m.account.Key(), Params: t.params,
		Market: agent.Market{Zone: zone, Asset: t.money.ID(), Decimals: t.money.Decimals, MinRecord: DemandedRecord, MinRecordAfter: Patience},
		Limits: agent.Limits{PerDay: limit, Exposure: limit, Terms: []string{"meter"}, Assets: []types.AssetID{t.money.ID()}},
		Ahead:  2, Keep: t.params.Slot,
		Strategy: plan.Strategy{Buy: t.side(m, types.Bid)},
	}
	if m.Roof != NoRoof {
		enrolled := m.enrolled()
		setup.Flow = types.Flow{Point: enrolled.ID(), Direction: types.DirectionExport}
		setup.Strategy.Sell = t.side(m, types.Sell)
	}
	return runner.New(runner.Config{
		Setup: setup, Node: t.node, Signer: m.account, Log: t.options.Logger.With("household", m.Name), Every: t.options.Window / 8,
		Wants: func(act agent.Act) bool { return t.wants(m, act) },
	})
}

// side is the strategy of a member: its energy of each slot, at the limit that it has then.
func (t *Town) side(m *member, side types.Side) *plan.Side {
	const perUnit = 1_000_000 // billionths of the currency for a kWh in a smallest unit for a Wh
	return &plan.Side{
		Amount: func(s *plan.Situation) uint64 {
			if s.From < t.begin {
				return 0
			}
			surplus, need := m.foreseen(t.quarter(t.slotAt(s.From)))
			if side == types.Sell {
				return surplus
			}
			return need
		},
		Limit: func(*plan.Situation) (plan.Price, bool) {
			steering := t.steered(m)
			if side == types.Sell {
				return plan.Price(steering.ask * perUnit), true
			}
			return plan.Price(steering.bid * perUnit), true
		},
	}
}

// wants reports whether a member carries an act of its agent out. The meter of one that is driven by hand goes on by itself.
func (t *Town) wants(m *member, act agent.Act) bool {
	steering := t.steered(m)
	if steering.byHand {
		_, reads := act.(agent.Read)
		return reads
	}
	release, releases := act.(agent.Release)
	return !releases || t.slotAt(release.Trade.Trade.Agreement.Goods.From) < steering.withholdsFrom
}

// metered is the energy that a member feeds out in a slot, as its gateway measures it.
func (t *Town) metered(m *member, n int) uint64 {
	surplus, _ := m.foreseen(t.quarter(n))
	steering := t.steered(m)
	switch {
	case n >= steering.defaultsFrom:
		return 0
	case steering.cloud.has(n):
		return surplus * CloudPercent / 100
	}
	return surplus
}

// reading is a member's signed record of a slot.
func (t *Town) reading(m *member, n int) (agent.Signed, error) {
	obis, err := meter.ParseOBIS(register)
	if err != nil {
		return agent.Signed{}, err
	}
	wh, from := t.metered(m, n), t.slotBegin(n)
	record, err := m.account.Wallet().SignReading(meter.Native{
		Register: obis, Direction: meter.Export, From: int64(from), Until: int64(from.Add(t.params.Slot)), Page: uint64(n) + 1, Form: meter.FormQuantity, End: wh,
	})
	if err != nil {
		return agent.Signed{}, fmt.Errorf("%s signs a reading: %w", m.Name, err)
	}
	return agent.Signed{Record: agent.Record{Slot: from, Quantity: wh, Bytes: types.HexBytes(record.String())}}, nil
}
