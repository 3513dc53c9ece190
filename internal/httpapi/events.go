package httpapi

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"lockstep/client/wire"
	"lockstep/trade"
	"lockstep/types"
)

const (
	keepAlive    = 15 * time.Second // interval of the comments that keep a stream alive
	streamWrite  = 10 * time.Second // a reader that reads nothing for so long is dropped; it can resume where it was
	streamPiece  = 64 << 10         // bytes of a block that are written at once
	endOfBlock   = "end"
	streamFormat = "text/event-stream"
)

func eventsOperation() huma.Operation {
	op := huma.Operation{
		Method: http.MethodGet, Path: "/v1/events", OperationID: "events", Summary: "Events of the ledger, as they happen",
		Description: "Server-sent events. The name of each is its kind, its data an Event in JSON, its id \"height:index\". " +
			"In a stream of a key or of a trade an event has the status of its trade when it was sent. " +
			"A message with an id (\"height:end\") and no data ends the requested events of a block. A client that reconnects with " +
			"the last id in Last-Event-ID resumes right after it; 'from' is then ignored. A place ahead of the ledger is refused (code ahead).",
		Responses: streamOf("EventView"),
	}
	describeProblems(&op, http.StatusConflict, http.StatusGone)
	return op
}

// streamOf describes a stream of messages whose data are values of a schema.
func streamOf(name string) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {
		Description: "A stream without an end.",
		Content: map[string]*huma.MediaType{streamFormat: {Schema: &huma.Schema{
			Type: huma.TypeString, Description: "server-sent events; the data of each is the JSON of a value",
			Extensions: map[string]any{"contentMediaType": "application/json", "contentSchema": map[string]any{"$ref": schemaPrefix + name}},
		}}},
	}}
}

type eventsInput struct {
	From    uint64          `query:"from" doc:"the first height; without it, the next block"`
	Key     types.PublicKey `query:"key" doc:"only events that concern this key"`
	Trade   types.TradeID   `query:"trade" doc:"only events of this trade"`
	Product types.ProductID `query:"product" doc:"only events of the book or the auction of this product"`
	Viewer  types.PublicKey `query:"viewer" doc:"the status of a trade is for this key; by default for 'key'"`
	Last    position        `header:"Last-Event-ID" doc:"the id of the last message that was received"`
}

func (in *eventsInput) wants(event *types.Event) bool {
	return (in.Key == types.PublicKey{} || slices.Contains(event.Keys, in.Key)) &&
		(in.Trade == types.TradeID{} || event.Trade == in.Trade) &&
		(in.Product == types.ProductID{} || event.Product == in.Product)
}

// follows reports whether the stream is that of a party or of a trade. The events of all trades are too many to look each trade up.
func (in *eventsInput) follows() bool {
	return in.Key != types.PublicKey{} || in.Trade != types.TradeID{}
}

// position is a place between two events: the next event is the one at an index in the block at a height.
type position struct {
	height uint64
	index  int
}

// UnmarshalText reads the id of a message: its place is right after it.
func (p *position) UnmarshalText(text []byte) error {
	height, index, found := strings.Cut(string(text), ":")
	number, err := strconv.ParseUint(height, 10, 63)
	switch {
	case err != nil || !found:
	case index == endOfBlock:
		*p = position{height: number + 1}
		return nil
	default:
		if i, err := strconv.ParseUint(index, 10, 31); err == nil {
			*p = position{number, int(i) + 1}
			return nil
		}
	}
	return types.Refuse(types.CodeMalformed, "not the id of a message of this stream: send the last id unchanged, height:index or height:end")
}

// last returns the height of the block of the message before the place.
func (p position) last() uint64 {
	if p.index > 0 {
		return p.height
	}
	return p.height - 1
}

func (s *server) events(ctx context.Context, in *eventsInput) (*huma.StreamResponse, error) {
	return s.openStream(ctx, in.Last, in.From, func(out io.Writer, block *wire.Block, first int) error {
		return s.writeEvents(ctx, out, block, first, in)
	})
}

// blockWriter writes the messages about a block, from an index on.
type blockWriter func(out io.Writer, block *wire.Block, first int) error

// openStream opens a stream right after the last message that the client received, at a height, or at the next block.
func (s *server) openStream(ctx context.Context, start position, from uint64, write blockWriter) (*huma.StreamResponse, error) {
	status, err := s.ledger.Status(ctx)
	if err != nil {
		return nil, s.refuse(err)
	}
	next := position{height: status.Height + 1}
	switch {
	case start.height > next.height, start.height == next.height && start.index > 0:
		return nil, s.refuse(types.Refuse(types.CodeAhead,
			"Last-Event-ID names a message of block %d, and this ledger is at block %d: the message is from another ledger; "+
				"start again without Last-Event-ID", start.last(), status.Height))
	case start != (position{}):
	case from > next.height:
		return nil, s.refuse(types.Refuse(types.CodeAhead,
			"from: block %d is ahead of this ledger, which is at block %d; leave it out to begin with the next block", from, status.Height))
	case from > 0:
		start.height = from
	default: // explicit, so that a client that loses the connection at once can still resume
		start = next
	}
	if start.height <= status.Height {
		if _, err := s.ledger.Block(ctx, start.height, false); types.CodeOf(err) == types.CodePruned {
			return nil, s.refuse(err)
		}
	}
	holder := clientOf(ctx)
	if status := s.streams.take(holder, 1); status != http.StatusOK {
		return nil, full(status, "streams", s.streams)
	}
	return &huma.StreamResponse{Body: func(out huma.Context) {
		defer s.streams.give(holder, 1)
		s.counters.streams.Inc()
		defer s.counters.streams.Dec()
		r, w := humago.Unwrap(out)
		if err := s.stream(r, w, start, write); err != nil && r.Context().Err() == nil {
			s.log.Debug("a stream broke off", "error", err)
		}
	}}, nil
}

