package explore

import (
	"fmt"
	"slices"

	"lockstep/internal/game"
	"lockstep/internal/game/board"
	"lockstep/types"
)

// verdict is the required answer of the ledger to a transaction.
type verdict uint8

const (
	accept verdict = iota
	refuse
	either // the protocol leaves it open, and nothing hangs on it
)

// move is one thing that can be tried in a state: a transaction, or something that no ledger sees.
type move struct {
	says       string
	tx         *types.Tx     // nil when no ledger sees it
	by         []board.Party // whose signatures it bears
	mandates   []board.Party // whose mandates its actions bear
	next       book          // by the protocol, if the move changes it
	verdict    verdict
	why        string  // when it must be refused
	invalid    bool    // its signatures are by the right keys, but not valid
	kind       string  // of its only action, if it is that alone
	trade      int     // which the action is on
	instalment uint16  // of a release
	spends     []input // if it spends parts of trades and does nothing else
}

// step is an action with its effect by the protocol.
type step struct {
	says       string
	trade      int
	instalment uint16
	action     types.Action
	by         []board.Party
	mandates   []board.Party // the parties that must have signed the action itself
	debits     [board.Parties]types.Amount
	apply      func(b *book) string
	open       func(b *book) bool // whether it is refused doesn't matter any more; nil: it does
}

// compose makes a transaction of steps. It is nil when somebody has too little for it.
func (r *rules) compose(at *board.Board, b *book, inputs []input, steps ...step) *move {
	m := &move{next: *b}
	var debits [board.Parties]types.Amount
	body := at.Body()
	for _, s := range slices.Backward(steps) {
		m.says = s.says + joined(m.says)
	}
	for _, s := range steps {
		body.Actions = append(body.Actions, s.action)
		for p, debit := range s.debits {
			debits[p] += debit
		}
	}
	for _, in := range inputs {
		m.says = fmt.Sprintf("%s spends the %s of %s", in.By, in.part, r.title(in.trade)) + joined(m.says)
	}
	if !m.fund(at, &body, inputs, debits) {
		return nil
	}
	for _, s := range steps {
		for _, p := range s.by {
			m.by = add(m.by, p)
		}
		for _, p := range s.mandates {
			m.mandates = add(m.mandates, p)
		}
	}
	r.follow(m, inputs, steps)
	if len(steps) == 0 {
		m.spends = inputs
	}
	if len(steps) == 1 && len(inputs) == 0 {
		m.kind, m.trade, m.instalment = types.ActionKind(steps[0].action), steps[0].trade, steps[0].instalment
		if len(body.Inputs) == 0 && len(m.by) == 0 { // the unsigned form
			body.ValidUntil = 0
		}
	}
	m.tx = at.Signed(body, m.by...)
	return m
}

func joined(says string) string {
	if says == "" {
		return ""
	}
	return ", and in the same transaction " + says
}

// fund gives a body its inputs and outputs: a party with more to lock than its inputs bring adds all its coins,
// and gets the change back. It is false when a party has too little.
func (m *move) fund(at *board.Board, body *types.Body, inputs []input, debits [board.Parties]types.Amount) bool {
	var sums [board.Parties]types.Amount
	spend := func(in input) {
		body.Spend(at.Keys[in.By], in.Outpoint, in.Amount)
		sums[in.By] += in.Amount
		m.by = add(m.by, in.By)
	}
	for _, in := range inputs {
		spend(in)
	}
	for p, debit := range debits {
		if debit == 0 || debit <= sums[p] {
			continue
		}
		for _, coin := range at.Coins(board.Party(p)) {
			spend(input{Coin: coin})
		}
		if sums[p] < debit {
			return false
		}
	}
	for p, sum := range sums {
		if sum > debits[p] {
			body.Outputs = append(body.Outputs, at.Output(board.Party(p), sum-debits[p]))
		}
	}
	return true
}

// follow applies a transaction to the book: inputs first, then each step after the other.
func (r *rules) follow(m *move, inputs []input, steps []step) {
	for _, in := range inputs {
		if in.part == 0 {
			continue
		}
		if why := r.spend(&m.next, in.trade, in.part, in.By); why != "" {
			m.verdict, m.why = refuse, why
			return
		}
	}
	for _, s := range steps {
		if s.open != nil && s.open(&m.next) {
			m.verdict = either
		}
		if why := s.apply(&m.next); why != "" {
			m.verdict, m.why = refuse, why
			return
		}
	}
	if len(m.by) == 0 && len(steps) > 1 {
		m.verdict, m.why = refuse, "without a signature a transaction holds one release or one settlement"
	}
}

