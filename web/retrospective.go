// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"belfry/incident"
	"belfry/retrospective"
	"belfry/store"
)

type retrospectivePage struct {
	*incident.Incident
	// Text stands in the form, and follows upon version After.
	Text  string
	After int
	// Edited is the newest version; nil: nobody edited it.
	Edited *incident.Retrospective
	// Theirs is what somebody else saved meanwhile.
	Theirs string
	Wrong  string
	Max    int
}

// document reads what a retrospective is made of; edited is nil when nobody
// edited it.
func (w *Web) document(r *http.Request, i *incident.Incident) (d retrospective.Document, edited *incident.Retrospective, err error) {
	switch e, err := w.o.Store.Retrospective(r.Context(), i.ID); {
	case err == nil:
		edited = &e
	case !errors.Is(err, store.ErrNotFound):
		return d, nil, err
	}
	entries, err := w.entries(r, i.ID, store.EntryFilter{Limit: incident.MaxEntries})
	if err != nil {
		return d, nil, err
	}
	return retrospective.Build(i, entries, edited, time.UTC), edited, nil
}

// showRetrospective is where a retrospective is edited: what was saved last, or
// the record; "?fresh" begins anew from the record.
func (w *Web) showRetrospective(rw http.ResponseWriter, r *http.Request) {
	i := w.theIncident(rw, r)
	if i == nil {
		return
	}
	d, edited, err := w.document(r, i)
	if err != nil {
		w.broken(rw, r, "can't read a retrospective", err)
		return
	}
	p := retrospectivePage{Incident: i, Edited: edited, Text: d.Draft()}
	if edited != nil {
		p.After = edited.Version
		if !r.URL.Query().Has("fresh") {
			p.Text = edited.Text
		}
	}
	w.retrospectiveForm(rw, r, http.StatusOK, p)
}

func (w *Web) retrospectiveForm(rw http.ResponseWriter, r *http.Request, status int, p retrospectivePage) {
	p.Max = incident.MaxRetrospective
	w.show(rw, r, status, "retrospective", "Retrospective of "+p.Ref(), p)
}

// saveRetrospective keeps what somebody wrote, with who and when. Nothing that
// was typed is lost: who was too late gets it back beside what others saved.
func (w *Web) saveRetrospective(rw http.ResponseWriter, r *http.Request) {
	i := w.theIncident(rw, r)
	if i == nil || !w.mayAct(rw, r) {
		return
	}
	after, err := strconv.Atoi(r.PostFormValue("after"))
	if err != nil || after < 0 {
		w.fail(rw, r, http.StatusBadRequest, "Belfry did not understand that, or it was too long. Go back and try again; what you wrote is still there.")
		return
	}
	me, _ := w.o.Room.Actor(r.Context())
	p := retrospectivePage{Incident: i, After: after, Text: strings.ReplaceAll(r.PostFormValue("text"), "\r\n", "\n")}
	written, err := incident.EditRetrospective(after, p.Text, incident.Person{Connection: me.Connection, ID: me.ID, Name: me.Name}, w.clock.Now().UTC().Truncate(time.Microsecond))
	if err != nil {
		p.Wrong = err.Error()
		w.retrospectiveForm(rw, r, http.StatusUnprocessableEntity, p)
		return
	}
	switch err = w.o.Store.EditRetrospective(r.Context(), i.ID, written); {
	case errors.Is(err, store.ErrOutdated):
		newest, err := w.o.Store.Retrospective(r.Context(), i.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			w.broken(rw, r, "can't read a retrospective", err)
			return
		}
		p.Edited, p.After, p.Theirs = &newest, newest.Version, newest.Text
		p.Wrong = newest.By.Name + " saved another version meanwhile; it stands below. Nothing of yours is saved yet: take over what you need, and save again."
		w.retrospectiveForm(rw, r, http.StatusConflict, p)
	case err != nil:
		w.broken(rw, r, "can't save a retrospective", err)
	default:
		w.sessions.Put(r.Context(), keyToast, "The retrospective is saved.")
		http.Redirect(rw, r, "/incidents/"+strconv.FormatInt(i.Number, 10)+"/retrospective", http.StatusSeeOther)
	}
}

// exportRetrospective gives the document in the format that the path names.
func (w *Web) exportRetrospective(rw http.ResponseWriter, r *http.Request) {
	format := r.PathValue("format")
	if format != "md" && format != "json" && format != "html" {
		w.notFound(rw, r)
		return
	}
	i := w.theIncident(rw, r)
	if i == nil {
		return
	}
	d, _, err := w.document(r, i)
	if err != nil {
		w.broken(rw, r, "can't read a retrospective", err)
		return
	}
	var text []byte
	kind, how := "text/markdown; charset=utf-8", "attachment"
	switch format {
	case "md":
		text = []byte(d.Markdown())
	case "json":
		kind = "application/json"
		text, err = d.JSON()
	case "html":
		kind, how = "text/html; charset=utf-8", "inline"
		rw.Header().Set("Content-Security-Policy", retrospective.Policy()+"; frame-ancestors 'none'")
		text, err = d.HTML()
	}
	if err != nil {
		w.broken(rw, r, "can't write a retrospective", err)
		return
	}
	rw.Header().Set("Content-Type", kind)
	rw.Header().Set("Content-Disposition", how+`; filename="incident-`+strconv.FormatInt(i.Number, 10)+"."+format+`"`)
	if _, err := rw.Write(text); err != nil { //nolint:gosec // each format escapes in its own way, and nosniff holds browsers to its kind
		w.log.DebugContext(r.Context(), "a retrospective did not arrive", "err", err)
	}
}

// mayAct says whether whoever is signed in may act on incidents; when not, they
// were told.
func (w *Web) mayAct(rw http.ResponseWriter, r *http.Request) bool {
	me, _ := w.o.Room.Actor(r.Context())
	if w.o.Gate == nil {
		return true
	}
	no := w.o.Gate.May(r.Context(), me)
	if no == nil {
		return true
	}
	w.fail(rw, r, http.StatusForbidden, no.Whisper)
	return false
}
