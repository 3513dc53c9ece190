package notify

import (
	"context"
	"strings"
	"testing"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/ledgertest"
	"lockstep/internal/ledgertest/party"
	"lockstep/internal/ledgertest/served"
	"lockstep/trade/words"
	"lockstep/types"
)

// watch watches the trades of a party until its result is called.
func watch(t *testing.T, node *client.Client, name string, q *Queue, policy Policy) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	w := &Watcher{Node: node, Key: party.Key(name), Queue: q, Policy: policy, Language: words.English, Log: quiet}
	go func() { ended <- w.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// paid is a ledger with a trade that was just paid.
func paid(t *testing.T, l *ledgertest.Ledger, nonce uint64) types.TradeID {
	t.Helper()
	issued := l.Issue(10_000, "producer", "consumer")
	if err := l.Submit(t.Context(), issued); err != nil {
		t.Fatal(err)
	}
	offer := l.NewOffer(nonce)
	if err := l.Submit(t.Context(), party.Sign(l.Body(&types.Post{Offer: offer}), "producer")); err != nil {
		t.Fatal(err)
	}
	agreement, err := offer.Agreement(400, party.Key("consumer"), nonce)
	if err != nil {
		t.Fatal(err)
	}
	body := l.Body(&types.Take{Offer: offer.ID(), Consumer: party.Key("consumer"), Quantity: 400, Nonce: nonce, Digest: party.Secret("consumer").Digest(1)})
	body.Inputs = []types.Outpoint{{Tx: issued.ID(), Index: 1}}
	body.Outputs = []types.Output{party.Output("consumer", 10_000-400-40)}
	if err := l.Submit(t.Context(), party.Sign(body, "consumer")); err != nil {
		t.Fatal(err)
	}
	return agreement.ID()
}

// The seller is told of a paid trade, whether it was paid before the watcher began, while it ran, or while it was off; each once. The end
// that was not meant comes from the event of the refund or from a look.
func TestWatcher(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, "test")
	node, _ := served.Node(t, l)
	folder := t.TempDir()
	q := reopen(t, folder, "webhook")
	first := paid(t, l, 1)
	stop := watch(t, node, "producer", q, Policy{})
	of := func(q *Queue, kind Kind, id types.TradeID) *Notice {
		for _, n := range q.Pending() {
			if n.Kind == kind && n.Trade != nil && *n.Trade == id {
				return &n
			}
		}
		return nil
	}
	await(t, "the notice of the first trade", func() bool { return of(q, YourTurn, first) != nil })
	n := of(q, YourTurn, first)
	if n.Move != "deliver" || n.Cause != "E1 paid: payment 4.00 EUR and deposit 0.40 EUR are locked." || !strings.HasPrefix(n.Headline, "You deliver next, by ") ||
		len(n.Consequences) != 2 || n.Consequences[1] != "4.40 EUR to the consumer." || n.Deadline == 0 {
		t.Errorf("%+v", n)
	}
	second := paid(t, l, 2)
	await(t, "the notice of the second trade", func() bool { return of(q, YourTurn, second) != nil })
	stop()
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	third := paid(t, l, 3) // while nobody watches
	l.Advance(30 * 60_000) // deliver-by passes for all three
	q = openQueue(t, folder, "webhook")
	stop = watch(t, node, "producer", q, Policy{})
	await(t, "the ends", func() bool {
		return of(q, Ended, first) != nil && of(q, Ended, second) != nil && of(q, Ended, third) != nil
	})
	stop()
	count := map[string]int{}
	for _, n := range q.Pending() {
		count[n.ID]++
		if n.Cause == "" || n.Status == "" {
			t.Errorf("%+v", n)
		}
	}
	for id, times := range count {
		if times != 1 {
			t.Errorf("%s comes %d times", id, times)
		}
	}
	if n := of(q, Ended, third); n.Cause != "E2 not delivered: deliver-by has passed." {
		t.Errorf("%+v", n)
	}
}

// Near its deadline a step is told once more, without any event.
func TestWatcherReminds(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, "test")
	node, _ := served.Node(t, l)
	trade := paid(t, l, 1)
	now, err := node.Trade(t.Context(), trade)
	if err != nil {
		t.Fatal(err)
	}
	l.Advance(now.Trade.Agreement.Deadlines.DeliverBy.Since(now.Clock) - 60_000)
	q := openQueue(t, t.TempDir(), "webhook")
	stop := watch(t, node, "producer", q, Policy{Remind: 2 * 60_000, Agent: true})
	defer stop()
	await(t, "the reminder", func() bool { return len(q.Pending()) > 0 })
	if n := q.Pending()[0]; n.Kind != Deadline || n.Move != "deliver" || n.Deadline != now.Trade.Agreement.Deadlines.DeliverBy {
		t.Errorf("%+v", n)
	}
}

// An agent's step is told before its deadline is near only when the agent asks for the owner's word.
func TestWatcherInbox(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, "test")
	node, _ := served.Node(t, l)
	trade := paid(t, l, 1)
	q := openQueue(t, t.TempDir(), "webhook")
	inbox := make(chan Matter, 3)
	w := &Watcher{Node: node, Key: party.Key("producer"), Queue: q, Policy: Policy{Agent: true}, Language: words.English, Log: quiet, Inbox: inbox}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	trouble := NewTrouble("twin", "1", "Another agent uses your seed", "It has sent a transaction.")
	inbox <- Matter{Trade: types.TradeID{7}} // unknown: it is left out
	inbox <- Matter{Trouble: &trouble}
	await(t, "the trouble", func() bool { return len(q.Pending()) == 1 })
	inbox <- Matter{Trade: trade}
	await(t, "the word", func() bool { return len(q.Pending()) == 2 })
	if n := q.Pending()[1]; n.Kind != YourTurn || n.Move != "deliver" || *n.Trade != trade {
		t.Errorf("%+v", n)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A ledger that stands still is a trouble, and so is a node that is away; the watcher itself goes on.
func TestWatcherTroubles(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, "test")
	node, server := served.Node(t, l)
	l.Halt()
	q := openQueue(t, t.TempDir(), "webhook")
	stop := watch(t, node, "producer", q, Policy{})
	await(t, "the notice of the halt", func() bool { return len(q.Pending()) > 0 })
	stop()
	if n := q.Pending()[0]; n.Kind != Trouble || !strings.Contains(n.Cause, "No block came for 1m0s") || n.Trade != nil {
		t.Errorf("%+v", n)
	}
	server.Close()
	w := &Watcher{Node: node, Key: party.Key("producer"), Queue: q, Log: quiet}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if ok, err := w.look(ctx); ok || err != nil {
		t.Errorf("a node that is away: %t %v", ok, err)
	}
	for range 2 {
		if err := w.add(w.awayNotice()); err != nil {
			t.Fatal(err)
		}
	}
	if len(q.Pending()) != 2 {
		t.Errorf("%+v", q.Pending())
	}
}

// TestEventWithoutHeight: an event at height 0, which only a faulty node sends, does not end the watch for good.
func TestEventWithoutHeight(t *testing.T) {
	t.Parallel()
	q := openQueue(t, t.TempDir(), "webhook")
	w := &Watcher{Queue: q, Log: quiet}
	for _, c := range []struct{ height, cursor uint64 }{{0, 0}, {1, 0}, {7, 6}} {
		if err := w.event(t.Context(), &wire.Event{Event: types.Event{Height: c.height}}); err != nil || q.Cursor() != c.cursor {
			t.Errorf("after height %d all up to %d is done, %v", c.height, q.Cursor(), err)
		}
	}
}
