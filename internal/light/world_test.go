package light_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/light"
	"lockstep/internal/node"
	"lockstep/types"
	"lockstep/wallet"
)

// world is a real node with one validator, a proxy before it that can lie, and a producer and a consumer that ask the node itself.
type world struct {
	t        *testing.T
	dir      string
	node     *client.Client
	liar     *client.Client
	genesis  types.Hash
	lies     *lies
	producer *client.Account
	consumer *client.Account
	euro     types.AssetID
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: filepath.Join(t.TempDir(), "node"), lies: new(lies)}
	if err := node.Init(w.dir, node.InitOptions{Params: types.DefaultParams("town")}); err != nil {
		t.Fatal(err)
	}
	n, err := node.Open(node.Config{Dir: w.dir, API: "127.0.0.1:0", Version: "test"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	address := "http://" + n.APIAddress()
	w.node = must(client.New(address, client.WithToken(n.Token())))
	w.lies.target = must(url.Parse(address))
	front := httptest.NewServer(w.lies.proxy())
	t.Cleanup(front.Close)
	w.liar = must(client.New(front.URL, client.WithToken(n.Token())))
	for { // the first block
		status, err := w.node.Status(t.Context())
		if err == nil && status.Height > 0 {
			w.genesis = status.Genesis
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	w.producer, w.consumer = w.account(1), w.account(2)
	euro := types.Asset{Issuer: w.consumer.Key(), Code: "EUR", Decimals: 2}
	w.euro = euro.ID()
	w.do(w.consumer, func(d *wallet.Draft) error { return d.Issue(euro, 1_000_000) }, func(d *wallet.Draft) error { return d.Send(w.producer.Key(), w.euro, 100_000) })
	return w
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func seedOf(fill byte) *wallet.Seed {
	return must(wallet.NewSeed(bytes.NewReader(bytes.Repeat([]byte{fill}, 64)), ""))
}

func (w *world) account(fill byte) *client.Account {
	return must(w.node.Account(w.t.Context(), must(seedOf(fill).Account(0, wallet.DefaultLimits()))))
}

func (w *world) do(a *client.Account, steps ...func(*wallet.Draft) error) {
	w.t.Helper()
	if _, err := a.Do(w.t.Context(), steps...); err != nil {
		w.t.Fatal(err)
	}
}

// paid is a trade that the consumer has paid.
func (w *world) paid() types.TradeID {
	w.t.Helper()
	params := must(w.node.Params(w.t.Context()))
	now, window := types.TimeOf(time.Now()), params.MinWindow
	offer := types.Offer{
		Goods: types.Goods{Commodity: "wood", Unit: types.UnitItem, Quantity: 1}, Asset: w.euro, Price: types.Rate{Mantissa: 100}, Deposit: types.Rate{Mantissa: 10},
		Bond: types.Rate{Mantissa: 10}, Instalments: 1, MinFill: 1, Fallback: &types.Hold{},
		Deadlines: types.Deadlines{PayBy: now.Add(4 * window), DeliverBy: now.Add(8 * window), ReadingBy: now.Add(12 * window), ConfirmBy: now.Add(16 * window)},
	}
	id, err := w.producer.Post(w.t.Context(), offer)
	if err != nil {
		w.t.Fatal(err)
	}
	trade, err := w.consumer.Take(w.t.Context(), id, 1)
	if err != nil {
		w.t.Fatal(err)
	}
	return trade
}

func (w *world) delivered() types.TradeID {
	w.t.Helper()
	id := w.paid()
	if _, err := w.producer.Deliver(w.t.Context(), id); err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) released() types.TradeID {
	w.t.Helper()
	id := w.delivered()
	if _, err := w.consumer.Release(w.t.Context(), id, 1); err != nil {
		w.t.Fatal(err)
	}
	return id
}

// checks is a client that asks the liar.
func (w *world) checks(edit ...func(*light.Config)) *light.Client {
	config := light.Config{Genesis: w.genesis}
	for _, e := range edit {
		e(&config)
	}
	return light.New(w.liar, config)
}

// evidence gathers the trade as the liar shows and proves it.
func (w *world) evidence(c *light.Client, id types.TradeID) (*light.Evidence, error) {
	shown, err := w.liar.Trade(w.t.Context(), id)
	if err != nil {
		return nil, err
	}
	e := &light.Evidence{ID: id, Trade: &shown.Trade, Goods: true}
	if e.Newest, err = c.Newest(w.t.Context()); err != nil {
		return nil, err
	}
	e.Now = c.Now()
	e.Proof, err = c.Shown(w.t.Context(), id, &shown.Trade, shown.Height)
	return e, err
}

// lies is a reverse proxy before a node that changes its answers.
type lies struct {
	target *url.URL

	mu      sync.Mutex
	about   func(path string, answer map[string]any) // changes an answer; nil: none
	refuse  func(path string) bool                   // holds an answer back
	problem wire.Problem                             // in its place
	replay  map[string][]byte                        // answers of earlier, by path
	record  bool
}

func (l *lies) tell(about func(path string, answer map[string]any)) {
	l.set(func() { l.about = about })
}
func (l *lies) withhold(refuse func(path string) bool) {
	l.refuseWith(http.StatusNotFound, types.CodeNotFound, refuse)
}

func (l *lies) refuseWith(status int, code types.Code, refuse func(path string) bool) {
	l.set(func() {
		l.refuse, l.problem = refuse, wire.Problem{Status: status, Code: code, Detail: "there is none"}
	})
}

// remember records the answers from now on; from old on they are given again.
func (l *lies) remember() { l.set(func() { l.record, l.replay = true, map[string][]byte{} }) }
func (l *lies) old()      { l.set(func() { l.record = false }) }

func (l *lies) stop() {
	l.set(func() { l.about, l.refuse, l.replay, l.record = nil, nil, nil, false })
}

func (l *lies) set(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

func (l *lies) proxy() http.Handler {
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(l.target)
			r.Out.Host = l.target.Host
			r.Out.Header.Del("Accept-Encoding")
		},
		ModifyResponse: func(response *http.Response) error {
			path := response.Request.URL.Path
			l.mu.Lock()
			defer l.mu.Unlock()
			if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") {
				return nil
			}
			text, err := io.ReadAll(response.Body)
			if err != nil {
				return err
			}
			if l.replay != nil && response.Request.Method == http.MethodGet {
				if old, known := l.replay[path]; known && !l.record {
					text = old
				} else if l.record {
					l.replay[path] = text
				}
			}
			if l.about != nil {
				var answer map[string]any
				decoder := json.NewDecoder(bytes.NewReader(text))
				decoder.UseNumber()
				if err := decoder.Decode(&answer); err != nil {
					return err
				}
				l.about(path, answer)
				if text, err = json.Marshal(answer); err != nil {
					return err
				}
			}
			response.Body = io.NopCloser(bytes.NewReader(text))
			response.ContentLength = int64(len(text))
			response.Header.Set("Content-Length", strconv.Itoa(len(text)))
			return nil
		},
	}
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		refuse, problem := l.refuse, l.problem
		l.mu.Unlock()
		if refuse != nil && refuse(r.URL.Path) {
			out.Header().Set("Content-Type", "application/problem+json")
			out.WriteHeader(problem.Status)
			_ = json.NewEncoder(out).Encode(problem)
			return
		}
		forward.ServeHTTP(out, r)
	})
}
