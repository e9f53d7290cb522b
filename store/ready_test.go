// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"belfry/clock"
	"belfry/store/pgtest"
)

func TestReadyMeansThatSomethingCanBeStored(t *testing.T) {
	for name, url := range map[string]string{"SQLite": filepath.Join(t.TempDir(), "belfry.db"), "PostgreSQL": pgtest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			now := clock.NewManual(time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC))
			s, err := Open(t.Context(), url, Options{Clock: now})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			script := func(text string) {
				t.Helper()
				if err := s.write(t.Context(), func(ctx context.Context, q *tx) error { return q.script(ctx, text) }); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			script(`ALTER TABLE settings RENAME TO gone`)
			if err := s.Ready(t.Context()); err != nil {
				t.Errorf("asked again at once it wrote again: %v", err)
			}
			now.Advance(readyFor)
			if err := s.Ready(t.Context()); err == nil {
				t.Error("ready, and nothing can be written")
			}
			script(`ALTER TABLE gone RENAME TO settings`)
			now.Advance(readyFor)
			if err := s.Ready(t.Context()); err != nil {
				t.Error(err)
			}
			now.Advance(readyFor)
			gone, cancel := context.WithCancel(t.Context())
			cancel()
			if err := s.Ready(gone); err == nil {
				t.Error("ready for somebody who is gone")
			}
			if err := s.Ready(t.Context()); err != nil {
				t.Errorf("who went away decides for others: %v", err)
			}
			s.room = func() (uint64, error) { return leastRoom - 1, nil }
			now.Advance(readyFor)
			if err := s.Ready(t.Context()); !errors.Is(err, ErrFull) {
				t.Errorf("with a full disk: %v", err)
			}
			s.room = func() (uint64, error) { return 0, errors.New("this disk does not tell") }
			now.Advance(readyFor)
			if err := s.Ready(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
