// SPDX-License-Identifier: Apache-2.0

package interaction

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/clock"
	"belfry/desk"
	"belfry/message"
	"belfry/seal"
	"belfry/store"
)

// room is a store with one card and a desk that writes down what it is told.
type room struct {
	card  store.Duty
	alert *alert.Alert
	acts  []string
	err   error
	clock *clock.Manual
	*Interaction
}

func (r *room) Duty(_ context.Context, id alert.ID) (store.Duty, error) {
	if id != r.card.ID {
		return store.Duty{}, store.ErrNotFound
	}
	return r.card, nil
}
func (r *room) Alert(_ context.Context, id alert.ID) (*alert.Alert, error) {
	if id != r.alert.ID {
		return nil, store.ErrNotFound
	}
	return r.alert, nil
}
func (r *room) Acknowledge(_ context.Context, id alert.ID, generation int, by, comment string) error {
	r.acts = append(r.acts, fmt.Sprintf("ack %d gen %d by %s: %s", id, generation, by, comment))
	return r.err
}
func (r *room) Unacknowledge(_ context.Context, id alert.ID, generation int, by string) error {
	r.acts = append(r.acts, fmt.Sprintf("unack %d gen %d by %s", id, generation, by))
	return r.err
}
func (r *room) Refresh(_ context.Context, id alert.ID) error {
	r.acts = append(r.acts, fmt.Sprintf("refresh %d", id))
	return r.err
}

var where = chat.Ref{Channel: "c1", Post: "p1"}

func newRoom(t *testing.T) *room {
	t.Helper()
	s, err := seal.New(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	r := &room{
		card:  store.Duty{ID: 11, Destination: "chat/ops", Kind: store.DutyCard, AlertID: 5, Ref: "ref-of-the-card", Receipt: "c1 p1"},
		alert: &alert.Alert{ID: 5, Topic: alert.TopicProblem, Status: alert.Firing, State: "CRITICAL", Object: alert.Object{Kind: alert.KindHost, Host: "web01"}, Ack: alert.Ack{Generation: 3}},
		clock: clock.NewManual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)),
	}
	r.Interaction = New(s, r, r, r.clock)
	return r
}

var alice = chat.Actor{Connection: "chat", ID: "u1", Name: "alice"}

func (r *room) token(action string) string { return r.Tokens(r.alert, r.card)(action) }

func (r *room) press(token string) chat.Answer {
	return r.Press(context.Background(), chat.Press{Actor: alice, Token: token, Ref: where})
}

func TestAPressActsForThePersonWhoPressed(t *testing.T) {
	r := newRoom(t)
	if a := r.press(r.token(message.ActionAck)); a.Whisper != "" {
		t.Errorf("whispered %q", a.Whisper)
	}
	if a := r.press(r.token(message.ActionUnack)); a.Whisper != "" {
		t.Errorf("whispered %q", a.Whisper)
	}
	if got := strings.Join(r.acts, "; "); got != "ack 5 gen 3 by alice: ; unack 5 gen 3 by alice" {
		t.Errorf("acts: %s", got)
	}
}

func TestPressesThatAreNotOursDoNothing(t *testing.T) {
	for name, press := range map[string]func(r *room) chat.Press{
		"no token": func(*room) chat.Press { return chat.Press{Actor: alice, Ref: where} },
		"junk":     func(*room) chat.Press { return chat.Press{Actor: alice, Ref: where, Token: "eyJjIjoxMX0.AAAA"} },
		"altered":  func(r *room) chat.Press { return chat.Press{Actor: alice, Ref: where, Token: "A" + r.token("ack")[1:]} },
		"a dialog's seal": func(r *room) chat.Press {
			a := r.press(r.token(message.ActionAckComment))
			return chat.Press{Actor: alice, Ref: where, Token: a.Dialog.State}
		},
		"another key": func(r *room) chat.Press {
			s, _ := seal.New(bytes.Repeat([]byte{8}, 32))
			return chat.Press{Actor: alice, Ref: where, Token: New(s, r, r, r.clock).Tokens(r.alert, r.card)("ack")}
		},
		"another message": func(r *room) chat.Press {
			return chat.Press{Actor: alice, Ref: chat.Ref{Channel: "c1", Post: "p2"}, Token: r.token("ack")}
		},
		"another connection": func(r *room) chat.Press {
			return chat.Press{Actor: chat.Actor{Connection: "cha", ID: "u1", Name: "alice"}, Ref: where, Token: r.token("ack")}
		},
		"another reference": func(r *room) chat.Press {
			token := r.token("ack")
			r.card.Ref = "another card took the number"
			return chat.Press{Actor: alice, Ref: where, Token: token}
		},
		"not a card": func(r *room) chat.Press {
			r.card.Kind = store.DutyNote
			return chat.Press{Actor: alice, Ref: where, Token: r.token("ack")}
		},
		"an action that is none": func(r *room) chat.Press { return chat.Press{Actor: alice, Ref: where, Token: r.token("drop")} },
		"a card no longer kept": func(r *room) chat.Press {
			token := r.token("ack")
			r.card.ID = 12
			return chat.Press{Actor: alice, Ref: where, Token: token}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t)
			a := r.Press(context.Background(), press(r))
			if len(r.acts) != 0 || a.Whisper == "" || a.Dialog != nil {
				t.Errorf("acts %v, answer %+v", r.acts, a)
			}
		})
	}
}

