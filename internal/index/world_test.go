package index_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"lockstep/internal/index"
	"lockstep/internal/ledger"
	"lockstep/internal/store"
	"lockstep/trade"
	"lockstep/types"
)

const second = types.Duration(1000)

// world is a ledger on disk whose parties act at random, within the rules and now and then against them.
type world struct {
	t      testing.TB
	params types.Params
	store  *store.Store
	time   types.Time
	random *rand.Rand
	nonce  uint64
}

var quiet = slog.New(slog.DiscardHandler)

// newWorld opens a ledger with slots of 20 seconds, so that many auctions fit a short story.
func newWorld(t testing.TB, seed uint64) *world {
	params := types.DefaultParams("test")
	params.ClockCap, params.MinWindow, params.Slot = second, 3*second, 20*second
	params.Market.Opens, params.Market.Gate, params.Market.Grids = 60*second, 6*second, grids()
	params.Market.Reading, params.Market.Confirm = 3*second, 3*second
	params.Operators = []types.PublicKey{publicKey("operator")}
	w := &world{t: t, params: params, time: 1_780_000_000_000, random: rand.New(rand.NewPCG(seed, 7))}
	var err error
	if w.store, err = store.Open(t.TempDir(), params, store.DefaultMemory, quiet); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	for n := range parties {
		w.block(w.tx([]string{"operator"},
			&types.Admit{Operator: publicKey("operator"), Member: types.Member{Key: party(n), Name: fmt.Sprint("Owner of meter ", n)}},
			&types.Enrol{Operator: publicKey("operator"), Owner: party(n), Meter: *gateway(n)}))
	}
	return w
}

// grids have each kind of terms: energy has an arbiter or, in the second asset, a meter; heat has hold terms, and larger lots.
func grids() []types.Grid {
	return []types.Grid{
		{Commodity: "heat", Lot: 5, Tick: 2, Ceiling: 2000, Deposit: 3, Bond: 7, Fallback: &types.Hold{}},
		{Asset: assetID(1), Lot: 1, Tick: 1, Ceiling: 1000, Deposit: 2, Bond: 5, Fallback: &types.Meter{}},
		{Lot: 1, Tick: 1, Ceiling: 1000, Deposit: 1, Bond: 1, Fallback: &types.Arbiter{Key: publicKey("judy")}},
	}
}

func publicKey(name string) types.PublicKey { return sha256.Sum256([]byte("a party called " + name)) }

const parties = 5

func party(n int) types.PublicKey { return publicKey(fmt.Sprint(n)) }

func asset(n int) types.Asset {
	return types.Asset{Issuer: publicKey("issuer"), Code: fmt.Sprintf("EUR%d", n), Decimals: 2}
}

func assetID(n int) types.AssetID { a := asset(n); return a.ID() }

func gateway(n int) *types.PointMeter {
	return &types.PointMeter{Form: types.FormNative, Key: ledger.NativeMeterKey(publicKey(fmt.Sprint("gateway ", n))), Export: []string{"01-00:02.08.00*FF"}}
}

func flow(n int) types.Flow {
	return types.Flow{Point: gateway(n).ID(), Direction: types.DirectionExport}
}

// treeDepth is the depth of the trees that bids bring: each of the party that places it.
const treeDepth = 4

func leafSecret(owner types.PublicKey, leaf uint16) types.Secret {
	return types.Secret(sha256.Sum256(fmt.Appendf(owner[:], "leaf %d", leaf)))
}

func digestTree(owner types.PublicKey) types.DigestTree {
	digests := make([]types.Hash, 1<<treeDepth)
	for leaf := range digests {
		digests[leaf] = leafSecret(owner, uint16(leaf)).Digest(1)
	}
	return types.NewDigestTree(digests)
}

func secret(id types.TradeID) types.Secret { return types.Secret(sha256.Sum256(id[:])) }

// tx is a transaction under the signatures of those named. The rules are told that signatures are good, so none is made.
func (w *world) tx(names []string, actions ...types.Action) *types.Tx {
	var keys []types.PublicKey
	for _, name := range names {
		keys = append(keys, publicKey(name))
	}
	return w.txBy(keys, actions...)
}

func (w *world) txBy(keys []types.PublicKey, actions ...types.Action) *types.Tx {
	w.nonce++
	return signed(types.Body{
		ChainID: w.params.ChainID, ValidUntil: w.time.Add(60 * second), Actions: actions, Memo: fmt.Sprint(w.nonce),
	}, keys...)
}

