package page_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"lockstep/client"
	"lockstep/internal/light"
	"lockstep/internal/page"
	"lockstep/internal/receipt"
	"lockstep/types"
)

// liar is a connection to a node on which answers are changed or held back.
type liar struct {
	change atomic.Pointer[func(path string, text []byte) []byte] // nil holds the answer back
}

func (l *liar) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(r)
	change := l.change.Load()
	if err != nil || change == nil || r.Method != http.MethodGet || response.StatusCode != http.StatusOK || strings.Contains(response.Header.Get("Content-Type"), "event-stream") {
		return response, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if text = (*change)(r.URL.Path, text); text == nil {
		response.StatusCode, text = http.StatusNotFound, []byte(`{"status":404,"code":"not_found","detail":"there is none"}`)
		response.Header.Set("Content-Type", "application/problem+json")
	}
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	return response, nil
}

// lies begins a lie about all paths with a prefix.
func (l *liar) lies(prefix string, change func([]byte) []byte) {
	lie := func(path string, text []byte) []byte {
		if strings.HasPrefix(path, prefix) {
			return change(text)
		}
		return text
	}
	l.change.Store(&lie)
}

// TestPageChecksByProof: the page tells whether a state is proved, refuses a step that a proof contradicts, and asks once more without a proof.
func TestPageChecksByProof(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom")
	id, _ := w.agree("Cedar", "Loom", terms{goods: juice(), price: 400_000, bond: 20_000, fallback: &types.Hold{}})
	path := "/trades/" + id.String()
	wire := new(liar)
	var err error
	if w.api, err = client.New("http://"+w.address, client.WithToken(w.node.Token()), client.WithHTTPClient(&http.Client{Transport: wire})); err != nil {
		t.Fatal(err)
	}
	loom, cedar := w.join(t, "Loom"), w.join(t, "Cedar")
	loom.answer(loom.get(path+"/pay", http.StatusOK), path+"/pay", http.StatusOK)
	for _, at := range []string{path, path + "/deliver"} {
		if text := cedar.get(at, http.StatusOK); !strings.Contains(text, "Checked by proof, in block ") {
			t.Errorf("%s does not tell that it is proved", at)
		}
	}

	wire.lies("/v1/trades/", func(text []byte) []byte { return bytes.ReplaceAll(text, []byte(`"paid"`), []byte(`"delivered"`)) })
	if text := loom.get(path, http.StatusOK); !strings.Contains(text, "As the node says: ") || !strings.Contains(text, "otherwise than leaf") {
		t.Error("the page shows an invented delivery without a word")
	}
	if text := loom.get(path+"/release", http.StatusInternalServerError); !strings.Contains(text, "trust the node") {
		t.Errorf("a release for an invented delivery: %s", heading(text))
	}
	wire.change.Store(nil)

	wire.lies("/v1/log/", func([]byte) []byte { return nil })
	question := cedar.get(path+"/deliver", http.StatusOK)
	if !strings.Contains(question, "The state of the trade is not proved") || !strings.Contains(question, `name="odd"`) {
		t.Error("a delivery without a proof is asked as any other")
	}
	action := path + "/deliver"
	values := url.Values{}
	for _, one := range field.FindAllStringSubmatch(question, -1) {
		if one[1] != "odd" {
			values.Set(one[1], one[2])
		}
	}
	cedar.post(action, values, http.StatusUnprocessableEntity)
	if got := w.phase(id); got != types.PhasePaid {
		t.Fatalf("a delivery without a proof that nobody wants: %s", got)
	}
	cedar.answer(cedar.get(action, http.StatusOK), action, http.StatusOK) // with the tick
	if got := w.phase(id); got != types.PhaseDelivered {
		t.Fatalf("a delivery that its reader wants without a proof: %s", got)
	}
}

