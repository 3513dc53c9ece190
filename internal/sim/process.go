package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"sync"
	"time"

	"lockstep/client"
)

// process is the node of a town in a process of its own, so that it can be killed at any moment. It ends by itself when its input ends, so
// it never outlives the town.
type process struct {
	dir     string
	command func(dir, api string) *exec.Cmd

	starting sync.Mutex // one start or end at a time

	mu      sync.Mutex
	running *running
	address string // of the API
	failure string // why the last one ended, unless it was killed
	over    bool   // none is started any more
}

// running is a process that was started.
type running struct {
	command *exec.Cmd
	input   io.Closer
	wanted  bool // its end
	ended   chan struct{}
}

// startWait bounds the time from the start of a node to its first answer.
const startWait = time.Minute

// errRuns is the error of a start while the node runs.
var errRuns = errors.New("the node runs already")

// start starts the node and waits for its API.
func (p *process) start(ctx context.Context) error {
	p.starting.Lock()
	defer p.starting.Unlock()
	p.mu.Lock()
	if p.running != nil {
		p.mu.Unlock()
		return errRuns
	}
	if p.over {
		p.mu.Unlock()
		return errors.New("the town is closed")
	}
	r := &running{command: p.command(p.dir, p.address), ended: make(chan struct{})}
	input, err := r.command.StdinPipe()
	if err == nil {
		r.input = input
		err = r.command.Start()
	}
	if err != nil {
		p.mu.Unlock()
		return fmt.Errorf("start the node: %w", err)
	}
	p.running, p.failure = r, ""
	p.mu.Unlock()
	go p.await(r)
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	for {
		if p.answers(ctx) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the node does not answer: %w", ctx.Err())
		case <-r.ended:
			_, failure := p.state()
			return errors.New("the node has ended: " + failure)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// await notes the end of a process.
func (p *process) await(r *running) {
	err := r.command.Wait()
	p.mu.Lock()
	if p.running == r {
		p.running = nil
	}
	if !r.wanted {
		if p.failure = "its process has ended"; err != nil {
			p.failure = err.Error()
		}
	}
	p.mu.Unlock()
	close(r.ended)
}

// answers reports whether the API answers.
func (p *process) answers(ctx context.Context) bool {
	asks, err := client.New("http://" + p.address)
	if err != nil {
		return false
	}
	status, err := asks.Status(ctx)
	return err == nil && status.Height > 0
}

// newProcess chooses a free port of loopback for the API, which every start of the node has again.
func newProcess(dir string, command func(dir, api string) *exec.Cmd) (*process, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &process{dir: dir, command: command, address: free.Addr().String()}, free.Close()
}

// state tells whether the process runs, and why the last one ended.
func (p *process) state() (runs bool, failure string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running != nil, p.failure
}

// end takes the running process, whose end is wanted from now on; nil when there is none.
func (p *process) end() *running {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running != nil {
		p.running.wanted = true
	}
	return p.running
}

// kill ends the process at once, and leaves it no time for anything.
func (p *process) kill() error {
	r := p.end()
	if r == nil {
		return errors.New("the node does not run")
	}
	if err := r.command.Process.Kill(); err != nil {
		return fmt.Errorf("kill the node: %w", err)
	}
	<-r.ended
	return nil
}

// stopWait bounds the time in which a node may end in order.
const stopWait = 20 * time.Second

// stop lets the process end in order, for good: a start that a reader asks for at the same time does not outlive the town.
func (p *process) stop() {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	r := p.end()
	if r == nil {
		return
	}
	_ = r.input.Close() // fails only when the process has ended
	select {
	case <-r.ended:
	case <-time.After(stopWait):
		_ = r.command.Process.Kill()
		<-r.ended
	}
}
