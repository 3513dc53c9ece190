package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// past is all events up to a height.
func (w *world) past(options client.EventsOptions, until uint64) (events []wire.Event) {
	w.t.Helper()
	options.Until = until
	for event, err := range w.Events(w.t.Context(), options) {
		if err != nil {
			w.t.Fatal(err)
		}
		events = append(events, event)
	}
	return events
}

func TestEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	story, trade := w.ledger.Story(t)
	last := uint64(len(story) + 1)
	events := w.past(client.EventsOptions{From: 1}, last)
	if len(events) < len(story) {
		t.Fatalf("%v", events)
	}
	for _, event := range w.past(client.EventsOptions{From: 1, Trade: trade, Viewer: party.Key("producer")}, last) {
		if event.Status == nil || event.Status.Status.Viewer != "producer" {
			t.Errorf("no status for the producer: %+v", event.Status)
		}
	}
	for _, event := range w.past(client.EventsOptions{From: 1, Trade: trade, Key: party.Key("consumer")}, last) {
		if event.Trade != trade {
			t.Errorf("not of the trade: %+v", event)
		}
		if event.Status == nil || event.Status.Status.Viewer != "consumer" {
			t.Errorf("no status for the consumer: %+v", event.Status)
		}
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	story, _ := w.ledger.Story(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := map[types.TxID]types.Code{}
	for outcomes, err := range w.Outcomes(ctx, 1) {
		if err != nil {
			t.Fatal(err)
		}
		for _, tx := range outcomes.Txs {
			told[tx.ID] = tx.Code
		}
		if outcomes.Height == uint64(len(story)+1) {
			break
		}
	}
	for i, tx := range story {
		if code, known := told[tx.ID()]; !known || code != types.CodeOK {
			t.Errorf("transaction %d: %v, %t", i, code, known)
		}
	}
}

// The connection breaks after every few bytes; each event still comes exactly once.
func TestEventsAfterReconnect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	story, _ := w.ledger.Story(t)
	last := uint64(len(story) + 1)
	want := w.past(client.EventsOptions{From: 1}, last)
	node := w.server.Config.Handler
	var connections atomic.Int32
	front := http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		connections.Add(1)
		w.front.Store(nil)
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		node.ServeHTTP(&leaky{ResponseWriter: out, left: 700, cancel: cancel}, r.WithContext(ctx))
	})
	again := http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) { front(out, r) })
	w.front.Store(&again)
	var got []wire.Event
	for event, err := range w.Events(t.Context(), client.EventsOptions{From: 1, Until: last}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, event)
		w.front.Store(&again) // the next connection breaks too
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	if connections.Load() < 2 {
		t.Error("the connection never broke")
	}
}

// A sequence with a last height ends by itself after it, also where its last blocks have no events for the reader.
func TestEventsUntil(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	story, _ := w.ledger.Story(t)
	last := uint64(len(story) + 1)
	for _, of := range []struct {
		name        string
		from, until uint64
		key         types.PublicKey
	}{
		{"all", 1, last, types.PublicKey{}},
		{"all but the last block", 1, last - 1, types.PublicKey{}},
		{"the first block", 1, 1, types.PublicKey{}},
		{"the last block", last, last, types.PublicKey{}},
		{"a key without events", 1, last, party.Key("nobody")},
		{"nothing: blocks that are not there yet", last + 2, last + 1, types.PublicKey{}},
		{"nothing: the last height is before the first", last, last - 1, types.PublicKey{}},
	} {
		want, got := 0, 0
		for height := of.from; height <= of.until && of.key == (types.PublicKey{}); height++ {
			for _, err := range w.AllBlockEvents(t.Context(), height) {
				if err != nil {
					t.Fatal(err)
				}
				want++
			}
		}
		for event, err := range w.Events(t.Context(), client.EventsOptions{From: of.from, Until: of.until, Key: of.key}) {
			if err != nil || event.Height < of.from || event.Height > of.until {
				t.Fatalf("%s: event of block %d, %v", of.name, event.Height, err)
			}
			got++
		}
		if got != want {
			t.Errorf("%s: %d events of %d", of.name, got, want)
		}
	}
}

// leaky breaks the connection after a number of bytes, in the middle of any message.
type leaky struct {
	http.ResponseWriter
	left   int
	cancel func()
}

func (l *leaky) Unwrap() http.ResponseWriter { return l.ResponseWriter }

func (l *leaky) Write(text []byte) (int, error) {
	if len(text) > l.left {
		text = text[:l.left]
		l.cancel()
	}
	l.left -= len(text)
	n, err := l.ResponseWriter.Write(text)
	if l.left == 0 {
		_ = http.NewResponseController(l.ResponseWriter).Flush()
		return n, io.ErrClosedPipe
	}
	return n, err
}

func TestEventsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int)
	go func() {
		n := 0
		for _, err := range w.Events(ctx, client.EventsOptions{From: 1}) {
			if err != nil {
				t.Error(err)
			}
			n++
			cancel()
		}
		done <- n
	}()
	w.ledger.Story(t)
	if n := <-done; n == 0 {
		t.Error("no event came")
	}
}

func TestEventsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, front := range map[string]http.HandlerFunc{"not a stream": answers(1), "not found": http.NotFound, "garbage": func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(out, "data: {\n\n")
	}} {
		w.instead(front)
		n := 0
		for _, err := range w.Events(t.Context(), client.EventsOptions{}) {
			if n++; err == nil || types.CodeOf(err) != types.CodeInternal {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d errors", name, n)
		}
	}
}
