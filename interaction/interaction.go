// SPDX-License-Identifier: Apache-2.0

// Package interaction turns what people do in chat into acts at the desk, and
// the outcome into an answer that only they see.
//
// A card's buttons carry a token that was sealed when the card was rendered: it
// names the card, a random reference kept with it, what the button does, the
// generation of the acknowledgement it was made for, and when it expires. A
// press counts only if the seal opens, the reference is the card's, and the
// press comes from the very message in the very connection that the card is.
// A second press of the same button finds another generation and does nothing.
// Whether this person may act here is asked of the gate at each press and each
// submit, before anything is changed.
package interaction

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/clock"
	"belfry/desk"
	"belfry/message"
	"belfry/seal"
	"belfry/store"
)

const (
	// buttonLife is how long a button works. Cards are rendered anew far more
	// often; an older one is refreshed when it is pressed.
	buttonLife = 30 * 24 * time.Hour
	// dialogLife is how long a form may stay open.
	dialogLife = time.Hour
	// answerWithin bounds an act: chat platforms wait three seconds.
	answerWithin = time.Second

	// placedWithin is how long a press waits for the place of its card,
	// placedLook how often it looks.
	placedWithin = 400 * time.Millisecond
	placedLook   = 10 * time.Millisecond

	purposeButton = "button"
	purposeDialog = "dialog"
)

// Store is what is looked up.
type Store interface {
	Duty(ctx context.Context, id alert.ID) (store.Duty, error)
	Alert(ctx context.Context, id alert.ID) (*alert.Alert, error)
}

// Desk carries the acts out.
type Desk interface {
	Acknowledge(ctx context.Context, id alert.ID, generation int, by, comment string) error
	Unacknowledge(ctx context.Context, id alert.ID, generation int, by string) error
	Refresh(ctx context.Context, id alert.ID) error
}

// Interaction implements chat.Responder for every connection.
type Interaction struct {
	sealer *seal.Sealer
	store  Store
	desk   Desk
	clock  clock.Clock
	trials Trials
	forms  Forms
	gate   chat.Gate
	places Places // nil: reactions are left alone
	finder Finder // nil: so are other programs' buttons
}

var (
	_ chat.Responder = (*Interaction)(nil)
	_ chat.Verifier  = (*Interaction)(nil)
)

// New returns the responder.
func New(s *seal.Sealer, st Store, d Desk, c clock.Clock) *Interaction {
	return &Interaction{sealer: s, store: st, desk: d, clock: c}
}

// SetGate says whom to ask before every act; without one anybody may act whom
// the platform names. Call it before the first press.
func (i *Interaction) SetGate(g chat.Gate) { i.gate = g }

// refused is what somebody is told who may not act now; nil: they may.
func (i *Interaction) refused(ctx context.Context, who chat.Actor) *chat.Answer {
	if i.gate == nil {
		return nil
	}
	return i.gate.May(ctx, who)
}

// claim is what a token says.
type claim struct {
	Card       alert.ID `json:"c"`
	Ref        string   `json:"r"`
	Action     string   `json:"a"`
	Generation int      `json:"g"`
	// Expires in Unix seconds.
	Expires int64 `json:"x"`
	// Actor is bound into dialogs: who opened it submits it.
	Actor string `json:"u,omitempty"`
}

// Tokens returns what seals the buttons of a card.
func (i *Interaction) Tokens(a *alert.Alert, card store.Duty) func(action string) string {
	return func(action string) string {
		token, err := i.sealer.Seal(purposeButton, claim{Card: card.ID, Ref: card.Ref, Action: action,
			Generation: a.Ack.Generation, Expires: i.clock.Now().Add(buttonLife).Unix()})
		if err != nil {
			return "" // such a button is refused when pressed
		}
		return token
	}
}

// What people read when their press or form is not accepted.
const (
	sayForged  = "That button is not one of mine, so I did nothing."
	sayExpired = "That button had grown too old, so I did nothing. I'm refreshing the card: please press again."
	sayGone    = "I don't keep that problem any more, so there is nothing to do."
	sayUnsure  = "I could not tell whether that was noted. Look at the card in a moment, and press again if it shows nothing."
	sayTrouble = "I could not note that, so nothing was done. Please try again in a moment."
	sayOldForm = "This form was open for too long. Please press the button again."
	sayNotYou  = "Somebody else opened this form, so I did nothing."
)

// Press implements chat.Responder.
func (i *Interaction) Press(ctx context.Context, p chat.Press) chat.Answer {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if i.trials != nil {
		if answer, ok := i.trials.Press(ctx, p); ok {
			return answer
		}
	}
	if i.forms != nil {
		if answer, ok := i.forms.Press(ctx, p); ok {
			return answer
		}
	}
	var c claim
	if err := i.sealer.Open(purposeButton, p.Token, &c); err != nil {
		return chat.Answer{Whisper: sayForged}
	}
	card, refusal := i.card(ctx, c, p.Actor.Connection)
	if refusal != "" {
		return chat.Answer{Whisper: refusal}
	}
	card = i.placed(ctx, card)
	if card.Receipt != "" && card.Receipt != p.Ref.Channel+" "+p.Ref.Post {
		return chat.Answer{Whisper: sayForged}
	}
	if no := i.refused(ctx, p.Actor); no != nil {
		return *no
	}
	if i.clock.Now().Unix() > c.Expires {
		if err := i.desk.Refresh(ctx, card.AlertID); err != nil {
			return chat.Answer{Whisper: sayTrouble}
		}
		return chat.Answer{Whisper: sayExpired}
	}
	switch c.Action {
	case message.ActionAck:
		return answer(i.desk.Acknowledge(ctx, card.AlertID, c.Generation, p.Actor.Name, ""))
	case message.ActionUnack:
		return answer(i.desk.Unacknowledge(ctx, card.AlertID, c.Generation, p.Actor.Name))
	case message.ActionAckComment:
		return i.askComment(ctx, p.Actor, c, card)
	case message.ActionDeclare:
		return i.declare(ctx, p.Actor, card)
	}
	return chat.Answer{Whisper: sayForged}
}

