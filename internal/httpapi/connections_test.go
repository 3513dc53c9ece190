package httpapi

import (
	"context"
	"errors"
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