func add(all []board.Party, p board.Party) []board.Party {
	if slices.Contains(all, p) {
		return all
	}
	return append(all, p)
}

// input is an output that a transaction spends: a coin, or a part of a trade.
type input struct {
	board.Coin
	trade int
	part  types.Part // zero for a coin
}

// steps are all the actions that anybody could try on a trade.
func (r *rules) steps(b *book, i int) []step {
	deal, id, name, rank := &r.Deals[i], r.ids[i], r.title(i), r.nextRank(b)
	steps := []step{
		{
			says: fmt.Sprintf("a stranger submits that the producer and %s agree on %s", buyer(i), name), action: r.board.Agree(&r.agreements[i], board.Stranger),
			by: []board.Party{board.Stranger}, mandates: []board.Party{board.Producer, buyer(i)}, apply: func(b *book) string { return r.agree(b, i, rank) },
		},
		{
			says:   fmt.Sprintf("%s pays %s and a deposit of %s for %s", buyer(i), deal.Price, deal.Deposit, name),
			action: &types.Pay{Trade: id, Digest: board.Secret(i).Digest(int(deal.Instalments))}, by: []board.Party{buyer(i)},
			debits: debit(buyer(i), deal.Price+deal.Deposit), apply: func(b *book) string { return r.pay(b, i) },
		},
		{
			says: "the producer records the delivery of " + name, action: &types.Deliver{Trade: id}, by: []board.Party{board.Producer},
			debits: debit(board.Producer, r.bondToLock(b, i)), apply: func(b *book) string { return r.deliver(b, i) },
		},
	}
	if r.Offered {
		steps = append([]step{r.takeStep(i, deal.TotalQuantity(), rank), r.takeStep(i, 1, rank), r.takeStep(i, offered+1, rank)}, steps[2:]...)
	}
	for k := uint16(1); k <= deal.Instalments; k++ {
		steps = append(steps, r.releaseStep(i, k))
	}
	if deal.Fallback == game.Metered {
		steps = append(steps, r.settleStep(i))
	}
	steps = append(steps, r.shares(b, i)...)
	for n := range steps {
		steps[n].trade = i
	}
	return steps
}

// nextRank is the place in time of a block that records an agreement now.
func (r *rules) nextRank(b *book) uint8 {
	rank := uint8(1)
	for i := range r.Deals {
		rank = max(rank, b.trades[i].rank+1)
	}
	return rank
}

func debit(who board.Party, amount types.Amount) (debits [board.Parties]types.Amount) {
	debits[who] = amount
	return debits
}

func (r *rules) releaseStep(i int, k uint16) step {
	return step{
		says: fmt.Sprintf("the secret of instalment %d of %d of %s is shown", k, r.Deals[i].Instalments, r.title(i)), instalment: k,
		action: &types.Release{Trade: r.ids[i], Instalment: k, Preimage: r.preimage(i, k), Path: r.path(i)},
		apply:  func(b *book) string { return r.release(b, i, k, true) },
	}
}

func (r *rules) settleStep(i int) step {
	return step{
		says: "somebody settles " + r.title(i), action: &types.Settle{Trade: r.ids[i]},
		apply: func(b *book) string { return r.settle(b, i) },
	}
}

// shares are splits and awards: all to one, all to the other, odd halves.
func (r *rules) shares(b *book, i int) (steps []step) {
	sum := b.trades[i].sum()
	if sum == 0 {
		return nil
	}
	phase, released := r.phase(b, i), b.trades[i].released
	for n, toProducer := range []types.Amount{sum/2 + 1, sum, 0} {
		toConsumer := sum - toProducer
		says := fmt.Sprintf("%s to the producer and %s to %s", toProducer, toConsumer, buyer(i))
		steps = append(steps, step{
			says:   fmt.Sprintf("a stranger submits that both split %s: %s", r.title(i), says),
			action: r.signedSplit(b, i, toProducer, toConsumer, board.Stranger), by: []board.Party{board.Stranger}, mandates: []board.Party{board.Producer, buyer(i)},
			apply: func(b *book) string { return r.split(b, i, phase, released, toProducer, toConsumer) },
		})
		if r.Deals[i].Fallback == game.Arbitrated {
			steps = append(steps, step{
				says:   fmt.Sprintf("the arbiter awards of %s %s", r.title(i), says),
				action: &types.Award{Trade: r.ids[i], ToProducer: toProducer, ToConsumer: toConsumer}, by: []board.Party{board.Arbiter},
				apply: func(b *book) string { return r.award(b, i, toProducer, toConsumer) },
			})
		}
		if n == 0 && len(r.Deals) > 1 {
			break // enough to see, where two trades multiply
		}
	}
	return steps
}

