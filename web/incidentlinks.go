// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"net/http"
	"slices"

	"belfry/alert"
	"belfry/incident"
	"belfry/store"
)

// sees is which of the incidents that another one names somebody with these faces
// may know of.
func (w *Web) sees(r *http.Request, faces []incident.Person) incident.Sees {
	return incident.Sees(func(number int64) (bool, error) {
		i, err := w.o.Store.Incident(r.Context(), number)
		if errors.Is(err, store.ErrNotFound) {
			return false, nil
		}
		return err == nil && visible(i, faces), err
	}).Once()
}

// entries reads a timeline as the person may see it, the oldest first.
func (w *Web) entries(r *http.Request, id alert.ID, f store.EntryFilter) ([]incident.Entry, error) {
	list, err := w.o.Store.IncidentEntries(r.Context(), id, f)
	if err != nil || !slices.ContainsFunc(list, func(e incident.Entry) bool { return e.Other != 0 }) {
		return list, err
	}
	faces, err := w.faces(r)
	if err != nil {
		return nil, err
	}
	return list, incident.Cover(list, w.sees(r, faces))
}
