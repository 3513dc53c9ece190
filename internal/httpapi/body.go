package httpapi

import (
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// maxDrain bounds the bytes that are read of a refused body. Without this a client that sends the whole body before it reads the
	// answer would see a broken connection instead of the problem.
	maxDrain     = 32 << 20
	drainTimeout = 30 * time.Second
	drainIdle    = 500 * time.Millisecond // a client that is silent for so long waits for the answer
)

// requestBody is the body of a request. The guard can read its rest after the handler.
type requestBody struct {
	io.ReadCloser
	touched bool // reading has begun, so a client that waits for "100 Continue" has received it
}

// Read reads from the body.
func (b *requestBody) Read(p []byte) (int, error) {
	b.touched = true
	return b.ReadCloser.Read(p)
}

// Close does nothing: the guard may read the rest, and the server closes the body.
func (b *requestBody) Close() error { return nil }

// drain reads and discards the rest of a refused body, up to a bound, and has the connection closed.
func (b *requestBody) drain(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength == 0 {
		return
	}
	w.Header().Set("Connection", "close")
	if !b.touched && strings.EqualFold(r.Header.Get("Expect"), "100-continue") {
		return // the client has not begun, and won't
	}
	connection, end := http.NewResponseController(w), time.Now().Add(drainTimeout)
	room := make([]byte, 32<<10)
	for left := maxDrain; left > 0 && time.Now().Before(end); {
		if connection.SetReadDeadline(time.Now().Add(drainIdle)) != nil {
			return
		}
		n, err := b.ReadCloser.Read(room)
		if left -= n; err != nil { // the end of the body, or a client that waits or has left
			return
		}
	}
}
