package httpapi

import (
	"bytes"
	"context"
	"errors"
	"mime"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"lockstep/client/wire"
	"lockstep/types"
	"lockstep/types/strict"
)

// maxBody bounds a request. A transaction is at most 64 KiB, in base64 a third more.
const maxBody = 1 << 20

func (s *server) submitOperation() huma.Operation {
	op := huma.Operation{
		Method: http.MethodPost, Path: "/v1/transactions", OperationID: "submit", Summary: "Submit a transaction",
		Description: "Puts a transaction into the pool and waits until it is final. A refusal by the pool is a problem with the ledger's " +
			"code; a refusal in the block is in the receipt. Submitting a transaction again is safe.",
		MaxBodyBytes: maxBody,
		RequestBody:  &huma.RequestBody{Content: jsonOf("Submission")},
		Responses: map[string]*huma.Response{
			"200": {Description: "It is final: committed, or refused in its block."},
			"202": {Description: "It is in the pool and not final yet.", Content: jsonOf("Receipt")},
		},
		SkipValidateBody: true, // decodeSubmission is stricter
	}
	describeProblems(&op, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
		http.StatusUnprocessableEntity)
	s.protect(&op)
	return op
}

type submitInput struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Wait        wait   `query:"wait" doc:"how long to wait until it is final, at most 30s; 10s by default, 0 for no wait"`
	RawBody     []byte `contentType:"application/cbor"`
}

type receiptAnswer struct {
	Status int
	Body   wire.Receipt
}

func (s *server) submit(ctx context.Context, in *submitInput) (*receiptAnswer, error) {
	tx, err := decodeSubmission(in.ContentType, in.RawBody)
	if err != nil {
		return nil, s.refuse(err)
	}
	if err := takeRate(ctx, 1); err != nil {
		return nil, err
	}
	if err := s.ledger.Submit(ctx, tx); err != nil {
		return nil, s.refuse(err)
	}
	pending := wire.Receipt{Tx: tx.ID(), Status: wire.StatusPending}
	wait := in.Wait.or(submitWait)
	if wait == 0 {
		return receiptOf(pending), nil
	}
	receipt, err := s.await(ctx, tx.ID(), wait)
	if err != nil { // it is still in the pool: the receipt stays pending
		s.log.Warn("awaiting a transaction failed", "tx", tx.ID(), "error", err)
		return receiptOf(pending), nil
	}
	return receiptOf(receipt), nil
}

func receiptOperation() huma.Operation {
	op := huma.Operation{
		Method: http.MethodGet, Path: "/v1/transactions/{id}", OperationID: "transaction", Summary: "The receipt of a transaction",
		Responses: map[string]*huma.Response{"202": {Description: "It is in the pool and not final yet.", Content: jsonOf("Receipt")}},
	}
	describeProblems(&op, http.StatusNotFound)
	return op
}

type receiptInput struct {
	ID   types.TxID `path:"id" doc:"the id of a transaction"`
	Wait wait       `query:"wait" doc:"how long to wait until it is final, at most 30s; no wait by default"`
}

func (s *server) receipt(ctx context.Context, in *receiptInput) (*receiptAnswer, error) {
	receipt, err := s.await(ctx, in.ID, in.Wait.or(0))
	if err != nil {
		return nil, s.refuse(err)
	}
	return receiptOf(receipt), nil
}

// await waits until a transaction is final, or until the time is over, and returns its receipt.
func (s *server) await(ctx context.Context, id types.TxID, wait time.Duration) (wire.Receipt, error) {
	receipt, err := s.ledger.Receipt(ctx, id)
	if err != nil || receipt.Status != wire.StatusPending || wait == 0 {
		return receipt, err
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	final, err := s.ledger.Await(waiting, id)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return receipt, nil
	}
	return final, err
}

func receiptOf(receipt wire.Receipt) *receiptAnswer {
	status := http.StatusOK
	if receipt.Status == wire.StatusPending {
		status = http.StatusAccepted
	}
	return &receiptAnswer{status, receipt}
}

// decodeSubmission reads a transaction from a body: its canonical CBOR, or base64 in JSON. The result shares no memory with the body.
func decodeSubmission(contentType string, body []byte) (*types.Tx, error) {
	kind, _, err := mime.ParseMediaType(contentType)
	switch {
	case err == nil && kind == wire.CBORType:
		return types.DecodeTx(bytes.Clone(body))
	case err != nil || kind != "application/json":
		return nil, newProblem(http.StatusUnsupportedMediaType, types.CodeMalformed,
			"the Content-Type of a transaction must be application/json or application/cbor: set it")
	}
	var submission wire.Submission
	if err := strict.Unmarshal(body, &submission); err != nil {
		return nil, types.Refuse(types.CodeMalformed, "the body must be {\"tx\": \"<base64>\"}: %v", err)
	}
	return types.DecodeTx(submission.Tx)
}
