package query

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"lockstep/client/wire"
	"lockstep/types"
)

// bookCall is a call of the cache that a test waits for.
type bookCall struct {
	done chan struct{}
	book wire.Book
	err  error
}

func ask(ctx context.Context, c *bookCache, id byte, height uint64, compute func() (cachedBook, error)) *bookCall {
	call := &bookCall{done: make(chan struct{})}
	go func() {
		defer close(call.done)
		call.book, call.err = c.get(ctx, types.ProductID{id}, height, compute)
	}()
	return call
}

// ended reports whether a call has returned once nothing else can happen.
func (c *bookCall) ended() bool {
	synctest.Wait()
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// computation counts computations, each of which ends when the test says so.
type computation struct {
	count int
	end   chan error
}

func newComputation() *computation { return &computation{end: make(chan error)} }

func (c *computation) at(height uint64) func() (cachedBook, error) {
	return func() (cachedBook, error) {
		c.count++
		err := <-c.end
		return cachedBook{wire.Book{Height: height}, height}, err
	}
}

func TestConcurrentCallersOfBook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cache, work := newBookCache(), newComputation()
		var calls []*bookCall
		for range 50 {
			calls = append(calls, ask(t.Context(), cache, 1, 7, work.at(7)))
		}
		synctest.Wait()
		work.end <- nil
		calls = append(calls, ask(t.Context(), cache, 1, 7, work.at(7)))
		for _, call := range calls {
			if !call.ended() || call.err != nil || call.book.Height != 7 {
				t.Fatalf("%+v", call)
			}
		}
		if work.count != 1 {
			t.Errorf("%d computations", work.count)
		}
	})
}

// A later question is not answered by the computation of an earlier one, nor from its cached result.
func TestBookAtLaterHeight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cache, work := newBookCache(), newComputation()
		earlier := ask(t.Context(), cache, 1, 7, work.at(7))
		synctest.Wait()
		later := ask(t.Context(), cache, 1, 8, work.at(8))
		other := ask(t.Context(), cache, 2, 8, work.at(8))
		if synctest.Wait(); work.count != 1 {
			t.Errorf("%d books are computed at the same time", work.count)
		}
		for range 3 {
			work.end <- nil
		}
		if !earlier.ended() || !later.ended() || !other.ended() || earlier.book.Height != 7 || later.book.Height != 8 {
			t.Errorf("%+v, %+v", earlier, later)
		}
		if again := ask(t.Context(), cache, 1, 7, work.at(7)); !again.ended() || again.book.Height != 8 || work.count != 3 {
			t.Errorf("%+v after %d computations", again, work.count)
		}
	})
}

func TestCancelledCallersOfBook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cache, work := newBookCache(), newComputation()
		first, leave := context.WithCancel(t.Context())
		left := ask(first, cache, 1, 7, work.at(7))
		synctest.Wait()
		leave()
		if !left.ended() || !errors.Is(left.err, context.Canceled) {
			t.Errorf("a caller that left during the computation: %+v", left)
		}

		first, leave = context.WithCancel(t.Context()) // of another book, behind that computation
		left = ask(first, cache, 2, 7, work.at(7))
		synctest.Wait()
		stayed := ask(t.Context(), cache, 2, 7, work.at(7))
		synctest.Wait()
		leave()
		if !left.ended() || !errors.Is(left.err, context.Canceled) || stayed.ended() {
			t.Errorf("a caller that left before the computation: %+v; one that stayed: %+v", left, stayed)
		}
		work.end <- nil
		work.end <- nil
		if !stayed.ended() || stayed.err != nil || work.count != 2 {
			t.Errorf("%+v after %d computations", stayed, work.count)
		}
		if cached := ask(t.Context(), cache, 1, 7, work.at(7)); !cached.ended() || cached.err != nil || work.count != 2 {
			t.Errorf("the book whose caller left: %+v after %d computations", cached, work.count)
		}
		if gone := ask(first, cache, 3, 7, work.at(7)); !gone.ended() || !errors.Is(gone.err, context.Canceled) || work.count != 2 {
			t.Errorf("a caller that had left before: %+v after %d computations", gone, work.count)
		}
	})
}

func TestFailedComputationOfBook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cache, work := newBookCache(), newComputation()
		one, two := ask(t.Context(), cache, 1, 7, work.at(7)), ask(t.Context(), cache, 1, 7, work.at(7))
		synctest.Wait()
		failure := types.Refuse(types.CodeNotFound, "no such product")
		work.end <- failure
		if !one.ended() || !two.ended() || !errors.Is(one.err, failure) || !errors.Is(two.err, failure) {
			t.Errorf("%v, %v", one.err, two.err)
		}
		broken := ask(t.Context(), cache, 1, 7, func() (cachedBook, error) { panic("store: read: input/output error") })
		if !broken.ended() || broken.err == nil || !strings.Contains(broken.err.Error(), "input/output error") {
			t.Errorf("after a panic: %v", broken.err)
		}
		again := ask(t.Context(), cache, 1, 7, work.at(7))
		synctest.Wait()
		work.end <- nil
		if !again.ended() || again.err != nil || again.book.Height != 7 || work.count != 2 {
			t.Errorf("after errors: %+v", again)
		}
	})
}

func TestFullBookCache(t *testing.T) {
	t.Parallel()
	cache := newBookCache()
	for i := range byte(maxCached + 1) {
		if _, err := cache.get(t.Context(), types.ProductID{i}, 1, func() (cachedBook, error) { return cachedBook{until: 1}, nil }); err != nil {
			t.Fatal(err)
		}
		if want := int(i)%maxCached + 1; len(cache.cached) != want {
			t.Errorf("%d books cached after %d, want %d", len(cache.cached), i+1, want)
		}
	}
}
