// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"belfry/alert"
	"belfry/store/pgtest"
)

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Helper()
	for name, url := range map[string]func(t *testing.T) string{
		"SQLite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "belfry.db") },
		"Postgres": func(t *testing.T) string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.Context(), url(t), Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			test(t, s)
		})
	}
}

// together hands operations over while the writer is busy, so that they form
// one batch, and returns each one's error.
func together(t *testing.T, s *Store, ops ...func() error) []error {
	t.Helper()
	busy, free := make(chan struct{}), make(chan struct{})
	var wait sync.WaitGroup
	var once sync.Once
	wait.Go(func() {
		err := s.write(t.Context(), func(context.Context, *tx) error {
			once.Do(func() { close(busy); <-free })
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-busy
	errs := make([]error, len(ops))
	for i, op := range ops {
		wait.Go(func() { errs[i] = op() })
	}
	for waiting := 0; waiting < len(ops); {
		s.writer.mu.Lock()
		waiting = len(s.writer.waiting)
		s.writer.mu.Unlock()
	}
	close(free)
	wait.Wait()
	return errs
}

func newAlert(i int) *alert.Alert {
	return &alert.Alert{Source: "nagios", Fingerprint: alert.Fingerprint(fmt.Sprint(i)), Topic: alert.TopicProblem, Status: alert.Firing}
}

func TestABadOperationDoesNotRejectItsNeighbours(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		runs := 0
		change := func(i int) func() error {
			return func() error {
				errs, err := s.Change(t.Context(), Change{Source: "nagios", Fingerprint: newAlert(i).Fingerprint,
					Apply: func(v View) ([]Effect, error) { runs++; return []Effect{{Alert: newAlert(i)}}, nil }})
				return errors.Join(append(errs, err)...)
			}
		}
		errs := together(t, s, change(1), func() error {
			return s.write(t.Context(), func(ctx context.Context, q *tx) error { return q.exec(ctx, `INSERT INTO nowhere VALUES (1)`) })
		}, change(2), func() error { return s.SetSetting(t.Context(), "a", "b") })
		if errs[0] != nil || errs[2] != nil || errs[3] != nil {
			t.Errorf("neighbours: %v", errs)
		}
		if errs[1] == nil || !strings.Contains(errs[1].Error(), "nowhere") {
			t.Errorf("the bad one: %v", errs[1])
		}
		if runs != 4 {
			t.Errorf("the changes were decided %d times: not one batch that was repeated", runs)
		}
		open, err := s.OpenAlerts(t.Context(), "nagios")
		if err != nil || len(open) != 2 {
			t.Errorf("open: %+v, %v", open, err)
		}
	})
}

func TestAChangeThatTheDatabaseRefusesIsAlone(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		apply := func(i int) Change {
			return Change{Source: "nagios", Fingerprint: newAlert(i).Fingerprint, Apply: func(v View) ([]Effect, error) {
				a := newAlert(i)
				if i == 1 {
					a.Revision = -1 // see the index below
				}
				return []Effect{{Alert: a}}, nil
			}}
		}
		err := s.write(t.Context(), func(ctx context.Context, q *tx) error {
			return q.exec(ctx, `CREATE UNIQUE INDEX one_odd ON alerts (revision) WHERE revision < 0`)
		})
		if err != nil {
			t.Fatal(err)
		}
		if errs, err := s.Change(t.Context(), apply(1)); err != nil || errs[0] != nil {
			t.Fatal(errs, err)
		}
		again := apply(1)
		again.Fingerprint = "other"
		again.Apply = func(View) ([]Effect, error) {
			a := newAlert(1)
			a.Fingerprint, a.Revision = "other", -1
			return []Effect{{Alert: a}}, nil
		}
		errs, err := s.Change(t.Context(), apply(2), again, apply(3))
		if err != nil || errs[0] != nil || errs[1] == nil || errs[2] != nil {
			t.Errorf("%v, %v", errs, err)
		}
	})
}

