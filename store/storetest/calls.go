// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"belfry/alert"
	"belfry/incident"
	"belfry/store"
)

// callCases are about what happens to incidents without a person's doing.
func callCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"the next reminder is found":           reminders,
		"calls stand until they are answered":  calls,
		"what machines declare is known again": origins,
	}
}

// calls: they are stored with their alert, in the same transaction, found again
// after a restart, put off, and answered once however many try.
func calls(t *testing.T, w *world) {
	var mu sync.Mutex
	told := 0
	w.SetOnCall(func() { mu.Lock(); defer mu.Unlock(); told++ })
	one, two, bad := problem("a"), problem("b"), problem("c")
	w.one(t, change(one, store.Effect{Alert: one, Calls: []string{"shop", "all"}}))
	w.one(t, change(two, store.Effect{Alert: two}))
	errs, err := w.Change(w.ctx, change(bad, store.Effect{Alert: bad, Calls: []string{"a\x00b"}}), store.Change{Source: "nagios", Fingerprint: "x",
		Apply: func(store.View) ([]store.Effect, error) { return nil, errors.New("refused") }})
	if err != nil || errs[0] == nil || !strings.Contains(errs[0].Error(), "plain text") || errs[1] == nil {
		t.Fatalf("%v, %v", errs, err)
	}
	mu.Lock()
	if told != 1 {
		t.Errorf("it was told %d times", told)
	}
	mu.Unlock()
	routes := func(s *store.Store, want ...string) (list []store.Call) {
		t.Helper()
		list, err := s.NextCalls(w.ctx, 10)
		var got []string
		for _, c := range list {
			if c.AlertID != one.ID || c.ID == 0 || c.At.Sub(day()).Abs() > time.Second {
				t.Errorf("a strange call: %+v", c)
			}
			got = append(got, c.Route)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("calls by %q, %v; want %q", got, err, want)
		}
		return list
	}
	routes(w.Store, "shop", "all")
	w.reopen(t)
	list := routes(w.Store, "shop", "all")
	if err := w.PostponeCalls(w.ctx, []alert.ID{list[0].ID, 7}, day().Add(time.Minute), "spoilt"); err != nil {
		t.Fatal(err)
	}
	if list = routes(w.Store, "all", "shop"); !list[1].DueAt.Equal(day().Add(time.Minute)) {
		t.Errorf("put off until %s", list[1].DueAt)
	}
	stuck := func(want int) {
		t.Helper()
		if got, err := w.StuckCalls(w.ctx); err != nil || len(got) != want || want > 0 && (got[0] != list[1] || got[0].Trouble != "spoilt") {
			t.Errorf("in trouble are %+v, %v", got, err)
		}
	}
	stuck(1)
	if err := w.PostponeCalls(w.ctx, []alert.ID{list[1].ID}, day().Add(time.Minute), ""); err != nil {
		t.Fatal(err)
	}
	stuck(0)
	answer := func(s *store.Store, refuse bool, ids ...alert.ID) error {
		return s.ChangeIncident(w.ctx, store.IncidentChange{Calls: ids, Apply: func(store.IncidentView) ([]store.IncidentEffect, error) {
			if refuse {
				return nil, errors.New("no")
			}
			i := declared(seal())
			return []store.IncidentEffect{{Incident: i}}, nil
		}})
	}
	if err := answer(w.Store, true, list[0].ID); err == nil {
		t.Error("a refusal is no answer")
	}
	routes(w.Store, "all", "shop")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := answer(w.Store, false, list[0].ID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	routes(w.Store, "shop")
	if err := answer(w.Store, false, list[1].ID, list[0].ID); err != nil { // the second was answered: none of it is done
		t.Error(err)
	}
	routes(w.Store, "shop")
	if all, err := w.Incidents(w.ctx, store.IncidentFilter{}); err != nil || len(all) != 1 {
		t.Errorf("%d incidents, %v", len(all), err)
	}
}

var sealed struct {
	sync.Mutex
	n int
}

// seal is a title that no other incident has.
func seal() string {
	sealed.Lock()
	defer sealed.Unlock()
	sealed.n++
	return "x" + strings.Repeat("y", sealed.n)
}

// origins: what a machine declared is found by its key, and counted.
func origins(t *testing.T, w *world) {
	put := func(origin, key string, status incident.Status, at time.Time) {
		t.Helper()
		w.declare(t, &incident.Incident{Kind: incident.Normal, Status: status, Title: "x", Origin: origin, OriginKey: key, CreatedAt: at, UpdatedAt: at})
	}
	put("", "", incident.Started, day())
	put("route shop", "a", incident.Resolved, day())
	put("route shop", "b", incident.Started, day())
	put("route shop", "a", incident.Closed, day().Add(time.Hour))
	put("route mail", "a", incident.Started, day())
	look := func(o store.Origin) (k store.Kin, seen []int64) {
		t.Helper()
		err := w.ChangeIncident(w.ctx, store.IncidentChange{Numbers: []int64{1}, Origin: o, Apply: func(v store.IncidentView) ([]store.IncidentEffect, error) {
			k, seen = v.Kin, nil
			for n := range v.Incidents {
				seen = append(seen, n)
			}
			slices.Sort(seen)
			return nil, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		return k, seen
	}
	for _, x := range []struct {
		o    store.Origin
		want store.Kin
		seen []int64
	}{
		{store.Origin{Name: "route shop", Key: "a"}, store.Kin{Newest: 4, Open: 3, Declared: 3}, []int64{1, 3, 4}},
		{store.Origin{Name: "route shop", Key: "b", Since: day().Add(time.Minute)}, store.Kin{Newest: 3, Open: 3, Declared: 1}, []int64{1, 3}},
		{store.Origin{Name: "route shop", Key: "c", Since: day().Add(2 * time.Hour)}, store.Kin{Open: 3}, []int64{1, 3}},
		{store.Origin{Name: "route", Key: "a"}, store.Kin{}, []int64{1}},
		{store.Origin{}, store.Kin{}, []int64{1}},
	} {
		if k, seen := look(x.o); k != x.want || !slices.Equal(seen, x.seen) {
			t.Errorf("%+v: %+v %v, want %+v %v", x.o, k, seen, x.want, x.seen)
		}
	}
	if i, err := w.IncidentFrom(w.ctx, "route shop", "a"); err != nil || i.Number != 4 || i.Origin != "route shop" || i.OriginKey != "a" {
		t.Errorf("%+v, %v", i, err)
	}
	if _, err := w.IncidentFrom(w.ctx, "", ""); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}