// TestPageOfReceipts: a receipt is shown, sent as a file, and checked; one that was changed does not hold.
func TestPageOfReceipts(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom")
	id, _ := w.agree("Cedar", "Loom", terms{goods: juice(), price: 400_000, bond: 20_000, fallback: &types.Hold{}})
	loom := w.join(t, "Loom")
	server, _ := w.serve(page.Config{})
	guest := newVisitor(t, server.URL)
	path := "/trades/" + id.String() + "/receipt"
	for _, reader := range []*visitor{loom, guest} {
		if text := reader.get(path, http.StatusOK); !strings.Contains(text, "It holds.") || !strings.Contains(text, "?file=1") {
			t.Errorf("the receipt of a trade: %s", heading(text))
		}
		file := reader.get(path+"?file=1", http.StatusOK)
		r, err := receipt.Parse(file)
		if err != nil || !r.Verify(nil).OK() {
			t.Fatalf("the file: %v", err)
		}
		form := reader.get("/receipt", http.StatusOK)
		send := func(text string, status int) string {
			values := url.Values{"text": {text}}
			for _, one := range field.FindAllStringSubmatch(form, -1) {
				values.Set(one[1], one[2])
			}
			return reader.post("/receipt", values, status)
		}
		if text := send(file, http.StatusOK); !strings.Contains(text, "It holds.") {
			t.Errorf("the file, pasted: %s", heading(text))
		}
		w.agree("Cedar", "Loom", terms{goods: juice(), price: 1000, bond: 50, fallback: &types.Hold{}}) // blocks that come after the receipt
		if text := send(file, http.StatusOK); !strings.Contains(text, "It holds.") {
			t.Errorf("an old file, pasted: %s", heading(text))
		}
		r.State[0] ^= 1
		if text := send(r.Text(), http.StatusOK); !strings.Contains(text, "It does not hold.") {
			t.Errorf("a changed state: %s", heading(text))
		}
		send(strings.Replace(file, "log ", "lag ", 1), http.StatusUnprocessableEntity)
		send("", http.StatusUnprocessableEntity)
	}
}

// TestPageOfPrunedHistory: the page does not say of removed history that it is not on the ledger.
func TestPageOfPrunedHistory(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		refusePruned(out)
	}))
	t.Cleanup(gone.Close)
	node, err := client.New(gone.URL)
	if err != nil {
		t.Fatal(err)
	}
	p, err := page.New(page.Config{Node: node, Logger: slog.New(slog.DiscardHandler), KnownHost: func(*http.Request) bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	id := types.TradeID{1}.String()
	for _, path := range []string{"/blocks/5", "/trades/" + id, "/trades/" + id + "/receipt"} {
		text := newVisitor(t, server.URL).get(path, http.StatusGone)
		if !strings.Contains(text, "This node does not have that any more.") || !strings.Contains(text, "ask a node that keeps all") || strings.Contains(text, "not on this ledger") {
			t.Errorf("%s: %s", path, text)
		}
	}
}

// TestTrustedHeaderOnThePage: a member whose wallet was away for long names a recent header in the settings, and the page checks by it. One that the node does not show, or that is none, changes nothing.
func TestTrustedHeaderOnThePage(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.admit("Cedar", "Loom")
	newest, err := w.api.LightBlock(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	id, _ := w.agree("Cedar", "Loom", terms{goods: juice(), price: 1000, bond: 50, fallback: &types.Hold{}}) // blocks that come after it
	pin := light.Pin{Height: newest.Height, Hash: newest.Hash}.String()
	loom := w.join(t, "Loom")
	if text := loom.get("/settings", http.StatusOK); !strings.Contains(text, "None yet: blocks are checked") {
		t.Error("a new wallet trusts a header")
	}
	other := light.Pin{Height: newest.Height, Hash: types.Hash{1}}.String()
	for _, wrong := range []string{other, "12", "", pin + "0", light.Pin{Height: 1 << 40, Hash: newest.Hash}.String()} {
		text := loom.fill("/settings", "/trust-header", http.StatusUnprocessableEntity, "header", wrong)
		if !strings.Contains(text, "None yet: blocks are checked") || !strings.Contains(text, `role="alert"`) || !strings.Contains(text, `value="`+wrong+`"`) {
			t.Errorf("%q: %s", wrong, heading(text))
		}
	}
	if text := loom.fill("/settings", "/trust-header", http.StatusOK, "header", " "+pin+" "); !strings.Contains(text, pin+", of ") {
		t.Errorf("the header is not shown: %s", heading(text))
	}
	loom.answer(loom.get("/trades/"+id.String()+"/pay", http.StatusOK), "/trades/"+id.String()+"/pay", http.StatusOK)
	if text := loom.get("/trades/"+id.String(), http.StatusOK); !strings.Contains(text, "Checked by proof, in block ") {
		t.Error("the page does not check by the header")
	}
}
