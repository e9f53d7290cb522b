// SPDX-License-Identifier: Apache-2.0

package response_test

import (
	"errors"
	"testing"
	"time"

	"belfry/clock"
	"belfry/incident"
	"belfry/response"
	"belfry/store"
	"belfry/store/opentest"
)

func TestRefusalsAndTroubleAreToldApart(t *testing.T) {
	c := clock.NewManual(time.Date(2026, 3, 14, 15, 9, 26, 123, time.UTC))
	s := opentest.Open(t, store.Options{Clock: c})
	r := response.New(s, incident.Defaults, func() []string { return nil }, c)
	anna := incident.Person{Connection: "chat", ID: "u1", Name: "anna"}
	refused := func(want error, err error) {
		t.Helper()
		if _, no := errors.AsType[*response.RefusedError](err); !no || want != nil && !errors.Is(err, want) {
			t.Errorf("want a refusal (%v), got %v", want, err)
		}
	}
	_, err := r.Declare(t.Context(), incident.Declaration{By: anna}, 7, 0)
	refused(response.ErrNoAlert, err)
	_, err = r.Declare(t.Context(), incident.Declaration{By: anna}, 0, 7)
	refused(response.ErrNoIncident, err)
	_, err = r.Move(t.Context(), 1, incident.Resolve, anna, "")
	refused(response.ErrNoIncident, err)
	one, err := r.Declare(t.Context(), incident.Declaration{By: anna}, 0, 0)
	if err != nil || one.Incident.Number != 1 || one.Entry.Kind != incident.EntryDeclared {
		t.Fatalf("the first is %+v, %v", one, err)
	}
	sub, err := r.Declare(t.Context(), incident.Declaration{Title: "part", By: anna}, 0, 1)
	if err != nil || sub.Incident.Parent != 1 || sub.Incident.Kind != incident.Sub {
		t.Fatalf("%+v, %v", sub, err)
	}
	parent, err := s.Incident(t.Context(), 1)
	if err != nil || len(parent.Subs) != 1 || parent.Subs[0] != 2 || parent.Entries != 2 {
		t.Errorf("%+v, %v", parent, err)
	}
	_, err = r.Move(t.Context(), 1, incident.Close, anna, "")
	refused(nil, err)
	_, err = r.Duplicate(t.Context(), 1, anna, 1)
	refused(incident.ErrDuplicateSelf, err)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = r.Move(t.Context(), 1, incident.Resolve, anna, "")
	if _, no := errors.AsType[*response.RefusedError](err); no || !errors.Is(err, store.ErrClosed) {
		t.Errorf("a closed store: %v", err)
	}
}
