package httpapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"lockstep/client/wire"
	"lockstep/internal/ledgertest"
	"lockstep/types"
)

const token = "a token of the test"

// world is a real server before a real ledger.
type world struct {
	t      *testing.T
	ledger *ledgertest.Ledger
	server *httptest.Server
	log    *record
}

// record keeps a log for a test to read.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(line)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func newWorld(t *testing.T) *world {
	l := ledgertest.New(t, "test")
	return serve(t, l, l)
}

// serve serves a ledger, or a wrapper of it, on the network.
func serve(t *testing.T, l *ledgertest.Ledger, asked Ledger) *world {
	t.Helper()
	log := &record{}
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	handler, err := New(Config{Ledger: asked, Token: token, Version: "test", Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.Config = &NewServer(t.Context(), handler, Limits{}, logger).Server
	server.Start()
	t.Cleanup(server.Close)
	return &world{t, l, server, log}
}

// in returns the same world for a subtest.
func (w *world) in(t *testing.T) *world {
	part := *w
	part.t = t
	return &part
}

// ask sends a request unchanged and returns the status and the body.
func (w *world) ask(method, path string, body io.Reader, header ...string) (*http.Response, []byte) {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL+path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			request.Host = header[i+1]
		}
		request.Header.Set(header[i], header[i+1])
	}
	response, err := w.server.Client().Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	w.describes(request, response, text)
	return response, text
}

// get asks a question and reads the answer.
func get[T any](w *world, path string) (answer T) {
	w.t.Helper()
	response, text := w.ask("GET", path, nil)
	if response.StatusCode != http.StatusOK {
		w.t.Fatalf("GET %s: %d %s", path, response.StatusCode, text)
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		w.t.Fatalf("GET %s: %v", path, err)
	}
	return answer
}

// refused wants a problem document with a status and a code.
func (w *world) refused(response *http.Response, text []byte, status int, code types.Code) wire.Problem {
	w.t.Helper()
	var problem wire.Problem
	if err := json.Unmarshal(text, &problem); err != nil {
		w.t.Fatalf("not a problem document: %d %q", response.StatusCode, text)
	}
	if response.StatusCode != status || problem.Status != status || problem.Code != code {
		w.t.Fatalf("got %d %s, want %d %s: %s", response.StatusCode, problem.Code, status, code, text)
	}
	if kind := response.Header.Get("Content-Type"); kind != wire.ProblemType {
		w.t.Fatalf("a problem comes as %q", kind)
	}
	if problem.Title == "" || problem.Detail == "" || problem.Type != docsPath+"#"+code.String() {
		w.t.Fatalf("the problem does not say what is wrong: %s", text)
	}
	return problem
}

func submission(tx *types.Tx) string {
	return `{"tx":"` + base64.StdEncoding.EncodeToString(tx.Bytes()) + `"}`
}

func (w *world) submit(path string, tx *types.Tx) (*http.Response, []byte) {
	w.t.Helper()
	return w.ask("POST", path, strings.NewReader(submission(tx)), "Authorization", "Bearer "+token, "Content-Type", "application/json")
}
