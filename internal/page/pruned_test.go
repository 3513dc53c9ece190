package page_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/page"
	"lockstep/types"
	"lockstep/wallet"
)

// refusePruned answers as a node does that has removed what is asked for.
func refusePruned(out http.ResponseWriter) {
	out.Header().Set("Content-Type", wire.ProblemType)
	out.WriteHeader(http.StatusGone)
	_ = json.NewEncoder(out).Encode(wire.Problem{Status: http.StatusGone, Code: types.CodePruned, Detail: "it is kept from block 7 on: ask a node that keeps all"})
}

// pruned is the town as a node shows it that keeps the blocks from one on, which may depend on its height. A silent one sends no events.
func (w *town) pruned(first func(height uint64) uint64, silent bool) *town {
	w.t.Helper()
	ledger, err := url.Parse("http://" + w.address)
	if err != nil {
		w.t.Fatal(err)
	}
	whole := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(ledger) }}
	status := func(ctx context.Context) wire.Status {
		status, err := w.api.Status(ctx)
		if err != nil && ctx.Err() == nil {
			w.t.Error(err)
		}
		status.From = first(status.Height)
		return status
	}
	front := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/status":
			out.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(out).Encode(status(r.Context()))
			return
		case "/v1/events":
			if silent {
				<-r.Context().Done()
				return
			}
			from, err := strconv.ParseUint(r.URL.Query().Get("from"), 10, 64)
			if err == nil && from < status(r.Context()).From {
				refusePruned(out)
				return
			}
		}
		whole.ServeHTTP(out, r)
	}))
	w.t.Cleanup(func() {
		front.CloseClientConnections()
		front.Close()
	})
	shown := *w
	if shown.api, err = client.New(front.URL, client.WithToken(w.node.Token())); err != nil {
		w.t.Fatal(err)
	}
	return &shown
}

// from is a history that begins with a block.
func from(block uint64) func(uint64) uint64 { return func(uint64) uint64 { return block } }

// TestStatementOfAPrunedNode: the statement has the payments from the first block that the node keeps, says that older ones are missing, and waits for those that
// the node has.
func TestStatementOfAPrunedNode(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	sent, err := w.members["Hazel"].Do(t.Context(), func(d *wallet.Draft) error {
		if err := d.Send(w.members["Loom"].Key(), w.euro.ID(), 70_000); err != nil {
			return err
		}
		return d.Memo("for the juice")
	})
	if err != nil || sent.Height < 2 {
		t.Fatalf("%+v, %v", sent, err)
	}
	const reading = "still being read"
	for name, c := range map[string]struct {
		first                            func(height uint64) uint64
		silent, reading, cut, old, newer bool
	}{
		"all is kept":                   {from(1), false, false, false, true, true},
		"the first payment is pruned":   {from(sent.Height), false, false, true, false, true},
		"the newest block is not there": {func(height uint64) uint64 { return height }, true, true, true, false, false},
		"no block is kept":              {func(height uint64) uint64 { return height + 1 }, true, false, true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			loom := w.pruned(c.first, c.silent).join(t, "Loom")
			text := loom.get("/wallet", http.StatusOK)
			for deadline := time.Now().Add(20 * time.Second); !c.reading && strings.Contains(text, reading); text = loom.get("/wallet", http.StatusOK) {
				if time.Now().After(deadline) {
					t.Fatal("the payments are not there")
				}
			}
			for part, want := range map[string]bool{
				reading: c.reading, "Older payments outside of trades are not listed": c.cut, "are missing": false, "Nothing has moved": false, "+20.000000": c.old, "for the juice": c.newer,
			} {
				if strings.Contains(plainOf(text), part) != want {
					t.Errorf("%q is there: %t; the page: %.1500s", part, !want, plainOf(text))
				}
			}
		})
	}
}

// TestReadingsOfAPrunedNode: the page of a trade's readings has those of the blocks that the node keeps, twenty at most, and says when there may be others.
func TestReadingsOfAPrunedNode(t *testing.T) {
	t.Parallel()
	w := newTown(t, quickMarket)
	w.admit("Cedar", "Loom")
	id, goods := w.metered(2 * minute)
	recorded := w.trade(id).Height
	const (
		gone   = "The node no longer keeps the blocks"
		partly = "There may be more readings than these"
	)
	shows := func(first uint64, rows int, note string) {
		t.Helper()
		server, _ := w.pruned(from(first), false).serve(page.Config{})
		text := plainOf(newVisitor(t, server.URL).get("/trades/"+id.String()+"/readings", http.StatusOK))
		if got := strings.Count(text, "signed by the enrolled meter"); got != rows {
			t.Errorf("from block %d on: %d readings, want %d: %.900s", first, got, rows, text)
		}
		for _, part := range []string{gone, partly, "No reading has come yet"} {
			if strings.Contains(text, part) != (part == note) {
				t.Errorf("from block %d on: %q is there: %t; the page: %.900s", first, part, part != note, text)
			}
		}
	}
	shows(recorded, 0, "No reading has come yet")
	shows(recorded+1, 0, gone)
	server, _ := w.pruned(from(1), true).serve(page.Config{})
	if text := newVisitor(t, server.URL).get("/trades/"+id.String()+"/readings", http.StatusServiceUnavailable); !strings.Contains(text, "did not send all blocks of this trade in time") {
		t.Errorf("without an answer: %s", plainOf(text))
	}
	w.pass(goods.Until.Add(500))
	const most = 20
	for part := range int64(most) {
		w.readPart("Cedar", &goods, part+1, most+1, 2)
	}
	shows(recorded, most, "")
	shows(recorded+1, most, partly)
	w.readPart("Cedar", &goods, most+1, most+1, 2)
	shows(recorded, most, partly)
}
