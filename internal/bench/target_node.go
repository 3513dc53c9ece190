package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/chain"
	"lockstep/internal/node"
	"lockstep/types"
)

// firstBlock is how long a node may take to make its first block.
const firstBlock = time.Minute

// nodeTarget is one validator in this process, asked directly or by its API.
type nodeTarget struct {
	dir    string
	node   *node.Node
	client *client.Client // nil: asked directly
	next   uint64         // height to follow from
	cancel context.CancelFunc
	ended  chan error
	o      *Options
}

func newNodeTarget(ctx context.Context, o *Options) (_ *nodeTarget, err error) {
	dir, err := os.MkdirTemp(o.Folder, "lockstep-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the node: %w", err)
	}
	t := &nodeTarget{dir: dir, ended: make(chan error, 1), o: o}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.stop(), t.remove())
		}
	}()
	if err := node.Init(t.home(), o.initial()); err != nil {
		return nil, err
	}
	if t.node, err = node.Open(node.Config{Dir: t.home(), API: "127.0.0.1:0", Version: "bench"}, o.Logger); err != nil {
		return nil, err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx)) // it is stopped after the last trade, not with it
	t.cancel = cancel
	go func() { t.ended <- t.node.Run(running) }()
	if t.client, err = newClient(t.node.APIAddress(), t.node.Token(), o.Clients); err != nil {
		return nil, err
	}
	if err := awaitFirstBlock(ctx, t.client); err != nil {
		return nil, err
	}
	if o.Mode == ModeNode {
		t.client = nil
	}
	return t, nil
}

// initial are the settings of the node that is measured.
func (o *Options) initial() node.InitOptions {
	made := node.InitOptions{Params: o.params(), Settings: node.DefaultSettings()}
	if o.memory > 0 {
		made.Settings.MemoryMB = o.memory
	}
	if o.keep != "" {
		made.Settings.Keep, made.Settings.Snapshots, made.Evidence = o.keep, oftenSnapshots, chain.MinEvidenceAge
	}
	if o.listen != "" {
		made.Settings.P2PListen, made.Settings.Snapshots = o.listen, oftenSnapshots
	}
	return made
}

// oftenSnapshots makes a snapshot at each checkpoint: nothing is pruned behind the oldest one.
const oftenSnapshots = 1 // ms

// newClient keeps a connection open for each that hands in.
func newClient(address, token string, clients int) (*client.Client, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: clients + 2, MaxIdleConns: clients + 2}
	return client.New("http://"+address, client.WithToken(token), client.WithHTTPClient(&http.Client{Transport: transport}))
}

func awaitFirstBlock(ctx context.Context, c *client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, firstBlock)
	defer cancel()
	for {
		_, err := c.Status(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the node has made no block in %s: %w", firstBlock, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (t *nodeTarget) home() string { return filepath.Join(t.dir, "node") }

func (t *nodeTarget) ready(ctx context.Context) error {
	status, err := t.node.Ledger().Status(ctx)
	t.next = status.Height + 1
	return err
}

func (t *nodeTarget) nodes() int { return 1 }

func (t *nodeTarget) submit(ctx context.Context, _ int, txs []encoded) []error {
	if t.client != nil {
		return submitTo(ctx, t.client, txs)
	}
	decoded, err := decodeAll(txs) // as the node does with requests
	if err != nil {
		return allFailed(len(txs), err)
	}
	return t.node.Ledger().SubmitAll(ctx, decoded)
}

// submitTo hands transactions in by a node's API.
func submitTo(ctx context.Context, c *client.Client, txs []encoded) []error {
	decoded, err := decodeAll(txs)
	if err != nil {
		return allFailed(len(txs), err)
	}
	receipts, err := c.SubmitMany(ctx, decoded)
	errs := allFailed(len(txs), err)
	for i, receipt := range receipts {
		errs[i] = nil
		if receipt.Status == wire.StatusRefused {
			errs[i] = &types.Refusal{Code: receipt.Code, Detail: receipt.Detail}
		}
	}
	return errs
}

func (t *nodeTarget) follow(ctx context.Context, seen func(final)) error {
	if t.client != nil {
		return followOutcomes(ctx, t.client, 0, t.next, seen)
	}
	for block, err := range t.node.Ledger().Events(ctx, t.next) {
		if err != nil {
			return err
		}
		txs := make([]verdict, len(block.Txs))
		for i, tx := range block.Txs {
			txs[i] = verdict{tx.ID, tx.Code}
		}
		seen(final{height: block.Height, at: time.Now(), txs: txs})
	}
	return nil
}

// followOutcomes reads final transactions from a node's stream.
func followOutcomes(ctx context.Context, c *client.Client, index int, from uint64, seen func(final)) error {
	for outcomes, err := range c.Outcomes(ctx, from) {
		if err != nil {
			return err
		}
		txs := make([]verdict, len(outcomes.Txs))
		for i, tx := range outcomes.Txs {
			txs[i] = verdict{tx.ID, tx.Code}
		}
		seen(final{node: index, height: outcomes.Height, at: time.Now(), txs: txs})
	}
	return nil
}

func (t *nodeTarget) usage() (usage, error) {
	used, err := ownUsage()
	if err == nil {
		used.disk, err = folderBytes(t.dir)
	}
	return used, err
}

// stop ends the node and waits for it.
func (t *nodeTarget) stop() error {
	if t.node == nil {
		return nil
	}
	var err error
	if t.cancel != nil {
		t.cancel()
		err = <-t.ended
	}
	err = errors.Join(err, t.node.Close())
	t.node = nil
	return err
}

func (t *nodeTarget) abandon() error { return t.stop() }

func (t *nodeTarget) close(issued types.Amount) error {
	if err := t.stop(); err != nil {
		return err
	}
	return checkNode(t.home(), issued, t.o)
}

// checkNode recomputes the commitment of a stopped node's files.
func checkNode(dir string, issued types.Amount, o *Options) error {
	report, err := node.Check(dir, o.Logger)
	if err != nil {
		return err
	}
	return checkSums(report.Sums, issued)
}

func (t *nodeTarget) remove() error { return os.RemoveAll(t.dir) }
