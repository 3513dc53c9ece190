package query

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"sync"

	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"

	"lockstep/client/wire"
	"lockstep/types"
)

// bookCache computes books one at a time and each at most once a block, so that questions don't keep the node from making blocks.
type bookCache struct {
	flights singleflight.Group  // by product and height: an answer is never older than its question
	turn    *semaphore.Weighted // held while a book is computed

	mu     sync.Mutex // guards the books
	cached map[types.ProductID]cachedBook
}

type cachedBook struct {
	book  wire.Book
	until uint64 // the last height at which it is valid
}

// maxCached bounds the number of cached books; each takes at most some hundred kilobytes.
const maxCached = 64

// errLeft ends a computation that has not begun when its first caller leaves.
var errLeft = errors.New("the first caller has left")

func newBookCache() *bookCache {
	return &bookCache{turn: semaphore.NewWeighted(1), cached: map[types.ProductID]cachedBook{}}
}

// get returns the book of a product at a height or later. Concurrent callers share one computation, and each may leave when its context ends.
// A computation that has begun continues without callers: its result is cached. An error is not cached.
func (c *bookCache) get(ctx context.Context, id types.ProductID, height uint64, compute func() (cachedBook, error)) (wire.Book, error) {
	for ctx.Err() == nil {
		if book, known := c.find(id, height); known {
			return book, nil
		}
		flight := c.flights.DoChan(string(id[:])+strconv.FormatUint(height, 10), func() (any, error) {
			if c.turn.Acquire(ctx, 1) != nil {
				return nil, errLeft // the callers that remain begin again
			}
			defer c.turn.Release(1)
			return c.fill(id, height, compute)
		})
		select {
		case <-ctx.Done():
		case result := <-flight:
			if book, computed := result.Val.(wire.Book); computed {
				return book, result.Err
			}
		}
	}
	return wire.Book{}, ctx.Err()
}

// find returns a cached book that is valid at a height.
func (c *bookCache) find(id types.ProductID, height uint64) (wire.Book, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, known := c.cached[id]
	return found.book, known && height <= found.until
}

// fill computes and caches a book that an earlier caller has not cached meanwhile. No caller's goroutine runs it, so it recovers from a panic,
// such as that of a reader of a failing disk.
func (c *bookCache) fill(id types.ProductID, height uint64, compute func() (cachedBook, error)) (book wire.Book, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("compute the book of product %s: %v\n%s", id, r, debug.Stack())
		}
	}()
	if book, known := c.find(id, height); known {
		return book, nil
	}
	computed, err := compute()
	if err != nil {
		return wire.Book{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.cached) >= maxCached {
		clear(c.cached)
	}
	c.cached[id] = computed
	return computed.book, nil
}
