package explore

import (
	"fmt"
	"slices"
	"strings"

	"lockstep/internal/game/board"
	"lockstep/internal/ledger"
	"lockstep/trade"
	"lockstep/types"
)

// orderExplorer goes through the states of a scene of orders, breadth first, as explorer does.
type orderExplorer struct {
	*orderRules
	nodes  []orderNode
	known  map[orderBook]bool
	trying *orderMove
	report Report
}

type orderNode struct {
	at     *board.Board
	book   orderBook
	parent int
	says   string
	tx     *types.Tx // nil: time passed
}

// orderMove is a transaction that is tried, with its effect by the protocol or the reason for which it is refused.
type orderMove struct {
	says string
	tx   *types.Tx
	next orderBook
	why  string
}

func exploreOrders(scene *Scene, limit int) (Report, error) {
	x, err := newOrderExplorer(scene)
	if err != nil {
		return Report{}, err
	}
	for n := 0; n < len(x.nodes) && x.report.Story == nil; n++ {
		if limit > 0 && n >= limit {
			x.report.States = n
			return x.report, nil
		}
		x.expand(n)
		x.nodes[n].at = nil // nobody goes back there
	}
	x.report.States, x.report.Whole = len(x.nodes), x.report.Story == nil
	return x.report, nil
}

func newOrderExplorer(scene *Scene) (*orderExplorer, error) {
	r := &orderRules{Scene: scene, seats: seats(), purses: [board.Parties]types.Amount{board.Producer: 1, board.Consumer: 2, board.Stranger: 5}}
	for i := range r.seats {
		most := types.Amount(0)
		for chosen := range r.seats[i].choices {
			most = max(most, r.stake(i, uint8(chosen+1)))
		}
		r.purses[r.seats[i].by] += most
	}
	deal := &scene.Deals[0]
	at := board.Blank()
	direct := deal.Agreement(at, board.Stranger, types.Deadlines{
		PayBy: lapseAt, DeliverBy: lapseAt.Add(2 * board.Window), ReadingBy: orderUntil.Add(board.Window), ConfirmBy: orderUntil.Add(2 * board.Window),
	}, 0)
	direct.Goods.From, direct.Goods.Until = orderFrom, orderUntil
	at, _, err := board.NewMarket(r.purses, marketWith(types.Grid{
		Lot: orderLot, Tick: 1, Ceiling: orderCeiling, Deposit: orderDeposit, Bond: orderBond, Fallback: direct.Fallback,
	}, types.Duration(orderFrom-opensAt), orderGate))
	if err != nil {
		return nil, err
	}
	r.agreement = direct
	r.product = types.Product{Commodity: direct.Goods.Commodity, Unit: direct.Goods.Unit, From: orderFrom, Until: orderUntil, Asset: direct.Asset}
	b := orderBook{now: at.Clock.Now(), block: at.Clock.BlockTime, coins: r.purses}
	x := &orderExplorer{orderRules: r, known: map[orderBook]bool{b: true}, report: Report{Scene: scene.Name}}
	x.nodes = []orderNode{{at: at, book: b, parent: -1}}
	return x, nil
}

// expand checks a state, tries everything in it, and lets time pass.
func (x *orderExplorer) expand(n int) {
	at, b := x.nodes[n].at, x.nodes[n].book
	x.trying = nil
	defer func() { // a rule that panics is a finding
		if r := recover(); r != nil {
			x.broken(n, x.trying, fmt.Sprintf("the ledger panics: %v", r))
		}
	}()
	if why := x.asInTheBook(at, &b); why != "" {
		x.broken(n, nil, why)
		return
	}
	moves := x.moves(n)
	x.refusals(n, moves)
	for _, m := range moves {
		if x.report.Story != nil {
			return
		}
		if m.why == "" {
			x.try(n, m)
		}
	}
	x.trying = nil
	x.passTime(n)
}

