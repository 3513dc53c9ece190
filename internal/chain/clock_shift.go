//go:build clockshift

package chain

import (
	"os"
	"strings"
	"time"
)

// wallClock is a clock that a test can set: the file that LOCKSTEP_TEST_CLOCK names holds how far it is off, such as "24h".
// Programs are never built so for use.
func wallClock() time.Time {
	text, _ := os.ReadFile(os.Getenv("LOCKSTEP_TEST_CLOCK"))        // no file: not off
	shift, _ := time.ParseDuration(strings.TrimSpace(string(text))) // unreadable while it is being written
	return time.Now().Round(0).Add(shift)
}
