// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"belfry/incident"
	"belfry/response"
	"belfry/seal"
	"belfry/store"
)

// Incidents is what people can do with incidents; *response.Response is one. Its
// errors are *response.RefusedError where people said something impossible.
type Incidents interface {
	// Settings are what may be chosen now.
	Settings() incident.Settings
	Declare(ctx context.Context, d incident.Declaration, alertNumber, parent int64) (response.Done, error)
	Move(ctx context.Context, number int64, act incident.Act, by incident.Person, text string) (response.Done, error)
	Update(ctx context.Context, number int64, by incident.Person, text string) (response.Done, error)
	SetSeverity(ctx context.Context, number int64, by incident.Person, severity, why string) (response.Done, error)
	Join(ctx context.Context, number int64, who incident.Person) (response.Done, error)
	AddTask(ctx context.Context, number int64, kind incident.TaskKind, by, owner incident.Person, text string, due time.Time) (response.Done, error)
	FinishTask(ctx context.Context, number int64, by incident.Person, task int) (response.Done, error)
}

// actWithin bounds an act: somebody waits for the page.
const actWithin = 10 * time.Second

// me is whoever is signed in, as the timeline names them.
func (w *Web) me(r *http.Request) incident.Person {
	a, _ := w.o.Room.Actor(r.Context())
	return incident.Person{Connection: a.Connection, ID: a.ID, Name: a.Name}
}

// actOnIncident carries out what somebody does on an incident's page: "act" is
// a step of its life, or update, severity, join, task, followup, done. What they
// wrote comes back to them when it is refused.
func (w *Web) actOnIncident(rw http.ResponseWriter, r *http.Request) {
	if w.o.Incidents == nil {
		w.notFound(rw, r)
		return
	}
	i := w.theIncident(rw, r)
	if i == nil || !w.mayAct(rw, r) {
		return
	}
	act, text := r.PostFormValue("act"), strings.ReplaceAll(r.PostFormValue("text"), "\r\n", "\n")
	ctx, cancel := context.WithTimeout(r.Context(), actWithin)
	defer cancel()
	me, run := w.me(r), w.o.Incidents
	var err error
	switch {
	case act == "update":
		_, err = run.Update(ctx, i.Number, me, text)
	case act == "severity":
		_, err = run.SetSeverity(ctx, i.Number, me, r.PostFormValue("severity"), text)
	case act == "join":
		_, err = run.Join(ctx, i.Number, me)
	case act == "task" || act == "followup":
		_, err = run.AddTask(ctx, i.Number, incident.TaskKind(act), me, incident.Person{}, text, time.Time{})
	case act == "done":
		task, wrong := strconv.Atoi(r.PostFormValue("task"))
		if wrong != nil {
			task = 0 // there is none of that number
		}
		_, err = run.FinishTask(ctx, i.Number, me, task)
	case slices.Contains(incident.Acts(), incident.Act(act)):
		_, err = run.Move(ctx, i.Number, incident.Act(act), me, text)
	default:
		w.fail(rw, r, http.StatusBadRequest, "Belfry did not understand what is to be done, or it was too long. Go back, reload the page and try again.")
		return
	}
	if err == nil {
		http.Redirect(rw, r, "/incidents/"+strconv.FormatInt(i.Number, 10), http.StatusSeeOther)
		return
	}
	status, wrong, ok := w.refusal(rw, r, err)
	if !ok {
		return
	}
	// It may stand otherwise by now: that is why it was refused.
	if i = w.theIncident(rw, r); i != nil {
		w.incidentPage(rw, r, status, i, wrong, text)
	}
}

// refusal says why an act was refused, in words for people; ok is false when
// they were told on a page already.
func (w *Web) refusal(rw http.ResponseWriter, r *http.Request, err error) (status int, wrong string, ok bool) {
	if _, no := errors.AsType[*response.RefusedError](err); no {
		return http.StatusUnprocessableEntity, "That was not done: " + err.Error() + ".", true
	}
	if errors.Is(err, store.ErrUncertain) {
		w.log.ErrorContext(r.Context(), "an act on an incident is uncertain", "err", err)
		w.fail(rw, r, http.StatusServiceUnavailable, "Belfry could not tell whether that was stored. Look at the incident's timeline before you repeat it.")
		return 0, "", false
	}
	w.broken(rw, r, "can't store what was done with an incident", err)
	return 0, "", false
}

// question is a field of the form by which incidents are declared.
type question struct {
	incident.Question
	Value, Wrong string
}

type declarePage struct {
	Questions []question
	// Once makes a form that is sent twice count once.
	Once, Wrong string
	// Alert is the number of an alert to attach; 0: none.
	Alert int64
}

// showDeclare is the form by which an incident is declared; "?alert=" attaches one.
func (w *Web) showDeclare(rw http.ResponseWriter, r *http.Request) {
	if w.o.Incidents == nil {
		w.notFound(rw, r)
		return
	}
	p := declarePage{}
	if n, err := strconv.ParseInt(r.URL.Query().Get("alert"), 10, 64); err == nil && n > 0 {
		p.Alert = n
	}
	w.declareForm(rw, r, http.StatusOK, p, nil, nil)
}

// declareForm shows the form with what was typed; values is nil at first.
func (w *Web) declareForm(rw http.ResponseWriter, r *http.Request, status int, p declarePage, values, wrong map[string]string) {
	settings := w.o.Incidents.Settings()
	for _, q := range settings.Questions() {
		one := question{q, q.Default, wrong[q.Name]}
		if values != nil {
			one.Value = values[q.Name]
		}
		p.Questions = append(p.Questions, one)
	}
	p.Once = seal.Random()
	w.show(rw, r, status, "incidentform", "Declare an incident", p)
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
	for _, q := range settings.Questions() {
		values[q.Name] = strings.ReplaceAll(strings.Join(r.PostForm["f."+q.Name], ","), "\r\n", "\n")
	}
	p := declarePage{}
	if n, err := strconv.ParseInt(r.PostFormValue("alert"), 10, 64); err == nil && n > 0 {
		p.Alert = n
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
	done, err := w.o.Incidents.Declare(ctx, d, p.Alert, 0)
	if err == nil {
		http.Redirect(rw, r, "/incidents/"+strconv.FormatInt(done.Incident.Number, 10), http.StatusSeeOther)
		return
	}
	if status, text, ok := w.refusal(rw, r, err); ok {
		p.Wrong = text
		w.declareForm(rw, r, status, p, values, nil)
	}
}
