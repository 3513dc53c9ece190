package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"lockstep/client"
	"lockstep/internal/node"
	"lockstep/types"
)

// stopWait is how long a node may take to stop before it is killed.
const stopWait = 20 * time.Second

// netTarget is several validators on this machine, each a process, asked by their APIs.
type netTarget struct {
	dir       string
	o         *Options
	processes []*process
}

// process is one node.
type process struct {
	dir     string
	address string // of its API
	command *exec.Cmd
	log     *tail
	client  *client.Client
	next    uint64 // height to follow from
	ended   chan error
}

func newNetTarget(ctx context.Context, o *Options) (_ *netTarget, err error) {
	dir, err := os.MkdirTemp(o.Folder, "lockstep-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the nodes: %w", err)
	}
	t := &netTarget{dir: dir, o: o}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.stop(), t.remove())
		}
	}()
	addresses, err := freeAddresses(2 * o.Validators)
	if err != nil {
		return nil, err
	}
	validators := make([]node.Validator, o.Validators)
	for i := range validators {
		validators[i] = node.Validator{
			Dir: filepath.Join(dir, fmt.Sprintf("node%d", i)), API: addresses[2*i], Listen: addresses[2*i+1], Address: addresses[2*i+1],
		}
	}
	if err := node.InitAll(validators, o.params(), 0); err != nil {
		return nil, err
	}
	for _, v := range validators {
		p, err := startProcess(ctx, o, v.Dir, v.API)
		if err != nil {
			return nil, err
		}
		t.processes = append(t.processes, p)
	}
	for _, p := range t.processes {
		if err := p.up(ctx); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// freeAddresses finds ports that nobody listens at. Somebody may take one before the node does; then its start fails.
func freeAddresses(count int) ([]string, error) {
	addresses := make([]string, count)
	for i := range addresses {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer listener.Close() // all at once, so that they differ
		addresses[i] = listener.Addr().String()
	}
	return addresses, nil
}

func startProcess(ctx context.Context, o *Options, dir, address string) (*process, error) {
	token, err := node.LoadToken(dir)
	if err != nil {
		return nil, err
	}
	p := &process{dir: dir, address: address, log: new(tail), ended: make(chan error, 1)}
	if p.client, err = newClient(address, token, o.Clients); err != nil {
		return nil, err
	}
	p.command = o.Node(context.WithoutCancel(ctx), dir) // it is stopped after the last trade, not with it
	p.command.Stderr = p.log
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start a node: %w", err)
	}
	go func() { p.ended <- p.command.Wait() }()
	return p, nil
}

// up waits for the first block of a node.
func (p *process) up(ctx context.Context) error {
	if err := awaitFirstBlock(ctx, p.client); err != nil {
		return fmt.Errorf("%w; the end of its log:\n%s", err, p.log)
	}
	return nil
}

// stop ends a node in order, or by force when that takes too long.
func (p *process) stop() error {
	select {
	case err := <-p.ended:
		return fmt.Errorf("the node in %s ended by itself: %w; the end of its log:\n%s", p.dir, err, p.log)
	default:
	}
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop a node: %w", err)
	}
	select {
	case err := <-p.ended:
		if err != nil {
			err = fmt.Errorf("the node in %s: %w; the end of its log:\n%s", p.dir, err, p.log)
		}
		return err
	case <-time.After(stopWait):
		return errors.Join(fmt.Errorf("the node in %s did not stop in %s", p.dir, stopWait), p.command.Process.Kill())
	}
}

func (t *netTarget) nodes() int { return len(t.processes) }

func (t *netTarget) submit(ctx context.Context, index int, txs []encoded) []error {
	return submitTo(ctx, t.processes[index].client, txs)
}

func (t *netTarget) follow(ctx context.Context, seen func(final)) error {
	group, ctx := errgroup.WithContext(ctx)
	for i, p := range t.processes {
		group.Go(func() error { return followOutcomes(ctx, p.client, i, p.next, seen) })
	}
	return group.Wait()
}

// usage is the processor time of all nodes, the memory of the largest and the disk of all.
func (t *netTarget) usage() (total usage, err error) {
	for _, p := range t.processes {
		used, err := processUsage(p.command.Process.Pid)
		if err != nil {
			return total, err
		}
		total.cpu += used.cpu
		total.rss = max(total.rss, used.rss)
	}
	total.disk, err = folderBytes(t.dir)
	return total, err
}

func (t *netTarget) stop() error {
	errs := make([]error, len(t.processes))
	var stopping sync.WaitGroup
	for i, p := range t.processes {
		stopping.Go(func() { errs[i] = p.stop() })
	}
	stopping.Wait()
	t.processes = nil
	return errors.Join(errs...)
}

func (t *netTarget) abandon() error { return t.stop() }

// ready waits until every node is as far as the furthest is now.
func (t *netTarget) ready(ctx context.Context) error {
	var height uint64
	for _, p := range t.processes {
		status, err := p.client.Status(ctx)
		if err != nil {
			return err
		}
		height = max(height, status.Height)
	}
	for _, p := range t.processes {
		for {
			status, err := p.client.Status(ctx)
			if err != nil {
				return err
			}
			if p.next = status.Height + 1; status.Height >= height {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	return nil
}

func (t *netTarget) close(issued types.Amount) error {
	processes := t.processes
	if err := t.stop(); err != nil {
		return err
	}
	for _, p := range processes {
		if err := checkNode(p.dir, issued, t.o); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(p.dir), err)
		}
	}
	return nil
}

func (t *netTarget) remove() error { return os.RemoveAll(t.dir) }

// tail keeps the end of a log.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailBytes = 8 << 10

// Write implements [io.Writer].
func (t *tail) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, text...)
	if over := len(t.text) - tailBytes; over > 0 {
		t.text = bytes.Clone(t.text[over:])
	}
	return len(text), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
