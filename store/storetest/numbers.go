// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"belfry/alert"
	"belfry/store"
)

func numberCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"alerts are numbered in their order":          numbered,
		"numbers go on after a restart and a removal": numbersGoOn,
		"two processes never give the same number":    numbersOfTwo,
		"what changed is told, and told again":        whatChanged,
	}
}

func numbered(t *testing.T, w *world) {
	first := w.post(t, "first")
	var changes []store.Change
	var batch []*alert.Alert
	for i := range 5 {
		a := problem(fmt.Sprint("batch ", i))
		batch = append(batch, a)
		changes = append(changes, change(a, store.Effect{Alert: a, Events: []alert.Event{event(alert.EventOpened)}}))
	}
	refused := problem("refused")
	changes = append(changes, store.Change{Source: refused.Source, Fingerprint: refused.Fingerprint,
		Apply: func(store.View) ([]store.Effect, error) { return nil, errors.New("no") }})
	if _, err := w.Change(w.ctx, changes...); err != nil {
		t.Fatal(err)
	}
	last := w.post(t, "last")
	for i, a := range append(append([]*alert.Alert{first}, batch...), last) {
		if a.Number != int64(i+1) {
			t.Errorf("alert %d has the number %d", i+1, a.Number)
		}
		// A change leaves the number as it is.
		w.amend(t, a.ID, nil)
		got, err := w.AlertByNumber(w.ctx, a.Number)
		if err != nil || got.ID != a.ID || got.Number != a.Number || got.Revision != 2 {
			t.Errorf("number %d: %+v, %v", a.Number, got, err)
		}
	}
	for _, n := range []int64{0, -1, 8, 1 << 62} {
		if _, err := w.AlertByNumber(w.ctx, n); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("number %d: %v", n, err)
		}
	}
}

func numbersGoOn(t *testing.T, w *world) {
	old, newest := w.post(t, "old"), w.post(t, "newest")
	for _, a := range []*alert.Alert{old, newest} {
		w.amend(t, a.ID, func(e *store.Effect) { e.Alert.Status, e.Alert.EndsAt = alert.Resolved, day() })
	}
	w.clock.Advance(48 * time.Hour)
	if n, err := w.Prune(w.ctx, day().Add(time.Hour), 10); n != 1 || err != nil {
		t.Fatalf("deleted %d, %v", n, err)
	}
	w.reopen(t)
	if a := w.post(t, "next"); a.Number != 3 {
		t.Errorf("after a restart comes number %d", a.Number)
	}
	// The one that was kept for its number may go now.
	if n, err := w.Prune(w.ctx, day().Add(time.Hour), 10); n != 1 || err != nil {
		t.Errorf("then deleted %d, %v", n, err)
	}
}

func numbersOfTwo(t *testing.T, w *world) {
	other, err := store.Open(w.ctx, w.url, store.Options{Clock: w.clock, Owner: "other"})
	if errors.Is(err, store.ErrInUse) {
		t.Skip("this database belongs to one process")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	}()
	given := map[int64]bool{}
	for i := range 10 {
		a := problem(fmt.Sprint("alert ", i))
		s := []*store.Store{w.Store, other}[i%2]
		if errs, err := s.Change(w.ctx, change(a, store.Effect{Alert: a, Events: []alert.Event{event(alert.EventOpened)}})); err != nil || errs[0] != nil {
			t.Fatal(errs, err)
		}
		given[a.Number] = true
	}
	if len(given) != 10 || !given[1] || !given[10] {
		t.Errorf("given: %v", given)
	}
}

