package httpapi

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/client/wire"
	"lockstep/internal/ledgertest"
	"lockstep/internal/ledgertest/party"
	"lockstep/trade"
	"lockstep/types"
)

// message is one server-sent event.
type message struct{ name, id, data string }

// listen opens a stream; next blocks until its next message.
func (w *world) listen(path, last string) (next func() message, leave func()) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	request, err := http.NewRequestWithContext(ctx, "GET", w.server.URL+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if last != "" {
		request.Header.Set("Last-Event-ID", last)
	}
	response, err := w.server.Client().Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { response.Body.Close() })
	w.t.Cleanup(cancel)
	if response.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: %d", path, response.StatusCode)
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	return func() (m message) {
		for lines.Scan() && (lines.Text() != "" || m == message{}) { // a comment alone is no message
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "event":
				m.name = value
			case "id":
				m.id = value
			case "data":
				m.data = value
				w.describesMessage(path, value)
			}
		}
		if lines.Err() != nil {
			w.t.Errorf("the stream broke: %v", lines.Err())
		}
		return m
	}, cancel
}

// all reads events up to a height.
func all(t *testing.T, next func() message, height uint64) (events []types.Event, ids []string) {
	t.Helper()
	for {
		m := next()
		if m.id == fmt.Sprintf("%d:end", height) {
			return events, ids
		}
		if m == (message{}) {
			t.Fatal("the stream ended")
		}
		if m.data == "" {
			continue
		}
		var event types.Event
		if err := json.Unmarshal([]byte(m.data), &event); err != nil || string(event.Kind) != m.name {
			t.Fatalf("%+v: %v", m, err)
		}
		events, ids = append(events, event), append(ids, m.id)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	live, _ := w.listen("/v1/events", "")
	if m := live(); m.id != "1:end" {
		t.Fatalf("the stream begins with %+v", m)
	}
	story, trade := w.ledger.Story(t)
	last := uint64(len(story) + 1)
	events, ids := all(t, live, last)
	if len(events) < len(story) || events[0].Tx != story[0].ID() {
		t.Fatalf("events %+v", events)
	}
	past, _ := w.listen("/v1/events?from=1", "")
	if again, _ := all(t, past, last); fmt.Sprint(again) != fmt.Sprint(events) {
		t.Errorf("from the beginning: %v, live: %v", again, events)
	}
	for i, id := range ids { // from each on, exactly what follows
		next, leave := w.listen("/v1/events?from=1", id)
		if rest, _ := all(t, next, last); fmt.Sprint(rest) != fmt.Sprint(events[i+1:]) {
			t.Errorf("after %s: %v, want %v", id, rest, events[i+1:])
		}
		leave()
	}
	for path, want := range map[string]func(types.Event) bool{
		"/v1/events?from=1&trade=" + trade.String():             func(e types.Event) bool { return e.Trade == trade },
		"/v1/events?from=1&key=" + party.Key("issuer").String(): func(e types.Event) bool { return e.Kind == types.EventIssued },
		"/v1/events?from=1&key=" + party.Key("nobody").String(): func(types.Event) bool { return false },
		"/v1/events?from=1&trade=" + strings.Repeat("11", 32):   func(types.Event) bool { return false },
	} {
		next, leave := w.listen(path, "")
		var wanted []types.Event
		for _, event := range events {
			if want(event) {
				wanted = append(wanted, event)
			}
		}
		if got, _ := all(t, next, last); fmt.Sprint(got) != fmt.Sprint(wanted) {
			t.Errorf("%s: %v, want %v", path, got, wanted)
		}
		leave()
	}
}

// TestEventsWithStatus: the events of a trade or of a key have the status of the trade for the viewer, the same as the answer about it.
func TestEventsWithStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	story, id := w.ledger.Story(t)
	last := uint64(len(story) + 1)
	seen := 0
	for query, viewer := range map[string]types.PublicKey{
		"":                                       {},
		"&trade=" + id.String():                  {},
		"&key=" + party.Key("consumer").String(): party.Key("consumer"),
		"&trade=" + id.String() + "&viewer=" + party.Key("producer").String():                  party.Key("producer"),
		"&key=" + party.Key("consumer").String() + "&viewer=" + party.Key("producer").String(): party.Key("producer"),
	} {
		next, leave := w.listen("/v1/events?from=1"+query, "")
		for m := next(); m.id != fmt.Sprintf("%d:end", last); m = next() {
			if m.data == "" {
				continue
			}
			var event wire.Event
			if err := json.Unmarshal([]byte(m.data), &event); err != nil {
				t.Fatal(err)
			}
			if query == "" || event.Trade != id {
				if event.Status != nil {
					t.Errorf("%s: a status of no trade that is followed: %s", query, m.data)
				}
				continue
			}
			answer, err := w.ledger.Trade(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			want := &wire.EventStatus{
				Height: answer.Height, Clock: answer.Clock, Asset: answer.Trade.Agreement.Asset, Unit: answer.Trade.Agreement.Goods.Unit,
				Status: trade.StatusAt(&answer.Trade, answer.Clock, answer.Reading, viewer),
			}
			if diff := cmp.Diff(want, event.Status); diff != "" {
				t.Errorf("%s (- of the trade, + of the event):\n%s", query, diff)
			}
			seen++
		}
		leave()
	}
	if seen < 8 {
		t.Errorf("only %d events of the trade", seen)
	}
}

func TestEventsBadPosition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, last := range []string{"x", "1", ":", "1:", "1:-1", "-1:0", "1:x", "99999999999999999999:0", "1:99999999999"} {
		response, text := w.ask("GET", "/v1/events", nil, "Last-Event-ID", last)
		w.refused(response, text, http.StatusBadRequest, types.CodeMalformed)
	}
}

