// SPDX-License-Identifier: Apache-2.0

package store

import (
	"strings"
	"time"
)

// dialect is all in which the two databases differ. Everything else is one SQL
// text: both take $1 for a parameter, ON CONFLICT, RETURNING, UPDATE … FROM.
type dialect struct {
	name string
	// begin opens a writing transaction. It also keeps every other process
	// from writing until the commit, so that what a batch reads stays true:
	// in SQLite by its one write lock, in PostgreSQL by an advisory lock.
	// Batches of several processes thus take turns; each folds all that waited,
	// rows are never locked in an order that can deadlock, and ids are in
	// commit order. (PostgreSQL takes a lock of that kind at the commit of a
	// NOTIFY anyway.)
	begin string
	// id is the type of a primary key that we number ourselves. Only this
	// spelling makes it the table's own key in SQLite.
	id string
	// clustered keeps a table in the order of its primary key, where there is
	// a word for that.
	clustered string
	// question marks are what multi-row statements use in SQLite, where a
	// numbered parameter is looked up by its name each time.
	question bool
	// insert is how a statement that adds many rows begins. Whoever's fails has
	// the whole transaction rolled back; told so, SQLite does not keep the pages
	// as they were before each statement.
	insert string
	// newestFirst has words gone through from the newest incident on. PostgreSQL
	// guesses that hardly any are like a pattern, goes through all of them and
	// sorts, unless there is a limit, here none. In SQLite, which goes through
	// them in that order anyway, it would only have them copied.
	newestFirst string
	// shared is true when other processes may use the database too. Where they
	// can not, the writer keeps in memory what is open (see openSet), and the
	// index for it, whose random order costs more than all else of a new alert,
	// is left out.
	shared bool
	// patience bounds a transaction. SQLite has none: a disk can't be
	// interrupted, and the driver pays a goroutine for each deadline.
	patience time.Duration
}

func sqliteDialect() *dialect {
	return &dialect{
		name: "SQLite", begin: "BEGIN IMMEDIATE",
		id: "INTEGER PRIMARY KEY", clustered: "WITHOUT ROWID", question: true, insert: "INSERT OR FAIL INTO",
	}
}

// writeLock is the advisory lock's number: "Belfry" in ASCII.
const writeLock = "72970613911161"

func postgresDialect() *dialect {
	return &dialect{
		name: "PostgreSQL", begin: "BEGIN; SELECT pg_advisory_xact_lock(" + writeLock + ")",
		newestFirst: " ORDER BY number DESC LIMIT 9223372036854775807",
		id:          "BIGINT PRIMARY KEY", insert: insertInto, shared: true, patience: 30 * time.Second,
	}
}

// ddl fills in a migration's text.
func (d *dialect) ddl(text string) string {
	shared := "-- "
	if d.shared {
		shared = ""
	}
	return strings.NewReplacer("{{id}}", d.id, "{{clustered}}", d.clustered, "{{shared}}", shared).Replace(text)
}
