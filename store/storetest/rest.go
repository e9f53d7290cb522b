// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"belfry/alert"
	"belfry/store"
)

func restCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"settings":                       settings,
		"one of many takes a setting":    settingTakenOnce,
		"people":                         people,
		"sessions":                       sessions,
		"old alerts go, unfinished stay": prune,
	}
}

func settings(t *testing.T, w *world) {
	if _, ok, err := w.Setting(w.ctx, "x"); ok || err != nil {
		t.Error(ok, err)
	}
	for _, value := range []string{"1", "", "zwei „2“"} {
		if err := w.SetSetting(w.ctx, "x", value); err != nil {
			t.Fatal(err)
		}
		if got, ok, err := w.Setting(w.ctx, "x"); got != value || !ok || err != nil {
			t.Errorf("%q: %q, %v, %v", value, got, ok, err)
		}
	}
	for i, want := range []bool{true, false} {
		if set, err := w.SetSettingOnce(w.ctx, "once", fmt.Sprint(i)); set != want || err != nil {
			t.Errorf("once %d: %v, %v", i, set, err)
		}
	}
	for i, want := range []bool{true, false} {
		value, ok, err := w.TakeSetting(w.ctx, "once")
		if ok != want || err != nil || ok && value != "0" {
			t.Errorf("take %d: %q, %v, %v", i, value, ok, err)
		}
	}
}

func settingTakenOnce(t *testing.T, w *world) {
	if err := w.SetSetting(w.ctx, "link", "v"); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	var got atomic.Int32
	for range 20 {
		wait.Go(func() {
			if _, ok, err := w.TakeSetting(w.ctx, "link"); err != nil {
				t.Error(err)
			} else if ok {
				got.Add(1)
			}
		})
	}
	wait.Wait()
	if got.Load() != 1 {
		t.Errorf("%d have it", got.Load())
	}
}

func people(t *testing.T, w *world) {
	p, err := w.CreatePerson(w.ctx, store.Person{Name: "Änne", Role: store.RoleAdmin, PasswordHash: "$argon2id$…"})
	if err != nil || p.ID == 0 || !p.CreatedAt.Equal(day()) {
		t.Fatalf("%+v, %v", p, err)
	}
	if _, err := w.CreatePerson(w.ctx, store.Person{Name: "äNNE", Role: store.RoleMember, PasswordHash: "x"}); !errors.Is(err, store.ErrExists) {
		t.Errorf("the same name: %v", err)
	}
	byName, err := w.PersonByName(w.ctx, "änne")
	if diff := cmp.Diff(p, byName); err != nil || diff != "" {
		t.Errorf("by name: %v\n%s", err, diff)
	}
	byID, err := w.PersonByID(w.ctx, p.ID)
	if diff := cmp.Diff(p, byID); err != nil || diff != "" {
		t.Errorf("by id: %v\n%s", err, diff)
	}
	if _, err := w.PersonByName(w.ctx, "bert"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	if n, err := w.CountPeople(w.ctx); n != 1 || err != nil {
		t.Error(n, err)
	}
}

func sessions(t *testing.T, w *world) {
	data := []byte{0, 1, 255, 'x'}
	later := day().Add(time.Hour)
	for _, token := range []string{"one", "two"} {
		if err := w.Commit(token, []byte("old"), day().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit("one", data, later); err != nil {
		t.Fatal(err)
	}
	got, ok, err := w.Find("one")
	if diff := cmp.Diff(data, got); !ok || err != nil || diff != "" {
		t.Errorf("%v, %v\n%s", ok, err, diff)
	}
	w.clock.Advance(time.Minute)
	if _, ok, err := w.Find("two"); ok || err != nil {
		t.Errorf("over, but found: %v, %v", ok, err)
	}
	if n, err := w.DeleteExpiredSessions(w.ctx); n != 1 || err != nil {
		t.Errorf("deleted %d, %v", n, err)
	}
	for range 2 {
		if err := w.Delete("one"); err != nil {
			t.Error(err)
		}
	}
	if _, ok, err := w.Find("one"); ok || err != nil {
		t.Errorf("deleted, but found: %v, %v", ok, err)
	}
}

func prune(t *testing.T, w *world) {
	end := func(e *store.Effect) {
		e.Alert.Status, e.Alert.EndsAt, e.Alert.UpdatedAt = alert.Resolved, day(), day()
	}
	old, unsent, dead := w.withNotes(t, "old", 1), w.withNotes(t, "unsent", 1), w.withNotes(t, "dead", 1)
	open := w.post(t, "open")
	for _, a := range []*alert.Alert{old, unsent, dead} {
		w.amend(t, a.ID, end)
	}
	c := w.claim(t, "chat/town", 100)
	var results []store.Settlement
	shown := map[alert.ID][]alert.ID{}
	for _, d := range c.Duties {
		m, err := w.RoomPost(w.ctx, store.RoomMessage{Channel: "ops", Key: d.Key, Body: []byte(`{}`)})
		if err != nil {
			t.Fatal(err)
		}
		shown[d.AlertID] = append(shown[d.AlertID], m.ID)
		x := done(d)
		switch d.AlertID {
		case unsent.ID:
			x = store.Settlement{ID: d.ID, Unsent: true}
		case dead.ID:
			x.State = store.DutyDead
		}
		results = append(results, x)
	}
	w.settle(t, c, results...)
	w.clock.Advance(24 * time.Hour)
	recent := w.post(t, "recent")
	w.amend(t, recent.ID, func(e *store.Effect) {
		e.Alert.Status, e.Alert.EndsAt, e.Alert.UpdatedAt = alert.Resolved, w.clock.Now(), w.clock.Now()
	})
	before := day().Add(time.Hour)
	if n, err := w.Prune(w.ctx, before, 10); n != 1 || err != nil {
		t.Errorf("deleted %d, %v", n, err)
	}
	if n, err := w.Prune(w.ctx, before, 10); n != 0 || err != nil {
		t.Errorf("then %d, %v", n, err)
	}
	left, err := w.AlertsByID(w.ctx, []alert.ID{old.ID, unsent.ID, dead.ID, open.ID, recent.ID})
	if err != nil || len(left) != 4 || left[old.ID] != nil {
		t.Errorf("left: %v, %v", left, err)
	}
	events, err := w.Events(w.ctx, old.ID, 0)
	if err != nil || len(events) != 0 {
		t.Errorf("events: %v, %v", events, err)
	}
	duties, err := w.Duties(w.ctx, old.ID)
	if err != nil || len(duties) != 0 {
		t.Errorf("duties: %v, %v", duties, err)
	}
	for id, messages := range shown {
		for _, m := range messages {
			if _, err := w.RoomMessage(w.ctx, m); (id == old.ID) != errors.Is(err, store.ErrNotFound) {
				t.Errorf("message %d of alert %d: %v", m, id, err)
			}
		}
	}
}
