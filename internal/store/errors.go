package store

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"syscall"

	"lockstep/internal/disk"
	"lockstep/types"
)

// Errors of [Open]. Each comes wrapped in a sentence that names the folder and gives advice.
var (
	ErrLocked  = errors.New("store is in use")
	ErrDamaged = errors.New("store is damaged")
	ErrFormat  = errors.New("store is of another format")
	ErrParams  = errors.New("store belongs to another ledger")
)

// lockedError explains a folder that can't be locked: another process has it, or the lock file can't be created.
func lockedError(dir string, cause error) error {
	var number syscall.Errno
	if errors.As(cause, &number) && number != syscall.EAGAIN {
		return fmt.Errorf("lock store %s: %w", dir, disk.Explain(dir, cause))
	}
	return fmt.Errorf("%w: another process has %s open; stop it first (%w)", ErrLocked, dir, cause)
}

// openError explains a database that can't be opened or read. It reports damage only for a file that was read or is missing: an error of
// the operating system says nothing about the files.
func openError(dir string, cause error) error {
	switch explained := disk.Explain(dir, cause); {
	case explained != cause: //nolint:errorlint // whether it is the very same error
		return fmt.Errorf("open store: %w", explained)
	case errors.Is(cause, fs.ErrNotExist) || !errors.As(cause, new(syscall.Errno)):
		return damagedError(dir, cause)
	}
	return fmt.Errorf("open store %s: %w; its files may be intact: keep them", dir, cause)
}

// damagedError reports files that are inconsistent or missing.
func damagedError(dir string, cause error) error {
	return fmt.Errorf("%w: %s can't be read (%w); restore a backup, or move the folder away and start the node: it rebuilds the store from its blocks if it has kept all; else make the node anew with 'lockstep node join'", ErrDamaged, dir, cause)
}

func formatError(dir string, version []byte) error {
	format, _ := strconv.ParseUint(strings.TrimPrefix(string(version), formatPrefix), 10, 32) // zero for what no program writes
	return fmt.Errorf("%w: %s has %s", ErrFormat, dir, types.OtherFormat(uint32(format)))
}

func paramsError(dir, differ string) error {
	return fmt.Errorf("%w: %s was made with other parameters (%s)", ErrParams, dir, differ)
}
