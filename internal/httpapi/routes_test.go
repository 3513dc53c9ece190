package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"lockstep/client/wire"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

func receipt(t *testing.T, text []byte) (receipt wire.Receipt) {
	t.Helper()
	if err := json.Unmarshal(text, &receipt); err != nil {
		t.Fatal(err)
	}
	return receipt
}

// TestHalted: a ledger without new blocks is not ready and reports for how long; its node still answers.
func TestHalted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ledger.Halt()
	if health := get[wire.Health](w, "/healthz"); health.Status != "halted" {
		t.Errorf("health %+v", health)
	}
	response, text := w.ask("GET", "/readyz", nil)
	if response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(text), "no block arrived for 1m0s") {
		t.Errorf("ready: %s: %s", response.Status, text)
	}
	if status := get[wire.Status](w, "/v1/status"); !status.Halted || status.SinceBlock != 60_000 {
		t.Errorf("status %+v", status)
	}
	if _, metrics := w.ask("GET", "/metrics", nil); !strings.Contains(string(metrics), `lockstep_since_block_seconds{chain="test"} 60`) {
		t.Error("the metrics don't tell")
	}
}

func TestQuestions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	story, id := w.ledger.Story(t)
	status := get[wire.Status](w, "/v1/status")
	if status.Version != "test" || status.Height != uint64(len(story)+1) || status.ChainID != "test" {
		t.Errorf("status %+v", status)
	}
	if got, want := get[types.Params](w, "/v1/params"), w.ledger.Params(); got.Hash() != want.Hash() {
		t.Errorf("params %+v", got)
	}
	if trade := get[wire.Trade](w, "/v1/trades/"+id.String()); trade.Trade.ID() != id || trade.Phase != types.PhaseReleased {
		t.Errorf("trade %+v", trade)
	}
	trades := get[wire.Trades](w, "/v1/keys/"+party.Key("consumer").String()+"/trades?open=true&limit=1")
	if len(trades.Trades) != 1 || trades.Trades[0].ID != id {
		t.Errorf("trades %+v", trades)
	}
	offers := get[wire.Offers](w, "/v1/offers")
	if ids := get[wire.IDs](w, "/v1/ids/offer/"+offers.Offers[0].ID.String()[:8]); len(ids.IDs) != 1 || ids.More || ids.IDs[0] != offers.Offers[0].ID.String() {
		t.Errorf("ids %+v", ids)
	}
	if ids := get[wire.IDs](w, "/v1/ids/offer/0000"); len(ids.IDs) != 0 {
		t.Errorf("ids %+v", ids)
	}
	if len(offers.Offers) != 1 || offers.Offers[0].Remaining != 600 {
		t.Errorf("offers %+v", offers)
	}
	if offer := get[wire.Offer](w, "/v1/offers/"+offers.Offers[0].ID.String()); offer.Offer.ID() != offers.Offers[0].ID {
		t.Errorf("offer %+v", offer)
	}
	if assets := get[wire.Assets](w, "/v1/assets"); len(assets.Assets) != 1 || assets.Assets[0].Issued != 20_000 {
		t.Errorf("assets %+v", assets)
	}
	euro := party.Euro()
	if asset := get[wire.Asset](w, "/v1/assets/"+euro.ID().String()); asset.Asset != euro || asset.Issued != 20_000 {
		t.Errorf("asset %+v", asset)
	}
	producer := "/v1/keys/" + party.Key("producer").String()
	balances := get[wire.Balances](w, producer+"/balances")
	if len(balances.Balances) != 1 || balances.Balances[0].Spendable != 10_400 || balances.Balances[0].Coins != 3 {
		t.Errorf("balances %+v", balances)
	}
	coins := get[wire.Coins](w, producer+"/coins?asset="+euro.ID().String())
	if len(coins.Coins) != 3 || coins.Coins[0].Amount != 9_960 {
		t.Errorf("coins %+v", coins)
	}
	if output := get[wire.Output](w, "/v1/outputs/"+coins.Coins[0].Outpoint.String()); *output.Owner != party.Key("producer") {
		t.Errorf("output %+v", output)
	}
	latest, last := get[wire.BlockHead](w, "/v1/blocks/latest"), story[len(story)-1]
	txs, events := get[wire.BlockTxs](w, "/v1/blocks/latest/transactions"), get[wire.BlockEvents](w, "/v1/blocks/latest/events")
	if latest.TxCount != 1 || latest.EventCount != len(events.Events) || txs.Txs[0].Tx.ID() != last.ID() || events.Events[0].Kind != types.EventCollected {
		t.Errorf("latest block %+v", latest)
	}
	if got := get[wire.Receipt](w, "/v1/transactions/"+last.ID().String()); got.Height != latest.Height {
		t.Errorf("receipt %+v", got)
	}
	if health := get[wire.Health](w, "/healthz"); health.Status != "ok" {
		t.Errorf("health %+v", health)
	}
	if ready := get[wire.Health](w, "/readyz"); ready.Status != "ready" || ready.Height != latest.Height {
		t.Errorf("ready %+v", ready)
	}
	_, metrics := w.ask("GET", "/metrics", nil)
	for _, want := range []string{
		`lockstep_height{chain="test"} 7`, `lockstep_api_requests_total{route="GET /v1/trades/{id}",status="200"} 1`, "go_goroutines",
	} {
		if !strings.Contains(string(metrics), want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

func TestEmptyLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := party.Key("nobody").String()
	for _, path := range []string{"/v1/keys/" + key + "/balances", "/v1/keys/" + key + "/coins?asset=" + strings.Repeat("0", 64), "/v1/keys/" + key + "/trades", "/v1/offers", "/v1/assets",
		"/v1/blocks/1/transactions", "/v1/blocks/1/events",
		"/v1/products", "/v1/keys/" + key + "/orders", "/v1/keys/" + key + "/record"} {
		if _, text := w.ask("GET", path, nil); bytes.Contains(text, []byte("null")) {
			t.Errorf("%s: %s", path, text)
		}
	}
}

func TestSubmit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tx := w.ledger.Issue(5, "alice")
	response, text := w.submit("/v1/transactions", tx)
	if got := receipt(t, text); response.StatusCode != http.StatusOK || got.Status != wire.StatusCommitted || got.Tx != tx.ID() {
		t.Fatalf("%d %s", response.StatusCode, text)
	}
	response, text = w.submit("/v1/transactions", tx)
	w.refused(response, text, http.StatusUnprocessableEntity, types.CodeReplay)

	raw := w.ledger.Issue(6, "alice")
	response, text = w.ask("POST", "/v1/transactions", bytes.NewReader(raw.Bytes()), "Authorization", "Bearer "+token, "Content-Type", wire.CBORType)
	if got := receipt(t, text); response.StatusCode != http.StatusOK || got.Tx != raw.ID() {
		t.Fatalf("%d %s", response.StatusCode, text)
	}
}

