package api

import (
	"net"
	"net/http"
	"sync"
)

// unasked are connections on which nothing was asked yet, such as a browser opens beforehand. A server that shuts down waits for
// them, for five seconds and more, though nobody does.
type unasked struct {
	mu          sync.Mutex
	connections map[net.Conn]bool
	closing     bool
}

// note is an [http.Server]'s ConnState.
func (u *unasked) note(connection net.Conn, state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(u.connections, connection)
	case u.closing:
		connection.Close()
	default:
		u.connections[connection] = true
	}
}

// close closes them, and those that come later.
func (u *unasked) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closing = true
	for connection := range u.connections { // any order: each by itself
		connection.Close()
	}
}
