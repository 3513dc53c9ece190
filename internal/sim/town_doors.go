package sim

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"lockstep/internal/httpapi"
	"lockstep/internal/page"
)

// doors are the pages of the households that were opened, each at a port of its own: a browser keeps the sessions of a port together.
type doors struct {
	mu   sync.Mutex
	open map[int]*door
}

type door struct {
	page    *page.Server
	server  *httpapi.Server
	address string
	stop    context.CancelFunc
}

// doorIdle is the time without use after which a session at a household is over.
const doorIdle = 12 * time.Hour

// Enter implements [page.Town].
func (t *Town) Enter(_ context.Context, house int) (string, error) {
	t.doors.mu.Lock()
	defer t.doors.mu.Unlock()
	d := t.doors.open[house]
	if d == nil {
		var err error
		if d, err = t.openDoor(house); err != nil {
			return "", fmt.Errorf("open the page of %s: %w", t.members[house].Name, err)
		}
		if t.doors.open == nil {
			t.doors.open = map[int]*door{}
		}
		t.doors.open[house] = d
	}
	return d.address + d.page.Enter(), nil
}

func (t *Town) openDoor(house int) (*door, error) {
	served, err := page.New(page.Config{
		Node: t.node, Logger: t.options.Logger, Town: &page.Seat{Town: t, House: house},
		Member: &page.Member{File: t.walletFile(t.members[house].Name), Unlocked: t.wallets[house], Idle: doorIdle},
	})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	d := &door{page: served, address: "http://" + listener.Addr().String(), stop: stop}
	d.server = httpapi.NewServer(ctx, served, httpapi.Limits{AddressConnections: 512}, t.options.Logger)
	go served.Run(ctx)
	go func() { _ = d.server.Serve(listener) }() // ends when the door is closed
	return d, nil
}

func (d *doors) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, one := range d.open { // in any order: each is closed
		one.stop()
		_ = one.server.Close()
		one.page.Close()
	}
	d.open = nil
}
