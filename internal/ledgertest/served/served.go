// Package served puts a real server before a ledger of package ledgertest; for tests only.
package served

import (
	"log/slog"
	"net/http/httptest"
	"testing"

	"lockstep/client"
	"lockstep/internal/httpapi"
	"lockstep/internal/ledgertest"
)

// Node serves a ledger as a node does, with an index of its blocks so far. Everybody may submit.
func Node(t testing.TB, l *ledgertest.Ledger) (*client.Client, *httptest.Server) {
	t.Helper()
	handler, err := httpapi.New(httpapi.Config{Ledger: l, History: l.History(t), OpenSubmit: true, Version: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	node, err := client.New(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return node, server
}
