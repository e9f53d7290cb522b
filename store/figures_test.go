// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"path/filepath"
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