// Genuine implements chat.Verifier. It looks at the seal alone.
func (i *Interaction) Genuine(sealed string) bool {
	var c claim
	return i.sealer.Open(purposeButton, sealed, &c) == nil || i.sealer.Open(purposeDialog, sealed, &c) == nil ||
		i.trials != nil && i.trials.Genuine(sealed) || i.forms != nil && i.forms.Genuine(sealed)
}

// placed waits a little for the place of a card that was posted a moment ago to
// be recorded. Where it is not (the database has trouble), the seal and the
// reference must do.
func (i *Interaction) placed(ctx context.Context, card store.Duty) store.Duty {
	waiting, cancel := context.WithTimeout(ctx, placedWithin)
	defer cancel()
	for card.Receipt == "" && waiting.Err() == nil {
		select {
		case <-waiting.Done():
		case <-i.clock.After(placedLook):
		}
		if now, err := i.store.Duty(ctx, card.ID); err == nil {
			card = now
		}
	}
	return card
}

// card returns the card that a claim is about, or what to say instead.
func (i *Interaction) card(ctx context.Context, c claim, connection string) (store.Duty, string) {
	card, err := i.store.Duty(ctx, c.Card)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return store.Duty{}, sayGone
	case err != nil:
		return store.Duty{}, sayTrouble
	}
	ofConnection := strings.HasPrefix(card.Destination, connection+"/")
	if card.Kind != store.DutyCard || !ofConnection || card.Ref == "" ||
		subtle.ConstantTimeCompare([]byte(card.Ref), []byte(c.Ref)) != 1 {
		return store.Duty{}, sayForged
	}
	return card, ""
}

// askComment opens the form for an acknowledgement with a comment, unless it
// is clear already that it would be refused.
func (i *Interaction) askComment(ctx context.Context, who chat.Actor, c claim, card store.Duty) chat.Answer {
	a, err := i.store.Alert(ctx, card.AlertID)
	if err != nil {
		return answer(err)
	}
	if _, err := a.Clone().RequestAck(who.Name, "", false, i.clock.Now()); err != nil {
		return answer(err)
	}
	c.Actor = who.ID
	c.Expires = i.clock.Now().Add(dialogLife).Unix()
	state, err := i.sealer.Seal(purposeDialog, c)
	if err != nil {
		return chat.Answer{Whisper: sayTrouble}
	}
	d := message.AckDialog(a, state)
	return chat.Answer{Dialog: &d}
}

// declare opens the form for an incident about the card's alert.
func (i *Interaction) declare(ctx context.Context, who chat.Actor, card store.Duty) chat.Answer {
	a, err := i.store.Alert(ctx, card.AlertID)
	switch {
	case err != nil:
		return answer(err)
	case i.forms == nil:
		return chat.Answer{Whisper: sayForged}
	}
	return i.forms.Declare(ctx, who, a)
}

// Submit implements chat.Responder. Success is told by the card.
func (i *Interaction) Submit(ctx context.Context, s chat.Submit) chat.Answer {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if s.Cancelled {
		return chat.Answer{}
	}
	if i.forms != nil {
		if answer, ok := i.forms.Submit(ctx, s); ok {
			return answer
		}
	}
	var c claim
	if err := i.sealer.Open(purposeDialog, s.State, &c); err != nil {
		return chat.Answer{Whisper: sayForged}
	}
	if subtle.ConstantTimeCompare([]byte(c.Actor), []byte(s.Actor.ID)) != 1 {
		return chat.Answer{Whisper: sayNotYou}
	}
	if i.clock.Now().Unix() > c.Expires {
		return chat.Answer{Whisper: sayOldForm}
	}
	card, refusal := i.card(ctx, c, s.Actor.Connection)
	if refusal != "" {
		return chat.Answer{Whisper: refusal}
	}
	if no := i.refused(ctx, s.Actor); no != nil {
		return chat.Answer{Whisper: no.Whisper} // a form can't show a link
	}
	comment := strings.TrimSpace(s.Values[message.FieldComment])
	if n := len([]rune(comment)); n > message.MaxAckComment {
		return chat.Answer{FieldErrors: map[string]string{message.FieldComment: fmt.Sprintf(
			"this has %d characters; at most %d fit into an acknowledgement", n, message.MaxAckComment)}}
	}
	return answer(i.desk.Acknowledge(ctx, card.AlertID, c.Generation, s.Actor.Name, comment))
}

// answer says what became of an act. Success is silent: the card tells.
func answer(err error) chat.Answer {
	switch {
	case err == nil:
		return chat.Answer{}
	case errors.Is(err, desk.ErrNoAlert), errors.Is(err, store.ErrNotFound):
		return chat.Answer{Whisper: sayGone}
	case errors.Is(err, store.ErrUncertain), errors.Is(err, context.DeadlineExceeded):
		return chat.Answer{Whisper: sayUnsure}
	}
	for _, known := range []error{alert.ErrResolved, alert.ErrAcknowledged, alert.ErrPending, alert.ErrNotAcked,
		alert.ErrRemoving, alert.ErrNotProblem, desk.ErrChanged} {
		if errors.Is(err, known) {
			text := err.Error()
			return chat.Answer{Whisper: strings.ToUpper(text[:1]) + text[1:] + "."}
		}
	}
	return chat.Answer{Whisper: sayTrouble}
}
