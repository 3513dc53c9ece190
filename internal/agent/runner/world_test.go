package runner

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"lockstep/client"
	"lockstep/internal/agent"
	"lockstep/internal/agent/plan"
	"lockstep/internal/httpapi"
	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest"
	"lockstep/internal/ledgertest/party"
	"lockstep/meter"
	"lockstep/types"
	"lockstep/wallet"
)

const (
	token = "a token of the test"
	zone  = "community"
	euros = 100_000_000 // smallest units that each house begins with
)

// world is a real ledger behind a real server, with houses whose agents run step by step.
type world struct {
	t      testing.TB
	ledger *ledgertest.Ledger
	node   http.Handler
	params types.Params
	houses []*house
}

// house is a household with an agent that can be lost at any moment.
type house struct {
	*world
	name    string
	runner  *Runner
	setup   agent.Setup
	file    string
	words   string // a folder
	notices []agent.Notice
	sent    []agent.Transact
	txs     int
	made    map[types.Time]uint64 // energy that its gateway measures, by slot
	told    types.Time
	// crash is asked at each point of an agent's work; true loses it there.
	crash func(point string) bool
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, ledger: ledgertest.NewMetered(t, "houses")}
	log := slog.New(slog.DiscardHandler)
	handler, err := httpapi.New(httpapi.Config{Ledger: w.ledger, Token: token, Version: "test", Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	w.node = handler
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	api := w.dial()
	if w.params, err = api.Params(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// direct calls the server's handler without a connection.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	inner := r.Clone(r.Context())
	inner.RequestURI = r.URL.RequestURI()
	if inner.Host = r.URL.Host; inner.Body == nil {
		inner.Body = http.NoBody
	}
	d.handler.ServeHTTP(recorder, inner)
	return recorder.Result(), nil
}

func (w *world) dial() *client.Client {
	w.t.Helper()
	c, err := client.New("http://127.0.0.1:8645", client.WithToken(token), client.WithHTTPClient(&http.Client{Transport: direct{w.node}}),
		client.WithClock(func() time.Time { return w.ledger.Now().Std() }))
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func seedNamed(name string) (*wallet.Seed, error) {
	entropy := sha256.Sum256([]byte("the seed of " + name))
	return wallet.NewSeed(bytes.NewReader(entropy[:]), "")
}

func accountOf(t testing.TB, name string) *wallet.Account {
	t.Helper()
	seed, err := seedNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	account, err := seed.Account(0, wallet.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return account
}

// move-in gives a house money and, to a producer, a connection point with its wallet's gateway.
func (w *world) house(name string, strategy plan.Strategy, edit func(*agent.Setup)) *house {
	w.t.Helper()
	h := &house{world: w, name: name, words: filepath.Join(w.t.TempDir(), "words"), made: map[types.Time]uint64{}, crash: func(string) bool { return false }}
	account := accountOf(w.t, name)
	euro := party.Euro()
	body := w.ledger.Body(&types.Issue{Asset: euro, Amount: euros})
	body.Outputs = []types.Output{{Asset: euro.ID(), Amount: euros, Lock: types.ToKey(account.Key())}}
	w.submit(party.Sign(body, "issuer"))
	h.setup = agent.Setup{
		Key: account.Key(), Params: w.params, Market: agent.Market{Zone: zone, Asset: euro.ID(), Decimals: euro.Decimals}, Strategy: strategy,
		Limits: agent.Limits{PerDay: euros, Exposure: euros, Terms: []string{"meter", "hold"}, Assets: []types.AssetID{euro.ID()}},
		Ahead:  1, Keep: 7 * 24 * 3600 * 1000,
	}
	if strategy.Sell != nil {
		gateway := types.PointMeter{Form: types.FormNative, Key: ledger.NativeMeterKey(account.Gateway()), Export: []string{"01-00:02.08.00*FF"}}
		w.submit(party.Sign(w.ledger.Body(
			&types.Admit{Operator: party.Key("operator"), Member: types.Member{Key: account.Key(), Name: name}},
			&types.Enrol{Operator: party.Key("operator"), Owner: account.Key(), Meter: gateway},
		), "operator"))
		h.setup.Flow = types.Flow{Point: gateway.ID(), Direction: types.DirectionExport}
	}
	if edit != nil {
		edit(&h.setup)
	}
	w.houses = append(w.houses, h)
	h.start()
	return h
}

func (w *world) submit(tx *types.Tx) {
	w.t.Helper()
	if err := w.ledger.Submit(w.t.Context(), tx); err != nil {
		w.t.Fatal(err)
	}
}

// start begins the agent anew: from its seed, and from its file if it has one.
func (h *house) start() {
	h.t.Helper()
	node := h.dial()
	signer, err := node.Account(h.t.Context(), accountOf(h.t, h.name))
	if err != nil {
		h.t.Fatal(err)
	}
	setup := h.setup
	h.runner = New(Config{
		Setup: &setup, Node: node, Signer: signer, Log: slog.New(slog.DiscardHandler), File: h.file, Words: h.words,
		Notice: func(n agent.Notice) { h.notices = append(h.notices, n) },
	})
	if saved, err := h.runner.load(); err == nil && saved != nil {
		h.runner.state = saved.state(&setup)
	}
	h.told = h.ledger.Now() - 4*types.Time(h.params.Slot)
	h.told -= h.told % types.Time(h.params.Slot)
}

// step lets the agent look once, and do all that it wants. A crash in between loses the agent, and starts it anew.
func (h *house) step() {
	h.t.Helper()
	ctx := h.t.Context()
	h.measure()
	for range 20 {
		if h.crash("before the view") {
			h.start()
			return
		}
		view, err := h.runner.view(ctx)
		if err != nil {
			h.t.Fatal(err)
		}
		if h.crash("after the view") {
			h.start()
			return
		}
		for _, word := range h.runner.words(&view) {
			h.event(ctx, word)
		}
		if !h.event(ctx, agent.Seen{View: view}) {
			return
		}
	}
	h.t.Fatalf("%s: the agent does not come to rest", h.name)
}

// event brings an event to the agent, and reports whether the agent has sent a transaction.
func (h *house) event(ctx context.Context, event agent.Event) (sent bool) {
	next, effects := agent.Step(h.runner.state, event)
	h.runner.state = next
	for _, effect := range effects {
		switch e := effect.(type) {
		case agent.Tell:
			h.runner.tell(e.Notice)
		case agent.Sign:
			h.runner.signSplit(ctx, e)
		case agent.Transact:
			if h.crash("before the transaction") {
				h.start()
				return true
			}
			outcome := h.runner.carryOut(ctx, e)
			h.sent = append(h.sent, e)
			if outcome.Code == types.CodeOK {
				h.txs++
			}
			if h.crash("after the transaction") {
				h.start()
				return true
			}
			h.event(ctx, outcome)
			h.runner.save()
			if h.crash("after the outcome") {
				h.start()
			}
			return true
		}
	}
	return false
}

// measure brings the energy of the slots that are over.
func (h *house) measure() {
	slot := types.Time(h.params.Slot)
	for ; h.told+slot <= h.ledger.Now(); h.told += slot {
		made := h.made[h.told]
		h.event(h.t.Context(), agent.Metered{From: h.told, Make: made, Use: 500})
		if h.setup.Flow.IsZero() || made == 0 {
			continue
		}
		register, _ := meter.ParseOBIS("01-00:02.08.00*FF")
		record, err := h.runner.Signer.Wallet().SignReading(meter.Native{
			Register: register, Direction: meter.Export, From: int64(h.told), Until: int64(h.told + slot),
			Page: uint64(h.told) / uint64(slot), Form: meter.FormQuantity, End: made,
		})
		if err != nil {
			h.t.Fatal(err)
		}
		h.event(h.t.Context(), agent.Signed{Record: agent.Record{Slot: h.told, Quantity: made, Bytes: types.HexBytes(record.String())}})
	}
}

// pass lets time pass, and each house look once a while.
func (w *world) pass(span, every types.Duration) {
	w.t.Helper()
	for end := w.ledger.Now().Add(span); w.ledger.Now() < end; {
		for _, h := range w.houses {
			h.step()
		}
		w.ledger.Advance(every)
	}
	w.checkReleases()
}

// checkReleases wants the goods of each trade of a metered market that was ever released to have come in full.
func (w *world) checkReleases() {
	w.t.Helper()
	api := w.dial()
	for _, h := range w.houses {
		if h.setup.Strategy.Sell != nil {
			continue // the other side lists the same trades
		}
		for t, err := range api.AllTrades(w.t.Context(), h.setup.Key, false) {
			if err != nil {
				w.t.Fatal(err)
			}
			a := &t.Trade.Agreement
			if t.Trade.Released == 0 || types.FallbackKind(a.Fallback) != "meter" {
				continue
			}
			for _, seller := range w.houses {
				if seller.setup.Key == a.Producer && seller.made[a.Goods.From] < a.Goods.Quantity {
					w.t.Fatalf("trade %s of %d Wh at %s was released, and %d Wh came", t.ID, a.Goods.Quantity, a.Goods.From, seller.made[a.Goods.From])
				}
			}
		}
	}
}

// open lists the trades of a house that are not over.
func (h *house) open() (open []types.TradeID) {
	h.t.Helper()
	for t, err := range h.dial().AllTrades(h.t.Context(), h.setup.Key, true) {
		if err != nil {
			h.t.Fatal(err)
		}
		open = append(open, t.ID)
	}
	return open
}

func (h *house) trades() (n int, phases map[types.Phase]int) {
	h.t.Helper()
	phases = map[types.Phase]int{}
	for t, err := range h.dial().AllTrades(h.t.Context(), h.setup.Key, false) {
		if err != nil {
			h.t.Fatal(err)
		}
		n++
		phases[t.Phase]++
	}
	return n, phases
}

func (h *house) worth() types.Amount {
	h.t.Helper()
	balance, err := h.dial().Balance(h.t.Context(), h.setup.Key, h.setup.Market.Asset)
	if err != nil {
		h.t.Fatal(err)
	}
	return balance.Spendable + balance.Locked + balance.InOrders
}

func buys(wh uint64, limit plan.Price) plan.Strategy {
	return plan.Strategy{Buy: &plan.Side{Amount: plan.Fixed(wh), Limit: plan.FixedLimit(limit)}}
}

func sells(wh uint64, limit plan.Price) plan.Strategy {
	return plan.Strategy{Sell: &plan.Side{Amount: plan.Fixed(wh), Limit: plan.FixedLimit(limit)}}
}

// cent is a price of a cent for a kWh of an asset with two decimals whose lots are of a Wh: the grid of the test counts in tenths of a cent.
func price(text string) plan.Price {
	p, err := plan.ParsePrice(text)
	if err != nil {
		panic(err)
	}
	return p
}

func (h *house) String() string { return fmt.Sprintf("%s after %d transactions", h.name, h.txs) }
