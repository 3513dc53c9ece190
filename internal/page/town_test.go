package page_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"lockstep/client"
	"lockstep/internal/node"
	"lockstep/internal/page"
	"lockstep/types"
	"lockstep/wallet"
)

const (
	minute     = types.Duration(60_000)
	passphrase = "seventeen lanterns over the harbour"
	whole      = 1_000_000 // smallest units of a euro
)

// town is a ledger of a real node with some members.
type town struct {
	t       testing.TB
	node    *node.Node
	api     *client.Client
	euro    types.Asset
	members map[string]*client.Account
	stop    func()
	dir     string
	address string
}

// seedOf returns the seed of a member, the same in each run.
func seedOf(t testing.TB, name string) *wallet.Seed {
	t.Helper()
	entropy := sha256.Sum256([]byte("the seed of " + name))
	seed, err := wallet.NewSeed(bytes.NewReader(entropy[:]), "")
	if err != nil {
		t.Fatal(err)
	}
	return seed
}

// newTown makes a ledger whose clock may miss short deadlines, with euros that it recognises.
func newTown(t testing.TB, change ...func(*types.Params)) *town {
	t.Helper()
	w := newTownWith(t, change...)
	w.do("Town", func(d *wallet.Draft) error {
		var errs []error
		for _, name := range []string{"Loom", "Cedar", "Hazel", "Birch"} {
			errs = append(errs, d.Send(w.members[name].Key(), w.euro.ID(), 20*whole))
		}
		return errors.Join(errs...)
	})
	return w
}

// newMembersTown is one on which only members make entries, and nobody is a member yet.
func newMembersTown(t testing.TB) *town {
	t.Helper()
	return newTownWith(t, func(p *types.Params) { p.Entries = p.Entries.OfMembers() })
}

func newTownWith(t testing.TB, change ...func(*types.Params)) *town {
	t.Helper()
	w := &town{t: t, members: map[string]*client.Account{}, dir: filepath.Join(t.TempDir(), "node"), address: "127.0.0.1:0"}
	account := func(name string) *wallet.Account {
		account, err := seedOf(t, name).Account(0, wallet.Limits{AllowNoBond: true, MaxDeposit: 100 * wallet.Whole})
		if err != nil {
			t.Fatal(err)
		}
		return account
	}
	w.euro = types.Asset{Issuer: account("Town").Key(), Code: "EUR", Decimals: 6}
	params := types.DefaultParams("town")
	params.ClockCap, params.MinWindow = 100, 300
	params.Market.Grids[0].Fallback = &types.Hold{} // no house of the town has a meter
	params.Operators = []types.PublicKey{account("Operator").Key()}
	params.Genesis = []types.GenesisAsset{{Asset: w.euro, Least: 1, Supply: 1_000_000 * whole}}
	for _, one := range change {
		one(&params)
	}
	if err := node.Init(w.dir, node.InitOptions{Params: params}); err != nil {
		t.Fatal(err)
	}
	w.start()
	for _, name := range []string{"Town", "Operator", "Loom", "Cedar", "Hazel", "Birch"} {
		member, err := w.api.Account(t.Context(), account(name))
		if err != nil {
			t.Fatal(err)
		}
		w.members[name] = member
	}
	return w
}

