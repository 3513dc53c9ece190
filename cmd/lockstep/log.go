package main

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Bounds of the log: a repeated message is counted rather than written.
const (
	logWindow = 10 * time.Second
	logSame   = 20  // lines with one message in a window
	logKinds  = 256 // messages that are told apart
)

// limited passes log lines on, but only a bounded number of each message in a time window: a disk that fails thousands of times a
// second must not be filled by its own messages.
type limited struct {
	slog.Handler
	counts *counts
}

type counts struct {
	mu    sync.Mutex
	began time.Time
	of    map[string]int
}

func newLimited(h slog.Handler) *limited {
	return &limited{h, &counts{of: map[string]int{}}}
}

// Handle writes a line, or counts it.
func (l *limited) Handle(ctx context.Context, r slog.Record) error {
	write, dropped := l.counts.note(r.Message, r.Time)
	for message, n := range dropped { // any order: each is a line of its own
		again := slog.NewRecord(r.Time, slog.LevelWarn, "a message was repeated and left out", 0)
		again.Add("message", message, "times", n)
		if err := l.Handler.Handle(ctx, again); err != nil {
			return err
		}
	}
	if !write {
		return nil
	}
	return l.Handler.Handle(ctx, r)
}

// note counts a message. When a window ends it returns the messages that were left out.
func (c *counts) note(message string, at time.Time) (write bool, dropped map[string]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.Sub(c.began) >= logWindow || len(c.of) >= logKinds {
		for kind, n := range c.of {
			if n > logSame {
				if dropped == nil {
					dropped = map[string]int{}
				}
				dropped[kind] = n - logSame
			}
		}
		c.began, c.of = at, map[string]int{}
	}
	c.of[message]++
	return c.of[message] <= logSame, dropped
}

// WithAttrs and WithGroup keep the bound.
func (l *limited) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &limited{l.Handler.WithAttrs(attrs), l.counts}
}

// WithGroup is described at [limited.WithAttrs].
func (l *limited) WithGroup(name string) slog.Handler {
	return &limited{l.Handler.WithGroup(name), l.counts}
}