// agree records an agreement that both have signed, as far as the ledger looks here.
func (w *world) agree(agreement types.Agreement) *types.Tx {
	return w.txBy([]types.PublicKey{agreement.Producer}, &types.Agree{Agreement: agreement, Mandates: w.mandated(&agreement), Submitter: agreement.Producer})
}

// split divides a trade as both have signed it, as far as the ledger looks here.
func (w *world) split(trade *types.Trade, phase types.Phase, toProducer, toConsumer types.Amount) *types.Tx {
	agreement := &trade.Agreement
	return w.txBy([]types.PublicKey{agreement.Producer}, &types.Split{
		Trade: trade.ID(), Phase: phase, Released: trade.Released, ToProducer: toProducer, ToConsumer: toConsumer,
		Mandates: w.mandated(agreement), Submitter: agreement.Producer,
	})
}

func (w *world) mandated(a *types.Agreement) types.Mandates {
	return types.Mandates{ValidUntil: w.time.Add(60 * second), Producer: types.Signature{Key: a.Producer}, Consumer: types.Signature{Key: a.Consumer}}
}

func signed(body types.Body, keys ...types.PublicKey) *types.Tx {
	tx := types.NewTx(body)
	for _, key := range keys {
		tx = tx.WithSignature(types.Signature{Key: key})
	}
	return tx
}

// block commits a block a second after the last one.
func (w *world) block(txs ...*types.Tx) []ledger.Result { return w.blockAfter(second, txs...) }

func (w *world) blockAfter(gap types.Duration, txs ...*types.Tx) (results []ledger.Result) {
	w.t.Helper()
	w.time = w.time.Add(gap)
	state := ledger.New(w.store.StateReader(), w.params)
	state.Begin(w.store.Height()+1, w.time)
	var executed store.Executed
	for _, tx := range txs {
		result := state.Execute(tx, true)
		results = append(results, result)
		executed.Txs = append(executed.Txs, store.TxResult{ID: tx.ID(), Code: result.Code, Detail: result.Detail})
	}
	executed.Diff = state.Finish()
	staged, err := w.store.Stage(executed)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := staged.Commit(); err != nil {
		w.t.Fatal(err)
	}
	return results
}

// read gives a snapshot to a function.
func (w *world) read(look func(*store.IndexedSnapshot)) {
	w.t.Helper()
	snapshot, err := w.store.Snapshot()
	if err != nil {
		w.t.Fatal(err)
	}
	look(snapshot)
	if err := snapshot.Close(); err != nil {
		w.t.Error(err)
	}
}

// play makes some blocks of random actions; now and then the chain pauses.
func (w *world) play(blocks int, each func()) {
	w.t.Helper()
	for range blocks {
		var txs []*types.Tx
		w.read(func(s *store.IndexedSnapshot) {
			for range w.random.IntN(4) {
				txs = append(txs, w.newBusiness(s))
			}
			for trade := range s.Reader.Trades() { // in order of IDs
				if w.random.IntN(4) == 0 {
					if tx := w.next(trade, s.Clock().Now()); tx != nil {
						txs = append(txs, tx)
					}
				}
			}
		})
		gap := second
		if w.random.IntN(8) == 0 {
			gap = types.Duration(2+w.random.IntN(8)) * second
		}
		w.blockAfter(gap, txs...)
		if each != nil {
			each()
		}
	}
}

func (w *world) newBusiness(s *store.IndexedSnapshot) *types.Tx {
	if w.random.IntN(5) == 0 {
		for standing, err := range s.OffersAfter(types.OfferID{}) {
			if err != nil {
				w.t.Fatal(err)
			}
			return w.take(standing)
		}
		return w.post()
	}
	producer := w.random.IntN(parties)
	consumer := (producer + 1 + w.random.IntN(parties-1)) % parties
	if w.random.IntN(3) > 0 {
		order := w.order(producer)
		return w.place(order, types.Amount(w.random.IntN(20)/19)) // now and then the money does not add up
	}
	agreement := w.agreement(producer, consumer)
	return w.agree(agreement)
}

// post offers a film; take takes it, which agrees and pays at once.
func (w *world) post() *types.Tx {
	w.nonce++
	producer := w.random.IntN(parties)
	return w.txBy([]types.PublicKey{party(producer)}, &types.Post{Offer: types.Offer{
		ChainID: w.params.ChainID, Producer: party(producer), Goods: types.Goods{Commodity: "film", Unit: types.UnitItem, Quantity: 1},
		Asset: assetID(0), Price: types.Rate{Mantissa: 10}, Deposit: types.Rate{Mantissa: 1}, MinFill: 1, Instalments: 1, Fallback: &types.Hold{}, Nonce: w.nonce,
		Deadlines: types.Deadlines{PayBy: w.time.Add(10 * second), DeliverBy: w.time.Add(14 * second), ReadingBy: w.time.Add(18 * second), ConfirmBy: w.time.Add(22 * second)},
	}})
}

