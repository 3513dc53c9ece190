package chain

import (
	"context"
	"log/slog"

	cmtlog "github.com/cometbft/cometbft/libs/log"
)

// engineLogger passes on what the engine warns of. Its information is about its own inner life and is dropped, and so is
// what it has to say about being stopped.
type engineLogger struct {
	to   *slog.Logger
	stop <-chan struct{}
}

func (l engineLogger) Debug(string, ...any) {}
func (l engineLogger) Info(string, ...any)  {}

func (l engineLogger) Warn(message string, keyvals ...any) {
	l.log(slog.LevelWarn, message, keyvals)
}

func (l engineLogger) Error(message string, keyvals ...any) {
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
	return engineLogger{l.to.With(keyvals...), l.stop}
}
