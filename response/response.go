// SPDX-License-Identifier: Apache-2.0

// Package response is what people, and programs, can do with incidents, each act
// one transaction: declare, move along the lifecycle, say how it stands, give
// roles and tasks, attach alerts, join.
//
// An act reads the incident as it is in the transaction, lets package incident
// change it or say why not, and stores the incident with the entries that its
// timeline gets: who did what, and when. Two people who act at once therefore
// act one after the other, wherever they are. What follows from the act, such as
// cards, notes and steps with channels, is stored with it (see effect); what came
// of those steps is told by ChannelOpened and its like. Two loops act by
// themselves: KeepReminders and KeepCalls. Nothing here talks to the outside.
package response

import (
	"context"
	"errors"
	"fmt"
	"time"

	"belfry/alert"
	"belfry/clock"
	"belfry/incident"
	"belfry/store"
)

// Store is what is needed of the store.
type Store interface {
	ChangeIncident(ctx context.Context, c store.IncidentChange) error
	// Incident returns the one that people call #number.
	Incident(ctx context.Context, number int64) (*incident.Incident, error)
	// NextReminder returns of which incident people are to be reminded first,
	// and when; 0: of none.
	NextReminder(ctx context.Context) (number int64, at time.Time, err error)
	// PostponeReminder has that looked at again at a time.
	PostponeReminder(ctx context.Context, number int64, until time.Time) error
	// Unresting returns the numbers of those of which they may have to be.
	Unresting(ctx context.Context) ([]int64, error)
	Alert(ctx context.Context, id alert.ID) (*alert.Alert, error)
	// NextCalls returns alerts that call for incidents, the first due first;
	// PostponeCalls has them looked at again at a time, and says what keeps them
	// from being answered; empty: nothing does.
	NextCalls(ctx context.Context, limit int) ([]store.Call, error)
	PostponeCalls(ctx context.Context, ids []alert.ID, until time.Time, trouble string) error
}

// Response carries acts out. It is safe for concurrent use.
type Response struct {
	store    Store
	settings func() incident.Settings
	announce func() []string
	clock    clock.Clock
	// called wakes KeepCalls.
	called chan struct{}
	// acknowledge is how alerts are acknowledged.
	acknowledge Acknowledge
	// connected says whether a connection takes deliveries.
	connected func(connection string) bool
	// program is who acts; the zero one: people, and Belfry itself.
	program Program
}

// New returns a Response. settings says what may be chosen now, announce in
// which destinations new incidents get a card: a reload of the configuration
// changes both.
func New(s Store, settings func() incident.Settings, announce func() []string, c clock.Clock) *Response {
	return &Response{store: s, settings: settings, announce: announce, clock: c, called: make(chan struct{}, 1), connected: func(string) bool { return true },
		acknowledge: func(context.Context, alert.ID, string, string) error { return errNoDesk }}
}

// Connected says which connections take deliveries: those that are configured
// and not disconnected. Without it all do. Call it before the first act.
func (r *Response) Connected(f func(connection string) bool) { r.connected = f }

// Settings are what may be chosen now.
func (r *Response) Settings() incident.Settings { return r.settings() }

// Announces says whether new incidents get a card somewhere.
func (r *Response) Announces() bool { return len(r.announce()) > 0 }

// ErrNoIncident says that there is no such incident. Its text is shown to people.
var ErrNoIncident = errors.New("there is no such incident")

// ErrNoAlert says that there is no such alert. Its text is shown to people.
var ErrNoAlert = errors.New("there is no such alert")

// RefusedError says why an act was refused, in words for people: what is wrong
// and what is possible instead. Nothing was changed.
type RefusedError struct{ Err error }

// Error implements error.
func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *RefusedError) Unwrap() error { return e.Err }

// change carries a change of incidents out that looks at nothing else.
func (r *Response) change(ctx context.Context, numbers []int64, apply func(v store.IncidentView) ([]store.IncidentEffect, error)) error {
	return r.carry(ctx, store.IncidentChange{Numbers: numbers, Apply: apply})
}

