//go:build linux || darwin

package disk

import (
	"fmt"

	"golang.org/x/sys/unix"
)

const errFull = unix.ENOSPC

// Free is how many bytes a user may still write beside a path.
func Free(path string) (uint64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(existing(path), &stat); err != nil {
		return 0, fmt.Errorf("ask for the room on the disk of %s: %w", path, err)
	}
	return stat.Bavail * uint64(stat.Bsize), nil
}

// Files is how many files the process may open. The Go runtime raises the soft limit to the hard one by itself.
func Files() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > usualFiles {
		return usualFiles
	}
	return int(limit.Cur)
}

func fileLimit() string {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return "its limit is not known"
	}
	return fmt.Sprintf("%d", limit.Cur)
}

// The least limits with which any command works. The Go runtime ends a process that has less with a trace of its inner life.
const (
	leastFiles  = 24
	nodeFiles   = 256
	leastSpace  = 2560 << 20 // of addresses: most of them are only reserved
	leastMemory = 640 << 20
)

// CheckLimits returns an error when the process may open so few files, or have so little memory, that no command works.
func CheckLimits() error {
	if err := checkFiles(leastFiles); err != nil {
		return err
	}
	for _, check := range []struct {
		kind int
		flag string
		need uint64
	}{{unix.RLIMIT_AS, "-v", leastSpace}, {unix.RLIMIT_DATA, "-d", leastMemory}} {
		var limit unix.Rlimit
		if err := unix.Getrlimit(check.kind, &limit); err == nil && limit.Cur < check.need {
			return fmt.Errorf("the process may have %s of memory, and needs %s: raise the limit, by \"ulimit %s unlimited\"",
				Size(limit.Cur), Size(check.need), check.flag)
		}
	}
	return nil
}

// CheckFiles returns an error when the process may open too few files for a node.
func CheckFiles() error { return checkFiles(nodeFiles) }

func checkFiles(need uint64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err == nil && limit.Cur < need {
		return &explained{
			fmt.Sprintf("the process may open %d files, and needs %d: raise the limit, by \"ulimit -n 8192\" or LimitNOFILE=8192 in the service", limit.Cur, need),
			unix.EMFILE,
		}
	}
	return nil
}
