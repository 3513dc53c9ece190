package client

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"lockstep/client/wire"
	"lockstep/types"
	"lockstep/types/canon"
)

// longestWait is the longest wait that the client asks of a node before it answers; see package httpapi.
const longestWait = 25 * time.Second

// Submit sends a transaction and waits until it is final, or the ledger stands still: see [StandsStill]. A refusal, by the pool or in the block, is an error with the ledger's code.
// Sending a transaction again is safe: it has no second effect, and the answer is its receipt.
func (c *Client) Submit(ctx context.Context, tx *types.Tx) (wire.Receipt, error) {
	begun := time.Now()
	receipt, err := c.submit(ctx, tx, c.turn())
	if err == nil && receipt.Status == wire.StatusPending {
		receipt, err = c.await(ctx, tx.ID(), begun)
	}
	if err == nil && receipt.Status == wire.StatusRefused {
		err = &types.Refusal{Code: receipt.Code, Detail: receipt.Detail}
	}
	return receipt, wrap("submit transaction "+tx.ID().String(), err)
}

// SubmitAsync sends a transaction and returns once it is in the node's pool; see [Client.Await]. It may be final by then.
func (c *Client) SubmitAsync(ctx context.Context, tx *types.Tx) (wire.Receipt, error) {
	receipt, err := c.submit(ctx, tx, 0)
	return receipt, wrap("submit transaction "+tx.ID().String(), err)
}

// SubmitMany sends transactions in their order and independently of each other. It returns once the node has accepted or refused each; the
// receipts have the same order. See [Client.Outcomes] for their outcomes. After an error only the transactions with receipts were
// submitted for certain. Sending all again is safe.
func (c *Client) SubmitMany(ctx context.Context, txs []*types.Tx) (receipts []wire.Receipt, err error) {
	for len(txs) > 0 {
		n := batchLength(txs)
		some, err := c.submitBatch(ctx, txs[:n])
		if err != nil {
			return receipts, wrap(fmt.Sprintf("submit %d transactions", len(txs)), err)
		}
		receipts, txs = append(receipts, some...), txs[n:]
	}
	return receipts, nil
}

// batchBytes bounds the transactions of one request. It is below the bound of a node.
const batchBytes = 4 << 20

// batchLength returns the number of transactions in the next request, at least one.
func batchLength(txs []*types.Tx) int {
	bytes := 0
	for i, tx := range txs {
		if bytes += len(tx.Bytes()); i == wire.MaxBatch || i > 0 && bytes > batchBytes {
			return i
		}
	}
	return len(txs)
}

func (c *Client) submitBatch(ctx context.Context, txs []*types.Tx) ([]wire.Receipt, error) {
	batch, answer := wire.Submissions{Txs: make([][]byte, len(txs))}, wire.Receipts{}
	for i, tx := range txs {
		batch.Txs[i] = tx.Bytes()
	}
	if err := c.exchange(ctx, request{path: "/v1/transactions/batch", body: canon.Encode(&batch), contentType: wire.CBORType}, &answer); err != nil {
		return nil, err
	}
	if len(answer.Receipts) != len(txs) {
		return nil, c.strange("it has %d receipts for %d transactions", len(answer.Receipts), len(txs))
	}
	for i := range answer.Receipts {
		receipt := &answer.Receipts[i]
		if receipt.Status == wire.StatusRefused && receipt.Tx == (types.TxID{}) { // the node can't read it
			receipt.Tx = txs[i].ID()
		}
		if err := c.checkReceipt(receipt, txs[i].ID()); err != nil {
			return nil, err
		}
	}
	return answer.Receipts, nil
}

// Tx returns the present receipt of a transaction.
func (c *Client) Tx(ctx context.Context, id types.TxID) (wire.Receipt, error) {
	receipt, err := c.receipt(ctx, id, 0)
	return receipt, wrap("transaction "+id.String(), err)
}

// Await waits until a transaction is final, or the ledger stands still: see [StandsStill]. A refusal in its block is in the receipt and not an error.
func (c *Client) Await(ctx context.Context, id types.TxID) (wire.Receipt, error) {
	receipt, err := c.await(ctx, id, time.Now())
	return receipt, wrap("await transaction "+id.String(), err)
}

func (c *Client) submit(ctx context.Context, tx *types.Tx, wait time.Duration) (wire.Receipt, error) {
	var receipt wire.Receipt
	err := c.exchange(ctx, request{
		path:  "/v1/transactions",
		query: waitQuery(wait),
		body:  tx.Bytes(), contentType: wire.CBORType,
	}, &receipt)
	if err == nil {
		return receipt, c.checkReceipt(&receipt, tx.ID())
	}
	return c.repeated(ctx, tx.ID(), err)
}

// repeated checks whether a submission was refused only because it had been made before. Any code can be the sign of it: the first
// submission has spent its inputs, advanced its trade and recorded its ID.
func (c *Client) repeated(ctx context.Context, id types.TxID, refusal error) (wire.Receipt, error) {
	switch types.CodeOf(refusal) {
	case types.CodeUnavailable, types.CodeInternal, types.CodePoolFull:
		return wire.Receipt{}, refusal
	}
	receipt, err := c.receipt(ctx, id, 0)
	if err != nil || receipt.Status == wire.StatusRefused {
		return wire.Receipt{}, refusal
	}
	return receipt, nil
}

func (c *Client) await(ctx context.Context, id types.TxID, begun time.Time) (wire.Receipt, error) {
	for {
		receipt, err := c.receipt(ctx, id, c.turn())
		if err != nil || receipt.Status != wire.StatusPending {
			return receipt, err
		}
		if err := c.outwaited(ctx, begun, "The transaction "+id.String()+" waits in the node's pool, and goes on when the ledger does"); err != nil {
			return receipt, err
		}
		if !pause(ctx, firstBackoff) { // do not flood a node that does not wait
			return receipt, context.Cause(ctx)
		}
	}
}

func (c *Client) receipt(ctx context.Context, id types.TxID, wait time.Duration) (receipt wire.Receipt, err error) {
	if err = c.get(ctx, "/v1/transactions/"+id.String(), waitQuery(wait), &receipt); err == nil {
		err = c.checkReceipt(&receipt, id)
	}
	return receipt, err
}

func waitQuery(wait time.Duration) url.Values {
	return url.Values{"wait": {wait.String()}}
}
