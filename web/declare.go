// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"belfry/incident"
	"belfry/seal"
)

// question is a field of the form by which incidents are declared.
type question struct {
	incident.Question
	Value, Wrong string
}

type declarePage struct {
	// Questions are those of the configured form, More all others, which can be
	// typed in chat, too; Opened says that one of them is wrong.
	Questions, More []question
	Opened          bool
	// Once makes a form that is sent twice count once.
	Once, Wrong string
	// Alert is the number of an alert to attach, Parent of the incident that it
	// is part of; 0: none.
	Alert, Parent int64
}

// showDeclare is the form by which an incident is declared; "?alert=" attaches
// one, "?parent=" makes it a part of another incident.
func (w *Web) showDeclare(rw http.ResponseWriter, r *http.Request) {
	if w.o.Incidents == nil {
		w.notFound(rw, r)
		return
	}
	q := r.URL.Query()
	p := declarePage{Alert: numberIn(q.Get("alert")), Parent: numberIn(q.Get("parent"))}
	if p.Parent != 0 && w.incidentNumbered(rw, r, p.Parent) == nil {
		return
	}
	w.declareForm(rw, r, http.StatusOK, p, nil, nil)
}

// declareForm shows the form with what was typed; values is nil at first.
func (w *Web) declareForm(rw http.ResponseWriter, r *http.Request, status int, p declarePage, values, wrong map[string]string) {
	settings := w.o.Incidents.Settings()
	put := func(q incident.Question) question {
		one := question{q, q.Default, wrong[q.Name]}
		if values != nil {
			one.Value = values[q.Name]
		}
		return one
	}
	for _, q := range settings.Questions() {
		p.Questions = append(p.Questions, put(q))
	}
	for _, q := range unasked(&settings) {
		one := put(q)
		p.More, p.Opened = append(p.More, one), p.Opened || one.Wrong != ""
	}
	p.Once = seal.Random()
	w.show(rw, r, status, "incidentform", "Declare an incident", p)
}

// unasked are the fields that the configured form leaves out.
func unasked(s *incident.Settings) []incident.Question {
	rest := *s
	rest.Form, rest.Severity = nil, ""
	asked := s.Questions()
	names := incident.StandardFields()
	for _, f := range s.Fields {
		names = append(names, f.Name)
	}
	for _, name := range names {
		if !slices.ContainsFunc(asked, func(q incident.Question) bool { return q.Name == name }) {
			rest.Form = append(rest.Form, incident.FormField{Name: name})
		}
	}
	if len(rest.Form) == 0 {
		return nil
	}
	return rest.Questions()
}

// declare declares an incident by the form.
func (w *Web) declare(rw http.ResponseWriter, r *http.Request) {
	if w.o.Incidents == nil {
		w.notFound(rw, r)
		return
	}
	if !w.mayAct(rw, r) {
		return
	}
	settings := w.o.Incidents.Settings()
	values := map[string]string{}
	once := r.PostFormValue("once")
	for _, q := range append(settings.Questions(), unasked(&settings)...) {
		values[q.Name] = strings.ReplaceAll(strings.Join(r.PostForm["f."+q.Name], ","), "\r\n", "\n")
	}
	p := declarePage{Alert: numberIn(r.PostFormValue("alert")), Parent: numberIn(r.PostFormValue("parent"))}
	if p.Parent != 0 && w.incidentNumbered(rw, r, p.Parent) == nil {
		return // nobody adds to what they may not see
	}
	d, wrong := settings.Fill(values, w.me(r))
	if len(wrong) > 0 || len(once) < 16 || len(once) > 64 {
		p.Wrong = "Nothing was declared yet: look at what is marked."
		w.declareForm(rw, r, http.StatusUnprocessableEntity, p, values, wrong)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), actWithin)
	defer cancel()
	first, err := w.o.Store.UseOnce(ctx, "declare "+once, w.clock.Now().Add(24*time.Hour))
	switch {
	case err != nil:
		w.broken(rw, r, "can't note a form", err)
		return
	case !first:
		w.sessions.Put(r.Context(), keyToast, "This form was sent already; the incident is in the list.")
		http.Redirect(rw, r, "/incidents", http.StatusSeeOther)
		return
	}
	done, err := w.o.Incidents.Declare(ctx, d, p.Alert, p.Parent)
	if err == nil {
		http.Redirect(rw, r, "/incidents/"+strconv.FormatInt(done.Incident.Number, 10), http.StatusSeeOther)
		return
	}
	if status, text, ok := w.refusal(rw, r, err); ok {
		p.Wrong = text
		w.declareForm(rw, r, status, p, values, nil)
	}
}

// numberIn is a number above 0 that a link or a form brings; 0: none.
func numberIn(text string) int64 {
	n, err := strconv.ParseInt(strings.TrimPrefix(strings.TrimSpace(text), "#"), 10, 64)
	if err != nil || n < 1 {
		return 0
	}
	return n
}
