package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/node"
	"lockstep/internal/store"
	"lockstep/types"
)

// TestTradeIfKnown: a node that keeps the history of a limited time does not know whether an agreement is new, so both parties can sign it there.
func TestTradeIfKnown(t *testing.T) {
	t.Parallel()
	for code, absent := range map[types.Code]bool{types.CodeNotFound: true, types.CodePruned: true, types.CodeTradeUnknown: true, types.CodeUnavailable: false, types.CodeInternal: false} {
		server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
			out.Header().Set("Content-Type", wire.ProblemType)
			out.WriteHeader(http.StatusGone)
			_ = json.NewEncoder(out).Encode(wire.Problem{Status: http.StatusGone, Code: code, Detail: "no"})
		}))
		t.Cleanup(server.Close)
		asked, err := client.New(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		if trade, err := (&session{node: asked}).tradeIfKnown(t.Context(), types.TradeID{1}); trade != nil || (err == nil) != absent {
			t.Errorf("%s: %v, %v", code, trade, err)
		}
	}
}

// TestCheckedParts: a check of a node that has removed history, or has no index, does not say that these are in order.
func TestCheckedParts(t *testing.T) {
	t.Parallel()
	for want, report := range map[string]node.CheckReport{
		"Every block is whole, signed, and as the state says. The keys, the genesis file and the index are in order.":                          {Report: store.Report{From: 1}, Index: types.Hash{1}},
		"Every block is whole, signed, and as the state says. The keys and the genesis file are in order. An index was not checked.":           {Report: store.Report{From: 1}},
		"Every block from 7 on is whole, signed, and as the state says. The keys and the genesis file are in order. An index was not checked.": {Report: store.Report{From: 7}},
	} {
		if got := checkedParts(&report); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}
