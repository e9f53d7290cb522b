// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"testing"

	"belfry/alert"
	"belfry/store"
)

func placeCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"cards are found where they stand": cardPlaces,
	}
}

func cardPlaces(t *testing.T, w *world) {
	a := w.post(t, "a", "chat/town", "chat2/town")
	b := w.post(t, "b", "chat/town")
	waiting := w.post(t, "c", "chat/hall") // it is not posted yet
	for _, destination := range []string{"chat/town", "chat2/town"} {
		w.done(t, w.claim(t, destination, 10))
	}
	cards, err := w.CardsOn(w.ctx, "chat", 10)
	if err != nil || len(cards) != 2 || cards[0].AlertID != b.ID || cards[1].AlertID != a.ID {
		t.Fatalf("%+v, %v; c is %d", cards, err, waiting.ID)
	}
	if one, err := w.CardsOn(w.ctx, "chat", 1); err != nil || len(one) != 1 || one[0].AlertID != b.ID {
		t.Errorf("%+v, %v", one, err)
	}
	place := cards[1].Receipt
	if d, err := w.CardAt(w.ctx, "chat", place); err != nil || d.AlertID != a.ID {
		t.Errorf("%+v, %v", d, err)
	}
	for _, at := range [][2]string{{"chat2", place}, {"cha", place}, {"chat", "channel nowhere"}, {"chat", ""}} {
		if d, err := w.CardAt(w.ctx, at[0], at[1]); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%q: %+v, %v", at, d, err)
		}
	}
	w.amend(t, a.ID, func(e *store.Effect) { e.Alert.Status = alert.Resolved })
	if d, err := w.CardAt(w.ctx, "chat", place); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the card of what is over: %+v, %v", d, err)
	}
	if open, err := w.CardsOn(w.ctx, "chat", 10); err != nil || len(open) != 1 || open[0].AlertID != b.ID {
		t.Errorf("%+v, %v", open, err)
	}
}
