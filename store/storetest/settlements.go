// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"belfry/store"
)

func settleCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"done is recorded whole":                        doneRecorded,
		"a card that grew meanwhile is due again":       grownIsDue,
		"a card that backs off stays so when it grows":  backoffStays,
		"failures count until a success":                failuresCount,
		"an unknown outcome is kept from its beginning": unknownKept,
		"what was not sent goes back as it was":         unsentGoesBack,
		"a message that is gone is posted anew":         goneIsForgotten,
		"a dead card is tried again when it changes":    deadTriedAgain,
		"a card that died while it grew is due":         diedWhileGrown,
		"dead duties are listed and re-sent":            deadResent,
		"a note that is re-sent stays behind its card":  resentStaysBehind,
		"one settlement at a time is enough":            settledInParts,
	}
}

func doneRecorded(t *testing.T, w *world) {
	w.withNotes(t, "a", 1)
	c := w.claim(t, "chat/town", 10)
	w.clock.Advance(time.Second)
	w.done(t, c)
	for _, before := range c.Duties {
		want := before
		want.State, want.Receipt, want.Reached, want.UpdatedAt = store.DutyDone, "channel post-"+before.Key[:4], before.Wanted, w.clock.Now()
		if diff := cmp.Diff(want, w.duty(t, before.ID)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", before.Kind, diff)
		}
	}
	if _, err := w.Duty(w.ctx, 1); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a duty that is not there: %v", err)
	}
}

func grownIsDue(t *testing.T, w *world) {
	a := w.post(t, "a", "chat/town")
	c := w.claim(t, "chat/town", 10)
	w.amend(t, a.ID, func(e *store.Effect) { e.Priority = 1 })
	w.heard()
	w.done(t, c)
	if diff := cmp.Diff([]string{"chat/town"}, w.heard()); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	again := w.claim(t, "chat/town", 10)
	if len(again.Duties) != 1 {
		t.Fatalf("claim: %+v", again)
	}
	d := again.Duties[0]
	if d.Wanted != 2 || d.Reached != 1 || d.Receipt == "" || d.Priority != 1 || !d.UnknownSince.IsZero() {
		t.Errorf("duty: %+v", d)
	}
	w.done(t, again)
	// A card that shows it all becomes due with the next change, not before.
	if c := w.claim(t, "chat/town", 10); len(c.Duties) != 0 {
		t.Errorf("claim: %+v", c)
	}
	w.amend(t, a.ID, func(e *store.Effect) { e.DueAt = day().Add(time.Minute) })
	if c := w.claim(t, "chat/town", 10); len(c.Duties) != 0 || !c.Next.Equal(day().Add(time.Minute)) {
		t.Errorf("claim: %+v", c)
	}
}

func backoffStays(t *testing.T, w *world) {
	a := w.post(t, "a", "chat/town")
	c := w.claim(t, "chat/town", 10)
	w.amend(t, a.ID, nil)
	at := day().Add(time.Minute)
	w.settle(t, c, failed(c.Duties[0], at))
	w.amend(t, a.ID, nil)
	d := w.duty(t, c.Duties[0].ID)
	if d.Wanted != 3 || !d.DueAt.Equal(at) || d.Attempts != 1 || d.LastError != "503" {
		t.Errorf("duty: %+v", d)
	}
}

func failuresCount(t *testing.T, w *world) {
	w.post(t, "a", "chat/town")
	for i := range 3 {
		c := w.claim(t, "chat/town", 10)
		if c.Duties[0].Attempts != i {
			t.Errorf("attempt %d: %+v", i, c.Duties[0])
		}
		w.settle(t, c, failed(c.Duties[0], time.Time{}))
	}
	c := w.claim(t, "chat/town", 10)
	w.done(t, c)
	if d := w.duty(t, c.Duties[0].ID); d.Attempts != 0 || d.LastError != "" {
		t.Errorf("duty: %+v", d)
	}
}