// moves are all orders, withdrawals and the agreement. Each state has transactions of its own, as a wallet makes them.
func (x *orderExplorer) moves(n int) (moves []*orderMove) {
	at, b := x.nodes[n].at, &x.nodes[n].book
	for i := range x.seats {
		s := &x.seats[i]
		for chosen := uint8(1); int(chosen) <= len(s.choices); chosen++ {
			c := s.choices[chosen-1]
			m := &orderMove{says: fmt.Sprintf("%s of %d lots at %s is placed", x.title(i), c.lots, c.limit), next: *b}
			m.why = x.place(&m.next, i, chosen)
			if m.tx = x.signed(n, &types.Place{Order: x.order(at, i, chosen)}, s.by, x.stake(i, chosen), x.stake(i, b.standing[i])); m.tx != nil {
				moves = append(moves, m)
			}
		}
		m := &orderMove{says: x.title(i) + " is withdrawn", next: *b}
		m.why = x.withdraw(&m.next, i)
		m.tx = x.signed(n, &types.Withdraw{Product: x.product.ID(), Owner: at.Keys[s.by], Number: s.number}, s.by, 0, x.stake(i, b.standing[i]))
		moves = append(moves, m)
	}
	m := &orderMove{says: "the producer and a stranger agree directly on the slot", next: *b}
	m.why = x.agree(&m.next)
	m.tx = x.signed(n, at.Agree(&x.agreement, board.Stranger), board.Stranger, 0, 0)
	return append(moves, m)
}

// order is the one of a choice.
func (x *orderExplorer) order(at *board.Board, seat int, chosen uint8) types.Order {
	s, c := &x.seats[seat], x.seats[seat].choices[chosen-1]
	order := orderOf(at, &x.product, s.side, s.by, s.number, c.lots, c.limit)
	if s.short {
		order.Expires = gateAt
	}
	return order
}

// signed makes a transaction of one action that locks a sum and gets another one back. It is nil if the party has too little.
func (x *orderExplorer) signed(n int, action types.Action, by board.Party, locks, back types.Amount) *types.Tx {
	at := x.nodes[n].at
	body := at.Body(action)
	body.ValidUntil -= types.Time(n)
	sum := back
	if locks > back {
		for _, coin := range at.Coins(by) {
			body.Spend(at.Keys[by], coin.Outpoint, coin.Amount)
			sum += coin.Amount
		}
	}
	if sum < locks {
		return nil
	}
	if sum > locks {
		body.Outputs = append(body.Outputs, at.Output(by, sum-locks))
	}
	return at.Signed(body, by)
}

// try makes a move that the protocol allows, and compares the ledger with the book.
func (x *orderExplorer) try(n int, m *orderMove) {
	x.trying = m
	state := x.nodes[n].at.Begin(0)
	if result := state.Execute(m.tx, true); result.Code != types.CodeOK {
		x.broken(n, m, "the ledger refuses it, but the protocol allows it: "+result.Detail)
		return
	}
	if state.Execute(m.tx, true).Code == types.CodeOK {
		x.broken(n, m, "the ledger does the same transaction twice in a block")
		return
	}
	next := x.nodes[n].at.After(state)
	if why := x.asInTheBook(next, &m.next); why != "" {
		x.broken(n, m, why)
		return
	}
	x.arrive(n, next, m.next, m.says, m.tx)
}

func (x *orderExplorer) arrive(from int, at *board.Board, b orderBook, says string, tx *types.Tx) {
	x.report.Transitions++
	if !x.known[b] {
		x.known[b] = true
		x.nodes = append(x.nodes, orderNode{at: at, book: b, parent: from, says: says, tx: tx})
	}
}

// refusals tries all that must be refused, one after the other in one block, and then looks whether that left a trace.
func (x *orderExplorer) refusals(n int, moves []*orderMove) {
	at, b := x.nodes[n].at, x.nodes[n].book
	hostile := x.attacks(n)
	for _, m := range moves {
		if m.why != "" {
			hostile = append(hostile, m)
			continue
		}
		signer, _ := at.Whose(m.tx.Signatures[0].Key)
		hostile = append(hostile,
			&orderMove{says: m.says + ", unsigned", tx: at.Signed(m.tx.Body), why: "it takes its owner's signature"},
			&orderMove{says: m.says + ", signed by the operator", tx: at.Signed(m.tx.Body, board.Operator), why: "it takes its owner's signature"},
			&orderMove{says: m.says + ", signed by the operator too", tx: at.Signed(m.tx.Body, signer, board.Operator), why: "it takes no other signature"})
	}
	for at := n; at > 0; at = x.nodes[at].parent {
		if tx := x.nodes[at].tx; tx != nil {
			hostile = append(hostile, &orderMove{says: "a transaction is sent again: " + x.nodes[at].says, tx: tx, why: "it was done already"})
		}
	}
	state := at.Begin(0)
	for _, m := range hostile {
		x.trying = m
		x.report.Refusals++
		if result := state.Execute(m.tx, true); result.Code == types.CodeOK {
			x.broken(n, m, "the ledger accepts it, but "+m.why)
			return
		}
	}
	if why := x.asInTheBook(at.After(state), &b); why != "" {
		x.broken(n, nil, "a refused transaction left a trace: "+why)
	}
}

