// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"belfry/alert"
	"belfry/incident"
	"belfry/store"
)

const (
	// incidentsOnPage is how many of those that are over are listed at once,
	// openShown how many of those that are open.
	incidentsOnPage = 50
	openShown       = 200
	// maxSearch bounds what is searched for, in bytes, maxSearchWords in words.
	maxSearch      = 200
	maxSearchWords = 10
)

// IncidentStore is where incidents are read.
type IncidentStore interface {
	// Incident and IncidentByID return an incident, or store.ErrNotFound.
	Incident(ctx context.Context, number int64) (*incident.Incident, error)
	IncidentByID(ctx context.Context, id alert.ID) (*incident.Incident, error)
	// Incidents returns those that a filter lets through, the newest first.
	Incidents(ctx context.Context, f store.IncidentFilter) ([]*incident.Incident, error)
	// IncidentsOf returns the incidents that an alert is attached to, the newest first.
	IncidentsOf(ctx context.Context, id alert.ID) ([]*incident.Incident, error)
	// Figures are the mean times of those that a filter lets through.
	Figures(ctx context.Context, f store.FigureFilter) ([]incident.Figure, error)
	// UseOnce says whether a token is used for the first time.
	UseOnce(ctx context.Context, token string, until time.Time) (first bool, err error)
	// Retrospective returns what people made of an incident's, or
	// store.ErrNotFound; EditRetrospective store.ErrOutdated when another
	// version was saved meanwhile.
	Retrospective(ctx context.Context, id alert.ID) (incident.Retrospective, error)
	EditRetrospective(ctx context.Context, id alert.ID, r incident.Retrospective) error
	// IncidentEntries returns entries of a timeline, the oldest first.
	IncidentEntries(ctx context.Context, id alert.ID, f store.EntryFilter) ([]incident.Entry, error)
}

// faces are as whom the timeline may know whoever is signed in: their person in
// the room, and their linked accounts.
func (w *Web) faces(r *http.Request) ([]incident.Person, error) {
	me, _ := w.o.Room.Actor(r.Context())
	list := []incident.Person{{Connection: me.Connection, ID: me.ID, Name: me.Name}}
	accounts, err := w.o.Store.Identities(r.Context(), person(r.Context()).ID)
	for _, a := range accounts {
		list = append(list, incident.Person{Connection: a.Connection, ID: a.UserID, Name: a.Name})
	}
	return list, err
}

// withAsked are the choices, and what was asked for if it is no longer one:
// incidents keep what the configuration dropped.
func withAsked(choices []string, asked string) []string {
	if asked == "" || slices.Contains(choices, asked) {
		return choices
	}
	return append(slices.Clone(choices), asked)
}

// visible says whether somebody with these faces may know of an incident.
func visible(i *incident.Incident, faces []incident.Person) bool {
	return slices.ContainsFunc(faces, func(p incident.Person) bool { return i.Visible(p, false) })
}

type incidentsPage struct {
	// What is asked for, as it was asked.
	Search, Status, Severity, Service string
	Severities, Services              []string
	Statuses                          []incident.Status
	// Open are those that are open, the newest first; Many when there are more.
	Open []*incident.Incident
	Many bool
	Over []*incident.Incident
	// Before is set on an older page, Older leads to the next.
	Before int64
	Older  string
	// CanDeclare says whether the person could declare one here.
	CanDeclare bool
}

// Asked says whether something was searched for.
func (p incidentsPage) Asked() bool { return p.Search+p.Status+p.Severity+p.Service != "" }

// listIncidents is the list of incidents: those that are open, then the others.
func (w *Web) listIncidents(rw http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	p := incidentsPage{Search: strings.TrimSpace(q.Get("q")), Status: q.Get("status"), Severity: q.Get("severity"), Service: q.Get("service"), Statuses: incident.Statuses(),
		CanDeclare: w.o.Incidents != nil}
	if w.o.Incidents != nil {
		s := w.o.Incidents.Settings()
		p.Severities, p.Services = withAsked(s.SeverityNames(), p.Severity), withAsked(s.Services, p.Service)
	}
	if len(p.Search) > maxSearch || len(p.Severity) > maxSearch || len(p.Service) > maxSearch {
		w.fail(rw, r, http.StatusBadRequest, "That is too long to be searched for; a few words will do.")
		return
	}
	if p.Status != "" && !slices.Contains(p.Statuses, incident.Status(p.Status)) {
		p.Status = ""
	}
	if before, err := strconv.ParseInt(q.Get("before"), 10, 64); err == nil && before > 0 {
		p.Before = before
	}
	faces, err := w.faces(r)
	if err != nil {
		w.broken(rw, r, "can't read whose accounts are linked", err)
		return
	}
	f := store.IncidentFilter{Status: incident.Status(p.Status), Severity: p.Severity, Words: strings.Fields(p.Search)}
	if len(f.Words) > maxSearchWords {
		w.fail(rw, r, http.StatusBadRequest, fmt.Sprintf("At most %d words are looked for at once.", maxSearchWords))
		return
	}
	if p.Service != "" {
		f.Label, f.Value = "service", p.Service
	}
	if p.Before == 0 {
		f.Open = true
		next := int64(0)
		if p.Open, next, err = w.seen(r, f, faces, openShown); err != nil {
			w.broken(rw, r, "can't list incidents", err)
			return
		}
		p.Many = next != 0
	}
	f.Open, f.Over, f.Before = false, true, p.Before
	next := int64(0)
	if p.Over, next, err = w.seen(r, f, faces, incidentsOnPage); err != nil {
		w.broken(rw, r, "can't list incidents", err)
		return
	}
	if next != 0 {
		p.Older = "/incidents?" + url.Values{"q": {p.Search}, "status": {p.Status}, "severity": {p.Severity}, "service": {p.Service}, "before": {strconv.FormatInt(next, 10)}}.Encode()
	}
	w.show(rw, r, http.StatusOK, "incidents", "Incidents", p)
}

// seen returns at most most incidents that the person may see. next is where it
// goes on (store.IncidentFilter.Before); 0: there are no more.
func (w *Web) seen(r *http.Request, f store.IncidentFilter, faces []incident.Person, most int) (list []*incident.Incident, next int64, err error) {
	f.Seen, f.Faces, f.Limit = true, faces, most+1
	list, err = w.o.Store.Incidents(r.Context(), f)
	if err != nil {
		return nil, 0, err
	}
	if len(list) > most {
		list = list[:most]
		next = list[most-1].Number
	}
	sees := w.sees(r, faces)
	for _, i := range list {
		i.Subs, i.Duplicates = nil, nil // which no list shows
		if err := i.Bound(sees); err != nil {
			return nil, 0, err
		}
	}
	return list, next, nil
}
