package store

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/internal/disk"
)

// guard watches over the database. On a disk that fails the database either ends the process, by its logger, or tries the same
// write again and again, thousands of times a second, for as long as it runs. Here the first of these failures is the store's:
// every caller that waits for the database gets it, and the database is not used any more.
type guard struct {
	dir    string
	logger *slog.Logger
	once   sync.Once
	err    error
	failed chan struct{} // closed when there is one
}

func newGuard(dir string, logger *slog.Logger) *guard {
	return &guard{dir: dir, logger: logger, failed: make(chan struct{})}
}

// fail sets the failure, if it is the first.
func (g *guard) fail(err error) {
	g.once.Do(func() {
		g.err = fmt.Errorf("store: %w", disk.Explain(g.dir, err))
		close(g.failed)
	})
}

// call does something with the database and returns when it is done, or when the database has failed: then it may never
// be. It runs in a routine of its own, which [guard.Fatalf] can end.
func (g *guard) call(do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-g.failed:
		return g.err
	}
}

// state is the failure, nil while there is none.
func (g *guard) state() error {
	select {
	case <-g.failed:
		return g.err
	default:
		return nil
	}
}

// background is told of everything that the database fails at beside its callers.
func (g *guard) background(err error) {
	switch {
	case g.state() != nil: // it tries again and again
	case disk.Failed(err) || errors.Is(err, pebble.ErrCorruption):
		g.fail(err)
	default:
		g.logger.Error("store: " + err.Error())
	}
}

func (g *guard) events() *pebble.EventListener {
	return &pebble.EventListener{BackgroundError: g.background}
}

// Infof drops the database's running commentary: it is of no use to an operator.
func (g *guard) Infof(string, ...any) {}

// Errorf passes on an error that the database reports.
func (g *guard) Errorf(format string, args ...any) {
	if g.state() == nil {
		g.logger.Error("store: " + fmt.Sprintf(format, args...))
	}
}

// Fatalf is called when the database can't go on, such as on a full disk; it must not return.
func (g *guard) Fatalf(format string, args ...any) {
	g.fail(fatal(format, args))
	runtime.Goexit()
}

// fatal is the database's message as an error that wraps its cause.
func fatal(format string, args []any) error {
	for _, arg := range args {
		if cause, ok := arg.(error); ok {
			before, _, _ := strings.Cut(format, "%")
			return fmt.Errorf("%s%w", before, cause)
		}
	}
	return fmt.Errorf(format, args...)
}
