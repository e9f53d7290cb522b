// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"belfry/alert"
	"belfry/store"
)

func changeCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"an alert and its event come back whole":           alertComesBack,
		"duties of a new alert":                            newDuties,
		"a change sees what is open":                       seesOpen,
		"a change by id sees its alert":                    seesByID,
		"changes of one alert in one call fold":            changesFold,
		"an error leaves everything as it was":             errorLeavesAll,
		"a panic is one change's own error":                panicIsError,
		"what no database can hold is refused alone":       badTextRefused,
		"a second open problem is refused alone":           secondOpenRefused,
		"a hand-over is recognised":                        intakeRecognised,
		"a history begins with the opening":                history,
		"an alert that ended makes room for the next":      successor,
		"many at once of one object make one alert":        manyAtOnce,
		"lists are filtered, the newest first":             lists,
		"ids grow also when the clock does not":            idsGrow,
		"a note for each notable event and destination":    notesMade,
		"a card is made once for each destination":         cardOnce,
		"write-backs are made and dropped":                 writebacksDropped,
		"a change with no effect stores nothing":           nothing,
		"an effect on a strange alert is refused":          strangeRefused,
		"big batches are stored whole":                     bigBatch,
		"a call that was given up before it began is void": givenUp,
	}
}

func alertComesBack(t *testing.T, w *world) {
	a := problem("a")
	e := event(alert.EventOpened)
	effect := store.Effect{Alert: a, Events: []alert.Event{e}}
	whole(t, a, "Alert.ID", "Alert.Number")
	whole(t, e, "Event.ID", "Event.AlertID")
	w.one(t, change(a, effect))
	if a.ID <= 0 || effect.Events[0].ID <= a.ID || effect.Events[0].AlertID != a.ID {
		t.Fatalf("ids not filled in: alert %d, event %+v", a.ID, effect.Events[0])
	}
	got, err := w.Alert(w.ctx, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, got); diff != "" {
		t.Errorf("alert (-stored +read):\n%s", diff)
	}
	events, err := w.Events(w.ctx, a.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(effect.Events, events); diff != "" {
		t.Errorf("events (-stored +read):\n%s", diff)
	}
	key := store.EventKey{Alert: a.ID, Event: events[0].ID}
	byID, err := w.EventsByID(w.ctx, []store.EventKey{key, {Alert: a.ID, Event: 1}})
	if diff := cmp.Diff(map[store.EventKey]alert.Event{key: events[0]}, byID); err != nil || diff != "" {
		t.Errorf("events by id: %v\n%s", err, diff)
	}
	if _, err := w.Alert(w.ctx, a.ID+1); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an alert that is not there: %v", err)
	}
	// What is changed later comes back as well.
	w.amend(t, a.ID, func(e *store.Effect) { e.Alert.Status, e.Alert.Labels = alert.Resolved, alert.Labels{"x": "y"} })
	got, err = w.Alert(w.ctx, a.ID)
	if err != nil || got.Status != alert.Resolved || got.Revision != 2 || got.Labels["x"] != "y" {
		t.Errorf("after a change: %+v, %v", got, err)
	}
}

func newDuties(t *testing.T, w *world) {
	a := w.post(t, "a", "chat/town", "chat/ops")
	if diff := cmp.Diff([]string{"chat/ops", "chat/town"}, w.heard()); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	cards, err := w.Cards(w.ctx, a.ID)
	if err != nil || len(cards) != 2 {
		t.Fatalf("cards: %v, %v", cards, err)
	}
	c := cards[0]
	if len(c.Key) != 26 || strings.Trim(c.Key, "abcdefghijklmnopqrstuvwxyz0123456789") != "" || len(c.Ref) < 26 || c.Key == c.Ref || c.Key == cards[1].Key {
		t.Errorf("keys are not random words of their own: %+v", cards)
	}
	want := store.Duty{ID: c.ID, Destination: "chat/town", Kind: store.DutyCard, State: store.DutyDue, AlertID: a.ID, Key: c.Key, Ref: c.Ref,
		Wanted: 1, Priority: int(alert.SeverityCritical), DueAt: day(), CreatedAt: day(), UpdatedAt: day()}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("card (-want +got):\n%s", diff)
	}
	of, err := w.CardsOf(w.ctx, []alert.ID{a.ID, 1}, "chat/ops")
	if diff := cmp.Diff(map[alert.ID]store.Duty{a.ID: cards[1]}, of); err != nil || diff != "" {
		t.Errorf("cards of: %v\n%s", err, diff)
	}
}

