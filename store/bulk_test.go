// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"testing"
)

// TestRowsThatAreRefusedLeaveNothing adds rows of which the last is refused, after
// enough others for several statements, in SQLite by a statement that keeps what
// it did until then.
func TestRowsThatAreRefusedLeaveNothing(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		var rows []any
		for i := range 2*maxChunk + 3 {
			rows = append(rows, int64(1), int64(7), int64(i), "note", "{}")
		}
		rows = append(rows, rows[len(rows)-insertEntries.width:]...)
		errs := together(t, s, func() error {
			return s.write(t.Context(), func(ctx context.Context, q *tx) error { return q.execBulk(ctx, insertEntries, nil, rows) })
		}, func() error { return s.SetSetting(t.Context(), "a", "b") })
		if errs[0] == nil || errs[1] != nil {
			t.Errorf("refused: %v; its neighbour: %v", errs[0], errs[1])
		}
		if n := count(t, s, `SELECT COUNT(*) FROM incident_entries`); n != 0 {
			t.Errorf("%d rows stayed", n)
		}
	})
}

// TestRowsThatAreThereAreLeftOut holds "ON CONFLICT DO NOTHING" to its word beside
// dialect.insert.
func TestRowsThatAreThereAreLeftOut(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		err := s.write(t.Context(), func(ctx context.Context, q *tx) error {
			return q.execBulk(ctx, insertViewers, nil, []any{
				"u1", "alice", "chat", int64(1),
				"u1", "alice", "chat", int64(1),
				"u2", "bob", "chat", int64(1),
			})
		})
		if n := count(t, s, `SELECT COUNT(*) FROM incident_viewers`); err != nil || n != 2 {
			t.Errorf("%d rows, %v", n, err)
		}
	})
}

func count(t *testing.T, s *Store, text string) (n int) {
	t.Helper()
	if err := s.query(t.Context(), "rows", text, nil, func(scan scanner) error { return scan(&n) }); err != nil {
		t.Fatal(err)
	}
	return n
}
