// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"unicode/utf8"

	"belfry/alert"
)

// object is what changes by fingerprint are about.
type object struct {
	source      string
	fingerprint alert.Fingerprint
}

// entry is an alert that a batch looks at: its newest state, and what is to be
// written for it.
type entry struct {
	a      *alert.Alert
	lastID alert.ID
	// fresh: not in the database yet; dirty: its row is to be written.
	fresh, dirty bool
	events       []alert.Event
	duties       []newDuty
	// calls are the routes by which it calls for an incident.
	calls []string
	// stale: its cards in the database are to be brought up to date, with this
	// priority and, unless they are due already, at this time.
	stale    bool
	priority int
	dueAt    int64
	// moot: its write-backs in the database are to be ended.
	moot bool
}

// newDuty is a duty to be inserted.
type newDuty struct {
	id          alert.ID
	destination string
	kind        DutyKind
	state       DutyState
	event       alert.ID
	priority    int
	dueAt       int64
}

// fold is the changes of one batch, folded.
type fold struct {
	*tx
	byID     map[alert.ID]*entry
	byObject map[object][]*entry
}

// fold carries the changes of all operations out.
func (t *tx) fold(ctx context.Context, batch []*operation) error {
	f := &fold{tx: t, byID: make(map[alert.ID]*entry, len(batch)), byObject: make(map[object][]*entry, len(batch))}
	if err := f.load(ctx, batch); err != nil {
		return err
	}
	for _, op := range batch {
		for i := range op.changes {
			seen, err := f.seen(ctx, &op.changes[i])
			if err != nil {
				return err
			}
			op.errs[i] = f.apply(&op.changes[i], seen)
		}
	}
	if err := f.flush(ctx); err != nil {
		return err
	}
	return f.follow(ctx)
}

// apply lets one change decide and takes its effects over, all or none.
func (f *fold) apply(c *Change, seen bool) error {
	view := View{Seen: seen}
	if c.ID != 0 {
		if e := f.byID[c.ID]; e != nil {
			view.Alert = e.a.Clone()
		}
	} else {
		view.Open = f.open(object{c.Source, c.Fingerprint})
	}
	effects, err := decide(c, view)
	if err != nil {
		return err
	}
	for i := range effects {
		if err := f.check(c, &effects[i]); err != nil {
			return err
		}
	}
	if err := f.checkOpen(c, effects); err != nil {
		return err
	}
	for i := range effects {
		f.take(&effects[i])
	}
	return nil
}

// decide calls Apply. Somebody else's mistake must not take down what
// everybody depends on.
func decide(c *Change, v View) (effects []Effect, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a change of an alert failed inside: %v\n%s", p, debug.Stack())
		}
	}()
	return c.Apply(v)
}

func (f *fold) open(o object) map[alert.Topic]*alert.Alert {
	var open map[alert.Topic]*alert.Alert
	for _, e := range f.byObject[o] {
		if e.a.Status != alert.Firing {
			continue
		}
		if open == nil {
			open = map[alert.Topic]*alert.Alert{}
		}
		open[e.a.Topic] = e.a.Clone()
	}
	return open
}

// checkOpen refuses a second open alert of one topic. PostgreSQL's index would
// refuse it too, but the whole batch with it.
func (f *fold) checkOpen(c *Change, effects []Effect) error {
	known := f.byObject[object{c.Source, c.Fingerprint}]
	for i := range effects {
		a := effects[i].Alert
		if a.Status != alert.Firing {
			continue
		}
		if id, taken := openBefore(known, effects[:i], a.Topic); taken && (id != a.ID || a.ID == 0) {
			return fmt.Errorf("a second open alert about %s of the same object", a.Topic)
		}
	}
	return nil
}

// openBefore returns which alert of a topic is open after the effects so far.
func openBefore(known []*entry, effects []Effect, topic alert.Topic) (id alert.ID, taken bool) {
	for _, e := range known {
		if e.a.Topic == topic && e.a.Status == alert.Firing {
			id, taken = e.a.ID, true
		}
	}
	for i := range effects {
		switch a := effects[i].Alert; {
		case a.Topic != topic:
		case a.Status == alert.Firing:
			id, taken = a.ID, true
		case taken && id == a.ID:
			taken = false
		}
	}
	return id, taken
}

