package client

import (
	"bufio"
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"lockstep/client/wire"
	"lockstep/types"
)

// EventsOptions select events. The zero value selects all events from the next block on.
type EventsOptions struct {
	From    uint64          // the first height; zero: the next block
	Until   uint64          // the last height, after which the sequence ends; zero: it goes on with the ledger
	Key     types.PublicKey // only events that concern the key, if it is not zero
	Trade   types.TradeID   // only events of the trade, if it is not zero
	Product types.ProductID // only events of the product's book or auction, if it is not zero
	Viewer  types.PublicKey // the status of a trade is for this key; zero: for Key
}

const (
	longestSilence = 60 * time.Second // a node sends a comment every 15 s
	maxLine        = 1 << 20          // bytes of one line of a stream
)

// Events yields the events of the ledger as they happen, each exactly once, until the context ends or all blocks up to Until were read;
// the sequence then ends without an error. Events of a key or of a trade have the status of their trade. It reconnects after a lost
// connection and resumes at the same place. An error ends the sequence: the node was unreachable at the first attempt, or refuses the
// question.
func (c *Client) Events(ctx context.Context, options EventsOptions) iter.Seq2[wire.Event, error] {
	return follow[wire.Event](ctx, c, "/v1/events", options)
}

// Outcomes yields the outcomes of the transactions of each block as they are decided, from a height on; zero is the next block. A block
// with many transactions comes in parts. In all else it is like [Client.Events].
func (c *Client) Outcomes(ctx context.Context, from uint64) iter.Seq2[wire.Outcomes, error] {
	return follow[wire.Outcomes](ctx, c, "/v1/outcomes", EventsOptions{From: from})
}

// follow iterates over the messages of a stream.
func follow[T any](ctx context.Context, c *Client, path string, options EventsOptions) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if options.Until > 0 && options.From > options.Until { // there are no such blocks, and a node would wait for the next one
			return
		}
		s := stream[T]{client: c, path: path, query: options.query(), until: options.Until, yield: yield}
		response, err := s.open(ctx)
		for attempt := 1; ; attempt++ {
			before := s.position
			switch {
			case err == nil:
				if lost := s.read(ctx, response); !lost {
					return
				}
			case s.position == "" || types.CodeOf(err) != types.CodeUnavailable:
				if ctx.Err() == nil {
					s.fail(err)
				}
				return
			}
			if s.position != before {
				attempt = 1
			}
			if !pause(ctx, backoff(attempt)) {
				return
			}
			response, err = s.connect(ctx)
		}
	}
}

func (o EventsOptions) query() url.Values {
	query := url.Values{}
	if o.From > 0 {
		query.Set("from", strconv.FormatUint(o.From, 10))
	}
	if o.Key != (types.PublicKey{}) {
		query.Set("key", o.Key.String())
	}
	if o.Trade != (types.TradeID{}) {
		query.Set("trade", o.Trade.String())
	}
	if o.Viewer != (types.PublicKey{}) {
		query.Set("viewer", o.Viewer.String())
	}
	if o.Product != (types.ProductID{}) {
		query.Set("product", o.Product.String())
	}
	return query
}

// stream reads server-sent events (WHATWG HTML, section 9.2).
type stream[T any] struct {
	client   *Client
	path     string
	query    url.Values
	until    uint64 // the height after which the stream ends; zero: none
	position string // id of the last message, after which the node resumes
	yield    func(T, error) bool
}

func (s *stream[T]) open(ctx context.Context) (response *http.Response, err error) {
	err = s.client.retry(ctx, func() error {
		response, err = s.connect(ctx)
		return err
	})
	return response, err
}

func (s *stream[T]) connect(ctx context.Context) (*http.Response, error) {
	header := http.Header{"Accept": {"text/event-stream"}}
	if s.position != "" {
		header.Set("Last-Event-ID", s.position)
	}
	response, err := s.client.send(ctx, request{path: s.path, query: s.query, header: header})
	if err != nil {
		return nil, err
	}
	if kind := response.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		response.Body.Close()
		return nil, s.client.strange("its events come as %q", kind)
	}
	return response, nil
}

// read yields the events of one connection. It returns true when the connection is lost, false at the end of the stream or when the caller
// has stopped.
func (s *stream[T]) read(ctx context.Context, response *http.Response) (lost bool) {
	defer response.Body.Close()
	watchdog := time.AfterFunc(longestSilence, func() { response.Body.Close() })
	defer watchdog.Stop()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, maxLine)
	var data, id string
	for lines.Scan() {
		watchdog.Reset(longestSilence)
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case lines.Text() == "": // the end of a message
			if data != "" && !s.give(data) {
				return false
			}
			if id != "" {
				s.position = id
			}
			if s.ended() {
				return false
			}
			data, id = "", ""
		case field == "data":
			data += value
		case field == "id":
			id = value
		}
	}
	return ctx.Err() == nil
}

// ended reports whether all blocks up to the last wanted height were read. The node ends the messages of each block with an id of its own.
func (s *stream[T]) ended() bool {
	height, index, _ := strings.Cut(s.position, ":")
	if s.until == 0 || index != "end" {
		return false
	}
	at, err := strconv.ParseUint(height, 10, 64)
	return err == nil && at >= s.until
}

// give yields a message, or the error that ends the stream.
func (s *stream[T]) give(data string) bool {
	var message T
	if err := json.Unmarshal([]byte(data), &message); err != nil {
		s.fail(s.client.strange("a message of its stream can't be read: %v", err))
		return false
	}
	return s.yield(message, nil)
}

func (s *stream[T]) fail(err error) {
	var none T
	s.yield(none, wrap("stream", err))
}
