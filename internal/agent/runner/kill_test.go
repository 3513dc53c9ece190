//go:build unix

package runner

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"lockstep/client"
	"lockstep/internal/agent"
	"lockstep/internal/agent/plan"
	"lockstep/internal/component"
	"lockstep/internal/ledger"
	"lockstep/internal/node"
	"lockstep/meter/source"
	"lockstep/types"
	"lockstep/wallet"
)

// killFor is the time for which agents, node and broker are killed; kills at each step come first.
var killFor = flag.Duration("kill", 0, "time of random kills of TestKills, after those at some steps")

// The children of the test: a node, or the agent of a house.
const (
	childNode  = "LOCKSTEP_TEST_AGENT_NODE"  // folder
	childHouse = "LOCKSTEP_TEST_AGENT_HOUSE" // name
	childAPI   = "LOCKSTEP_TEST_AGENT_API"
	childToken = "LOCKSTEP_TEST_AGENT_TOKEN"
	childDir   = "LOCKSTEP_TEST_AGENT_DIR"
	childPoint = "LOCKSTEP_TEST_AGENT_POINT" // where it dies: the beginning of an act's name, a colon, before, while or after
	childQuiet = "LOCKSTEP_TEST_AGENT_QUIET" // it makes no new trades
	childPort  = "LOCKSTEP_TEST_AGENT_PORT"  // of the broker
)

func TestMain(m *testing.M) {
	var err error
	switch {
	case os.Getenv(childNode) != "":
		err = runNode(os.Getenv(childNode), os.Getenv(childAPI))
	case os.Getenv(childHouse) != "":
		err = runHouse(os.Getenv(childHouse))
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// untilOrphaned returns a context that ends with the parent's end of standard input.
func untilOrphaned() context.Context {
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	return ctx
}

func runNode(dir, api string) error {
	n, err := node.Open(node.Config{Dir: dir, API: api, Version: "test"}, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	fmt.Println(n.APIAddress(), n.Token())
	return errors.Join(n.Run(untilOrphaned()), n.Close())
}

func runHouse(name string) error {
	ctx := untilOrphaned()
	api, err := client.New("http://"+os.Getenv(childAPI), client.WithToken(os.Getenv(childToken)))
	if err != nil {
		return err
	}
	seed, err := seedNamed(name)
	if err != nil {
		return err
	}
	account, err := seed.Account(0, wallet.DefaultLimits())
	if err != nil {
		return err
	}
	var signer *client.Account
	for signer == nil {
		if signer, err = api.Account(ctx, account); err != nil {
			pause(ctx, 100*time.Millisecond)
		}
		if ctx.Err() != nil {
			return nil
		}
	}
	params := killParams()
	euro := killEuro()
	setup := &agent.Setup{
		Key: account.Key(), Params: params, Market: agent.Market{Zone: zone, Asset: euro.ID(), Decimals: euro.Decimals},
		Limits: agent.Limits{PerDay: euros, Exposure: euros, Terms: []string{"meter"}, Assets: []types.AssetID{euro.ID()}},
		Ahead:  1, Keep: 24 * 3600 * 1000,
	}
	c := Config{
		Setup: setup, Node: api, Signer: signer, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), File: filepath.Join(os.Getenv(childDir), name+".state"),
	}
	if name == "roof" {
		gateway := gatewayOf(account)
		setup.Flow = types.Flow{Point: gateway.ID(), Direction: types.DirectionExport}
		conf, err := source.Load(fmt.Appendf(nil, "type: mqtt\nbroker: mqtt://127.0.0.1:%s\nvalues:\n- {name: out, measures: energy, direction: export, unit: Wh, topic: roof}\n", os.Getenv(childPort)))
		if err != nil {
			return err
		}
		c.Meter = &Meter{Sources: map[string]*source.Config{"roof": conf}, Make: "roof.out", Sign: true, Point: &types.Point{Owner: account.Key(), Meters: []types.PointMeter{gateway}}}
		setup.Strategy.Sell = &plan.Side{Amount: plan.Fixed(8), Limit: plan.FixedLimit(price("0.08"))}
	} else {
		setup.Strategy.Buy = &plan.Side{Amount: plan.Fixed(6), Limit: plan.FixedLimit(price("0.28"))}
	}
	if os.Getenv(childQuiet) != "" {
		setup.Strategy = plan.Strategy{}
	}
	act, point, _ := strings.Cut(os.Getenv(childPoint), ":")
	die := func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} }
	c.Transacted = func(t agent.Transact) {
		if act == "" || !strings.Contains(actNames(t.Acts), act) {
			return
		}
		switch point {
		case "before":
			die()
		case "while":
			time.AfterFunc(time.Duration(rand.IntN(300))*time.Millisecond, die)
		}
	}
	c.Notice = func(n agent.Notice) {
		if point == "after" && n.Kind == agent.NoticeDone && strings.Contains(n.Detail, act) {
			die()
		}
	}
	return New(c).Run(ctx)
}