// attacks are orders and withdrawals that the protocol forbids in every state.
func (x *orderExplorer) attacks(n int) (attacks []*orderMove) {
	at, b := x.nodes[n].at, &x.nodes[n].book
	hostile := func(says, why string, tx *types.Tx) {
		if tx != nil {
			attacks = append(attacks, &orderMove{says: says, tx: tx, why: why})
		}
	}
	for i := range x.seats {
		s := &x.seats[i]
		stake, back := x.stake(i, 1), x.stake(i, b.standing[i])
		if stake > back {
			hostile(x.title(i)+" is placed without its stake", "an order is money", x.signed(n, &types.Place{Order: x.order(at, i, 1)}, s.by, back, back))
		}
		hostile(x.title(i)+" is placed with a unit less", "an order is money", x.signed(n, &types.Place{Order: x.order(at, i, 1)}, s.by, stake-1, back))
		if back > 0 {
			out := &types.Withdraw{Product: x.product.ID(), Owner: at.Keys[s.by], Number: s.number}
			hostile(x.title(i)+" is withdrawn with a unit more", "money is conserved", x.signed(n, out, s.by, 0, back+1))
			hostile("a stranger withdraws "+x.title(i)+" for itself", "it is not its own", x.theft(n, out, back))
		}
		for _, spoil := range spoiltOrders(s) {
			order := x.order(at, i, 1)
			spoil.edit(&order)
			locks, _ := order.Stake()
			hostile(x.title(i)+" "+spoil.says, "it is not on the grid of its product, or not of its terms", x.signed(n, &types.Place{Order: order}, s.by, locks, back))
		}
	}
	return attacks
}

// theft is a withdrawal that a stranger signs, with the stake for itself.
func (x *orderExplorer) theft(n int, out types.Action, stake types.Amount) *types.Tx {
	at := x.nodes[n].at
	body := at.Body(out)
	body.Outputs = append(body.Outputs, at.Output(board.Arbiter, stake))
	return at.Signed(body, board.Arbiter)
}

type spoiltOrder struct {
	says string
	edit func(*types.Order)
}

// spoiltOrders are faults of an order. Its stake stays affordable.
func spoiltOrders(s *seat) []spoiltOrder {
	spoilt := []spoiltOrder{
		{"is of a lot and a part", func(o *types.Order) { o.Quantity--; o.MinFill = 1 }},
		{"names a smallest fill of a part of a lot", func(o *types.Order) { o.MinFill-- }},
		{"is for another lot", func(o *types.Order) { o.Lot = 1 }},
		{"locks a smaller bond", func(o *types.Order) { o.Bond-- }},
		{"locks a smaller deposit", func(o *types.Order) { o.Deposit-- }},
		{"runs out before the gate", func(o *types.Order) { o.Expires = gateAt - 1 }},
		{"has a number too high", func(o *types.Order) { o.Number = 2 }},
		{"is under arbiter terms", func(o *types.Order) { o.Fallback = &types.Arbiter{Key: board.Blank().Keys[board.Arbiter]} }},
		{"demands a record that is no level", func(o *types.Order) { o.MinRecord = 1 }},
	}
	if s.side == types.Sell {
		return append(spoilt,
			spoiltOrder{"is above the ceiling", func(o *types.Order) { o.Limit = orderCeiling + 1 }},
			spoiltOrder{"brings digests", func(o *types.Order) { o.Root = types.Hash{1} }})
	}
	return append(spoilt,
		spoiltOrder{"brings no digests", func(o *types.Order) { o.Root = types.Hash{} }},
		spoiltOrder{"names the producer's point", func(o *types.Order) { o.Flow = types.Flow{Point: types.PointID{1}, Direction: types.DirectionExport} }})
}

