package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/ethereum/go-ethereum/log"
)

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
	seconds float64
	trades  int // a block; 0: a full block
}

// measure inserts blocks until it has spent the seconds in that, making them costs more and is not counted. The first
// round warms up.
func measure(ctx context.Context, o options) (_ result, err error) {
	v, err := findVariant(o.variant)
	if err != nil {
		return result{}, err
	}
	trades := o.trades
	if trades == 0 {
		trades = int(blockGas / v.gas)
	}
	log.SetDefault(log.NewLogger(log.DiscardHandler())) // geth logs by a global; each block would be a line
	folder, err := os.MkdirTemp("", "lockstep-bench-geth-")
	if err != nil {
		return result{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	w, err := newWorld(folder, v, trades)
	if err != nil {
		return result{}, err
	}
	defer func() { err = errors.Join(err, w.close()) }()

	var spent time.Duration
	rounds := 0
	for warm := false; spent.Seconds() < o.seconds; warm = true {
		if err := ctx.Err(); err != nil {
			return result{}, err
		}
		took, err := w.play()
		if err != nil {
			return result{}, err
		}
		if warm {
			spent += took
			rounds++
		}
	}
	if err := w.audit(); err != nil {
		return result{}, err
	}
	return result{
		Peer: "geth-" + v.name, Version: "go-ethereum " + version("github.com/ethereum/go-ethereum"),
		What:            fmt.Sprintf("%s, blocks of %d transactions decoded, checked, executed and stored; no consensus, no network", v.what, trades),
		TradesPerSecond: float64(rounds*trades) / spent.Seconds(), Seconds: spent.Seconds(),
		Durable: false, SignaturesPerTrade: len(v.steps), Cores: runtime.NumCPU(),
	}, nil
}

// play lets each household trade once, and says how long the chain took for it.
func (w *world) play() (spent time.Duration, err error) {
	blocks, err := w.round()
	if err != nil {
		return 0, err
	}
	for _, encoded := range blocks {
		took, err := w.insert(encoded)
		if err != nil {
			return 0, err
		}
		spent += took
	}
	return spent, nil
}

// version is a dependency's, as this program was built with.
func version(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, module := range info.Deps {
		if module.Path == path {
			return module.Version
		}
	}
	return "unknown"
}