// carry carries a change out. What is no trouble of the storage's is a refusal.
func (r *Response) carry(ctx context.Context, c store.IncidentChange) error {
	err := r.store.ChangeIncident(ctx, r.once(c))
	if _, storage := errors.AsType[*store.IncidentError](err); err == nil || storage {
		return err
	}
	return &RefusedError{err}
}

// Done is what an act led to.
type Done struct {
	// Incident is as it is now.
	Incident *incident.Incident
	// Entry is what its timeline got, the last of them.
	Entry incident.Entry
}

// now is the time with the precision in which it is stored.
func (r *Response) now() time.Time { return r.clock.Now().UTC().Truncate(time.Microsecond) }

// on carries an act on one incident out.
func (r *Response) on(ctx context.Context, number int64, act func(i *incident.Incident, at time.Time) (incident.Entry, error)) (Done, error) {
	return r.with(ctx, store.IncidentChange{Numbers: []int64{number}}, func(i *incident.Incident, _ store.IncidentView, at time.Time) (incident.Entry, error) {
		return act(i, at)
	})
}

// with carries an act on the first of c's incidents out that looks at more.
func (r *Response) with(ctx context.Context, c store.IncidentChange, act func(i *incident.Incident, v store.IncidentView, at time.Time) (incident.Entry, error)) (Done, error) {
	var done Done
	number := c.Numbers[0]
	c.Apply = func(v store.IncidentView) ([]store.IncidentEffect, error) {
		i := v.Incidents[number]
		if i == nil {
			return nil, fmt.Errorf("%w as #%d", ErrNoIncident, number)
		}
		before := i.Clone()
		e, err := act(i, v, r.now())
		if err != nil {
			return nil, err
		}
		effect := r.effect(before, i, e)
		done = Done{i.Clone(), e}
		return []store.IncidentEffect{effect}, nil
	}
	err := r.carry(ctx, c)
	return done, err
}

// Declare declares an incident. alertNumber is an alert to attach, parent an
// incident that it is part of; 0: none. Errors are those of incident.Declare,
// ErrNoIncident and ErrNoAlert.
func (r *Response) Declare(ctx context.Context, d incident.Declaration, alertNumber, parent int64) (Done, error) {
	var c store.IncidentChange
	if parent != 0 {
		c.Numbers = []int64{parent}
	}
	if alertNumber != 0 {
		c.Alerts = []int64{alertNumber}
	}
	if d.By.IsMachine() {
		c.Origin = store.Origin{Name: d.By.Name, Since: r.now().Add(-incident.LimitSpan)}
	}
	settings := r.settings()
	var done Done
	c.Apply = func(v store.IncidentView) ([]store.IncidentEffect, error) {
		d := d
		if d.Alert = v.Alerts[alertNumber]; alertNumber != 0 && d.Alert == nil {
			return nil, fmt.Errorf("%w as #%d", ErrNoAlert, alertNumber)
		}
		if d.Parent = v.Incidents[parent]; parent != 0 && d.Parent == nil {
			return nil, fmt.Errorf("%w as #%d", ErrNoIncident, parent)
		}
		at := r.now()
		i, entries, err := incident.Declare(&settings, d, at)
		if err != nil {
			return nil, err
		}
		if err := r.mayDeclare(v, i, d.By); err != nil {
			return nil, err
		}
		i.Number = v.Next
		effects := []store.IncidentEffect{r.effect(nil, i, entries...)}
		if d.Parent != nil {
			before := d.Parent.Clone()
			e, err := d.Parent.Part(i, d.By, at)
			if err != nil {
				return nil, err
			}
			effects = append(effects, r.effect(before, d.Parent, e))
		}
		done = Done{i, entries[0]}
		return effects, nil
	}
	err := r.carry(ctx, c)
	return done, err
}

