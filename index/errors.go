package index

import (
	"database/sql"
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"lockstep/api/wire/history"
)

// ErrDamaged is that the index's file does not hold what was written there. [Index.Reset] begins it anew.
var ErrDamaged = errors.New("the index is damaged")

// damaged tells whether an error is about what is in the file, not about reaching it.
func damaged(err error) bool {
	if errors.Is(err, ErrDamaged) || errors.Is(err, history.ErrStored) || errors.Is(err, sql.ErrNoRows) {
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
