// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"belfry/alert"
	"belfry/incident"
	"belfry/message"
	"belfry/store"
)

// entriesOnPage is how many entries of a timeline are shown at once.
const entriesOnPage = 100

// held is somebody and what they do in an incident.
type held struct{ Role, Name string }

// step is when a status was reached, and how long after it was declared.
type step struct {
	Status incident.Status
	incident.Moment
	// Took is empty for the first.
	Took string
}

type incidentPage struct {
	*incident.Incident
	Steps  []step
	Roles  []held
	Fields []label
	// Others take part without a role.
	Others          []string
	ToDo, FollowUps []incident.Task
	Timeline        []incident.Entry
	Entries         int
	Earlier, Newest string
	Now             time.Time
	// Acts are the steps of its life that are possible now; none when it can
	// only be read.
	Acts       []incident.Act
	Severities []string
	// Joins says that the person takes no part yet.
	Joins bool
	// Wrong is why an act was refused, Typed what was written for it.
	Wrong, Typed string
}

// Overdue says whether a task should be done by now.
func (p incidentPage) Overdue(t incident.Task) bool {
	return t.Open() && !t.Due.IsZero() && t.Due.Before(p.Now)
}

// theIncident returns the incident that the path names; nil when the answer was
// given. Whether a private one exists is not told to those who take no part.
func (w *Web) theIncident(rw http.ResponseWriter, r *http.Request) *incident.Incident {
	number, err := strconv.ParseInt(r.PathValue("number"), 10, 64)
	if err != nil || number <= 0 {
		w.notFound(rw, r)
		return nil
	}
	i, err := w.o.Store.Incident(r.Context(), number)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		w.broken(rw, r, "can't read an incident", err)
		return nil
	}
	if err == nil {
		faces, err := w.faces(r)
		if err != nil {
			w.broken(rw, r, "can't read whose accounts are linked", err)
			return nil
		}
		if visible(i, faces) {
			return i
		}
	}
	w.fail(rw, r, http.StatusNotFound, "There is no such incident, or it is private and you take no part in it. Whoever runs it can invite you.")
	return nil
}

// showIncident is everything that is known about one incident.
func (w *Web) showIncident(rw http.ResponseWriter, r *http.Request) {
	if i := w.theIncident(rw, r); i != nil {
		w.incidentPage(rw, r, http.StatusOK, i, "", "")
	}
}

// incidentPage shows an incident; wrong is why an act was refused, text what
// was typed for it.
func (w *Web) incidentPage(rw http.ResponseWriter, r *http.Request, status int, i *incident.Incident, wrong, text string) {
	p := incidentPage{Incident: i, Entries: i.Entries, Now: w.clock.Now(), Steps: steps(i), Others: others(i), Wrong: wrong, Typed: text}
	if w.o.Incidents != nil {
		s := w.o.Incidents.Settings()
		p.Acts, p.Severities, p.Joins = incident.Possible(i.Status), s.SeverityNames(), !i.Takes(w.me(r))
	}
	for _, role := range slices.Sorted(maps.Keys(i.Roles)) {
		p.Roles = append(p.Roles, held{role, i.Roles[role].Name})
	}
	for _, name := range slices.Sorted(maps.Keys(i.Fields)) {
		p.Fields = append(p.Fields, label{name, i.Fields[name]})
	}
	for _, t := range i.Tasks {
		if t.Kind == incident.FollowUp {
			p.FollowUps = append(p.FollowUps, t)
		} else {
			p.ToDo = append(p.ToDo, t)
		}
	}
	f, cut := entriesBefore(r.URL.Query().Get("before"))
	var err error
	if p.Timeline, err = w.o.Store.IncidentEntries(r.Context(), i.ID, f); err != nil {
		w.broken(rw, r, "can't read an incident's timeline", err)
		return
	}
	here := "/incidents/" + strconv.FormatInt(i.Number, 10)
	if cut {
		p.Newest = here + "#timeline"
	}
	if len(p.Timeline) > entriesOnPage {
		p.Timeline = p.Timeline[1:]
		first := p.Timeline[0]
		p.Earlier = here + "?before=" + strconv.FormatInt(first.At.UnixMicro(), 10) + "." + strconv.FormatInt(int64(first.ID), 10) + "#timeline"
	}
	// What happened last is what somebody who comes now needs first.
	slices.Reverse(p.Timeline)
	w.show(rw, r, status, "incident", i.Ref()+" "+i.Title, p)
}

// entriesBefore reads where a page of a timeline ends: microseconds, a dot, and
// an entry's id. Whatever else it is leads to the newest page.
func entriesBefore(text string) (f store.EntryFilter, cut bool) {
	f.Limit = entriesOnPage + 1
	at, id, _ := strings.Cut(text, ".")
	until, err := strconv.ParseInt(at, 10, 64)
	before, err2 := strconv.ParseInt(id, 10, 64)
	if err != nil || err2 != nil || until <= 0 || before <= 0 {
		return f, false
	}
	f.Until, f.Before = time.UnixMicro(until).UTC(), alert.ID(before)
	return f, true
}

// steps are the statuses that count now, in the order of an incident's life.
func steps(i *incident.Incident) []step {
	var list []step
	for _, s := range incident.Statuses() {
		m := i.Since(s)
		if m.At.IsZero() {
			continue
		}
		one := step{Status: s, Moment: m}
		if d := m.At.Sub(i.CreatedAt); d > 0 {
			one.Took = message.Lasted(d)
		}
		list = append(list, one)
	}
	return list
}

// others are those who take part and hold no role, by name, each once.
func others(i *incident.Incident) []string {
	var names []string
	for _, p := range i.People {
		holds := false
		for _, h := range i.Roles {
			holds = holds || h.Same(p)
		}
		if !holds && !slices.Contains(names, p.Name) {
			names = append(names, p.Name)
		}
	}
	return names
}

// incidentTone names the colours of an incident's badge in the style sheet.
func incidentTone(s incident.Status) string {
	switch s {
	case incident.InTriage:
		return "blue"
	case incident.Started:
		return "red"
	case incident.Mitigated:
		return "amber"
	case incident.Resolved, incident.Closed:
		return "green"
	}
	return "grey"
}