// start runs the node until stop is called.
func (w *town) start() {
	w.t.Helper()
	n, err := node.Open(node.Config{Dir: w.dir, API: w.address, Version: "test"}, slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	w.node, w.address = n, n.APIAddress()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	stopped := false
	w.stop = func() {
		w.t.Helper()
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := errors.Join(<-done, n.Close()); err != nil {
			w.t.Error(err)
		}
	}
	w.t.Cleanup(w.stop)
	if w.api, err = client.New("http://"+w.address, client.WithToken(n.Token())); err != nil {
		w.t.Fatal(err)
	}
	for {
		if status, err := w.api.Status(w.t.Context()); err == nil && status.Height > 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// do makes one transaction of a member.
func (w *town) do(name string, steps ...func(*wallet.Draft) error) {
	w.t.Helper()
	if _, err := w.members[name].Do(w.t.Context(), steps...); err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
}

// clock is the ledger clock.
func (w *town) clock() types.Time {
	w.t.Helper()
	status, err := w.api.Status(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return status.Clock
}

// pass waits until the ledger clock is past a moment.
func (w *town) pass(at types.Time) {
	w.t.Helper()
	for w.clock() <= at {
		time.Sleep(20 * time.Millisecond)
	}
}

// terms are those of a direct trade of the tests.
type terms struct {
	goods    types.Goods
	price    types.Amount
	bond     types.Amount
	fallback types.Fallback
	payBy    types.Duration // from now on; the other deadlines follow after 30 minutes each
	deliver  types.Duration
	parts    uint16
}

// energy are goods of a quarter-hour that begins some minutes from now.
func (w *town) energy(quantity uint64, in types.Duration) types.Goods {
	slot := types.Duration(15 * 60_000)
	from := types.Time(uint64(w.clock().Add(in*minute)) / uint64(slot) * uint64(slot))
	return types.Goods{
		Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Quantity: quantity, Zone: "town", From: from, Until: from.Add(slot),
	}
}

func juice() types.Goods {
	return types.Goods{Commodity: "apple juice", Unit: types.UnitItem, Quantity: 1, Note: "one crate, pressed on Monday"}
}

// agree records an agreement of two members.
func (w *town) agree(producer, consumer string, of terms) (types.TradeID, types.Agreement) {
	w.t.Helper()
	now := w.clock()
	if of.payBy == 0 {
		of.payBy = 20 * minute
	}
	if of.deliver == 0 {
		of.deliver = 30 * minute
	}
	agreement := types.Agreement{
		Producer: w.members[producer].Key(), Consumer: w.members[consumer].Key(), Goods: of.goods, Asset: w.euro.ID(), Price: of.price,
		Deposit: of.price / 20, Bond: of.bond, Instalments: max(1, of.parts), Fallback: of.fallback,
		Deadlines: types.Deadlines{PayBy: now.Add(of.payBy), DeliverBy: now.Add(of.payBy + of.deliver)},
	}
	agreement.Deadlines.ReadingBy = agreement.Deadlines.DeliverBy.Add(300)
	if of.goods.Until != 0 {
		agreement.Deadlines.ReadingBy = max(agreement.Deadlines.ReadingBy, of.goods.Until.Add(20*minute))
	}
	agreement.Deadlines.ConfirmBy = agreement.Deadlines.ReadingBy.Add(300)
	if of.deliver >= minute {
		agreement.Deadlines.ConfirmBy = agreement.Deadlines.ReadingBy.Add(60 * minute)
	}
	return w.record(producer, consumer, agreement), agreement
}

// record signs an agreement by both sides and puts it on the ledger.
func (w *town) record(producer, consumer string, agreement types.Agreement) types.TradeID {
	w.t.Helper()
	agreement.Producer, agreement.Consumer, agreement.Asset = w.members[producer].Key(), w.members[consumer].Key(), w.euro.ID()
	ctx := w.t.Context()
	known, err := w.members[producer].Context(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	proposal, err := w.members[producer].Wallet().Propose(known, agreement)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, name := range []string{producer, consumer} {
		if proposal, err = w.members[name].Wallet().SignProposal(known, proposal, nil); err != nil {
			w.t.Fatal(err)
		}
	}
	w.do(producer, func(d *wallet.Draft) error { return d.Record(proposal, nil) })
	return proposal.Trade()
}

func (w *town) trade(id types.TradeID) *types.Trade {
	w.t.Helper()
	t, err := w.api.Trade(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return &t.Trade
}

func (w *town) pay(name string, id types.TradeID) {
	w.t.Helper()
	w.do(name, func(d *wallet.Draft) error { return d.Pay(id, w.trade(id)) })
}

func (w *town) deliver(name string, id types.TradeID) {
	w.t.Helper()
	w.do(name, func(d *wallet.Draft) error { return d.Deliver(id, w.trade(id)) })
}

func (w *town) release(name string, id types.TradeID, k uint16) {
	w.t.Helper()
	if _, err := w.members[name].Release(w.t.Context(), id, k); err != nil {
		w.t.Fatal(err)
	}
}

// split divides a trade as both sign.
func (w *town) split(producer, consumer string, id types.TradeID, toProducer types.Amount) {
	w.t.Helper()
	t := w.trade(id)
	all := t.LockedSum()
	known, err := w.members[producer].Context(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	proposal, err := w.members[producer].Wallet().ProposeSplit(known, id, t, toProducer, all-toProducer)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, name := range []string{producer, consumer} {
		if proposal, err = w.members[name].Wallet().SignProposal(known, proposal, t); err != nil {
			w.t.Fatal(err)
		}
	}
	w.do(producer, func(d *wallet.Draft) error { return d.Record(proposal, t) })
}

// phases makes a trade in each phase that a direct trade can have, between Cedar and Loom.
func (w *town) phases() map[string]types.TradeID {
	w.t.Helper()
	ids := map[string]types.TradeID{}
	hold, arbiter := &types.Hold{}, &types.Arbiter{Key: w.members["Hazel"].Key()}
	begin := func(name string, of terms) types.TradeID {
		id, _ := w.agree("Cedar", "Loom", of)
		ids[name] = id
		return id
	}
	const price, bond = 61_072, 3_054
	short := terms{goods: juice(), price: price, bond: bond, fallback: hold, payBy: 4_000, deliver: 300}
	lapsed := begin("lapsed", short)
	long := terms{goods: w.energy(352, 60), price: price, bond: bond, fallback: hold}
	w.pay("Loom", begin("paid", long))
	long.fallback = arbiter
	id := begin("delivered", long)
	w.pay("Loom", id)
	w.deliver("Cedar", id)
	long.goods, long.fallback = juice(), hold
	id = begin("released", long)
	w.pay("Loom", id)
	w.deliver("Cedar", id)
	w.release("Loom", id, 1)
	long.price = 400_000
	id = begin("split", long)
	w.pay("Loom", id)
	w.deliver("Cedar", id)
	w.split("Cedar", "Loom", id, 200_000)
	refundable := terms{goods: juice(), price: price, bond: bond, fallback: hold, payBy: 8_000, deliver: 300}
	id = begin("refunded", refundable)
	w.pay("Loom", id)
	w.pass(w.trade(id).Agreement.Deadlines.DeliverBy)
	long.parts, long.price = 4, 1_000_000
	id = begin("partly", long)
	w.pay("Loom", id)
	w.deliver("Cedar", id)
	w.release("Loom", id, 2)
	begin("agreed", terms{goods: w.energy(1400, 60), price: 240_000, bond: 12_000, fallback: hold})
	w.pass(w.trade(lapsed).Agreement.Deadlines.PayBy)
	return ids
}

// memberPage serves the page of a member, and returns its server with an address that begins a session.
func (w *town) memberPage(name string) (server *httptest.Server, enter string) {
	w.t.Helper()
	file := filepath.Join(w.t.TempDir(), name+".age")
	opened, err := wallet.Restore(file, seedOf(w.t, name).Words(), passphrase, wallet.Options{Work: 10, Quick: true})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.serve(page.Config{Member: &page.Member{File: file, Unlocked: opened}})
}

// serve serves a page of the town.
func (w *town) serve(config page.Config) (server *httptest.Server, enter string) {
	w.t.Helper()
	config.Node, config.Logger = w.api, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	p, err := page.New(config)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go p.Run(ctx)
	server = httptest.NewServer(p)
	w.t.Cleanup(func() {
		cancel()
		server.CloseClientConnections()
		server.Close()
		p.Close()
	})
	return server, server.URL + p.Enter()
}

// admit makes the named parties members of the ledger.
func (w *town) admit(names ...string) {
	w.t.Helper()
	w.do("Operator", func(d *wallet.Draft) error {
		for _, name := range names {
			d.Admit(types.Member{Key: w.members[name].Key(), Name: name})
		}
		return nil
	})
}

func pageOf(limit int) client.Page { return client.Page{Limit: limit} }

func juiceByLitre() types.Goods {
	return types.Goods{Commodity: "apple juice", Unit: "litre", Quantity: 10}
}

// post posts an offer in the town's euros.
func (w *town) post(name string, goods types.Goods, price uint64) (id types.OfferID) {
	w.t.Helper()
	now := w.clock()
	w.do(name, func(d *wallet.Draft) (err error) {
		id, err = d.Post(types.Offer{
			Asset: w.euro.ID(), Goods: goods, Price: types.Rate{Mantissa: price}, Deposit: types.Rate{Mantissa: price / 10}, Bond: types.Rate{Mantissa: price / 10},
			MinFill: 1, Instalments: 1, Fallback: &types.Hold{},
			Deadlines: types.Deadlines{PayBy: now.Add(20 * minute), DeliverBy: now.Add(40 * minute), ReadingBy: now.Add(60 * minute), ConfirmBy: now.Add(80 * minute)},
		}, false)
		return err
	})
	return id
}

// book opens an auction with orders of several members, and returns its product.
func (w *town) book() types.ProductID {
	w.t.Helper()
	product := w.productIn(20 * minute)

	for _, order := range []struct {
		name     string
		side     types.Side
		quantity uint64
		limit    uint64 // for a watt-hour
	}{{"Loom", types.Bid, 283, 310}, {"Hazel", types.Bid, 450, 256}, {"Birch", types.Bid, 562, 180}, {"Cedar", types.Sell, 663, 96}, {"Town", types.Sell, 400, 240}} {
		w.do(order.name, func(d *wallet.Draft) error {
			_, err := d.Place(types.Order{Product: product, Side: order.side, Quantity: order.quantity, Limit: types.Amount(order.limit)}, nil)
			return err
		})
	}
	return product.ID()
}

// quickMarket makes an auction every few seconds, of slots as short.
func quickMarket(params *types.Params) {
	const second = types.Duration(1000)
	params.Slot, params.Market.Gate, params.Market.Opens = 4*second, second, 3600*second
}

// auctions holds some auctions on a ledger with a quick market, and returns the product of the last of them.
func (w *town) auctions(n int) (last types.ProductID) {
	w.t.Helper()
	params, err := w.api.Params(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	status, err := w.api.Status(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	slot := types.Time(params.Slot)
	from := (status.BlockTime/slot + 3) * slot
	gate := types.Time(0)
	for i := range n {
		product := types.Product{Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: "town", From: from, Until: from.Add(params.Slot), Asset: w.euro.ID()}
		for _, order := range []struct {
			name            string
			side            types.Side
			quantity, limit uint64
		}{{"Loom", types.Bid, 283, 310}, {"Hazel", types.Bid, 450, 250 + 10*uint64(i)}, {"Cedar", types.Sell, 500, 90}, {"Birch", types.Sell, 150, 240}} {
			w.do(order.name, func(d *wallet.Draft) error {
				_, err := d.Place(types.Order{Product: product, Side: order.side, Quantity: order.quantity, Limit: types.Amount(order.limit)}, nil)
				return err
			})
		}
		last, gate, from = product.ID(), product.Gate(&params), from.Add(params.Slot)
	}
	w.pass(gate)
	for {
		if held, err := w.api.AuctionHistory(w.t.Context(), client.AuctionFilter{}, pageOf(100)); err == nil && len(held.Auctions) >= n {
			return last
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// nextProduct is a product whose gate is some minutes ahead.
func (w *town) nextProduct() types.Product { return w.productIn(5 * minute) }

// productIn is the first product whose gate is ahead by so much at least.
func (w *town) productIn(ahead types.Duration) types.Product {
	w.t.Helper()
	params, err := w.api.Params(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	status, err := w.api.Status(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	slot := uint64(params.Slot)
	from := types.Time((uint64(status.BlockTime.Add(params.Market.Gate+ahead))/slot + 1) * slot)
	return types.Product{Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: "town", From: from, Until: from.Add(params.Slot), Asset: w.euro.ID()}
}
