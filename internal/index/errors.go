package index

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"lockstep/internal/disk"
)

// ErrDamaged means that the index's file is not as it was written. [Index.Reset] starts an empty index.
var ErrDamaged = errors.New("the index is damaged")

// damaged reports whether an error is about the content of the file, not about access to it.
func damaged(err error) bool {
	if errors.Is(err, ErrDamaged) || errors.Is(err, sql.ErrNoRows) {
		return true
	}
	var failure *sqlite.Error
	if !errors.As(err, &failure) {
		return false
	}
	switch failure.Code() & 0xff { // the rest of an extended code tells more of the same
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_ERROR:
		return true // the last is an unknown table or column: ours are fixed
	}
	return false
}

// reachable opens a file as the database will, which itself doesn't tell why it can't.
func reachable(file string) error {
	opened, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return opened.Close()
}

// explain translates the database's error numbers for a file into a sentence.
func explain(file string, err error) error {
	var failure *sqlite.Error
	if errors.As(err, &failure) {
		switch failure.Code() & 0xff {
		case sqlite3.SQLITE_FULL:
			err = fmt.Errorf("%w: %w", err, syscall.ENOSPC)
		case sqlite3.SQLITE_IOERR:
			err = fmt.Errorf("%w: %w", err, syscall.EIO)
		case sqlite3.SQLITE_READONLY:
			err = fmt.Errorf("%w: %w", err, syscall.EROFS)
		}
	}
	return disk.Explain(file, err)
}
