package access

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"lockstep/types"
)

// Holder is the client that a token names.
type Holder struct {
	Name    string
	expires types.Time
	rate    int
	limiter *rate.Limiter // nil: unlimited
}

// Take counts n transactions at a time, or reports that the holder has reached its rate and when to try again. More than the burst pass when the whole burst
// is there; the part beyond it is a debt, which time must pay before the next one passes.
func (h *Holder) Take(now time.Time, n int) (wait time.Duration, ok bool) {
	if h.limiter == nil {
		return 0, true
	}
	burst := h.limiter.Burst()
	reservation := h.limiter.ReserveN(now, min(n, burst))
	if wait = reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
		return wait, false
	}
	for n -= burst; n > 0; n -= burst {
		h.limiter.ReserveN(now, min(n, burst))
	}
	return 0, true
}

// Book knows the tokens of a file and follows its changes.
type Book struct {
	file string

	mu      sync.Mutex
	read    fs.FileInfo            // of the file as it was read last; nil: there was none, or it could not be read
	fault   error                  // the file can't be read
	holders map[types.Hash]*Holder // of the last file that could be read, so that a token keeps its count; none is good while there is a fault
}

// Open reads the tokens of a file, which need not exist.
func Open(file string) (*Book, error) {
	b := &Book{file: file}
	b.reload()
	return b, b.fault
}

// Find returns the holder of a token. With nil and no error nobody holds it.
func (b *Book) Find(secret string, now time.Time) (*Holder, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed() {
		b.reload()
	}
	if b.fault != nil {
		return nil, b.fault
	}
	holder := b.holders[hashOf(secret)]
	if holder != nil && holder.expires != 0 && holder.expires <= types.TimeOf(now) {
		return nil, &expiredError{holder}
	}
	return holder, nil
}

// Fault returns why the file can't be read. As long as it can't, no named token is good.
func (b *Book) Fault() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fault
}

type expiredError struct{ holder *Holder }

func (e *expiredError) Error() string {
	return fmt.Sprintf("token %s expired at %s: ask the operator of the node for another", e.holder.Name, e.holder.expires)
}

// changed reports whether the file is another than the one that was read. Writers replace it, so a change shows in its identity.
func (b *Book) changed() bool {
	now, err := os.Stat(b.file)
	if err != nil || b.read == nil {
		return (err == nil) != (b.read != nil) || b.fault != nil
	}
	return !os.SameFile(now, b.read) || !now.ModTime().Equal(b.read.ModTime()) || now.Size() != b.read.Size()
}

// reload reads the file. A token whose rate stays keeps its count. Holders that were given out do not change.
func (b *Book) reload() {
	var tokens []Token
	b.read, _ = os.Stat(b.file) // List reports the error
	if tokens, b.fault = List(b.file); b.fault != nil {
		if _, unread := errors.AsType[*fs.PathError](b.fault); unread {
			b.read = nil // the cause, such as its mode, does not show in the file: read it again
		}
		return
	}
	before := b.holders
	b.holders = make(map[types.Hash]*Holder, len(tokens))
	for i := range tokens {
		token := &tokens[i]
		holder := &Holder{Name: token.Name, expires: token.Expires, rate: token.Rate}
		if same := before[token.SHA256]; same != nil && same.rate == token.Rate {
			holder.limiter = same.limiter
		} else if token.Rate > 0 {
			holder.limiter = rate.NewLimiter(rate.Limit(token.Rate), burst(token.Rate))
		}
		b.holders[token.SHA256] = holder
	}
}

// burst returns how many may come at once: those of four seconds. That lets a household submit its steps of a slot together.
func burst(rate int) int { return 4 * rate }
