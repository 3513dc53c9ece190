package agent

import (
	"cmp"
	"slices"

	"lockstep/internal/agent/plan"
	"lockstep/trade"
	"lockstep/types"
)

// Bounds of the state and of a transaction.
const (
	maxActs    = 32   // in one transaction
	maxRecords = 8    // records of a transaction, in all acts
	maxMade    = 1024 // transactions remembered
	maxKept    = 4096 // records, words and told trades
)

// recordsKept is how long after its slot a record is kept that no open claim waits for.
const recordsKept = 7 * dayLong

// validity is the longest time for which a transaction of an agent can still get on the ledger: a restarted agent soon knows
// that none of an earlier run is on its way.
const validity = types.Duration(2 * 60 * 1000)

// Validity returns how long after block time a transaction of an agent is valid.
func Validity(params *types.Params) types.Duration {
	return min(validity, params.MaxValidity, max(params.Slot, params.MinWindow))
}

// Step is the whole agent: the next state, and the effects to carry out. It is pure. It never has more than one transaction on its way, and
// decides again with the first view that is at least as new as the end of that one.
func Step(s State, event Event) (State, []Effect) {
	switch e := event.(type) {
	case Seen:
		return s.see(e.View)
	case Metered:
		s.Use = s.Use.With(plan.Measured{From: e.From, Wh: e.Use}, s.Setup.Keep)
		s.Make = s.Make.With(plan.Measured{From: e.From, Wh: e.Make}, s.Setup.Keep)
	case Stored:
		s.Level = &e.Level
	case Priced:
		s.Curve = s.Curve.Join(e.Curve, s.now())
	case Signed:
		s.Records = s.withRecord(e.Record)
	case Word:
		s.Words = keep(append(slices.DeleteFunc(slices.Clone(s.Words), func(w Word) bool { return w.Trade == e.Trade }), e), maxKept)
	case Proposed:
		s.Splits = keep(append(slices.DeleteFunc(slices.Clone(s.Splits), func(old Split) bool { return old.File == e.Split.File }), e.Split), maxKept)
	case Pause:
		s.Paused = e.On
	case Outcome:
		return s.ended(e)
	}
	return s, nil
}

func (s *State) now() types.Time {
	if s.View == nil {
		return 0
	}
	return s.View.BlockTime
}

func (s *State) withRecord(r Record) []Record {
	if r.Slot.Add(recordsKept) < s.now() || slices.ContainsFunc(s.Records, func(old Record) bool { return old.Slot == r.Slot && slices.Equal(old.Bytes, r.Bytes) }) {
		return s.Records
	}
	next := append(slices.Clone(s.Records), r)
	slices.SortStableFunc(next, func(a, b Record) int { return cmp.Compare(a.Slot, b.Slot) })
	return keep(next, maxKept)
}

// keep returns the last n of a list.
func keep[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }

// ended takes the end of the transaction that was on its way.
func (s State) ended(o Outcome) (State, []Effect) {
	sent := s.Pending
	s.Pending = nil
	if o.Tx != (types.TxID{}) {
		s.Made = keep(append(slices.Clone(s.Made), o.Tx), maxMade)
	}
	if sent == nil {
		return s, nil
	}
	if o.Code == types.CodeOK {
		s.Height = max(s.Height, o.Height)
		if s.Most *= 2; s.Most > maxActs {
			s.Most = 0
		}
		return s, []Effect{Tell{Notice{Kind: NoticeDone, At: s.clock(), Detail: names(sent.Acts)}}}
	}
	s.Round = 0 // it is due again
	if o.Code == types.CodeInputMissing || o.Code == types.CodeUnavailable || o.Code == types.CodePending {
		return s, nil // the view was old: the next one tells
	}
	notice := Tell{Notice{Kind: NoticeRefused, At: s.clock(), Code: o.Code, Detail: names(sent.Acts) + ": " + o.Detail}}
	if len(sent.Acts) > 1 { // one of them is refused: the halves are tried
		s.Most = len(sent.Acts) / 2
		return s, []Effect{notice}
	}
	s.Most = 0 // this is the one
	for _, act := range sent.Acts {
		s.block(act.Name(), s.Setup.Params.Slot)
	}
	return s, []Effect{notice}
}

func names(acts []Act) string {
	text := ""
	for i, act := range acts {
		if i > 0 {
			text += "; "
		}
		text += act.Name()
	}
	return text
}

func (s *State) clock() types.Time {
	if s.View == nil {
		return 0
	}
	return s.View.Clock
}

// block keeps an act, or a notice, from being repeated for a while.
func (s *State) block(name string, span types.Duration) {
	s.Blocked = keep(append(slices.Clone(s.Blocked), Blocked{name, s.now().Add(span)}), maxKept)
}

