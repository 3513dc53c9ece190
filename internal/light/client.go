package light

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/chain"
	"lockstep/internal/outcomes"
	"lockstep/types"
	"lockstep/wallet"
)

const (
	// MaxAge is the age of the newest header from which on it is flagged. An idle ledger makes a block every two seconds.
	MaxAge = 10 * time.Second
	// Period is the trusting period. Validators that have left could forge headers for a client that has seen none since; it has to come back within it.
	Period = 30 * 24 * time.Hour
	// drift is the most that a header may be ahead of the own clock.
	drift = wallet.MaxAhead

	maxProved = 4096 // proofs that are remembered
)

// Pin names a header that the owner trusts; the zero pin is the genesis.
type Pin struct {
	Height uint64
	Hash   types.Hash
}

// Config is the configuration of a client.
type Config struct {
	Genesis    types.Hash       // of the ledger, by which its validators are known if no header is pinned
	Pin        Pin              // a header to begin with
	Known      wire.LightBlock  // that header with its validators, for a node that no longer has it; zero: the node is asked
	Witnesses  []*client.Client // other nodes of the ledger, whose headers must be the same
	Sequential bool             // verify each header on the way
	Now        func() time.Time // nil: the clock of this machine
}

// Client checks the answers of one node. It is safe for concurrent use.
type Client struct {
	node   *client.Client
	config Config

	mu     sync.Mutex // guards the fields below
	chain  *chain.LightClient
	proofs map[types.TradeID]*Proof
	newest Header
	asked  time.Time // for the newest header
}

// New returns a client that checks the answers of a node. It asks for nothing yet.
func New(node *client.Client, config Config) *Client {
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Client{node: node, config: config, proofs: map[types.TradeID]*Proof{}}
}

// Header is a header that the validators have signed.
type Header struct {
	ChainID string
	Height  uint64
	Time    time.Time
	Hash    types.Hash
	appHash types.Hash
}

// Stale returns an error for a header that is too old to act on at a moment.
func (h *Header) Stale(now time.Time) error {
	if age := now.Sub(h.Time); age > MaxAge {
		return types.Refuse(types.CodeUnavailable, "the newest header that the node shows, of block %d, is %s old: the ledger stands still, the node withholds later blocks, or this machine's clock is ahead; ask another node",
			h.Height, age.Round(time.Second))
	}
	return nil
}

// Pin names the header.
func (h *Header) Pin() Pin { return Pin{h.Height, h.Hash} }

// Now is the clock by which the client judges.
func (c *Client) Now() time.Time { return c.config.Now() }