// passTime goes on to the next moment that matters, or through an outage that ends at a moment around the gate.
func (x *orderExplorer) passTime(n int) {
	at, b := x.nodes[n].at, x.nodes[n].book
	if b.held {
		return
	}
	for _, moment := range []types.Time{opensAt - 1, opensAt, lapseAt, lapseAt + 1, lastOutAt, lastOutAt + 1, gateAt, gateAt + 1} {
		if moment > b.block {
			x.pass(n, at.At(moment), "time passes")
			break
		}
	}
	last := orderFrom - types.Time(board.Window) // with time to deliver
	for _, end := range []types.Time{gateAt.Add(board.ClockCap), gateAt.Add(board.ClockCap + 1), last, last + 1} {
		if b.block >= opensAt && x.report.Story == nil {
			x.pass(n, at.After(at.Begin(end.Since(b.block))), "the chain stands still")
		}
	}
}

// pass lets time pass, and holds the auction once the gate is behind.
func (x *orderExplorer) pass(n int, at *board.Board, says string) {
	b := x.nodes[n].book
	b.now, b.block = at.Clock.Now(), at.Clock.BlockTime
	says += fmt.Sprintf(": block time is %s after the opening", b.block.Since(opensAt))
	b.agreed = b.agreed && b.now <= lapseAt
	why := ""
	if b.block > gateAt {
		out := x.clear(&b)
		says += fmt.Sprintf(", and the auction makes %d trades at %s", len(out.matches), out.price)
		why = x.asMatched(at, &b, &out)
	}
	m := &orderMove{says: says}
	if why == "" {
		why = x.asInTheBook(at, &b)
	}
	if why != "" {
		x.broken(n, m, why)
		return
	}
	x.arrive(n, at, b, says, nil)
}

// asInTheBook compares the ledger with the book: coins, orders and the sums of the audit.
func (x *orderExplorer) asInTheBook(at *board.Board, b *orderBook) string {
	var coins [board.Parties]types.Amount
	var spendable, locked types.Amount
	for _, holding := range at.Reader().Holdings() {
		if owner, known := at.Whose(holding.Key); known && holding.Trade == nil {
			coins[owner] += holding.Amount
		}
		if holding.Trade != nil {
			locked += holding.Amount
		}
	}
	for p := range board.Parties {
		if coins[p] != b.coins[p] {
			return fmt.Sprintf("%s should have %s and has %s", p, b.coins[p], coins[p])
		}
		spendable += coins[p]
	}
	for i := range x.seats {
		s := &x.seats[i]
		placed, stands := at.Reader().Order(x.product.ID(), at.Keys[s.by], s.number)
		if stands != (b.standing[i] != 0) || stands && placed.Order.Limit != x.limit(b, i) {
			return fmt.Sprintf("%s should stand: %t, it stands: %t", x.title(i), b.standing[i] != 0, stands)
		}
		locked += x.stake(i, b.standing[i])
	}
	sums, recomputed, err := ledger.Audit(at.View)
	switch {
	case err != nil:
		return "value is conserved: " + err.Error()
	case recomputed != at.Sum:
		return "the commitment is not that of the state"
	}
	if sum := sums[x.product.Asset]; sum.Spendable != spendable || sum.Issued != spendable+locked {
		return fmt.Sprintf("the audit counts %s spendable of %s, not %s of %s", sum.Spendable, sum.Issued, spendable, spendable+locked)
	}
	return ""
}

// asMatched compares the trades of the auction with its outcome, and each party's loss with its stakes. Then it lets them end.
func (x *orderExplorer) asMatched(at *board.Board, b *orderBook, out *outcome) string {
	trades := slices.DeleteFunc(slices.Collect(at.Reader().Trades()), func(t *types.Trade) bool { return t.Phase == types.PhaseAgreed })
	if len(trades) != len(out.matches) {
		return fmt.Sprintf("the auction should make %d trades and makes %d", len(out.matches), len(trades))
	}
	for _, m := range out.matches {
		i := slices.IndexFunc(trades, func(t *types.Trade) bool { return t.Agreement.Consumer == at.Keys[x.seats[m.seat].by] })
		if i < 0 {
			return "the auction should make a trade for " + x.title(m.seat)
		}
		if why := x.tradeAsMatched(trades[i], m, out, types.Duration(b.block-b.now)); why != "" {
			return why
		}
	}
	return x.freed(at, trades)
}