func (w *world) take(standing *types.StandingOffer) *types.Tx {
	consumer := party(w.random.IntN(parties))
	w.nonce++
	agreement, err := standing.Offer.Agreement(1, consumer, w.nonce)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.txBy([]types.PublicKey{publicKey("issuer"), consumer}, &types.Issue{Asset: asset(0), Amount: agreement.Price + agreement.Deposit},
		&types.Take{Offer: standing.Offer.ID(), Consumer: consumer, Quantity: 1, Nonce: w.nonce, Digest: secret(agreement.ID()).Digest(1)})
}

// issueFirst is the asset of an issue of nothing much, for it must be known.
func (w *world) issueFirst() {
	w.t.Helper()
	for n := range 2 {
		body := types.Body{ChainID: w.params.ChainID, ValidUntil: w.time.Add(60 * second), Actions: []types.Action{&types.Issue{Asset: asset(n), Amount: 1}},
			Outputs: []types.Output{{Asset: assetID(n), Amount: 1, Lock: types.ToKey(party(0))}}}
		for _, result := range w.block(signed(body, publicKey("issuer"))) {
			if result.Code != types.CodeOK {
				w.t.Fatal(result.Detail)
			}
		}
	}
}

func (w *world) product() types.Product {
	slot := types.Time(w.params.Slot)
	from := (w.time.Add(w.params.Market.Gate+2*second)/slot + 1 + types.Time(w.random.IntN(2))) * slot
	return types.Product{
		Commodity: []string{types.CommodityEnergy, "heat"}[w.random.IntN(4)/3], Unit: types.UnitWattHour, Zone: []string{"DE-BY", "DE-BW"}[w.random.IntN(2)],
		From: from, Until: from + slot, Asset: assetID(w.random.IntN(2)),
	}
}

func (w *world) order(owner int) types.Order {
	product := w.product()
	grid, _ := w.params.Grid(&product)
	order := types.Order{
		ChainID: w.params.ChainID, Owner: party(owner), Product: product, Side: types.Side(1 + w.random.IntN(2)), Number: uint8(w.random.IntN(3)),
		Quantity: grid.Lot * (1 + w.random.Uint64N(50)), Limit: grid.Tick * types.Amount(1+w.random.IntN(40)), MinFill: grid.Lot, Expires: types.MaxTime,
		Lot: grid.Lot, Deposit: grid.Deposit, Bond: grid.Bond, Fallback: grid.Fallback,
	}
	switch {
	case order.Side == types.Bid:
		order.Root, order.Depth = digestTree(order.Owner).Root(), treeDepth
	case grid.Metered():
		order.Flow = flow(owner)
	}
	if w.random.IntN(10) == 0 {
		order.Expires = order.Product.Gate(&w.params)
	}
	return order
}

// place places an order with a stake, and so much more, that the issuer issues for it.
func (w *world) place(order types.Order, more types.Amount) *types.Tx {
	stake, _ := order.Stake()
	issue := &types.Issue{Asset: asset(0), Amount: stake + more}
	if order.Product.Asset != assetID(0) {
		issue.Asset = asset(1)
	}
	return w.txBy([]types.PublicKey{publicKey("issuer"), order.Owner}, issue, &types.Place{Order: order})
}

func (w *world) agreement(producer, consumer int) types.Agreement {
	w.nonce++
	a := types.Agreement{
		ChainID: w.params.ChainID, Producer: party(producer), Consumer: party(consumer), Asset: assetID(w.random.IntN(2)),
		Goods: types.Goods{Commodity: "parcel", Unit: types.UnitItem, Quantity: 1},
		Price: types.Amount(3 + w.random.IntN(100)), Deposit: 2, Bond: types.Amount(w.random.IntN(3)), Instalments: uint16(1 + w.random.IntN(3)),
		Nonce: w.nonce, Fallback: &types.Hold{},
		Deadlines: types.Deadlines{
			PayBy: w.time.Add(4 * second), DeliverBy: w.time.Add(8 * second), ReadingBy: w.time.Add(12 * second), ConfirmBy: w.time.Add(16 * second),
		},
	}
	switch w.random.IntN(3) {
	case 0:
		a.Fallback = &types.Arbiter{Key: publicKey("judy")}
	case 1:
		product := w.product()
		product.Commodity = types.CommodityEnergy
		a.Fallback, a.Asset = &types.Meter{}, product.Asset
		a.Goods = product.Goods(5, flow(producer))
		a.Deadlines.ReadingBy, a.Deadlines.ConfirmBy = product.Until.Add(4*second), product.Until.Add(8*second)
	}
	return a
}

