package agent

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"lockstep/trade"
	"lockstep/types"
)

// tradeJobs lists the moves of the household in its trades, as the trade machine allows them now.
func (s *State) tradeJobs(money *budget, effects *[]Effect) []job {
	var jobs []job
	v := s.View
	for i := range v.Trades {
		t := &v.Trades[i]
		if t.Unproved {
			continue
		}
		if !t.Believed {
			s.once(effects, "doubt "+t.ID.String(), 24*3600*1000, Notice{Kind: NoticeDoubt, Trade: t.ID, Needed: true})
			continue
		}
		var collected bool
		for _, move := range trade.Moves(&t.Trade, v.Clock) {
			if move.Who != s.Setup.Key && move.Role != string(trade.Anyone) && move.Role != string(trade.Both) {
				continue
			}
			act, until := s.jobOf(t, move, money, effects)
			if act == nil {
				continue
			}
			if _, collects := act.(Collect); collects {
				if collected {
					continue
				}
				collected = true
			}
			jobs = append(jobs, job{act, until})
		}
	}
	jobs = append(s.readings(), jobs...)
	slices.SortStableFunc(jobs, func(a, b job) int { return cmp.Compare(rank(a.act), rank(b.act)) })
	return jobs
}

// rank orders the acts of a transaction that is too small for all: those with deadlines first.
func rank(a Act) int {
	switch a.(type) {
	case Read:
		return 0
	case Release:
		return 1
	case Deliver:
		return 2
	case Pay:
		return 3
	case Settle:
		return 4
	case Divide, Collect, Gather, Withdraw, Cancel, Take, Place, Post:
	}
	return 5
}

// rule is a line of the agent's table: its act for a possible move of a trade, with the condition.
type rule struct {
	move trade.Move
	to   types.Phase // that the trade is in afterwards; zero: the same
	does string      // in words, for the diagram
	when string      // in words, for the diagram
	act  func(*State, *Trade, types.Move, *budget, *[]Effect) (Act, types.Time)
}

// rules is the agent's table of moves. The trade machine says which moves are possible; this table says which of them the agent
// makes. A move that it lacks is left to the owner.
func rules() []rule {
	collect := func(_ *State, t *Trade, _ types.Move, _ *budget, _ *[]Effect) (Act, types.Time) {
		return Collect{*t}, 0
	}
	return []rule{
		{trade.MovePay, types.PhasePaid, "pay", "allowed, within the limits, deliverable", (*State).payAgreed},
		{trade.MoveDeliver, types.PhaseDelivered, "deliver", "the payment is believed, before the slot", (*State).deliver},
		{trade.MoveRelease, types.PhaseReleased, "release", "the goods came", (*State).release},
		{trade.MoveRead, 0, "post readings", "the slot is over, the meter has signed", nil}, // by slot, see readings
		{trade.MoveSettle, types.PhaseSettled, "settle", "confirm-by has passed", (*State).settle},
		{trade.MoveSplit, types.PhaseSplit, "split", "the proposal is as good as the goods that came", (*State).split},
		{trade.MoveCollect, 0, "collect", "with the next transaction", collect},
		{trade.MoveTakeReturn, 0, "collect", "with the next transaction", collect},
		{trade.MoveRefund, 0, "collect the refund", "with the next transaction", collect},
		{trade.MoveTakeBond, 0, "collect the bond", "with the next transaction", collect},
	}
}

// jobOf returns the act of a possible move, and the last moment for it; nil if the household does not want it, or not yet.
func (s *State) jobOf(t *Trade, move types.Move, money *budget, effects *[]Effect) (Act, types.Time) {
	for _, r := range rules() {
		if r.move.String() == move.What && r.act != nil {
			return r.act(s, t, move, money, effects)
		}
	}
	return nil, 0
}

// payAgreed pays an agreement that the owner has signed (E1).
func (s *State) payAgreed(t *Trade, move types.Move, money *budget, _ *[]Effect) (Act, types.Time) {
	a := &t.Trade.Agreement
	if !s.Setup.Direct.Pay || !s.allowed(a.Fallback, a.Asset) || a.Asset != s.Setup.Market.Asset ||
		!trade.Deliverable(&t.Trade, s.View.Clock, s.View.BlockTime) || !money.spend(a.Price, a.Deposit) {
		return nil, 0
	}
	return Pay{*t}, move.Until
}

// split records a split that both have signed if it is at least as good for the household as the goods that came. A proposal that lacks the
// household's signature is signed by [State.signs].
func (s *State) split(t *Trade, move types.Move, _ *budget, _ *[]Effect) (Act, types.Time) {
	for _, split := range s.Splits {
		if s.Setup.Direct.Split && split.Trade == t.ID && split.Complete && s.fair(t, &split) {
			return Divide{*t, split}, move.Until
		}
	}
	return nil, 0
}

