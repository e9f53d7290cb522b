// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/store"
)

// answerWithin bounds how long a person waits for the answer to a press,
// whatever a monitoring system does.
const answerWithin = 3 * time.Second

// What people are told when a press leads nowhere.
const (
	sayGone    = "This card is no longer there. Look at the page again."
	sayChanged = "This card has changed since you saw it. Look at it again and press what it offers now."
	sayExpired = "This form has expired. Close it and press the button again."
	sayNotNow  = "Belfry could not read this card just now. Nothing was done: please try again."
	sayNobody  = "Belfry is still starting. Nothing was done: please try again in a moment."
)

// SetResponder says who turns presses into acts. Until then presses are
// answered with a request to try again.
func (r *Room) SetResponder(to chat.Responder) { r.responder.Store(&to) }

// Reply is what a person gets for a press or a submit.
type Reply struct {
	// Whisper is for this person only; Link, if any, stands after it.
	Whisper string
	Link    *chat.Link
	// Message is the answer to a typed line; nil: none.
	Message *chat.Message
	// Form is to be filled in; nil: none.
	Form *Form
	// Errors are shown at the fields of the form that was submitted, which stays open.
	Errors map[string]string
}

// Press is actor's press of the button with this action on the card id.
func (r *Room) Press(ctx context.Context, actor chat.Actor, id alert.ID, action string) Reply {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	to := r.responder.Load()
	if to == nil {
		return Reply{Whisper: sayNobody}
	}
	m, err := r.storage.RoomMessage(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && m.Deleted {
		return Reply{Whisper: sayGone}
	}
	if err != nil {
		r.log.WarnContext(ctx, "can't read a card of the room for a press", "card", id, "err", err)
		return Reply{Whisper: sayNotNow}
	}
	if say := r.barred(ctx, actor, m.Channel, sayGone); say != "" {
		return Reply{Whisper: say}
	}
	var body chat.Message
	if err := json.Unmarshal(m.Body, &body); err != nil {
		r.log.ErrorContext(ctx, "a card of the room can't be decoded", "card", id, "err", err)
		return Reply{Whisper: sayNotNow}
	}
	if mark, is := strings.CutPrefix(action, keepAction); is {
		return r.keep(ctx, actor, m, mark)
	}
	for _, b := range body.Buttons {
		if b.Action != action {
			continue
		}
		answer := (*to).Press(ctx, chat.Press{Actor: actor, Token: b.Token, Ref: ref(m)})
		reply := Reply{Whisper: chat.Clean(answer.Whisper)}
		if answer.Dialog != nil {
			reply.Form = r.dialogs.open(actor, *answer.Dialog)
		}
		return reply
	}
	return Reply{Whisper: sayChanged}
}

// Submit is actor's filled-in (or cancelled) form.
func (r *Room) Submit(ctx context.Context, actor chat.Actor, formID string, values map[string]string, cancelled bool) Reply {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	to := r.responder.Load()
	if to == nil {
		return Reply{Whisper: sayNobody}
	}
	form, state, ok := r.dialogs.find(actor, formID)
	if !ok && cancelled {
		return Reply{}
	}
	if !ok {
		return Reply{Whisper: sayExpired}
	}
	filled, wrong := form.check(values)
	if len(wrong) > 0 && !cancelled {
		return Reply{Form: form.with(filled), Errors: wrong}
	}
	if cancelled {
		filled = nil
	}
	answer := (*to).Submit(ctx, chat.Submit{Actor: actor, State: state, Values: filled, Cancelled: cancelled})
	if len(answer.FieldErrors) > 0 && !cancelled {
		return Reply{Whisper: chat.Clean(answer.Whisper), Form: form.with(filled), Errors: answer.FieldErrors}
	}
	r.dialogs.close(formID)
	return Reply{Whisper: chat.Clean(answer.Whisper)}
}

// barred says why somebody can't act in a channel; "" when they can. hidden is
// what they are told of one that they can't see.
func (r *Room) barred(ctx context.Context, actor chat.Actor, channel, hidden string) string {
	err := r.check(ctx, actor, channel)
	if errors.Is(err, ErrNoChannel) {
		return hidden
	}
	archived := false
	if err == nil {
		archived, err = r.archived(ctx, channel)
	}
	switch {
	case err != nil:
		r.log.WarnContext(ctx, "can't look at a channel of the room", "channel", channel, "err", err)
		return sayNotNow
	case archived:
		return sayArchived
	}
	return ""
}
