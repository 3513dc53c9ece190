package study

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"math/rand/v2"

	"lockstep/internal/agent"
	"lockstep/internal/agent/plan"
	"lockstep/internal/agent/runner"
	"lockstep/internal/ledger"
	"lockstep/meter"
	"lockstep/types"
	"lockstep/wallet"
)

// player is a household with its agent and its wallet.
type player struct {
	*house
	place   int
	account *wallet.Account
	setup   agent.Setup
	state   agent.State
	viewer  *runner.Viewer
	metered int // slots whose energy its agent was told
	sent    types.TxID
	waits   bool // for the end of a transaction
}

// zone is that of all goods.
const zone = "community"

// register counts the export into the grid.
const register = "01-00:02.08.00*FF"

// seedOf is the seed of a wallet, the same for the same name and the same seed of the scenario.
func seedOf(seed uint64, name string) (*wallet.Seed, [sha256.Size]byte, error) {
	entropy := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("a simulated "+name+" of seed "), seed))
	made, err := wallet.NewSeed(bytes.NewReader(entropy[:]), "")
	return made, sha256.Sum256(entropy[:]), err
}

// accountOf is the account of a wallet whose nonces can be repeated.
func accountOf(seed uint64, name string) (*wallet.Account, error) {
	made, chance, err := seedOf(seed, name)
	if err != nil {
		return nil, err
	}
	account, err := made.Account(0, wallet.DefaultLimits())
	if err != nil {
		return nil, err
	}
	return account.WithRandom(rand.NewChaCha8(chance)), nil
}

// newPlayer gives a household its wallet and its agent.
func (w *world) newPlayer(h *house, place int) (*player, error) {
	p := &player{house: h, place: place}
	var err error
	if p.account, err = accountOf(w.scenario.Seed, fmt.Sprintf("household %d", place)); err != nil {
		return nil, err
	}
	const limit = types.MaxAmount / 4
	p.setup = agent.Setup{
		Key: p.account.Key(), Params: w.chain.params, Market: agent.Market{Zone: zone, Asset: w.money.ID(), Decimals: w.money.Decimals},
		Limits: agent.Limits{PerDay: limit, Exposure: limit, Terms: []string{"meter"}, Assets: []types.AssetID{w.money.ID()}},
		Ahead:  1, Keep: 24 * 3600 * 1000,
		Strategy: plan.Strategy{Buy: w.side(h.need, h.tariff)},
	}
	p.setup.Market.MinRecord, p.setup.Market.MinRecordAfter = uint8(w.scenario.Records.Demand), w.scenario.Records.After
	if h.perDay > 0 {
		p.setup.Limits.PerDay = h.perDay
	}
	if h.roof {
		p.setup.Strategy.Sell = w.side(h.surplus, h.feedIn)
		p.setup.Flow = types.Flow{Point: new(p.gateway()).ID(), Direction: types.DirectionExport}
	}
	w.restart(p)
	return p, nil
}

// restart begins an agent anew: it learns all from the ledger.
func (w *world) restart(p *player) {
	p.state, p.waits, p.viewer = agent.State{Setup: &p.setup}, false, runner.NewViewer(&p.setup, w.chain, agent.NodeBelief{})
}

// gateway is the household's meter, as an operator enrols it.
func (p *player) gateway() types.PointMeter {
	return types.PointMeter{Form: types.FormNative, Key: ledger.NativeMeterKey(p.account.Gateway()), Export: []string{register}}
}

// side is the strategy of a household: its energy of each slot, at the price that it has elsewhere.
func (w *world) side(energy []uint64, limit uint64) *plan.Side {
	const perUnit = 1_000_000 // billionths of the currency for a kWh in a smallest unit for a Wh
	return &plan.Side{
		Limit: plan.FixedLimit(plan.Price(limit * perUnit)),
		Amount: func(s *plan.Situation) uint64 {
			if n, played := w.slotOf(s.From); played {
				return energy[n]
			}
			return 0
		},
	}
}

