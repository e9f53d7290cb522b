// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"belfry/store"
)

func healthCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"what struggles is told by destination": struggles,
		"when a source was heard of":            lastHeard,
	}
}

func struggles(t *testing.T, w *world) {
	w.post(t, "a", "chat/town", "chat/hall")
	w.post(t, "b", "chat/town")
	if list, err := w.Struggles(w.ctx); err != nil || len(list) != 0 {
		t.Errorf("what was never tried struggles: %+v, %v", list, err)
	}
	for range 2 {
		c := w.claim(t, "chat/town", 1)
		w.settle(t, c, failed(c.Duties[0], w.clock.Now().Add(time.Second)))
		w.clock.Advance(time.Second)
	}
	hall := w.claim(t, "chat/hall", 1)
	w.done(t, hall)
	list, err := w.Struggles(w.ctx)
	if err != nil || len(list) != 1 || list[0].Destination != "chat/town" || list[0].LastError != "503" {
		t.Fatalf("%+v, %v", list, err)
	}
	if list[0].Waiting+list[0].Attempts != 3 { // one duty twice, or two once
		t.Errorf("%+v", list[0])
	}
	w.done(t, w.claim(t, "chat/town", 10))
	if list, err := w.Struggles(w.ctx); err != nil || len(list) != 0 {
		t.Errorf("what arrived still struggles: %+v, %v", list, err)
	}
}

func lastHeard(t *testing.T, w *world) {
	if heard, err := w.LastHeard(w.ctx); err != nil || len(heard) != 0 {
		t.Errorf("%v, %v", heard, err)
	}
	first, later := problem("a"), problem("b")
	later.UpdatedAt = day().Add(time.Minute)
	other := problem("c")
	other.Source = "icinga"
	for _, a := range []*store.Effect{{Alert: first}, {Alert: later}, {Alert: other}} {
		w.one(t, change(a.Alert, *a))
	}
	heard, err := w.LastHeard(w.ctx)
	want := map[string]time.Time{"nagios": day().Add(time.Minute), "icinga": day()}
	if diff := cmp.Diff(want, heard); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}
