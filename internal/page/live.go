package page

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"lockstep/client"
	"lockstep/types"
)

// live tells open tabs about events of the ledger. It follows the node's events once, however many tabs there are, and not at all without one.
type live struct {
	node   *client.Client
	log    *slog.Logger
	opened chan struct{} // holds one item when a tab was opened while the ledger may not be followed

	mu    sync.Mutex
	tabs  map[chan []byte]struct{}
	leave func() // the ledger that is followed
}

// moved follows another ledger from now on.
func (l *live) moved() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leave != nil {
		l.leave()
	}
}

// notice is a message to the tabs: the trades, keys and products of the events of a moment. The tabs fetch the rest.
type notice struct {
	Height   uint64   `json:"height"`
	Trades   []string `json:"trades,omitempty"`
	Keys     []string `json:"keys,omitempty"`
	Products []string `json:"products,omitempty"`
}

const (
	mostTabs    = 512
	gather      = 300 * time.Millisecond
	aliveEvery  = 15 * time.Second
	tabPatience = 30 * time.Second
	again       = 2 * time.Second
	quiet       = 100 // beats without a tab, after which the ledger is followed no more
	mostNamed   = 200 // of each list of a notice; with more, every tab looks again
)

func newLive(node *client.Client, log *slog.Logger) *live {
	return &live{node: node, log: log, opened: make(chan struct{}, 1), tabs: map[chan []byte]struct{}{}}
}

// run follows the ledger while there are tabs, until the context ends. It waits while the node is away.
func (l *live) run(ctx context.Context) {
	for away := false; ctx.Err() == nil; {
		if l.idle() {
			select {
			case <-ctx.Done():
			case <-l.opened:
			}
			continue
		}
		begun := time.Now()
		if err := l.follow(ctx); err != nil && ctx.Err() == nil {
			if !away || time.Since(begun) > again { // the tabs look, and say that the node is away
				gone := everything()
				l.tell(&gone)
			}
			away = true
			l.log.Debug("the page lost the events of the node", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(again):
		}
	}
}

func (l *live) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l.mu.Lock()
	l.leave = cancel
	l.mu.Unlock()
	events := make(chan types.Event)
	var failure error // read once events is closed
	go func() {
		defer close(events)
		for event, err := range l.node.Events(ctx, client.EventsOptions{}) {
			if err != nil {
				failure = err
				return
			}
			select {
			case events <- event.Event:
			case <-ctx.Done():
				return
			}
		}
	}()
	height, idle := uint64(0), 0
	pending := everything() // a tab may have been opened before the events were followed
	beat := time.NewTicker(gather)
	defer beat.Stop()
	every := 0
	for {
		select {
		case event, open := <-events:
			if !open {
				return failure
			}
			pending.add(&event)
		case <-beat.C:
			if l.idle() {
				if idle++; idle >= quiet {
					return nil
				}
				pending = notice{}
				continue
			}
			idle = 0
			if every++; pending.empty() && every%5 != 0 {
				continue
			}
			status, err := l.node.Status(ctx)
			if err != nil {
				return err
			}
			if status.Height == height && pending.empty() {
				continue
			}
			height, pending.Height = status.Height, status.Height
			l.tell(&pending)
			pending = notice{}
		}
	}
}

// everything is the notice after which every tab looks again.
func everything() notice {
	return notice{Trades: []string{"*"}, Keys: []string{"*"}, Products: []string{"*"}}
}

func (n *notice) empty() bool { return len(n.Trades) == 0 && len(n.Keys) == 0 && len(n.Products) == 0 }

func (n *notice) add(event *types.Event) {
	if (event.Trade != types.TradeID{}) {
		n.Trades = append(n.Trades, event.Trade.String())
	}
	if (event.Product != types.ProductID{}) {
		n.Products = append(n.Products, event.Product.String())
	}
	for _, key := range event.Keys {
		n.Keys = append(n.Keys, key.String())
	}
	for _, list := range []*[]string{&n.Trades, &n.Keys, &n.Products} {
		if len(*list) > mostNamed {
			*list = []string{"*"}
		}
	}
}

func (l *live) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.tabs) == 0
}

// tell sends a notice to every tab. A tab that does not keep up misses it, and looks again at the next one.
func (l *live) tell(n *notice) {
	text, err := json.Marshal(n)
	if err != nil {
		return
	}
	message := fmt.Appendf(nil, "data: %s\n\n", text)
	l.mu.Lock()
	defer l.mu.Unlock()
	for tab := range l.tabs { // in any order: each gets the same
		select {
		case tab <- message:
		default:
		}
	}
}

// join adds a tab; false when there are too many.
func (l *live) join() (tab chan []byte, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.tabs) >= mostTabs {
		return nil, false
	}
	tab = make(chan []byte, 4)
	l.tabs[tab] = struct{}{}
	select {
	case l.opened <- struct{}{}:
	default:
	}
	return tab, true
}

func (l *live) part(tab chan []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.tabs, tab)
}

// serveLive streams the notices to a tab.
func (s *Server) serveLive(w http.ResponseWriter, r *http.Request) {
	if s.private() && s.sessions.of(r, false) == nil {
		refusePlainly(w, http.StatusUnauthorized, "the session is over")
		return
	}
	tab, ok := s.live.join()
	if !ok {
		w.Header().Set("Retry-After", "30")
		refusePlainly(w, http.StatusServiceUnavailable, "too many tabs are open at this server")
		return
	}
	defer s.live.part(tab)
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // the server's own would end the stream
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(text []byte) bool {
		_ = control.SetWriteDeadline(time.Now().Add(tabPatience))
		if _, err := w.Write(text); err != nil {
			return false
		}
		return control.Flush() == nil
	}
	if !send([]byte("retry: 3000\n\n")) {
		return
	}
	tick := time.NewTicker(aliveEvery)
	defer tick.Stop()
	for {
		text := []byte(": alive\n\n")
		select {
		case <-r.Context().Done():
			return
		case text = <-tab:
		case <-tick.C:
			if s.private() && s.sessions.of(r, false) == nil {
				return
			}
		}
		if !send(text) {
			return
		}
	}
}