// look lets an agent look at the ledger, and returns the transaction that it makes, if any.
func (w *world) look(p *player) (*types.Tx, error) {
	if p.waits || p.offline && w.within(w.scenario.Offline.From, w.scenario.Offline.Until) {
		return nil, nil
	}
	if err := w.tellEnergy(p); err != nil {
		return nil, err
	}
	view, err := p.viewer.View(context.Background(), &w.now)
	if err != nil {
		return nil, err
	}
	send := p.event(agent.Seen{View: view})
	if send == nil {
		return nil, nil
	}
	send.Acts = p.honest(w, send.Acts)
	if len(send.Acts) == 0 {
		p.event(agent.Outcome{Code: types.CodePending, Detail: "the household does not want it"})
		return nil, nil
	}
	tx, err := w.sign(p, *send)
	if err != nil {
		p.event(agent.Outcome{Code: types.CodeInternal, Detail: err.Error()})
		w.failed(p, err)
		return nil, nil
	}
	p.sent, p.waits = tx.ID(), true
	return tx, nil
}

// event brings an event to the agent, and returns the transaction that it wants.
func (p *player) event(e agent.Event) (send *agent.Transact) {
	next, effects := agent.Step(p.state, e)
	p.state = next
	for _, effect := range effects {
		if t, ok := effect.(agent.Transact); ok {
			send = &t
		}
	}
	return send
}

// honest leaves out the acts that a household that breaks its word does not do.
func (p *player) honest(w *world, acts []agent.Act) (kept []agent.Act) {
	for _, act := range acts {
		if release, ok := act.(agent.Release); ok && w.slotAt(release.Trade.Trade.Agreement.Goods.From) >= p.withholdsFrom {
			continue
		}
		kept = append(kept, act)
	}
	return kept
}

// ended brings the end of its transaction to the agent.
func (p *player) ended(end *outcome) {
	p.waits = false
	if end.code != types.CodeOK {
		p.account.Forget(p.sent)
	}
	p.event(agent.Outcome{Tx: p.sent, Height: end.height, Code: end.code, Detail: end.detail})
}

// tellEnergy gives the agent the signed records of the slots that are over, unless the meter does not read.
func (w *world) tellEnergy(p *player) error {
	if !p.roof {
		return nil
	}
	for ; p.metered < w.over(); p.metered++ {
		n := p.metered
		from := w.product(n)
		if p.fed[n] == 0 || n >= p.defaultsFrom || n >= p.brokenFrom {
			continue
		}
		obis, err := meter.ParseOBIS(register)
		if err != nil {
			return err
		}
		record, err := p.account.SignReading(meter.Native{
			Register: obis, Direction: meter.Export, From: int64(from), Until: int64(from.Add(w.chain.params.Slot)),
			Page: uint64(n) + 1, Form: meter.FormQuantity, End: p.fed[n],
		})
		if err != nil {
			return err
		}
		p.event(agent.Signed{Record: agent.Record{Slot: from, Quantity: p.fed[n], Bytes: types.HexBytes(record.String())}})
	}
	return nil
}

// context is the state of the ledger for a signature.
func (w *world) context() wallet.Context {
	return wallet.Context{
		Params: w.chain.params, BlockTime: w.now.BlockTime, Clock: w.now.Clock, Validity: agent.Validity(&w.chain.params),
		Asset: func(id types.AssetID) (types.Asset, bool) { return w.money, id == w.money.ID() },
	}
}

// sign makes the transaction of some acts.
func (w *world) sign(p *player, t agent.Transact) (*types.Tx, error) {
	return runner.Sign(p.account, w.context(), t, func(draft *wallet.Draft) (*types.Tx, error) {
		err := draft.Fund(func(asset types.AssetID, sum types.Amount) iter.Seq2[types.Coin, error] {
			return w.chain.coins(p.account.Key(), asset, sum)
		})
		if err != nil {
			return nil, err
		}
		return draft.Sign()
	})
}
