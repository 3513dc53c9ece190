package netlab

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/node"
	"lockstep/types"
)

// The ports of every node; each has a namespace of its own.
const (
	api  = "127.0.0.1:8645"
	peer = ":26656"
)

// childFolder is the variable with a folder in which the program runs a node: see [Child].
const childFolder = "LOCKSTEP_NETLAB_NODE"

// Child runs a node and returns true when this process was started as one. TestMain calls it first.
func Child() bool {
	dir := os.Getenv(childFolder)
	if dir == "" {
		return false
	}
	if err := runNode(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

// runNode runs a node until its standard input ends, which it does with the parent at the latest.
func runNode(dir string) error {
	n, err := node.Open(node.Config{Dir: dir, Version: "test"}, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1))
		cancel()
	}()
	if err := n.Run(ctx); err != nil {
		return err
	}
	return n.Close()
}

// Lab is the validators of a ledger and the network between them.
type Lab struct {
	Nodes  []*Node
	Params types.Params

	t       testing.TB
	network *network
}

// Node is a validator: a process that comes and goes, and a folder that stays.
type Node struct {
	Dir    string
	Client *client.Client

	lab   *Lab
	index int
	host  *host
	vice  string // see the tag vice in internal/chain

	mu      sync.Mutex
	process *exec.Cmd
	stdin   *os.File
	ended   chan struct{}
	log     *tail
}

// New makes a ledger of so many validators and starts them. Its windows are short, so that an outage is longer. All that goes wrong on the
// links follows the seed.
func New(t testing.TB, validators int, seed uint64) *Lab {
	t.Helper()
	params := types.DefaultParams("netlab")
	params.ClockCap, params.MinWindow = clockCap, window
	return newLab(t, validators, seed, params, func(*node.Settings) {})
}

func newLab(t testing.TB, validators int, seed uint64, params types.Params, settings func(*node.Settings)) *Lab {
	t.Helper()
	net, err := newNetwork(validators+1, seed) // the last host is that of a twin
	if err != nil {
		if os.Getenv("CI") == "" && os.Getuid() != 0 {
			t.Skipf("network namespaces need root: %v", err)
		}
		t.Fatal(err)
	}
	t.Cleanup(net.close)
	l := &Lab{Params: params, t: t, network: net}
	var folders []node.Validator
	for i, h := range net.hosts[:validators] {
		dir := filepath.Join(t.TempDir(), fmt.Sprintf("node%d", i))
		folders = append(folders, node.Validator{Dir: dir, API: api, Listen: h.address.String() + peer, Address: h.address.String() + peer})
	}
	if err := node.InitAll(folders, l.Params, 0); err != nil {
		t.Fatal(err)
	}
	for i := range folders {
		l.settings(folders[i].Dir, settings)
		l.Nodes = append(l.Nodes, l.node(i, folders[i].Dir))
	}
	t.Cleanup(func() { l.Kill(l.Nodes...) })
	l.Start(l.Nodes...)
	return l
}

// node is the node of a folder, at a host.
func (l *Lab) node(index int, dir string) *Node {
	l.t.Helper()
	h := l.network.hosts[index]
	token, err := node.LoadToken(dir)
	if err != nil {
		l.t.Fatal(err)
	}
	transport := &http.Transport{DialContext: h.dial, MaxIdleConnsPerHost: 16}
	l.t.Cleanup(transport.CloseIdleConnections)
	c, err := client.New("http://"+api, client.WithToken(token), client.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		l.t.Fatal(err)
	}
	return &Node{Dir: dir, Client: c, lab: l, index: index, host: h}
}

// Vice restarts a node with a vice; see the tag vice in internal/chain.
func (l *Lab) Vice(n *Node, vice string) {
	l.t.Helper()
	l.Kill(n)
	n.vice = vice
	l.Start(n)
}