func seesOpen(t *testing.T, w *world) {
	a := w.post(t, "a")
	notice := problem("a")
	notice.Topic = alert.TopicDowntime
	w.one(t, change(notice, store.Effect{Alert: notice}))
	w.post(t, "other")
	c := change(a)
	c.Apply = func(v store.View) ([]store.Effect, error) {
		want := map[alert.Topic]*alert.Alert{alert.TopicProblem: a, alert.TopicDowntime: notice}
		if diff := cmp.Diff(store.View{Open: want}, v); diff != "" {
			return nil, errors.New(diff)
		}
		return nil, nil
	}
	w.one(t, c)
	w.reopen(t)
	w.one(t, c)
}

func seesByID(t *testing.T, w *world) {
	a := w.post(t, "a")
	w.one(t, store.Change{ID: a.ID, Apply: func(v store.View) ([]store.Effect, error) {
		if diff := cmp.Diff(store.View{Alert: a}, v); diff != "" {
			return nil, errors.New(diff)
		}
		return nil, nil
	}})
	w.one(t, store.Change{ID: 4711, Apply: func(v store.View) ([]store.Effect, error) {
		if v.Alert != nil {
			return nil, fmt.Errorf("sees %+v", v.Alert)
		}
		return nil, nil
	}})
}

func changesFold(t *testing.T, w *world) {
	var changes []store.Change
	for i := range 5 {
		changes = append(changes, store.Change{Source: "nagios", Fingerprint: problem("a").Fingerprint, Apply: func(v store.View) ([]store.Effect, error) {
			a := v.Open[alert.TopicProblem]
			e := store.Effect{Events: []alert.Event{event(alert.EventChanged)}, Stale: true, Notes: []string{"chat/town"}, Priority: i}
			if a == nil {
				a = problem("a")
				e.NewCards = []string{"chat/town"}
			} else {
				a.Revision++
			}
			e.Alert = a
			return []store.Effect{e}, nil
		}})
	}
	errs, err := w.Change(w.ctx, changes...)
	if err != nil || errors.Join(errs...) != nil {
		t.Fatal(errs, err)
	}
	open, err := w.OpenAlerts(w.ctx, "nagios")
	if err != nil || len(open) != 1 || open[0].Revision != 5 {
		t.Fatalf("open: %+v, %v", open, err)
	}
	duties, err := w.Duties(w.ctx, open[0].ID)
	if err != nil || len(duties) != 6 || duties[0].Wanted != 5 {
		t.Fatalf("duties: %+v, %v", duties, err)
	}
	events, err := w.Events(w.ctx, open[0].ID, 3)
	if err != nil || len(events) != 3 || events[2].ID != duties[5].EventID {
		t.Errorf("the newest three events: %+v, %v", events, err)
	}
}

func successor(t *testing.T, w *world) {
	a := w.post(t, "a", "chat/town")
	next := problem("a")
	w.one(t, store.Change{Source: "nagios", Fingerprint: a.Fingerprint, Apply: func(v store.View) ([]store.Effect, error) {
		old := v.Open[alert.TopicProblem]
		old.Status, old.EndsAt = alert.Resolved, day()
		old.Revision++
		next = problem("a")
		return []store.Effect{{Alert: old, Stale: true}, {Alert: next, NewCards: []string{"chat/town"}}}, nil
	}})
	w.onlyOpen(t, next.ID)
	all, err := w.Alerts(w.ctx, store.Filter{})
	if err != nil || len(all) != 2 || all[0].ID != next.ID {
		t.Errorf("alerts: %+v, %v", all, err)
	}
}

