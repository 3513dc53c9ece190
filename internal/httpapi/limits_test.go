package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lockstep/internal/ledgertest"
	"lockstep/types"
)

// limitedWorld serves a ledger on a listener with limits.
func limitedWorld(t *testing.T, limits Limits) (address string) {
	t.Helper()
	ledger := ledgertest.New(t, "test")
	log := slog.New(slog.DiscardHandler)
	handler, err := New(Config{Ledger: ledger, Token: token, Limits: limits, Version: "test", Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	server := NewServer(ctx, handler, limits, log)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		cancel()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// caller is a connection from an address of this machine.
type caller struct {
	net.Conn
	t  *testing.T
	in *bufio.Reader
}

func dialFrom(t *testing.T, from, to string) *caller {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := dialer.DialContext(t.Context(), "tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &caller{conn, t, bufio.NewReader(conn)}
}

// ask sends the beginning of a request and returns the status of the answer, 0 when the connection was closed without one.
func (c *caller) ask(request string, header ...string) int {
	c.t.Helper()
	fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", request, strings.Join(append(header, ""), "\r\n"))
	return c.answer()
}

func (c *caller) answer() int {
	c.t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		c.t.Fatal(err)
	}
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return 0
	}
	if response.StatusCode != http.StatusOK || response.ContentLength >= 0 { // a stream has no end to read to
		_, _ = io.Copy(io.Discard, response.Body)
	}
	return response.StatusCode
}

const stream = "GET /v1/events"

// TestConnectionLimits checks the bounds for one address and in total. An idle connection makes room for an active one.
func TestConnectionLimits(t *testing.T) {
	t.Parallel()
	address := limitedWorld(t, Limits{Connections: 6, AddressConnections: 3, Streams: 100, AddressStreams: 100})
	var one []*caller
	for i := range 3 {
		one = append(one, dialFrom(t, "127.0.0.1", address))
		if status := one[i].ask(stream); status != http.StatusOK {
			t.Fatalf("stream %d: %d", i, status)
		}
	}
	if status := dialFrom(t, "127.0.0.1", address).answer(); status != http.StatusTooManyRequests {
		t.Errorf("the fourth connection of an address: %d", status)
	}
	idle := dialFrom(t, "127.0.0.2", address)
	if status := idle.ask("GET /v1/status"); status != http.StatusOK {
		t.Errorf("another address: %d", status)
	}
	for range 2 {
		if status := dialFrom(t, "127.0.0.3", address).ask(stream); status != http.StatusOK {
			t.Errorf("a third address: %d", status)
		}
	}
	askUntilAnswered(t, "127.0.0.4", address, stream, "the seventh connection, while one is idle")
	if status := idle.ask("GET /v1/status"); status != 0 {
		t.Errorf("the idle connection is still answered: %d", status)
	}
	if status := dialFrom(t, "127.0.0.5", address).answer(); status != http.StatusServiceUnavailable {
		t.Errorf("the seventh connection, while none is idle: %d", status)
	}
	one[0].Close()
	askUntilAnswered(t, "127.0.0.5", address, "GET /v1/status", "behind a connection that was closed")
}

// askUntilAnswered asks on new connections until one is answered: the server learns that a connection is idle, or closed, a moment after
// its client.
func askUntilAnswered(t *testing.T, from, to, request, what string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		status := dialFrom(t, from, to).ask(request)
		if status == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %d", what, status)
		}
	}
}

// TestManyIdleConnections: a flood of connections without requests blocks no client.
func TestManyIdleConnections(t *testing.T) {
	t.Parallel()
	address := limitedWorld(t, Limits{Connections: 8, AddressConnections: 8})
	for range 50 {
		dialFrom(t, "127.0.0.1", address)
	}
	for _, from := range []string{"127.0.0.1", "127.0.0.2"} {
		if status := dialFrom(t, from, address).ask("GET /v1/status"); status != http.StatusOK {
			t.Errorf("behind the flood, from %s: %d", from, status)
		}
	}
}