// next is a step of a trade, or nil when its parties let it be.
func (w *world) next(t *types.Trade, now types.Time) *types.Tx {
	agreement, id := &t.Agreement, t.ID()
	var money types.Asset
	for n := range 2 {
		if assetID(n) == agreement.Asset {
			money = asset(n)
		}
	}
	issuer := publicKey("issuer")
	locked := t.LockedSum()
	_, staked := t.Find(types.PartBond)
	_, leaf, matched := agreement.Match()
	switch phase := trade.PhaseAt(t, now); {
	case phase == types.PhaseAgreed:
		return w.txBy([]types.PublicKey{issuer, agreement.Consumer}, &types.Issue{Asset: money, Amount: agreement.Price + agreement.Deposit},
			&types.Pay{Trade: id, Digest: secret(id).Digest(int(agreement.Instalments))})
	case phase == types.PhasePaid && w.random.IntN(8) == 0, phase == types.PhaseDelivered && w.random.IntN(40) == 0:
		return w.split(t, phase, locked/3, locked-locked/3)
	case phase == types.PhasePaid && (agreement.Bond == 0 || staked):
		return w.txBy([]types.PublicKey{agreement.Producer}, &types.Deliver{Trade: id})
	case phase == types.PhasePaid:
		return w.txBy([]types.PublicKey{issuer, agreement.Producer}, &types.Issue{Asset: money, Amount: agreement.Bond}, &types.Deliver{Trade: id})
	case phase == types.PhaseDelivered && now > agreement.Deadlines.ConfirmBy && types.FallbackKind(agreement.Fallback) == "arbiter":
		return w.txBy([]types.PublicKey{publicKey("judy")}, &types.Award{Trade: id, ToProducer: locked})
	case phase == types.PhaseDelivered && now > agreement.Deadlines.ConfirmBy && types.FallbackKind(agreement.Fallback) == "meter":
		return signed(types.Body{ChainID: w.params.ChainID, Actions: []types.Action{&types.Settle{Trade: id}}})
	case phase == types.PhaseDelivered && matched && id[0]%2 == 0:
		return types.NewRelease(w.params.ChainID, types.Release{
			Trade: id, Instalment: 1, Preimage: leafSecret(agreement.Consumer, leaf), Path: digestTree(agreement.Consumer).Path(leaf),
		})
	case phase == types.PhaseDelivered && !matched && t.Released < agreement.Instalments && id[0]%2 == 0: // some consumers never release
		k := t.Released + 1 + uint16(w.random.IntN(int(agreement.Instalments-t.Released)))
		return types.NewRelease(w.params.ChainID, types.Release{
			Trade: id, Instalment: k, Preimage: types.Secret(secret(id).Digest(int(agreement.Instalments - k))),
		})
	case phase == types.PhaseReleased || phase == types.PhaseRefunded:
		return w.spend(t, now)
	}
	return nil
}

// spend takes one of the parts that a trade has freed.
func (w *world) spend(t *types.Trade, now types.Time) *types.Tx {
	part := t.Locked[w.random.IntN(len(t.Locked))]
	owner, _ := trade.Owner(t, part.Part, now)
	return signed(types.Body{
		ChainID: w.params.ChainID, ValidUntil: w.time.Add(60 * second), Inputs: []types.Outpoint{t.ID().Outpoint(part.Part)},
		Outputs: []types.Output{{Asset: t.Agreement.Asset, Amount: part.Amount, Lock: types.ToKey(owner)}},
	}, owner)
}

// source is a snapshot as the index reads it.
type source struct{ *store.IndexedSnapshot }

func (source) Base() uint64 { return 0 }

func (s source) Block(height uint64) (*index.Block, error) {
	block, err := s.IndexedSnapshot.Block(height)
	if block == nil || err != nil {
		return nil, err
	}
	outcomes, err := s.Outcomes(block)
	if err != nil {
		return nil, err
	}
	return &index.Block{
		Height: block.Height, BlockTime: block.BlockTime, Clock: block.Clock, Commitment: block.Commitment,
		Outcomes: outcomes, Cleared: block.Cleared(), Stories: block.Stored(),
	}, nil
}

