package chain

import (
	"log/slog"

	cmtlog "github.com/cometbft/cometbft/libs/log"
)

// engineLogger passes on what the engine warns of. Its information is about its own inner life and is dropped.
type engineLogger struct{ to *slog.Logger }

func (l engineLogger) Debug(string, ...any) {}
func (l engineLogger) Info(string, ...any)  {}

func (l engineLogger) Warn(message string, keyvals ...any) {
	l.to.Warn("engine: "+message, keyvals...)
}

func (l engineLogger) Error(message string, keyvals ...any) {
	l.to.Error("engine: "+message, keyvals...)
}

func (l engineLogger) With(keyvals ...any) cmtlog.Logger {
	return engineLogger{l.to.With(keyvals...)}
}
