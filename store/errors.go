package store

import (
	"errors"
	"fmt"
)

// Errors of [Open]. Each comes wrapped in a sentence that names the folder and says what to do.
var (
	ErrLocked  = errors.New("store is in use")
	ErrDamaged = errors.New("store is damaged")
	ErrFormat  = errors.New("store is of another format")
	ErrParams  = errors.New("store belongs to another ledger")
)

func lockedError(dir string, cause error) error {
	return fmt.Errorf("%w: another process has %s open; stop it first (%w)", ErrLocked, dir, cause)
}

func damagedError(dir string, cause error) error {
	return fmt.Errorf("%w: %s can't be read (%w); restore a backup, or remove it and let the node replay its blocks", ErrDamaged, dir, cause)
}

func formatError(dir string, version []byte) error {
	return fmt.Errorf("%w: %s has format %q, this program reads %q; use the program that made it", ErrFormat, dir, version, formatVersion)
}

func paramsError(dir, differ string) error {
	return fmt.Errorf("%w: %s was made with other parameters (%s)", ErrParams, dir, differ)
}
