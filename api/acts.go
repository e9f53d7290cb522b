// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"belfry/incident"
	"belfry/response"
	"belfry/store"
)

// fault is an answer that says what is wrong.
func fault(status int, format string, args ...any) (int, any) {
	return status, failure{Error: fmt.Sprintf(format, args...)}
}

// acts are what can be done with an incident, by the last part of the address.
func acts() map[string]func(q *request) (int, any) {
	me := func(q *request) incident.Person { return q.who.by() }
	return map[string]func(q *request) (int, any){
		"update": act(func(q *request, n int64, w words) (response.Done, error) { return q.run.Update(q, n, me(q), w.Text) }, "text"),
		"note":   act(func(q *request, n int64, w words) (response.Done, error) { return q.run.Note(q, n, me(q), w.Text) }, "text"),
		"move": act(func(q *request, n int64, w words) (response.Done, error) {
			if !slices.Contains(incident.Acts(), incident.Act(w.Act)) {
				return response.Done{}, &response.RefusedError{Err: fmt.Errorf("there is no step %s; there are %s", quoted(w.Act), joined(incident.Acts()))}
			}
			return q.run.Move(q, n, incident.Act(w.Act), me(q), w.Text)
		}, "act", "text"),
		"severity": act(func(q *request, n int64, w words) (response.Done, error) {
			return q.run.SetSeverity(q, n, me(q), w.Severity, w.Text)
		}, "severity", "text"),
		"attach": act(func(q *request, n int64, w words) (response.Done, error) { return q.run.Attach(q, n, me(q), w.Alert) }, "alert"),
		"task":   act(addTask, "text", "owner", "due", "followup"),
	}
}

// addTask adds something to do.
func addTask(q *request, n int64, w words) (response.Done, error) {
	due, err := w.due()
	if err != nil {
		return response.Done{}, &response.RefusedError{Err: err}
	}
	var owner incident.Person
	if w.Owner != "" {
		if err := named("owner", w.Owner); err != nil {
			return response.Done{}, &response.RefusedError{Err: err}
		}
		list, err := q.people("owner", []string{w.Owner})
		if err != nil {
			return response.Done{}, &response.RefusedError{Err: err}
		}
		owner = list[0]
	}
	kind := incident.ToDo
	if w.FollowUp {
		kind = incident.FollowUp
	}
	return q.run.AddTask(q, n, kind, q.who.by(), owner, w.Text, due)
}

func joined[T ~string](words []T) string {
	var list []string
	for _, w := range words {
		list = append(list, string(w))
	}
	return strings.Join(list, ", ")
}

// act is an act on one incident whose body has these keys.
func act(do func(q *request, number int64, w words) (response.Done, error), keys ...string) func(*request) (int, any) {
	return func(q *request) (int, any) {
		i, status, no := q.incident()
		if i == nil {
			return status, no
		}
		var w words
		if status, err := read(q.r.Body, &w); err != nil {
			return fault(status, "%v", err)
		}
		for _, name := range w.given() {
			if !slices.Contains(keys, name) {
				return fault(http.StatusBadRequest, "there is no key %q here; there are %s", name, strings.Join(keys, ", "))
			}
		}
		done, err := do(q, i.Number, w)
		if err != nil {
			return q.failed(err)
		}
		return http.StatusOK, q.show(done.Incident, false)
	}
}

// incident returns the one that the address names, or what to answer. One that
// is private is there for the program that declared it, and for no other.
func (q *request) incident() (i *incident.Incident, status int, no any) {
	number, err := strconv.ParseInt(q.r.PathValue("number"), 10, 64)
	if err != nil || number < 1 {
		status, no = fault(http.StatusBadRequest, "the address wants the number of an incident, like /api/incidents/42")
		return nil, status, no
	}
	i, err = q.o.Store.Incident(q, number)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && !q.mayKnow(i):
		status, no = fault(http.StatusNotFound, "there is no incident #%d, or it is private", number)
		return nil, status, no
	case err != nil:
		status, no = q.failed(err)
		return nil, status, no
	}
	return i, http.StatusOK, nil
}

// mayKnow says whether the program may know of an incident.
func (q *request) mayKnow(i *incident.Incident) bool { return !i.Private || i.CreatedBy == q.who.by() }

