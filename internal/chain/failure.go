package chain

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// failure keeps the first error that must stop the node. The engine recovers from panics, and would continue to answer without making
// blocks.
type failure struct {
	once sync.Once
	err  error
	done chan struct{} // closed when there is one
}

func newFailure() *failure { return &failure{done: make(chan struct{})} }

func (f *failure) set(err error) {
	f.once.Do(func() {
		f.err = err
		close(f.done)
	})
}

// watch is deferred by every method that the engine calls for consensus.
func (f *failure) watch(doing string, err *error) {
	if r := recover(); r != nil {
		f.set(fmt.Errorf("%s: panic: %v\n%s", doing, r, debug.Stack()))
		panic(r)
	}
	if *err != nil {
		f.set(fmt.Errorf("%s: %w", doing, *err))
	}
}
