package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"lockstep/client/wire"
	"lockstep/internal/access"
	"lockstep/types"
)

// Limits bound the connections and streams that clients hold open, in total and for each address. A zero field means its default.
type Limits struct {
	Connections        int // default 1,024
	AddressConnections int // default a quarter of them
	Streams            int // default 512
	AddressStreams     int // default a quarter of them
	// Proxies are the addresses of reverse proxies. Only Connections bounds their connections. A stream through a proxy counts for the
	// client that X-Forwarded-For names last.
	Proxies []netip.Prefix
	// Requests bounds the requests of an address in a second; four times as many may come at once. 0: unlimited.
	Requests int
}

const (
	defaultConnections = 1024
	defaultStreams     = 512
	addressShare       = 4 // one address holds at most one part in so many
)

func (l Limits) withDefaults() Limits {
	for _, field := range []struct {
		value    *int
		fallback int
	}{{&l.Connections, defaultConnections}, {&l.Streams, defaultStreams}} {
		if *field.value == 0 {
			*field.value = field.fallback
		}
	}
	if l.AddressConnections == 0 {
		l.AddressConnections = max(1, l.Connections/addressShare)
	}
	if l.AddressStreams == 0 {
		l.AddressStreams = max(1, l.Streams/addressShare)
	}
	return l
}

// trusted reports whether an address is that of a reverse proxy.
func (l *Limits) trusted(address netip.Addr) bool {
	for _, proxy := range l.Proxies {
		if proxy.Contains(address) {
			return true
		}
	}
	return false
}

// clientNetwork returns the network that counts as one client: an IPv4 address, or the /64 network of an IPv6 address, which one host owns.
func clientNetwork(address netip.Addr) netip.Prefix {
	address = address.Unmap().WithZone("")
	bits := 64
	if address.Is4() || address.IsLoopback() {
		bits = address.BitLen()
	}
	network, err := address.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // all invalid addresses count as one client
	}
	return network
}

func addressOf(remote string) netip.Addr {
	parsed, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return parsed.Addr().Unmap()
}

// connections admits a server's connections up to its limits, before they cost more than a descriptor. When all places are taken, it
// closes the connection that has been idle longest. The server must accept through [limited]: see [NewServer].
type connections struct {
	limits Limits
	places *quota
	refuse chan struct{} // holds one item for each connection that is being sent its refusal

	mu      sync.Mutex
	open    map[net.Conn]*connection
	closing bool
}

type connection struct {
	client client
	idle   bool // no request is in flight
	asked  bool // there was a request
	since  time.Time
}

// mostRefusals bounds the refusals that are sent at a time. Further connections are closed without an answer.
const mostRefusals = 32

func newConnections(limits Limits) *connections {
	limits = limits.withDefaults()
	return &connections{
		limits: limits, places: newQuota(limits.Connections, limits.AddressConnections), refuse: make(chan struct{}, mostRefusals),
		open: map[net.Conn]*connection{},
	}
}

// limited is a listener that accepts only the connections that are admitted.
type limited struct {
	net.Listener
	connections *connections
}

// Accept implements [net.Listener].
func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if status := l.connections.admit(conn); status != http.StatusOK {
			l.connections.turnAway(conn, status)
			continue
		}
		return conn, nil
	}
}

// admit counts a connection, or returns the status of its refusal.
func (c *connections) admit(conn net.Conn) (status int) {
	address := addressOf(conn.RemoteAddr().String())
	client := client{clientNetwork(address), c.limits.trusted(address)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return http.StatusServiceUnavailable
	}
	status = c.places.take(client, 1)
	if status != http.StatusOK && c.evict(client, status) {
		status = c.places.take(client, 1)
	}
	if status == http.StatusOK {
		c.open[conn] = &connection{client: client, idle: true, since: time.Now()}
	}
	return status
}

// evict closes the connection that has been idle longest: of the client, when it has too many, else of all. The caller holds c.mu.
func (c *connections) evict(of client, status int) bool {
	var oldest net.Conn
	for conn, o := range c.open {
		may := o.idle && (status != http.StatusTooManyRequests || o.client == of)
		if may && (oldest == nil || o.since.Before(c.open[oldest].since)) {
			oldest = conn
		}
	}
	if oldest == nil {
		return false
	}
	c.forget(oldest)
	cut(oldest)
	return true
}

// cut closes a connection at once. TLS would say goodbye first, and wait seconds for a client that reads nothing.
func cut(conn net.Conn) {
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = secure.NetConn()
	}
	conn.Close()
}

// forget removes a connection from the count. The caller holds c.mu.
func (c *connections) forget(conn net.Conn) {
	if o := c.open[conn]; o != nil {
		delete(c.open, conn)
		c.places.give(o.client, 1)
	}
}

