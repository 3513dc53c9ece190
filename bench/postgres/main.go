// Command postgres measures the alternative to Lockstep with one trusted operator: an escrow in a
// durable PostgreSQL, made for the run in a temporary folder. See ../README.md for the limits of the comparison.
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
	flag.StringVar(&o.variant, "variant", "lean", "lean (one function call a step) or plain (single statements in transactions)")
	flag.IntVar(&o.clients, "clients", 16, "clients that trade at once")
	flag.Float64Var(&o.seconds, "seconds", 10, "how long to measure")
	flag.StringVar(&o.folder, "dir", os.TempDir(), "where to make the throw-away cluster: on a disk, not in memory")
	asJSON := flag.Bool("json", false, "print one JSON object instead of a line")
	flag.Parse()

	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, o, *asJSON); err != nil {
		fmt.Fprintln(os.Stderr, "bench/postgres:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, asJSON bool) error {
	if o.clients < 1 || o.seconds <= 0 || flag.NArg() > 0 {
		return fmt.Errorf("-clients and -seconds must be above zero, and there are no arguments")
	}
	r, err := measure(ctx, o)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	fmt.Printf("%s: %.0f trades/s, p50 %.1f ms, p99 %.1f ms (%s; %d clients, %.0f s, durable %v, %d cores, %s)\n",
		r.Peer, r.TradesPerSecond, *r.P50, *r.P99, r.What, o.clients, r.Seconds, r.Durable, r.Cores, r.Version)
	return nil
}
