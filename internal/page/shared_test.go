package page

import (
	"errors"
	"sync"
	"testing"
	"time"
)

// TestShared: an answer is served while it is as good as new, then once more while a fresh one is made, and waited for when it is too old. A failure
// keeps the old one, and an answer about another ledger is dropped.
func TestShared(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	at := time.Unix(1_800_000_000, 0)
	now := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return at
	}
	pass := func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(d)
	}
	const life = time.Second
	var s shared[int]
	gate, made, made2 := make(chan struct{}), 0, make(chan int, 10)
	fail := errors.New("the node is away")
	quick := func() (int, error) { made++; return made, nil }
	slow := func() (int, error) {
		<-gate
		made2 <- 1
		return 100, nil
	}
	expect := func(want int, fetch func() (int, error)) {
		t.Helper()
		if got, err := s.get(now, life, fetch); got != want || err != nil {
			t.Errorf("%d, %v, want %d", got, err, want)
		}
	}
	if _, err := s.get(now, life, func() (int, error) { return 0, fail }); !errors.Is(err, fail) {
		t.Error(err)
	}
	expect(1, quick)
	pass(life - 1)
	expect(1, quick) // as good as new
	pass(1)
	expect(1, slow) // a fresh one is made beside it
	expect(1, slow) // once
	gate <- struct{}{}
	<-made2
	for got := 0; got != 100; {
		got, _ = s.get(now, life, quick)
	}
	pass(oldest + life)
	expect(2, quick) // too old: waited for
	pass(oldest + life - 1)
	expect(2, slow)
	s.forget()
	gate <- struct{}{} // of the ledger before
	<-made2
	expect(3, quick)
	select {
	case <-made2:
		t.Error("two answers were made at once")
	default:
	}
}
