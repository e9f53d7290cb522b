// SPDX-License-Identifier: Apache-2.0

package interaction

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"belfry/chat"
	"belfry/message"
)

// closed lets nobody act.
type closed struct{ asked []chat.Actor }

func (c *closed) May(_ context.Context, who chat.Actor) *chat.Answer {
	c.asked = append(c.asked, who)
	return &chat.Answer{Whisper: "not you", Link: &chat.Link{Text: "Connect", URL: "https://belfry.example.org/connect/x"}}
}

func TestWhoMayNotActIsToldWhyAndNothingChanges(t *testing.T) {
	for _, action := range []string{message.ActionAck, message.ActionUnack, message.ActionAckComment} {
		for _, late := range []time.Duration{0, buttonLife + time.Minute} {
			r, gate := newRoom(t), &closed{}
			r.SetGate(gate)
			token := r.token(action)
			r.clock.Advance(late)
			got := r.press(token)
			if got.Whisper != "not you" || got.Link == nil || got.Dialog != nil {
				t.Errorf("%s: %+v", action, got)
			}
			if len(r.acts) > 0 {
				t.Errorf("%s: %v", action, r.acts)
			}
			if diff := cmp.Diff([]chat.Actor{alice}, gate.asked); diff != "" {
				t.Error(diff)
			}
		}
	}
}

// TestAFormIsAskedAboutAgain: a role that was taken away while the form was
// open counts no more.
func TestAFormIsAskedAboutAgain(t *testing.T) {
	r := newRoom(t)
	dialog := r.press(r.token(message.ActionAckComment)).Dialog
	if dialog == nil {
		t.Fatal("no form")
	}
	r.SetGate(&closed{})
	got := r.Submit(t.Context(), chat.Submit{Actor: alice, State: dialog.State, Values: map[string]string{message.FieldComment: "x"}})
	if got.Whisper != "not you" || len(r.acts) > 0 {
		t.Errorf("%+v, %v", got, r.acts)
	}
}

func TestAForgedPressIsNotEvenAskedAbout(t *testing.T) {
	r, gate := newRoom(t), &closed{}
	r.SetGate(gate)
	if got := r.press("forged"); got.Whisper != sayForged || len(gate.asked) > 0 {
		t.Errorf("%+v, %v", got, gate.asked)
	}
}
