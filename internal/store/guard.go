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

// guard handles failures of the database. On a failing disk the database either ends the process through its logger, or retries the same
// write thousands of times a second, without end. The guard takes the first such failure as the store's: every waiting caller gets it,
// and the database is not used any more.
type guard struct {
	dir    string
	logger *slog.Logger
	once   sync.Once
	err    error
	failed chan struct{} // closed by the first failure
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

// call runs an operation on the database and returns when it ends, or when the database fails: then it may never end. It runs in its own
// goroutine, which [guard.Fatalf] can end.
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

// state returns the failure, nil while there is none.
func (g *guard) state() error {
	select {
	case <-g.failed:
		return g.err
	default:
		return nil
	}
}

// background handles errors of the database's background work.
func (g *guard) background(err error) {
	switch {
	case g.state() != nil: // the database retries without end
	case disk.Failed(err) || errors.Is(err, pebble.ErrCorruption):
		g.fail(err)
	default:
		g.logger.Error("store: " + err.Error())
	}
}

func (g *guard) events() *pebble.EventListener {
	return &pebble.EventListener{BackgroundError: g.background}
}

// Infof drops the database's progress messages.
func (g *guard) Infof(string, ...any) {}

// Errorf logs an error of the database.
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