func (s *State) blocked(name string) bool {
	return slices.ContainsFunc(s.Blocked, func(b Blocked) bool { return b.Act == name && b.Until > s.now() })
}

// once adds a notice unless it was given before within a span.
func (s *State) once(effects *[]Effect, name string, span types.Duration, n Notice) {
	if !s.blocked(name) {
		s.block(name, span)
		n.At = s.clock()
		*effects = append(*effects, Tell{n})
	}
}

// see takes a view and decides.
func (s State) see(v View) (State, []Effect) {
	if v.Height < s.Height || s.View != nil && v.Height < s.View.Height {
		return s, nil
	}
	first := s.View == nil
	s.View = &v
	if first {
		s.Graced = v.BlockTime.Add(Validity(&s.Setup.Params))
		if _, target := s.round(); s.Round == 0 {
			s.Round = target - types.Time(s.Setup.Params.Slot) // the next round comes at its time
		}
	}
	if v.BlockTime <= s.Graced {
		s.Grace = v.Height
	}
	s.Blocked = slices.DeleteFunc(slices.Clone(s.Blocked), func(b Blocked) bool { return b.Until <= v.BlockTime })
	s.Curve = s.Curve.Join(nil, v.BlockTime)
	s.tidy()
	s.remember()
	var effects []Effect
	s.tell(&effects)
	if s.Pending != nil {
		return s, effects
	}
	if s.twin() {
		s.Standby = v.BlockTime.Add(2 * s.Setup.Params.Slot)
		s.once(&effects, "twin", s.Setup.Params.Slot, Notice{Kind: NoticeTwin, Needed: true})
	}
	if v.BlockTime < s.Standby {
		return s, effects
	}
	return s.decide(effects)
}

// tidy drops records and words of the past.
func (s *State) tidy() {
	v := s.View
	s.Records = slices.DeleteFunc(slices.Clone(s.Records), func(r Record) bool {
		open := slices.ContainsFunc(v.Slots, func(slot Slot) bool { return slot.From == r.Slot })
		return !open && r.Slot.Add(recordsKept) < v.BlockTime
	})
	s.Splits = slices.DeleteFunc(slices.Clone(s.Splits), func(split Split) bool { return v.find(split.Trade) == nil })
	s.Words = slices.DeleteFunc(slices.Clone(s.Words), func(w Word) bool { return v.find(w.Trade) == nil })
}

// failuresKept is the number of slots for which a failure of the other side counts: a day of quarter-hours. Without an end, a market in which
// many demand a record would never recover from a bad hour.
const failuresKept = 96

// remember notes the trades in which the other side has broken its word, and forgets old ones.
func (s *State) remember() {
	failed := slices.DeleteFunc(slices.Clone(s.Failed), func(f Failure) bool {
		return f.At.Add(failuresKept*s.Setup.Params.Slot) < s.View.Clock
	})
	for i := range s.View.Trades {
		t := &s.View.Trades[i]
		if a := &t.Trade.Agreement; s.failed(t) && !slices.ContainsFunc(s.Failed, func(f Failure) bool { return f.ID == t.ID }) {
			failed = append(failed, Failure{t.ID, a.Consumer == s.Setup.Key, s.View.Clock})
		}
	}
	s.Failed = keep(failed, maxKept)
}

// failed reports whether the reading of a trade under meter terms is overdue and shows that the other side has broken its word.
func (s *State) failed(t *Trade) bool {
	a := &t.Trade.Agreement
	if t.Trade.Phase != types.PhaseDelivered || types.FallbackKind(a.Fallback) != "meter" || !trade.Passed(a.Deadlines.ReadingBy, s.View.Clock) {
		return false
	}
	if a.Consumer == s.Setup.Key {
		return t.Reading == 0
	}
	return t.Reading >= a.Goods.Quantity
}

// demands is the record that an order of a side demands of the other one.
func (s *State) demands(side types.Side) uint8 {
	failures := 0
	for _, f := range s.Failed {
		if f.Bought == (side == types.Bid) {
			failures++
		}
	}
	if failures < s.Setup.Market.MinRecordAfter {
		return 0
	}
	return s.Setup.Market.MinRecord
}

// Open reports whether a trade is among those that are not over.
func (v *View) Open(id types.TradeID) bool { return v.find(id) != nil }

func (v *View) find(id types.TradeID) *Trade {
	for i := range v.Trades {
		if v.Trades[i].ID == id {
			return &v.Trades[i]
		}
	}
	return nil
}

// tell reports the trades that reached another phase.
func (s *State) tell(effects *[]Effect) {
	v := s.View
	known := make([]Known, 0, len(v.Trades))
	for i := range v.Trades {
		t := &v.Trades[i]
		phase := trade.PhaseAt(&t.Trade, v.Clock)
		known = append(known, Known{t.ID, phase})
		if slices.Contains(s.Known, known[i]) {
			continue
		}
		status := trade.StatusAt(&t.Trade, v.Clock, t.Reading, s.Setup.Key)
		*effects = append(*effects, Tell{Notice{Kind: NoticeTrade, At: v.Clock, Trade: t.ID, Status: &status, Slot: t.Trade.Agreement.Goods.From}})
	}
	s.Known = known
}

