package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"lockstep/client"
	"lockstep/meter"
	"lockstep/types"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"lockstep": func() {
		quickWork = "yes" // of scrypt, so that the scripts may be many
		main()
	}})
}

// nextPort counts through ports below those that the system hands out for connections: a node that was killed must find
// its own free again.
var nextPort atomic.Int32

func freeAddress() (string, error) {
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", 20_000+(int(nextPort.Add(1))+os.Getpid()*16)%10_000)
		if listener, err := net.Listen("tcp", address); err == nil {
			return address, listener.Close()
		}
	}
	return "", errors.New("no port is free")
}

// TestScripts runs testdata/*.txtar: the program as a person types it, with real nodes and real files.
func TestScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("whole processes, without -short")
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			api, err := freeAddress()
			if err != nil {
				return err
			}
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("API", api)
			shop, err := freeAddress()
			if err != nil {
				return err
			}
			env.Setenv("SHOP", shop)
			env.Setenv("LOCKSTEP_HOME", env.WorkDir+"/home")
			env.Setenv("LOCKSTEP_NODE", "http://"+api)
			env.Setenv("LOCKSTEP_PASSPHRASE_FILE", env.WorkDir+"/passphrase")
			return os.WriteFile(env.WorkDir+"/passphrase", []byte("correct horse battery\n"), 0o600)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"ready": ready, "get": get, "begin": begin, "flip": flip, "gateway": gateway, "station": station, "pass": pass, "wall": wall, "slot": slot, "cut": cut, "gone": gone, "lie": lie, "fetch": fetch, "indexed": indexed, "receive": receive, "received": received, "expand": expand, "metrics": metrics, "still": still,
		},
		RequireExplicitExec: true,
	})
}

// ready waits until the node answers and has a block.
func ready(ts *testscript.TestScript, _ bool, _ []string) {
	node, err := client.New(ts.Getenv("LOCKSTEP_NODE"))
	ts.Check(err)
	for range 300 {
		if status, err := node.Status(context.Background()); err == nil && status.Height > 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("the node did not come up: %s", ts.ReadFile("stderr"))
}

// begin VAR ID sets a variable to the beginning of an id.
func begin(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], args[1][:shortDigits])
}

// get VAR PATH sets a variable to a value in the JSON of the last command: names and indexes with dots between.
func get(ts *testscript.TestScript, _ bool, args []string) {
	var value any
	text := ts.ReadFile("stdout")
	ts.Check(json.Unmarshal([]byte(text), &value))
	for _, standIn := range []string{`"1970-01-01T`, `"` + strings.Repeat("0", 64) + `"`, `"` + (types.PublicKey{}).String() + `"`} {
		if strings.Contains(text, standIn) {
			ts.Fatalf("%s stands for nothing: leave it out of\n%s", standIn, text)
		}
	}
	for step := range strings.SplitSeq(args[1], ".") {
		if list, ok := value.([]any); ok {
			i, err := strconv.Atoi(step)
			ts.Check(err)
			if i >= len(list) {
				ts.Fatalf("%s: there are %d", args[1], len(list))
			}
			value = list[i]
			continue
		}
		object, ok := value.(map[string]any)
		if !ok || object[step] == nil {
			ts.Fatalf("%s: no %s", args[1], step)
		}
		value = object[step]
	}
	ts.Setenv(args[0], fmt.Sprint(value))
}

// flip FILE OFFSET changes one bit of a file.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	content, err := os.ReadFile(path)
	ts.Check(err)
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	content[at%len(content)] ^= 1
	ts.Check(os.WriteFile(path, content, 0o600))
}

// pass TIME waits until the ledger clock is past a moment.
func pass(ts *testscript.TestScript, _ bool, args []string) {
	var until types.Time
	ts.Check(until.UnmarshalText([]byte(args[0])))
	node, err := client.New(ts.Getenv("LOCKSTEP_NODE"))
	ts.Check(err)
	for range 1200 {
		status, err := node.Status(context.Background())
		ts.Check(err)
		if status.Clock > until {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("the ledger clock did not come to %s", until)
}

// slot VAR AHEAD LENGTH sets a variable to the begin of the first slot that is at least so far ahead.
func slot(ts *testscript.TestScript, _ bool, args []string) {
	ahead, err := time.ParseDuration(args[1])
	ts.Check(err)
	length, err := time.ParseDuration(args[2])
	ts.Check(err)
	begin := time.Now().Add(ahead + length).Truncate(length)
	ts.Setenv(args[0], types.Time(begin.UnixMilli()).String())
}

// wall TIME waits until the wall clock is past a moment, though the chain stands still.
func wall(ts *testscript.TestScript, _ bool, args []string) {
	var until types.Time
	ts.Check(until.UnmarshalText([]byte(args[0])))
	time.Sleep(time.Until(until.Std()) + time.Second)
}

// gone OFFER waits until an offer has ended and the node's index knows it.
func gone(ts *testscript.TestScript, _ bool, args []string) {
	var id types.OfferID
	ts.Check(id.UnmarshalText([]byte(args[0])))
	node, err := client.New(ts.Getenv("LOCKSTEP_NODE"))
	ts.Check(err)
	for range 1200 {
		if _, err := node.Offer(context.Background(), id); err != nil && !strings.Contains(err.Error(), "never did") {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("offer %s has not ended", id)
}

// fetch TRADE waits until the shop serves the sealed file of a trade.
func fetch(ts *testscript.TestScript, _ bool, args []string) {
	for range 600 {
		response, err := http.Get("http://" + ts.Getenv("SHOP") + "/" + args[0] + ".age")
		if err == nil {
			ts.Check(response.Body.Close())
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("the shop does not serve trade %s", args[0])
}

// indexed waits until the node's index has every block so far.
func indexed(ts *testscript.TestScript, _ bool, _ []string) {
	node, err := client.New(ts.Getenv("LOCKSTEP_NODE"))
	ts.Check(err)
	status, err := node.Status(context.Background())
	ts.Check(err)
	for range 600 {
		trades, err := node.TradeHistory(context.Background(), client.TradeFilter{}, client.Page{Limit: 1})
		if err == nil && trades.At.Height >= status.Height {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("the index does not come to height %d", status.Height)
}

// cut VAR TEXT N sets a variable to the first characters of a text.
func cut(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	ts.Setenv(args[0], args[1][:n])
}

// gateway key VAR sets a variable to the public key of a gateway; gateway sign FROM UNTIL WH FILE writes its signed record.
func gateway(ts *testscript.TestScript, _ bool, args []string) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	public := [32]byte(key.Public().(ed25519.PublicKey))
	if args[0] == "key" {
		ts.Setenv(args[1], fmt.Sprintf("%x", public))
		return
	}
	moment := func(text string) int64 {
		var at types.Time
		ts.Check(at.UnmarshalText([]byte(text)))
		return int64(at)
	}
	wh, err := strconv.ParseUint(args[3], 10, 64)
	ts.Check(err)
	register, err := meter.ParseOBIS("01-00:02.08.00*FF")
	ts.Check(err)
	record := meter.Native{
		Meter: public, Register: register, Direction: meter.Export, From: moment(args[1]), Until: moment(args[2]),
		Page: 1, Form: meter.FormQuantity, End: wh,
	}
	signed := meter.SignedNative{Native: record, Signature: [64]byte(ed25519.Sign(key, record.Bytes()))}
	ts.Check(os.WriteFile(ts.MkAbs(args[4]), []byte(signed.String()+"\n"), 0o600))
}