func whatChanged(t *testing.T, w *world) {
	names := func(list []*alert.Alert) []string {
		out := []string{}
		for _, a := range list {
			out = append(out, fmt.Sprint(a.Object.Host, " ", a.Status, " ", a.Revision))
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	list, next, err := w.Changed(w.ctx, 0)
	if err != nil || len(list) != 0 || next <= 0 {
		t.Fatalf("at first: %v, %d, %v", list, next, err)
	}
	a, over := w.post(t, "a"), w.post(t, "over")
	w.amend(t, over.ID, func(e *store.Effect) { e.Alert.Status = alert.Resolved })
	w.clock.Advance(time.Hour)
	list, next, err = w.Changed(w.ctx, next)
	if got := names(list); err != nil || !slices.Equal(got, []string{"h-a firing 1", "h-over resolved 2"}) {
		t.Errorf("then %v, %v", got, err)
	}
	if list, _, err := w.Changed(w.ctx, 0); err != nil || !slices.Equal(names(list), []string{"h-a firing 1"}) {
		t.Errorf("anew: %v, %v", names(list), err)
	}
	w.amend(t, a.ID, nil)
	w.clock.Advance(time.Hour)
	w.post(t, "b")
	list, next, err = w.Changed(w.ctx, next)
	got := names(list)
	if err != nil || !slices.Contains(got, "h-a firing 2") || !slices.Contains(got, "h-b firing 1") {
		t.Errorf("at last %v, %v", got, err)
	}
	w.clock.Advance(time.Hour)
	w.reopen(t)
	w.amend(t, a.ID, func(e *store.Effect) { e.Alert.Status = alert.Resolved })
	if list, _, err = w.Changed(w.ctx, next); err != nil || !slices.Contains(names(list), "h-a resolved 3") {
		t.Errorf("after a restart %v, %v", names(list), err)
	}
}

func muteCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"a mute lasts until it is settled": mutes,
		"there are at most so many":        manyMutes,
	}
}

func mutes(t *testing.T, w *world) {
	long, err := w.CreateMute(w.ctx, store.Mute{Matchers: `host="wéb"`, Reason: "move „2“", By: "anna", Until: day().Add(2 * time.Hour)})
	if err != nil || long.ID == 0 || long.Number != 1 || !long.CreatedAt.Equal(day()) {
		t.Fatalf("%+v, %v", long, err)
	}
	short, err := w.CreateMute(w.ctx, store.Mute{Matchers: `host="db"`, By: "bert", Until: day().Add(time.Hour)})
	if err != nil || short.Number != 2 {
		t.Fatalf("%+v, %v", short, err)
	}
	w.reopen(t)
	if list, err := w.Mutes(w.ctx); err != nil || !slices.Equal(list, []store.Mute{short, long}) {
		t.Errorf("%+v, %v", list, err)
	}
	w.clock.Advance(time.Minute)
	ended, err := w.EndMute(w.ctx, 1, "carla")
	want := long
	want.Until, want.EndedBy = w.clock.Now(), "carla"
	if err != nil || ended != want {
		t.Errorf("ended: %+v, %v", ended, err)
	}
	// What is over is not ended again, not even under another name.
	for _, number := range []int64{1, 3, 0, -1} {
		if _, err := w.EndMute(w.ctx, number, "dora"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("mute %d: %v", number, err)
		}
	}
	if list, err := w.Mutes(w.ctx); err != nil || !slices.Equal(list, []store.Mute{want, short}) {
		t.Errorf("not settled: %+v, %v", list, err)
	}
	if err := w.SettleMute(w.ctx, want.ID); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(2 * time.Hour)
	// What was settled goes in time; a number never comes again.
	if _, err := w.Prune(w.ctx, w.clock.Now(), 10); err != nil {
		t.Error(err)
	}
	if list, err := w.Mutes(w.ctx); err != nil || !slices.Equal(list, []store.Mute{short}) {
		t.Errorf("after its end: %+v, %v", list, err)
	}
	if _, err := w.EndMute(w.ctx, 2, "dora"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("one that is over: %v", err)
	}
	if m, err := w.CreateMute(w.ctx, store.Mute{Matchers: `host="x"`, By: "a", Until: w.clock.Now()}); err != nil || m.Number != 3 {
		t.Errorf("the next: %+v, %v", m, err)
	}
}

func manyMutes(t *testing.T, w *world) {
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		_, err = w.CreateMute(w.ctx, store.Mute{Matchers: `a="b"`, By: "a", Until: day().Add(time.Hour)})
	}
	if !errors.Is(err, store.ErrTooMany) || n < 100 {
		t.Errorf("after %d: %v", n, err)
	}
}
