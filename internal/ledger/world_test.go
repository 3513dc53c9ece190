package ledger_test

import (
	"slices"
	"testing"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/meter"
	"lockstep/types"
)

// world is a ledger in memory with parties that have names. Every block it makes is audited: value is conserved, trades
// and outputs agree, and the commitment that followed the changes equals the one recomputed from scratch.
type world struct {
	t      testing.TB
	params types.Params
	view   *ledger.Memory
	sum    ledger.Accumulator
	height uint64
	time   types.Time
	held   []*types.Auction
	leaves []ledger.Leaf // of all blocks
	began  []types.Event // of the begin of each block: what is due, and the auctions
	due    bool          // more are, as the last block says
	facts  ledger.Facts  // of each block; with validators, the block before has a commitment
	last   ledger.Diff
}

const (
	second = types.Duration(1000)
	start  = types.Time(1_779_999_300_000) // a slot begins here
)

func newWorld(t testing.TB) *world {
	params := types.DefaultParams("test")
	return &world{t: t, params: params, view: ledger.NewMemory(), time: start}
}

// mandate fills in the mandates of two named parties under a message, valid as long as the transactions of [world.body].
func (w *world) mandate(m *types.Mandates, message func(chainID string) []byte, producer, consumer string) {
	if m.ValidUntil == 0 {
		m.ValidUntil = w.time.Add(w.params.MaxValidity / 2)
	}
	m.Producer, m.Consumer = party.Signature(producer, message(w.params.ChainID)), party.Signature(consumer, message(w.params.ChainID))
}

// agree records an agreement by the mandates of the two named parties; the first submits it.
func (w *world) agree(agreement types.Agreement, producer, consumer string) *types.Tx {
	action := &types.Agree{Agreement: agreement, Submitter: party.Key(producer)}
	w.mandate(&action.Mandates, action.Message, producer, consumer)
	return party.Sign(w.body(action), producer)
}

// split divides a trade by the mandates of the two named parties; the first submits it. A phase left out is that of the trade.
func (w *world) split(split types.Split, producer, consumer string) *types.Tx {
	if trade, ok := w.reader().Trade(split.Trade); ok && split.Phase == 0 {
		split.Phase, split.Released = trade.Phase, trade.Released
	}
	split.Submitter = party.Key(producer)
	w.mandate(&split.Mandates, split.Message, producer, consumer)
	return party.Sign(w.body(&split), producer)
}

// body is a valid body with the given actions.
func (w *world) body(actions ...types.Action) types.Body {
	return types.Body{ChainID: w.params.ChainID, ValidUntil: w.time.Add(w.params.MaxValidity / 2), Actions: actions}
}

// try makes a block of transactions some time after the last one.
func (w *world) try(after types.Duration, txs ...*types.Tx) []ledger.Result {
	w.t.Helper()
	w.height++
	w.time = w.time.Add(after)
	state := ledger.New(w.view, w.params)
	facts := w.facts
	if len(facts.Validators) > 0 {
		facts.Last = types.Hash{byte(w.height >> 8), byte(w.height), 1}
	}
	state.Learn(facts)
	w.began = append(w.began, state.Begin(w.height, w.time)...)
	var results []ledger.Result
	for i, good := range types.VerifySignatures(txs...) {
		received, err := types.DecodeTx(txs[i].Bytes())
		if err != nil {
			w.t.Fatalf("a transaction of the test can't be decoded: %v", err)
		}
		results = append(results, state.Execute(received, good))
	}
	diff := state.Finish()
	w.withoutRefused(&diff, facts, txs, results)
	w.view.Apply(diff.Changes)
	w.sum.Apply(diff.Changes)
	w.last = diff
	w.held, w.due = append(w.held, diff.Auctions...), diff.Due
	for _, matched := range diff.Matched {
		if len(matched.Trades) == 0 {
			w.t.Fatalf("page %d of product %s has no trade", matched.Page, matched.Product)
		}
		auction := w.held[slices.IndexFunc(w.held, func(a *types.Auction) bool { return a.Product.ID() == matched.Product })]
		auction.Trades = append(auction.Trades, matched.Trades...)
	}
	w.audit()
	w.checkLeaves(&diff, txs, results)
	return results
}

// withoutRefused makes the block again without the transactions that it refused: the changes and their order are the same. A proposer leaves these
// out of its block, after it has tried them.
func (w *world) withoutRefused(diff *ledger.Diff, facts ledger.Facts, txs []*types.Tx, results []ledger.Result) {
	w.t.Helper()
	if !slices.ContainsFunc(results, func(r ledger.Result) bool { return r.Code != types.CodeOK }) {
		return
	}
	state := ledger.New(w.view, w.params)
	state.Learn(facts)
	state.Begin(w.height, w.time)
	for i, result := range results {
		if result.Code == types.CodeOK {
			state.Execute(txs[i], true)
		}
	}
	if again := state.Finish(); ledger.HashChanges(again.Changes) != ledger.HashChanges(diff.Changes) {
		w.t.Errorf("block %d has other changes, or in another order, than without the transactions that it refuses", w.height)
	}
}

