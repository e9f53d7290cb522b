// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"belfry/alert"
	"belfry/incident"
	"belfry/store"
	"belfry/store/pgtest"
)

// followURL tells the test binary, run again, that it is the one to be killed.
const followURL = "BELFRY_STORE_FOLLOW_CHILD"

// TestFollowChild changes alerts that are attached to an incident until it is
// killed, and says what it was told is stored.
func TestFollowChild(t *testing.T) {
	url := os.Getenv(followURL)
	if url == "" {
		t.Skip("runs only as the child of TestWhatBecomesOfAlertsIsToldOnceThroughAKill")
	}
	ctx := context.Background()
	s, err := store.Open(ctx, url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	open, err := s.OpenAlerts(ctx, "nagios")
	if err != nil {
		t.Fatal(err)
	}
	var out sync.Mutex
	for n, a := range open {
		go func() {
			for i := n; ; i++ {
				kind := []alert.EventKind{alert.EventAcknowledged, alert.EventUnacked, alert.EventRenotified}[i%3]
				errs, err := s.Change(ctx, store.Change{ID: a.ID, Apply: func(v store.View) ([]store.Effect, error) {
					v.Alert.Revision++
					return []store.Effect{{Alert: v.Alert, Events: []alert.Event{{Kind: kind, At: time.Now()}}, Stale: true}}, nil
				}})
				if err == nil && errs[0] == nil && kind != alert.EventRenotified {
					out.Lock()
					fmt.Println("\nchanged", int64(a.ID))
					out.Unlock()
				}
			}
		}()
	}
	select {}
}

// TestWhatBecomesOfAlertsIsToldOnceThroughAKill: killed in the middle, every event
// that is stored is told in the timeline once, and nothing else is.
func TestWhatBecomesOfAlertsIsToldOnceThroughAKill(t *testing.T) {
	for name, url := range map[string]func() string{
		"SQLite":   func() string { return filepath.Join(t.TempDir(), "belfry.db") },
		"Postgres": func() string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			address := url()
			number := attach(t, address)
			said := map[string]int{} // how often each alert was said to have been changed
			for _, id := range killed(t, "TestFollowChild", followURL+"="+address, 100)["changed"] {
				said[id]++
			}
			if len(said) == 0 {
				t.Fatal("the child did not get far")
			}
			s := opened(t, address)
			i, err := s.Incident(t.Context(), number)
			if err != nil {
				t.Fatal(err)
			}
			entries, err := s.IncidentEntries(t.Context(), i.ID, store.EntryFilter{Limit: incident.MaxEntries})
			if err != nil {
				t.Fatal(err)
			}
			told := map[int64]int{}
			for _, e := range entries {
				if e.Kind == incident.EntryAlert {
					told[e.Alert]++
				}
			}
			if i.Entries != len(entries) {
				t.Errorf("the incident counts %d entries and has %d", i.Entries, len(entries))
			}
			for _, a := range i.Alerts {
				events, err := s.Events(t.Context(), a.Alert, 10_000)
				if err != nil {
					t.Fatal(err)
				}
				stored := 0
				for n := range events {
					if events[n].Kind == alert.EventAcknowledged || events[n].Kind == alert.EventUnacked {
						stored++
					}
				}
				if told[a.Number] != stored || stored < said[fmt.Sprint(int64(a.Alert))] {
					t.Errorf("alert #%d: %d events are stored, %d told; %d were said to be stored", a.Number, stored, told[a.Number], said[fmt.Sprint(int64(a.Alert))])
				}
			}
		})
	}
}

// attach declares an incident with five alerts and returns its number.
func attach(t *testing.T, address string) (number int64) {
	t.Helper()
	s, err := store.Open(t.Context(), address, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for n := range int64(5) {
		if errs, err := s.Change(t.Context(), intake("nagios", report(n), "chat/town")); err != nil || errs[0] != nil {
			t.Fatal(err, errs)
		}
	}
	settings, anna := incident.Defaults(), incident.Person{Name: "anna"}
	err = s.ChangeIncident(t.Context(), store.IncidentChange{Alerts: []int64{1, 2, 3, 4, 5}, Apply: func(v store.IncidentView) ([]store.IncidentEffect, error) {
		i, entries, err := incident.Declare(&settings, incident.Declaration{By: anna}, time.Now())
		if err != nil {
			return nil, err
		}
		for _, a := range v.Alerts {
			e, err := i.Attach(a, anna, time.Now())
			if err != nil {
				return nil, err
			}
			entries = append(entries, e)
		}
		number = v.Next
		return []store.IncidentEffect{{Incident: i, Entries: entries, NewCards: []string{"chat/incidents"}}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return number
}
