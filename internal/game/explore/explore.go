package explore

import (
	"fmt"

	"lockstep/internal/game/board"
	"lockstep/types"
)

// Report is the result of an exploration.
type Report struct {
	Scene       string
	States      int    // different ones
	Transitions int    // steps from one to another, or back to one known
	Refusals    int    // transactions that the ledger had to refuse, and did
	Whole       bool   // every reachable state was seen; else the limit was reached
	Story       *Story // how a promise was broken; nil when none was
}

func (r Report) String() string {
	extent := ""
	if !r.Whole {
		extent = ", and there are more"
	}
	return fmt.Sprintf("%s: %d states, %d transitions, %d refusals%s", r.Scene, r.States, r.Transitions, r.Refusals, extent)
}

// Explore tries every move in every state of a scene, breadth first, up to a number of states; zero: all. It stops at the
// first broken promise, to which its story is then among the shortest ways. The same scene gives the same report.
func Explore(scene Scene, limit int) (Report, error) {
	if scene.Orders {
		return exploreOrders(&scene, limit)
	}
	x, err := newExplorer(scene)
	if err != nil {
		return Report{}, err
	}
	return x.explore(limit)
}

func (x *explorer) explore(limit int) (Report, error) {
	for n := 0; n < len(x.nodes) && x.report.Story == nil; n++ {
		if limit > 0 && n >= limit {
			x.report.States = n
			return x.report, nil
		}
		if err := x.expand(n); err != nil {
			return x.report, err
		}
		if x.believes != nil && x.report.Story == nil {
			if err := x.lie(n); err != nil {
				return x.report, err
			}
		}
		x.nodes[n].at = nil // nobody goes back there
	}
	x.report.States, x.report.Whole = len(x.nodes), x.report.Story == nil
	return x.report, nil
}

// node is a state that was reached, and how.
type node struct {
	at     *board.Board
	book   book
	parent int
	move   *move
	truths // for a lying node
}

type explorer struct {
	*rules
	setUp  []*types.Tx
	nodes  []node
	known  map[book]bool
	trying *move // the current move, to report if the ledger panics
	// believes is the rule by which a party believes a lying node; nil: no node lies.
	believes func(*Lie) bool
	report   Report
}

func newExplorer(scene Scene) (*explorer, error) {
	r := &rules{Scene: &scene, purses: scene.purses(), records: map[[2]uint64]types.HexBytes{}}
	at, setUp, err := board.NewMarket(r.purses, r.market())
	if err != nil {
		return nil, err
	}
	r.board = at
	if scene.Offered {
		r.offer = r.standingOffer(at)
	}
	for i := range scene.Deals {
		deal := &scene.Deals[i]
		if err := deal.Check(); err != nil {
			return nil, err
		}
		agreement := deal.Agreement(at, buyer(i), deal.deadlines(), uint64(i))
		if scene.Offered {
			taken, err := r.offer.Agreement(deal.Quantity, at.Keys[buyer(i)], uint64(i))
			if err != nil {
				return nil, err
			}
			agreement = *taken
		}
		if scene.Lot > 0 {
			if agreement, err = r.matchOf(i); err != nil {
				return nil, err
			}
		}
		r.agreements, r.ids = append(r.agreements, agreement), append(r.ids, agreement.ID())
		r.deadlines = append(r.deadlines, deal.deadlines())
	}
	x := &explorer{rules: r, setUp: setUp, known: map[book]bool{}, report: Report{Scene: scene.Name}}
	b := book{meter: -1, coins: r.purses}
	x.onTime(&b, at)
	if scene.Lot > 0 {
		at, b, err = x.auction(at, b)
	} else {
		at, b, err = x.open(at, b)
	}
	if err != nil {
		return nil, err
	}
	x.known[b] = true
	x.nodes = append(x.nodes, node{at: at, book: b, parent: -1})
	return x, nil
}

// open records the agreements of the scene's opening, those of one list in one block, and pays for them.
func (x *explorer) open(at *board.Board, b book) (*board.Board, book, error) {
	const agreeing, paying = 0, 1 // the first two of rules.steps
	do := func(which int, deals ...int) error {
		var steps []step
		for _, i := range deals {
			steps = append(steps, x.steps(&b, i)[which])
		}
		m := x.compose(at, &b, nil, steps...)
		next, err := at.Must(m.tx)
		if err != nil {
			return err
		}
		at, b = next, m.next
		x.setUp = append(x.setUp, m.tx)
		return nil
	}
	for _, together := range x.Opening {
		if err := do(agreeing, together...); err != nil {
			return nil, b, err
		}
	}
	for _, together := range x.Opening {
		for _, i := range together {
			if err := do(paying, i); err != nil {
				return nil, b, err
			}
		}
	}
	return at, b, nil
}

