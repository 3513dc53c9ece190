// Package runner runs an agent: it brings the ledger, meters, prices and the owner's words to [agent.Step], and carries the effects out
// with a wallet and a node. Start with [New] and [Runner.Run].
package runner

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"lockstep/client"
	"lockstep/internal/agent"
	"lockstep/types"
)

// Config is all that a runner needs.
type Config struct {
	Setup  *agent.Setup
	Node   *client.Client
	Signer *client.Account
	Belief agent.Belief // nil: [agent.NodeBelief]
	Log    *slog.Logger
	// Meter delivers the household's energy; nil has none.
	Meter *Meter
	// Prices fetches the prices that a strategy reads; nil reads none.
	Prices Prices
	// File keeps facts that save time after a restart; empty keeps nothing. It may be deleted at any moment.
	File string
	// Words is the folder of the owner's words on trades, see [GiveWord]; empty reads none.
	Words string
	// Splits is a folder into which others put proposals to split trades; empty reads none.
	Splits string
	// DryRun carries nothing out.
	DryRun bool
	// Notice is called with each notice of the agent, in order. It must not block.
	Notice func(agent.Notice)
	// Transacted is called with each transaction before it is submitted, and in a dry run with those that would be.
	Transacted func(agent.Transact)
	// Wants reports whether the household carries an act out; nil carries out all. A household that leaves out an act breaks its word: it
	// is for simulations.
	Wants func(agent.Act) bool
	// Every is the longest time between two views; zero follows from the ledger's slot.
	Every time.Duration
}

// Runner is a running agent.
type Runner struct {
	Config
	inbox chan agent.Event
	read  map[string]string // proposals by file

	viewer *Viewer

	mu    sync.Mutex
	state agent.State
	fault error // of the last view; nil if it succeeded
}

// New returns the runner of an agent.
func New(c Config) *Runner {
	if c.Belief == nil {
		c.Belief = agent.NodeBelief{}
	}
	if c.Every == 0 {
		c.Every = min(max(c.Setup.Params.Slot.Std()/40, 200*time.Millisecond), 20*time.Second)
	}
	r := &Runner{Config: c, inbox: make(chan agent.Event, 64), read: map[string]string{}}
	r.viewer = NewViewer(c.Setup, c.Node, c.Belief)
	r.state = agent.State{Setup: c.Setup}
	return r
}

// State returns the agent's present state, and the fault of its last view of the ledger. The state must not be changed.
func (r *Runner) State() (agent.State, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state, r.fault
}

// Send brings an event to the agent, such as a pause.
func (r *Runner) Send(ctx context.Context, event agent.Event) error {
	select {
	case r.inbox <- event:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin sets the first state: that of the agent's file, if it has one.
func (r *Runner) begin(saved *saved) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if saved != nil {
		r.state = saved.state(r.Setup)
	}
	r.state.Eager = r.DryRun
}

// Run runs the agent until the context ends.
func (r *Runner) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer stop()
	saved, err := r.load()
	if err != nil {
		r.Log.Warn("the agent's file can't be used and is written anew: nothing is lost but time", "file", r.File, "error", err)
	}
	r.begin(saved)
	wake := make(chan struct{}, 1)
	start := func(task func()) { tasks.Go(task) }
	start(func() { r.follow(ctx, wake) })
	if r.Meter != nil {
		if err := r.Meter.start(ctx, r, start); err != nil {
			return err
		}
	}
	if r.Prices != nil {
		start(func() { r.price(ctx) })
	}
	timer := time.NewTicker(r.Every)
	defer timer.Stop()
	r.look(ctx, start)
	for {
		select {
		case <-ctx.Done():
			r.save()
			return nil
		case event := <-r.inbox:
			r.take(ctx, event, start)
			if _, ended := event.(agent.Outcome); ended {
				r.look(ctx, start)
				r.save()
			}
		case <-wake:
			r.look(ctx, start)
		case <-timer.C:
			r.look(ctx, start)
		}
	}
}

