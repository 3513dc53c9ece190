package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"lockstep/client"
	"lockstep/internal/chain"
	"lockstep/internal/outcomes"
	"lockstep/internal/table"
	"lockstep/types"
)

// defaultProofRate is the rate of [Proof] in trades a second, and proofTime how long it goes on.
const (
	defaultProofRate = 20
	proofTime        = 10 * time.Second
)

// ProofReport is the result of [Proof].
type ProofReport struct {
	Validators int     `json:"validators"`
	Rate       float64 `json:"trades_per_s"`
	Trades     int     `json:"trades"`
	Txs        int     `json:"txs"`
	Final      Times   `json:"final"`  // from the submission until the node says that the transaction is final
	Proved     Times   `json:"proved"` // from the submission until the client has the leaf, its path and the signed header, and has checked them
	Conserved  bool    `json:"conserved"`
}

// Proof measures the time from the submission of a transaction to its proof, at a low rate: validators are processes of their own, and clients ask by the API.
func Proof(ctx context.Context, o Options) (_ *ProofReport, err error) {
	o.Mode = ModeNet
	if o.Rate == 0 {
		o.Rate = defaultProofRate
	}
	if o.Duration == 0 && o.Trades == 0 {
		o.Duration = proofTime
	}
	o = o.withDefaults()
	if o.Actions != 1 {
		return nil, &OptionError{errors.New("one transaction for each step is measured: leave the actions at 1")}
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	b, err := prepare(ctx, &o)
	if err != nil {
		return nil, err
	}
	nodes, ok := b.target.(*netTarget)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the target is a %T", b.target), b.end(false))
	}
	o.Progress(Progress{What: "making and signing trades"})
	b.extend()
	report := &ProofReport{Validators: o.Validators, Rate: o.Rate}
	err = report.measure(ctx, b, nodes)
	if err = errors.Join(err, b.end(err == nil)); err != nil {
		return nil, err
	}
	report.Conserved = true // or there would be an error
	return report, nil
}

// measure lets one pair after the other do a trade, at the rate of the options.
func (r *ProofReport) measure(ctx context.Context, b *bench, nodes *netTarget) error {
	defer b.o.Measured()()
	trades := b.o.Trades
	if trades == 0 {
		trades = int(b.o.Rate * b.o.Duration.Seconds())
	}
	if pairs := len(b.world.pairs); trades > pairs {
		trades = pairs // each pair does one trade: it must not wait for an earlier one of its own
	}
	var mu sync.Mutex
	var final, proved []time.Duration
	group, ctx := errgroup.WithContext(ctx)
	next := time.NewTicker(time.Duration(float64(time.Second) / b.o.Rate))
	defer next.Stop()
	for i := range trades {
		select {
		case <-next.C:
		case <-ctx.Done():
			return group.Wait()
		}
		b.o.Progress(Progress{What: "trading", Done: i, Total: trades})
		node := nodes.processes[i%len(nodes.processes)].client
		group.Go(func() error {
			for _, step := range b.world.pairs[i].steps[:3] {
				began := time.Now()
				said, err := proveStep(ctx, node, &step)
				if err != nil {
					return err
				}
				mu.Lock()
				final, proved = append(final, said.Sub(began)), append(proved, time.Since(began))
				mu.Unlock()
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	r.Trades, r.Txs, r.Final, r.Proved = trades, len(proved), timesOf(final), timesOf(proved)
	return nil
}

// proveStep submits a transaction and checks its proof. It returns when the node said that the transaction is final.
func proveStep(ctx context.Context, node *client.Client, s *step) (final time.Time, err error) {
	tx, err := s.decode()
	if err != nil {
		return final, err
	}
	if _, err := node.Submit(ctx, tx); err != nil {
		return final, err
	}
	final = time.Now()
	proof, err := node.TxProof(ctx, s.id)
	if err != nil {
		return final, err
	}
	header, err := chain.ReadHeader(proof.Signed.Header, proof.Signed.Commit)
	if err == nil && (!outcomes.Proves(proof.Leaf, proof.Index, proof.Path, proof.Log) || header.AppHash != types.AppHash(proof.State, proof.Log)) {
		err = fmt.Errorf("the proof of transaction %s does not hold", s.id)
	}
	return final, err
}

// WriteText writes the report for people.
func (r *ProofReport) WriteText(w io.Writer) error {
	out := table.New(w)
	out.Line("%s transactions of %s trades, %s trades a second, on %s.\n", number(float64(r.Txs)), number(float64(r.Trades)), number(r.Rate),
		map[bool]string{true: "one validator", false: fmt.Sprintf("%d validators", r.Validators)}[r.Validators == 1])
	for _, row := range []struct {
		name  string
		times Times
	}{{"final after", r.Final}, {"proved after", r.Proved}} {
		out.Row(row.name, fmt.Sprintf("%.1f ms (p50), %.1f (p95), %.1f (p99), %.1f (max)", row.times.P50, row.times.P95, row.times.P99, row.times.Max))
	}
	return out.Flush()
}
