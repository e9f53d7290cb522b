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

	"belfry/incident"
	"belfry/message"
	"belfry/response"
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
	Attached        []attached
	Timeline        []incident.Entry
	Entries         int
	Earlier, Newest string
	Now             time.Time
	// Can is what can be done; nil when it can only be read.
	Can *possible
	// Refused is an act that was refused; its Form is empty when none was.
	Refused refusedAct
}

// possible is what can be done with an incident, and what can be chosen for it.
type possible struct {
	// Acts are the steps of its life that are possible now.
	Acts       []incident.Act
	Severities []string
	Roles      []string
	// Joins says that the person takes no part yet.
	Joins bool
	// Sets are the fields that can be changed, People those who can be named,
	// Channels those that can become its own.
	Sets     []settable
	People   []known
	Channels []string
	Finding  finding
}

// settable is a field that can be changed.
type settable struct {
	Name, Label, Value string
	// Options are what can be chosen; none: any text. Several at once.
	Options []string
	Several bool
}

// Kept is what was typed into a form that was refused, or what stood there.
func (p incidentPage) Kept(form, name string, stood ...string) string {
	if p.Refused.Form == form {
		return p.Refused.Values.Get(name)
	}
	return strings.Join(stood, "")
}

// Knows says whether there is a form for a field.
func (p incidentPage) Knows(field string) bool {
	return p.Can != nil && slices.ContainsFunc(p.Can.Sets, func(s settable) bool { return s.Name == field })
}

// taskRow is a task as the page lists it.
func taskRow(p incidentPage, t incident.Task) any {
	return struct {
		Task            *incident.Task
		Overdue, Finish bool
		Number          int64
	}{&t, p.Overdue(t), t.Open() && p.Can != nil, p.Number}
}

// setForm is the form by which a field is changed, with what was typed when it
// was refused.
func setForm(p incidentPage, s settable) any {
	form := struct {
		settable
		Number int64
		Rows   int
		Why    string
	}{s, p.Number, min(len(s.Options), 6), ""}
	if no := p.Refused; no.Form == "set" && no.Values.Get("field") == s.Name {
		form.Why, form.Value = no.Why, strings.Join(no.Values["value"], ",")
	}
	return form
}

// Why says why a form was refused; empty: it was not.
func (p incidentPage) Why(form string) string {
	if p.Refused.Form == form {
		return p.Refused.Why
	}
	return ""
}

// Overdue says whether a task should be done by now.
func (p incidentPage) Overdue(t incident.Task) bool {
	return t.Open() && !t.Due.IsZero() && t.Due.Before(p.Now)
}

// Unattended counts the attached alerts that fire and that nobody has acknowledged.
func (p incidentPage) Unattended() (n int) {
	for _, a := range p.Attached {
		if a.Now != nil && response.Unattended(a.Now) {
			n++
		}
	}
	return n
}

// theIncident returns the incident that the path names; nil when the answer was
// given. Whether a private one exists is not told to those who take no part.
func (w *Web) theIncident(rw http.ResponseWriter, r *http.Request) *incident.Incident {
	number, err := strconv.ParseInt(r.PathValue("number"), 10, 64)
	if err != nil || number <= 0 {
		w.notFound(rw, r)
		return nil
	}
	return w.incidentNumbered(rw, r, number)
}

// incidentNumbered is theIncident by its number.
func (w *Web) incidentNumbered(rw http.ResponseWriter, r *http.Request, number int64) *incident.Incident {
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
			if err := i.Bound(w.sees(r, faces)); err != nil {
				w.broken(rw, r, "can't read which incidents belong to one", err)
				return nil
			}
			return i
		}
	}
	w.fail(rw, r, http.StatusNotFound, "There is no such incident, or it is private and you take no part in it. Whoever runs it can invite you.")
	return nil
}

// showIncident is everything that is known about one incident.
func (w *Web) showIncident(rw http.ResponseWriter, r *http.Request) {
	if i := w.theIncident(rw, r); i != nil {
		w.incidentPage(rw, r, http.StatusOK, i, refusedAct{})
	}
}

// incidentPage shows an incident, and an act on it that was refused.
func (w *Web) incidentPage(rw http.ResponseWriter, r *http.Request, status int, i *incident.Incident, no refusedAct) {
	p := incidentPage{Incident: i, Entries: i.Entries, Now: w.clock.Now(), Steps: steps(i), Others: others(i), Refused: no}
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
	var err error
	if p.Attached, err = w.attachedAlerts(r, i); err == nil && w.o.Incidents != nil {
		p.Can, err = w.possible(r, i)
	}
	if err != nil {
		w.broken(rw, r, "can't read what belongs to an incident", err)
		return
	}
	f := store.EntryFilter{Limit: entriesOnPage + 1}
	cut := f.Continue(r.URL.Query().Get("before")) // whatever else it is leads to the newest
	if p.Timeline, err = w.entries(r, i.ID, f); err != nil {
		w.broken(rw, r, "can't read an incident's timeline", err)
		return
	}
	here := pathOf(i)
	if cut {
		p.Newest = here + "#timeline"
	}
	if len(p.Timeline) > entriesOnPage {
		p.Timeline = p.Timeline[1:]
		p.Earlier = here + "?before=" + store.CursorAt(p.Timeline[0]) + "#timeline"
	}
	// What happened last is what somebody who comes now needs first.
	slices.Reverse(p.Timeline)
	w.show(rw, r, status, "incident", i.Ref()+" "+i.Title, p)
}

// possible is what can be done with an incident now.
func (w *Web) possible(r *http.Request, i *incident.Incident) (*possible, error) {
	s := w.o.Incidents.Settings()
	p := &possible{Acts: incident.Possible(i.Status), Severities: s.SeverityNames(), Roles: s.RoleNames(), Joins: !i.Takes(w.me(r)), Sets: settables(&s, i)}
	var err error
	if p.People, err = w.acquaintances(r, i); err != nil {
		return nil, err
	}
	if p.Channels, err = w.channelChoices(r, i); err != nil {
		return nil, err
	}
	p.Finding, err = w.findAlerts(r, i)
	return p, err
}

// settables are the fields that the configuration knows, with their values.
func settables(s *incident.Settings, i *incident.Incident) []settable {
	var list []settable
	for _, x := range []struct {
		name, label string
		options, is []string
	}{{incident.FieldType, "Type", s.Types, i.Types}, {incident.FieldService, "Services", s.Services, i.Services},
		{incident.FieldEnvironment, "Environments", s.Environments, i.Environments}} {
		if len(x.options) > 0 {
			list = append(list, settable{x.name, x.label, strings.Join(x.is, ","), x.options, true})
		}
	}
	for _, f := range s.Fields {
		list = append(list, settable{f.Name, f.Label, i.Fields[f.Name], f.Options, false})
	}
	return list
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