// signs lists the proposals that the household signs.
func (s *State) signs() (effects []Effect) {
	if !s.Setup.Direct.Split {
		return nil
	}
	for _, split := range s.Splits {
		t := s.View.find(split.Trade)
		if t != nil && t.Believed && !split.Signed && s.fair(t, &split) && trade.May(&t.Trade, trade.MoveSplit, s.View.Clock) == nil {
			effects = append(effects, Sign{*t, split})
		}
	}
	return effects
}

// fair reports whether a split gives the household the worth of the goods that came: a consumer pays for them alone, and a producer gives
// nothing up. Under meter terms the measure is the settlement by the readings.
func (s *State) fair(t *Trade, split *Split) bool {
	a, locked := &t.Trade.Agreement, t.Trade.LockedSum()
	if sum, ok := split.ToProducer.Add(split.ToConsumer); !ok || sum != locked {
		return false
	}
	bond, _ := t.Trade.Find(types.PartBond)
	payment, _ := t.Trade.Find(types.PartPayment)
	if a.Consumer == s.Setup.Key {
		due := trade.Due(a, max(s.came(t), t.Trade.Released)) - trade.Due(a, t.Trade.Released)
		if types.FallbackKind(a.Fallback) == "meter" {
			due = min(trade.ProducerShare(a, t.Trade.Released, t.Reading), locked)
		} else {
			due = due.Saturate(bond.Amount)
		}
		return split.ToConsumer >= locked-min(due, locked)
	}
	if types.FallbackKind(a.Fallback) == "meter" {
		return t.Trade.Phase == types.PhaseDelivered && trade.Passed(a.Deadlines.ReadingBy, s.View.Clock) &&
			split.ToProducer >= trade.ProducerShare(a, t.Trade.Released, t.Reading)
	}
	return split.ToProducer >= payment.Amount.Saturate(bond.Amount)
}

func (s *State) settle(t *Trade, _ types.Move, _ *budget, _ *[]Effect) (Act, types.Time) {
	if !s.settles(t) {
		return nil, 0
	}
	return Settle{*t}, 0
}

// allowed reports whether the limits name the terms and the asset.
func (s *State) allowed(terms types.Fallback, asset types.AssetID) bool {
	l := &s.Setup.Limits
	return terms != nil && slices.Contains(l.Terms, types.FallbackKind(terms)) && slices.Contains(l.Assets, asset)
}

// deliver commits to a delivery. Energy flows by itself in its slot; for other goods the owner says when.
func (s *State) deliver(t *Trade, move types.Move, money *budget, effects *[]Effect) (Act, types.Time) {
	a := &t.Trade.Agreement
	if !s.allowed(a.Fallback, a.Asset) || !trade.Deliverable(&t.Trade, s.View.Clock, s.View.BlockTime) {
		return nil, 0
	}
	until := move.Until
	if a.Goods.From != 0 {
		until = min(until, a.Goods.From)
	}
	if a.Goods.Commodity != types.CommodityEnergy && !s.Knows(Word{t.ID, true}) {
		s.askWord(t, effects)
		return nil, 0
	}
	staked, _ := t.Trade.Find(types.PartBond)
	bond := a.Bond - min(staked.Amount, a.Bond)
	if bond > 0 && a.Asset != s.Setup.Market.Asset || !money.spend(0, bond) {
		return nil, 0 // the sums of the limits are in the market's asset
	}
	return Deliver{*t}, until
}

// release shows the secret of the instalments whose goods came, and of no others.
func (s *State) release(t *Trade, move types.Move, _ *budget, effects *[]Effect) (Act, types.Time) {
	if k := s.came(t); k > t.Trade.Released {
		return Release{*t, k}, move.Until
	}
	a := &t.Trade.Agreement
	if types.FallbackKind(a.Fallback) != "meter" && s.View.BlockTime > a.Goods.Until {
		s.askWord(t, effects)
	}
	return nil, 0
}

func (s *State) askWord(t *Trade, effects *[]Effect) {
	status := trade.StatusAt(&t.Trade, s.View.Clock, t.Reading, s.Setup.Key)
	s.once(effects, "word "+t.ID.String()+status.Phase.String(), 24*3600*1000, Notice{Kind: NoticeWord, Trade: t.ID, Status: &status, Needed: true})
}

// Knows reports whether the agent has a word of its owner.
func (s *State) Knows(word Word) bool { return slices.Contains(s.Words, word) }

