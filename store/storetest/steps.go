// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"slices"
	"testing"
	"time"

	"belfry/alert"
	"belfry/incident"
	"belfry/store"
)

func stepCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"a step is ordered once, and done by what is true": stepFolds,
		"a step that fails holds up no other":              stepsApart,
		"a step waits for its card":                        stepAfterCard,
		"a step has its time":                              stepLater,
		"a step that was given up is ordered again":        stepDead,
		"who lost the lease has steps done again":          stepFence,
		"steps about entries are apart":                    stepEntries,
		"a step keeps what it was ordered with":            stepReceipt,
	}
}

const rooms = "chat/incident-1"

// orders changes incident 1 and orders steps with that.
func (w *world) orders(t *testing.T, steps ...store.IncidentStep) *incident.Incident {
	t.Helper()
	return w.put(t, 1, func(e *store.IncidentEffect) { e.Steps = steps })
}

func step(kind incident.StepKind) store.IncidentStep {
	return store.IncidentStep{Destination: rooms, Kind: kind}
}

// steps are the names of the steps among duties.
func steps(duties []store.Duty) []string {
	list := []string{}
	for _, d := range duties {
		list = append(list, string(d.Step))
	}
	return list
}

func reached(d store.Duty) store.Settlement {
	return store.Settlement{ID: d.ID, State: store.DutyDone, Reached: d.Wanted}
}

func stepFolds(t *testing.T, w *world) {
	i := w.put(t, 0, func(e *store.IncidentEffect) {
		e.Steps = []store.IncidentStep{step(incident.StepOpen), step(incident.StepDescribe)}
	})
	if got := w.heard(); !slices.Contains(got, rooms) {
		t.Errorf("told of %v", got)
	}
	w.orders(t, step(incident.StepDescribe))
	c := w.claim(t, rooms, 10)
	if !slices.Equal(steps(c.Duties), []string{"open", "describe"}) || c.Duties[0].AlertID != i.ID || c.Duties[0].Kind != store.DutyStep || c.Duties[1].Wanted != 2 {
		t.Fatalf("%+v", c.Duties)
	}
	// Something changes while the topic is on its way: it is set once more.
	w.orders(t, step(incident.StepDescribe))
	w.settle(t, c, reached(c.Duties[0]), reached(c.Duties[1]))
	again := w.claim(t, rooms, 10)
	if !slices.Equal(steps(again.Duties), []string{"describe"}) || again.Duties[0].ID != c.Duties[1].ID || again.Duties[0].Key != c.Duties[1].Key {
		t.Fatalf("then %+v", again.Duties)
	}
	w.settle(t, again, reached(again.Duties[0]))
	if left := w.claim(t, rooms, 10); len(left.Duties) != 0 {
		t.Errorf("and then %+v", left.Duties)
	}
	if d, err := w.Step(w.ctx, i.ID, rooms, incident.StepDescribe); err != nil || d.State != store.DutyDone || d.Reached != 3 {
		t.Errorf("it stands as %+v, %v", d, err)
	}
}

func stepReceipt(t *testing.T, w *world) {
	open := step(incident.StepOpen)
	open.Receipt = "inc-1-disk-full"
	w.put(t, 0, func(e *store.IncidentEffect) { e.Steps = []store.IncidentStep{open} })
	for range 2 { // ordered again with another one, also while it is tried
		c := w.claim(t, rooms, 10)
		if len(c.Duties) != 1 || c.Duties[0].Receipt != "inc-1-disk-full" {
			t.Fatalf("%+v", c.Duties)
		}
		open.Receipt = "inc-1-called-otherwise"
		w.orders(t, open)
		w.settle(t, c, store.Settlement{ID: c.Duties[0].ID, State: store.DutyDue, Failed: true, Unknown: true, RetryAt: day()})
	}
}

func stepsApart(t *testing.T, w *world) {
	w.put(t, 0, func(e *store.IncidentEffect) {
		e.Steps = []store.IncidentStep{step(incident.StepInvite), step(incident.StepDescribe)}
	})
	c := w.claim(t, rooms, 10)
	w.settle(t, c, failed(c.Duties[0], day().Add(time.Minute)), reached(c.Duties[1]))
	// Ordered again: it keeps its back-off, and the other goes on.
	w.orders(t, step(incident.StepInvite), step(incident.StepDescribe))
	if got := steps(w.claim(t, rooms, 10).Duties); !slices.Equal(got, []string{"describe"}) {
		t.Errorf("due are %v", got)
	}
}

