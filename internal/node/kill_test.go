package node

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"lockstep/client/wire"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// childFolder is the variable with a folder in which the test binary runs a node instead of tests.
const childFolder = "LOCKSTEP_TEST_NODE"

// childUser is the variable with the user id to which a root process changes first.
const childUser = "LOCKSTEP_TEST_USER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		if user, err := strconv.Atoi(os.Getenv(childUser)); err == nil {
			if err := errors.Join(syscall.Setgid(user), syscall.Setuid(user)); err != nil {
				panic(err)
			}
		}
		if err := runChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// runChild runs a node until its standard input ends, and prints the address of the API.
func runChild(dir string) error {
	n, err := Open(Config{Dir: dir, API: "127.0.0.1:0", Version: "test"}, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { // the input ends with the parent
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	fmt.Println(n.APIAddress())
	if err := n.Run(ctx); err != nil {
		return err
	}
	return n.Close()
}

// child is a node in its own process.
type child struct {
	command *exec.Cmd
	stdin   io.Closer
	output  *bufio.Reader
	log     *bytes.Buffer
}

func startChild(t *testing.T, dir string, variables ...string) *child {
	t.Helper()
	c := &child{command: exec.Command(os.Args[0]), log: new(bytes.Buffer)}
	c.command.Env = append(append(os.Environ(), variables...), childFolder+"="+dir)
	c.command.Stderr = c.log
	stdin, err := c.command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.stdin, c.output = stdin, bufio.NewReader(stdout)
	if err := c.command.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// address waits until the node is up.
func (c *child) address(t *testing.T) string {
	t.Helper()
	line, err := c.output.ReadString('\n')
	if err != nil {
		c.kill()
		t.Fatalf("the node did not start: %v\n%s", err, c.log)
	}
	return line[:len(line)-1]
}

// kill ends the process as a power cut would.
func (c *child) kill() {
	_ = c.command.Process.Kill()
	_ = c.command.Wait() // reports the kill
	_ = c.stdin.Close()
}

// stop ends the process in an orderly way.
func (c *child) stop(t *testing.T) {
	t.Helper()
	if err := c.stdin.Close(); err != nil {
		t.Error(err)
	}
	if err := c.command.Wait(); err != nil {
		t.Errorf("the node ended with %v\n%s", err, c.log)
	}
}

// customer pays one coin to itself again and again, and issues a cent between payments: an issue that is executed twice would change the
// sum. It has at most one transaction with an unknown outcome, which it submits again until the outcome is known.
type customer struct {
	params  types.Params
	token   string
	coin    types.Outpoint
	issues  types.Amount // submitted so far
	turn    int
	pending *types.Tx
	done    []types.TxID // that the node reported as final
	told    chan<- struct{}
}

func (c *customer) next() *types.Tx {
	c.turn++
	if c.turn%2 == 0 {
		c.issues++
		b := body(c.params, &types.Issue{Asset: party.Euro(), Amount: 1})
		b.Memo = c.coin.String() // makes the transaction unique
		b.Outputs = []types.Output{party.Output("mallory", 1)}
		return party.Sign(b, "issuer")
	}
	b := body(c.params)
	b.Inputs, b.Outputs = []types.Outpoint{c.coin}, []types.Output{party.Output("peter", 1000)}
	return party.Sign(b, "peter")
}

// trade submits transactions until the node stops answering. If rest is set, it stops when nothing is pending.
func (c *customer) trade(t *testing.T, address string, rest bool) {
	for {
		if c.pending == nil {
			if rest {
				return
			}
			c.pending = c.next()
		}
		receipt, err := c.handIn(address)
		if err != nil {
			return
		}
		switch {
		case receipt.Status == wire.StatusRefused:
			t.Errorf("transaction %s: %s: %s", receipt.Tx, receipt.Code, receipt.Detail)
			return
		case receipt.Status == wire.StatusCommitted:
			if len(c.pending.Body.Inputs) > 0 {
				c.coin = types.Outpoint{Tx: c.pending.ID()}
			}
			c.done = append(c.done, c.pending.ID())
			c.pending = nil
			c.told <- struct{}{}
		}
	}
}

// handIn submits the pending transaction. It also succeeds if the transaction is in the pool or final already.
func (c *customer) handIn(address string) (wire.Receipt, error) {
	var receipt wire.Receipt
	request, err := http.NewRequest(http.MethodPost, "http://"+address+"/v1/transactions", bytes.NewReader(c.pending.Bytes()))
	if err != nil {
		return receipt, err
	}
	request.Header.Set("Content-Type", wire.CBORType)
	request.Header.Set("Authorization", "Bearer "+c.token)
	if err := exchange(request, &receipt); err != nil {
		return receipt, err
	}
	if receipt.Code == types.CodePending || receipt.Code == types.CodeReplay {
		return receiptAt(address, c.pending.ID())
	}
	return receipt, nil
}

func receiptAt(address string, id types.TxID) (receipt wire.Receipt, err error) {
	request, err := http.NewRequest(http.MethodGet, fmt.Sprintf("http://%s/v1/transactions/%s?wait=10s", address, id), nil)
	if err != nil {
		return receipt, err
	}
	return receipt, exchange(request, &receipt)
}

func exchange(request *http.Request, answer *wire.Receipt) error {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		var problem wire.Problem
		if err := json.Unmarshal(text, &problem); err != nil {
			return fmt.Errorf("%s: %s", response.Status, text)
		}
		answer.Status, answer.Code, answer.Detail = wire.StatusRefused, problem.Code, problem.Detail
		return nil
	}
	return json.Unmarshal(text, answer)
}

// TestPowerCut: a node is killed at random moments under load. Each transaction that it reported as final stays on the ledger,
// exactly once; there are no others, and the store is intact.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	const cuts, customers, purse = 12, 8, 1000
	params := types.DefaultParams("test")
	dir := initNode(t, params)
	token, err := LoadToken(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := openCustomers(t, dir, token, customers, purse)
	random := rand.New(rand.NewPCG(1, 2))
	for cut := range cuts {
		c := startChild(t, dir)
		if cut%4 == 3 { // while it starts
			time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond)
			c.kill()
			continue
		}
		told, finished := work(t, c.address(t), all, false)
		for range 1 + random.IntN(25) {
			<-told
		}
		time.Sleep(time.Duration(random.IntN(20_000)) * time.Microsecond)
		c.kill()
		finished()
		if cut%4 == 1 { // the store is also intact right after a kill
			if _, err := Check(dir, slog.New(slog.DiscardHandler)); err != nil {
				t.Errorf("after kill %d: %v", cut, err)
			}
		}
	}
	c := startChild(t, dir)
	_, finished := work(t, c.address(t), all, true)
	finished()
	c.stop(t)
	checkCustomers(t, dir, all, purse)
}

// openCustomers mints a purse for each customer.
func openCustomers(t *testing.T, dir, token string, count int, purse types.Amount) []*customer {
	t.Helper()
	params := types.DefaultParams("test")
	names := make([]string, count)
	for i := range names {
		names[i] = "peter"
	}
	first := mint(params, purse, names...)
	n, stop := start(t, dir)
	must(t, n.Ledger(), first)
	stop()
	all := make([]*customer, count)
	for i := range all {
		all[i] = &customer{params: params, token: token, coin: types.Outpoint{Tx: first.ID(), Index: uint32(i)}}
	}
	return all
}

// work starts the customers and reports each final transaction. finished waits for the customers.
func work(t *testing.T, address string, all []*customer, rest bool) (told <-chan struct{}, finished func()) {
	done, ended := make(chan struct{}, 1<<16), make(chan struct{}) // holds more than the final transactions between two cuts
	var running sync.WaitGroup
	for _, c := range all {
		c.told = done
		running.Go(func() { c.trade(t, address, rest) })
	}
	go func() {
		running.Wait()
		close(done)
		close(ended)
	}()
	return done, func() { <-ended }
}

func checkCustomers(t *testing.T, dir string, all []*customer, purse types.Amount) {
	t.Helper()
	report, err := Check(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	n, stop := start(t, dir)
	defer stop()
	issued, done := purse*types.Amount(len(all)), 1
	for _, c := range all {
		issued += c.issues
		done += len(c.done)
		for _, id := range c.done {
			if receipt, err := n.Ledger().Receipt(t.Context(), id); err != nil || receipt.Status != wire.StatusCommitted {
				t.Errorf("transaction %s was on the ledger and is %s now: %v", id, receipt.Status, err)
			}
		}
	}
	asset := party.Euro()
	if sum := report.Sums[asset.ID()]; sum.Issued != issued || sum.Spendable != issued {
		t.Errorf("%s is issued and %s spendable, %s was handed in", sum.Issued, sum.Spendable, issued)
	}
	if report.Txs != done {
		t.Errorf("%d transactions are on the ledger, %d were handed in", report.Txs, done)
	}
	t.Logf("%d transactions in %d blocks", report.Txs, report.Blocks)
}
