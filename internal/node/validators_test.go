package node

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// TestFourValidators: a transaction that is submitted to one validator becomes final on all. A killed validator delays the others only in
// its turns to propose, and catches up after its restart.
func TestFourValidators(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("four processes, without -short")
	}
	params := types.DefaultParams("test")
	validators := places(t, 4)
	if err := InitAll(validators, params, 0); err != nil {
		t.Fatal(err)
	}
	nodes, addresses := make([]*child, len(validators)), make([]string, len(validators))
	for i, v := range validators {
		nodes[i] = startChild(t, v.Dir)
	}
	for i, c := range nodes {
		addresses[i] = c.address(t)
		defer c.kill()
	}
	first := mint(params, 1000, "peter", "peter", "peter")
	submitTo(t, validators[1].Dir, addresses[1], first)
	for _, address := range addresses {
		finalAt(t, address, first.ID())
	}

	nodes[3].kill()
	pay := body(params)
	pay.Inputs, pay.Outputs = []types.Outpoint{{Tx: first.ID()}}, []types.Output{party.Output("clara", 1000)}
	second := party.Sign(pay, "peter")
	submitTo(t, validators[0].Dir, addresses[0], second)
	for _, address := range addresses[:3] {
		finalAt(t, address, second.ID())
	}

	missing := validatorsAt(t, addresses[0], func(v *wire.Validators) bool { return v.Heard == 3*types.GenesisPower })
	for _, validator := range missing.Validators {
		identity, err := IdentityOf(validators[3].Dir)
		if err != nil || validator.Heard != (validator.Key != identity.Validator) || validator.Power != types.GenesisPower {
			t.Errorf("%+v, while %+v is killed: %v", validator, identity, err)
		}
	}
	if missing.Needed != 33 || missing.Power != 4*types.GenesisPower || missing.Blocks == 0 || missing.Validators[0].Signed == 0 {
		t.Errorf("%+v", missing)
	}

	nodes[3] = startChild(t, validators[3].Dir)
	addresses[3] = nodes[3].address(t)
	defer nodes[3].kill()
	finalAt(t, addresses[3], second.ID())
	pay.Inputs = []types.Outpoint{{Tx: first.ID(), Index: 1}}
	third := party.Sign(pay, "peter")
	submitTo(t, validators[3].Dir, addresses[3], third)
	for _, address := range addresses {
		finalAt(t, address, third.ID())
	}

	for i, c := range nodes {
		c.stop(t)
		report, err := Check(validators[i].Dir, slog.New(slog.DiscardHandler))
		if err != nil || report.Txs != 3 {
			t.Errorf("validator %d has %d transactions, %v", i, report.Txs, err)
		}
	}
}

// validatorsAt waits until a node sees its validators in a state.
func validatorsAt(t *testing.T, address string, want func(*wire.Validators) bool) wire.Validators {
	t.Helper()
	node, err := client.New("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		validators, err := node.Validators(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want(&validators) {
			return validators
		}
		if time.Since(begin) > time.Minute {
			status, err := node.Status(t.Context())
			t.Fatalf("the node never sees its validators so; the last were %+v; its status is %+v, %v", validators, status, err)
		}
	}
}

// places returns validators on this machine, at free ports.
func places(t *testing.T, count int) []Validator {
	t.Helper()
	dir, all := t.TempDir(), make([]Validator, count)
	for i := range all {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close() // open together, so that the ports differ
		address := listener.Addr().String()
		all[i] = Validator{Dir: filepath.Join(dir, fmt.Sprintf("node%d", i)), API: DefaultAPI, Listen: address, Address: address}
	}
	return all
}

func submitTo(t *testing.T, dir, address string, tx *types.Tx) {
	t.Helper()
	token, err := LoadToken(dir)
	if err != nil {
		t.Fatal(err)
	}
	c := &customer{token: token, pending: tx}
	receipt, err := c.handIn(address)
	for end := time.Now().Add(time.Minute); receipt.Code == types.CodeUnavailable && time.Now().Before(end); {
		time.Sleep(100 * time.Millisecond) // it has made no block yet
		receipt, err = c.handIn(address)
	}
	if err != nil || receipt.Status == wire.StatusRefused {
		t.Fatalf("%+v, %v", receipt, err)
	}
}

// finalAt waits until a node has a transaction.
func finalAt(t *testing.T, address string, id types.TxID) {
	t.Helper()
	var receipt wire.Receipt
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var err error
		if receipt, err = receiptAt(address, id); err != nil {
			t.Fatal(err)
		}
		if receipt.Status == wire.StatusCommitted {
			return
		}
	}
	t.Fatalf("at %s: %+v", address, receipt)
}

// TestInitAll: InitAll overwrites nothing, and every folder can run.
func TestInitAll(t *testing.T) {
	t.Parallel()
	params := types.DefaultParams("test")
	validators := places(t, 3)
	if err := InitAll(validators, params, 0); err != nil {
		t.Fatal(err)
	}
	if err := InitAll(validators, params, 0); err == nil {
		t.Error("it makes a ledger where there is one")
	}
	for _, v := range validators {
		settings, err := LoadSettings(v.Dir)
		if err != nil || len(settings.P2PPeers) != 2 || settings.P2PListen != v.Listen {
			t.Errorf("%+v, %v", settings, err)
		}
		for _, secret := range []string{tokenFile, "engine/config/priv_validator_key.json", "engine/config/node_key.json"} {
			if info, err := os.Stat(filepath.Join(v.Dir, secret)); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", secret, info, err)
			}
		}
	}
	for name, v := range map[string]Validator{
		"no API":     {Dir: t.TempDir(), Listen: "127.0.0.1:1", Address: "127.0.0.1:1"},
		"no address": {Dir: t.TempDir(), API: DefaultAPI, Listen: "127.0.0.1:1"},
		"no port":    {Dir: t.TempDir(), API: DefaultAPI, Listen: "127.0.0.1", Address: "127.0.0.1:1"},
	} {
		if err := InitAll([]Validator{v, places(t, 1)[0]}, params, 0); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}

// TestMesh: some validators form a mesh, more a graph that stays whole without any of the largest number of faulty ones.
func TestMesh(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{1: 0, 2: 1, 4: 3, 7: 6, 8: 4, 10: 4, 13: 6, 20: 8, 40: 14, 100: 34} {
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprint(i)
		}
		joined := make([]map[string]bool, n)
		for i := range joined {
			joined[i] = map[string]bool{}
		}
		for i := range names {
			for _, peer := range peersOf(i, names) {
				if peer == names[i] {
					t.Errorf("%d of %d connects to itself", i, n)
				}
				at, _ := strconv.Atoi(peer) // a name of this test
				joined[i][peer], joined[at][names[i]] = true, true
			}
		}
		for i := range joined {
			if len(joined[i]) != want {
				t.Errorf("%d of %d has %d connections, want %d", i, n, len(joined[i]), want)
			}
		}
		if faulty := (n - 1) / 3; n > 1 && want <= faulty {
			t.Errorf("%d faulty ones of %d can cut one off that has %d connections", faulty, n, want)
		}
	}
}
