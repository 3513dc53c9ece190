package light

import (
	"context"
	"time"

	"lockstep/client/wire"
	"lockstep/internal/chain"
	"lockstep/types"
	"lockstep/wallet"
)

// freshWait is how long a check waits for a header that is not old.
const freshWait = 5 * time.Second

// splitUntil is the latest valid-until of a split of a trade that a key has signed and that could be recorded now; zero without one.
func splitUntil(w *wallet.Wallet, key types.PublicKey, t *wire.Trade, blockTime types.Time) (until types.Time) {
	for _, signed := range w.Signed(blockTime) {
		if p := signed.Proposal; p.Agreement() == nil && p.Trade() == t.ID && p.SignedBy(key) && p.Open(blockTime, t.Clock, &t.Trade) {
			until = max(until, p.ValidUntil())
		}
	}
	return until
}

// Checked is a step that was judged by proof.
type Checked struct {
	Evidence
	Verdicts []Verdict
	Old      error // the newest header is old
}

// Check judges a step in a trade, as the node shows it, by proof. Whether the goods came, the caller asks.
func (c *Client) Check(ctx context.Context, step Step, t *wire.Trade, w *wallet.Wallet, key types.PublicKey) (*Checked, error) {
	e := Evidence{ID: t.ID, Trade: &t.Trade, Goods: true}
	var err error
	if e.Newest, err = c.Newest(ctx); err != nil {
		return nil, err
	}
	for begun := time.Now(); e.Newest.Stale(c.Now()) != nil && time.Since(begun) < freshWait; { // a node that has just started soon has a block
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(freshWait / 20):
		}
		if e.Newest, err = c.Newest(ctx); err != nil {
			return nil, err
		}
		shown, err := c.node.Trade(ctx, t.ID)
		if err != nil {
			return nil, err
		}
		t, e.Trade = &shown, &shown.Trade
	}
	if e.Proof, err = c.Shown(ctx, t.ID, &t.Trade, t.Height); err != nil {
		return nil, err
	}
	e.Now = c.Now()
	seen := types.TimeOf(e.Newest.Time)
	e.SplitUntil = splitUntil(w, key, t, seen)
	if seen > t.Clock {
		e.Lag = seen.Since(t.Clock)
	}
	return &Checked{e, Judge(step, &e), e.Newest.Stale(e.Now)}, nil
}

// Headers checks the headers of receipts, as [chain.Trust] does.
type Headers struct {
	client  *Client
	context context.Context
}

// Headers returns the checker of the headers of receipts. Its questions end with the context.
func (c *Client) Headers(ctx context.Context) Headers { return Headers{c, ctx} }

// Check verifies a signed header: it must be one that the client comes to by itself, with signatures that are good.
func (h Headers) Check(header, commit []byte) (chain.CheckedHeader, error) {
	shown, err := chain.ReadHeader(header, commit)
	if err != nil {
		return shown, err
	}
	followed, err := h.client.headers(h.context)
	if err != nil {
		return shown, err
	}
	return followed.Check(h.context, header, commit, h.client.Now())
}

// Before checks a header from before the first one that the client knows, if it began with the genesis, by the validators of that.
func (h Headers) Before(header, commit []byte) (chain.CheckedHeader, error) {
	followed, err := h.client.headers(h.context)
	if err != nil {
		return chain.CheckedHeader{}, err
	}
	return followed.Before(header, commit)
}

// Later gets a proof of a leaf by a newer header.
func (h Headers) Later(index uint64) (wire.Proof, error) {
	return h.client.node.LeafProof(h.context, index)
}
