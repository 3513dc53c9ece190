package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"lockstep/internal/agent"
	"lockstep/internal/notify"
	"lockstep/types"
)

// Only notices of an agent that need the owner are passed on, each trouble with its cause, and once a day or a trade.
func TestMatterOf(t *testing.T) {
	t.Parallel()
	for _, kind := range []agent.NoticeKind{agent.NoticeTrade, agent.NoticeWord, agent.NoticeDone, agent.NoticeRefused, agent.NoticeLimit, agent.NoticeFunds, agent.NoticeTwin, agent.NoticeDoubt} {
		n := agent.Notice{Kind: kind, At: 1_780_000_000_000, Trade: types.TradeID{7}, Detail: "why"}
		if _, needed := matterOf(&n); needed {
			t.Errorf("%s needs nobody", kind)
		}
		n.Needed = true
		m, needed := matterOf(&n)
		if !needed || (kind == agent.NoticeWord) != (m.Trouble == nil) || (kind == agent.NoticeWord) != (m.Trade == n.Trade) {
			t.Errorf("%s: %+v", kind, m)
		}
		if m.Trouble == nil {
			continue
		}
		if m.Trouble.Cause == "" || m.Trouble.Headline == "" || m.Trouble.Kind != notify.Trouble {
			t.Errorf("%s: %+v", kind, m.Trouble)
		}
		n.At++
		if again, _ := matterOf(&n); again.Trouble.ID != m.Trouble.ID {
			t.Errorf("%s has another id a moment later", kind)
		}
	}
}

// hook is an owner's server in a script.
type hook struct {
	mu     sync.Mutex
	bodies []string
}

// receive SECRET starts a receiver of webhooks at $HOOK that takes signed notices alone, each id once.
func receive(ts *testscript.TestScript, _ bool, args []string) {
	secret, err := notify.ParseSecret(ts.ReadFile(args[0]))
	ts.Check(err)
	h, seen := &hook{}, map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		at, bad := strconv.ParseInt(r.Header.Get("Webhook-Timestamp"), 10, 64)
		id := r.Header.Get("Webhook-Id")
		if err != nil || bad != nil || r.Header.Get("Webhook-Signature") != secret.Sign(id, at, body) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if !seen[id] {
			seen[id] = true
			h.bodies = append(h.bodies, string(body))
		}
	}))
	ts.Defer(server.Close)
	ts.Setenv("HOOK", server.URL+"/topsecret")
	hooks.Store(ts.Getenv("WORK"), h)
}

// hooks are the receivers by the folder of their script.
var hooks sync.Map

// received N PATTERN waits for the n-th notice, which must match, and wants no more of them.
func received(ts *testscript.TestScript, _ bool, args []string) {
	found, _ := hooks.Load(ts.Getenv("WORK"))
	h, ok := found.(*hook)
	n, err := strconv.Atoi(args[0])
	if ts.Check(err); !ok {
		ts.Fatalf("received before receive")
	}
	for range 800 {
		h.mu.Lock()
		bodies := append([]string(nil), h.bodies...)
		h.mu.Unlock()
		if len(bodies) >= n {
			if len(bodies) > n || !regexp.MustCompile(args[1]).MatchString(bodies[n-1]) {
				ts.Fatalf("%d notices, number %d is\n%s", len(bodies), n, bodies[n-1])
			}
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("there is no notice %d", n)
}

// expand FILE puts the values of variables into a file.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(os.Expand(ts.ReadFile(args[0]), ts.Getenv)), 0o600))
}

// metrics PATTERN wants a line of the metrics at $SHOP.
func metrics(ts *testscript.TestScript, _ bool, args []string) {
	response, err := http.Get("http://" + ts.Getenv("SHOP") + "/metrics")
	ts.Check(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	ts.Check(err)
	if !regexp.MustCompile(args[0]).Match(text) || !strings.Contains(string(text), "go_goroutines") {
		ts.Fatalf("the metrics are\n%s", text)
	}
}
