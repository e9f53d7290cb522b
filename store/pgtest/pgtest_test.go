// SPDX-License-Identifier: Apache-2.0

package pgtest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"belfry/store/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(pgtest.Main(m)) }

// run runs statements in a database and returns what the last of them selects.
func run(t *testing.T, url string, statements ...string) (number int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	for _, text := range statements[:len(statements)-1] {
		if _, err := conn.Exec(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.QueryRow(t.Context(), statements[len(statements)-1]).Scan(&number); err != nil {
		t.Fatal(err)
	}
	return number
}

// all counts the rows of the tables that these tests make.
const all = `SELECT (SELECT count(*) FROM versions) * 100 + (SELECT count(*) FROM letters) * 10 + (SELECT count(*) FROM "Big Words")`

func TestAPreparedDatabaseIsPreparedOnceAndEmptied(t *testing.T) {
	times := 0
	prepare := func(url string) error {
		times++
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			return err
		}
		_, err = conn.Exec(t.Context(), `CREATE TABLE versions (v int); INSERT INTO versions VALUES (7); CREATE TABLE letters (v int); CREATE TABLE "Big Words" (v int)`)
		return errors.Join(err, conn.Close(t.Context()))
	}
	for _, name := range []string{"first", "second", "third"} {
		t.Run(name, func(t *testing.T) {
			url := pgtest.Prepared(t, "versions", prepare)
			if n := run(t, url, all); n != 100 {
				t.Errorf("it holds %d", n)
			}
			if n := run(t, url, `INSERT INTO letters VALUES (1)`, `INSERT INTO "Big Words" VALUES (1)`, all); n != 111 {
				t.Errorf("then it holds %d", n)
			}
			// Two at a time are two.
			if n := run(t, pgtest.Prepared(t, "versions", prepare), all); n != 100 {
				t.Errorf("another one holds %d", n)
			}
		})
	}
	if times != 2 {
		t.Errorf("prepared %d times, want 2", times)
	}
	if n := run(t, pgtest.URL(t), `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`); n != 0 {
		t.Errorf("an empty database has %d tables", n)
	}
}
