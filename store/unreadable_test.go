// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"belfry/alert"
	"belfry/store/pgtest"
)

// TestAnAlertThatCantBeReadBackHidesNoOther: lists go without it, which is told once;
// who asks for it is told so.
func TestAnAlertThatCantBeReadBackHidesNoOther(t *testing.T) {
	for name, url := range map[string]string{"SQLite": filepath.Join(t.TempDir(), "belfry.db"), "PostgreSQL": pgtest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			s, err := Open(t.Context(), url, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			var ids []alert.ID
			for n := range 5 {
				a := &alert.Alert{Source: "s", Topic: alert.TopicProblem, Status: alert.Firing, Revision: 1, Object: alert.Object{Host: fmt.Sprint("h", n+1)}}
				a.Fingerprint = a.Object.Fingerprint()
				c := Change{Source: a.Source, Fingerprint: a.Fingerprint, Apply: func(View) ([]Effect, error) { return []Effect{{Alert: a}}, nil }}
				if errs, err := s.Change(t.Context(), c); err != nil || errs[0] != nil {
					t.Fatal(errs, err)
				}
				ids = append(ids, a.ID)
			}
			if err := s.write(t.Context(), func(ctx context.Context, q *tx) error {
				return q.exec(ctx, `UPDATE alerts SET body = '{' WHERE number IN ($1, $2)`, 3, 4)
			}); err != nil {
				t.Fatal(err)
			}
			check := func(what, want string, list []*alert.Alert, err error) {
				t.Helper()
				var got []string
				for _, a := range list {
					got = append(got, fmt.Sprint(a.Number))
				}
				if err != nil || strings.Join(got, " ") != want {
					t.Errorf("%s: %q, %v; want %q", what, got, err, want)
				}
			}
			list, err := s.Alerts(t.Context(), Filter{Limit: 2})
			check("the first page", "5 2", list, err)
			list, err = s.Alerts(t.Context(), Filter{Limit: 2, Before: ids[1]})
			check("the second page", "1", list, err)
			list, err = s.OpenAlerts(t.Context(), "s")
			check("those of a source", "1 2 5", list, err)
			list, next, err := s.Changed(t.Context(), 0)
			if err != nil || len(list) != 3 {
				t.Errorf("the picture has %d, %v", len(list), err)
			}
			if list, then, err := s.Changed(t.Context(), ids[0]); err != nil || then < next {
				t.Errorf("since the first: %d, up to %d after %d, %v", len(list), then, next, err)
			}
			if found, err := s.AlertsByID(t.Context(), ids); err != nil || len(found) != 3 {
				t.Errorf("%d by their ids, %v", len(found), err)
			}
			for n, id := range ids {
				_, err := s.Alert(t.Context(), id)
				_, byNumber := s.AlertByNumber(t.Context(), int64(n+1))
				if bad := n == 2 || n == 3; errors.Is(err, ErrUnreadable) != bad || errors.Is(byNumber, ErrUnreadable) != bad || !bad && errors.Join(err, byNumber) != nil {
					t.Errorf("#%d: %v, %v", n+1, err, byNumber)
				}
			}
			if n := strings.Count(log.String(), "level=ERROR"); n != 2 || !strings.Contains(log.String(), "alert=3") {
				t.Errorf("it was told %d times: %s", n, log.String())
			}
		})
	}
}
