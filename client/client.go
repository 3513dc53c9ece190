package client

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"lockstep/types"
)

// Client talks to one node. It is safe for concurrent use.
type Client struct {
	base  *url.URL
	http  *http.Client
	token string
	now   func() time.Time

	patience time.Duration // with a ledger that stands still; 0: without an end
}

// Option is a setting of a client.
type Option func(*Client)

// WithToken sends the node's access token with transactions, without white space around it: the content of the token's file will do. It is
// never sent with a question, nor to another host by a redirect.
func WithToken(token string) Option { return func(c *Client) { c.token = strings.TrimSpace(token) } }

// WithHTTPClient uses another HTTP client, for its transport (TLS, proxies). A timeout of that client also bounds streams of events.
func WithHTTPClient(h *http.Client) Option {
	return func(c *Client) {
		own := *h
		c.http = &own
	}
}

// WithClock sets the clock against which an [Account] checks the node's clock; by default that of this machine. It is for simulations.
func WithClock(now func() time.Time) Option { return func(c *Client) { c.now = now } }

// WithPatience sets how long a call waits for a ledger that stands still, by default a minute: then it ends with a [StandsStill]. 0: it waits
// until its context ends.
func WithPatience(patience time.Duration) Option { return func(c *Client) { c.patience = patience } }

const (
	usualPatience  = time.Minute
	attemptTimeout = 60 * time.Second // of one request and its answer; more than the longest wait
	maxAnswer      = 64 << 20         // bytes: far more than a full block in JSON
	attempts       = 4                // at a question, while the node does not answer
	firstBackoff   = 100 * time.Millisecond
	longestBackoff = 10 * time.Second

	idleConnections = 32
)

// New returns a client of the node at baseURL, such as "http://127.0.0.1:8080". It does not connect yet.
func New(baseURL string, opts ...Option) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(baseURL, "/"))
	switch {
	case err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https":
		return nil, types.Refuse(types.CodeMalformed, "not the address of a node: write it as http://127.0.0.1:8080")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, types.Refuse(types.CodeMalformed, "the address of a node is a scheme, a host and a port; an access token does not belong in it")
	}
	c := &Client{base: base, http: &http.Client{Transport: transport()}, now: time.Now, patience: usualPatience}
	for _, opt := range opts {
		opt(c)
	}
	// A node never redirects. Following a redirect would send a transaction, and perhaps the token, to another host.
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}

// transport keeps more idle connections open than the standard transport, which keeps two for each host: a program that acts for many
// keys would spend its time connecting.
func transport() http.RoundTripper {
	standard, ok := http.DefaultTransport.(*http.Transport)
	if !ok { // the program has replaced it on purpose
		return http.DefaultTransport
	}
	own := standard.Clone()
	own.MaxIdleConnsPerHost = idleConnections
	return own
}

// request is one call: with a body a transaction, without one a question, which may be repeated.
type request struct {
	path        string // below the base address, such as "/v1/status"
	query       url.Values
	header      http.Header
	body        []byte
	contentType string
}

// get asks a question and decodes the JSON into answer. It retries while the node does not answer.
func (c *Client) get(ctx context.Context, path string, query url.Values, answer any) error {
	return c.retry(ctx, func() error { return c.exchange(ctx, request{path: path, query: query}, answer) })
}

// retry repeats a call a few times while the node does not answer.
func (c *Client) retry(ctx context.Context, do func() error) error {
	for attempt := 1; ; attempt++ {
		err := do()
		if types.CodeOf(err) != types.CodeUnavailable || attempt == attempts {
			return err
		}
		if !pause(ctx, backoff(attempt)) {
			return err
		}
	}
}

// backoff doubles with each attempt. It is partly random so that clients don't return all at once.
func backoff(attempt int) time.Duration {
	wait := longestBackoff
	if attempt < 8 {
		wait = min(wait, firstBackoff<<(attempt-1))
	}
	return wait/2 + rand.N(wait/2)
}

// pause waits. It returns false if the context ends first.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// attempt bounds the time of one request and its answer.
func (c *Client) attempt(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, attemptTimeout,
		types.Refuse(types.CodeUnavailable, "the node at %s did not answer in %s; try again, or look at its log", c.base, attemptTimeout))
}

// exchange sends one request and reads the answer.
func (c *Client) exchange(ctx context.Context, r request, answer any) error {
	ctx, cancel := c.attempt(ctx)
	defer cancel()
	response, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return c.unreachable(ctx, err)
	case len(text) > maxAnswer:
		return types.Refuse(types.CodeTooLarge, "the node at %s answers with more than %d MiB", c.base, maxAnswer>>20)
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return c.strange("its answer can't be read: %v", err)
	}
	return nil
}

// send sends one request and returns a successful response; the caller closes its body.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	target := *c.base
	target.Path += r.path
	target.RawQuery = r.query.Encode()
	method := http.MethodGet
	if r.body != nil {
		method = http.MethodPost
	}
	message, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(r.body))
	if err != nil {
		return nil, types.Refuse(types.CodeMalformed, "can't ask the node at %s: %v", c.base, err)
	}
	for name, values := range r.header {
		message.Header[name] = values
	}
	if r.body != nil {
		message.Header.Set("Content-Type", r.contentType)
		if c.token != "" {
			message.Header.Set("Authorization", "Bearer "+c.token)
		}
	}
	response, err := c.http.Do(message)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if response.StatusCode/100 != 2 {
		defer response.Body.Close()
		return nil, c.problem(response)
	}
	return response, nil
}