// came returns the number of instalments whose goods came. Under meter terms the readings on the ledger tell, and all of the
// goods must have come: a part is settled by its reading. Under other terms it is the owner's word or, by the configuration, the
// household's own meter.
func (s *State) came(t *Trade) uint16 {
	a := &t.Trade.Agreement
	if types.FallbackKind(a.Fallback) == "meter" {
		if t.Reading >= a.Goods.Quantity {
			return a.Instalments
		}
		return 0
	}
	if s.Knows(Word{t.ID, false}) {
		return 0
	}
	if s.Knows(Word{t.ID, true}) {
		return a.Instalments
	}
	if s.Setup.Evidence != ByMeter || a.Goods.Quantity == 0 || a.Goods.Commodity != types.CommodityEnergy || a.Goods.Until.Since(a.Goods.From) != s.Setup.Params.Slot {
		return 0
	}
	return trade.Flowed(a, s.metered(t))
}

// maxRemembered is the age of an agreement up to which a view has all trades of its slot.
const maxRemembered = types.Duration(3 * 24 * 3600 * 1000)

// metered returns the part of the energy counted by the household's own meter that is this trade's: all of its trades of the slot are
// served in the order of their agreements, also those that are over, so that no energy counts twice.
func (s *State) metered(t *Trade) uint64 {
	goods := &t.Trade.Agreement.Goods
	if begun, ok := Began(&t.Trade); !ok || begun.Add(maxRemembered) < s.View.Clock {
		return 0
	}
	i := slices.IndexFunc(s.Use, func(m measured) bool { return m.From == goods.From })
	if i < 0 {
		return 0
	}
	left := s.Use[i].Wh
	for j := range s.View.Spent {
		other := &s.View.Spent[j]
		if other.ID != t.ID && other.From < goods.Until && goods.From < other.Until && before(other, t) {
			left -= min(left, other.Quantity)
		}
	}
	return left
}

func before(other *Spent, t *Trade) bool {
	return cmp.Or(cmp.Compare(other.Height, t.Trade.Height), bytes.Compare(other.ID[:], t.ID[:])) < 0
}

// Began returns the moment of the agreement of a trade, by the ledger clock.
func Began(t *types.Trade) (types.Time, bool) {
	for _, kind := range []types.StepKind{types.StepAgreed, types.StepMatched} {
		if step, ok := t.Step(kind); ok {
			return step.At, true
		}
	}
	return 0, false
}

// settles reports whether the household settles a trade: the side that gains by it at once, the other one a slot later.
func (s *State) settles(t *Trade) bool {
	a := &t.Trade.Agreement
	gains := (a.Producer == s.Setup.Key) == (trade.ProducerShare(a, t.Trade.Released, t.Reading) > 0)
	return gains || trade.Passed(a.Deadlines.ConfirmBy.Add(s.Setup.Params.Slot), s.View.Clock)
}

// readings posts the records of each slot in which a trade still waits for them.
func (s *State) readings() []job {
	v := s.View
	var jobs []job
	for _, slot := range v.Slots {
		until, waits := types.Time(0), false
		for i := range v.Trades {
			t := &v.Trades[i]
			goods := &t.Trade.Agreement.Goods
			if goods.Flow != s.Setup.Flow || goods.From != slot.From || t.Trade.Agreement.Producer != s.Setup.Key {
				continue
			}
			for _, move := range trade.Moves(&t.Trade, v.Clock) {
				if move.What == trade.MoveRead.String() {
					waits = true
					if until == 0 || move.Until < until {
						until = move.Until
					}
				}
			}
		}
		if waits {
			jobs = append(jobs, s.read(&slot, until)...)
		}
	}
	return jobs
}

// read returns the act that posts the records of a slot. If the ledger has some of them, each of the others goes by itself, since one act
// with a known record is refused.
func (s *State) read(slot *Slot, until types.Time) []job {
	var records []types.HexBytes
	sum := types.Amount(0)
	for _, r := range s.Records {
		if r.Slot == slot.From && r.Quantity > 0 {
			records, sum = append(records, r.Bytes), sum.Saturate(types.Amount(r.Quantity))
		}
	}
	if uint64(sum) <= slot.Read {
		return nil
	}
	if slot.Read == 0 && len(records) <= types.MaxRecords {
		return []job{{Read{s.Setup.Flow, slot.From, records}, until}}
	}
	var jobs []job
	for _, record := range records {
		jobs = append(jobs, job{Read{s.Setup.Flow, slot.From, []types.HexBytes{record}}, until})
	}
	return jobs
}

// checkBelief is the least that any belief wants of a trade: that it is the one that its ID names, with the money locked that its phase needs.
func checkBelief(t *Trade) error {
	if t.Trade.ID() != t.ID {
		return fmt.Errorf("the node shows another trade as %s", t.ID)
	}
	switch t.Trade.Phase {
	case types.PhasePaid, types.PhaseDelivered:
		if !slices.Equal(t.Trade.Locked, trade.Locks(&t.Trade)) {
			return fmt.Errorf("trade %s can't have locked what the node shows", t.ID)
		}
	}
	return nil
}
