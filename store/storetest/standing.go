// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"testing"
	"time"

	"belfry/alert"
	"belfry/store"
)

func standingCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"a standing claim is made with the change":   standingIsServed,
		"a standing claim is made once":              standingOnce,
		"a standing claim leaves other places alone": standingElsewhere,
		"a standing claim that is cancelled is not":  standingCancelled,
		"a standing claim survives a refused change": standingSurvives,
		"of many standing claims none is lost":       standingMany,
	}
}

// given waits for the claim of s.
func given(t *testing.T, s *store.Standing) store.Claim {
	t.Helper()
	select {
	case c := <-s.Claims():
		return c
	case <-time.After(10 * time.Second):
		t.Fatal("the claim was not made")
		return store.Claim{}
	}
}

func standingIsServed(t *testing.T, w *world) {
	s := w.Stand("chat/town", 10)
	a := w.post(t, "a", "chat/town")
	c := given(t, s)
	if len(c.Duties) != 1 || c.Duties[0].AlertID != a.ID || c.Fence == 0 || c.Held || !c.LeaseUntil.Equal(w.clock.Now().Add(30*time.Second)) {
		t.Fatalf("claim: %+v", c)
	}
	// It is on disk like any other: whoever claims again hears that it may
	// have arrived.
	if again := w.claim(t, "chat/town", 10); len(again.Duties) != 1 || again.Duties[0].UnknownSince.IsZero() || again.Fence != c.Fence {
		t.Errorf("claimed again: %+v", again)
	}
	w.settle(t, c, store.Settlement{ID: c.Duties[0].ID, State: store.DutyDone, Reached: 1, Receipt: "r"})
	if left := w.claim(t, "chat/town", 10); len(left.Duties) != 0 {
		t.Errorf("left: %+v", left)
	}
}

func standingOnce(t *testing.T, w *world) {
	s := w.Stand("chat/town", 1)
	w.post(t, "a", "chat/town")
	w.post(t, "b", "chat/town")
	if c := given(t, s); len(c.Duties) != 1 {
		t.Errorf("claim: %+v", c)
	}
	if c, ok := s.Cancel(); ok {
		t.Errorf("a second claim: %+v", c)
	}
}

func standingElsewhere(t *testing.T, w *world) {
	s := w.Stand("chat/town", 10)
	w.post(t, "a", "chat/ops")
	if c, ok := s.Cancel(); ok {
		t.Errorf("claim: %+v", c)
	}
	if c := w.claim(t, "chat/ops", 10); len(c.Duties) != 1 || !c.Duties[0].UnknownSince.IsZero() {
		t.Errorf("claim: %+v", c)
	}
}

func standingCancelled(t *testing.T, w *world) {
	first := w.Stand("chat/town", 10)
	if _, ok := first.Cancel(); ok {
		t.Error("there was nothing to claim")
	}
	w.post(t, "a", "chat/town")
	second := w.Stand("chat/town", 10)
	third := w.Stand("chat/town", 10)
	w.post(t, "b", "chat/town")
	if c, ok := second.Cancel(); ok {
		t.Errorf("a claim that was replaced was made: %+v", c)
	}
	if c, ok := third.Cancel(); !ok || len(c.Duties) != 2 {
		t.Errorf("what was carried out before it was cancelled: %v, %+v", ok, c)
	}
}

func standingSurvives(t *testing.T, w *world) {
	s := w.Stand("chat/town", 10)
	errs, err := w.Change(w.ctx, store.Change{Source: "nagios", Fingerprint: "f", Apply: func(store.View) ([]store.Effect, error) {
		return nil, fmt.Errorf("no")
	}})
	if err != nil || errs[0] == nil {
		t.Fatal(errs, err)
	}
	a := w.post(t, "a", "chat/town")
	if c := given(t, s); len(c.Duties) != 1 || c.Duties[0].AlertID != a.ID {
		t.Errorf("claim: %+v", c)
	}
}

func standingMany(t *testing.T, w *world) {
	var list []*store.Standing
	var changes []store.Change
	for i := range 20 {
		destination := fmt.Sprintf("chat/%d", i)
		list = append(list, w.Stand(destination, 10))
		a := problem(destination)
		changes = append(changes, change(a, store.Effect{Alert: a, Events: []alert.Event{event(alert.EventOpened)}, NewCards: []string{destination}}))
	}
	if _, err := w.Change(w.ctx, changes...); err != nil {
		t.Fatal(err)
	}
	n := 0
	for i, s := range list {
		c, ok := s.Cancel()
		if ok == (len(c.Duties) == 0) {
			t.Errorf("claim: %v, %+v", ok, c)
		}
		n += len(c.Duties) + len(w.claimFresh(t, fmt.Sprintf("chat/%d", i)))
	}
	if n != len(list) {
		t.Errorf("%d of %d duties were handed out", n, len(list))
	}
}

// claimFresh claims what was not claimed before.
func (w *world) claimFresh(t *testing.T, destination string) (fresh []store.Duty) {
	t.Helper()
	for _, d := range w.claim(t, destination, 10).Duties {
		if d.UnknownSince.IsZero() {
			fresh = append(fresh, d)
		}
	}
	return fresh
}
