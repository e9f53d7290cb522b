// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"belfry/alert"
	"belfry/store/pgtest"
)

// atSchema makes a database that was left by a program which knew the first
// schemas alone, with what the texts put into it, and opens it.
func atSchema(t *testing.T, url string, schema int, texts ...string) *Store {
	t.Helper()
	s, err := Open(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = s.write(t.Context(), func(ctx context.Context, q *tx) error {
		tables := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
		if s.dialect.shared {
			tables = `SELECT tablename FROM pg_tables WHERE schemaname = current_schema()`
		}
		var all []string
		if err := q.each(ctx, tables, nil, func(scan scanner) error {
			var name string
			err := scan(&name)
			all = append(all, `DROP TABLE `+name)
			return err
		}); err != nil {
			return err
		}
		files, err := fs.Glob(migrations, "migrations/*.sql")
		if err != nil {
			return err
		}
		all = append(all, `CREATE TABLE belfry_schema (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)`)
		for n, file := range files[:schema] {
			text, err := migrations.ReadFile(file)
			if err != nil {
				return err
			}
			all = append(all, s.dialect.ddl(string(text)), fmt.Sprintf(`INSERT INTO belfry_schema VALUES (%d, 1)`, n+1))
		}
		for _, text := range append(all, texts...) {
			if err := q.script(ctx, text); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), url, Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestAlertsOfTheFirstSchemaGetNumbers brings a database of schema 1 with
// alerts in it up to date.
func TestAlertsOfTheFirstSchemaGetNumbers(t *testing.T) {
	for name, url := range map[string]string{"SQLite": filepath.Join(t.TempDir(), "belfry.db"), "PostgreSQL": pgtest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			s := atSchema(t, url, 1, oldAlert(7168, "c"), oldAlert(5120, "b"))
			a := &alert.Alert{Source: "s", Topic: alert.TopicProblem, Status: alert.Firing, Revision: 1, Object: alert.Object{Host: "d"}}
			a.Fingerprint = a.Object.Fingerprint()
			c := Change{Source: a.Source, Fingerprint: a.Fingerprint, Apply: func(View) ([]Effect, error) { return []Effect{{Alert: a}}, nil }}
			if _, err := s.Change(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			for i, host := range []string{"b", "c", "d"} {
				if a, err := s.AlertByNumber(t.Context(), int64(i+1)); err != nil || a.Object.Host != host {
					t.Errorf("#%d is %+v, %v", i+1, a, err)
				}
			}
		})
	}
}

// TestOpeningsOfEarlierSchemasAreKept reads a history whose opening is an event
// like the others, and goes on with it.
func TestOpeningsOfEarlierSchemasAreKept(t *testing.T) {
	for name, url := range map[string]string{"SQLite": filepath.Join(t.TempDir(), "belfry.db"), "PostgreSQL": pgtest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			s := atSchema(t, url, 1, oldAlert(5120, "b"),
				`INSERT INTO events (alert_id, id, at, kind, intake, body) VALUES (5120, 6144, 7, 'opened', 'first', '{"text":"so it began"}')`)
			seen := false
			errs, err := s.Change(t.Context(), Change{Source: "s", Fingerprint: "b", Intake: "first", Apply: func(v View) ([]Effect, error) {
				seen = v.Seen
				a := v.Open[alert.TopicProblem]
				a.Revision++
				return []Effect{{Alert: a, Events: []alert.Event{{Kind: alert.EventChanged, At: time.Unix(9, 0).UTC()}}}}, nil
			}})
			if err := errors.Join(append(errs, err)...); err != nil || !seen {
				t.Fatalf("seen %v, %v", seen, err)
			}
			events, err := s.Events(t.Context(), 5120, 0)
			if err != nil || len(events) != 2 || events[0].Text != "so it began" || events[0].Intake != "first" || events[1].Kind != alert.EventChanged {
				t.Errorf("events: %+v, %v", events, err)
			}
		})
	}
}

// oldAlert is an alert as the first schema kept it.
func oldAlert(id int, host string) string {
	return fmt.Sprintf(`INSERT INTO alerts (id, source, fingerprint, topic, closed, severity, revision, last_id, starts_at, ends_at, updated_at, body)
		VALUES (%d, 's', '%s', 'problem', 0, 4, 1, %d, 1, 0, 1, '{"object":{"kind":"host","host":"%s"},"state":"DOWN","ack":{}}')`, id, host, id, host)
}
