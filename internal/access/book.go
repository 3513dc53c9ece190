package access

import (
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
	limiter *rate.Limiter // nil: unlimited
}

// Take counts n transactions at a time, or reports that the holder has reached its rate and when to try again.
func (h *Holder) Take(now time.Time, n int) (wait time.Duration, ok bool) {
	if h.limiter == nil {
		return 0, true
	}
	reservation := h.limiter.ReserveN(now, min(n, h.limiter.Burst()))
	if wait = reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
		return wait, false
	}
	return 0, true
}

// Book knows the tokens of a file and follows its changes.
type Book struct {
	file string

	mu      sync.Mutex
	read    fs.FileInfo // of the file as it was read last; nil: there was none
	fault   error       // the file can't be read
	holders map[types.Hash]*Holder
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

// reload reads the file. A token that stays as it was keeps its count.
func (b *Book) reload() {
	var tokens []Token
	b.read, _ = os.Stat(b.file) // List reports the error
	if tokens, b.fault = List(b.file); b.fault != nil {
		b.holders = nil
		return
	}
	before := b.holders
	b.holders = make(map[types.Hash]*Holder, len(tokens))
	for i := range tokens {
		token := &tokens[i]
		holder := before[token.SHA256]
		if holder == nil {
			holder = &Holder{}
			if token.Rate > 0 {
				holder.limiter = rate.NewLimiter(rate.Limit(token.Rate), burst(token.Rate))
			}
		}
		holder.Name, holder.expires = token.Name, token.Expires
		b.holders[token.SHA256] = holder
	}
}

// burst returns how many may come at once: those of four seconds. That lets a household submit its steps of a slot together.
func burst(rate int) int { return 4 * rate }
