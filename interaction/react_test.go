// SPDX-License-Identifier: Apache-2.0

package interaction

import (
	"context"
	"errors"
	"slices"
	"testing"

	"belfry/alert"
	"belfry/chat"
	"belfry/store"
)

// CardAt and CardsOn find the room's card where it stands.
func (r *room) CardAt(_ context.Context, connection, receipt string) (store.Duty, error) {
	switch {
	case receipt == "broken x":
		return store.Duty{}, errors.New("the disk is full")
	case connection != "chat" || receipt != r.card.Receipt:
		return store.Duty{}, store.ErrNotFound
	}
	return r.card, nil
}

func (r *room) CardsOn(context.Context, string, int) ([]store.Duty, error) {
	return []store.Duty{r.card}, nil
}

func (r *room) react(act string, at chat.Ref) chat.Answer {
	return r.React(context.Background(), chat.Reaction{Actor: alice, Ref: at, Act: act})
}

func TestAReactionActsForThePersonWhoReacted(t *testing.T) {
	r := newRoom(t)
	r.TakeReactions(r)
	for _, act := range []string{chat.ReactAck, chat.ReactUnack, "explode"} {
		if got := r.react(act, where); got.Whisper != "" {
			t.Errorf("%s: %+v", act, got)
		}
	}
	if want := []string{"ack 5 gen -1 by alice: ", "unack 5 gen -1 by alice"}; !slices.Equal(r.acts, want) {
		t.Errorf("%q", r.acts)
	}
	if open, err := r.Open(t.Context(), "chat", 9); err != nil || !slices.Equal(open, []chat.Ref{where}) {
		t.Errorf("%v, %v", open, err)
	}
}

func TestAReactionElsewhereDoesNothing(t *testing.T) {
	r := newRoom(t)
	gate := &closed{}
	r.SetGate(gate)
	if ok, err := r.IsOpen(t.Context(), "chat", where); ok || err != nil {
		t.Errorf("%v, %v", ok, err) // nobody said where cards stand
	}
	r.TakeReactions(r)
	for _, at := range []chat.Ref{{}, {Channel: "c1", Post: "other"}, {Channel: "other", Post: "p1"}} {
		if got := r.react(chat.ReactAck, at); got.Whisper != "" {
			t.Errorf("%v: %+v", at, got)
		}
		if ok, err := r.IsOpen(t.Context(), "chat", at); ok || err != nil {
			t.Errorf("%v: %v, %v", at, ok, err)
		}
	}
	if got := r.react(chat.ReactAck, chat.Ref{Channel: "broken", Post: "x"}); got.Whisper != sayTrouble {
		t.Errorf("%+v", got)
	}
	if len(r.acts) > 0 || len(gate.asked) > 0 {
		t.Errorf("%q, %v", r.acts, gate.asked)
	}
}

func TestAReactionIsAskedAboutAtTheGate(t *testing.T) {
	r := newRoom(t)
	r.TakeReactions(r)
	r.SetGate(&closed{})
	if got := r.react(chat.ReactAck, where); got.Whisper != "not you" || got.Link == nil || len(r.acts) > 0 {
		t.Errorf("%+v, %q", got, r.acts)
	}
}

func TestAReactionThatChangesNothingIsSilent(t *testing.T) {
	r := newRoom(t)
	r.TakeReactions(r)
	for err, said := range map[error]string{alert.ErrAcknowledged: "", alert.ErrPending: "", alert.ErrResolved: "", errors.New("x"): sayTrouble} {
		r.err = err
		if got := r.react(chat.ReactAck, where); got.Whisper != said {
			t.Errorf("%v: %+v", err, got)
		}
	}
}