func manyAtOnce(t *testing.T, w *world) {
	var wait sync.WaitGroup
	for range 40 {
		wait.Go(func() {
			errs, err := w.Change(w.ctx, store.Change{Source: "nagios", Fingerprint: problem("a").Fingerprint,
				Apply: func(v store.View) ([]store.Effect, error) {
					a := v.Open[alert.TopicProblem]
					if a == nil {
						a = problem("a")
					} else {
						a.Revision++
					}
					return []store.Effect{{Alert: a, Events: []alert.Event{event(alert.EventChanged)}}}, nil
				}})
			if err != nil || errs[0] != nil {
				t.Error(errs, err)
			}
		})
	}
	wait.Wait()
	open, err := w.OpenAlerts(w.ctx, "nagios")
	if err != nil || len(open) != 1 || open[0].Revision != 40 {
		t.Errorf("open: %+v, %v", open, err)
	}
}

func lists(t *testing.T, w *world) {
	a := w.post(t, "a")
	b := problem("b")
	b.Source = "icinga"
	w.one(t, change(b, store.Effect{Alert: b}))
	c := problem("c")
	c.Status, c.Topic = alert.Resolved, alert.TopicCustom
	w.one(t, change(c, store.Effect{Alert: c}))
	for _, x := range []struct {
		filter store.Filter
		want   []alert.ID
	}{
		{store.Filter{}, []alert.ID{c.ID, b.ID, a.ID}},
		{store.Filter{Limit: 2}, []alert.ID{c.ID, b.ID}},
		{store.Filter{Before: c.ID}, []alert.ID{b.ID, a.ID}},
		{store.Filter{Source: "icinga"}, []alert.ID{b.ID}},
		{store.Filter{Status: alert.Resolved}, []alert.ID{c.ID}},
		{store.Filter{Status: alert.Firing, Source: "nagios"}, []alert.ID{a.ID}},
		{store.Filter{Topic: alert.TopicCustom}, []alert.ID{c.ID}},
		{store.Filter{Topic: alert.TopicFlapping}, nil},
	} {
		list, err := w.Alerts(w.ctx, x.filter)
		var got []alert.ID
		for _, a := range list {
			got = append(got, a.ID)
		}
		if diff := cmp.Diff(x.want, got); err != nil || diff != "" {
			t.Errorf("%+v: %v\n%s", x.filter, err, diff)
		}
	}
	found, err := w.AlertsByID(w.ctx, []alert.ID{a.ID, c.ID, 1})
	if err != nil || len(found) != 2 || found[a.ID].Object != a.Object {
		t.Errorf("by id: %v, %v", found, err)
	}
}

func idsGrow(t *testing.T, w *world) {
	a := w.post(t, "a")
	b := w.post(t, "b") // the clock stands still
	w.reopen(t)
	w.clock.Advance(-time.Hour) // and is set back
	c := w.post(t, "c", "chat/town")
	w.amend(t, a.ID, nil)
	events, err := w.Events(w.ctx, a.ID, 0)
	if err != nil || len(events) != 2 || events[1].ID <= events[0].ID {
		t.Errorf("events: %+v, %v", events, err)
	}
	if a.ID >= b.ID || b.ID >= c.ID {
		t.Errorf("ids do not grow: %d, %d, %d", a.ID, b.ID, c.ID)
	}
}

func notesMade(t *testing.T, w *world) {
	a := w.post(t, "a", "chat/town", "chat/ops")
	var said []alert.Event
	w.amend(t, a.ID, func(e *store.Effect) {
		e.Events = []alert.Event{event(alert.EventRenotified), event(alert.EventChanged), event(alert.EventAcknowledged)}
		e.Notes = []string{"chat/town", "chat/ops"}
		e.Priority, e.DueAt = 2, day().Add(time.Minute)
		said = e.Events
	})
	duties, err := w.Duties(w.ctx, a.ID)
	if err != nil || len(duties) != 6 {
		t.Fatalf("duties: %+v, %v", duties, err)
	}
	n := duties[2]
	want := store.Duty{ID: n.ID, Destination: "chat/town", Kind: store.DutyNote, State: store.DutyDue, AlertID: a.ID, EventID: said[1].ID,
		Key: n.Key, Ref: n.Ref, Wanted: 1, Priority: 2, DueAt: day().Add(time.Minute), CreatedAt: day(), UpdatedAt: day()}
	if diff := cmp.Diff(want, n); diff != "" {
		t.Errorf("note (-want +got):\n%s", diff)
	}
	if duties[5].EventID != said[2].ID || duties[5].Destination != "chat/ops" {
		t.Errorf("last note: %+v", duties[5])
	}
}

