package httpapi

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// hasty serves a handler with a tenth of a second for each of a server's limits of time.
func hasty(t *testing.T, handler http.Handler, wrap func(net.Listener) net.Listener) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := NewServer(t.Context(), handler, Limits{}, slog.New(slog.DiscardHandler))
	for _, limit := range []*time.Duration{&server.ReadHeaderTimeout, &server.ReadTimeout, &server.WriteTimeout, &server.IdleTimeout} {
		if *limit <= 0 {
			t.Error("a server has no limit of time")
		}
		*limit = 100 * time.Millisecond
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(wrap(listener)) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// TestSlowClients: a client that sends its header or its body a byte at a time, sends nothing, never greets by TLS, or does not read its answer,
// loses its connection.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	endless := make(chan error, 1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, err := io.Copy(io.Discard, r.Body)
			if err == nil {
				t.Error("the body has come to its end")
			}
			return
		}
		if r.URL.Path == "/large" {
			_, err := io.Copy(w, zeros{})
			endless <- err
		}
	})
	plain := hasty(t, handler, func(l net.Listener) net.Listener { return l })
	secure := hasty(t, handler, func(l net.Listener) net.Listener {
		return tls.NewListener(l, &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("none") }}) //nolint:gosec // of a test
	})
	for name, c := range map[string]struct{ address, begin string }{
		"nothing":           {plain, ""},
		"a slow header":     {plain, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "},
		"a slow line":       {plain, "GET /"},
		"a slow body":       {plain, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"},
		"a slow chunk":      {plain, "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n"},
		"idle after use":    {plain, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"},
		"no greeting":       {secure, ""},
		"half of a hello":   {secure, "\x16\x03\x01\x02\x00"},
		"plain text to TLS": {secure, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", c.address) //nolint:noctx // a test
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, c.begin); err != nil {
				t.Fatal(err)
			}
			slow := name != "nothing" && name != "no greeting" && name != "idle after use"
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_, _ = io.Copy(io.Discard, conn)
			}()
			for end := time.Now().Add(30 * time.Second); ; {
				select {
				case <-ended:
					return
				case <-time.After(20 * time.Millisecond):
				}
				if slow {
					_, _ = io.WriteString(conn, "x") // fails once the server has closed it
				}
				if time.Now().After(end) {
					t.Fatal("it still has its connection")
				}
			}
		})
	}
	t.Run("reads nothing", func(t *testing.T) {
		t.Parallel()
		conn, err := net.Dial("tcp", plain) //nolint:noctx // a test
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
		select {
		case err := <-endless:
			if err == nil {
				t.Error("an endless answer has an end")
			}
		case <-time.After(30 * time.Second):
			t.Error("the answer still waits for its reader")
		}
	})
}

// TestHeaderFloods: many headers, a long one and a long address are refused before they take more memory than their bound.
func TestHeaderFloods(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		flood string
		ends  bool
	}{
		"many headers":    {"GET /v1/status HTTP/1.1\r\nHost: localhost\r\n" + strings.Repeat("X-Flood: x\r\n", 100_000), true},
		"a long header":   {"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nX-Flood: " + strings.Repeat("x", 1<<20), true},
		"a long address":  {"GET /" + strings.Repeat("x", 1<<20), true},
		"folded lines":    {"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nX-Flood: x\r\n" + strings.Repeat(" x\r\n", 100_000), true},
		"two lengths":     {"POST /v1/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", false},
		"two hosts":       {"GET /v1/status HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", false},
		"an odd length":   {"POST /v1/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5\r\n\r\n", false},
		"many small ones": {"GET /v1/status HTTP/1.1\r\nHost: localhost\r\n" + strings.Repeat("X-A: x\r\n", 2000), true},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", w.server.Listener.Addr().String()) //nolint:noctx // a test
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			sent := make(chan int, 1)
			go func() {
				n, _ := io.WriteString(conn, c.flood) // fails when the server has had enough
				sent <- n
			}()
			line, _ := bufio.NewReader(conn).ReadString('\n')
			if c.ends && !strings.Contains(line, " 431 ") && line != "" || !c.ends && !strings.Contains(line, " 400 ") {
				t.Errorf("answered with %q", line)
			}
			conn.Close()
			<-sent
		})
	}
}