// Twin makes a node with a copy of the folder of a node that does not run: it signs with the same key, and has forgotten its signatures.
func (l *Lab) Twin(n *Node) *Node {
	l.t.Helper()
	dir := n.Dir + ".twin"
	if err := os.CopyFS(dir, os.DirFS(n.Dir)); err != nil {
		l.t.Fatal(err)
	}
	fresh := dir + ".fresh" // another ledger, for files of a node that never signed
	if err := node.Init(fresh, node.InitOptions{Params: l.Params}); err != nil {
		l.t.Fatal(err)
	}
	for _, file := range []string{"config/node_key.json", "data/priv_validator_state.json"} {
		text, err := os.ReadFile(filepath.Join(fresh, "engine", file))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "engine", file), text, 0o600)
		}
		if err != nil {
			l.t.Fatal(err)
		}
	}
	l.settings(dir, func(s *node.Settings) { s.P2PListen = l.network.hosts[len(l.Nodes)].address.String() + peer })
	return l.node(len(l.Nodes), dir)
}

// settings changes the settings of a node that does not run.
func (l *Lab) settings(dir string, change func(*node.Settings)) {
	l.t.Helper()
	settings, err := node.LoadSettings(dir)
	if err != nil {
		l.t.Fatal(err)
	}
	change(&settings)
	text, err := json.Marshal(settings)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "node.json"), text, 0o600)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// Start starts nodes that don't run.
func (l *Lab) Start(nodes ...*Node) {
	l.t.Helper()
	for _, n := range nodes {
		if err := n.start(); err != nil {
			l.t.Fatal(err)
		}
	}
}

// start starts the process of a node.
func (n *Node) start() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childFolder+"="+n.Dir, "LOCKSTEP_TEST_CLOCK="+n.clockFile(), "LOCKSTEP_TEST_VICE="+n.vice)
	n.log = new(tail)
	command.Stderr = n.log
	in, out, err := os.Pipe()
	if err != nil {
		return err
	}
	command.Stdin = in
	err = n.host.do(command.Start)
	_ = in.Close() // the child has it
	if err != nil {
		return fmt.Errorf("start node %d: %w", n.index, err)
	}
	ended := make(chan struct{})
	n.process, n.stdin, n.ended = command, out, ended
	go func() {
		_ = command.Wait() // its log tells the reason
		close(ended)
	}()
	return nil
}

func (n *Node) clockFile() string { return n.Dir + ".clock" }

// Running reports whether the process of a node runs.
func (n *Node) Running() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil {
		return false
	}
	select {
	case <-n.ended:
		return false
	default:
		return true
	}
}

// Kill ends nodes as a power cut would.
func (l *Lab) Kill(nodes ...*Node) {
	for _, n := range nodes {
		n.end(func() { _ = n.process.Process.Kill() })
	}
}

// Stop ends nodes in order.
func (l *Lab) Stop(nodes ...*Node) {
	for _, n := range nodes {
		n.end(func() { _ = n.stdin.Close() })
	}
}

const stopWait = 30 * time.Second

func (n *Node) end(how func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil {
		return
	}
	how()
	select {
	case <-n.ended:
	case <-time.After(stopWait):
		_ = n.process.Process.Signal(syscall.SIGQUIT) // its log gets the stacks
		time.Sleep(time.Second)
		_ = n.process.Process.Kill()
		<-n.ended
		n.lab.t.Errorf("node %d did not stop within %s; the end of its log:\n%s", n.index, stopWait, n.log)
	}
	_ = n.stdin.Close()
	n.process = nil
}

// Freeze stops the processes of nodes without their knowledge, as a host that sleeps. Thaw lets them go on.
func (l *Lab) Freeze(nodes ...*Node) { l.signal(syscall.SIGSTOP, nodes) }

// Thaw lets frozen nodes go on.
func (l *Lab) Thaw(nodes ...*Node) { l.signal(syscall.SIGCONT, nodes) }

func (l *Lab) signal(signal syscall.Signal, nodes []*Node) {
	l.t.Helper()
	for _, n := range nodes {
		if err := n.process.Process.Signal(signal); err != nil {
			l.t.Error(err)
		}
	}
}

