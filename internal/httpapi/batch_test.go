package httpapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"lockstep/client/wire"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
	"lockstep/types/canon"
)

// batch submits any bytes as transactions.
func (w *world) batch(path, contentType string, txs ...[]byte) (*http.Response, []byte) {
	w.t.Helper()
	body := canon.Encode(&wire.Submissions{Txs: txs})
	if contentType == "application/json" {
		text := make([]string, len(txs))
		for i, tx := range txs {
			text[i] = `"` + base64.StdEncoding.EncodeToString(tx) + `"`
		}
		body = []byte(`{"txs":[` + strings.Join(text, ",") + `]}`)
	}
	return w.ask("POST", path, bytes.NewReader(body), "Authorization", "Bearer "+token, "Content-Type", contentType)
}

func (w *world) receipts(response *http.Response, text []byte) []wire.Receipt {
	w.t.Helper()
	var answer wire.Receipts
	if err := json.Unmarshal(text, &answer); err != nil || response.StatusCode != http.StatusOK {
		w.t.Fatalf("%d %s: %v", response.StatusCode, text, err)
	}
	return answer.Receipts
}

// The transactions of a batch are independent in both encodings: valid, unreadable, unbalanced, submitted twice, dependent on another.
func TestBatch(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"application/json", wire.CBORType} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			mint := w.ledger.Issue(5, "alice")
			spend := w.ledger.Body()
			euro := party.Euro()
			spend.Inputs = []types.Outpoint{{Tx: mint.ID()}}
			spend.Outputs = []types.Output{{Asset: euro.ID(), Amount: 5, Lock: types.ToKey(party.Key("bob"))}}
			next := party.Sign(spend, "alice")
			bad := party.Sign(w.ledger.Body(&types.Issue{Asset: party.Euro(), Amount: 5}), "issuer") // to nobody: unbalanced
			unsigned := party.Sign(w.ledger.Body(&types.Issue{Asset: party.Euro(), Amount: 6}))
			got := w.receipts(w.batch("/v1/transactions/batch?wait=30s", kind,
				mint.Bytes(), []byte("rubbish"), nil, bad.Bytes(), mint.Bytes(), unsigned.Bytes(), next.Bytes()))
			want := []wire.Receipt{
				{Tx: mint.ID(), Status: wire.StatusCommitted, Code: types.CodeOK},
				{Status: wire.StatusRefused, Code: types.CodeMalformed},
				{Status: wire.StatusRefused, Code: types.CodeMalformed},
				{Tx: bad.ID(), Status: wire.StatusRefused, Code: types.CodeUnbalanced},
				{Tx: mint.ID(), Status: wire.StatusCommitted, Code: types.CodeOK}, // as it says of the first
				{Tx: unsigned.ID(), Status: wire.StatusRefused, Code: types.CodeUnsignedForm},
				{Tx: next.ID(), Status: wire.StatusCommitted, Code: types.CodeOK},
			}
			if len(got) != len(want) {
				t.Fatalf("%d receipts for %d transactions", len(got), len(want))
			}
			for i := range want {
				if got[i].Tx != want[i].Tx || got[i].Status != want[i].Status || got[i].Code != want[i].Code {
					t.Errorf("%d: %+v", i, got[i])
				}
				if refused := got[i].Status == wire.StatusRefused; refused == (got[i].Detail == "") || refused == (got[i].Height > 0) {
					t.Errorf("%d: %+v", i, got[i])
				}
			}
		})
	}
}

func TestBatchDefaultWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ledger.Hold()
	first, second := w.ledger.Issue(5, "alice"), w.ledger.Issue(6, "alice")
	for _, wait := range []string{"", "?wait=20ms"} {
		for _, receipt := range w.receipts(w.batch("/v1/transactions/batch"+wait, wire.CBORType, first.Bytes())) {
			if receipt.Tx != first.ID() || receipt.Status != wire.StatusPending { // and so again
				t.Errorf("%+v", receipt)
			}
		}
	}
	done := make(chan []wire.Receipt)
	go func() { done <- w.receipts(w.batch("/v1/transactions/batch?wait=30s", wire.CBORType, second.Bytes())) }()
	for get[wire.Status](w, "/v1/status").Waiting < 2 {
	}
	w.ledger.Resume()
	if got := <-done; got[0].Status != wire.StatusCommitted {
		t.Errorf("%+v", got)
	}
}

