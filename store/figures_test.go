// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"belfry/incident"
	"belfry/store/pgtest"
)

// TestIncidentsOfEarlierSchemasAreCounted brings a database that has incidents,
// but no place for figures yet, up to date.
func TestIncidentsOfEarlierSchemasAreCounted(t *testing.T) {
	const many = fillChunk + 3
	var old []string
	for n := 1; n <= many; n++ {
		private := 0
		if n == 1 {
			private = 1
		}
		old = append(old, fmt.Sprintf(`INSERT INTO incidents (id, number, status, is_open, kind, severity, private, title, parent, duplicate_of, revision, entries, last_id, created_at, updated_at, body)
			VALUES (%d, %d, 'resolved', 0, 'normal', 'SEV1', %d, 'old', 0, 0, 1, 1, %d, 1773478800000000, 1773478800000000,
			'{"services":["shop"],"people":[{"connection":"chat","id":"u1","name":"anna"}],"moments":{"resolved":{"at":"2026-03-14T10:00:00Z","by":{"name":"anna"}}}}')`, n*1024, n, private, n*1024))
	}
	for name, url := range map[string]string{"SQLite": filepath.Join(t.TempDir(), "belfry.db"), "PostgreSQL": pgtest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			s := atSchema(t, url, 8, old...)
			for want, faces := range map[int][]incident.Person{many - 1: nil, many: {{Connection: "chat", ID: "u1", Name: "anna"}}} {
				got, err := s.Figures(t.Context(), FigureFilter{Faces: faces})
				if err != nil || len(got) != 1 || got[0].Service != "shop" || got[0].N != want || got[0].Resolve != (incident.Mean{Time: time.Hour, N: want}) {
					t.Errorf("%+v, %v; want %d", got, err, want)
				}
			}
		})
	}
}

// TestAnIncidentThatCantBeReadBackKeepsNobodyFromStarting: the others are counted, it
// is told at each start, and made up for when it can be read.
func TestAnIncidentThatCantBeReadBackKeepsNobodyFromStarting(t *testing.T) {
	old := func(n int, body string) string {
		return fmt.Sprintf(`INSERT INTO incidents (id, number, status, is_open, kind, severity, private, title, parent, duplicate_of, revision, entries, last_id, created_at, updated_at, body)
			VALUES (%d, %d, 'started', 1, 'normal', 'SEV1', 1, 'old', 0, 0, 1, 1, %d, 1773478800000000, 1773478800000000, '%s')`, n*1024, n, n*1024, body)
	}
	const whole = `{"services":["shop"],"people":[{"connection":"chat","id":"u1","name":"anna"}]}`
	anna := []incident.Person{{Connection: "chat", ID: "u1", Name: "anna"}}
	for name, url := range map[string]string{"SQLite": filepath.Join(t.TempDir(), "belfry.db"), "PostgreSQL": pgtest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			s := atSchema(t, url, 8, old(1, whole), old(2, `{`), old(3, whole), old(4, `{"people":5}`))
			var log strings.Builder
			again := func(want int, told ...string) {
				t.Helper()
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				log.Reset()
				var err error
				if s, err = Open(t.Context(), url, Options{Log: slog.New(slog.NewTextHandler(&log, nil))}); err != nil {
					t.Fatal(err)
				}
				got, err := s.Figures(t.Context(), FigureFilter{Faces: anna})
				if err != nil || len(got) != 1 || got[0].N != want {
					t.Errorf("%+v, %v; want %d", got, err, want)
				}
				if n := strings.Count(log.String(), "level=ERROR"); n != len(told) {
					t.Errorf("%d were told, want %d: %s", n, len(told), log.String())
				}
				for _, text := range told {
					if !strings.Contains(log.String(), text) {
						t.Errorf("%q is not told: %s", text, log.String())
					}
				}
			}
			set := func(number int, body string) {
				t.Helper()
				if err := s.write(t.Context(), func(ctx context.Context, q *tx) error {
					return q.exec(ctx, `UPDATE incidents SET body = $1 WHERE number = $2`, body, int64(number))
				}); err != nil {
					t.Fatal(err)
				}
			}
			again(2, "incident=2", "incident=4")
			set(4, whole)
			again(3, "incident=2")
			if list, err := s.Incidents(t.Context(), IncidentFilter{Seen: true, Faces: anna, Since: time.Unix(1, 0), Before: 2}); err != nil || len(list) != 1 {
				t.Errorf("%+v, %v", list, err)
			}
			set(2, whole)
			again(4)
			again(4)
			if _, left, err := s.Setting(t.Context(), settingUnfilled); left || err != nil {
				t.Errorf("it is still noted, %v", err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
