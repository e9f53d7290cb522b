// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"belfry/alert"
	"belfry/store"
)

func measureCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){"what fires, waits and was given up is counted": measures}
}

func measures(t *testing.T, w *world) {
	check := func(want store.Measures) {
		t.Helper()
		got, err := w.Measures(w.ctx)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
	}
	check(store.Measures{Payloads: map[string]int{}})
	w.post(t, "one", "chat/town", "chat/hall")
	w.post(t, "two", "chat/town")
	mild := problem("mild")
	mild.Severity, mild.Source = alert.SeverityWarning, "web"
	w.one(t, change(mild, store.Effect{Alert: mild}))
	over := problem("over")
	over.Status = alert.Resolved
	w.one(t, change(over, store.Effect{Alert: over}))
	first := w.claim(t, "chat/hall", 1)
	w.settle(t, first, store.Settlement{ID: first.Duties[0].ID, State: store.DutyDead, Failed: true, Err: "archived"})
	w.clock.Advance(time.Minute)
	second := w.claim(t, "chat/town", 1)
	w.settle(t, second, failed(second.Duties[0], day().Add(time.Hour)))
	for range 2 {
		if _, _, err := w.KeepPayload(w.ctx, store.Payload{Source: "hook", Body: []byte("?")}); err != nil {
			t.Fatal(err)
		}
	}
	check(store.Measures{
		Firing: []store.FiringCount{{Source: "nagios", Severity: alert.SeverityCritical, N: 2}, {Source: "web", Severity: alert.SeverityWarning, N: 1}},
		Duties: []store.DutyCount{{Destination: "chat/hall", State: store.DutyDead, N: 1, Failing: 1, Oldest: day()},
			{Destination: "chat/town", State: store.DutyDue, N: 2, Failing: 1, Oldest: day()}},
		Payloads: map[string]int{"hook": 2},
	})
}