func TestSubmitPending(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ledger.Hold()
	tx := w.ledger.Issue(5, "alice")
	for _, wait := range []string{"0", "20ms"} {
		next := w.ledger.Issue(5, "alice", wait)
		response, text := w.submit("/v1/transactions?wait="+wait, next)
		if got := receipt(t, text); response.StatusCode != http.StatusAccepted || got.Status != wire.StatusPending {
			t.Fatalf("wait %s: %d %s", wait, response.StatusCode, text)
		}
	}
	if response, text := w.submit("/v1/transactions?wait=0s", tx); response.StatusCode != http.StatusAccepted {
		t.Fatalf("%d %s", response.StatusCode, text)
	}
	response, text := w.submit("/v1/transactions", tx)
	w.refused(response, text, http.StatusConflict, types.CodePending)
	if response, text = w.ask("GET", "/v1/transactions/"+tx.ID().String(), nil); response.StatusCode != http.StatusAccepted {
		t.Fatalf("%d %s", response.StatusCode, text)
	}
	done := make(chan wire.Receipt)
	go func() { done <- get[wire.Receipt](w, "/v1/transactions/"+tx.ID().String()+"?wait=30s") }()
	w.ledger.Resume()
	if got := <-done; got.Status != wire.StatusCommitted {
		t.Fatalf("%+v", got)
	}
}

// A transaction that its block refuses has a receipt, not a problem: the submission itself was accepted.
func TestSubmitRefusedInBlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ledger.Hold()
	bad := party.Sign(w.ledger.Body(&types.Issue{Asset: party.Euro(), Amount: 5}), "issuer") // to nobody: unbalanced
	w.submit("/v1/transactions?wait=0", bad)
	w.ledger.Resume()
	got := get[wire.Receipt](w, "/v1/transactions/"+bad.ID().String())
	if got.Status != wire.StatusRefused || got.Code != types.CodeUnbalanced || got.Detail == "" {
		t.Fatalf("%+v", got)
	}
}

func TestCodeStatuses(t *testing.T) {
	t.Parallel()
	for _, info := range types.CodeList() {
		status := statusOf(info.Code)
		if (status == http.StatusOK) != (info.Code == types.CodeOK) || http.StatusText(status) == "" {
			t.Errorf("%s has status %d", info.Name, status)
		}
	}
}
