//go:build unix

package access

import (
	"os"

	"golang.org/x/sys/unix"
)

// lock waits for the only lock on a file. Closing the file, or the end of the program, frees it.
func lock(file *os.File) error { return unix.Flock(int(file.Fd()), unix.LOCK_EX) } //nolint:gosec // a descriptor fits
