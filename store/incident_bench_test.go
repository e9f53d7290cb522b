// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"belfry/incident"
	"belfry/store"
	"belfry/store/pgtest"
)

// tenThousand fills a store with 10,000 incidents, 100 entries each, every
// hundredth still open.
func tenThousand(b *testing.B, s *store.Store) {
	b.Helper()
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	who := incident.Person{Connection: "chat", ID: "u1", Name: "anna"}
	var wg sync.WaitGroup
	for worker := range 64 {
		wg.Go(func() {
			for n := worker; n < 10_000; n += 64 {
				at := began.Add(time.Duration(n) * time.Minute)
				i := &incident.Incident{Kind: incident.Normal, Status: incident.Closed, Severity: fmt.Sprint("SEV", n%4), Title: fmt.Sprint("The shop is slow in hall ", n),
					Summary: "orders wait for the database", Revision: 100, Entries: 100, CreatedAt: at, UpdatedAt: at, CreatedBy: who, People: []incident.Person{who},
					Services: []string{fmt.Sprint("service-", n%50)}, Tasks: []incident.Task{{Number: 1, Kind: incident.ToDo, Text: "look", Created: incident.Moment{At: at, By: who}}}}
				if n%100 == 0 {
					i.Status = incident.Started
				}
				i.Private = n%3 == 0
				i.Moments = map[incident.Status]incident.Moment{}
				for k, s := range []incident.Status{incident.Started, incident.Mitigated, incident.Resolved} {
					i.Moments[s] = incident.Moment{At: at.Add(time.Duration(k*n) * time.Second), By: who}
				}
				var entries []incident.Entry
				for e := range 100 {
					when := at.Add(time.Duration(e) * time.Second)
					entries = append(entries, incident.Entry{Kind: incident.EntryUpdate, At: when, RecordedAt: when, By: who, Text: "the second replica is rebuilt, half of the orders go through"})
				}
				err := s.ChangeIncident(b.Context(), store.IncidentChange{Apply: func(store.IncidentView) ([]store.IncidentEffect, error) {
					return []store.IncidentEffect{{Incident: i, Entries: entries}}, nil
				}})
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkIncidents reads lists, pages and figures with 10,000 incidents of 100
// entries, on both databases; its floor is one row by its primary key.
func BenchmarkIncidents(b *testing.B) {
	b.Run("SQLite", func(b *testing.B) { benchmarkIncidents(b, openBench(b)) })
	b.Run("PostgreSQL", func(b *testing.B) {
		s, err := store.Open(b.Context(), pgtest.URL(b), store.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			if err := s.Close(); err != nil {
				b.Error(err)
			}
		})
		benchmarkIncidents(b, s)
	})
}

func benchmarkIncidents(b *testing.B, s *store.Store) {
	tenThousand(b, s)
	ctx := b.Context()
	page := func(n int64) error {
		i, err := s.Incident(ctx, n)
		if err == nil {
			_, err = s.IncidentEntries(ctx, i.ID, store.EntryFilter{Limit: 200})
		}
		return err
	}
	faces := []incident.Person{{Connection: "room", ID: "1", Name: "carol"}, {Connection: "chat", ID: "u7", Name: "carol"}}
	var wg sync.WaitGroup
	for worker := range 64 {
		wg.Go(func() {
			for n := worker; n < 10_000; n += 64 {
				if err := s.SetSetting(ctx, fmt.Sprint(n+1), "one row of one table"); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	floor := func(n int64) error { _, _, err := s.Setting(ctx, fmt.Sprint(n)); return err }
	list := func(f store.IncidentFilter) func(int64) error {
		return func(int64) error {
			_, err := s.Incidents(ctx, f)
			return err
		}
	}
	for _, c := range []struct {
		name string
		do   func(n int64) error
	}{
		{"list", list(store.IncidentFilter{Limit: 50})},
		{"open", list(store.IncidentFilter{Open: true, Limit: 50})},
		{"over", list(store.IncidentFilter{Over: true, Limit: 100})},
		{"floor", floor},
		{"figures", func(int64) error { _, err := s.Figures(ctx, store.FigureFilter{Faces: faces}); return err }},
		{"figures_since", func(int64) error {
			_, err := s.Figures(ctx, store.FigureFilter{Since: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Faces: faces})
			return err
		}},
		{"seen", list(store.IncidentFilter{Over: true, Seen: true, Faces: faces, Limit: 51})},
		{"of_a_service", list(store.IncidentFilter{Label: "service", Value: "service-7", Limit: 50})},
		{"words_nowhere", list(store.IncidentFilter{Words: []string{"nowhere"}, Limit: 50})},
		{"words_everywhere", list(store.IncidentFilter{Words: []string{"slow", "orders"}, Limit: 50})},
		{"three_words_of_one", func(n int64) error {
			_, err := s.Incidents(ctx, store.IncidentFilter{Words: []string{"shop", "database", fmt.Sprint("hall ", n)}, Over: true, Seen: true, Faces: faces, Limit: 50})
			return err
		}},
		{"an_old_page_of_the_list", list(store.IncidentFilter{Before: 100, Limit: 50})},
		{"counts", func(int64) error { _, err := s.CountIncidents(ctx); return err }},
		{"page", page},
		{"an_old_page_of_a_timeline", func(n int64) error {
			i, err := s.Incident(ctx, n)
			if err == nil {
				_, err = s.IncidentEntries(ctx, i.ID, store.EntryFilter{Limit: 101, Until: i.CreatedAt.Add(50 * time.Second), Before: i.ID})
			}
			return err
		}},
		{"an_act", func(n int64) error {
			return s.ChangeIncident(ctx, store.IncidentChange{Numbers: []int64{n}, Apply: func(v store.IncidentView) ([]store.IncidentEffect, error) {
				e, err := v.Incidents[n].Say("on it", incident.Belfry(), time.Now())
				return []store.IncidentEffect{{Incident: v.Incidents[n], Entries: []incident.Entry{e}}}, err
			}})
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var took []time.Duration
			for n := int64(0); b.Loop(); n++ {
				began := time.Now()
				if err := c.do(n*7919%10_000 + 1); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(took[len(took)*99/100].Seconds()*1e3, "p99-ms")
		})
	}
}
