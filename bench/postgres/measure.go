package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

//go:embed escrow.sql
var schema string

// result is the output of every peer of the comparison with -json.
type result struct {
	Peer               string   `json:"peer"`
	Version            string   `json:"version"`
	What               string   `json:"what"`
	TradesPerSecond    float64  `json:"trades_per_s"`
	P50                *float64 `json:"p50_ms"` // null: this peer has none
	P99                *float64 `json:"p99_ms"`
	Seconds            float64  `json:"seconds"`
	Durable            bool     `json:"durable"`
	SignaturesPerTrade int      `json:"signatures_per_trade"`
	Cores              int      `json:"cores"`
}

// options are those of the command line.
type options struct {
	variant string
	clients int
	seconds float64
	folder  string
}

// measure trades on a new cluster for some seconds, after a second to warm up, and audits the books.
func measure(ctx context.Context, o options) (_ result, err error) {
	play, what := lean, "3 calls and commits a trade (pay, deliver, release)"
	switch o.variant {
	case "lean":
	case "plain":
		play, what = plain, "4 transactions of single statements a trade (pay, deliver, release, collect)"
	default:
		return result{}, fmt.Errorf("variant %q: it is lean or plain", o.variant)
	}
	durable, err := onDisk(o.folder)
	if err != nil {
		return result{}, err
	}
	c, err := startCluster(ctx, o.folder)
	if err != nil {
		return result{}, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	books, err := pgx.Connect(ctx, c.address())
	if err != nil {
		return result{}, err
	}
	defer books.Close(ctx)
	if err := fill(ctx, books, schema); err != nil {
		return result{}, err
	}

	begin := time.Now().Add(time.Second)
	end := begin.Add(time.Duration(o.seconds * float64(time.Second)))
	times, total, err := trades(ctx, c.address(), o.clients, play, begin, end)
	if err != nil {
		return result{}, err
	}
	finished, err := audit(ctx, books)
	if err != nil {
		return result{}, err
	}
	if finished != total || len(times) == 0 {
		return result{}, fmt.Errorf("%d trades were acknowledged, %d of them in time, and %d are in the books", total, len(times), finished)
	}
	return result{
		Peer: "postgres-" + o.variant, Version: c.version, What: what,
		TradesPerSecond: float64(len(times)) / o.seconds, P50: percentile(times, 50), P99: percentile(times, 99),
		Seconds: o.seconds, Durable: durable, SignaturesPerTrade: 0, Cores: runtime.NumCPU(),
	}, nil
}

// trades lets each client trade without a pause until end. It returns, sorted, how long the trades took that ended between
// begin and end, and how many there were in all.
func trades(
	ctx context.Context, address string, clients int, play func(context.Context, *pgx.Conn, trade) error, begin, end time.Time,
) (times []time.Duration, total int64, err error) {
	var last atomic.Int64
	each := make([][]time.Duration, clients)
	group, ctx := errgroup.WithContext(ctx)
	for i := range clients {
		group.Go(func() error {
			c, err := pgx.Connect(ctx, address)
			if err != nil {
				return err
			}
			defer c.Close(ctx)
			for time.Now().Before(end) {
				consumer := 1 + rand.Int32N(households)
				producer := 1 + (consumer+rand.Int32N(households-1))%households // anyone else
				t := newTrade(last.Add(1), consumer, producer)
				started := time.Now()
				if err := play(ctx, c, t); err != nil {
					return err
				}
				if now := time.Now(); now.After(begin) && now.Before(end) {
					each[i] = append(each[i], now.Sub(started))
				}
			}
			return nil
		})
	}
	err = group.Wait()
	times = slices.Concat(each...)
	slices.Sort(times)
	return times, last.Load(), err
}

func percentile(sorted []time.Duration, p int) *float64 {
	ms := float64(sorted[len(sorted)*p/100].Microseconds()) / 1000
	return &ms
}
