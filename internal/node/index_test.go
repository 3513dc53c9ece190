package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lockstep/client"
	"lockstep/internal/chain"
	"lockstep/internal/index"
	"lockstep/internal/ledgertest/party"
	"lockstep/internal/store"
	"lockstep/types"
)

// followed returns the digest of the index in a stopped node's folder after it has caught up with the store.
func followed(t *testing.T, dir string) types.Hash {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	params, err := chain.LoadParams(filepath.Join(dir, engineFolder))
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(filepath.Join(dir, storeFolder), params, store.DefaultMemory, quiet)
	if err != nil {
		t.Fatal(err)
	}
	x, err := openIndex(dir, s, quiet)
	if err != nil {
		t.Fatal(err)
	}
	at, err := x.Position(t.Context())
	if err != nil || at.Height == 0 {
		t.Errorf("the node's index is at height %d: %v", at.Height, err)
	}
	for blocks := 1; blocks > 0; {
		if blocks, err = advanceIndex(t.Context(), x, s); err != nil {
			t.Fatal(err)
		}
	}
	digest, err := x.Digest(t.Context())
	if err := errors.Join(err, x.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	return digest
}

// TestIndexPauseAfterBurst starts a pause of an hour on a node without waiting transactions.
func TestIndexPauseAfterBurst(t *testing.T) {
	t.Parallel()
	n, _ := start(t, initNode(t, quickParams()))
	busy, cancel := n.whileBusy(t.Context(), time.Hour)
	defer cancel()
	<-busy.Done()
	if !errors.Is(busy.Err(), context.Canceled) {
		t.Error("it ended by itself")
	}
}

// sameWhenRebuilt wants the index of a node to equal one that is rebuilt from its store.
func sameWhenRebuilt(t *testing.T, dir string) IndexReport {
	t.Helper()
	live := followed(t, dir)
	report, err := Reindex(t.Context(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if report.Digest != live {
		t.Errorf("followed it has the digest %s, rebuilt %s", live, report.Digest)
	}
	return report
}

// TestIndexOfRunningNode: two orders match in an auction of a running node, and the index has the auction.
func TestIndexOfRunningNode(t *testing.T) {
	t.Parallel()
	params := quickParams()
	params.Slot = second
	params.Market.Opens, params.Market.Gate, params.Market.Grids = 60*second, second, party.HoldGrids()
	params.Market.Reading, params.Market.Confirm = second, second
	dir := initNode(t, params)
	n, stop := start(t, dir)
	must(t, n.Ledger(), mint(params, 1000, "peter"))
	asset := party.Euro()
	from := (types.TimeOf(time.Now())/1000 + 5) * 1000
	product := types.Product{Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: "town", From: from, Until: from.Add(second), Asset: asset.ID()}
	for name, side := range map[string]types.Side{"peter": types.Sell, "clara": types.Bid} {
		order := party.Order(&params, name, types.Order{Product: product, Side: side, Quantity: 10, Limit: 3})
		must(t, n.Ledger(), party.Sign(body(params, party.Place(order)...), "issuer", name))
	}
	id, clara := product.ID(), party.Key("clara")
	for held := false; !held; time.Sleep(20 * time.Millisecond) {
		var err error
		var auction index.Auction
		if auction, held, err = n.Index().Auction(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if held && (auction.Trades != 1 || auction.Rounds[0].Price != 3 || auction.Average != "3") {
			t.Errorf("the auction is %+v", auction)
		}
	}
	trades, err := n.Index().Trades(t.Context(), index.TradeFilter{Party: &clara, Product: &id}, index.Page{})
	if err != nil || len(trades.Trades) != 1 || trades.Trades[0].Price != 30 {
		t.Errorf("clara has %+v, %v", trades.Trades, err)
	}
	stop()
	if report := sameWhenRebuilt(t, dir); report.Trades != 1 || report.Auctions != 1 || report.Orders != 2 {
		t.Errorf("rebuilt: %+v", report)
	}
}

// TestIndexAfterPowerCut: a node is killed right after it reported a transaction as final: before, while or after the index adds
// it.
func TestIndexAfterPowerCut(t *testing.T) {
	t.Parallel()
	params := types.DefaultParams("test")
	dir := initNode(t, params)
	token, err := LoadToken(dir)
	if err != nil {
		t.Fatal(err)
	}
	n, stop := start(t, dir)
	must(t, n.Ledger(), mint(params, 1000, "peter"))
	stop()
	const cuts, each = 5, 4
	for cut := range cuts {
		c := startChild(t, dir)
		address := c.address(t)
		for i := range each {
			customer := &customer{params: params, token: token, pending: agreeTx(params, uint64(cut*each+i))}
			if receipt, err := customer.handIn(address); err != nil || receipt.Code != types.CodeOK {
				t.Fatalf("%+v, %v", receipt, err)
			}
			if receipt, err := receiptAt(address, customer.pending.ID()); err != nil || receipt.Code != types.CodeOK {
				t.Fatalf("%+v, %v", receipt, err)
			}
		}
		time.Sleep(time.Duration(cut) * 3 * time.Millisecond)
		c.kill()
	}
	_, stop = start(t, dir) // the engine replays the last blocks, which the store may have lost
	stop()
	if report := sameWhenRebuilt(t, dir); report.Trades != cuts*each {
		t.Errorf("rebuilt: %+v", report)
	}
}

func agreeTx(params types.Params, nonce uint64) *types.Tx {
	asset, now := party.Euro(), types.TimeOf(time.Now())
	return party.Sign(body(params, party.Agree(types.Agreement{
		ChainID: params.ChainID, Producer: party.Key("peter"), Consumer: party.Key("clara"),
		Goods: types.Goods{Commodity: "parcel", Unit: types.UnitItem, Quantity: 1, Note: fmt.Sprint(nonce)},
		Asset: asset.ID(), Price: 100, Deposit: 10, Instalments: 1, Nonce: nonce, Fallback: &types.Hold{},
		Deadlines: types.Deadlines{
			PayBy: now.Add(600 * second), DeliverBy: now.Add(700 * second), ReadingBy: now.Add(800 * second), ConfirmBy: now.Add(900 * second),
		},
	}, now.Add(600*second), "peter", "clara")), "peter")
}

func TestReindexOfRunningNode(t *testing.T) {
	t.Parallel()
	dir := initNode(t, quickParams())
	start(t, dir)
	if _, err := Reindex(t.Context(), dir, slog.New(slog.DiscardHandler)); !errors.Is(err, store.ErrLocked) {
		t.Error(err)
	}
}

// TestNodeWithoutIndex: a node that keeps no index refuses the questions that need one and names the node to ask; once the index is switched on, it
// has the blocks of before.
func TestNodeWithoutIndex(t *testing.T) {
	t.Parallel()
	params := quickParams()
	dir := t.TempDir()
	settings := DefaultSettings()
	*settings.Index, settings.IndexAt = false, "https://history.example"
	if err := Init(dir, InitOptions{Params: params, Settings: settings}); err != nil {
		t.Fatal(err)
	}
	n, stop := start(t, dir)
	must(t, n.Ledger(), mint(params, 1000, "peter"), agreeTx(params, 1))
	asks, err := client.New("http://" + n.APIAddress())
	if err != nil {
		t.Fatal(err)
	}
	_, trades := asks.TradeHistory(t.Context(), client.TradeFilter{}, client.Page{})
	_, auctions := asks.AuctionHistory(t.Context(), client.AuctionFilter{}, client.Page{})
	_, fills := asks.Fills(t.Context(), party.Key("peter"), types.ProductID{}, client.Page{})
	for _, err := range []error{trades, auctions, fills} {
		if types.CodeOf(err) != types.CodeUnavailable || !strings.Contains(err.Error(), "https://history.example") {
			t.Errorf("a question on history: %v", err)
		}
	}
	status, err := asks.Status(t.Context())
	if err != nil || status.Index != 0 || n.Index() != nil {
		t.Errorf("the status tells index height %d: %v", status.Index, err)
	}
	if open, err := asks.Trades(t.Context(), party.Key("peter"), true, client.Page{}); err != nil || len(open.Trades) != 1 {
		t.Errorf("the open trades are %+v: %v", open, err)
	}
	for text, want := range map[string]bool{"lockstep_height": true, "lockstep_index_height": false} {
		if got := strings.Contains(metricsOf(t, n), "\n"+text+"{"); got != want {
			t.Errorf("metric %s: %t", text, got)
		}
	}
	stop()
	quiet := slog.New(slog.DiscardHandler)
	if report, err := Check(dir, quiet); err != nil || report.Index != (types.Hash{}) {
		t.Errorf("the check found the index %s: %v", report.Index, err)
	}
	if _, err := Reindex(t.Context(), dir, quiet); err == nil || !strings.Contains(err.Error(), `set "index": true in`) {
		t.Errorf("reindex: %v", err)
	}
	*settings.Index, settings.IndexAt = true, ""
	if err := writeSettings(filepath.Join(dir, settingsFile), settings); err != nil {
		t.Fatal(err)
	}
	n, stop = start(t, dir)
	for found := 0; found == 0; time.Sleep(10 * time.Millisecond) {
		answer, err := n.Index().Trades(t.Context(), index.TradeFilter{}, index.Page{})
		if err != nil {
			t.Fatal(err)
		}
		found = len(answer.Trades)
	}
	stop()
	if report := sameWhenRebuilt(t, dir); report.Trades != 1 {
		t.Errorf("rebuilt: %+v", report)
	}
}

func metricsOf(t *testing.T, n *Node) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+n.APIAddress()+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestIndexSettings: a setting that would have no effect, or send clients nowhere, is refused.
func TestIndexSettings(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		`{"index": false}`: "",
		`{"index": null}`:  "",
		`{"index": true}`:  "",
		`{"index": false, "index_at": "http://10.0.0.7:8645"}`:  "",
		`{"index_at": "https://node.example"}`:                  "keeps an index itself",
		`{"index": false, "index_at": "node.example"}`:          "not the address",
		`{"index": false, "index_at": "https://a:b@x.example"}`: "not the address",
		`{"index": "no"}`: "index",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, settingsFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadSettings(dir); (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
