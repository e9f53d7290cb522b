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

// sight is which of the incidents that another one names somebody may know of.
// Each is read once.
type sight struct {
	w     *Web
	r     *http.Request
	faces []incident.Person
	known map[int64]bool
}

func (w *Web) sight(r *http.Request) (*sight, error) {
	faces, err := w.faces(r)
	return &sight{w, r, faces, map[int64]bool{}}, err
}

// sees says whether the person may know of the incident of this number.
func (s *sight) sees(number int64) (bool, error) {
	if is, ok := s.known[number]; ok {
		return is, nil
	}
	i, err := s.w.o.Store.Incident(s.r.Context(), number)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	s.known[number] = err == nil && visible(i, s.faces)
	return s.known[number], nil
}

// entries reads a timeline as the person may see it, the oldest first.
func (w *Web) entries(r *http.Request, id alert.ID, f store.EntryFilter) ([]incident.Entry, error) {
	list, err := w.o.Store.IncidentEntries(r.Context(), id, f)
	if err != nil || !slices.ContainsFunc(list, func(e incident.Entry) bool { return e.Other != 0 }) {
		return list, err
	}
	s, err := w.sight(r)
	if err != nil {
		return nil, err
	}
	return list, incident.Cover(list, s.sees)
}