func unknownKept(t *testing.T, w *world) {
	w.post(t, "a", "chat/town")
	c := w.claim(t, "chat/town", 10)
	unknown := store.Settlement{ID: c.Duties[0].ID, State: store.DutyDue, Unknown: true, Failed: true}
	w.clock.Advance(time.Second)
	w.settle(t, c, unknown)
	for range 2 {
		c = w.claim(t, "chat/town", 10)
		if !c.Duties[0].UnknownSince.Equal(day()) {
			t.Errorf("duty: %+v", c.Duties[0])
		}
		w.clock.Advance(time.Second)
		w.settle(t, c, unknown)
	}
	c = w.claim(t, "chat/town", 10)
	w.settle(t, c, failed(c.Duties[0], time.Time{})) // nothing arrived, for sure
	if d := w.duty(t, c.Duties[0].ID); !d.UnknownSince.IsZero() {
		t.Errorf("duty: %+v", d)
	}
}

func unsentGoesBack(t *testing.T, w *world) {
	w.post(t, "a", "chat/town")
	for _, unknown := range []bool{false, true} {
		before := w.claim(t, "chat/town", 10)
		w.settle(t, before, store.Settlement{ID: before.Duties[0].ID, State: store.DutyDue, Unsent: true})
		after := w.claim(t, "chat/town", 10)
		if diff := cmp.Diff(before.Duties, after.Duties); diff != "" {
			t.Errorf("duty (-before +after):\n%s", diff)
		}
		if unknown == after.Duties[0].UnknownSince.IsZero() {
			t.Errorf("duty: %+v", after.Duties[0])
		}
		w.settle(t, after, store.Settlement{ID: after.Duties[0].ID, State: store.DutyDue, Unknown: true})
	}
}

func goneIsForgotten(t *testing.T, w *world) {
	w.withNotes(t, "a", 1)
	c := w.claim(t, "chat/town", 1)
	w.done(t, c)
	note := w.claim(t, "chat/town", 10)
	w.settle(t, note, failed(note.Duties[0], time.Time{}))
	card := c.Duties[0]
	w.amend(t, card.AlertID, nil)
	c = w.claim(t, "chat/town", 1)
	w.settle(t, c, store.Settlement{ID: card.ID, State: store.DutyDead, Forget: true, Failed: true, Err: "deleted"})
	d := w.duty(t, card.ID)
	if d.Receipt != "" || d.Key == card.Key || d.Ref != card.Ref || d.State != store.DutyDead || d.Reached != 0 {
		t.Errorf("duty: %+v", d)
	}
	if c := w.claim(t, "chat/town", 10); len(c.Duties) != 0 {
		t.Errorf("a note without its card: %+v", c.Duties)
	}
	if err := w.Resend(w.ctx, card.ID); err != nil {
		t.Fatal(err)
	}
	w.done(t, w.claim(t, "chat/town", 1))
	if c := w.claim(t, "chat/town", 10); len(c.Duties) != 1 || c.Duties[0].Kind != store.DutyNote {
		t.Errorf("after the card was posted anew: %+v", c.Duties)
	}
}

func deadTriedAgain(t *testing.T, w *world) {
	a := w.post(t, "a", "chat/town")
	c := w.claim(t, "chat/town", 10)
	w.settle(t, c, store.Settlement{ID: c.Duties[0].ID, State: store.DutyDead, Failed: true, Err: "archived"})
	w.clock.Advance(time.Hour)
	w.amend(t, a.ID, nil)
	d := w.duty(t, c.Duties[0].ID)
	if d.State != store.DutyDue || d.Attempts != 0 || !d.DueAt.Equal(w.clock.Now()) {
		t.Errorf("duty: %+v", d)
	}
}