// stream writes the blocks that the ledger yields. While the reader is slow the sequence waits, so nothing is buffered.
func (s *server) stream(r *http.Request, w http.ResponseWriter, start position, write blockWriter) error {
	ctx, cancel := context.WithCancel(r.Context())
	out := &eventWriter{writer: w, control: http.NewResponseController(w)}
	if err := out.begin(start); err != nil || r.Method == http.MethodHead {
		cancel()
		return err
	}
	blocks := make(chan wire.Block)
	failed := make(chan error, 1)
	go func() {
		defer close(blocks)
		for block, err := range s.ledger.Events(ctx, start.height) {
			if err != nil {
				failed <- err
				return
			}
			select {
			case blocks <- block:
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() { // waits until the sequence of the ledger has ended
		cancel()
		for range blocks {
		}
	}()
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		select {
		case block, open := <-blocks:
			if !open {
				select {
				case err := <-failed:
					return err
				default:
					return ctx.Err()
				}
			}
			first := 0
			if block.Height == start.height {
				first = start.index
			}
			if err := out.block(&block, first, write); err != nil {
				return err
			}
		case <-tick.C:
			if err := out.flush([]byte(": alive\n\n")); err != nil {
				return err
			}
		}
	}
}

// eventWriter writes messages by the rules of server-sent events (WHATWG HTML, section 9.2).
type eventWriter struct {
	writer  http.ResponseWriter
	control *http.ResponseController
}

func (o *eventWriter) begin(start position) error {
	o.writer.Header().Set("Content-Type", streamFormat)
	if err := o.control.SetReadDeadline(time.Time{}); err != nil { // the server's own would end the stream
		return fmt.Errorf("stream: %w", err)
	}
	var first bytes.Buffer
	if start.index == 0 {
		fmt.Fprintf(&first, "id: %d:%s\n\n", start.height-1, endOfBlock)
	} else {
		fmt.Fprintf(&first, "id: %d:%d\n\n", start.height, start.index-1)
	}
	return o.flush(first.Bytes())
}

// block writes the messages about a block in pieces: they are megabytes, and many readers may be slow at once.
func (o *eventWriter) block(block *wire.Block, first int, write blockWriter) error {
	if err := o.control.SetWriteDeadline(time.Now().Add(streamWrite)); err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	out := bufio.NewWriterSize(o.writer, streamPiece)
	if err := write(out, block, first); err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	fmt.Fprintf(out, "id: %d:%s\n\n", block.Height, endOfBlock) // the error comes with the flush
	if err := out.Flush(); err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	if err := o.control.Flush(); err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	return nil
}

// writeEvents writes a message for each selected event.
func (s *server) writeEvents(ctx context.Context, out io.Writer, block *wire.Block, first int, in *eventsInput) error {
	var told types.TradeID // the trade of status
	var status *wire.EventStatus
	for i := first; i < len(block.Events); i++ {
		event := &block.Events[i]
		if !in.wants(event) {
			continue
		}
		message := wire.Event{Event: *event}
		if (event.Trade != types.TradeID{}) && in.follows() {
			if told != event.Trade {
				told, status = event.Trade, s.eventStatus(ctx, event.Trade, cmp.Or(in.Viewer, in.Key))
			}
			message.Status = status
		}
		data, err := json.Marshal(&message)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "event: %s\nid: %d:%d\ndata: %s\n\n", event.Kind, block.Height, i, data); err != nil {
			return err
		}
	}
	return nil
}

// eventStatus returns the status of a trade now; nil if it can't be read.
func (s *server) eventStatus(ctx context.Context, id types.TradeID, viewer types.PublicKey) *wire.EventStatus {
	t, err := s.ledger.Trade(ctx, id)
	if err != nil {
		return nil
	}
	return &wire.EventStatus{
		Height: t.Height, Clock: t.Clock, Asset: t.Trade.Agreement.Asset, Unit: t.Trade.Agreement.Goods.Unit,
		Status: trade.StatusAt(&t.Trade, t.Clock, t.Reading, viewer),
	}
}

func (o *eventWriter) flush(text []byte) error {
	if err := o.control.SetWriteDeadline(time.Now().Add(streamWrite)); err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	if _, err := o.writer.Write(text); err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	if err := o.control.Flush(); err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	return nil
}
