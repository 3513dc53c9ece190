package httpapi

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"lockstep/internal/ledgertest"
	"lockstep/types"
)

// listed is a world whose node lists a host and an origin.
func listed(t *testing.T) *world {
	t.Helper()
	l, log := ledgertest.New(t, "test"), slog.New(slog.DiscardHandler)
	handler, err := New(Config{
		Ledger: l, Token: token, Version: "test", Logger: log, Hosts: []string{"Node.Example"}, Origins: []string{"https://Market.example:8443"},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.Config = &NewServer(t.Context(), handler, Limits{}, log).Server
	server.Start()
	t.Cleanup(server.Close)
	return &world{t, l, server, &record{}}
}

const market = "https://market.example:8443"

// TestOrigins: pages of a listed site may read answers, including refusals; pages of other sites may not.
func TestOrigins(t *testing.T) {
	t.Parallel()
	w := listed(t)
	for origin, may := range map[string]bool{
		market: true, "": false, "null": false, "*": false, "https://market.example": false, "http://market.example:8443": false,
		"https://market.example:8443.evil.example": false, "https://evil.example": false, market + "/": false,
	} {
		for _, path := range []string{"/v1/status", "/v1/trades/00", "/v1/nothing"} {
			response, _ := w.ask("GET", path, nil, "Origin", origin)
			w.invites(response, origin, may)
		}
		response, text := w.ask("OPTIONS", "/v1/transactions", nil, "Origin", origin, "Access-Control-Request-Method", "POST",
			"Access-Control-Request-Headers", "authorization, content-type")
		w.invites(response, origin, may)
		if !may {
			w.refused(response, text, http.StatusMethodNotAllowed, types.CodeMalformed)
			continue
		}
		header := response.Header
		if response.StatusCode != http.StatusNoContent || !strings.Contains(header.Get("Access-Control-Allow-Methods"), "POST") ||
			!strings.Contains(header.Get("Access-Control-Allow-Headers"), "Authorization") || header.Get("Access-Control-Max-Age") == "" {
			t.Errorf("beforehand: %d %v", response.StatusCode, header)
		}
	}
	response, text := w.ask("POST", "/v1/transactions", strings.NewReader("x"), "Origin", market, "Content-Type", "application/json")
	w.refused(response, text, http.StatusUnauthorized, types.CodeToken) // the token is needed still
	w.invites(response, market, true)
	response, text = w.ask("OPTIONS", "/v1/status", nil, "Origin", market) // not a preflight request
	w.refused(response, text, http.StatusMethodNotAllowed, types.CodeMalformed)
}

// invites checks whether an answer lets a site read it. No answer may be cached for another site, or allow credentials.
func (w *world) invites(response *http.Response, origin string, may bool) {
	w.t.Helper()
	want := ""
	if may {
		want = origin
	}
	if got := response.Header.Get("Access-Control-Allow-Origin"); got != want {
		w.t.Errorf("%q is told %q", origin, got)
	}
	if response.Header.Get("Vary") != "Origin" || response.Header.Get("Access-Control-Allow-Credentials") != "" {
		w.t.Errorf("%q: %v", origin, response.Header)
	}
}

func TestListedHost(t *testing.T) {
	t.Parallel()
	w := listed(t)
	for host, known := range map[string]bool{
		"node.example": true, "NODE.example.:443": true, "localhost": true, "node.example.evil": false, "a.node.example": false,
	} {
		response, text := w.ask("GET", "/v1/status", nil, "Host", host)
		if known {
			if response.StatusCode != http.StatusOK {
				t.Errorf("%s: %d %s", host, response.StatusCode, text)
			}
			continue
		}
		problem := w.refused(response, text, http.StatusMisdirectedRequest, types.CodeMalformed)
		if !strings.Contains(problem.Detail, `"hosts" in its node.json`) || !strings.Contains(problem.Detail, host) {
			t.Errorf("the problem does not help: %s", problem.Detail)
		}
	}
}

func TestInvalidHostsAndOrigins(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "*", "http://node.example", "node.example:80", "node example", "a@b", "node/x"} {
		if host, err := ParseHost(text); err == nil {
			t.Errorf("%q is taken as host %s", text, host)
		}
	}
	for _, text := range []string{
		"", "*", "null", "market.example", "https://", "https://*.example", "ftp://market.example", market + "/", market + "?x", market + "#x",
		"https://user@market.example", "javascript:alert(1)",
	} {
		if origin, err := ParseOrigin(text); err == nil {
			t.Errorf("%q is taken as origin %s", text, origin)
		}
		if _, err := New(Config{Ledger: ledgertest.New(t, "test"), OpenSubmit: true, Logger: slog.New(slog.DiscardHandler), Origins: []string{text}}); err == nil {
			t.Errorf("a node starts with the origin %q", text)
		}
	}
}