// clone is the same world, going its own way from here.
func (w *world) clone() *world {
	clone := *w
	clone.view, clone.began = w.view.Clone(), slices.Clone(w.began)
	return &clone
}

func (w *world) audit() ledger.Sums {
	w.t.Helper()
	sums, recomputed, err := ledger.Audit(w.view)
	if err != nil {
		w.t.Fatal(err)
	}
	if recomputed != w.sum {
		w.t.Fatal("the commitment that followed the changes is not that of the state")
	}
	return sums
}

// must makes a block a second later and wants every transaction accepted.
func (w *world) must(txs ...*types.Tx) {
	w.t.Helper()
	for i, result := range w.try(second, txs...) {
		if result.Code != types.CodeOK {
			w.t.Fatalf("transaction %d: %s", i, result.Detail)
		}
	}
}

// wait lets time pass in blocks that are no further apart than the clock cap, so that the ledger clock keeps up.
func (w *world) wait(span types.Duration) {
	for span > 0 {
		step := min(span, w.params.ClockCap)
		w.try(step)
		span -= step
	}
}

// drain makes blocks, a millisecond apart, until nothing is left to the next one. It returns how many.
func (w *world) drain() (blocks int) {
	for ; w.due; blocks++ {
		w.try(1)
	}
	return blocks
}

func (w *world) reader() ledger.Reader { return ledger.Reader{View: w.view} }

func (w *world) clock() types.Time { return w.reader().Clock().Now() }

var euro = party.Euro()

// mint gives each named party one output of the amount and returns the outputs' addresses.
func (w *world) mint(amount types.Amount, names ...string) []types.Outpoint {
	w.t.Helper()
	tx := party.Issue(w.body(), amount, names...)
	w.must(tx)
	return outpoints(tx, len(names))
}

func outpoints(tx *types.Tx, n int) (all []types.Outpoint) {
	for i := range n {
		all = append(all, types.Outpoint{Tx: tx.ID(), Index: uint32(i)})
	}
	return all
}

// agreement is a sale of 1,000 Wh by peter to clara for 100 with a deposit of 10 and a bond of 5.
func (w *world) agreement() types.Agreement {
	return types.Agreement{
		ChainID: w.params.ChainID, Producer: party.Key("peter"), Consumer: party.Key("clara"),
		Goods: types.Goods{
			Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Quantity: 1000, Zone: "DE-BY",
			From: start.Add(900 * second), Until: start.Add(1800 * second),
		},
		Asset: euro.ID(), Price: 100, Deposit: 10, Bond: 5, Instalments: 1,
		Deadlines: w.deadlines(), Fallback: &types.Hold{}, Nonce: 7,
	}
}

func (w *world) deadlines() types.Deadlines {
	return types.Deadlines{
		PayBy: w.time.Add(60 * second), DeliverBy: w.time.Add(120 * second),
		ReadingBy: w.time.Add(180 * second), ConfirmBy: w.time.Add(240 * second),
	}
}

func (w *world) offer() types.Offer {
	a := w.agreement()
	return types.Offer{
		ChainID: a.ChainID, Producer: a.Producer, Goods: a.Goods, Asset: a.Asset,
		Price: types.Rate{Mantissa: 1, Exponent: 1}, Deposit: types.Rate{Mantissa: 1, Exponent: 2}, Bond: types.Rate{Mantissa: 5, Exponent: 3},
		MinFill: 100, Instalments: 1, Deadlines: a.Deadlines, Fallback: a.Fallback, Nonce: 1,
	}
}

// stage is a trade in some phase, with its secrets and keys.
type stage struct {
	*world
	agreement types.Agreement
	id        types.TradeID
	purse     []types.Outpoint // of peter, clara and mallory, 1,000 each, unspent
	clara     types.Outpoint   // clara's change after Pay
}

func (w *world) agreed(edit ...func(*types.Agreement)) *stage {
	w.t.Helper()
	s := &stage{world: w, purse: w.mint(1000, "peter", "clara", "mallory")}
	s.agreement = w.agreement()
	for _, e := range edit {
		e(&s.agreement)
	}
	s.id = s.agreement.ID()
	w.must(w.agree(s.agreement, "peter", "clara"))
	return s
}

func (s *stage) payTx() *types.Tx {
	body := s.body(&types.Pay{Trade: s.id, Digest: party.Secret("clara").Digest(int(s.agreement.Instalments))})
	body.Inputs = []types.Outpoint{s.purse[1]}
	body.Outputs = []types.Output{party.Output("clara", 1000-s.agreement.Price-s.agreement.Deposit)}
	return party.Sign(body, "clara")
}

