// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"testing"

	"belfry/incident"
	"belfry/store"
)

// keys: what a key names is known from its first effect on, for good; what was
// refused or did nothing leaves no key behind.
func keys(t *testing.T, w *world) {
	w.declare(t, declared("a"))
	w.declare(t, declared("b"))
	no := errors.New("no")
	try := func(number int64, key string, refuse error, known int64) {
		t.Helper()
		err := w.ChangeIncident(w.ctx, store.IncidentChange{Numbers: []int64{number}, Key: key, Apply: func(v store.IncidentView) ([]store.IncidentEffect, error) {
			if v.Known != known {
				t.Errorf("%q is known for #%d, want #%d", key, v.Known, known)
			}
			if v.Known != 0 || refuse != nil {
				return nil, refuse
			}
			i := v.Incidents[number]
			return []store.IncidentEffect{{Incident: i, Entries: []incident.Entry{entry(incident.EntryNote, day())}}}, nil
		}})
		if !errors.Is(err, refuse) {
			t.Error(err)
		}
	}
	const key = "kept chat c1 p1 \x00 „timeline“"
	try(2, key, no, 0)
	try(2, key, nil, 0)
	try(2, key, nil, 2)
	try(1, key, nil, 2)
	try(1, key+"!", nil, 0)
	w.reopen(t)
	try(1, key, no, 2)
	try(1, "", nil, 0)
}
