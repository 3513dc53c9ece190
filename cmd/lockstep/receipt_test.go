package main

import (
	"testing"

	"lockstep/client"
	"lockstep/internal/ledgertest"
	"lockstep/internal/ledgertest/party"
	"lockstep/internal/ledgertest/served"
)

// A receipt attaches a transaction with two readings of the trade's slot once.
func TestReadingsOfAReceipt(t *testing.T) {
	t.Parallel()
	l := ledgertest.NewMetered(t, "test")
	flow, product := l.SoldByMeter(t)
	l.Read(t, "producer", flow, &product, 400, 600)
	node, _ := served.Node(t, l)
	trades, err := node.Trades(t.Context(), party.Key("producer"), false, client.Page{})
	if err != nil || len(trades.Trades) != 1 {
		t.Fatal(trades, err)
	}
	status, err := node.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found, err := readingsOf(t.Context(), node, &trades.Trades[0].Trade, status.Height)
	if err != nil || len(found) != 1 {
		t.Errorf("transactions with readings: %v, %v", found, err)
	}
}