// A claim that can't be made must not have what makes it due refused: that is
// what monitoring reported.
func TestAStandingClaimThatFailsRefusesNoChange(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		rename := func(from, to string) {
			t.Helper()
			err := s.write(t.Context(), func(ctx context.Context, q *tx) error {
				return q.exec(ctx, `ALTER TABLE `+from+` RENAME TO `+to)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		told := make(chan []string, 10)
		s.SetOnDue(func(due []string) { told <- due })
		st := s.Stand("chat/town", 10)
		rename("destinations", "elsewhere")
		errs, err := s.Change(t.Context(), Change{Source: "nagios", Fingerprint: newAlert(1).Fingerprint,
			Apply: func(View) ([]Effect, error) {
				return []Effect{{Alert: newAlert(1), NewCards: []string{"chat/town"}}}, nil
			}})
		if err != nil || errs[0] != nil {
			t.Fatalf("the change was refused: %v, %v", errs, err)
		}
		select {
		case due := <-told:
			if len(due) != 1 || due[0] != "chat/town" {
				t.Errorf("told of %v", due)
			}
		default:
			t.Error("who left the claim is told nothing")
		}
		rename("elsewhere", "destinations")
		if c, ok := st.Cancel(); ok {
			t.Errorf("it was claimed: %+v", c)
		}
		if c, err := s.Claim(t.Context(), "chat/town", 10); err != nil || len(c.Duties) != 1 || !c.Duties[0].UnknownSince.IsZero() {
			t.Errorf("claimed then: %+v, %v", c, err)
		}
	})
}

func TestWhoGivesUpWaitingLeavesNothingBehind(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx, cancel := context.WithCancel(t.Context())
		busy, free := make(chan struct{}), make(chan struct{})
		var wait sync.WaitGroup
		wait.Go(func() {
			if err := s.write(t.Context(), func(context.Context, *tx) error { close(busy); <-free; return nil }); err != nil {
				t.Error(err)
			}
		})
		<-busy
		wait.Go(func() {
			if err := s.SetSetting(ctx, "x", ""); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			close(free)
		})
		cancel()
		wait.Wait()
		if _, ok, err := s.Setting(t.Context(), "x"); ok || err != nil {
			t.Errorf("stored: %v, %v", ok, err)
		}
	})
}

func TestAFullDiskIsSaidAndSurvived(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "belfry.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	limit := func(pages string) {
		t.Helper()
		err := s.write(t.Context(), func(ctx context.Context, q *tx) error {
			return q.each(ctx, `PRAGMA max_page_count = `+pages, nil, func(scanner) error { return nil })
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	limit("80")
	kept := 0
	for ; kept < 1000; kept++ {
		if err = s.SetSetting(t.Context(), fmt.Sprint(kept), strings.Repeat("x", 4000)); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrFull) || kept == 0 {
		t.Fatalf("after %d: %v", kept, err)
	}
	if _, err := s.Change(t.Context(), Change{Source: "s", Fingerprint: "f", Apply: func(View) ([]Effect, error) {
		a := newAlert(1)
		a.Source, a.Fingerprint, a.Output = "s", "f", strings.Repeat("x", 100_000)
		return []Effect{{Alert: a}}, nil
	}}); !errors.Is(err, ErrFull) {
		t.Errorf("change: %v", err)
	}
	for i := range kept {
		if _, ok, err := s.Setting(t.Context(), fmt.Sprint(i)); !ok || err != nil {
			t.Fatalf("%d was kept: %v, %v", i, ok, err)
		}
	}
	limit("10000")
	if err := s.SetSetting(t.Context(), "later", ""); err != nil {
		t.Errorf("with space again: %v", err)
	}
	if open, err := s.OpenAlerts(t.Context(), "s"); err != nil || len(open) != 0 {
		t.Errorf("refused but stored: %v, %v", open, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