func (x *explorer) onTime(b *book, at *board.Board) {
	b.now, b.block, b.dust = at.Clock.Now(), at.Clock.BlockTime, at.Clock.Dust
	if b.offer == standing && b.now > x.offer.Deadlines.PayBy { // it has run out
		b.closeOffer()
	}
}

// expand checks a state and tries every move in it.
func (x *explorer) expand(n int) (err error) {
	at, b := x.nodes[n].at, x.nodes[n].book
	x.trying = nil
	defer func() { // a rule that panics is a finding
		if r := recover(); r != nil {
			x.broken(n, x.trying, fmt.Sprintf("the ledger panics: %v", r))
		}
	}()
	if x.Honest == "" { // the moves of honest parties are among those of all
		for _, guarantee := range []func(*board.Board, *book) string{x.asInTheBook, x.conserved, x.freed} {
			if why := guarantee(at, &b); why != "" {
				x.broken(n, nil, why)
				return nil
			}
		}
	}
	moves, err := x.moves(at, &b)
	if err != nil {
		return err
	}
	if x.Honest == "" {
		x.refusals(n, moves)
	}
	progress, done := map[int]string{}, newDone(at, x.ids)
	for _, m := range moves {
		if x.report.Story != nil {
			return nil
		}
		if m.verdict == refuse || !x.may(&b, m) {
			continue
		}
		x.trying = m
		made := x.try(n, m)
		if made {
			if why := done.add(m); why != "" {
				x.broken(n, m, why)
			}
		}
		if made && isProgress(m.kind) {
			if other := progress[m.trade]; other != "" && other != m.kind {
				x.broken(n, m, fmt.Sprintf("two moves share a window: %s and %s", other, m.kind))
			}
			progress[m.trade] = m.kind
		}
	}
	x.trying = nil
	if why := done.missing(&b); x.Honest == "" && why != "" {
		x.broken(n, nil, why)
	}
	x.passTime(n)
	return nil
}

// isProgress names the moves that take a trade on, and that one party, or anybody, can make alone.
func isProgress(kind string) bool {
	switch kind {
	case "pay", "deliver", "release", "settle", "award":
		return true
	}
	return false
}

// refusals tries, one after the other in one block, all that must be refused: and then looks whether that left a trace.
func (x *explorer) refusals(n int, moves []*move) {
	at, b := x.nodes[n].at, x.nodes[n].book
	hostile := x.attacks(at, &b)
	for _, m := range moves {
		switch {
		case m.verdict == refuse:
			hostile = append(hostile, m)
		case m.verdict == accept && m.tx != nil:
			hostile = append(hostile, x.forgeries(at, m)...)
		}
	}
	for _, tx := range x.history(n) {
		hostile = append(hostile, &move{
			says: "somebody sends a transaction again that was accepted before", tx: tx, why: "it was done already",
		})
	}
	state := at.Begin(0)
	for _, m := range hostile {
		x.trying = m
		x.report.Refusals++
		if result := state.Execute(m.tx, !m.invalid); result.Code == types.CodeOK {
			x.broken(n, m, "the ledger accepts it, but "+m.why)
			return
		}
	}
	if why := x.asInTheBook(at.After(state), &b); why != "" {
		x.broken(n, nil, "a refused transaction left a trace: "+why)
	}
}

// history is every transaction that led to a state.
func (x *explorer) history(n int) []*types.Tx {
	txs := append([]*types.Tx{}, x.setUp...)
	for ; n > 0; n = x.nodes[n].parent {
		if tx := x.nodes[n].move.tx; tx != nil {
			txs = append(txs, tx)
		}
	}
	return txs
}

// try makes a move that the protocol allows, and goes where it leads. It reports whether the ledger did it.
func (x *explorer) try(n int, m *move) bool {
	at := x.nodes[n].at
	if m.tx == nil {
		x.arrive(n, m, at, m.next)
		return false
	}
	state := at.Begin(0)
	result := state.Execute(m.tx, true)
	if result.Code != types.CodeOK {
		if m.verdict != either {
			x.broken(n, m, "the ledger refuses it, but the protocol allows it: "+result.Detail)
		}
		return false
	}
	if state.Execute(m.tx, true).Code == types.CodeOK {
		x.broken(n, m, "the ledger does the same transaction twice in a block")
		return true
	}
	next := at.After(state)
	if why := x.asInTheBook(next, &m.next); why != "" {
		x.broken(n, m, why)
		return true
	}
	x.arrive(n, m, next, m.next)
	return true
}