func (w *world) paid(edit ...func(*types.Agreement)) *stage {
	w.t.Helper()
	s := w.agreed(edit...)
	pay := s.payTx()
	s.must(pay)
	s.clara = types.Outpoint{Tx: pay.ID()}
	return s
}

func (s *stage) deliverTx() *types.Tx {
	body := s.body(&types.Deliver{Trade: s.id})
	if s.agreement.Bond > 0 {
		body.Inputs = []types.Outpoint{s.purse[0]}
		body.Outputs = []types.Output{party.Output("peter", 1000-s.agreement.Bond)}
	}
	return party.Sign(body, "peter")
}

func (w *world) delivered(edit ...func(*types.Agreement)) *stage {
	w.t.Helper()
	s := w.paid(edit...)
	s.must(s.deliverTx())
	return s
}

// preimage opens instalment k.
func (s *stage) preimage(k uint16) types.Secret {
	return types.Secret(party.Secret("clara").Digest(int(s.agreement.Instalments - k)))
}

func (s *stage) releaseTx(k uint16) *types.Tx {
	return types.NewRelease(s.params.ChainID, types.Release{Trade: s.id, Instalment: k, Preimage: s.preimage(k)})
}

func (w *world) released(edit ...func(*types.Agreement)) *stage {
	w.t.Helper()
	s := w.delivered(edit...)
	s.must(s.releaseTx(s.agreement.Instalments))
	return s
}

// spendTx gives one part of the trade to somebody, signed by somebody.
func (s *stage) spendTx(part types.Part, to, by string) *types.Tx {
	s.t.Helper()
	trade, ok := s.reader().Trade(s.id)
	if !ok {
		s.t.Fatalf("the trade has left the state")
	}
	locked, ok := trade.Find(part)
	if !ok {
		s.t.Fatalf("the trade has no %s", part)
	}
	body := s.body()
	body.Inputs = []types.Outpoint{s.id.Outpoint(part)}
	body.Outputs = []types.Output{party.Output(to, locked.Amount)}
	return party.Sign(body, by)
}

// metered makes an agreement under meter terms on peter's gateway, for the slot that begins at From.
func metered(a *types.Agreement) {
	a.Fallback = &types.Meter{}
	a.Goods.Flow = flow()
	a.Deadlines.ReadingBy = a.Goods.Until.Add(60 * second)
	a.Deadlines.ConfirmBy = a.Goods.Until.Add(120 * second)
}

func arbitrated(a *types.Agreement) { a.Fallback = &types.Arbiter{Key: party.Key("judy")} }

const exportRegister = "01-00:02.08.00*FF"

// flow is the export of peter's connection point.
func flow() types.Flow {
	return types.Flow{Point: gateway().ID(), Direction: types.DirectionExport}
}

func gateway() *types.PointMeter {
	return &types.PointMeter{Form: types.FormNative, Key: ledger.NativeMeterKey(party.Key("gateway")), Export: []string{exportRegister}}
}

// newMeteredWorld has an operator that has admitted peter and enrolled his gateway.
func newMeteredWorld(t testing.TB) *world {
	w := newWorld(t)
	w.params.Operators = []types.PublicKey{party.Key("operator")}
	w.must(party.Sign(w.body(
		&types.Admit{Operator: party.Key("operator"), Member: types.Member{Key: party.Key("peter"), Name: "Peter"}},
		&types.Enrol{Operator: party.Key("operator"), Owner: party.Key("peter"), Meter: *gateway()},
	), "operator"))
	return w
}

// record is a record of peter's gateway: the exported quantity between two moments.
func record(t testing.TB, from, until types.Time, page, quantity uint64) types.HexBytes {
	return recordOf(t, types.TradeID{}, from, until, page, quantity)
}

// recordOf is a record that names the trade it is of.
func recordOf(t testing.TB, trade types.TradeID, from, until types.Time, page, quantity uint64) types.HexBytes {
	t.Helper()
	n := meter.Native{Direction: meter.Export, From: int64(from), Until: int64(until), Page: page, Form: meter.FormQuantity, End: quantity, TradeID: trade}
	return types.HexBytes(party.Record("gateway", exportRegister, n).String())
}

func (w *world) readTx(records ...types.HexBytes) *types.Tx {
	return w.readOf(w.agreement().Goods.From, records...)
}

// readOf posts records of peter's gateway for the slot that begins at a moment.
func (w *world) readOf(from types.Time, records ...types.HexBytes) *types.Tx {
	return party.Sign(w.body(&types.Reading{Flow: flow(), From: from, Records: records}), "peter")
}
