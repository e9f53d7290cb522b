// SPDX-License-Identifier: Apache-2.0

// Package pgtest gives tests a real PostgreSQL, made from the installed
// binaries and gone with the test binary.
//
// The flow: the first call of URL makes a cluster in a temporary directory and
// starts a server on a unix socket there, for all tests of the binary; each
// call makes a fresh database in it. TestMain ends the server:
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
}

// URL returns the address of a fresh database, which is dropped when the test
// ends. Without PostgreSQL the test is skipped; where CI=true it fails.
func URL(t testing.TB) string {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
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
	shared.count++
	name := fmt.Sprintf("test_%d", shared.count)
	s := shared.server
	if err := s.admin("CREATE DATABASE " + name); err != nil {
		t.Fatalf("can't make a database for the test: %v", err)
	}
	t.Cleanup(func() {
		if err := s.admin("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("can't drop the test's database: %v", err)
		}
	})
	return s.url(name)
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
	shared.server, shared.started = nil, false
}

func (s *server) url(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database,
		RawQuery: url.Values{"host": {s.dir}, "sslmode": {"disable"}}.Encode()}
	return u.String()
}

// admin runs one statement as the superuser.
func (s *server) admin(text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, text)
	return errors.Join(err, conn.Close(ctx))
}
