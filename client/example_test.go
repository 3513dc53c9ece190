package client_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"time"

	"lockstep/client"
	"lockstep/internal/httpapi"
	"lockstep/internal/ledgertest"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
	"lockstep/wallet"
)

// exampleNode is the address of a node with its own ledger; your node is one that you started with lockstep node start.
func exampleNode() (url string, now func() time.Time, stop func()) {
	ledger, err := ledgertest.Open("town")
	if err != nil {
		panic(err)
	}
	handler, err := httpapi.New(httpapi.Config{Ledger: ledger, Token: token, Version: "example", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(handler)
	return server.URL, func() time.Time { return ledger.Now().Std() }, func() {
		server.Close()
		_ = ledger.Close()
	}
}

// An account issues money and pays with it.
func ExampleClient_Account() {
	url, clock, stop := exampleNode()
	defer stop()
	ctx := context.Background()

	node, err := client.New(url, client.WithToken(token), client.WithClock(clock)) // the example's ledger has a clock of its own
	if err != nil {
		fmt.Println(err)
		return
	}
	seed, err := wallet.NewSeed(strings.NewReader(strings.Repeat("not random ", 9)), "") // use crypto/rand.Reader
	if err != nil {
		fmt.Println(err)
		return
	}
	key, err := seed.Account(0, wallet.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	account, err := node.Account(ctx, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	euro := types.Asset{Issuer: account.Key(), Code: "EUR", Decimals: 2}
	_, err = account.Do(ctx, func(d *wallet.Draft) error { return d.Issue(euro, 100_00) })
	if err != nil {
		fmt.Println(err)
		return
	}
	receipt, err := account.Do(ctx, func(d *wallet.Draft) error { return d.Send(party.Key("alice"), euro.ID(), 25_00) })
	fmt.Println(receipt.Status, err)
	for balance, err := range node.AllBalances(ctx, account.Key()) {
		fmt.Println(balance.Spendable.Format(balance.Decimals), balance.Code, err)
	}
	// Output:
	// committed <nil>
	// 75.00 EUR <nil>
}
