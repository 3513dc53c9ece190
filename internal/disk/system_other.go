//go:build !linux && !darwin

package disk

import (
	"errors"
	"syscall"
)

const errFull = syscall.Errno(28)

// Free is not known here.
func Free(string) (uint64, error) { return 0, errors.ErrUnsupported }

// Files is how many files the process may open, which is not known here.
func Files() int { return usualFiles }

func fileLimit() string { return "its limit is not known" }

// CheckLimits has nothing to check here.
func CheckLimits() error { return nil }

// CheckFiles has nothing to check here.
func CheckFiles() error { return nil }