// A card can be pressed before its place is recorded: then the press waits for
// it, so that one from another message is still found out.
func TestAPressOnACardThatIsBeingRecorded(t *testing.T) {
	for name, c := range map[string]struct {
		recorded string
		acts     int
	}{"its own": {"c1 p1", 1}, "another": {"c1 p2", 0}, "nothing is recorded": {"", 1}} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t)
			r.card.Receipt = ""
			late := &recording{room: r, receipt: c.recorded}
			i := New(r.sealer, late, r, clock.System{})
			token := i.Tokens(r.alert, r.card)(message.ActionAck)
			a := i.Press(t.Context(), chat.Press{Actor: alice, Token: token, Ref: where})
			if len(r.acts) != c.acts || (c.acts == 0) != (a.Whisper != "") || late.looks < 2 {
				t.Errorf("acts %v after %d looks, answer %+v", r.acts, late.looks, a)
			}
		})
	}
}

// recording records the place of the card between the first look and the next.
type recording struct {
	*room
	receipt string
	looks   int
}

func (r *recording) Duty(ctx context.Context, id alert.ID) (store.Duty, error) {
	d, err := r.room.Duty(ctx, id)
	if r.looks++; r.looks > 1 {
		d.Receipt = r.receipt
	}
	return d, err
}

func TestAnExpiredButtonRefreshesTheCardAndDoesNothingElse(t *testing.T) {
	r := newRoom(t)
	token := r.token(message.ActionAck)
	r.clock.Advance(buttonLife + time.Second)
	if a := r.press(token); a.Whisper != sayExpired || strings.Join(r.acts, ";") != "refresh 5" {
		t.Errorf("acts %v, answer %+v", r.acts, a)
	}
}

func TestACommentIsAskedForAndGoesWithTheAcknowledgement(t *testing.T) {
	r := newRoom(t)
	a := r.press(r.token(message.ActionAckComment))
	if a.Dialog == nil || len(r.acts) != 0 {
		t.Fatalf("answer %+v, acts %v", a, r.acts)
	}
	submit := chat.Submit{Actor: alice, State: a.Dialog.State, Values: map[string]string{message.FieldComment: "  on it\n"}}
	if a := r.Submit(context.Background(), submit); a.Whisper != "" || strings.Join(r.acts, ";") != "ack 5 gen 3 by alice: on it" {
		t.Errorf("answer %+v, acts %v", a, r.acts)
	}
}

func TestFormsThatAreNotOursDoNothing(t *testing.T) {
	for name, alter := range map[string]func(r *room, s *chat.Submit){
		"cancelled":     func(_ *room, s *chat.Submit) { s.Cancelled = true },
		"forged":        func(_ *room, s *chat.Submit) { s.State = "x" + s.State },
		"a button's":    func(r *room, s *chat.Submit) { s.State = r.token(message.ActionAck) },
		"somebody else": func(_ *room, s *chat.Submit) { s.Actor.ID = "u2" },
		"too late":      func(r *room, _ *chat.Submit) { r.clock.Advance(dialogLife + time.Second) },
		"too long": func(_ *room, s *chat.Submit) {
			s.Values[message.FieldComment] = strings.Repeat("é", message.MaxAckComment+1)
		},
		"other platform": func(_ *room, s *chat.Submit) { s.Actor.Connection = "slack" },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t)
			opened := r.press(r.token(message.ActionAckComment))
			s := chat.Submit{Actor: alice, State: opened.Dialog.State, Values: map[string]string{message.FieldComment: "x"}}
			alter(r, &s)
			a := r.Submit(context.Background(), s)
			if len(r.acts) != 0 {
				t.Errorf("acts %v", r.acts)
			}
			if told := a.Whisper != "" || len(a.FieldErrors) > 0; told == s.Cancelled {
				t.Errorf("answer %+v", a)
			}
		})
	}
}

func TestRefusalsAreSaidInPlainWordsAndOurTroubleIsNotShown(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("%w by bob", alert.ErrAcknowledged), "Already acknowledged by bob."},
		{alert.ErrResolved, "This problem is over; there is nothing to acknowledge."},
		{desk.ErrChanged, "The card has changed since; look again and press once more."},
		{desk.ErrNoAlert, sayGone},
		{fmt.Errorf("can't store: %w", store.ErrUncertain), sayUnsure},
		{errors.New("dial tcp 10.0.0.7:5432: connection refused"), sayTrouble},
	} {
		r := newRoom(t)
		r.err = c.err
		if a := r.press(r.token(message.ActionAck)); a.Whisper != c.want {
			t.Errorf("%v: said %q, want %q", c.err, a.Whisper, c.want)
		}
	}
}
