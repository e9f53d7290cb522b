// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/alert"
	"belfry/incident"
	"belfry/store"
)

func followCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"what becomes of an alert is told its incidents":  followTold,
		"it is told with the change or not at all":        followAtomic,
		"a problem that comes back is attached":           followBack,
		"a change sees an alert as it is":                 followSees,
		"others' incidents are not touched":               followOthers,
		"many changes of many alerts are told once each":  followMany,
		"what was closed is followed when it is reopened": followReopened,
	}
}

// attached declares an incident that alerts are attached to.
func (w *world) attached(t *testing.T, cards []string, alerts ...*alert.Alert) *incident.Incident {
	t.Helper()
	s := incident.Defaults()
	i, entries, err := incident.Declare(&s, incident.Declaration{Title: "shop", By: anna()}, day())
	if err != nil {
		t.Fatal(err)
	}
	var numbers []int64
	for _, a := range alerts {
		numbers = append(numbers, a.Number)
	}
	err = w.ChangeIncident(w.ctx, store.IncidentChange{Alerts: numbers, Apply: func(v store.IncidentView) ([]store.IncidentEffect, error) {
		i, entries := i.Clone(), slices.Clone(entries)
		for _, n := range numbers {
			e, err := i.Attach(v.Alerts[n], anna(), day())
			if err != nil {
				return nil, err
			}
			entries = append(entries, e)
		}
		return []store.IncidentEffect{{Incident: i, Entries: entries, NewCards: cards}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	list, err := w.Incidents(w.ctx, store.IncidentFilter{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	return list[0]
}

// followed is what an incident's timeline has of alerts, in the order in which it
// was told.
func (w *world) followed(t *testing.T, number int64) string {
	t.Helper()
	i, err := w.Incident(w.ctx, number)
	if err != nil {
		t.Fatal(err)
	}
	list, err := w.IncidentEntries(w.ctx, i.ID, store.EntryFilter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, e := range list {
		if e.Kind == incident.EntryAlert {
			words = append(words, e.What)
		}
	}
	return strings.Join(words, " ")
}

// over ends an alert.
func (w *world) over(t *testing.T, id alert.ID) {
	t.Helper()
	w.amend(t, id, func(e *store.Effect) {
		e.Alert.Status, e.Events = alert.Resolved, []alert.Event{event(alert.EventResolved)}
	})
}

func followTold(t *testing.T, w *world) {
	a := w.post(t, "a", "chat/town")
	i := w.attached(t, []string{"chat/incidents"}, a)
	w.done(t, w.claim(t, "chat/incidents", 10))
	w.heard()
	w.amend(t, a.ID, func(e *store.Effect) { e.Events = []alert.Event{event(alert.EventAckWanted)} })
	if got := w.heard(); slices.Contains(got, "chat/incidents") {
		t.Errorf("a wish makes the incident's card stale: %v", got)
	}
	w.amend(t, a.ID, func(e *store.Effect) { e.Events = []alert.Event{event(alert.EventAcknowledged)} })
	if got := w.heard(); !slices.Contains(got, "chat/incidents") {
		t.Errorf("told of %v", got)
	}
	w.over(t, a.ID)
	w.reopen(t)
	if got := w.followed(t, i.Number); got != "acknowledged over" {
		t.Errorf("told is %q", got)
	}
	now, err := w.Incident(w.ctx, i.Number)
	if err != nil || now.Alerts[0].State != incident.AlertOver || now.Entries != 4 || now.Revision != i.Revision+2 {
		t.Errorf("%+v, %v", now, err)
	}
	c := w.claim(t, "chat/incidents", 10)
	if len(c.Duties) != 1 || c.Duties[0].Wanted != now.Revision {
		t.Errorf("due are %+v", c.Duties)
	}
}

// followAtomic: what is refused beside it changes nothing, and neither is told.
func followAtomic(t *testing.T, w *world) {
	a := w.post(t, "a", "chat/town")
	i := w.attached(t, nil, a)
	no := errors.New("no")
	errs, err := w.Change(w.ctx,
		store.Change{ID: a.ID, Apply: func(v store.View) ([]store.Effect, error) {
			v.Alert.Status = alert.Resolved
			return []store.Effect{{Alert: v.Alert, Events: []alert.Event{event(alert.EventResolved)}}}, no
		}},
		store.Change{ID: a.ID, Apply: func(v store.View) ([]store.Effect, error) {
			return []store.Effect{{Alert: v.Alert, Events: []alert.Event{event(alert.EventAcknowledged), event(alert.EventUnacked)}}}, nil
		}})
	if err != nil || !errors.Is(errs[0], no) || errs[1] != nil {
		t.Fatal(errs, err)
	}
	if got := w.followed(t, i.Number); got != "acknowledged unacknowledged" {
		t.Errorf("told is %q", got)
	}
}

func followBack(t *testing.T, w *world) {
	a := w.post(t, "a", "chat/town")
	i := w.attached(t, nil, a)
	w.over(t, a.ID)
	w.reopen(t)
	b := w.post(t, "a", "chat/town")
	w.over(t, b.ID)
	if got := w.followed(t, i.Number); got != "over again over" {
		t.Errorf("told is %q", got)
	}
	now, err := w.Incident(w.ctx, i.Number)
	if err != nil || len(now.Alerts) != 2 || now.Alerts[1].Alert != b.ID || now.Alerts[1].Number != b.Number {
		t.Errorf("%+v, %v", now, err)
	}
	if list, err := w.IncidentsOf(w.ctx, b.ID); err != nil || len(list) != 1 {
		t.Errorf("the new one leads to %+v, %v", list, err)
	}
}

func followSees(t *testing.T, w *world) {
	a := w.post(t, "a", "chat/town")
	w.over(t, a.ID)
	i := w.attached(t, nil, a)
	now, err := w.Incident(w.ctx, i.Number)
	if err != nil || now.Alerts[0].State != incident.AlertOver {
		t.Errorf("%+v, %v", now, err)
	}
	err = w.ChangeIncident(w.ctx, store.IncidentChange{Alerts: []int64{99}, Apply: func(v store.IncidentView) ([]store.IncidentEffect, error) {
		if len(v.Alerts) != 0 {
			t.Errorf("there are %+v", v.Alerts)
		}
		return nil, nil
	}})
	if err != nil {
		t.Error(err)
	}
}

func followOthers(t *testing.T, w *world) {
	a, b := w.post(t, "a", "chat/town"), w.post(t, "b", "chat/town")
	one, two := w.attached(t, nil, a), w.attached(t, nil, a, b)
	w.over(t, b.ID)
	if x, y := w.followed(t, one.Number), w.followed(t, two.Number); x != "" || y != "over" {
		t.Errorf("told are %q and %q", x, y)
	}
	w.over(t, a.ID)
	if x, y := w.followed(t, one.Number), w.followed(t, two.Number); x != "over" || y != "over over" {
		t.Errorf("told are %q and %q", x, y)
	}
}

// followMany: two processes where the database allows it, and batches.
func followMany(t *testing.T, w *world) {
	var alerts []*alert.Alert
	for n := range 20 {
		alerts = append(alerts, w.post(t, string(rune('a'+n)), "chat/town"))
	}
	i := w.attached(t, nil, alerts...)
	var changes []store.Change
	for _, kind := range []alert.EventKind{alert.EventAcknowledged, alert.EventResolved} {
		for _, a := range alerts {
			changes = append(changes, store.Change{ID: a.ID, Apply: func(v store.View) ([]store.Effect, error) {
				if kind == alert.EventResolved {
					v.Alert.Status = alert.Resolved
				}
				return []store.Effect{{Alert: v.Alert, Events: []alert.Event{event(kind)}}}, nil
			}})
		}
	}
	if errs, err := w.Change(w.ctx, changes...); err != nil || errors.Join(errs...) != nil {
		t.Fatal(errs, err)
	}
	if got := w.followed(t, i.Number); strings.Count(got, "acknowledged") != 20 || strings.Count(got, "over") != 20 {
		t.Errorf("told is %q", got)
	}
}

func followReopened(t *testing.T, w *world) {
	a := w.post(t, "a", "chat/town")
	i := w.attached(t, nil, a)
	move := func(act incident.Act) {
		t.Helper()
		if err := w.alter(i.Number, func(i *incident.Incident) error { _, err := i.Move(act, anna(), day(), ""); return err }); err != nil {
			t.Fatal(err)
		}
	}
	move(incident.Resolve)
	move(incident.Close)
	w.reopen(t)
	w.amend(t, a.ID, func(e *store.Effect) { e.Events = []alert.Event{event(alert.EventAcknowledged)} })
	if got := w.followed(t, i.Number); got != "" {
		t.Errorf("closed, and told %q", got)
	}
	move(incident.Reopen)
	w.clock.Advance(time.Minute)
	w.over(t, a.ID)
	if got := w.followed(t, i.Number); got != "over" {
		t.Errorf("told is %q", got)
	}
}

func incidentAlerts(t *testing.T, w *world) {
	w.declare(t, declared("a"))
	w.declare(t, declared("b"))
	list, err := w.IncidentsOf(w.ctx, 9)
	if err != nil || len(list) != 2 || list[0].Number != 2 {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err := w.IncidentsOf(w.ctx, 1); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}
