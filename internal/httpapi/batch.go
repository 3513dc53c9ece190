package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"lockstep/client/wire"
	"lockstep/types"
	"lockstep/types/canon"
	"lockstep/types/strict"
)

// maxBatchBody bounds a request with several transactions.
const maxBatchBody = 8 << 20

func (s *server) batchOperation() huma.Operation {
	op := huma.Operation{
		Method: http.MethodPost, Path: "/v1/transactions/batch", OperationID: "submit-batch", Summary: "Submit several transactions",
		Description: "Puts transactions into the pool, in their order and each by itself: the receipts say of each, in that order, whether it " +
			"was taken, or refused and by which code, and none is harmed by another. To submit the same again is safe: one that is in the " +
			"pool or on the ledger has the receipt that says so. The receipt of one that can't be read has no id. As CBOR " +
			"they are an array of byte strings. Who sends many learns what became of them from /v1/outcomes.",
		MaxBodyBytes: maxBatchBody,
		RequestBody: &huma.RequestBody{Content: map[string]*huma.MediaType{
			"application/json": {Schema: &huma.Schema{Ref: schemaPrefix + "Submissions"}},
			wire.CBORType:      {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
		}},
		SkipValidateBody: true, // decodeBatch is stricter
	}
	describeProblems(&op, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	s.protect(&op)
	return op
}

// protect lets only those in who have the token, if there is one.
func (s *server) protect(op *huma.Operation) {
	if s.token == nil {
		return
	}
	describeProblems(op, http.StatusUnauthorized)
	op.Security = []map[string][]string{{securityScheme: {}}}
	op.Middlewares = huma.Middlewares{s.requireToken}
}

type batchInput struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Wait        wait   `query:"wait" doc:"how long to wait until all are final, at most 30s; without it not at all"`
	RawBody     []byte `contentType:"application/cbor"`
}

func (s *server) submitBatch(ctx context.Context, in *batchInput) (*answer[wire.Receipts], error) {
	encoded, err := decodeBatch(in.ContentType, in.RawBody)
	if err != nil {
		return nil, s.refuse(err)
	}
	receipts := make([]wire.Receipt, len(encoded))
	var txs []*types.Tx
	var places []int
	for i := range encoded {
		tx, err := types.DecodeTx(encoded[i])
		if err != nil {
			receipts[i] = refusedReceipt(types.TxID{}, err)
			continue
		}
		txs, places = append(txs, tx), append(places, i)
	}
	for j, err := range s.ledger.SubmitAll(ctx, txs) {
		receipt := wire.Receipt{Tx: txs[j].ID(), Status: wire.StatusPending}
		if err != nil {
			receipt = s.known(ctx, refusedReceipt(receipt.Tx, s.refuse(err)))
		}
		receipts[places[j]] = receipt
	}
	s.awaitAll(ctx, receipts, in.Wait.or(0))
	return &answer[wire.Receipts]{wire.Receipts{Receipts: receipts}}, nil
}

// known returns the receipt of a transaction that was refused only because it had been submitted before: by then its inputs are
// gone, its trade has moved on, or its ID is remembered, so any code can say so.
func (s *server) known(ctx context.Context, refused wire.Receipt) wire.Receipt {
	before, err := s.ledger.Receipt(ctx, refused.Tx)
	if err != nil || before.Status == wire.StatusRefused {
		return refused
	}
	return before
}

// refusedReceipt tells of a transaction that did not come into the pool.
func refusedReceipt(id types.TxID, err error) wire.Receipt {
	receipt := wire.Receipt{Tx: id, Status: wire.StatusRefused, Code: types.CodeOf(err), Detail: err.Error()}
	if p := (*problem)(nil); errors.As(err, &p) {
		receipt.Code, receipt.Detail = p.Code, p.Detail
	}
	receipt.Detail = strings.TrimPrefix(receipt.Detail, receipt.Code.String()+": ")
	return receipt
}

// awaitAll waits until what is pending is final, or for so long.
func (s *server) awaitAll(ctx context.Context, receipts []wire.Receipt, wait time.Duration) {
	until := time.Now().Add(wait)
	for i := range receipts {
		left := time.Until(until)
		if receipts[i].Status != wire.StatusPending || left <= 0 {
			continue
		}
		receipt, err := s.await(ctx, receipts[i].Tx, left)
		if err != nil { // it is in the pool all the same, so that is what can be said
			s.log.Warn("awaiting a transaction failed", "tx", receipts[i].Tx, "error", err)
			continue
		}
		receipts[i] = receipt
	}
}

// decodeBatch reads transactions, as they travel, from a body: an array of byte strings in canonical CBOR, or base64 in JSON. What
// it returns shares no memory with the body.
func decodeBatch(contentType string, body []byte) ([][]byte, error) {
	var batch wire.Submissions
	kind, _, err := mime.ParseMediaType(contentType)
	switch {
	case err == nil && kind == wire.CBORType:
		if err := canon.Decode(bytes.Clone(body), &batch); err != nil {
			return nil, types.Refuse(types.CodeMalformed, "the body must be an array of byte strings, each a transaction: %v", err)
		}
	case err == nil && kind == "application/json":
		var bounded struct {
			Txs boundedList `json:"txs"`
		}
		if err := strict.Unmarshal(body, &bounded); err != nil {
			return nil, types.Refuse(types.CodeMalformed, "the body must be {\"txs\": [\"<base64>\", ...]}: %v", err)
		}
		batch.Txs = bounded.Txs
	default:
		return nil, newProblem(http.StatusUnsupportedMediaType, types.CodeMalformed,
			"transactions come as application/json or as application/cbor: set the Content-Type")
	}
	if n := len(batch.Txs); n == 0 || n > wire.MaxBatch {
		return nil, types.Refuse(types.CodeMalformed, "a batch has 1 to %d transactions, this one has %d", wire.MaxBatch, n)
	}
	return batch.Txs, nil
}

// boundedList is a list of base64 that is not read on when it has become too long: a body can hold millions of empty ones.
type boundedList [][]byte

// UnmarshalJSON reads the list.
func (b *boundedList) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if open, err := decoder.Token(); err != nil || open != json.Delim('[') {
		return errors.New("txs is not a list")
	}
	for *b = nil; decoder.More(); {
		if len(*b) == wire.MaxBatch {
			return fmt.Errorf("there are more than %d", wire.MaxBatch)
		}
		var tx []byte
		if err := decoder.Decode(&tx); err != nil {
			return err
		}
		*b = append(*b, tx)
	}
	return nil
}
