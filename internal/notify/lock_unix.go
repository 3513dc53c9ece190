//go:build unix

package notify

import (
	"os"

	"golang.org/x/sys/unix"
)

// lock takes the only lock of a file until it is closed.
func lock(file *os.File) error {
	return unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) //nolint:gosec // a descriptor
}
