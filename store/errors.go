// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrNotFound: there is no such thing.
	ErrNotFound = errors.New("not found")
	// ErrExists: there is one of that name already.
	ErrExists = errors.New("exists already")
	// ErrUnreadable: what is stored of an incident or an alert is no such thing; a
	// newer Belfry may have written it. It is no reason to leave others alone.
	ErrUnreadable = errors.New("can't be read back")
	// ErrTooMany: there are as many of these as may be.
	ErrTooMany = errors.New("there are too many already")
	// ErrClosed: the store was closed; nothing was stored.
	ErrClosed = errors.New("the store is closed")
	// ErrFull: the disk of the database is full; nothing was stored.
	ErrFull = errors.New("the database's disk is full, free some space")
	// ErrInUse: another process owns the database file.
	ErrInUse = errors.New("in use by another process")
	// ErrNewer: a newer Belfry brought the schema further; nothing was stored. This
	// one does not know where that one looks.
	ErrNewer = errors.New("was used by a newer Belfry, run that one")
	// ErrUncertain: the connection broke while the commit was on its way; it
	// may or may not have been stored.
	ErrUncertain = errors.New("the database did not say whether it stored this, ask before repeating")
)

// explain puts what people can act on before a driver's own words.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case isFull(err):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case errors.Is(err, sql.ErrConnDone), errors.Is(err, driver.ErrBadConn):
		return fmt.Errorf("the connection to the database is gone: %w", err)
	}
	return err
}

func isFull(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()&0xff == sqlite3.SQLITE_FULL
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "53100" // disk_full
	}
	return false
}

// isOperational says whether err is about the database as a whole (full, gone,
// broken), so that it would meet every operation alike.
func isOperational(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, ErrNewer) {
		return true
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_ERROR:
			return false
		}
		return true
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		for _, class := range []string{"08", "53", "57", "58", "XX"} { // connection, resources, operator, system, internal
			if strings.HasPrefix(e.Code, class) {
				return true
			}
		}
		return e.Code == "" // a proxy that names no code speaks for the whole database
	}
	_, network := errors.AsType[net.Error](err)
	return network
}