// turnAway sends a client the reason why its connection is closed, unless too many refusals are being sent.
func (c *connections) turnAway(conn net.Conn, status int) {
	select {
	case c.refuse <- struct{}{}:
	default:
		conn.Close()
		return
	}
	go func() {
		defer func() { <-c.refuse }()
		defer conn.Close()
		const patience = time.Second
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			return
		}
		var body bytes.Buffer
		_ = json.NewEncoder(&body).Encode(full(status, "connections", c.places)) // a problem always encodes
		fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nRetry-After: 1\r\nConnection: close\r\n\r\n%s",
			status, http.StatusText(status), wire.ProblemType, body.Len(), body.Bytes())
		if half, ok := conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
			_, _ = conn.Read(make([]byte, 1<<10)) // reads the request: closing the connection with unread input loses the answer
		}
	}()
}

// note follows the state of a connection: the ConnState of an [http.Server].
func (c *connections) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.open[conn]
	if o == nil {
		return
	}
	switch state {
	case http.StateNew:
	case http.StateActive:
		o.idle, o.asked = false, true
	case http.StateIdle:
		o.idle, o.since = true, time.Now()
	case http.StateClosed, http.StateHijacked:
		c.forget(conn)
	}
}

// close closes the connections without a request, such as a browser opens in advance, and admits no more. A server that shuts down
// would wait for them, five seconds and longer.
func (c *connections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closing = true
	for conn, o := range c.open { // in any order: they are independent
		if !o.asked {
			c.forget(conn)
			cut(conn)
		}
	}
}

// client is the client that a connection, a stream or a body counts for.
type client struct {
	network netip.Prefix
	proxy   bool // a trusted proxy: only the total bounds it
}

// quota bounds a sum in total and for each client.
type quota struct {
	most, each int

	mu    sync.Mutex
	total int
	of    map[client]int
}

func newQuota(most, each int) *quota { return &quota{most: most, each: each, of: map[client]int{}} }

// take counts n for a client, or returns the status of the refusal: 429 at the bound of the client, 503 at the total bound.
func (q *quota) take(c client, n int) (status int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case !c.proxy && q.of[c]+n > q.each:
		return http.StatusTooManyRequests
	case q.total+n > q.most:
		return http.StatusServiceUnavailable
	}
	q.total += n
	q.of[c] += n
	return http.StatusOK
}

// give subtracts n that take has counted.
func (q *quota) give(c client, n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.total -= n
	if q.of[c] -= n; q.of[c] == 0 {
		delete(q.of, c)
	}
}

type clientKey struct{}

// withClient puts the client into a request's context.
func (s *server) withClient(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), clientKey{}, s.limits.client(r)))
}

// client returns the client of a request: the peer, or behind a trusted proxy the last address that the proxy names.
func (l *Limits) client(r *http.Request) client {
	address := addressOf(r.RemoteAddr)
	proxy := l.trusted(address)
	if named := r.Header.Values("X-Forwarded-For"); proxy && len(named) > 0 {
		last := named[len(named)-1]
		last = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
		if parsed, err := netip.ParseAddr(last); err == nil {
			address, proxy = parsed.Unmap(), false
		}
	}
	return client{clientNetwork(address), proxy}
}

func clientOf(ctx context.Context) client {
	c, _ := ctx.Value(clientKey{}).(client)
	return c
}

// limitRate refuses the requests of an address beyond its rate, before they cost more than their header. Programs on this machine and
// proxies that name no client are not limited.
func limitRate(next http.Handler, limits Limits) http.Handler {
	if limits.Requests == 0 {
		return next
	}
	rates := access.NewRates(limits.Requests)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := limits.client(r)
		if !from.proxy && !from.network.Addr().IsLoopback() {
			if wait, ok := rates.Take(from.network, time.Now()); !ok {
				writeProblem(w, tooFast(w, wait, fmt.Sprintf("your address sends more than %d requests a second", limits.Requests)))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// tooFast is the problem of a client that has reached its rate. Retry-After says when the next request is welcome.
func tooFast(w http.ResponseWriter, wait time.Duration, why string) *problem {
	seconds := int((wait + time.Second - 1) / time.Second)
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	return newProblem(http.StatusTooManyRequests, types.CodeUnavailable, fmt.Sprintf("%s; try again in %d s", why, seconds))
}

// full is the problem of a client that has reached a bound.
func full(status int, what string, q *quota) *problem {
	holder, most := "this node", q.most
	if status == http.StatusTooManyRequests {
		holder, most = "your address", q.each
	}
	return newProblem(status, types.CodeUnavailable, fmt.Sprintf("%s holds %d %s, which is the most; close some, or try again later", holder, most, what))
}