// A place ahead of the ledger is from another ledger, or from one that was created again: the stream would stay silent forever.
func TestEventsAhead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ledger.Story(t)
	height := get[wire.Status](w, "/v1/status").Height
	for _, path := range []string{"/v1/events", "/v1/outcomes", "/v1/events?from=1"} {
		for _, last := range []string{fmt.Sprintf("%d:end", height+1), fmt.Sprintf("%d:0", height+1), "9223372036854775807:end", "9223372036854775807:3"} {
			response, text := w.ask("GET", path, nil, "Last-Event-ID", last)
			if problem := w.refused(response, text, http.StatusConflict, types.CodeAhead); !strings.Contains(problem.Detail, "start again without Last-Event-ID") {
				t.Errorf("%s does not say what to do", problem.Detail)
			}
		}
		next, leave := w.listen(path, fmt.Sprintf("%d:end", height)) // the last one is not ahead
		next()
		leave()
	}
	next, leave := w.listen(fmt.Sprintf("/v1/events?from=%d", height+1), "") // nor is the next block
	next()
	leave()
}

// flood is a ledger with an endless sequence of large past blocks. It counts the blocks that were read.
type flood struct {
	*ledgertest.Ledger
	ended chan uint64
}

func (f flood) Events(ctx context.Context, from uint64) iter.Seq2[wire.Block, error] {
	event := types.Event{Kind: types.EventKind(strings.Repeat("x", 64<<10)), At: ledgertest.Start}
	return func(yield func(wire.Block, error) bool) {
		n := uint64(0)
		for ctx.Err() == nil && yield(wire.Block{Height: from + n, Events: []types.Event{event}}, nil) {
			n++
		}
		f.ended <- n
	}
}

// A reader that reads nothing delays only itself, and nothing is buffered for it.
func TestEventsSlowReader(t *testing.T) {
	t.Parallel()
	f := flood{Ledger: ledgertest.New(t, "test"), ended: make(chan uint64, 2)}
	w := serve(t, f.Ledger, f)
	slow, err := net.Dial("tcp", w.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := slow.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(slow, "GET /v1/events?from=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
	next, leave := w.listen("/v1/events?from=1", "")
	const blocks = 300 // of 130 kB: several times the buffer of a connection
	all(t, next, blocks)
	slow.Close()
	if taken := <-f.ended; taken > blocks/2 {
		t.Errorf("%d blocks were taken for a reader that takes none", taken)
	}
	leave()
	<-f.ended
}

// counter counts the bytes written to it and the largest write.
type counter struct {
	http.ResponseWriter
	most, total int
}

func (c *counter) Write(text []byte) (int, error) {
	c.most, c.total = max(c.most, len(text)), c.total+len(text)
	return c.ResponseWriter.Write(text)
}

func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// A block is written in pieces, so that a slow reader does not keep all its messages in memory.
func TestEventsOfALargeBlock(t *testing.T) {
	t.Parallel()
	block := wire.Block{Height: 7, Events: make([]types.Event, 5000), Txs: make([]wire.BlockTx, 5000)}
	writes := map[string]blockWriter{
		"events": func(out io.Writer, block *wire.Block, first int) error {
			return new(server).writeEvents(t.Context(), out, block, first, &eventsInput{})
		},
		"outcomes": writeOutcomes,
	}
	for name, write := range writes {
		counted := &counter{}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			counted.ResponseWriter = w
			out := eventWriter{counted, http.NewResponseController(counted)}
			if err := out.block(&block, 0, write); err != nil {
				t.Error(err)
			}
		}))
		response, err := http.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		if err != nil || !strings.HasSuffix(string(text), "id: 7:end\n\n") {
			t.Errorf("%s: %v, the end is %.100q", name, err, text[max(0, len(text)-100):])
		}
		if err := response.Body.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
		if counted.total < 4*streamPiece || counted.most > 2*streamPiece {
			t.Errorf("%s: of %d bytes %d are written at once", name, counted.total, counted.most)
		}
	}
}

// A stream that has ended makes room for another.
func TestStreamPlaceReuse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range defaultStreams + 1 {
		if response, _ := w.ask("HEAD", "/v1/events", nil); response.StatusCode != http.StatusOK {
			t.Fatalf("%d", response.StatusCode)
		}
	}
}

// A stream ends with its reader, and with the server.
func TestEventsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	next, leave := w.listen("/v1/events", "")
	next()
	leave()
	other, _ := w.listen("/v1/events", "")
	other()
	w.server.CloseClientConnections()
	w.server.Close() // blocks until every request has ended
}