// twin reports whether another agent of the same seed has done a step: an order of an agent's number, or a take with an agent's nonce, that
// this one did not make and that is too new to be of an earlier run.
func (s *State) twin() bool {
	for i := range s.View.Orders {
		o := &s.View.Orders[i]
		if s.ours(o.Order.Side, o.Order.Number) && o.Height > s.Grace && !slices.Contains(s.Made, o.Tx) {
			return true
		}
	}
	return false
}

// ours reports whether orders of a side have this number when they are an agent's: the highest ones, which people use last.
func (s *State) ours(side types.Side, number uint8) bool { return number == s.number(side) }

func (s *State) number(side types.Side) uint8 {
	last := max(s.Setup.Params.Market.KeyOrders, 1) - 1
	if side == types.Sell && last > 0 {
		return last - 1
	}
	return last
}

// job is an act with the last moment of the ledger clock for it; zero is any time. A job goes with the next round, or at once when
// the next round could be too late.
type job struct {
	act   Act
	until types.Time
}

// decide makes the transaction of all that is missing, if it is time for one.
func (s State) decide(effects []Effect) (State, []Effect) {
	v := s.View
	effects = append(effects, s.signs()...)
	round, target := s.round()
	money := s.budget()
	jobs := s.tradeJobs(&money, &effects)
	if !s.Paused {
		jobs = append(jobs, s.marketJobs(&money, &effects, target)...)
	}
	jobs = slices.DeleteFunc(jobs, func(j job) bool { return s.blocked(j.act.Name()) })
	soon := max(s.Setup.Params.Slot, s.Setup.Params.MinWindow)
	urgent := slices.ContainsFunc(jobs, func(j job) bool {
		return j.until != 0 && (j.until < v.Clock || j.until.Since(v.Clock) <= soon)
	})
	if len(jobs) == 0 {
		s.Most = 0
	}
	if round || urgent {
		s.Round = target
	}
	if len(jobs) == 0 || !round && !urgent && s.Most == 0 {
		return s, effects
	}
	if round && len(v.Small) > 0 {
		jobs = append(jobs, job{act: Gather{v.Small}})
	}
	acts := s.choose(jobs)
	if len(acts) == 0 {
		return s, effects
	}
	send := Transact{Acts: acts, Anchor: v.Anchor}
	s.Pending = &send
	return s, append(effects, send)
}

// choose takes the acts of the next transaction. An act that must not be done twice needs the anchor; without one, a coin is made of the purse.
func (s *State) choose(jobs []job) []Act {
	var acts []Act
	records := 0
	for _, j := range jobs {
		if exposed(j.act) && s.View.Anchor.Amount == 0 {
			if s.View.Purse.Amount > 0 && len(acts) == 0 {
				return []Act{Gather{[]types.Coin{s.View.Purse}}}
			}
			continue
		}
		if read, ok := j.act.(Read); ok {
			if records += len(read.Records); records > maxRecords && len(acts) > 0 {
				continue
			}
		}
		if acts = append(acts, j.act); len(acts) == s.Most || len(acts) == maxActs {
			break
		}
	}
	return acts
}

// round reports whether it is time for the round of a slot, and the first slot whose auction still takes orders. Rounds gather all that can
// wait into one transaction for each slot. They are before the last moment to withdraw orders, at a time of its own for each key. A
// round that was missed is made up for at once.
func (s *State) round() (bool, types.Time) {
	p := &s.Setup.Params
	now, slot := s.View.BlockTime, types.Time(p.Slot)
	target := now - now%slot + slot
	if p.Market.Opens > 0 {
		for i := 0; i < 1000 && s.product(target).Gate(p) < now.Add(p.MinWindow/3); i++ {
			target += slot
		}
	}
	missed := s.Round+slot < target
	return s.Round != target && (s.Eager || missed || now >= s.roundAt(target)), target
}

func (s *State) roundAt(target types.Time) types.Time {
	p, key := &s.Setup.Params, s.Setup.Key
	spread := types.Time(p.Slot / 4 * types.Duration(key[0]) / 256)
	last := target
	if p.Market.Opens > 0 {
		last = s.product(target).Withdrawable(p)
	}
	lead := types.Time(p.MinWindow) + spread
	return last - min(last, lead)
}

func (s *State) product(from types.Time) *types.Product {
	m := &s.Setup.Market
	return &types.Product{
		Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: m.Zone, From: from, Until: from.Add(s.Setup.Params.Slot), Asset: m.Asset,
	}
}