func actNames(acts []agent.Act) (text string) {
	for _, act := range acts {
		text += act.Name() + "; "
	}
	return text
}

func killEuro() types.Asset {
	seed, _ := seedNamed("bank")
	account, _ := seed.Account(0, wallet.DefaultLimits())
	return types.Asset{Issuer: account.Key(), Code: "EUR", Decimals: 6}
}

func killParams() types.Params {
	params := types.DefaultParams("kills")
	params.ClockCap, params.MinWindow, params.Slot = 100, 300, 3000
	params.Market.Opens, params.Market.Gate, params.Market.Reading, params.Market.Confirm = 60_000, 900, 6000, 6000
	euro := killEuro()
	params.Operators = []types.PublicKey{euro.Issuer}
	params.Genesis = []types.GenesisAsset{{Asset: euro, Least: 1, Supply: 10 * euros}}
	return params
}

func gatewayOf(account *wallet.Account) types.PointMeter {
	return types.PointMeter{Form: types.FormNative, Key: ledger.NativeMeterKey(account.Gateway()), Export: []string{"01-00:02.08.00*FF"}}
}

// process is a child that is killed and started again.
type process struct {
	t       *testing.T
	env     []string
	command *exec.Cmd
	stdin   io.Closer
	lines   *bufio.Reader
	log     bytes.Buffer
}