// SetClock puts the wall clock of a node off. It needs a build with the tag clockshift.
func (l *Lab) SetClock(n *Node, off time.Duration) {
	l.t.Helper()
	if err := os.WriteFile(n.clockFile(), []byte(off.String()), 0o600); err != nil {
		l.t.Fatal(err)
	}
}

// Links sets every link between two nodes.
func (l *Lab) Links(link Link) { l.network.all(link) }

// Rate bounds the bytes a second that leave each node; zero is no bound.
func (l *Lab) Rate(bytes int) {
	for _, h := range l.network.hosts {
		h.limit(bytes)
	}
}

// Sent is the bytes that all nodes have sent to each other.
func (l *Lab) Sent() (bytes uint64) {
	for i := range l.Nodes {
		bytes += l.network.sent(i)
	}
	return bytes
}

// Split cuts every link between nodes of different groups. A node that no group has is alone.
func (l *Lab) Split(groups ...[]int) {
	side := make([]int, len(l.Nodes))
	for i := range side {
		side[i] = -i - 1
	}
	for g, group := range groups {
		for _, i := range group {
			side[i] = g
		}
	}
	l.Shape(func(from, to int) bool { return side[from] == side[to] })
}

// Shape cuts every link for which joined is false, in that direction.
func (l *Lab) Shape(joined func(from, to int) bool) {
	for from := range l.Nodes { // a twin is always joined
		for to := range l.Nodes {
			l.network.paths[from][to].set(Link{Cut: !joined(from, to)})
		}
	}
}

// Heal repairs every link.
func (l *Lab) Heal() { l.Links(Link{}) }

// Status asks a node for its status; false if it does not answer in time.
func (n *Node) Status(ctx context.Context) (wire.Status, bool) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	status, err := n.Client.Status(ctx)
	return status, err == nil
}

// Height is the height of the furthest of some nodes; zero if none answers.
func (l *Lab) Height(nodes ...*Node) (height uint64) {
	for _, n := range nodes {
		if status, ok := n.Status(l.t.Context()); ok {
			height = max(height, status.Height)
		}
	}
	return height
}

// Await waits until each of some nodes has reached a height.
func (l *Lab) Await(height uint64, nodes ...*Node) {
	l.t.Helper()
	deadline := time.Now().Add(longest)
	for _, n := range nodes {
		for {
			status, ok := n.Status(l.t.Context())
			if ok && status.Height >= height {
				break
			}
			if time.Now().After(deadline) {
				l.t.Fatalf("node %d stands at height %d (answers: %t, runs: %t), not at %d; the end of its log:\n%s", n.index, status.Height, ok, n.Running(), height, n.log)
			}
			time.Sleep(pollTime)
		}
	}
}

// Goes waits until nodes have made some more blocks.
func (l *Lab) Goes(nodes ...*Node) {
	l.t.Helper()
	const blocks = 5
	l.Await(l.Height(nodes...)+blocks, nodes...)
}

// Stands reports a ledger that makes blocks although it must not.
func (l *Lab) Stands(wait time.Duration, nodes ...*Node) {
	l.t.Helper()
	time.Sleep(wait / 4) // a block may be on its way
	before := l.Height(nodes...)
	time.Sleep(wait - wait/4)
	if after := l.Height(nodes...); after != before {
		l.t.Errorf("without a quorum the ledger went from height %d to %d", before, after)
	}
}

// Times of the lab. Windows of trades are some blocks long: the ledger clock advances by clockCap at most in each.
const (
	clockCap = types.Duration(200)
	window   = 40 * clockCap
	longest  = 2 * time.Minute // until nodes are where they must be
	pollTime = 50 * time.Millisecond

	attemptTime = 2 * time.Second // of a call to a node
)

// tail keeps the end of a log.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write implements [io.Writer].
func (t *tail) Write(text []byte) (int, error) {
	const most = 16 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, text...)
	if over := len(t.text) - most; over > 0 {
		t.text = bytes.Clone(t.text[over:])
	}
	return len(text), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
