// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"belfry/incident"
	"belfry/store"
)

func incidentDutyCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"an incident's cards live like an alert's":    incidentCards,
		"notes wait for their card":                   incidentNotes,
		"a refused change makes no duties":            incidentNoDuties,
		"a process that dies leaves them to be asked": incidentUnknown,
	}
}

// put stores what an effect says of incident number, or of a new one.
func (w *world) put(t *testing.T, number int64, change func(e *store.IncidentEffect)) *incident.Incident {
	t.Helper()
	var got *incident.Incident
	err := w.ChangeIncident(w.ctx, store.IncidentChange{Numbers: []int64{number}, Apply: func(v store.IncidentView) ([]store.IncidentEffect, error) {
		e := store.IncidentEffect{Incident: v.Incidents[number], Priority: 4}
		if e.Incident == nil {
			e.Incident = declared("shop")
		}
		e.Incident.Revision++
		change(&e)
		got = e.Incident
		return []store.IncidentEffect{e}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func incidentCards(t *testing.T, w *world) {
	w.heard()
	i := w.put(t, 0, func(e *store.IncidentEffect) {
		e.NewCards = []string{"chat/incidents", "room/incidents", "chat/incidents"}
	})
	if got := w.heard(); !slices.Equal(got, []string{"chat/incidents", "room/incidents"}) {
		t.Errorf("told of %v", got)
	}
	c := w.claim(t, "chat/incidents", 10)
	if len(c.Duties) != 1 || c.Duties[0].AlertID != i.ID || c.Duties[0].Kind != store.DutyCard || c.Duties[0].Wanted != i.Revision || c.Duties[0].Priority != 4 || len(c.Duties[0].Key) != 26 {
		t.Fatalf("%+v", c.Duties)
	}
	// It changes while its card is on the way: it is due once more.
	i = w.put(t, 1, func(e *store.IncidentEffect) { e.Stale, e.NewCards = true, []string{"chat/incidents"} })
	w.done(t, c)
	again := w.claim(t, "chat/incidents", 10)
	if len(again.Duties) != 1 || again.Duties[0].ID != c.Duties[0].ID || again.Duties[0].Wanted != i.Revision || again.Duties[0].Receipt == "" {
		t.Fatalf("then %+v", again.Duties)
	}
	w.done(t, again)
	if c := w.claim(t, "chat/incidents", 10); len(c.Duties) != 0 {
		t.Errorf("and then %+v", c.Duties)
	}
	// A card that was given up is tried again when there is something new.
	c = w.claim(t, "room/incidents", 10)
	w.settle(t, c, store.Settlement{ID: c.Duties[0].ID, State: store.DutyDead, Failed: true, Err: "no"})
	w.put(t, 1, func(e *store.IncidentEffect) { e.Stale = true })
	if c := w.claim(t, "room/incidents", 10); len(c.Duties) != 1 || c.Duties[0].Attempts != 0 {
		t.Errorf("the dead one: %+v", c.Duties)
	}
}

func incidentNotes(t *testing.T, w *world) {
	i := w.put(t, 0, func(e *store.IncidentEffect) { e.NewCards = []string{"chat/incidents"} })
	w.put(t, 1, func(e *store.IncidentEffect) {
		e.Entries = []incident.Entry{entry(incident.EntryUpdate, day()), entry(incident.EntryTask, day()), entry(incident.EntryMitigated, day())}
		there := []string{"chat/incidents"}
		e.Notes, e.Stale = []store.IncidentNote{{Entry: 0, Destinations: there}, {Entry: 2, Destinations: there}}, true
	})
	c := w.claim(t, "chat/incidents", 10)
	if got := kinds(c.Duties); !slices.Equal(got, []string{"card", "note", "note"}) {
		t.Fatalf("%v", got)
	}
	var said []incident.EntryKind
	for _, d := range c.Duties[1:] {
		e, err := w.IncidentEntry(w.ctx, i.ID, d.EventID)
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, e.Kind)
	}
	if !slices.Equal(said, []incident.EntryKind{incident.EntryUpdate, incident.EntryMitigated}) {
		t.Errorf("said is %v", said)
	}
	// The card fails: its notes come after it.
	later := day().Add(time.Minute)
	w.settle(t, c, failed(c.Duties[0], later), store.Settlement{ID: c.Duties[1].ID, Unsent: true}, store.Settlement{ID: c.Duties[2].ID, Unsent: true})
	if c := w.claim(t, "chat/incidents", 10); len(c.Duties) != 0 {
		t.Errorf("before its card: %+v", c.Duties)
	}
	w.clock.Advance(time.Minute)
	if got := kinds(w.claim(t, "chat/incidents", 10).Duties); !slices.Equal(got, []string{"card", "note", "note"}) {
		t.Errorf("then %v", got)
	}
}

func incidentNoDuties(t *testing.T, w *world) {
	w.put(t, 0, func(*store.IncidentEffect) {})
	no := errors.New("no")
	for _, x := range []struct {
		err    error
		change func(e *store.IncidentEffect)
	}{
		{no, func(e *store.IncidentEffect) { e.NewCards = []string{"chat/a"} }},
		{nil, func(e *store.IncidentEffect) { e.NewCards = []string{"chat/\x00"} }},
		{nil, func(e *store.IncidentEffect) { e.Notes = []store.IncidentNote{{Destinations: []string{"chat/a"}}} }},
		{nil, func(e *store.IncidentEffect) {
			e.Entries = []incident.Entry{entry(incident.EntryUpdate, day())}
			e.Notes = []store.IncidentNote{{Destinations: []string{"chat/\xff"}}}
		}},
		{nil, func(e *store.IncidentEffect) { e.Steps = []store.IncidentStep{{Destination: "chat/a", Entry: 1}} }},
		{nil, func(e *store.IncidentEffect) { e.Steps = []store.IncidentStep{{Destination: "chat/\x00"}} }},
	} {
		err := w.ChangeIncident(w.ctx, store.IncidentChange{Numbers: []int64{1}, Apply: func(v store.IncidentView) ([]store.IncidentEffect, error) {
			e := store.IncidentEffect{Incident: v.Incidents[1]}
			x.change(&e)
			return []store.IncidentEffect{e}, x.err
		}})
		if err == nil {
			t.Error("it was stored")
		}
	}
	if due, err := w.Due(w.ctx, day()); err != nil || len(due) != 0 {
		t.Errorf("due are %+v, %v", due, err)
	}
}

// incidentUnknown: what was claimed and never settled is handed out again as
// one that may have arrived.
func incidentUnknown(t *testing.T, w *world) {
	w.put(t, 0, func(e *store.IncidentEffect) { e.NewCards = []string{"chat/incidents"} })
	before := w.claim(t, "chat/incidents", 10)
	w.reopen(t)
	w.clock.Advance(time.Minute)
	after := w.claim(t, "chat/incidents", 10)
	if len(after.Duties) != 1 || after.Duties[0].Key != before.Duties[0].Key || after.Duties[0].UnknownSince.IsZero() || after.Fence == before.Fence {
		t.Errorf("%+v", after)
	}
}
