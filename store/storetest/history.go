// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"belfry/alert"
	"belfry/store"
)

func intakeRecognised(t *testing.T, w *world) {
	a := problem("a")
	seen := func(intake string) (was bool) {
		c := store.Change{Source: "nagios", Fingerprint: a.Fingerprint, Intake: intake, Apply: func(v store.View) ([]store.Effect, error) {
			was = v.Seen
			return nil, nil
		}}
		w.one(t, c)
		return was
	}
	if seen("intake-opened") {
		t.Error("seen before it came")
	}
	inBatch := false
	again := store.Change{Source: "nagios", Fingerprint: a.Fingerprint, Intake: "intake-opened", Apply: func(v store.View) ([]store.Effect, error) {
		inBatch = v.Seen
		return nil, nil
	}}
	errs, err := w.Change(w.ctx, change(a, store.Effect{Alert: a, Events: []alert.Event{event(alert.EventOpened)}}), again)
	if err != nil || errors.Join(errs...) != nil || !inBatch {
		t.Errorf("in the same batch: seen %v, %v, %v", inBatch, errs, err)
	}
	if !seen("intake-opened") || seen("another") {
		t.Error("open alert: not recognised, or another one was")
	}
	w.amend(t, a.ID, func(e *store.Effect) { e.Alert.Status = alert.Resolved })
	if !seen("intake-opened") || !seen("intake-changed") || seen("another") {
		t.Error("closed alert: not recognised, or another one was")
	}
	byID := false
	w.one(t, store.Change{ID: a.ID, Intake: "intake-changed", Apply: func(v store.View) ([]store.Effect, error) {
		byID = v.Seen
		return nil, nil
	}})
	if !byID {
		t.Error("not recognised by id")
	}
}

func history(t *testing.T, w *world) {
	a := problem("a")
	w.one(t, change(a, store.Effect{Alert: a, Events: []alert.Event{event(alert.EventOpened), event(alert.EventChanged)}}))
	w.amend(t, a.ID, func(e *store.Effect) { e.Alert.Revision++ })
	whole, err := w.Events(w.ctx, a.ID, 0)
	if err != nil || len(whole) != 3 || whole[0].Kind != alert.EventOpened || whole[0].ID >= whole[1].ID || whole[1].ID >= whole[2].ID {
		t.Fatalf("events: %+v, %v", whole, err)
	}
	var keys []store.EventKey
	want := map[store.EventKey]alert.Event{}
	for i, e := range whole {
		newest, err := w.Events(w.ctx, a.ID, len(whole)-i)
		if diff := cmp.Diff(whole[i:], newest); err != nil || diff != "" {
			t.Errorf("the newest %d: %v\n%s", len(whole)-i, err, diff)
		}
		key := store.EventKey{Alert: a.ID, Event: e.ID}
		keys, want[key] = append(keys, key), e
	}
	strange := store.EventKey{Alert: a.ID, Event: a.ID}
	for _, list := range [][]store.EventKey{append(keys, strange), {strange}, {keys[2], strange}, {keys[0]}} {
		found, err := w.EventsByID(w.ctx, list)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range list {
			e, ok := found[k]
			if wanted, is := want[k]; ok != is || cmp.Diff(wanted, e) != "" {
				t.Errorf("event %+v of %+v: %+v, wanted %+v", k, list, e, wanted)
			}
		}
		if len(found) > len(list) {
			t.Errorf("more than was asked for: %+v", found)
		}
	}
}
