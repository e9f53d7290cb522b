// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"belfry/alert"
	"belfry/incident"
	"belfry/response"
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
	SetSummary(ctx context.Context, number int64, by incident.Person, text string) (response.Done, error)
	SetSeverity(ctx context.Context, number int64, by incident.Person, severity, why string) (response.Done, error)
	Set(ctx context.Context, number int64, by incident.Person, what, value string) (response.Done, error)
	Rename(ctx context.Context, number int64, by incident.Person, title string) (response.Done, error)
	Assign(ctx context.Context, number int64, by incident.Person, role string, who incident.Person) (response.Done, error)
	Join(ctx context.Context, number int64, who incident.Person) (response.Done, error)
	Invite(ctx context.Context, number int64, by, who incident.Person) (response.Done, error)
	AddTask(ctx context.Context, number int64, kind incident.TaskKind, by, owner incident.Person, text string, due time.Time) (response.Done, error)
	FinishTask(ctx context.Context, number int64, by incident.Person, task int) (response.Done, error)
	Note(ctx context.Context, number int64, by incident.Person, text string) (response.Done, error)
	Happened(ctx context.Context, number int64, by incident.Person, text string, ago time.Duration) (response.Done, error)
	Attach(ctx context.Context, number int64, by incident.Person, alertNumber int64) (response.Done, error)
	Duplicate(ctx context.Context, number int64, by incident.Person, other int64) (response.Done, error)
	Run(ctx context.Context, number int64, by incident.Person, c incident.Channel) (response.Done, error)
	AcknowledgeAll(ctx context.Context, number int64, by incident.Person, comment string) ([]*alert.Alert, error)
}

// actWithin bounds an act: somebody waits for the page.
const actWithin = 10 * time.Second

// me is whoever is signed in, as the timeline names them.
func (w *Web) me(r *http.Request) incident.Person {
	a, _ := w.o.Room.Actor(r.Context())
	return incident.Person{Connection: a.Connection, ID: a.ID, Name: a.Name}
}

// doing is an act on an incident's page while it is carried out.
type doing struct {
	*Web
	context.Context
	r   *http.Request
	i   *incident.Incident
	me  incident.Person
	run Incidents
}

// value is what was filled in.
func (d *doing) value(name string) string {
	return strings.ReplaceAll(d.r.PostFormValue(name), "\r\n", "\n")
}

// deeds is everything that can be done on an incident's page besides the steps
// of its life, by the value of "act". form is where it is filled in: what is
// refused comes back there.
func deeds() map[string]deed {
	return map[string]deed{
		"update":   {"next", func(d *doing) (response.Done, error) { return d.run.Update(d, d.i.Number, d.me, d.value("text")) }},
		"join":     {"next", func(d *doing) (response.Done, error) { return d.run.Join(d, d.i.Number, d.me) }},
		"severity": {"next", (*doing).severity},
		"task":     {"task", func(d *doing) (response.Done, error) { return d.addTask(incident.ToDo) }},
		"followup": {"task", func(d *doing) (response.Done, error) { return d.addTask(incident.FollowUp) }},
		"done":     {"done", (*doing).finish},
		"assign":   {"assign", (*doing).assign},
		"invite":   {"invite", (*doing).invite},
		"rename":   {"rename", func(d *doing) (response.Done, error) { return d.run.Rename(d, d.i.Number, d.me, d.value("title")) }},
		"summary": {"summary", func(d *doing) (response.Done, error) {
			return d.run.SetSummary(d, d.i.Number, d.me, d.value("summary"))
		}},
		"set":       {"set", (*doing).set},
		"note":      {"note", func(d *doing) (response.Done, error) { return d.run.Note(d, d.i.Number, d.me, d.value("text")) }},
		"happened":  {"note", (*doing).happened},
		"attach":    {"attach", (*doing).attach},
		"duplicate": {"duplicate", (*doing).duplicate},
		"convert":   {"convert", (*doing).convert},
		"ack":       {"attach", (*doing).acknowledge},
	}
}

type deed struct {
	form string
	do   func(d *doing) (response.Done, error)
}

// refusedAct is an act that was refused, as its form shows it.
type refusedAct struct {
	// Form is where it was filled in, Why says why not, Values is what was typed.
	Form, Why string
	Values    url.Values
}

// actOnIncident carries out what somebody does on an incident's page: "act" is
// a step of its life, or one of deeds. What they wrote comes back to them when
// it is refused.
func (w *Web) actOnIncident(rw http.ResponseWriter, r *http.Request) {
	if w.o.Incidents == nil {
		w.notFound(rw, r)
		return
	}
	i := w.theIncident(rw, r)
	if i == nil || !w.mayAct(rw, r) {
		return
	}
	act := r.PostFormValue("act")
	one, ok := deeds()[act]
	if !ok && slices.Contains(incident.Acts(), incident.Act(act)) {
		one, ok = deed{"next", func(d *doing) (response.Done, error) {
			return d.run.Move(d, d.i.Number, incident.Act(act), d.me, d.value("text"))
		}}, true
	}
	if !ok {
		w.fail(rw, r, http.StatusBadRequest, "Belfry did not understand what is to be done, or it was too long. Go back, reload the page and try again.")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), actWithin)
	defer cancel()
	_, err := one.do(&doing{w, ctx, r, i, w.me(r), w.o.Incidents})
	if err == nil {
		http.Redirect(rw, r, pathOf(i)+anchors[one.form], http.StatusSeeOther) //nolint:gosec // a path of our own
		return
	}
	status, why, ok := w.refusal(rw, r, err)
	if !ok {
		return
	}
	// It may stand otherwise by now: that is why it was refused.
	if i = w.theIncident(rw, r); i != nil {
		w.incidentPage(rw, r, status, i, refusedAct{one.form, why, r.PostForm})
	}
}

