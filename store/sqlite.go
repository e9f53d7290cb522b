// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// readers bounds the connections that read beside the writer.
const readers = 4

// openSQLite opens the file that address names. One process owns it: a lock
// file beside it says so.
func (s *Store) openSQLite(ctx context.Context, address string) error {
	path := strings.TrimPrefix(address, "sqlite:")
	if path == "" || strings.Contains(path, "://") {
		return errors.New("can't tell which database is meant: give a path, sqlite:PATH or postgres://USER@HOST/NAME")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("can't open the database %s: %w", path, err)
	}
	s.dialect = sqliteDialect()
	s.room = func() (uint64, error) {
		var st unix.Statfs_t
		err := unix.Statfs(filepath.Dir(path), &st)
		return st.Bavail * uint64(st.Bsize), err //nolint:gosec // sizes of blocks are positive
	}
	if err := s.lockFile(path + ".lock"); err != nil {
		return err
	}
	// The file is made here for its permissions; SQLite's own files beside it
	// take them over.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator's own path
	if err != nil {
		return fmt.Errorf("can't open the database: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("can't open the database %s: %w", path, err)
	}
	// FULL: a commit is on the disk, also through a power cut. The log is
	// folded into the database every 2000 pages (8 MB), half as often as by
	// default. Larger pages gained nothing for a new alert.
	write, err := sqliteDB(path, 1, "journal_mode(WAL)", "synchronous(FULL)", "wal_autocheckpoint(2000)",
		"journal_size_limit(67108864)", "cache_size(-16384)", "temp_store(MEMORY)")
	if err != nil {
		return err
	}
	s.stop = append(s.stop, write.Close)
	s.session = &session{db: write, dialect: s.dialect}
	s.stop = append(s.stop, s.session.close)
	if err := s.session.open(ctx); err != nil {
		return fmt.Errorf("can't open the database %s: %w", path, explain(err))
	}
	read, err := sqliteDB(path, readers, "query_only(1)", "cache_size(-4096)")
	if err != nil {
		return err
	}
	s.read = &reads{DB: read, keep: true}
	s.stop = append(s.stop, s.read.Close)
	return nil
}

func sqliteDB(path string, connections int, pragmas ...string) (*sql.DB, error) {
	values := url.Values{"_pragma": append([]string{"busy_timeout(5000)"}, pragmas...)}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+values.Encode())
	if err != nil {
		return nil, fmt.Errorf("can't open the database %s: %w", path, err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	db.SetConnMaxIdleTime(time.Minute) // their caches are most of what an idle Belfry holds
	return db, nil
}

// lockFile takes the lock that makes this process the owner. The kernel gives
// it back when the process ends, however it ends.
func (s *Store) lockFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator's own path
	if err != nil {
		return fmt.Errorf("can't open the database's lock file: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) //nolint:gosec // a file descriptor fits
	if errors.Is(err, unix.EWOULDBLOCK) {
		pid := make([]byte, 32)
		n, _ := f.Read(pid) // only for the message
		_ = f.Close()
		return fmt.Errorf("the database %s is %w (%s): stop that one first, or give this one a data directory of its own",
			strings.TrimSuffix(path, ".lock"), ErrInUse, strings.TrimSpace(string(pid[:n])))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("can't lock %s: %w", path, err), f.Close())
	}
	s.stop = append(s.stop, f.Close)
	if err := f.Truncate(0); err != nil {
		return fmt.Errorf("can't write the lock file: %w", err)
	}
	if _, err := fmt.Fprintf(f, "pid %d\n", os.Getpid()); err != nil {
		return fmt.Errorf("can't write the lock file: %w", err)
	}
	return nil
}