func TestBadBatches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tx := w.ledger.Issue(5, "alice")
	full := slices.Repeat([][]byte{tx.Bytes()}, wire.MaxBatch)
	for _, kind := range []string{"application/json", wire.CBORType} {
		response, text := w.batch("/v1/transactions/batch", kind)
		w.refused(response, text, http.StatusBadRequest, types.CodeMalformed)
		response, text = w.batch("/v1/transactions/batch", kind, append(full, tx.Bytes())...)
		w.refused(response, text, http.StatusBadRequest, types.CodeMalformed)
		if got := w.receipts(w.batch("/v1/transactions/batch", kind, full...)); len(got) != wire.MaxBatch {
			t.Errorf("%d receipts", len(got))
		}
	}
	for _, c := range []struct {
		kind, body string
		status     int
		code       types.Code
	}{
		{"text/plain", "x", http.StatusUnsupportedMediaType, types.CodeMalformed},
		{"", "x", http.StatusUnsupportedMediaType, types.CodeMalformed},
		{"application/json", "", http.StatusBadRequest, types.CodeMalformed},
		{"application/json", `{"txs":[1]}`, http.StatusBadRequest, types.CodeMalformed},
		{"application/json", `{"txs":null}`, http.StatusBadRequest, types.CodeMalformed},
		{"application/json", `{"txs":["AA=="],"more":1}`, http.StatusBadRequest, types.CodeMalformed},
		{"application/json", `{"txs":{}}`, http.StatusBadRequest, types.CodeMalformed},
		{"application/json", `{"txs":["",` + strings.Repeat(`"",`, maxBatchBody/4) + `""]}`, http.StatusBadRequest, types.CodeMalformed},
		{"application/json", `{"txs":["AA=="]}{}`, http.StatusBadRequest, types.CodeMalformed},
		{wire.CBORType, "", http.StatusBadRequest, types.CodeMalformed},
		{wire.CBORType, "\x82\x41\x01", http.StatusBadRequest, types.CodeMalformed},                         // one is missing
		{wire.CBORType, "\x9b\xff\xff\xff\xff\xff\xff\xff\xff", http.StatusBadRequest, types.CodeMalformed}, // far too many
		{wire.CBORType, "\x81\x41\x01\x00", http.StatusBadRequest, types.CodeMalformed},                     // something behind
		{wire.CBORType, strings.Repeat("x", maxBatchBody+1), http.StatusRequestEntityTooLarge, types.CodeTooLarge},
	} {
		response, text := w.ask("POST", "/v1/transactions/batch", strings.NewReader(c.body), "Authorization", "Bearer "+token, "Content-Type", c.kind)
		w.refused(response, text, c.status, c.code)
	}
	response, text := w.ask("POST", "/v1/transactions/batch", strings.NewReader("\x81\x41\x01"), "Content-Type", wire.CBORType)
	w.refused(response, text, http.StatusUnauthorized, types.CodeToken)
}

func FuzzBatch(f *testing.F) {
	f.Add("application/json", []byte(`{"txs":["AA==",""]}`))
	f.Add(wire.CBORType, canon.Encode(&wire.Submissions{Txs: [][]byte{{1}, {}, {2, 3}}}))
	f.Add("", []byte("x"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		before := bytes.Clone(body)
		txs, err := decodeBatch(kind, body)
		if (err == nil) != (len(txs) > 0 && len(txs) <= wire.MaxBatch) {
			t.Errorf("%d transactions, %v", len(txs), err)
		}
		if kind == wire.CBORType && err == nil && !bytes.Equal(canon.Encode(&wire.Submissions{Txs: txs}), body) {
			t.Error("it reads what it would not write")
		}
		for i := range body {
			body[i] ^= 0xff
		}
		if again, _ := decodeBatch(kind, before); !slices.EqualFunc(again, txs, bytes.Equal) {
			t.Error("what it returns shares memory with the body")
		}
	})
}
