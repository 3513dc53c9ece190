//go:build unix

package chain

import (
	"os"
	"strconv"
	"syscall"
)

// inodeOf names a folder on its disk, or returns nothing.
func inodeOf(dir string) string {
	info, err := os.Stat(dir)
	if err != nil {
		return ""
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return strconv.FormatUint(uint64(stat.Ino), 10) //nolint:unconvert // the type differs by system
}
