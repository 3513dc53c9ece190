package bench

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"slices"
	"time"

	"lockstep/types"
)

// Modes: the part of the system that is measured.
const (
	ModeRules = "rules" // signatures and rules, the state in memory
	ModeStore = "store" // signatures, rules and store
	ModeNode  = "node"  // one validator, in process: pool, consensus, rules, store
	ModeAPI   = "api"   // the same by its HTTP API over loopback
	ModeNet   = "net"   // several validators, each a process, by their APIs
)

// Modes lists the modes, from the smallest part of the system to all of it.
func Modes() []string { return []string{ModeRules, ModeStore, ModeNode, ModeAPI, ModeNet} }

// Mixes lists the ways to pair producers with consumers.
func Mixes() []string { return []string{MixSpread, MixOneProducer, MixOneConsumer} }

// Options select a measurement. The zero value of a field means its default.
type Options struct {
	Mode       string
	Mix        string
	Actions    int           // in each transaction
	Trades     int           // to do; zero: as Seconds says
	Duration   time.Duration // to go on for, instead of Trades
	Rate       float64       // trades a second to offer; zero: as fast as can be
	Keys       int
	Clients    int // that submit transactions at each node, each all that are ready
	Validators int // of mode net
	Seed       uint64
	Folder     string // where ledgers are made and removed again; empty: the folder for temporary files
	Logger     *slog.Logger
	Progress   func(Progress) // called now and then

	wave   uint64        // of several worlds of one seed on one ledger
	rules  *types.Params // nil: the default ones
	zones  int           // of a city, at least
	crowd  int           // pairs of an overload; zero: more than a pool holds
	keep   string        // history of the node; empty: all
	memory int           // of the node, in MB; zero: the default
	listen string        // where the node takes connections of others, for which it makes snapshots; empty: nowhere

	// Node makes the command that runs the node in a folder, for mode net.
	Node func(ctx context.Context, dir string) *exec.Cmd
	// Measured is called when the clock starts, and its result when the clock stops. For profiles.
	Measured func() (stop func())
}

// Progress is how far a measurement has come.
type Progress struct {
	What  string
	Done  int
	Total int // zero when it is not known
}

// Bounds of the options.
const (
	maxActions    = 64
	maxKeys       = 200_000
	maxTrades     = 10_000_000
	maxClients    = 256
	maxValidators = 16
	maxDuration   = 45 * time.Minute // signatures are made before and are valid for an hour
	maxRate       = 1e6
)

// OptionError is an option that can't be.
type OptionError struct{ error }

func (e *OptionError) Unwrap() error { return e.error }

func (o Options) withDefaults() Options {
	o.Mode = cmp.Or(o.Mode, ModeNode)
	o.Mix = cmp.Or(o.Mix, MixSpread)
	o.Actions = cmp.Or(o.Actions, 1)
	o.Keys = cmp.Or(o.Keys, 4000)
	o.Clients = cmp.Or(o.Clients, 4)
	o.Validators = cmp.Or(o.Validators, 4)
	o.Seed = cmp.Or(o.Seed, 1)
	if o.Trades == 0 && o.Duration == 0 {
		o.Trades = 20_000
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	if o.Measured == nil {
		o.Measured = unmeasured
	}
	return o
}

func unmeasured() (stop func()) { return func() {} }

func (o *Options) check() error {
	bad := func(format string, args ...any) error { return &OptionError{fmt.Errorf(format, args...)} }
	switch {
	case !slices.Contains(Modes(), o.Mode):
		return bad("mode %q is none of %v", o.Mode, Modes())
	case !slices.Contains(Mixes(), o.Mix):
		return bad("mix %q is none of %v", o.Mix, Mixes())
	case o.Actions < 1 || o.Actions > maxActions:
		return bad("%d actions in a transaction: 1 to %d are possible", o.Actions, maxActions)
	case o.Keys < 2 || o.Keys > maxKeys:
		return bad("%d keys: 2 to %d are possible", o.Keys, maxKeys)
	case o.Trades < 0 || o.Trades > maxTrades:
		return bad("%d trades: at most %d are possible", o.Trades, maxTrades)
	case o.Duration < 0 || o.Duration > maxDuration:
		return bad("%s: at most %s are possible, as signatures made before are not valid longer", o.Duration, maxDuration)
	case o.Trades > 0 && o.Duration > 0:
		return bad("say how many trades or how long, not both")
	case !(o.Rate >= 0 && o.Rate <= maxRate): // NaN too
		return bad("a rate of %g trades a second: 0 to %g are possible", o.Rate, float64(maxRate))
	case o.Clients < 1 || o.Clients > maxClients:
		return bad("%d clients: 1 to %d are possible", o.Clients, maxClients)
	case o.Validators < 1 || o.Validators > maxValidators:
		return bad("%d validators: 1 to %d are possible", o.Validators, maxValidators)
	case o.Mode == ModeNet && o.Node == nil:
		return bad("mode net needs a program that runs a node")
	}
	return nil
}

// pairs is how many pairs the keys make.
func (o *Options) pairs() int {
	if o.Mix == MixSpread {
		return o.Keys / 2
	}
	return o.Keys - 1
}

// steady reports whether the speed over a time is measured, not the effect of a given load.
func (o *Options) steady() bool { return o.Duration > 0 && o.Rate == 0 }

// params are the rules' numbers of a measured ledger: the default ones, unless the measurement needs others.
func (o *Options) params() types.Params {
	if o.rules != nil {
		return *o.rules
	}
	return types.DefaultParams("lockstep-bench")
}