func (s source) Trade(id types.TradeID) (*types.Trade, error) {
	record, err := s.IndexedSnapshot.Trade(id)
	if record == nil || err != nil {
		return nil, err
	}
	return record.Trade, nil
}

// failing is a source that fails at its n-th trade.
type failing struct {
	source
	left int
}

var errBroken = errors.New("the disk is broken")

func (f *failing) Trade(id types.TradeID) (*types.Trade, error) {
	if f.left--; f.left < 0 {
		return nil, errBroken
	}
	return f.source.Trade(id)
}

// trades are all that ever were, in the order in which they were recorded.
func (w *world) trades(s *store.IndexedSnapshot) iter.Seq[*types.Trade] {
	return func(yield func(*types.Trade) bool) {
		seen := map[types.TradeID]bool{}
		for event := range w.events(s) {
			if event.Trade == (types.TradeID{}) || seen[event.Trade] {
				continue
			}
			seen[event.Trade] = true
			record, err := s.Trade(event.Trade)
			if err != nil || record == nil {
				w.t.Fatalf("trade %s: %v", event.Trade, err)
			}
			if !yield(record.Trade) {
				return
			}
		}
	}
}

func (w *world) events(s *store.IndexedSnapshot) iter.Seq[types.Event] {
	return func(yield func(types.Event) bool) {
		for height := uint64(1); height <= s.Height(); height++ {
			block, err := s.Block(height)
			if err != nil {
				w.t.Fatal(err)
			}
			for _, event := range block.Events {
				if !yield(event) {
					return
				}
			}
		}
	}
}

// auctions are all that were held, in order.
func (w *world) auctions(s *store.IndexedSnapshot) (all []*types.Auction) {
	for event := range w.events(s) {
		if event.Kind != types.EventCleared {
			continue
		}
		auction, err := s.Auction(event.Product)
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, auction)
	}
	return all
}

// open opens an index of the world's ledger.
func (w *world) open(file string) *index.Index {
	w.t.Helper()
	var x *index.Index
	w.read(func(s *store.IndexedSnapshot) {
		var err error
		if x, err = index.Open(file, w.params.Hash(), source{s}, quiet); err != nil {
			w.t.Fatal(err)
		}
	})
	w.t.Cleanup(func() { closeIndex(w.t, x) })
	return x
}

func closeIndex(t testing.TB, x *index.Index) {
	t.Helper()
	if err := x.Close(); err != nil {
		t.Error(err)
	}
}

// follow brings an index up with the store.
func (w *world) follow(x *index.Index) {
	w.t.Helper()
	for blocks := 1; blocks > 0; {
		w.read(func(s *store.IndexedSnapshot) {
			var err error
			if blocks, err = x.Advance(w.t.Context(), source{s}); err != nil {
				w.t.Fatal(err)
			}
		})
	}
}

// followTo brings an index to a height in one batch, if it is not there yet; the trades are read as of now.
func (w *world) followTo(x *index.Index, height uint64) {
	w.t.Helper()
	w.read(func(s *store.IndexedSnapshot) {
		if _, err := x.Advance(w.t.Context(), &partly{source{s}, height}); err != nil {
			w.t.Fatal(err)
		}
	})
	if at, err := x.Position(w.t.Context()); err != nil || at.Height < height {
		w.t.Fatalf("it is at %d of %d: %v", at.Height, height, err)
	}
}

// partly is a source with the blocks up to a height.
type partly struct {
	source
	last uint64
}

func (*partly) Base() uint64 { return 0 }

func (p *partly) Block(height uint64) (*index.Block, error) {
	if height > p.last {
		return nil, nil
	}
	return p.source.Block(height)
}

// rebuilt is an index of the whole story that was made at once.
func (w *world) rebuilt() *index.Index {
	w.t.Helper()
	x := w.open(filepath.Join(w.t.TempDir(), "rebuilt.db"))
	w.follow(x)
	return x
}

func digest(t testing.TB, x *index.Index) types.Hash {
	t.Helper()
	sum, err := x.Digest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// pages reads a list page by page.
func pages[T any](t interface{ Fatalf(string, ...any) }, limit int, page func(index.Page) ([]T, string, error)) (all []T) {
	after := ""
	for {
		list, next, err := page(index.Page{After: after, Limit: limit})
		if err != nil {
			t.Fatalf("page after %q: %v", after, err)
		}
		all = append(all, list...)
		if next == "" {
			return all
		}
		if len(list) != limit || slices.Contains([]string{after}, next) {
			t.Fatalf("a page of %d that goes on has %d entries", limit, len(list))
		}
		after = next
	}
}