// anchors are where on the page people go on after a form.
var anchors = map[string]string{"task": "#tasks", "done": "#tasks", "assign": "#people", "invite": "#people", "attach": "#alerts"}

// pathOf is an incident's page.
func pathOf(i *incident.Incident) string { return "/incidents/" + strconv.FormatInt(i.Number, 10) }

// refuse is a refusal of the page's own, in words for people.
func refuse(format string, args ...any) error {
	return &response.RefusedError{Err: fmt.Errorf(format, args...)}
}

func (d *doing) severity() (response.Done, error) {
	return d.run.SetSeverity(d, d.i.Number, d.me, d.value("severity"), d.value("text"))
}

func (d *doing) addTask(kind incident.TaskKind) (response.Done, error) {
	var owner incident.Person
	if name := strings.TrimSpace(d.value("who")); name != "" {
		var err error
		if owner, err = d.somebody(name); err != nil {
			return response.Done{}, err
		}
	}
	due, err := whenDue(d.value("due"), d.value("zone"), d.clock.Now())
	if err != nil {
		return response.Done{}, err
	}
	return d.run.AddTask(d, d.i.Number, kind, d.me, owner, d.value("text"), due)
}

func (d *doing) finish() (response.Done, error) {
	task, err := strconv.Atoi(d.value("task"))
	if err != nil {
		task = 0 // there is none of that number
	}
	return d.run.FinishTask(d, d.i.Number, d.me, task)
}

// acknowledge has all attached alerts acknowledged that nobody has.
func (d *doing) acknowledge() (response.Done, error) {
	_, err := d.run.AcknowledgeAll(d, d.i.Number, d.me, "")
	return response.Done{}, err
}

func (d *doing) assign() (response.Done, error) {
	who, err := d.somebody(d.value("who"))
	if err != nil {
		return response.Done{}, err
	}
	return d.run.Assign(d, d.i.Number, d.me, d.value("role"), who)
}

// maxInvited is how many can be invited at once.
const maxInvited = 20

// invite asks several to come. All of them are looked up before anybody is
// invited, and who takes part already keeps nobody else from it.
func (d *doing) invite() (done response.Done, err error) {
	names := strings.FieldsFunc(d.value("who"), func(r rune) bool { return r == ',' || r == ';' || r == '\n' })
	if len(names) == 1 && strings.Count(names[0], "@") > 1 {
		names = strings.Fields(names[0])
	}
	if len(names) > maxInvited {
		return done, refuse("these are %d people; at most %d can be invited at once", len(names), maxInvited)
	}
	var people []incident.Person
	for _, name := range names {
		p, err := d.somebody(name)
		if err != nil {
			return done, err
		}
		people = append(people, p)
	}
	if len(people) == 0 {
		return done, refuse("say who is to come")
	}
	come := 0
	for _, p := range people {
		if d.i.Takes(p) && len(people) > 1 {
			continue
		}
		if done, err = d.run.Invite(d, d.i.Number, d.me, p); err != nil {
			if _, no := errors.AsType[*response.RefusedError](err); no && come > 0 {
				err = refuse("%d of %d were invited; %s was not: %w", come, len(people), p.Name, err)
			}
			return done, err
		}
		come++
	}
	if come == 0 {
		return done, refuse("all of them take part already")
	}
	return done, nil
}

// set changes a type, service, environment or custom field; several values of a
// list come each by itself.
func (d *doing) set() (response.Done, error) {
	field := d.value("field")
	return d.run.Set(d, d.i.Number, d.me, field, strings.Join(d.r.PostForm["value"], ","))
}

func (d *doing) happened() (response.Done, error) {
	now := d.clock.Now()
	when, err := whenHappened(d.value("when"), d.value("zone"), now)
	if err != nil {
		return response.Done{}, err
	}
	return d.run.Happened(d, d.i.Number, d.me, d.value("text"), now.Sub(when))
}

func (d *doing) attach() (response.Done, error) {
	n := numberIn(d.value("alert"))
	if n == 0 {
		return response.Done{}, refuse("say which alert by its number, as it stands on its card")
	}
	return d.run.Attach(d, d.i.Number, d.me, n)
}

// duplicate notes that this incident repeats another, which the person must be
// allowed to see.
func (d *doing) duplicate() (response.Done, error) {
	n := numberIn(d.value("other"))
	if n == 0 {
		return response.Done{}, refuse("say by its number which incident it repeats")
	}
	faces, err := d.faces(d.r)
	if err != nil {
		return response.Done{}, err
	}
	known, err := d.sees(d.r, faces)(n)
	if err != nil {
		return response.Done{}, err
	}
	if !known {
		return response.Done{}, refuse("%w as #%d, or it is private and you take no part in it", response.ErrNoIncident, n)
	}
	return d.run.Duplicate(d, d.i.Number, d.me, n)
}

// refusal says why an act was refused, in words for people; ok is false when
// they were told on a page already.
func (w *Web) refusal(rw http.ResponseWriter, r *http.Request, err error) (status int, wrong string, ok bool) {
	if errors.Is(err, store.ErrChannelTaken) {
		return http.StatusUnprocessableEntity, "That was not done: another open incident is run in that channel; finish that one first, or take another channel.", true
	}
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
