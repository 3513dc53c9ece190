package chain

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// failure remembers the first thing that went so wrong that the node must stop. The engine recovers from panics and
// would live on as a node that answers but makes no blocks.
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

// watch is deferred by everything that the engine calls on behalf of consensus.
func (f *failure) watch(doing string, err *error) {
	if r := recover(); r != nil {
		f.set(fmt.Errorf("%s: panic: %v\n%s", doing, r, debug.Stack()))
		panic(r)
	}
	if *err != nil {
		f.set(fmt.Errorf("%s: %w", doing, *err))
	}
}
