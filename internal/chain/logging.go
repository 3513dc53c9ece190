package chain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	cmtlog "github.com/cometbft/cometbft/libs/log"
)

// engineLogger forwards the engine's warnings and errors. It drops the engine's progress messages, and all messages while the node stops.
type engineLogger struct {
	to        *slog.Logger
	stop      <-chan struct{}
	failure   *failure
	replaying func() bool
}

// fatalMessages are how the engine says that it has recovered from a panic in consensus, which is over for good then, or that it could not begin with a snapshot; it
// goes on without doing anything.
var fatalMessages = map[string]string{ //nolint:gochecknoglobals // a constant table
	"CONSENSUS FAILURE!!!":                    "consensus",
	"State sync failed":                       "begin with a snapshot",
	"Failed to bootstrap node with new state": "begin with a snapshot",
	"Failed to store last seen commit":        "begin with a snapshot",
	"Failed to switch to block sync":          "begin with a snapshot",
}

func (l engineLogger) Debug(string, ...any) {}
func (l engineLogger) Info(string, ...any)  {}

func (l engineLogger) Warn(message string, keyvals ...any) {
	l.log(slog.LevelWarn, message, keyvals)
}

func (l engineLogger) Error(message string, keyvals ...any) {
	if failure, fatal := fatalMessages[message]; fatal {
		for i := 0; i+1 < len(keyvals); i += 2 {
			if keyvals[i] == "err" {
				l.failure.set(fmt.Errorf("%s: %w", failure, asError(keyvals[i+1])))
			}
		}
	}
	if message == "failed signing vote" && l.replaying() {
		return // it has signed a later vote before it stopped; the vote itself comes from its log
	}
	for _, value := range keyvals {
		if err, ok := value.(error); ok && errors.Is(err, errHeld) {
			return // at each vote: the status of the node says it
		}
	}
	l.log(slog.LevelError, message, keyvals)
}

func (l engineLogger) log(level slog.Level, message string, keyvals []any) {
	select {
	case <-l.stop:
	default:
		l.to.Log(context.Background(), level, "engine: "+message, keyvals...)
	}
}

func (l engineLogger) With(keyvals ...any) cmtlog.Logger {
	return engineLogger{l.to.With(keyvals...), l.stop, l.failure, l.replaying}
}
