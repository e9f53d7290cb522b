// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"belfry/alert"
	"belfry/incident"
	"belfry/store"
)

const (
	// alertsOnPage is how many alerts are listed at once.
	alertsOnPage = 100
	// eventsShown bounds an alert's timeline.
	eventsShown = 500
)

type alertsPage struct {
	// Status is what is shown: firing, resolved or empty for all.
	Status alert.Status
	Alerts []*alert.Alert
	Firing int
	// Before is set on an older page, Older leads to the next.
	Before, Older alert.ID
}

// listAlerts is the list of alerts, newest first; those that are firing unless
// others are asked for.
func (w *Web) listAlerts(rw http.ResponseWriter, r *http.Request) {
	p := alertsPage{Status: alert.Firing}
	switch asked := r.URL.Query().Get("status"); asked {
	case string(alert.Resolved):
		p.Status = alert.Resolved
	case "all":
		p.Status = ""
	}
	if before, err := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64); err == nil && before > 0 {
		p.Before = alert.ID(before)
	}
	counts, err := w.o.Store.Counts(r.Context())
	if err != nil {
		w.broken(rw, r, "can't count alerts", err)
		return
	}
	p.Firing = counts.Firing
	p.Alerts, err = w.o.Store.Alerts(r.Context(), store.Filter{Status: p.Status, Before: p.Before, Limit: alertsOnPage + 1})
	if err != nil {
		w.broken(rw, r, "can't list alerts", err)
		return
	}
	if len(p.Alerts) > alertsOnPage {
		p.Alerts = p.Alerts[:alertsOnPage]
		p.Older = p.Alerts[alertsOnPage-1].ID
	}
	w.show(rw, r, http.StatusOK, "alerts", "Alerts", p)
}

type label struct{ Name, Value string }

type alertPage struct {
	*alert.Alert
	Labels []label
	Events []alert.Event
	// Earlier is true when the timeline is longer than what is shown.
	Earlier bool
	Duties  []store.Duty
	// Incidents are those that it is attached to and that the person may see.
	Incidents []*incident.Incident
}

// showAlert is everything that is known about one alert.
func (w *Web) showAlert(rw http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id <= 0 {
		w.notFound(rw, r)
		return
	}
	a, err := w.o.Store.Alert(r.Context(), alert.ID(id))
	if errors.Is(err, store.ErrNotFound) {
		w.fail(rw, r, http.StatusNotFound, "There is no alert with this number.")
		return
	}
	if err != nil {
		w.broken(rw, r, "can't read an alert", err)
		return
	}
	p := alertPage{Alert: a}
	all := a.MatchLabels()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		p.Labels = append(p.Labels, label{name, all[name]})
	}
	if p.Events, err = w.o.Store.Events(r.Context(), a.ID, eventsShown); err != nil {
		w.broken(rw, r, "can't read an alert's history", err)
		return
	}
	p.Earlier = len(p.Events) == eventsShown
	if p.Duties, err = w.o.Store.Duties(r.Context(), a.ID); err != nil {
		w.broken(rw, r, "can't read an alert's deliveries", err)
		return
	}
	if p.Incidents, err = w.incidentsOf(r, a.ID); err != nil {
		w.broken(rw, r, "can't read an alert's incidents", err)
		return
	}
	w.show(rw, r, http.StatusOK, "alert", a.Name(), p)
}

// incidentsOf are the incidents that an alert is attached to, as far as the
// person may know of them.
func (w *Web) incidentsOf(r *http.Request, id alert.ID) ([]*incident.Incident, error) {
	list, err := w.o.Store.IncidentsOf(r.Context(), id)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	faces, err := w.faces(r)
	return slices.DeleteFunc(list, func(i *incident.Incident) bool { return !visible(i, faces) }), err
}
