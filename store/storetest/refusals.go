// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"belfry/alert"
	"belfry/store"
)

func errorLeavesAll(t *testing.T, w *world) {
	boom := errors.New("no")
	a, b := problem("a"), problem("b")
	bad := change(a)
	bad.Apply = func(store.View) ([]store.Effect, error) { return []store.Effect{{Alert: a}}, boom }
	errs, err := w.Change(w.ctx, bad, change(b, store.Effect{Alert: b}))
	if err != nil || !errors.Is(errs[0], boom) || errs[1] != nil {
		t.Fatal(errs, err)
	}
	w.onlyOpen(t, b.ID)
}

// onlyOpen checks which alerts are open.
func (w *world) onlyOpen(t *testing.T, want ...alert.ID) {
	t.Helper()
	open, err := w.OpenAlerts(w.ctx, "nagios")
	var got []alert.ID
	for _, a := range open {
		got = append(got, a.ID)
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("open alerts: %v\n%s", err, diff)
	}
}

func panicIsError(t *testing.T, w *world) {
	b := problem("b")
	bad := change(problem("a"))
	bad.Apply = func(store.View) ([]store.Effect, error) { panic("at the desk") }
	errs, err := w.Change(w.ctx, bad, change(b, store.Effect{Alert: b}))
	if err != nil || errs[0] == nil || !strings.Contains(errs[0].Error(), "at the desk") || errs[1] != nil {
		t.Fatal(errs, err)
	}
	w.onlyOpen(t, b.ID)
}

func badTextRefused(t *testing.T, w *world) {
	for _, spoil := range []func(e *store.Effect){
		func(e *store.Effect) { e.NewCards = []string{"chat/\x00"} },
		func(e *store.Effect) { e.Notes = []string{"chat/\xff"} },
		func(e *store.Effect) { e.Events[0].Intake = "\x00" },
		func(e *store.Effect) { e.Alert.Source = "" },
		func(e *store.Effect) { e.Alert.Status = "" },
		func(e *store.Effect) { e.Alert = nil },
		func(e *store.Effect) { e.Events, e.Writeback = nil, "monitor/nagios" },
	} {
		a, b := problem("a"), problem("b")
		e := store.Effect{Alert: a, Events: []alert.Event{event(alert.EventChanged)}}
		spoil(&e)
		b.Status = alert.Resolved
		errs, err := w.Change(w.ctx, change(problem("a"), e), change(b, store.Effect{Alert: b}))
		if err != nil || errs[0] == nil || errs[1] != nil {
			t.Error(errs, err)
		}
	}
	w.onlyOpen(t)
}

func secondOpenRefused(t *testing.T, w *world) {
	a, b := w.post(t, "a"), problem("b")
	second := problem("a")
	errs, err := w.Change(w.ctx, change(second, store.Effect{Alert: second}), change(b, store.Effect{Alert: b}))
	if err != nil || errs[0] == nil || errs[1] != nil {
		t.Fatal(errs, err)
	}
	w.onlyOpen(t, a.ID, b.ID)
}

func nothing(t *testing.T, w *world) {
	w.one(t, change(problem("a")))
	if errs, err := w.Change(w.ctx); err != nil || len(errs) != 0 {
		t.Error(errs, err)
	}
	w.onlyOpen(t)
	if told := w.heard(); len(told) > 0 {
		t.Errorf("told %v", told)
	}
}

func strangeRefused(t *testing.T, w *world) {
	a := w.post(t, "a")
	stranger := a.Clone()
	stranger.Output = "changed"
	errs, err := w.Change(w.ctx, change(problem("b"), store.Effect{Alert: stranger}))
	if err != nil || errs[0] == nil {
		t.Error(errs, err)
	}
	if got, err := w.Alert(w.ctx, a.ID); err != nil || got.Output != a.Output {
		t.Errorf("%+v, %v", got, err)
	}
}

func givenUp(t *testing.T, w *world) {
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	a := problem("a")
	if _, err := w.Change(ctx, change(a, store.Effect{Alert: a})); err == nil {
		t.Error("no error")
	}
	w.onlyOpen(t)
}
