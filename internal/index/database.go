package index

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"lockstep/types"
)

// Connections and memory. There is no mmap: a disk that fails would end the node by a signal instead of an error.
const (
	readers       = 4
	writeCacheKiB = 64 << 10
	readCacheKiB  = 8 << 10
	walLimitBytes = 64 << 20 // the write-ahead log is cut to this size after a large block
	busyMillis    = 10_000

	checkpointPages = 8 << 10 // of 4 KiB in the log: those of an index's end are written again and again, and go to the file once
)

// database is one connection that writes and some that read. In WAL mode neither waits for the other.
type database struct {
	write   *sql.DB
	read    *sql.DB
	writing writeStatements
	queries queries
	memory  memory
	open    *open
}

func openDatabase(file string) (*database, error) {
	// Without a sync at each commit a power cut may lose the last batches, but never a part of one; they are followed again.
	write, err := connect(file, 1, writeCacheKiB, "auto_vacuum(INCREMENTAL)", "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(0)",
		fmt.Sprintf("journal_size_limit(%d)", walLimitBytes), fmt.Sprintf("wal_autocheckpoint(%d)", checkpointPages))
	if err != nil {
		return nil, err
	}
	read, err := connect(file, readers, readCacheKiB, "query_only(1)")
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	return &database{write: write, read: read, memory: newMemory(), open: newOpen()}, nil
}

func connect(file string, connections, cacheKiB int, pragmas ...string) (*sql.DB, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	values := url.Values{"_pragma": append([]string{
		fmt.Sprintf("busy_timeout(%d)", busyMillis), fmt.Sprintf("cache_size(-%d)", cacheKiB), "temp_store(MEMORY)",
	}, pragmas...)}
	name := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: values.Encode()}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// create makes the tables.
func (d *database) create(ledger types.Hash) error {
	tx, err := d.write.Begin()
	if err != nil {
		return err
	}
	for _, statement := range []string{schema(), fmt.Sprintf("PRAGMA user_version = %d", types.Format)} {
		if _, err := tx.Exec(statement); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	if _, err := tx.Exec("INSERT INTO position VALUES (1, ?, 0, ?, 0, 0, 0, 0, 0, 0, 0, 0, 0)", id(ledger), id{}); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func (d *database) prepare() (err error) {
	if d.writing, err = prepareWriting(d.write); err != nil {
		return err
	}
	d.queries, err = prepareQueries(d.read)
	return err
}

// close gives the connections back; their statements end with them.
func (d *database) close() error { return errors.Join(d.read.Close(), d.write.Close()) }