// check refuses what is not the change's to touch, and what no database should
// hold.
func (f *fold) check(c *Change, e *Effect) error {
	a := e.Alert
	switch {
	case a == nil:
		return errors.New("an effect names no alert")
	case a.Source == "" || a.Fingerprint == "" || a.Topic == "":
		return errors.New("an alert needs a source, a fingerprint and a topic")
	case a.Status != alert.Firing && a.Status != alert.Resolved:
		return fmt.Errorf("an alert is firing or resolved, not %q", a.Status)
	case !f.own(c, a):
		return fmt.Errorf("alert %d is not one that this change may touch", a.ID)
	case e.Writeback != "" && len(e.Events) == 0:
		return errors.New("a write-back carries an event out, and there is none")
	}
	if err := plain(a.Source, string(a.Fingerprint), e.Writeback); err != nil {
		return err
	}
	for i := range e.Events {
		if err := plain(e.Events[i].Intake); err != nil {
			return err
		}
	}
	return errors.Join(plain(e.NewCards...), plain(e.Notes...), plain(e.Calls...))
}

// plain refuses texts that PostgreSQL can't hold; so neither database takes them.
func plain(texts ...string) error {
	for _, text := range texts {
		if strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text) {
			return fmt.Errorf("%q is not plain text (UTF-8 without NUL)", text)
		}
	}
	return nil
}

// own says whether a is what c is about: the alert that it names, or one of its
// object, new or known.
func (f *fold) own(c *Change, a *alert.Alert) bool {
	if c.ID != 0 {
		return a.ID == c.ID && f.byID[a.ID] != nil
	}
	o := object{c.Source, c.Fingerprint}
	return o == object{a.Source, a.Fingerprint} &&
		(a.ID == 0 || slices.ContainsFunc(f.byObject[o], func(e *entry) bool { return e.a.ID == a.ID }))
}

// take notes what an effect writes.
func (f *fold) take(e *Effect) {
	a := e.Alert
	n := f.byID[a.ID]
	if a.ID == 0 {
		a.ID = f.store.ids.next(f.now)
		n = &entry{lastID: a.ID, fresh: true}
		f.byID[a.ID] = n
		o := object{a.Source, a.Fingerprint}
		f.byObject[o] = append(f.byObject[o], n)
	}
	// What another process gave to this alert by a faster clock stays below.
	f.store.ids.after(n.lastID)
	n.a = a
	if !n.dirty {
		n.dirty = true
		f.touched = append(f.touched, n)
	}
	due := micros(f.now)
	if !e.DueAt.IsZero() {
		due = micros(e.DueAt)
	}
	for i := range e.Events {
		e.Events[i].AlertID, e.Events[i].ID = a.ID, f.store.ids.next(f.now)
	}
	if e.DropWritebacks {
		n.moot = true
		n.duties = slices.DeleteFunc(n.duties, func(d newDuty) bool { return d.kind == DutyWriteback && n.wish(d.event) })
	}
	if n.events == nil {
		n.events = slices.Clip(e.Events) // nearly always; a further one copies
	} else {
		n.events = append(n.events, e.Events...)
	}
	if e.Stale {
		n.stale, n.priority, n.dueAt = true, e.Priority, due
	}
	n.calls = append(n.calls, e.Calls...)
	f.duties(n, e, due)
	n.lastID = f.store.ids.last
}

// wish says whether an event of this batch is a wish about the acknowledgement.
func (n *entry) wish(event alert.ID) bool {
	return slices.ContainsFunc(n.events, func(e alert.Event) bool {
		return e.ID == event && (e.Kind == alert.EventAckWanted || e.Kind == alert.EventUnackWanted)
	})
}

// duties makes the new duties of an effect.
func (f *fold) duties(n *entry, e *Effect, due int64) {
	add := func(kind DutyKind, destination string, event alert.ID) {
		n.duties = append(n.duties, newDuty{id: f.store.ids.next(f.now), destination: destination, kind: kind,
			state: DutyDue, event: event, priority: e.Priority, dueAt: due})
	}
	for _, destination := range e.NewCards {
		if !slices.ContainsFunc(n.duties, func(d newDuty) bool { return d.kind == DutyCard && d.destination == destination }) {
			add(DutyCard, destination, 0)
		}
	}
	for i := range e.Events {
		if !e.Events[i].Kind.Notable() {
			continue
		}
		for _, destination := range e.Notes {
			add(DutyNote, destination, e.Events[i].ID)
		}
	}
	if e.Writeback != "" {
		add(DutyWriteback, e.Writeback, e.Events[len(e.Events)-1].ID)
	}
}
