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
		Description: "Puts transactions into the pool, in their order and independently of each other. The receipts keep that order: each " +
			"reports a transaction as accepted, or as refused with its code. Submitting a transaction again is safe: if it is in the pool or " +
			"on the ledger, its receipt says so. The receipt of an unreadable transaction has no id. In CBOR the body is an array of byte " +
			"strings. A client with many transactions reads their outcomes from /v1/outcomes.",
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

// protect requires the access token of an operation, if the node has one.
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
	Wait        wait   `query:"wait" doc:"how long to wait until all are final, at most 30s; no wait by default"`
	RawBody     []byte `contentType:"application/cbor"`
}

func (s *server) submitBatch(ctx context.Context, in *batchInput) (*answer[wire.Receipts], error) {
	encoded, err := decodeBatch(in.ContentType, in.RawBody)
	if err != nil {
		return nil, s.refuse(err)
	}
	if err := takeRate(ctx, len(encoded)); err != nil {
		return nil, err
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

// known returns the receipt of a transaction that was refused only because it had been submitted before. Any code can be the sign of it:
// the first submission has spent its inputs, advanced its trade and recorded its ID.
func (s *server) known(ctx context.Context, refused wire.Receipt) wire.Receipt {
	before, err := s.ledger.Receipt(ctx, refused.Tx)
	if err != nil || before.Status == wire.StatusRefused {
		return refused
	}
	return before
}

// refusedReceipt is the receipt of a transaction that the pool refused.
func refusedReceipt(id types.TxID, err error) wire.Receipt {
	receipt := wire.Receipt{Tx: id, Status: wire.StatusRefused, Code: types.CodeOf(err), Detail: err.Error()}
	if p := (*problem)(nil); errors.As(err, &p) {
		receipt.Code, receipt.Detail = p.Code, p.Detail
	}
	receipt.Detail = strings.TrimPrefix(receipt.Detail, receipt.Code.String()+": ")
	return receipt
}

// awaitAll waits until all pending transactions are final, or until the time is over.
func (s *server) awaitAll(ctx context.Context, receipts []wire.Receipt, wait time.Duration) {
	until := time.Now().Add(wait)
	for i := range receipts {
		left := time.Until(until)
		if receipts[i].Status != wire.StatusPending || left <= 0 {
			continue
		}
		receipt, err := s.await(ctx, receipts[i].Tx, left)
		if err != nil { // it is still in the pool: the receipt stays pending
			s.log.Warn("awaiting a transaction failed", "tx", receipts[i].Tx, "error", err)
			continue
		}
		receipts[i] = receipt
	}
}

// decodeBatch reads encoded transactions from a body: an array of byte strings in canonical CBOR, or base64 in JSON. The result shares
// no memory with the body.
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
			"the Content-Type of transactions must be application/json or application/cbor: set it")
	}
	if n := len(batch.Txs); n == 0 || n > wire.MaxBatch {
		return nil, types.Refuse(types.CodeMalformed, "a batch has 1 to %d transactions, this one has %d", wire.MaxBatch, n)
	}
	return batch.Txs, nil
}

// boundedList is a list of base64 texts. It stops reading at [wire.MaxBatch]: a body can hold millions of empty texts.
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
