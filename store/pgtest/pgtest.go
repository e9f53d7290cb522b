// SPDX-License-Identifier: Apache-2.0

// Package pgtest gives tests a real PostgreSQL, made from the installed
// binaries and gone with the test binary.
//
// The flow: the first call of URL makes a cluster in a temporary directory and
// starts a server on a unix socket there, for all tests of the binary; each
// call gives an empty database in it, and Prepared gives one that has its tables.
// TestMain ends the server:
//
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(pgtest.Main(m)) }
//
// A test binary that dies takes its server along, and the next one sweeps up
// what it left.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// superuser is the cluster's superuser.
const superuser = "belfry"

// shared is the one server of this test binary.
var shared struct {
	sync.Mutex
	server  *server
	err     error
	started bool
	count   int
	// free are databases that tests gave back, empty: to make and drop one
	// takes longer than most tests. A copy of a template takes no less.
	free []string
	// prepared are those that were given back with their tables.
	prepared []string
}

// URL returns the address of an empty database, which is the test's until it
// ends. Without PostgreSQL the test is skipped; where CI=true it fails.
func URL(t testing.TB) string {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	s := running(t)
	name, err := s.database()
	if err != nil {
		t.Fatalf("can't make a database for the test: %v", err)
	}
	t.Cleanup(func() {
		if err := s.giveBack(name); err != nil {
			t.Errorf("can't empty the test's database: %v", err)
		}
	})
	return s.url(name)
}

// Prepared returns the address of a database in which prepare made tables. They
// are made once and emptied for the next test, all but the one called keeps, and
// no other may hold anything from the start. Within a test binary prepare is
// always the same, and tests leave the tables as they are.
func Prepared(t testing.TB, keeps string, prepare func(url string) error) string {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	s := running(t)
	name := ""
	if n := len(shared.prepared); n > 0 {
		name, shared.prepared = shared.prepared[n-1], shared.prepared[:n-1]
	} else {
		var err error
		if name, err = s.database(); err == nil {
			err = prepare(s.url(name))
		}
		if err == nil {
			err = s.run(name, eachTable(keeps, `EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO found;
				IF found THEN RAISE EXCEPTION 'the table % holds something from the start, which the next test would miss', name; END IF`))
		}
		if err != nil {
			t.Fatalf("can't prepare a database for the test: %v", err)
		}
	}
	t.Cleanup(func() {
		shared.Lock()
		defer shared.Unlock()
		if err := s.run(name, leave+eachTable(keeps, `EXECUTE format('DELETE FROM %I', name)`)); err != nil {
			t.Errorf("can't empty the tables of the test's database: %v", err)
			return
		}
		shared.prepared = append(shared.prepared, name)
	})
	return s.url(name)
}

// leave ends all other sessions in a database.
const leave = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();`

// eachTable is a block that does something with each table but one; name is the
// table's.
func eachTable(but, do string) string {
	return `DO $$ DECLARE name text; found boolean; BEGIN
		FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> '` + but + `' LOOP ` + do + `; END LOOP; END $$`
}

// running is the server, started by its first call. The caller holds the lock.
func running(t testing.TB) *server {
	t.Helper()
	if !shared.started {
		shared.server, shared.err = start()
		shared.started = true
	}
	if errors.Is(shared.err, errMissing) && os.Getenv("CI") != "true" {
		t.Skip(shared.err)
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

// database returns the name of an empty database. The caller holds the lock.
func (s *server) database() (string, error) {
	if n := len(shared.free); n > 0 {
		name := shared.free[n-1]
		shared.free = shared.free[:n-1]
		return name, nil
	}
	shared.count++
	name := fmt.Sprintf("test_%d", shared.count)
	return name, s.run("postgres", "CREATE DATABASE "+name)
}

// giveBack empties a database, whoever still uses it, for another test.
func (s *server) giveBack(name string) error {
	shared.Lock()
	defer shared.Unlock()
	err := s.run(name, leave+`DROP SCHEMA public CASCADE; CREATE SCHEMA public`)
	if err == nil {
		shared.free = append(shared.free, name)
	}
	return err
}

// Runner is a testing.M that stops the server after the tests.
type Runner struct{ m *testing.M }

// Main returns what to run in place of m.
func Main(m *testing.M) Runner { return Runner{m} }

// Run runs the tests and returns their exit code.
func (r Runner) Run() int {
	defer Stop()
	return r.m.Run()
}

// Stop ends the server, if there is one.
func Stop() {
	shared.Lock()
	defer shared.Unlock()
	if shared.server != nil {
		shared.server.stop()
	}
	shared.server, shared.started, shared.free, shared.prepared = nil, false, nil, nil
}

func (s *server) url(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database,
		RawQuery: url.Values{"host": {s.dir}, "sslmode": {"disable"}}.Encode()}
	return u.String()
}

// run runs statements in a database as the superuser.
func (s *server) run(database, text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.url(database))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, text)
	return errors.Join(err, conn.Close(ctx))
}
