// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"belfry/alert"
	"belfry/chat/console"
	"belfry/store"
)

// deadShown is how many dead letters are listed.
const deadShown = 200

type deliveriesPage struct {
	Counts store.Counts
	Due    []store.DueDestination
	Dead   []store.Duty
	// Names are those of the alerts and Incidents of Dead.
	Names     map[alert.ID]string
	Incidents map[alert.ID]bool
	// Destinations are those of Dead, each once.
	Destinations []string
}

// listDeliveries shows what waits and what could not be delivered.
func (w *Web) listDeliveries(rw http.ResponseWriter, r *http.Request) {
	var p deliveriesPage
	var err error
	if p.Counts, err = w.o.Store.Counts(r.Context()); err != nil {
		w.broken(rw, r, "can't count deliveries", err)
		return
	}
	if p.Due, err = w.o.Store.Due(r.Context(), w.clock.Now()); err != nil {
		w.broken(rw, r, "can't list what is due", err)
		return
	}
	if p.Dead, err = w.o.Store.DeadDuties(r.Context(), deadShown); err != nil {
		w.broken(rw, r, "can't list dead letters", err)
		return
	}
	if err = w.cover(r, &p); err != nil {
		w.broken(rw, r, "can't tell who sees a channel", err)
		return
	}
	ids := make([]alert.ID, 0, len(p.Dead))
	for _, d := range p.Dead {
		ids = append(ids, d.AlertID)
		if d.Destination != secluded && !slices.Contains(p.Destinations, d.Destination) {
			p.Destinations = append(p.Destinations, d.Destination)
		}
	}
	slices.Sort(p.Destinations)
	alerts, err := w.o.Store.AlertsByID(r.Context(), ids)
	if err != nil {
		w.broken(rw, r, "can't read the alerts of dead letters", err)
		return
	}
	p.Names, p.Incidents = map[alert.ID]string{}, map[alert.ID]bool{}
	faces, err := w.faces(r)
	if err != nil {
		w.broken(rw, r, "can't read whose accounts are linked", err)
		return
	}
	for n, id := range ids {
		p.Names[id] = "an alert that is no longer kept, or can't be read back"
		if a := alerts[id]; a != nil {
			p.Names[id] = a.Name()
		} else if i, err := w.o.Store.IncidentByID(r.Context(), id); err == nil {
			p.Names[id] = "incident " + i.Ref()
			p.Incidents[id] = true
			if !visible(i, faces) { // a title may stand in the name of its channel
				p.Dead[n].LastError = "The reason is told to those who take part in it, in its timeline."
			}
		}
	}
	w.show(rw, r, http.StatusOK, "deliveries", "Deliveries", p)
}

// secluded stands for a channel of the room that an administrator is not in.
const secluded = "a private channel of the room"

// cover takes the names of channels out that the person is not in: the title of a
// private incident may stand in them.
func (w *Web) cover(r *http.Request, p *deliveriesPage) error {
	actor, _ := w.o.Room.Actor(r.Context())
	var names []*string
	for n := range p.Due {
		names = append(names, &p.Due[n].Name)
	}
	for n := range p.Dead {
		names = append(names, &p.Dead[n].Destination)
	}
	known := map[string]bool{}
	for _, name := range names {
		connection, channel, _ := strings.Cut(*name, "/")
		if connection != actor.Connection || !console.ValidChannel(channel) {
			continue
		}
		sees, asked := known[channel]
		if !asked {
			var err error
			if sees, err = w.o.Room.Sees(r.Context(), actor, channel); err != nil {
				return err
			}
			known[channel] = sees
		}
		if !sees {
			*name = secluded
		}
	}
	return nil
}

// resend makes one dead letter due again.
func (w *Web) resend(rw http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PostFormValue("id"), 10, 64)
	if err != nil || id <= 0 {
		w.fail(rw, r, http.StatusBadRequest, "Belfry did not understand which delivery is meant. Go back, reload the page and try again.")
		return
	}
	err = w.o.Store.Resend(r.Context(), alert.ID(id))
	switch {
	case errors.Is(err, store.ErrNotFound):
		w.resent(rw, r, "This delivery is no dead letter any more: it was sent again already.")
	case err != nil:
		w.broken(rw, r, "can't send a delivery again", err)
	default:
		w.resent(rw, r, "It is on its way again.")
	}
}

// resendAll makes all dead letters of one destination due again.
func (w *Web) resendAll(rw http.ResponseWriter, r *http.Request) {
	destination := r.PostFormValue("destination")
	if destination == "" {
		w.fail(rw, r, http.StatusBadRequest, "Belfry did not understand which destination is meant. Go back, reload the page and try again.")
		return
	}
	n, err := w.o.Store.ResendAll(r.Context(), destination)
	if err != nil {
		w.broken(rw, r, "can't send deliveries again", err)
		return
	}
	w.resent(rw, r, fmt.Sprintf("On their way again to %s: %d.", destination, n))
}

func (w *Web) resent(rw http.ResponseWriter, r *http.Request, text string) {
	w.log.InfoContext(r.Context(), "dead letters were sent again", "by", person(r.Context()).Name)
	w.sessions.Put(r.Context(), keyToast, text)
	http.Redirect(rw, r, "/deliveries", http.StatusSeeOther)
}
