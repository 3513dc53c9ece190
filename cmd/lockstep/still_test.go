package main

import (
	"log/slog"
	"net/http/httptest"

	"github.com/rogpeppe/go-internal/testscript"

	"lockstep/internal/httpapi"
	"lockstep/internal/ledgertest"
)

// still puts a ledger that stands still in the place of the node.
func still(ts *testscript.TestScript, _ bool, _ []string) {
	l, err := ledgertest.Open("test")
	ts.Check(err)
	l.Hold()
	l.Halt()
	handler, err := httpapi.New(httpapi.Config{Ledger: l, OpenSubmit: true, Version: "test", Logger: slog.New(slog.DiscardHandler)})
	ts.Check(err)
	server := httptest.NewServer(handler)
	ts.Defer(func() {
		server.Close()
		ts.Check(l.Close())
	})
	ts.Setenv("LOCKSTEP_NODE", server.URL)
}
