// Command geth measures the alternative to Lockstep on Ethereum: go-ethereum takes in full blocks of trades
// by a contract, on one machine and without consensus. See ../README.md for the limits of the comparison.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	var o options
	flag.StringVar(&o.variant, "variant", "pair", "pair (lock and redeem: half of a trade's steps) or trade (pay, deliver, release)")
	flag.Float64Var(&o.seconds, "seconds", 10, "how long to measure; making the blocks takes as long again, or longer")
	flag.IntVar(&o.trades, "trades", 0, "trades a block; 0 for what fills one")
	asJSON := flag.Bool("json", false, "print one JSON object instead of a line")
	flag.Parse()

	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, o, *asJSON); err != nil {
		fmt.Fprintln(os.Stderr, "bench/geth:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, asJSON bool) error {
	if o.seconds <= 0 || o.trades < 0 || flag.NArg() > 0 {
		return fmt.Errorf("-seconds must be above zero, -trades not below, and there are no arguments")
	}
	r, err := measure(ctx, o)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	fmt.Printf("%s: %.0f trades/s (%s; %d signatures a trade, %.0f s, durable %v, %d cores, %s)\n",
		r.Peer, r.TradesPerSecond, r.What, r.SignaturesPerTrade, r.Seconds, r.Durable, r.Cores, r.Version)
	return nil
}
