package client

import (
	"context"
	"strconv"

	"lockstep/client/wire"
	"lockstep/types"
)

// TradeProof returns the last leaf of a trade in the log of outcomes, with its proof. The client checks none of it.
func (c *Client) TradeProof(ctx context.Context, id types.TradeID) (proof wire.Proof, err error) {
	return proof, wrap("proof of trade "+id.String(), c.get(ctx, "/v1/log/trades/"+id.String(), nil, &proof))
}

// TxProof returns the leaf of an accepted transaction, likewise.
func (c *Client) TxProof(ctx context.Context, id types.TxID) (proof wire.Proof, err error) {
	return proof, wrap("proof of transaction "+id.String(), c.get(ctx, "/v1/log/transactions/"+id.String(), nil, &proof))
}

// LightBlock returns a header with its signatures and validators; height 0 is the newest block.
func (c *Client) LightBlock(ctx context.Context, height uint64) (light wire.LightBlock, err error) {
	text := strconv.FormatUint(height, 10)
	return light, wrap("light block "+text, c.get(ctx, "/v1/log/headers/"+text, nil, &light))
}