// headers returns the light client of the engine, which begins with the pinned header, or with the genesis of the known hash.
func (c *Client) headers(ctx context.Context) (*chain.LightClient, error) {
	c.mu.Lock()
	known := c.chain
	c.mu.Unlock()
	if known != nil {
		return known, nil
	}
	trust := chain.TrustHeader(c.config.Pin.Height, c.config.Pin.Hash)
	if c.config.Pin == (Pin{}) {
		network, err := c.node.Network(ctx)
		if err == nil {
			trust, err = chain.TrustGenesisOf(network.File, c.config.Genesis)
		}
		if err != nil {
			return nil, fmt.Errorf("the validators of the ledger are not known: %w", err)
		}
	}
	options := chain.LightOptions{Period: Period, Drift: drift, Sequential: c.config.Sequential, Known: lightOf(&c.config.Known)}
	for _, witness := range c.config.Witnesses {
		options.Witnesses = append(options.Witnesses, fetchFrom(witness))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.chain == nil {
		c.chain = chain.NewLightClient(trust, fetchFrom(c.node), options)
	}
	return c.chain, nil
}

// begin finds the first header before a proof is asked for: one that is asked for earlier could come before it.
func (c *Client) begin(ctx context.Context) error {
	headers, err := c.headers(ctx)
	if err != nil {
		return err
	}
	if err := headers.Begin(ctx, c.Now()); err != nil {
		return c.doubt(err)
	}
	return nil
}

func fetchFrom(node *client.Client) chain.Fetch {
	return func(ctx context.Context, height uint64) (chain.LightBlock, error) {
		light, err := node.LightBlock(ctx, height)
		return lightOf(&light), err
	}
}

func lightOf(light *wire.LightBlock) chain.LightBlock {
	return chain.LightBlock{
		SignedHeader: chain.SignedHeader{Height: light.Height, Header: light.Header, Commit: light.Commit}, Hash: light.Hash, Validators: light.Validators,
	}
}

func headerOf(h *chain.CheckedHeader) Header {
	return Header{ChainID: h.ChainID, Height: h.Height, Time: h.Time, Hash: h.Hash, appHash: h.AppHash}
}

// Newest returns the newest header that the node has shown with the signatures of the validators. It may be old: see [Header.Stale].
func (c *Client) Newest(ctx context.Context) (Header, error) {
	headers, err := c.headers(ctx)
	if err != nil {
		return Header{}, err
	}
	now := c.Now()
	checked, err := headers.Newest(ctx, now)
	if err != nil {
		return Header{}, c.doubt(err)
	}
	newest := headerOf(&checked)
	c.mu.Lock()
	c.newest, c.asked = newest, now
	c.mu.Unlock()
	return newest, nil
}

// Fresh returns the newest header, without a question if one of the last second is known. It refuses one that is too old.
func (c *Client) Fresh(ctx context.Context) (Header, error) {
	const again = time.Second
	c.mu.Lock()
	newest, asked := c.newest, c.asked
	c.mu.Unlock()
	if now := c.Now(); newest.Height == 0 || now.Sub(asked) > again || now.Before(asked) {
		var err error
		if newest, err = c.Newest(ctx); err != nil {
			return newest, err
		}
	}
	return newest, newest.Stale(c.Now())
}

// At returns a header of a height.
func (c *Client) At(ctx context.Context, height uint64) (Header, error) {
	headers, err := c.headers(ctx)
	if err != nil {
		return Header{}, err
	}
	checked, err := headers.At(ctx, height, c.Now())
	if err != nil {
		return Header{}, c.doubt(err)
	}
	return headerOf(&checked), nil
}

// Proof is a leaf of the log of outcomes that is proved.
type Proof struct {
	Index   uint64
	Outcome *types.Outcome
	Header  Header // that proves it
	// Of a proof about a trade: its step, or its whole story once it is over.
	Step  *types.Stepped
	Story *types.Trade
}

// Trade proves the last step of a trade that the node shows. The node can hide a later step; [Steps] says how that can harm.
func (c *Client) Trade(ctx context.Context, id types.TradeID) (*Proof, error) {
	if err := c.begin(ctx); err != nil {
		return nil, err
	}
	shown, err := c.node.TradeProof(ctx, id)
	if err != nil {
		return nil, err
	}
	proof, err := c.check(ctx, &shown)
	if err != nil {
		return nil, err
	}
	if proof.Find(id); proof.Step == nil && proof.Story == nil {
		return nil, c.lied("it proves a leaf that does not tell of trade %s", id)
	}
	return proof, nil
}

// Tx proves that a transaction was accepted.
func (c *Client) Tx(ctx context.Context, id types.TxID) (*Proof, error) {
	if err := c.begin(ctx); err != nil {
		return nil, err
	}
	shown, err := c.node.TxProof(ctx, id)
	if err != nil {
		return nil, err
	}
	proof, err := c.check(ctx, &shown)
	if err == nil && proof.Outcome.Tx != id {
		err = c.lied("it proves a leaf of transaction %s for transaction %s", proof.Outcome.Tx, id)
	}
	return proof, err
}

// Find looks for a trade in the leaf: of its steps in one transaction the last.
func (p *Proof) Find(id types.TradeID) {
	for _, effect := range p.Outcome.Effects {
		switch e := effect.(type) {
		case *types.Ended:
			if e.Trade.ID() == id {
				p.Story = e.Trade
			}
		case *types.Stepped:
			if e.Trade == id {
				p.Step = e
			}
		case *types.Begun, *types.Noted, *types.Matched, *types.Cleared, *types.Governed:
		}
	}
}

// check verifies a proof: leaf, index and path lead to the root, and root and state to the app hash of a header that the validators have signed.
func (c *Client) check(ctx context.Context, shown *wire.Proof) (*Proof, error) {
	outcome := new(types.Outcome)
	if err := types.Decode(shown.Leaf, outcome); err != nil {
		return nil, c.lied("leaf %d can't be read: %v", shown.Index, err)
	}
	if !outcomes.Proves(shown.Leaf, shown.Index, shown.Path, shown.Log) {
		return nil, c.lied("leaf %d does not stand in the log that it shows", shown.Index)
	}
	header, err := c.At(ctx, shown.Signed.Height)
	if err != nil {
		return nil, err
	}
	if header.appHash != types.AppHash(shown.State, shown.Log) {
		return nil, c.lied("the log that it shows is not the one to which header %d commits", header.Height)
	}
	if outcome.Height >= header.Height {
		return nil, c.lied("header %d proves a leaf of block %d", header.Height, outcome.Height)
	}
	return &Proof{Index: shown.Index, Outcome: outcome, Header: header}, nil
}

// lied returns the error of a node whose proof does not hold.
func (c *Client) lied(format string, args ...any) error {
	return &Lie{types.Refuse(types.CodeInternal, "don't trust the node: "+format+"; ask another node", args...)}
}

// doubt explains an error of a header. Errors that an honest node can cause stay as they are.
func (c *Client) doubt(err error) error {
	if errors.Is(err, chain.ErrExpired) {
		return fmt.Errorf("%w, and name it in the settings of the page, or with \"lockstep wallet ledger --trusted HEIGHT:HASH\"", err)
	}
	for _, honest := range []error{chain.ErrEarlier, chain.ErrAhead, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, honest) {
			return err
		}
	}
	if types.CodeOf(err) != types.CodeInternal {
		return err
	}
	return &Lie{types.Refuse(types.CodeInternal, "don't trust the node: the header that it shows does not hold: %v", err)}
}

// Lie is a fault that only a lying node, or a fork of the ledger, can cause; other errors may be those of a slow or a pruned node.
type Lie struct{ error }

// Unwrap returns the fault.
func (l *Lie) Unwrap() error { return l.error }

// String writes a pin as HEIGHT:HASH.
func (p Pin) String() string { return strconv.FormatUint(p.Height, 10) + ":" + p.Hash.String() }

// ParsePin reads a pin from HEIGHT:HASH.
func ParsePin(text string) (pin Pin, err error) {
	pin.Height, pin.Hash, err = chain.ParseTrusted(text)
	return pin, err
}
