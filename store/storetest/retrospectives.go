// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"belfry/incident"
	"belfry/store"
)

// retrospectives: of two who edit the same version one is told.
func retrospectives(t *testing.T, w *world) {
	i := w.declare(t, declared("shop"))
	if _, err := w.Retrospective(w.ctx, i.ID); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("nobody wrote one: %v", err)
	}
	first := incident.Retrospective{Version: 1, At: day(), By: anna(), Text: "# What happened\n„it broke“ \U0001F525"}
	if err := w.EditRetrospective(w.ctx, i.ID, first); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Retrospective(w.ctx, i.ID); err != nil || !cmp.Equal(first, got) {
		t.Errorf("%v\n%s", err, cmp.Diff(first, got))
	}
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for n := range errs {
		wg.Go(func() {
			errs[n] = w.EditRetrospective(w.ctx, i.ID, incident.Retrospective{Version: 2, At: day(), By: anna(), Text: "b\x00"})
		})
	}
	wg.Wait()
	saved := 0
	for _, err := range errs {
		if err == nil {
			saved++
		} else if !errors.Is(err, store.ErrOutdated) {
			t.Error(err)
		}
	}
	if saved != 1 {
		t.Errorf("%d of those who edited one version were told it is saved", saved)
	}
	if got, err := w.Retrospective(w.ctx, i.ID); err != nil || got.Version != 2 || got.Text != "b\ufffd" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := w.EditRetrospective(w.ctx, i.ID, incident.Retrospective{Version: 9, At: day()}); !errors.Is(err, store.ErrOutdated) {
		t.Error(err)
	}
	if err := w.EditRetrospective(w.ctx, i.ID+1, incident.Retrospective{Version: 1, At: day()}); !errors.Is(err, store.ErrOutdated) {
		t.Error("an incident that is not there has a retrospective now:", err)
	}
}