func (p *process) start(env ...string) {
	p.t.Helper()
	p.command = exec.Command(os.Args[0])
	p.command.Env = append(append(os.Environ(), p.env...), env...)
	p.command.Stderr = &p.log
	stdin, err := p.command.StdinPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	p.stdin, p.lines = stdin, bufio.NewReader(stdout)
	if err := p.command.Start(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) kill() {
	_ = p.command.Process.Kill()
	_ = p.command.Wait() // reports the kill
	_ = p.stdin.Close()
}

// ended waits until the child has died by itself; false if it lives on.
func (p *process) ended(within time.Duration) bool {
	done := make(chan struct{})
	go func() {
		_, _ = p.command.Process.Wait()
		close(done)
	}()
	select {
	case <-done:
		_ = p.stdin.Close()
		return true
	case <-time.After(within):
		_ = p.command.Process.Kill()
		<-done
		_ = p.stdin.Close()
		return false
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// Real processes are killed at each step of each role, on a node that is killed too, with a meter behind a real broker that comes and goes. All
// trades end, nothing is done twice, and nothing is released that did not come.
func TestKills(t *testing.T) {
	if testing.Short() {
		t.Skip("kills whole processes: make test runs it, without the race detector")
	}
	broker, publisher := component.Find(t, "mosquitto", "/usr/sbin/mosquitto"), component.Find(t, "mosquitto_pub")
	dir := t.TempDir()
	port, api := freePort(t), net.JoinHostPort("127.0.0.1", freePort(t))
	if err := node.Init(filepath.Join(dir, "node"), node.InitOptions{Params: killParams()}); err != nil {
		t.Fatal(err)
	}
	chain := &process{t: t, env: []string{childNode + "=" + filepath.Join(dir, "node"), childAPI + "=" + api}}
	var token string
	up := func() {
		chain.start()
		line, err := chain.lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the node does not start: %v\n%s", err, chain.log.String())
		}
		_, token, _ = strings.Cut(strings.TrimSpace(line), " ")
	}
	up()
	defer func() { chain.kill() }()
	ask, err := client.New("http://"+api, client.WithToken(token))
	if err != nil {
		t.Fatal(err)
	}
	keys := endow(t, ask)

	mqtt := exec.Command(broker, "-p", port)
	if err := mqtt.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mqtt.Process.Kill(); _ = mqtt.Wait() }()
	ctx, stop := context.WithCancel(t.Context())
	var meter sync.WaitGroup
	defer meter.Wait()
	defer stop()
	meter.Go(func() { publish(ctx, publisher, port) })

	houses := map[string]*process{}
	env := []string{childAPI + "=" + api, childToken + "=" + token, childDir + "=" + dir, childPort + "=" + port}
	for name := range keys {
		houses[name] = &process{t: t, env: append([]string{childHouse + "=" + name}, env...)}
	}
	points := map[string][]string{"roof": {"place:before", "post:while", "collect:after", "post:before", "place:while", "post:after", "collect:while"},
		"flat": {"release:while", "place:after", "release:after", "collect:before", "place:while", "release:before", "collect:while"}}
	if *killFor == 0 {
		points = map[string][]string{"roof": {"place:while", "post:while", "post:after"}, "flat": {"place:after", "release:while", "release:before"}}
	}
	var dying, others sync.WaitGroup
	others.Add(len(points))
	for name, list := range points {
		dying.Go(func() {
			defer func() { // it goes on alive until the other has died as often as it should
				others.Done()
				houses[name].start()
				others.Wait()
				houses[name].kill()
			}()
			for i, point := range list {
				houses[name].start(childPoint + "=" + point)
				if !houses[name].ended(40 * time.Second) {
					t.Errorf("%s never came to %s", name, point)
				}
				if i%2 == 1 {
					_ = os.Remove(filepath.Join(dir, name+".state"))
				}
			}
		})
	}
	dying.Wait()
	kills := 0
	for end := time.Now().Add(*killFor); time.Now().Before(end); kills++ {
		for name := range keys {
			houses[name].start()
		}
		time.Sleep(time.Duration(200+rand.IntN(2500)) * time.Millisecond)
		for name := range keys {
			houses[name].kill()
			if rand.IntN(3) == 0 {
				_ = os.Remove(filepath.Join(dir, name+".state"))
				_ = os.Remove(filepath.Join(dir, name+".state.readings"))
			}
		}
		switch rand.IntN(8) {
		case 0:
			_ = mqtt.Process.Kill()
			_ = mqtt.Wait()
			if mqtt = exec.Command(broker, "-p", port); mqtt.Start() != nil {
				t.Fatal("the broker does not start again")
			}
		case 1:
			chain.kill()
			up()
		}
	}
	chain.kill()
	up()
	for name := range keys {
		houses[name].start(childQuiet + "=yes")
	}
	defer func() {
		for _, house := range houses {
			house.kill()
		}
	}()
	checkEnd(t, ask, keys, houses)
	t.Logf("%d random kills of both", kills)
}

// publish sends the register of the roof, which rises by 5 Wh a second.
func publish(ctx context.Context, program, port string) {
	begin := time.Now()
	for ctx.Err() == nil {
		command := exec.CommandContext(ctx, program, "-p", port, "-t", "roof", "-l")
		in, err := command.StdinPipe()
		if err != nil || command.Start() != nil {
			return
		}
		for ctx.Err() == nil {
			if _, err := fmt.Fprintf(in, "%.3f\n", 1000+5*time.Since(begin).Seconds()); err != nil {
				break
			}
			pause(ctx, 100*time.Millisecond)
		}
		_ = in.Close()
		_ = command.Wait()
	}
}

// endow admits the houses, enrols the roof's point, and gives both money.
func endow(t *testing.T, ask *client.Client) map[string]types.PublicKey {
	t.Helper()
	for {
		if status, err := ask.Status(t.Context()); err == nil && status.Height > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	bank, err := ask.Account(t.Context(), accountOf(t, "bank"))
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]types.PublicKey{}
	for _, name := range []string{"roof", "flat"} {
		account := accountOf(t, name)
		keys[name] = account.Key()
		_, err := bank.Do(t.Context(), func(d *wallet.Draft) error {
			d.Admit(types.Member{Key: account.Key(), Name: name})
			if name == "roof" {
				d.Enrol(account.Key(), types.PointID{}, gatewayOf(account))
			}
			euro := killEuro()
			return d.Send(account.Key(), euro.ID(), euros)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return keys
}

// checkEnd waits until all trades are over, and checks them.
func checkEnd(t *testing.T, ask *client.Client, keys map[string]types.PublicKey, houses map[string]*process) {
	t.Helper()
	euro := killEuro()
	deadline := time.Now().Add(5 * time.Minute) // the ledger clock is slow while the node is killed, or has no processor
	for {
		open, sum := 0, types.Amount(0)
		for _, key := range keys {
			for _, err := range ask.AllTrades(t.Context(), key, true) {
				if err == nil {
					open++
				}
			}
			if balance, err := ask.Balance(t.Context(), key, euro.ID()); err == nil {
				sum += balance.Spendable
			}
		}
		if open == 0 && sum == 2*euros {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d trades are open, and %d of %d are spendable\n%s", open, sum, 2*euros, houses["flat"].log.String()[max(0, houses["flat"].log.Len()-3000):])
		}
		time.Sleep(100 * time.Millisecond)
	}
	bought, phases := map[types.Time]uint64{}, map[types.Phase]int{}
	for trade, err := range ask.AllTrades(t.Context(), keys["flat"], false) {
		if err != nil {
			t.Fatal(err)
		}
		goods := &trade.Trade.Agreement.Goods
		phases[trade.Phase]++
		if bought[goods.From] += goods.Quantity; bought[goods.From] > 6 {
			t.Errorf("%d Wh were bought for the slot at %s, and 6 were wanted", bought[goods.From], goods.From)
		}
		if trade.Trade.Released > 0 && trade.Trade.Agreement.Goods.Quantity > 15 {
			t.Errorf("trade %s of %d Wh was released, and the roof makes 15 in a slot", trade.ID, goods.Quantity)
		}
	}
	t.Logf("trades: %v", phases)
	if phases[types.PhaseReleased] == 0 {
		t.Errorf("no trade was released: the test tests too little\n%s", houses["roof"].log.String()[max(0, houses["roof"].log.Len()-3000):])
	}
}
