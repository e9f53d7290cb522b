// SPDX-License-Identifier: Apache-2.0

package interaction

import (
	"context"
	"errors"

	"belfry/alert"
	"belfry/chat"
	"belfry/desk"
	"belfry/store"
)

// Places finds cards by where they stand.
type Places interface {
	CardAt(ctx context.Context, connection, receipt string) (store.Duty, error)
	CardsOn(ctx context.Context, connection string, limit int) ([]store.Duty, error)
}

var _ chat.Reactor = (*Interaction)(nil)

// TakeReactions has emoji on cards carried out that p finds. Call it before
// anybody reacts.
func (i *Interaction) TakeReactions(p Places) { i.places = p }

// React implements chat.Reactor. A reaction carries no seal: that it stands on
// the very message that a card is, and who put it there, is the platform's word.
// One that changes nothing (a second ✅) is no question, and gets no answer.
func (i *Interaction) React(ctx context.Context, r chat.Reaction) chat.Answer {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	card, err := i.at(ctx, r.Actor.Connection, r.Ref)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return chat.Answer{}
	case err != nil:
		return chat.Answer{Whisper: sayTrouble}
	}
	if no := i.refused(ctx, r.Actor); no != nil {
		return *no
	}
	switch r.Act {
	case chat.ReactAck:
		err = i.desk.Acknowledge(ctx, card.AlertID, desk.AnyGeneration, r.Actor.Name, "")
	case chat.ReactUnack:
		if r.Withdrawn && !i.ownAck(ctx, card.AlertID, r.Actor.Name) {
			return chat.Answer{}
		}
		err = i.desk.Unacknowledge(ctx, card.AlertID, desk.AnyGeneration, r.Actor.Name)
	}
	for _, same := range []error{alert.ErrResolved, alert.ErrAcknowledged, alert.ErrPending, alert.ErrNotAcked, alert.ErrRemoving, alert.ErrNotProblem} {
		if errors.Is(err, same) {
			return chat.Answer{}
		}
	}
	return answer(err)
}

// ownAck says whether somebody acknowledged an alert themselves.
func (i *Interaction) ownAck(ctx context.Context, id alert.ID, name string) bool {
	a, err := i.store.Alert(ctx, id)
	return err == nil && a.Ack.By == name
}

// IsOpen implements chat.Reactor.
func (i *Interaction) IsOpen(ctx context.Context, connection string, ref chat.Ref) (bool, error) {
	_, err := i.at(ctx, connection, ref)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Open implements chat.Reactor.
func (i *Interaction) Open(ctx context.Context, connection string, limit int) ([]chat.Ref, error) {
	if i.places == nil {
		return nil, nil
	}
	cards, err := i.places.CardsOn(ctx, connection, limit)
	if err != nil {
		return nil, err
	}
	out := make([]chat.Ref, 0, len(cards))
	for _, c := range cards {
		ref, _ := chat.ParseReceipt(c.Receipt)
		out = append(out, ref)
	}
	return out, nil
}

// at returns the open card that stands at ref, or store.ErrNotFound.
func (i *Interaction) at(ctx context.Context, connection string, ref chat.Ref) (store.Duty, error) {
	if i.places == nil || ref.Channel == "" || ref.Post == "" {
		return store.Duty{}, store.ErrNotFound
	}
	return i.places.CardAt(ctx, connection, ref.Receipt())
}
