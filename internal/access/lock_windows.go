package access

import (
	"os"

	"golang.org/x/sys/windows"
)

// lock waits for the only lock on a file. Closing the file, or the end of the program, frees it.
func lock(file *os.File) error {
	return windows.LockFileEx(windows.Handle(file.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, new(windows.Overlapped))
}