func cardOnce(t *testing.T, w *world) {
	a := w.post(t, "a", "chat/town")
	w.amend(t, a.ID, func(e *store.Effect) { e.NewCards = []string{"chat/town", "chat/ops", "chat/ops"} })
	cards, err := w.Cards(w.ctx, a.ID)
	if err != nil || len(cards) != 2 || cards[0].Wanted != 2 || cards[1].Destination != "chat/ops" || cards[1].Wanted != 2 {
		t.Errorf("cards: %+v, %v", cards, err)
	}
}

func writebacksDropped(t *testing.T, w *world) {
	a := w.post(t, "a")
	write := func(kind alert.EventKind) {
		w.amend(t, a.ID, func(e *store.Effect) {
			e.Events, e.Writeback = []alert.Event{event(kind)}, "monitor/nagios"
		})
	}
	write(alert.EventAckWanted)
	write(alert.EventUnackWanted)
	write(alert.EventInstructed)
	claim := w.claim(t, "monitor/nagios", 10)
	if len(claim.Duties) != 3 || claim.Duties[0].EventID >= claim.Duties[1].EventID {
		t.Fatalf("claim: %+v", claim)
	}
	w.settle(t, claim, store.Settlement{ID: claim.Duties[0].ID, State: store.DutyDead})
	w.amend(t, a.ID, func(e *store.Effect) {
		e.Events = []alert.Event{event(alert.EventAckWanted)}
		e.DropWritebacks, e.Writeback = true, "monitor/nagios"
	})
	// What was on its way does not come back to life.
	w.settle(t, claim, failed(claim.Duties[1], day().Add(time.Second)))
	var states []store.DutyState
	duties, err := w.Duties(w.ctx, a.ID)
	for _, d := range duties {
		states = append(states, d.State)
	}
	want := []store.DutyState{store.DutyDone, store.DutyDone, store.DutyDue, store.DutyDue}
	if diff := cmp.Diff(want, states); err != nil || diff != "" {
		t.Errorf("two wishes, an instruction, a new wish: %v (-want +got):\n%s", err, diff)
	}
	droppedAtOnce(t, w)
}

// droppedAtOnce drops what the same batch made.
func droppedAtOnce(t *testing.T, w *world) {
	b := w.post(t, "b")
	wish := func(kind alert.EventKind, drop bool) store.Change {
		return store.Change{ID: b.ID, Apply: func(v store.View) ([]store.Effect, error) {
			v.Alert.Revision++
			return []store.Effect{{Alert: v.Alert, Events: []alert.Event{event(kind)}, Writeback: "monitor/other", DropWritebacks: drop}}, nil
		}}
	}
	errs, err := w.Change(w.ctx, wish(alert.EventAckWanted, false), wish(alert.EventInstructed, true), wish(alert.EventUnackWanted, true))
	if err := errors.Join(append(errs, err)...); err != nil {
		t.Fatal(err)
	}
	if c := w.claim(t, "monitor/other", 10); len(c.Duties) != 2 {
		t.Errorf("of a wish, an instruction and a newer wish at once are left: %+v", c.Duties)
	}
}

func bigBatch(t *testing.T, w *world) {
	var changes []store.Change
	for i := range 1001 {
		a := problem(fmt.Sprint(i))
		changes = append(changes, change(a, store.Effect{Alert: a, Events: []alert.Event{event(alert.EventOpened)}, NewCards: []string{fmt.Sprintf("chat/%d", i%3)}}))
	}
	if errs, err := w.Change(w.ctx, changes...); err != nil || errors.Join(errs...) != nil {
		t.Fatal(err)
	}
	counts, err := w.Counts(w.ctx)
	if diff := cmp.Diff(store.Counts{Firing: 1001, Due: 1001, Oldest: day()}, counts); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	due, err := w.Due(w.ctx, day())
	want := []store.DueDestination{{Name: "chat/0", At: day()}, {Name: "chat/1", At: day()}, {Name: "chat/2", At: day()}}
	if diff := cmp.Diff(want, due); err != nil || diff != "" {
		t.Errorf("due: %v\n%s", err, diff)
	}
}
