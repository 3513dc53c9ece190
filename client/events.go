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

	"lockstep/types"
)

// EventsOptions choose events. The zero value is all events from now on.
type EventsOptions struct {
	From    uint64          // the first height; zero: what comes next
	Key     types.PublicKey // only what concerns the key, if it is not zero
	Trade   types.TradeID   // only what concerns the trade, if it is not zero
	Product types.ProductID // only what concerns the product's book or auction, if it is not zero
}

const (
	longestSilence = 60 * time.Second // a node sends a sign of life every 15 s
	maxLine        = 1 << 20          // bytes of one line of a stream
)

// Events goes through the events of the ledger as they happen, each exactly once, until the context ends: the sequence
// then ends without an error. When the connection is lost it is made again, where it broke off. An error, which is the
// last thing it gives, means that the node could not be reached at first or refuses the question.
func (c *Client) Events(ctx context.Context, options EventsOptions) iter.Seq2[types.Event, error] {
	return func(yield func(types.Event, error) bool) {
		s := stream{client: c, query: options.query(), yield: yield}
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
					yield(types.Event{}, wrap("events", err))
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
	if o.Product != (types.ProductID{}) {
		query.Set("product", o.Product.String())
	}
	return query
}

// stream reads server-sent events (WHATWG HTML, section 9.2).
type stream struct {
	client   *Client
	query    url.Values
	position string // id of the last message, with which the node goes on
	yield    func(types.Event, error) bool
}

func (s *stream) open(ctx context.Context) (response *http.Response, err error) {
	err = s.client.retry(ctx, func() error {
		response, err = s.connect(ctx)
		return err
	})
	return response, err
}

func (s *stream) connect(ctx context.Context) (*http.Response, error) {
	header := http.Header{"Accept": {"text/event-stream"}}
	if s.position != "" {
		header.Set("Last-Event-ID", s.position)
	}
	response, err := s.client.send(ctx, request{path: "/v1/events", query: s.query, header: header})
	if err != nil {
		return nil, err
	}
	if kind := response.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		response.Body.Close()
		return nil, s.client.strange("its events come as %q", kind)
	}
	return response, nil
}

// read gives the events of one connection. It returns false when nothing more is wanted, true when the connection is lost.
func (s *stream) read(ctx context.Context, response *http.Response) (lost bool) {
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
			data, id = "", ""
		case field == "data":
			data += value
		case field == "id":
			id = value
		}
	}
	return ctx.Err() == nil
}

// give hands an event on, or the error that ends the stream.
func (s *stream) give(data string) bool {
	var event types.Event
	if err := json.Unmarshal([]byte(data), &event); err != nil {
		s.yield(event, wrap("events", s.client.strange("an event can't be read: %v", err)))
		return false
	}
	return s.yield(event, nil)
}