// look fetches a view and brings it to the agent. A node that does not answer is asked again with the next tick.
func (r *Runner) look(ctx context.Context, start func(func())) {
	view, err := r.view(ctx)
	if ctx.Err() != nil {
		return
	}
	r.mu.Lock()
	if (err == nil) != (r.fault == nil) {
		if err != nil {
			r.Log.Warn("the node does not answer; the agent goes on when it does", "error", err)
		} else {
			r.Log.Info("the node answers")
		}
	}
	r.fault = err
	r.mu.Unlock()
	if err == nil {
		for _, proposal := range r.proposals() {
			r.take(ctx, proposal, start)
		}
		for _, word := range r.words(&view) {
			r.take(ctx, word, start)
		}
		r.take(ctx, agent.Seen{View: view}, start)
	}
}

// take brings an event to the agent and carries the effects out.
func (r *Runner) take(ctx context.Context, event agent.Event, start func(func())) {
	r.mu.Lock()
	next, effects := agent.Step(r.state, event)
	r.state = next
	r.mu.Unlock()
	for _, effect := range effects {
		switch e := effect.(type) {
		case agent.Tell:
			r.tell(e.Notice)
		case agent.Transact:
			r.transact(ctx, e, start)
		case agent.Sign:
			r.signSplit(ctx, e)
		}
	}
	switch event.(type) {
	case agent.Metered, agent.Pause:
		r.save()
	case agent.Seen, agent.Word, agent.Stored, agent.Priced, agent.Signed, agent.Proposed, agent.Outcome:
	}
}

func (r *Runner) tell(n agent.Notice) {
	level := slog.LevelInfo
	if n.Needed {
		level = slog.LevelWarn
	}
	attributes := []any{"kind", n.Kind}
	if n.Trade != (types.TradeID{}) {
		attributes = append(attributes, "trade", n.Trade)
	}
	if n.Status != nil {
		attributes = append(attributes, "phase", n.Status.Phase)
	}
	if n.Detail != "" {
		attributes = append(attributes, "detail", n.Detail)
	}
	if n.Code != types.CodeOK {
		attributes = append(attributes, "code", n.Code)
	}
	r.Log.Log(context.Background(), level, "agent", attributes...)
	if r.Notice != nil {
		r.Notice(n)
	}
}

// transact carries a transaction out beside the loop; its outcome comes as an event.
func (r *Runner) transact(ctx context.Context, t agent.Transact, start func(func())) {
	if r.Wants != nil {
		t.Acts = slices.DeleteFunc(slices.Clone(t.Acts), func(act agent.Act) bool { return !r.Wants(act) })
	}
	if len(t.Acts) == 0 {
		start(func() {
			pause(ctx, r.Every) // it is wanted again at once
			_ = r.Send(ctx, agent.Outcome{Code: types.CodePending, Detail: "the household does not want it"})
		})
		return
	}
	if r.Transacted != nil {
		r.Transacted(t)
	}
	if r.DryRun {
		start(func() { _ = r.Send(ctx, agent.Outcome{Code: types.CodeOK}) })
		return
	}
	start(func() { _ = r.Send(ctx, r.carryOut(ctx, t)) })
}

// follow wakes the loop by the events of the key.
func (r *Runner) follow(ctx context.Context, wake chan<- struct{}) {
	for ctx.Err() == nil {
		for _, err := range r.Node.Events(ctx, client.EventsOptions{Key: r.Setup.Key}) {
			if err != nil {
				break
			}
			select {
			case wake <- struct{}{}:
			default:
			}
		}
		pause(ctx, 5*time.Second)
	}
}

func pause(ctx context.Context, span time.Duration) {
	timer := time.NewTimer(span)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// Prices fetches a curve of prices.
type Prices interface {
	Fetch(ctx context.Context) (agent.Priced, error)
	Every() time.Duration
}

func (r *Runner) price(ctx context.Context) {
	for ctx.Err() == nil {
		wait := r.Prices.Every()
		priced, err := r.Prices.Fetch(ctx)
		switch {
		case err == nil:
			_ = r.Send(ctx, priced)
		case !errors.Is(err, context.Canceled):
			r.Log.Warn("the prices can't be read: the strategy waits for them", "error", err)
			wait = min(wait, time.Minute)
		}
		pause(ctx, wait)
	}
}
