package httpapi

import (
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// maxDrain bounds what is read of a body that is refused. A client that sends a body whole before it reads the answer would
	// otherwise see a broken connection instead of the problem.
	maxDrain     = 32 << 20
	drainTimeout = 30 * time.Second
	drainIdle    = 500 * time.Millisecond // a client that sends nothing for so long waits for the answer
)

// requestBody is the body of a request, of which the guard can read the rest after the handler.
type requestBody struct {
	io.ReadCloser
	touched bool // somebody has begun to read, so that a client that waits for a "100 Continue" has it
}

// Read reads from the body.
func (b *requestBody) Read(p []byte) (int, error) {
	b.touched = true
	return b.ReadCloser.Read(p)
}

// Close leaves it open for what is left of it: the server closes it in the end.
func (b *requestBody) Close() error { return nil }

// drain reads the rest of a refused body and throws it away, up to a bound; then the connection ends.
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
		if left -= n; err != nil { // its end, a client that waits, or one that is gone
			return
		}
	}
}
