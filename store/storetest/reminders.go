// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"slices"
	"testing"
	"time"

	"belfry/incident"
)

// reminders: the first that is due is found, also after a restart, and those
// whose reminders may have to be reckoned anew.
func reminders(t *testing.T, w *world) {
	next := func(want int64, at time.Time) {
		t.Helper()
		if n, due, err := w.NextReminder(w.ctx); err != nil || n != want || !due.Equal(at) {
			t.Errorf("the next is #%d at %s, %v; want #%d at %s", n, due, err, want, at)
		}
	}
	next(0, time.Time{})
	for _, after := range []time.Duration{time.Hour, time.Minute, 0} {
		i := &incident.Incident{Kind: incident.Normal, Status: incident.Started, Title: "x", CreatedAt: day(), UpdatedAt: day()}
		if after > 0 {
			i.RemindAt = day().Add(after)
		}
		w.declare(t, i)
	}
	next(2, day().Add(time.Minute))
	w.reopen(t)
	next(2, day().Add(time.Minute))
	for number, at := range map[int64]time.Duration{2: 2 * time.Hour, 3: time.Second} { // #3 has none, and gets none
		if err := w.PostponeReminder(w.ctx, number, day().Add(at)); err != nil {
			t.Fatal(err)
		}
	}
	next(1, day().Add(time.Hour))
	later := func(number int64, at time.Time, status incident.Status, tasks ...incident.Task) {
		t.Helper()
		if err := w.alter(number, func(i *incident.Incident) error { i.RemindAt, i.Status, i.Tasks = at, status, tasks; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	later(2, time.Time{}, incident.Resolved)
	next(1, day().Add(time.Hour))
	later(1, time.Time{}, incident.Closed, incident.Task{Number: 1, Kind: incident.FollowUp, Text: "write", Due: day()})
	next(0, time.Time{})
	if list, err := w.Unresting(w.ctx); err != nil || !slices.Equal(list, []int64{1, 3}) {
		t.Errorf("unresting are %v, %v", list, err)
	}
}
