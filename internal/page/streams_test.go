package page_test

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"lockstep/internal/httpapi"
	"lockstep/internal/page"
	"lockstep/types"
)

// TestManyTabs: 500 tabs behind one proxy follow the ledger at once, and one event of the ledger reaches each.
func TestManyTabs(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	p, err := page.New(page.Config{Node: w.api, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go p.Run(ctx)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	limits := httpapi.Limits{Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
	server := httpapi.NewServer(ctx, p, limits, slog.New(slog.DiscardHandler))
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()
	const tabs = 500
	transport := &http.Transport{MaxConnsPerHost: 0}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	var open, told sync.WaitGroup
	open.Add(tabs)
	told.Add(tabs)
	for range tabs {
		go func() {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listener.Addr().String()+"/live", nil)
			if err != nil {
				t.Error(err)
			}
			response, err := client.Do(request)
			if err != nil || response.StatusCode != http.StatusOK {
				t.Errorf("%v, %v", response, err)
				open.Done()
				told.Done()
				return
			}
			defer response.Body.Close()
			open.Done()
			for lines := bufio.NewScanner(response.Body); lines.Scan(); {
				if strings.Contains(lines.Text(), `"trades"`) {
					told.Done()
					return
				}
			}
		}()
	}
	wait := func(what string, group *sync.WaitGroup) {
		t.Helper()
		done := make(chan struct{})
		go func() {
			group.Wait()
			close(done)
		}()
		select {
		case <-done:
		case <-time.After(time.Minute):
			t.Fatalf("not all tabs %s", what)
		}
	}
	wait("are open", &open)
	w.agree("Cedar", "Loom", terms{goods: juice(), price: 1000, fallback: &types.Hold{}})
	wait("were told", &told)
}
