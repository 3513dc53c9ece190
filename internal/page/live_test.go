package page_test

import (
	"bufio"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lockstep/client"
	"lockstep/internal/page"
)

// TestNobodyWatches: without a tab the page follows no events of the ledger; with the first one it does, and lets it look again at once.
func TestNobodyWatches(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	api, err := url.Parse("http://" + w.node.APIAddress())
	if err != nil {
		t.Fatal(err)
	}
	var followed atomic.Int32
	proxy := httputil.NewSingleHostReverseProxy(api)
	proxy.FlushInterval = -1
	between := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/events" {
			followed.Add(1)
		}
		proxy.ServeHTTP(out, r)
	}))
	t.Cleanup(between.Close)
	node, err := client.New(between.URL)
	if err != nil {
		t.Fatal(err)
	}
	p, err := page.New(page.Config{Node: node, Logger: slog.New(slog.DiscardHandler), KnownHost: func(*http.Request) bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		p.Run(ctx)
		close(ended)
	}()
	server := httptest.NewServer(p)
	t.Cleanup(func() {
		cancel()
		<-ended
		server.CloseClientConnections()
		server.Close()
	})
	time.Sleep(300 * time.Millisecond)
	if n := followed.Load(); n != 0 {
		t.Fatalf("%d streams of events without a tab", n)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if text, is := strings.CutPrefix(lines.Text(), "data: "); is {
			if !strings.Contains(text, `"trades":["*"]`) || followed.Load() != 1 {
				t.Errorf("the first notice is %s, with %d streams of events", text, followed.Load())
			}
			return
		}
	}
	t.Error("the tab hears nothing")
}
