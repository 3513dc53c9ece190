package chain

import (
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

var bootID = sync.OnceValue(func() string { //nolint:gochecknoglobals // read once, never changed
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
})

// readClocks reads the machine's clocks. Go's own monotonic clock stops while the machine sleeps; this one goes on.
func readClocks() moment {
	m := moment{wall: wallClock(), boot: bootID()}
	var up unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &up); err != nil {
		return steadyInProcess(m)
	}
	m.up = time.Duration(up.Nano())
	var kernel unix.Timex
	if state, err := unix.Adjtimex(&kernel); err == nil {
		m.synced = state != unix.TIME_ERROR && kernel.Status&unix.STA_UNSYNC == 0
	}
	return m
}