// knows is mayKnow by the number.
func (q *request) knows(number int64) (bool, error) {
	i, err := q.o.Store.Incident(q, number)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && q.mayKnow(i), err
}

// failed is the answer to what was refused, or could not be stored.
func (q *request) failed(err error) (int, any) {
	if known, ok := errors.AsType[*response.KnownError](err); ok {
		i, err := q.o.Store.Incident(q, known.Number)
		if err != nil {
			return q.failed(err)
		}
		if !q.mayKnow(i) {
			return fault(http.StatusNotFound, "this was done before, to an incident that is private now")
		}
		return http.StatusOK, q.show(i, true)
	}
	if full, ok := errors.AsType[*response.LimitError](err); ok {
		q.w.Header().Set("Retry-After", strconv.Itoa(int(incident.LimitSpan.Seconds())))
		return fault(http.StatusTooManyRequests, "%v", full)
	}
	if no, ok := errors.AsType[*incident.ImpossibleError](err); ok {
		return http.StatusConflict, failure{Error: no.Error(), Possible: no.Possible}
	}
	if no, ok := errors.AsType[*response.RefusedError](err); ok {
		return fault(http.StatusUnprocessableEntity, "%v", no)
	}
	q.o.Log.Error("a program's request was not carried out", "program", q.who.Name, "path", q.r.URL.Path, "err", err)
	q.w.Header().Set("Retry-After", "1")
	if errors.Is(err, store.ErrUncertain) {
		return fault(http.StatusServiceUnavailable, "nobody can tell whether that was stored; ask again with the same Idempotency-Key")
	}
	return fault(http.StatusServiceUnavailable, "that could not be stored; ask again")
}

// declare declares an incident.
func declare(q *request) (int, any) {
	var d declaration
	if status, err := read(q.r.Body, &d); err != nil {
		return fault(status, "%v", err)
	}
	if err := d.check(); err != nil {
		return fault(http.StatusUnprocessableEntity, "%v", err)
	}
	if d.Parent != 0 {
		switch known, err := q.sees(d.Parent); {
		case err != nil:
			return q.failed(err)
		case !known:
			return fault(http.StatusUnprocessableEntity, "parent: there is no incident #%d, or it is private", d.Parent)
		}
	}
	invited, err := q.people("people", d.People)
	if err != nil {
		return fault(http.StatusUnprocessableEntity, "%v", err)
	}
	done, err := q.run.Declare(q, d.declared(q.who.by(), invited), d.Alert, d.Parent)
	if errors.Is(err, incident.ErrNobody) && slices.ContainsFunc(invited, func(p incident.Person) bool { return p.ID == "" }) {
		q.w.Header().Set("Retry-After", "10")
		return fault(http.StatusServiceUnavailable, "it would be private, and chat can't be asked now who takes part in it; ask again, or take a severity that is not private")
	}
	if err != nil {
		return q.failed(err)
	}
	q.w.Header().Set("Location", address(done.Incident.Number))
	q.o.Log.Info("a program declared an incident", "program", q.who.Name, "incident", done.Incident.Number)
	return http.StatusCreated, q.show(done.Incident, false)
}

// lookWithin bounds how long chats are asked who takes part, all together: an
// incident is declared whatever they do.
const lookWithin = 2 * time.Second

// people looks up who is named; where the chat can't be asked the handle counts.
func (q *request) people(key string, names []string) (list []incident.Person, err error) {
	ctx, cancel := context.WithTimeout(q, lookWithin)
	defer cancel()
	for _, name := range names {
		connection, handle, _ := strings.Cut(name, "/")
		handle = strings.ToLower(strings.TrimPrefix(handle, "@"))
		p := incident.Person{Connection: connection, Name: handle}
		if q.o.FindPeople != nil {
			found, err := q.o.FindPeople(ctx, connection, handle)
			switch {
			case len(found) > 0:
				p = found[0]
			case err == nil:
				return nil, fmt.Errorf("%s: nobody is called %s on %s", key, quoted(handle), quoted(connection))
			default:
				q.o.Log.Warn("can't look up who takes part; their name counts", "connection", connection, "err", err)
			}
		}
		if !slices.ContainsFunc(list, p.Same) {
			list = append(list, p)
		}
	}
	return list, nil
}