func (x *orderExplorer) tradeAsMatched(t *types.Trade, m match, out *outcome, skew types.Duration) string {
	a, lots := &t.Agreement, types.Amount(m.lots)
	clock := func(at types.Time) types.Time { return at - types.Time(skew) }
	want := types.Deadlines{PayBy: clock(out.begin), DeliverBy: clock(orderFrom), ReadingBy: orderUntil.Add(board.Window), ConfirmBy: orderUntil.Add(2 * board.Window)}
	phase := types.PhasePaid
	if x.metered() {
		phase = types.PhaseDelivered
	}
	held, second := types.Amount(0), types.PartDeposit
	if x.metered() {
		second = types.PartReturn
	}
	for _, part := range []struct {
		part types.Part
		sum  types.Amount
	}{{types.PartPayment, out.price * lots}, {second, orderDeposit * lots}, {types.PartBond, orderBond * lots}} {
		locked, _ := t.Find(part.part)
		if held += locked.Amount; locked.Amount != part.sum {
			return fmt.Sprintf("the %s of the trade with %s should be %s and is %s", part.part, x.seats[m.seat].by, part.sum, locked.Amount)
		}
	}
	switch {
	case a.Producer != board.Blank().Keys[board.Producer]:
		return "the trade is not of the producer's offer"
	case held != t.LockedSum():
		return "the trade has locked more than its match"
	case a.Goods.Quantity != orderLot*m.lots || t.Phase != phase || t.Digest != board.Secret(int(x.seats[m.seat].by)).Digest(1):
		return fmt.Sprintf("the trade with %s should be of %d Wh and %s, under the digest of its bid; it is of %d and %s",
			x.seats[m.seat].by, orderLot*m.lots, phase, a.Goods.Quantity, t.Phase)
	case a.Deadlines != want:
		return fmt.Sprintf("the deadlines of the trade should be %v and are %v", want, a.Deadlines)
	}
	return ""
}

// freed lets all trades end without a further step of a party: no reading comes under meter terms, and no delivery under the others. Then
// each has its purse back, but for the bonds, which are the consumers' under meter terms.
func (x *orderExplorer) freed(at *board.Board, trades []*types.Trade) string {
	end := orderFrom
	if x.metered() {
		end = orderUntil.Add(2 * board.Window)
	}
	later := at.At(end + 1)
	state := later.Begin(0)
	wealth := x.purses
	for _, t := range trades {
		buyer, _ := at.Whose(t.Agreement.Consumer)
		if !x.metered() {
			continue
		}
		wealth[buyer] += t.Agreement.Bond
		wealth[board.Producer] -= t.Agreement.Bond
		if result := state.Execute(types.NewSettle(at.Params.ChainID, t.ID()), true); result.Code != types.CodeOK {
			return "after confirm-by nobody can settle: " + result.Detail
		}
	}
	later.Append(state)
	var have [board.Parties]types.Amount
	for outpoint, holding := range later.Reader().Holdings() {
		key := holding.Key
		if holding.Trade != nil {
			_, part, _ := outpoint.Trade()
			owner, owned := trade.Owner(holding.Trade, part, later.Clock.Now())
			if !owned {
				return fmt.Sprintf("the %s of a match stays locked", part)
			}
			key = owner
		}
		owner, _ := at.Whose(key)
		have[owner] += holding.Amount
	}
	for p := range board.Parties {
		if have[p] != wealth[p] {
			return fmt.Sprintf("in the end %s should have %s and has %s", p, wealth[p], have[p])
		}
	}
	if _, _, err := ledger.Audit(later.View); err != nil {
		return "in the end value is not conserved: " + err.Error()
	}
	return ""
}

func (x *orderExplorer) broken(n int, m *orderMove, why string) {
	if x.report.Story != nil {
		return
	}
	story := &Story{Scene: x.Name, Broken: why}
	if m != nil {
		story.Lines = append(story.Lines, m.says)
	}
	for ; n > 0; n = x.nodes[n].parent {
		story.Lines = append([]string{x.nodes[n].says}, story.Lines...)
	}
	purses := []string{}
	for p := board.Producer; p <= board.Stranger; p++ {
		purses = append(purses, fmt.Sprintf("%s has %s", p, x.purses[p]))
	}
	story.Lines = append([]string{strings.Join(purses, ", ")}, story.Lines...)
	x.report.Story = story
}