func TestStreamLimits(t *testing.T) {
	t.Parallel()
	address := limitedWorld(t, Limits{Streams: 3, AddressStreams: 2, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.9/32")}})
	for i, want := range []struct {
		from, named string
		status      int
	}{
		{"127.0.0.1", "", http.StatusOK},
		{"127.0.0.1", "", http.StatusOK},
		{"127.0.0.1", "", http.StatusTooManyRequests},
		{"127.0.0.1", "192.0.2.7", http.StatusTooManyRequests}, // not a proxy, so its header is ignored
		{"127.0.0.9", "127.0.0.1", http.StatusTooManyRequests}, // the named client has two
		{"127.0.0.9", "127.0.0.1, 192.0.2.7", http.StatusOK},   // the last address is the one that the proxy saw
		{"127.0.0.9", "192.0.2.8", http.StatusServiceUnavailable},
	} {
		var header []string
		if want.named != "" {
			header = []string{"X-Forwarded-For: " + want.named}
		}
		if status := dialFrom(t, want.from, address).ask(stream, header...); status != want.status {
			t.Errorf("%d: %s for %q: %d, want %d", i, want.from, want.named, status, want.status)
		}
	}
}

// TestBodyLimits checks the bound on memory for many large requests that are being read.
func TestBodyLimits(t *testing.T) {
	t.Parallel()
	address := limitedWorld(t, Limits{})
	request, header := "POST /v1/transactions/batch", []string{
		"Authorization: Bearer " + token, "Content-Type: application/json", fmt.Sprint("Content-Length: ", maxBatchBody),
	}
	for range mostBodies / addressShare / maxBatchBody {
		fmt.Fprintf(dialFrom(t, "127.0.0.1", address), "%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n", request, strings.Join(header, "\r\n"))
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		next := dialFrom(t, "127.0.0.1", address)
		fmt.Fprintf(next, "%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n", request, strings.Join(header, "\r\n"))
		if err := next.SetReadDeadline(time.Now().Add(2 * time.Second)); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(next.in, nil)
		if err == nil && response.StatusCode == http.StatusTooManyRequests {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("one more large request: %v", err)
		}
	}
	small := `{"txs":[""]}`
	header[2] = fmt.Sprint("Content-Length: ", len(small))
	other := dialFrom(t, "127.0.0.2", address)
	fmt.Fprintf(other, "%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n%s", request, strings.Join(header, "\r\n"), small)
	if status := other.answer(); status != http.StatusOK {
		t.Errorf("a small request of another address: %d", status)
	}
}

// TestStreamWithUnsentBody: a GET that announces a body and never sends it takes no memory from submissions.
func TestStreamWithUnsentBody(t *testing.T) {
	t.Parallel()
	address := limitedWorld(t, Limits{})
	for _, promise := range []string{fmt.Sprint("Content-Length: ", maxBatchBody), "Transfer-Encoding: chunked"} {
		for range mostBodies/addressShare/maxBatchBody + 1 {
			if status := dialFrom(t, "127.0.0.1", address).ask(stream, promise); status != http.StatusOK {
				t.Fatalf("a stream: %d", status)
			}
		}
	}
	body := `{"txs":[""]}`
	poster := dialFrom(t, "127.0.0.1", address)
	fmt.Fprintf(poster, "POST /v1/transactions/batch HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		token, len(body), body)
	if status := poster.answer(); status != http.StatusOK {
		t.Errorf("behind the streams: %d", status)
	}
}

func TestQuota(t *testing.T) {
	t.Parallel()
	q := newQuota(10, 4)
	a, b, proxy := client{network: netip.MustParsePrefix("10.0.0.1/32")}, client{network: netip.MustParsePrefix("10.0.0.2/32")}, client{proxy: true}
	for i, step := range []struct {
		c      client
		n      int
		status int
	}{
		{a, 4, http.StatusOK}, {a, 1, http.StatusTooManyRequests}, {b, 1, http.StatusOK}, {proxy, 6, http.StatusServiceUnavailable},
		{proxy, 5, http.StatusOK}, {b, 1, http.StatusServiceUnavailable},
	} {
		if status := q.take(step.c, step.n); status != step.status {
			t.Errorf("step %d: %d, want %d", i, status, step.status)
		}
	}
	q.give(a, 4)
	q.give(b, 1)
	q.give(proxy, 5)
	if q.total != 0 || len(q.of) != 0 {
		t.Errorf("%d is left, of %d clients", q.total, len(q.of))
	}
}

func TestClientNetwork(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7/32", "::ffff:192.0.2.7": "192.0.2.7/32", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := clientNetwork(netip.MustParseAddr(address)); got.String() != want {
			t.Errorf("%s counts for %s, want %s", address, got, want)
		}
	}
	if clientNetwork(netip.Addr{}) != (netip.Prefix{}) || types.CodeOf(full(http.StatusServiceUnavailable, "x", newQuota(1, 1))) == types.CodeOK {
		t.Error("no address has a network")
	}
}