// Move goes one step along the lifecycle; *incident.ImpossibleError says what
// would be possible. text is why, or how; may be empty.
func (r *Response) Move(ctx context.Context, number int64, act incident.Act, by incident.Person, text string) (Done, error) {
	if act == incident.Reopen {
		return r.reopen(ctx, number, by, text)
	}
	return r.on(ctx, number, func(i *incident.Incident, at time.Time) (incident.Entry, error) { return i.Move(act, by, at, text) })
}

// reopen is Move for what was not told of its alerts while it was over.
func (r *Response) reopen(ctx context.Context, number int64, by incident.Person, text string) (Done, error) {
	c := store.IncidentChange{Numbers: []int64{number}}
	i, err := r.store.Incident(ctx, number)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Done{}, err
	}
	var known []alert.ID
	if err == nil {
		for _, x := range i.Alerts {
			if _, err := r.store.Alert(ctx, x.Alert); errors.Is(err, store.ErrUnreadable) {
				continue // it stands as it was told last, and keeps nobody from reopening
			}
			c.Alerts, known = append(c.Alerts, x.Number), append(known, x.Alert)
		}
	}
	return r.with(ctx, c, func(i *incident.Incident, v store.IncidentView, at time.Time) (incident.Entry, error) {
		e, err := i.Move(incident.Reopen, by, at, text)
		if err == nil {
			i.Recall(v.Alerts, known)
		}
		return e, err
	})
}

// Update tells everybody how it stands.
func (r *Response) Update(ctx context.Context, number int64, by incident.Person, text string) (Done, error) {
	return r.on(ctx, number, func(i *incident.Incident, at time.Time) (incident.Entry, error) { return i.Say(text, by, at) })
}

// SetSummary replaces the summary.
func (r *Response) SetSummary(ctx context.Context, number int64, by incident.Person, text string) (Done, error) {
	return r.on(ctx, number, func(i *incident.Incident, at time.Time) (incident.Entry, error) { return i.SetSummary(text, by, at) })
}

// SetSeverity gives it another severity; why may be empty.
func (r *Response) SetSeverity(ctx context.Context, number int64, by incident.Person, severity, why string) (Done, error) {
	s := r.settings()
	return r.on(ctx, number, func(i *incident.Incident, at time.Time) (incident.Entry, error) {
		return i.SetSeverity(&s, severity, by, at, why)
	})
}

// Set changes a type, service, environment or custom field.
func (r *Response) Set(ctx context.Context, number int64, by incident.Person, what, value string) (Done, error) {
	s := r.settings()
	return r.on(ctx, number, func(i *incident.Incident, at time.Time) (incident.Entry, error) {
		return i.Set(&s, what, value, by, at)
	})
}

// Rename gives it another title.
func (r *Response) Rename(ctx context.Context, number int64, by incident.Person, title string) (Done, error) {
	return r.on(ctx, number, func(i *incident.Incident, at time.Time) (incident.Entry, error) { return i.Rename(title, by, at) })
}

// Assign gives a role to somebody.
func (r *Response) Assign(ctx context.Context, number int64, by incident.Person, role string, who incident.Person) (Done, error) {
	s := r.settings()
	return r.on(ctx, number, func(i *incident.Incident, at time.Time) (incident.Entry, error) {
		return i.Assign(&s, role, who, by, at)
	})
}

// Join notes that somebody takes part.
func (r *Response) Join(ctx context.Context, number int64, who incident.Person) (Done, error) {
	return r.on(ctx, number, func(i *incident.Incident, at time.Time) (incident.Entry, error) { return i.Join(who, at) })
}

// Invite notes that somebody is asked to come.
func (r *Response) Invite(ctx context.Context, number int64, by, who incident.Person) (Done, error) {
	return r.on(ctx, number, func(i *incident.Incident, at time.Time) (incident.Entry, error) { return i.Invite(who, by, at) })
}

