package httpapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

// TestShutdownWithUnusedConnections: a connection that a browser has opened beforehand does not hold the server up.
func TestShutdownWithUnusedConnections(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := NewServer(t.Context(), http.NotFoundHandler(), Limits{}, slog.New(slog.DiscardHandler))
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	silent, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	answer, err := http.Get("http://" + listener.Addr().String()) // the server has accepted the earlier connection by then
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	grace, cancel := context.WithTimeout(t.Context(), 4*time.Second) // without help it takes five at least
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		t.Errorf("the shutdown waits: %v", err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}

// slowConn is a connection of TLS with a client that reads nothing: its close waits for the client.
type slowConn struct {
	net.Conn
	free <-chan struct{}
}

func (c slowConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(203, 0, 113, 7), Port: 1} }
func (c slowConn) NetConn() net.Conn    { return c.Conn }

func (c slowConn) Close() error {
	<-c.free
	return nil
}

// TestEvictionWaitsForNobody: a client that reads nothing does not keep the server from accepting others, and loses its connection.
func TestEvictionWaitsForNobody(t *testing.T) {
	t.Parallel()
	free := make(chan struct{})
	defer close(free)
	c := newConnections(Limits{Connections: 2, AddressConnections: 2})
	var others []net.Conn
	for i := range 5 { // a wait here fails the test
		own, other := net.Pipe()
		others = append(others, other)
		if status := c.admit(&slowConn{own, free}); status != http.StatusOK {
			t.Fatalf("connection %d: %d", i, status)
		}
	}
	if len(c.open) != 2 {
		t.Errorf("%d connections are open", len(c.open))
	}
	c.close()
	for i, other := range others {
		if _, err := other.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("connection %d: %v", i, err)
		}
	}
}