// signedSplit divides a trade as it is now, by the mandates of its parties.
func (r *rules) signedSplit(b *book, i int, toProducer, toConsumer types.Amount, submitter board.Party) *types.Split {
	return &types.Split{
		Trade: r.ids[i], Phase: r.phase(b, i), Released: b.trades[i].released, ToProducer: toProducer, ToConsumer: toConsumer,
		Mandates: r.board.Mandates(board.Producer, buyer(i)), Submitter: r.board.Keys[submitter],
	}
}

// readings are the records of the meter that the producer can post. The meter tells the truth; a record of a slot that
// is not over is a signed forecast, which the ledger must refuse.
func (r *rules) readings(at *board.Board, b *book) ([]step, error) {
	if len(r.Read) == 0 {
		return nil, nil
	}
	counted := r.counted(b)
	intervals := []struct {
		says        string
		from, until types.Time
		quantity    uint64
		halves      []int
	}{
		{"the slot", board.SlotFrom, board.SlotUntil, counted[0] + counted[1], []int{0, 1}},
		{"the first half of the slot", board.SlotFrom, board.SlotMiddle, counted[0], []int{0}},
		{"the second half of the slot", board.SlotMiddle, board.SlotUntil, counted[1], []int{1}},
		{"more than the slot", board.SlotFrom, board.SlotUntil + 1, 99, nil},
	}
	if !r.Halves {
		intervals = append(intervals[:1], intervals[3])
	}
	var steps []step
	for page, s := range intervals {
		signed, err := r.record(s.from, s.until, uint64(page)+1, s.quantity)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step{
			says:   fmt.Sprintf("the producer posts what its meter signed of %s, %d Wh", s.says, s.quantity),
			action: &types.Reading{Flow: at.Flow(), From: board.SlotFrom, Records: []types.HexBytes{signed}}, by: []board.Party{board.Producer},
			apply: func(b *book) string { return r.read(b, s.halves, s.until) },
			open:  r.allOver,
		})
	}
	return steps, nil
}

// record returns the meter's signed record, made once.
func (r *rules) record(from, until types.Time, page, quantity uint64) (types.HexBytes, error) {
	key := [2]uint64{page, quantity}
	if known, ok := r.records[key]; ok {
		return known, nil
	}
	signed, err := board.Record(from, until, page, quantity)
	r.records[key] = signed
	return signed, err
}

// allOver says that no trade waits for a reading any more; the ledger may have forgotten the slot.
func (r *rules) allOver(b *book) bool {
	for i := range r.Deals {
		if b.trades[i].placed && !b.trades[i].over() {
			return false
		}
	}
	return true
}

func (r *rules) read(b *book, halves []int, until types.Time) string {
	waiting := false
	for i := range r.Deals {
		waiting = waiting || b.trades[i].placed && b.now <= r.deadlines[i].ReadingBy
	}
	switch {
	case !waiting:
		return "no delivered trade waits for a reading, or reading-by has passed"
	case halves == nil:
		return "it is not wholly inside the slot"
	case b.block < until:
		return "it is of the future"
	}
	for _, half := range halves {
		if b.readAt[half] != 0 {
			return "that time was read already"
		}
		b.readAt[half] = b.now
	}
	return ""
}

func (r *rules) title(i int) string {
	if len(r.Deals) == 1 {
		return "the trade"
	}
	return []string{"the first trade", "the second trade"}[i]
}

// preimage opens instalment k.
func (r *rules) preimage(i int, k uint16) types.Secret {
	return types.Secret(board.Secret(i).Digest(int(r.Deals[i].Instalments - k)))
}