func diedWhileGrown(t *testing.T, w *world) {
	a := w.post(t, "a", "chat/town")
	c := w.claim(t, "chat/town", 10)
	w.amend(t, a.ID, nil)
	w.settle(t, c, store.Settlement{ID: c.Duties[0].ID, State: store.DutyDead, Failed: true, Err: "refused"})
	if again := w.claim(t, "chat/town", 10); len(again.Duties) != 1 {
		t.Errorf("claim: %+v", again)
	}
}

func deadResent(t *testing.T, w *world) {
	w.withNotes(t, "a", 1)
	w.post(t, "b", "chat/town", "chat/ops")
	for _, destination := range []string{"chat/town", "chat/ops"} {
		c := w.claim(t, destination, 10)
		var results []store.Settlement
		for _, d := range c.Duties {
			results = append(results, store.Settlement{ID: d.ID, State: store.DutyDead, Failed: true, Err: "no"})
		}
		w.settle(t, c, results...)
	}
	dead, err := w.DeadDuties(w.ctx, 3)
	if err != nil || len(dead) != 3 || dead[0].Destination != "chat/ops" || dead[0].LastError != "no" {
		t.Fatalf("dead: %+v, %v", dead, err)
	}
	counts, err := w.Counts(w.ctx)
	if diff := cmp.Diff(store.Counts{Firing: 2, Dead: 4}, counts); err != nil || diff != "" {
		t.Errorf("counts: %v\n%s", err, diff)
	}
	w.heard()
	w.clock.Advance(time.Minute)
	if err := w.Resend(w.ctx, dead[0].ID); err != nil {
		t.Error(err)
	}
	if err := w.Resend(w.ctx, dead[0].ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("again: %v", err)
	}
	if n, err := w.ResendAll(w.ctx, "chat/town"); n != 3 || err != nil {
		t.Errorf("re-sent %d, %v", n, err)
	}
	if diff := cmp.Diff([]string{"chat/ops", "chat/town"}, w.heard()); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	d := w.duty(t, dead[0].ID)
	if d.State != store.DutyDue || d.Attempts != 0 || !d.DueAt.Equal(w.clock.Now()) {
		t.Errorf("duty: %+v", d)
	}
}

func settledInParts(t *testing.T, w *world) {
	w.withNotes(t, "a", 1)
	c := w.claim(t, "chat/town", 10)
	w.settle(t, c, done(c.Duties[0]))
	w.settle(t, c, done(c.Duties[1]), done(c.Duties[1]))
	if again := w.claim(t, "chat/town", 10); len(again.Duties) != 0 {
		t.Errorf("claim: %+v", again)
	}
}

func resentStaysBehind(t *testing.T, w *world) {
	a := w.withNotes(t, "a", 1)
	c := w.claim(t, "chat/town", 10)
	card, note := c.Duties[0], c.Duties[1]
	dead := store.Settlement{ID: note.ID, State: store.DutyDead, Failed: true, Err: "too long"}
	w.settle(t, c, done(card), dead)
	// Somebody deletes the card, it changes, and its new post backs off.
	w.amend(t, a.ID, nil)
	c = w.claim(t, "chat/town", 10)
	w.settle(t, c, store.Settlement{ID: card.ID, State: store.DutyDead, Failed: true, Forget: true, Err: "deleted"})
	w.amend(t, a.ID, nil)
	c = w.claim(t, "chat/town", 10)
	w.settle(t, c, failed(card, w.clock.Now().Add(time.Minute)))
	if err := w.Resend(w.ctx, note.ID); err != nil {
		t.Fatal(err)
	}
	if c = w.claim(t, "chat/town", 10); len(c.Duties) != 0 {
		t.Fatalf("handed out before its card: %+v", c.Duties)
	}
	w.clock.Advance(time.Minute)
	if c = w.claim(t, "chat/town", 10); len(c.Duties) != 2 || c.Duties[0].ID != card.ID || c.Duties[1].ID != note.ID {
		t.Fatalf("want the card and its note, got %+v", c.Duties)
	}
}
