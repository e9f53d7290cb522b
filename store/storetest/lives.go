// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"testing"
	"time"

	"belfry/store"
)

func lifeCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"what was claimed in an earlier life is unknown":  earlierLife,
		"a released destination is lost to its old fence": released,
		"closing twice and writing afterwards":            closed,
		"what is stored survives a restart":               survives,
	}
}

func earlierLife(t *testing.T, w *world) {
	w.withNotes(t, "a", 1)
	before := w.claim(t, "chat/town", 1)
	w.reopen(t)
	w.clock.Advance(time.Second)
	after := w.claim(t, "chat/town", 10)
	if after.Fence <= before.Fence || len(after.Duties) != 2 {
		t.Fatalf("claims: %+v, then %+v", before, after)
	}
	if !after.Duties[0].UnknownSince.Equal(day()) || !after.Duties[1].UnknownSince.IsZero() {
		t.Errorf("duties: %+v", after.Duties)
	}
	// The earlier life settles late: the card is rendered anew, nothing is
	// recorded as done.
	lost, err := w.Settle(w.ctx, before.Destination, before.Fence, []store.Settlement{done(before.Duties[0])})
	if err != nil || !lost {
		t.Fatalf("lost %v, %v", lost, err)
	}
	w.done(t, after)
	again := w.claim(t, "chat/town", 10)
	if len(again.Duties) != 1 || again.Duties[0].Reached != 0 || again.Duties[0].Receipt == "" {
		t.Fatalf("claim: %+v", again)
	}
	w.done(t, again)
	if c := w.claim(t, "chat/town", 10); len(c.Duties) != 0 {
		t.Errorf("claim: %+v", c)
	}
	// And late by far, when all is done.
	if lost, err := w.Settle(w.ctx, before.Destination, before.Fence, []store.Settlement{done(before.Duties[0])}); err != nil || !lost {
		t.Fatalf("lost %v, %v", lost, err)
	}
	if c := w.claim(t, "chat/town", 10); len(c.Duties) != 1 || c.Duties[0].Receipt == "" || c.Duties[0].Reached != 0 {
		t.Errorf("claim: %+v", c)
	}
}

func released(t *testing.T, w *world) {
	w.post(t, "a", "chat/town")
	c := w.claim(t, "chat/town", 10)
	if err := w.Release(w.ctx, c.Destination, c.Fence-1); err != nil {
		t.Fatal(err)
	}
	w.settle(t, c, store.Settlement{ID: c.Duties[0].ID, Unsent: true})
	if err := w.Release(w.ctx, c.Destination, c.Fence); err != nil {
		t.Fatal(err)
	}
	lost, err := w.Settle(w.ctx, c.Destination, c.Fence, []store.Settlement{{ID: c.Duties[0].ID, Unsent: true}})
	if err != nil || !lost {
		t.Errorf("lost %v, %v", lost, err)
	}
	again := w.claim(t, "chat/town", 10)
	if again.Fence <= c.Fence || len(again.Duties) != 1 || !again.Duties[0].UnknownSince.IsZero() {
		t.Errorf("claim: %+v", again)
	}
}

func closed(t *testing.T, w *world) {
	if err := w.Ping(w.ctx); err != nil {
		t.Error(err)
	}
	a := problem("a")
	for range 2 {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Change(w.ctx, change(a, store.Effect{Alert: a})); !errors.Is(err, store.ErrClosed) {
		t.Errorf("change: %v", err)
	}
	if _, err := w.Claim(w.ctx, "chat/town", 1); !errors.Is(err, store.ErrClosed) {
		t.Errorf("claim: %v", err)
	}
	if _, err := w.Alert(w.ctx, 1); err == nil || errors.Is(err, store.ErrNotFound) {
		t.Errorf("read: %v", err)
	}
	if err := w.Ping(w.ctx); err == nil {
		t.Error("ping: no error")
	}
}

func survives(t *testing.T, w *world) {
	a := w.withNotes(t, "a", 1)
	before, err := w.Duties(w.ctx, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	w.reopen(t)
	w.onlyOpen(t, a.ID)
	after, err := w.Duties(w.ctx, a.ID)
	if err != nil || len(after) != 2 || after[0] != before[0] || after[1] != before[1] {
		t.Errorf("duties: %+v, %v", after, err)
	}
}
