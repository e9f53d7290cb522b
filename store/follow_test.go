// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"belfry/alert"
	"belfry/incident"
)

// TestAnIncidentThatCantBeReadHoldsUpNoAlert: what monitoring hands over is kept
// whatever became of the incidents.
func TestAnIncidentThatCantBeReadHoldsUpNoAlert(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		a := &alert.Alert{Source: "s", Topic: alert.TopicProblem, Status: alert.Firing, Revision: 1, Object: alert.Object{Host: "d"}}
		a.Fingerprint = a.Object.Fingerprint()
		put := func(kind alert.EventKind) {
			t.Helper()
			errs, err := s.Change(t.Context(), Change{Source: a.Source, Fingerprint: a.Fingerprint, Apply: func(View) ([]Effect, error) {
				return []Effect{{Alert: a, Events: []alert.Event{{Kind: kind, At: time.Now()}}}}, nil
			}})
			if err != nil || errs[0] != nil {
				t.Fatal(err, errs)
			}
		}
		put(alert.EventOpened)
		settings := incident.Defaults()
		i, entries, err := incident.Declare(&settings, incident.Declaration{Alert: a, By: incident.Person{Name: "anna"}}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		err = s.ChangeIncident(t.Context(), IncidentChange{Apply: func(IncidentView) ([]IncidentEffect, error) {
			return []IncidentEffect{{Incident: i, Entries: entries}}, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		for table, key := range map[string]string{"incidents": "id", "incident_alerts": "incident_id"} {
			err := s.write(t.Context(), func(ctx context.Context, q *tx) error {
				return q.exec(ctx, `UPDATE `+table+` SET body = '{' WHERE `+key+` = $1`, int64(i.ID))
			})
			if err != nil {
				t.Fatal(err)
			}
			put(alert.EventAcknowledged)
		}
		a.Status, a.Revision = alert.Resolved, 2
		put(alert.EventResolved)
		if got, err := s.Alert(t.Context(), a.ID); err != nil || got.Status != alert.Resolved {
			t.Errorf("%+v, %v", got, err)
		}
		if _, err := s.Incident(t.Context(), 1); !errors.Is(err, ErrUnreadable) {
			t.Errorf("it can be read: %v", err)
		}
	})
}