// arrive notes a state, if it is new.
func (x *explorer) arrive(from int, m *move, at *board.Board, b book) {
	x.report.Transitions++
	if x.known[b] {
		return
	}
	x.known[b] = true
	if why := x.kept(&b); why != "" {
		x.broken(from, m, why)
		return
	}
	x.nodes = append(x.nodes, node{at: at, book: b, parent: from, move: m})
}

// passTime goes on to the next moment that matters, or through an outage of the chain.
func (x *explorer) passTime(n int) {
	at, b := x.nodes[n].at, x.nodes[n].book
	for _, moment := range x.moments() {
		if moment <= b.now {
			continue
		}
		later := at.At(moment)
		gained := int64(later.Clock.Skew) - int64(at.Clock.Skew)
		if passed := int64(later.Clock.BlockTime - at.Clock.BlockTime); gained > 0 || -gained > passed/100+1 {
			x.broken(n, nil, fmt.Sprintf("in %dms without an outage the ledger clock came %dms nearer to block time", passed, -gained))
			return
		}
		x.pass(n, later, b, "time passes")
		break
	}
	if b.outages < x.Outages && b.now <= x.moments()[len(x.moments())-1] {
		b.outages++
		later := at.After(at.Begin(board.Outage))
		if counted := later.Clock.Now().Since(b.now); counted != board.ClockCap {
			x.broken(n, nil, fmt.Sprintf("the chain stood still for %s, and the ledger clock counts %s instead of its cap", board.Outage, counted))
			return
		}
		x.pass(n, later, b, "the chain stands still for longer than the clock cap")
	}
}

func (x *explorer) pass(n int, at *board.Board, b book, says string) {
	before := x.nodes[n].book
	x.onTime(&b, at)
	if x.neglects(&before, &b) {
		return
	}
	says += ": " + x.when(&b)
	if b.meter >= 0 || len(x.Read) == 0 || b.block < board.SlotMiddle {
		x.arriveLater(n, at, b, says)
		return
	}
	for _, index := range x.counts() {
		b.meter = index
		x.arriveLater(n, at, b, fmt.Sprintf("%s; the meter has counted %d Wh", says, x.Read[index]))
	}
}

func (x *explorer) arriveLater(n int, at *board.Board, b book, says string) {
	m := &move{says: says, next: b}
	if why := x.asInTheBook(at, &b); why != "" {
		x.broken(n, m, why)
		return
	}
	x.arrive(n, m, at, b)
}

// moves are all that anybody could try now, besides the [rules.attacks].
func (x *explorer) moves(at *board.Board, b *book) ([]*move, error) {
	var singles []step
	for i := range x.Deals {
		singles = append(singles, x.steps(b, i)...)
	}
	readings, err := x.readings(at, b)
	if err != nil {
		return nil, err
	}
	singles = append(append(singles, readings...), x.offerSteps()...)
	var moves []*move
	try := func(inputs []input, steps ...step) {
		if m := x.compose(at, b, inputs, steps...); m != nil {
			moves = append(moves, m)
		}
	}
	for _, s := range singles {
		try(nil, s)
	}
	parts := x.parts(at)
	if len(x.Deals) > 1 {
		parts = nil
		for i := range x.Deals {
			for _, by := range []board.Party{board.Producer, buyer(i)} {
				if all := x.owned(at, b, i, by); len(all) > 0 {
					try(all)
				}
			}
		}
	}
	for _, part := range parts {
		try([]input{part})
		for _, s := range singles {
			if x.Pairs {
				try([]input{part}, s)
			}
		}
	}
	for _, first := range singles {
		for _, second := range singles {
			if x.Pairs {
				try(nil, first, second)
			}
		}
	}
	return append(moves, x.offLedger(b)...), nil
}

// parts are the outputs of the trades, each as an input of every party that could want it.
func (x *explorer) parts(at *board.Board) (parts []input) {
	for i, id := range x.ids {
		trade, live := at.Reader().Trade(id)
		if !live {
			continue
		}
		for _, locked := range trade.Locked {
			for _, by := range []board.Party{board.Producer, board.Consumer, board.Stranger} {
				parts = append(parts, input{board.Coin{Outpoint: id.Outpoint(locked.Part), Amount: locked.Amount, By: by}, i, locked.Part})
			}
		}
	}
	return parts
}

// owned are the parts of a trade that a party can spend: where two trades multiply, it spends them at once.
func (x *explorer) owned(at *board.Board, b *book, i int, by board.Party) (owned []input) {
	for _, part := range x.parts(at) {
		if owner, ok := x.owner(b, i, part.part); ok && part.trade == i && part.By == by && owner == by {
			owned = append(owned, part)
		}
	}
	return owned
}
