// SPDX-License-Identifier: Apache-2.0

package api

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"belfry/incident"
	"belfry/store"
)

// one is an incident.
func one(q *request) (int, any) {
	i, status, no := q.incident()
	if i == nil {
		return status, no
	}
	return http.StatusOK, q.show(i, false)
}

// maxPage is how many incidents or entries are given at once.
const maxPage = 100

// list is incidents, the newest first. Private ones are left out.
func list(q *request) (int, any) {
	f, status, no := q.filter()
	if no != nil {
		return status, no
	}
	most := f.Limit
	f.Limit++ // one more tells whether there are more
	all, err := q.o.Store.Incidents(q, f)
	if err != nil {
		return q.failed(err)
	}
	out := listed{Incidents: make([]shown, 0, len(all))}
	if len(all) > most {
		all = all[:most]
		out.Before = all[most-1].Number
	}
	for _, i := range all {
		out.Incidents = append(out.Incidents, *q.show(i, false))
	}
	return http.StatusOK, out
}

// filter is what the address of a list asks for, or what to answer.
func (q *request) filter() (f store.IncidentFilter, status int, no any) {
	f = store.IncidentFilter{Seen: true, Limit: maxPage}
	for name, values := range q.r.URL.Query() {
		value := values[0]
		var err error
		switch name {
		case "open":
			var open bool
			open, err = strconv.ParseBool(value)
			f.Open, f.Over = open, !open
		case "status":
			if f.Status = incident.Status(value); !slices.Contains(incident.Statuses(), f.Status) {
				status, no = fault(http.StatusBadRequest, "there is no status %s; there are %s", quoted(value), joined(incident.Statuses()))
				return f, status, no
			}
		case "severity":
			f.Severity = value
		case "service":
			f.Label, f.Value = "service", value
		case "before":
			if f.Before, err = strconv.ParseInt(value, 10, 64); f.Before < 1 {
				err = errors.New("no incident has that number")
			}
		case "limit":
			if f.Limit, err = strconv.Atoi(value); f.Limit < 1 || f.Limit > maxPage {
				err = errors.New("out of bounds")
			}
		default:
			status, no = fault(http.StatusBadRequest, "there is no parameter %s; there are open, status, severity, service, before, limit", quoted(name))
			return f, status, no
		}
		if err != nil || len(values) > 1 {
			status, no = fault(http.StatusBadRequest, "%s=%s won't do; docs/api.md says what does", name, quoted(value))
			return f, status, no
		}
	}
	status, no = q.severity(&f)
	return f, status, no
}

// severity makes the severity that a list asks for one that there is, or says what
// to answer: an empty list would look as if all were well. Incidents keep what the
// configuration dropped, so that counts as well.
func (q *request) severity(f *store.IncidentFilter) (status int, no any) {
	if f.Severity == "" {
		return 0, nil
	}
	settings := q.run.Settings()
	known, err := settings.FindSeverity(f.Severity)
	if err == nil {
		f.Severity = known.Name
		return 0, nil
	}
	old, err := q.o.Store.Incidents(q, store.IncidentFilter{Seen: true, Severity: f.Severity, Limit: 1})
	switch {
	case err != nil:
		return q.failed(err)
	case len(old) == 0:
		return fault(http.StatusBadRequest, "there is no severity %s; there are %s", quoted(f.Severity), joined(settings.SeverityNames()))
	}
	return 0, nil
}

// timeline is the newest entries of an incident, the oldest of them first.
func timeline(q *request) (int, any) {
	i, status, no := q.incident()
	if i == nil {
		return status, no
	}
	f := store.EntryFilter{Limit: maxPage + 1} // one more tells whether there are more
	for name, values := range q.r.URL.Query() {
		if name != "before" {
			return fault(http.StatusBadRequest, "there is no parameter %s; there is before", quoted(name))
		}
		if values[0] != "" && !f.Continue(values[0]) || len(values) > 1 {
			return fault(http.StatusBadRequest, "before=%s won't do; take it from the answer before", quoted(values[0]))
		}
	}
	entries, err := q.o.Store.IncidentEntries(q, i.ID, f)
	if err != nil {
		return q.failed(err)
	}
	if err := incident.Cover(entries, q.sees); err != nil {
		return q.failed(err)
	}
	return http.StatusOK, told(entries)
}
