package httpapi

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lockstep/internal/access"
	"lockstep/internal/ledgertest"
	"lockstep/types"
)

// tokensWorld is a world whose node has named tokens in a file.
func tokensWorld(t *testing.T, limits Limits) (w *world, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "tokens")
	book, err := access.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	l, log := ledgertest.New(t, "test"), &record{}
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	handler, err := New(Config{Ledger: l, Token: token, Tokens: book, Limits: limits, Version: "test", Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.Config = &NewServer(t.Context(), handler, limits, logger).Server
	server.Start()
	t.Cleanup(server.Close)
	return &world{t, l, server, log}, file
}

// TestNamedTokens: a named token submits until it is revoked or over, at its rate, and no log shows it.
func TestNamedTokens(t *testing.T) {
	t.Parallel()
	w, file := tokensWorld(t, Limits{})
	send := func(secret, name string) (*http.Response, []byte) {
		return w.ask("POST", "/v1/transactions?wait=0", strings.NewReader(submission(w.ledger.Issue(100, name))), "Authorization", "Bearer "+secret,
			"Content-Type", "application/json")
	}
	anna, err := access.Add(file, access.Token{Name: "anna", Rate: 1})
	if err != nil {
		t.Fatal(err)
	}
	old, err := access.Add(file, access.Token{Name: "old", Expires: types.TimeOf(time.Now().Add(-time.Second))})
	if err != nil {
		t.Fatal(err)
	}
	if response, text := send(anna, "a1"); response.StatusCode != http.StatusAccepted {
		t.Fatalf("%d %s", response.StatusCode, text)
	}
	response, text := send(old, "a1")
	if problem := w.refused(response, text, http.StatusUnauthorized, types.CodeToken); !strings.Contains(problem.Detail, "token old expired at") {
		t.Error(problem.Detail)
	}
	batch := `{"txs":["AA==","AA==","AA==","AA=="]}` // takes the rate of four transactions, though none can be decoded
	for range 1000 {                                 // a slow machine earns further transactions meanwhile
		response, text = w.ask("POST", "/v1/transactions/batch", strings.NewReader(batch), "Authorization", "Bearer "+anna, "Content-Type", "application/json")
		if response.StatusCode != http.StatusOK {
			break
		}
	}
	problem := w.refused(response, text, http.StatusTooManyRequests, types.CodeUnavailable)
	if !strings.Contains(problem.Detail, "token anna submits more transactions a second") || response.Header.Get("Retry-After") == "" {
		t.Errorf("%s, try again after %q", problem.Detail, response.Header.Get("Retry-After"))
	}
	if response, text := send(token, "a2"); response.StatusCode != http.StatusAccepted {
		t.Errorf("the node's own token is bounded too: %d %s", response.StatusCode, text)
	}
	if err := access.Revoke(file, "anna"); err != nil {
		t.Fatal(err)
	}
	response, text = send(anna, "a3")
	w.refused(response, text, http.StatusUnauthorized, types.CodeToken)
	if log := w.log.String(); strings.Contains(log, anna) || strings.Contains(log, old) {
		t.Error("the log holds a token")
	}
}

// TestRequestRate: an address beyond its rate is refused until it waits; others, and this machine, are not.
func TestRequestRate(t *testing.T) {
	t.Parallel()
	w, _ := tokensWorld(t, Limits{Requests: 1, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	ask := func(from string) (*http.Response, []byte) {
		if from == "" {
			return w.ask("GET", "/v1/status", nil)
		}
		return w.ask("GET", "/v1/status", nil, "X-Forwarded-For", from)
	}
	refused := 0
	for range 1000 { // a slow machine earns further requests meanwhile
		response, text := ask("203.0.113.7")
		if response.StatusCode == http.StatusTooManyRequests {
			problem := w.refused(response, text, http.StatusTooManyRequests, types.CodeUnavailable)
			if !strings.Contains(problem.Detail, "more than 1 requests a second") || response.Header.Get("Retry-After") != "1" {
				t.Errorf("%s, try again after %q", problem.Detail, response.Header.Get("Retry-After"))
			}
			refused++
			break
		}
	}
	if refused == 0 {
		t.Fatal("a thousand requests of an address pass at a rate of one a second")
	}
	for _, from := range []string{"203.0.113.8", "127.0.0.1", "::1", ""} {
		for range 5 {
			if response, text := ask(from); response.StatusCode != http.StatusOK && (from != "203.0.113.8" || response.StatusCode != http.StatusTooManyRequests) {
				t.Fatalf("%q: %d %s", from, response.StatusCode, text)
			}
		}
	}
}
