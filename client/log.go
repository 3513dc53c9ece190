package client

import (
	"context"
	"io"
	"net/url"
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

// TxProofBy returns the leaf of an accepted transaction, proved by the header of a height.
func (c *Client) TxProofBy(ctx context.Context, id types.TxID, header uint64) (proof wire.Proof, err error) {
	query := url.Values{"header": {strconv.FormatUint(header, 10)}}
	return proof, wrap("proof of transaction "+id.String(), c.get(ctx, "/v1/log/transactions/"+id.String(), query, &proof))
}

// LeafProof returns a leaf by its index, with its proof by the newest header.
func (c *Client) LeafProof(ctx context.Context, index uint64) (proof wire.Proof, err error) {
	text := strconv.FormatUint(index, 10)
	return proof, wrap("proof of leaf "+text, c.get(ctx, "/v1/log/leaves/"+text, nil, &proof))
}

// LightBlock returns a header with its signatures and validators; height 0 is the newest block.
func (c *Client) LightBlock(ctx context.Context, height uint64) (light wire.LightBlock, err error) {
	text := heightName(height)
	return light, wrap("light block "+text, c.get(ctx, "/v1/log/headers/"+text, nil, &light))
}

// LogFile returns a file of the log of outcomes as C2SP tlog-tiles names it: "checkpoint", "key", a tile or a bundle.
func (c *Client) LogFile(ctx context.Context, path string) (content []byte, err error) {
	err = c.retry(ctx, func() error {
		ctx, cancel := c.attempt(ctx)
		defer cancel()
		response, err := c.send(ctx, request{path: "/v1/log/" + path})
		if err != nil {
			return err
		}
		defer response.Body.Close()
		content, err = io.ReadAll(io.LimitReader(response.Body, maxLogFile+1))
		switch {
		case err != nil:
			return c.unreachable(ctx, err)
		case len(content) > maxLogFile:
			return c.lied("the file has more than %d bytes", maxLogFile)
		}
		return nil
	})
	return content, wrap("log file "+path, err)
}

// maxLogFile bounds a file of the log: a bundle of 256 leaves.
const maxLogFile = 256 * (2 + types.MaxOutcome)