// AddTask adds something to do; owner's name may be empty, due zero.
func (r *Response) AddTask(ctx context.Context, number int64, kind incident.TaskKind, by, owner incident.Person, text string, due time.Time) (Done, error) {
	return r.on(ctx, number, func(i *incident.Incident, at time.Time) (incident.Entry, error) {
		return i.AddTask(kind, text, owner, due, by, at)
	})
}

// FinishTask notes that a task or follow-up is done.
func (r *Response) FinishTask(ctx context.Context, number int64, by incident.Person, task int) (Done, error) {
	return r.on(ctx, number, func(i *incident.Incident, at time.Time) (incident.Entry, error) { return i.FinishTask(task, by, at) })
}

// Note keeps something that a person said.
func (r *Response) Note(ctx context.Context, number int64, by incident.Person, text string) (Done, error) {
	return r.on(ctx, number, func(i *incident.Incident, at time.Time) (incident.Entry, error) { return i.Note(text, by, at) })
}

// Happened notes what happened; ago is how long before now.
func (r *Response) Happened(ctx context.Context, number int64, by incident.Person, text string, ago time.Duration) (Done, error) {
	return r.on(ctx, number, func(i *incident.Incident, at time.Time) (incident.Entry, error) {
		return i.Happened(text, at.Add(-ago), by, at)
	})
}

// Record takes a message of chat into the record. key names the message and as:
// what was taken by the same key before is not taken again, and known says so.
func (r *Response) Record(ctx context.Context, number int64, as incident.Keep, s incident.Said, by incident.Person, key string) (done Done, known bool, err error) {
	done, err = r.For(Program{Key: key}).on(ctx, number, func(i *incident.Incident, at time.Time) (incident.Entry, error) {
		return i.Record(as, s, by, at)
	})
	if _, known := errors.AsType[*KnownError](err); known {
		return Done{}, true, nil
	}
	return done, false, err
}

// Attach adds an alert by its number.
func (r *Response) Attach(ctx context.Context, number int64, by incident.Person, alertNumber int64) (Done, error) {
	c := store.IncidentChange{Numbers: []int64{number}, Alerts: []int64{alertNumber}}
	return r.with(ctx, c, func(i *incident.Incident, v store.IncidentView, at time.Time) (incident.Entry, error) {
		a := v.Alerts[alertNumber]
		if a == nil {
			return incident.Entry{}, fmt.Errorf("%w as #%d", ErrNoAlert, alertNumber)
		}
		return i.Attach(a, by, at)
	})
}

// Run makes a channel the incident's own; store.ErrChannelTaken when another
// open incident is run there.
func (r *Response) Run(ctx context.Context, number int64, by incident.Person, c incident.Channel) (Done, error) {
	return r.on(ctx, number, func(i *incident.Incident, at time.Time) (incident.Entry, error) { return i.Run(c, by, at) })
}

// Duplicate notes that one incident repeats another, and cancels it if it is open.
func (r *Response) Duplicate(ctx context.Context, number int64, by incident.Person, other int64) (Done, error) {
	var done Done
	err := r.change(ctx, []int64{number, other}, func(v store.IncidentView) ([]store.IncidentEffect, error) {
		mine, theirs := v.Incidents[number], v.Incidents[other]
		if number == other {
			return nil, incident.ErrDuplicateSelf
		}
		for n, i := range map[int64]*incident.Incident{number: mine, other: theirs} {
			if i == nil {
				return nil, fmt.Errorf("%w as #%d", ErrNoIncident, n)
			}
		}
		was, theirsWas := mine.Clone(), theirs.Clone()
		e, o, err := mine.Duplicate(theirs, by, r.now())
		if err != nil {
			return nil, err
		}
		done = Done{mine.Clone(), e}
		return []store.IncidentEffect{r.effect(was, mine, e), r.effect(theirsWas, theirs, o)}, nil
	})
	return done, err
}