func stepAfterCard(t *testing.T, w *world) {
	i := w.put(t, 0, func(e *store.IncidentEffect) {
		e.NewCards = []string{"chat/own", "chat/announced"}
		e.Steps = []store.IncidentStep{{Destination: rooms, Kind: incident.StepPin, AfterCard: "chat/own"}}
	})
	due := func(when string, want int) store.Claim {
		t.Helper()
		c := w.claim(t, rooms, 10)
		if len(c.Duties) != want {
			t.Errorf("%s: %+v", when, c.Duties)
		}
		return c
	}
	due("before its card", 0)
	other := w.claim(t, "chat/announced", 10)
	w.done(t, other)
	due("after another card", 0)
	c := w.claim(t, "chat/own", 10)
	w.heard()
	w.done(t, c)
	if got := w.heard(); !slices.Contains(got, rooms) {
		t.Errorf("told of %v", got)
	}
	pin := due("after its card", 1)
	w.settle(t, pin, reached(pin.Duties[0]))
	// Somebody deletes the card, and it is sent again: it is another message.
	w.put(t, 1, func(e *store.IncidentEffect) { e.Stale = true })
	c = w.claim(t, "chat/own", 10)
	w.settle(t, c, store.Settlement{ID: c.Duties[0].ID, State: store.DutyDead, Failed: true, Forget: true, Err: "gone"})
	if err := w.Resend(w.ctx, c.Duties[0].ID); err != nil {
		t.Fatal(err)
	}
	due("while it is deleted", 0)
	w.done(t, w.claim(t, "chat/own", 10))
	due("after it was posted anew", 1)
	// What is ordered when the card stands there does not wait.
	w.orders(t, store.IncidentStep{Destination: "chat/else", Kind: incident.StepPin, AfterCard: "chat/own"})
	if c := w.claim(t, "chat/else", 10); len(c.Duties) != 1 || c.Duties[0].AlertID != i.ID {
		t.Errorf("%+v", c)
	}
}

func stepLater(t *testing.T, w *world) {
	later := step(incident.StepArchive)
	later.DueAt = day().Add(time.Hour)
	w.put(t, 0, func(e *store.IncidentEffect) { e.Steps = []store.IncidentStep{later} })
	if c := w.claim(t, rooms, 10); len(c.Duties) != 0 || !c.Next.Equal(later.DueAt) {
		t.Errorf("at first %+v", c)
	}
	// Ordered for now, it does not wait.
	w.orders(t, step(incident.StepArchive))
	if c := w.claim(t, rooms, 10); len(c.Duties) != 1 {
		t.Errorf("then %+v", c)
	}
}

func stepDead(t *testing.T, w *world) {
	w.put(t, 0, func(e *store.IncidentEffect) { e.Steps = []store.IncidentStep{step(incident.StepDescribe)} })
	c := w.claim(t, rooms, 10)
	w.settle(t, c, store.Settlement{ID: c.Duties[0].ID, State: store.DutyDead, Failed: true, Err: "not allowed"})
	if c := w.claim(t, rooms, 10); len(c.Duties) != 0 {
		t.Errorf("after it was given up %+v", c.Duties)
	}
	dead, err := w.DeadDuties(w.ctx, 10)
	if err != nil || len(dead) != 1 || dead[0].Step != incident.StepDescribe {
		t.Errorf("given up are %+v, %v", dead, err)
	}
	w.orders(t, step(incident.StepDescribe))
	if c = w.claim(t, rooms, 10); len(c.Duties) != 1 || c.Duties[0].Attempts != 0 {
		t.Fatalf("then %+v", c.Duties)
	}
	w.settle(t, c, store.Settlement{ID: c.Duties[0].ID, State: store.DutyDead, Failed: true, Err: "not allowed"})
	if err := w.Resend(w.ctx, c.Duties[0].ID); err != nil {
		t.Fatal(err)
	}
	if c := w.claim(t, rooms, 10); len(c.Duties) != 1 {
		t.Errorf("sent again: %+v", c.Duties)
	}
}

// stepFence: what was done after the lease was lost may have undone something
// newer.
func stepFence(t *testing.T, w *world) {
	w.put(t, 0, func(e *store.IncidentEffect) { e.Steps = []store.IncidentStep{step(incident.StepDescribe)} })
	late := w.claim(t, rooms, 10)
	w.reopen(t)
	w.clock.Advance(time.Minute)
	now := w.claim(t, rooms, 10)
	if len(now.Duties) != 1 || now.Duties[0].UnknownSince.IsZero() {
		t.Fatalf("%+v", now)
	}
	if lost, err := w.Settle(w.ctx, rooms, late.Fence, []store.Settlement{reached(late.Duties[0])}); err != nil || !lost {
		t.Fatalf("lost: %v, %v", lost, err)
	}
	w.settle(t, now, reached(now.Duties[0]))
	if c := w.claim(t, rooms, 10); len(c.Duties) != 1 {
		t.Errorf("it is not done again: %+v", c)
	}
}

func stepEntries(t *testing.T, w *world) {
	var entries []alert.ID
	for n := range 2 {
		w.put(t, int64(n), func(e *store.IncidentEffect) {
			e.Entries = []incident.Entry{entry(incident.EntryNote, day()), entry(incident.EntryClosed, day())}
			e.Steps = []store.IncidentStep{{Destination: rooms, Kind: incident.StepSummary, Entry: 2}}
		})
	}
	c := w.claim(t, rooms, 10)
	if len(c.Duties) != 2 || c.Duties[0].Key == c.Duties[1].Key {
		t.Fatalf("%+v", c.Duties)
	}
	for _, d := range c.Duties {
		e, err := w.IncidentEntry(w.ctx, d.AlertID, d.EventID)
		if err != nil || e.Kind != incident.EntryClosed || slices.Contains(entries, e.ID) {
			t.Errorf("about %+v, %v", e, err)
		}
		entries = append(entries, e.ID)
	}
}
