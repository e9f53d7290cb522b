// SPDX-License-Identifier: Apache-2.0

package chattest

import (
	"testing"

	"belfry/chat"

	"github.com/google/go-cmp/cmp"
)

func checkPress(r *room) {
	r.post(card("another"))
	ref, key := r.post(fullCard())
	effect := r.Room.Press(Alice, ref, "Acknowledge")
	if effect.Whisper != "" || effect.Failed != "" || effect.Form != nil {
		r.Errorf("an empty answer shows %+v", effect)
	}
	r.Room.Press(Bob, ref, "Un-acknowledge")
	m := fullCard()
	m.Buttons = []chat.Button{{Action: "ack", Label: "Acknowledge", Token: "token.after-update"}}
	r.update(ref, key, m)
	r.Room.Press(Alice, ref, "Acknowledge")
	var got []string
	ids := map[string]string{}
	for _, p := range r.rec.Presses() {
		got = append(got, p.Actor.Name+" "+p.Token)
		ids[p.Actor.Name] = p.Actor.ID
		if p.Ref != ref {
			r.Errorf("the press names the message %+v, not %+v", p.Ref, ref)
		}
		if p.Actor.Connection != r.Connection || p.Actor.ID == "" {
			r.Errorf("the actor is not whole: %+v", p.Actor)
		}
	}
	if diff := cmp.Diff([]string{"alice token-of.ack", "bob token-of.unack", "alice token.after-update"}, got); diff != "" {
		r.Errorf("presses: %s", diff)
	}
	if ids[Alice] == ids[Bob] {
		r.Errorf("two people have the id %q", ids[Bob])
	}
}

// checkStranger: nobody acts who can't be named, and they are told.
func checkStranger(r *room) {
	for _, person := range []string{Carol, Nobody} {
		r.Run(person, func(t *testing.T) {
			s := *r
			s.T = t
			ref, _ := s.post(fullCard())
			effect := s.Room.Press(person, ref, "Acknowledge")
			if effect.Whisper == "" && effect.Failed == "" {
				t.Error("a press that leads to nothing says nothing")
			}
			if got := r.rec.Presses(); len(got) != 0 {
				t.Errorf("the press was taken: %+v", got)
			}
		})
	}
}

func checkWhisper(r *room) {
	r.rec.OnPress = func(chat.Press) chat.Answer { return chat.Answer{Whisper: "Somebody was faster."} }
	ref, _ := r.post(fullCard())
	effect := r.Room.Press(Alice, ref, "Acknowledge")
	if visible(effect.Whisper) != "Somebody was faster." || effect.Failed != "" {
		r.Errorf("alice sees %+v", effect)
	}
	r.reads(r.only(), "Disk /var on web01")
	if len(r.only().Buttons) != 3 {
		r.Error("a whisper changed the card")
	}
}

// commentDialog is a dialog with no field left empty.
func commentDialog() *chat.Dialog {
	return &chat.Dialog{
		Title: "Acknowledge", Intro: "Disk /var on web01 is CRITICAL.", SubmitLabel: "Acknowledge", State: "sealed.state-of-7",
		Fields: []chat.Field{
			{Name: "comment", Label: "Comment", Help: "Everybody can read it.", Placeholder: "What do you do about it?",
				Value: "on it", Multiline: true, MaxLength: 500},
			{Name: "until", Label: "Until", Optional: true, MaxLength: 20},
		},
	}
}

// openForm presses the button that opens commentDialog.
func (r *room) openForm(onSubmit func(chat.Submit) chat.Answer) *Form {
	r.Helper()
	r.rec.OnPress = func(chat.Press) chat.Answer { return chat.Answer{Dialog: commentDialog()} }
	r.rec.OnSubmit = onSubmit
	ref, _ := r.post(fullCard())
	effect := r.Room.Press(Alice, ref, "Acknowledge with comment…")
	if effect.Form == nil {
		r.Fatalf("no dialog opened: %+v", effect)
	}
	return effect.Form
}

func checkDialog(r *room) {
	form := r.openForm(nil)
	want := commentDialog()
	if form.Title != want.Title || visible(form.Intro) != want.Intro || form.SubmitLabel != want.SubmitLabel {
		r.Errorf("the dialog shows %q, %q, %q", form.Title, form.Intro, form.SubmitLabel)
	}
	fields := []FormField{
		{Name: "comment", Label: "Comment", Help: "Everybody can read it.", Value: "on it"},
		{Name: "until", Label: "Until", Optional: true},
	}
	if diff := cmp.Diff(fields, form.Fields); diff != "" {
		r.Errorf("fields: %s", diff)
	}
	comment := "cleaning up; $(rm -rf /)\n@channel “soon”"
	effect := form.Submit(map[string]string{"comment": comment})
	if effect.Failed != "" || effect.Form != nil || len(effect.FieldErrors) != 0 {
		r.Errorf("an accepted submit shows %+v", effect)
	}
	submits := r.rec.Submits()
	if len(submits) != 1 {
		r.Fatalf("%d submits arrived", len(submits))
	}
	got := submits[0]
	if got.Actor.Name != Alice || got.Actor.Connection != r.Connection || got.Actor.ID == "" {
		r.Errorf("the actor is %+v", got.Actor)
	}
	if got.State != want.State || got.Cancelled {
		r.Errorf("state %q, cancelled %v", got.State, got.Cancelled)
	}
	if diff := cmp.Diff(map[string]string{"comment": comment}, got.Values); diff != "" {
		r.Errorf("values: %s", diff)
	}
}

func checkDialogCancel(r *room) {
	form := r.openForm(nil)
	if effect := form.Cancel(); effect.Failed != "" {
		r.Errorf("closing shows %+v", effect)
	}
	submits := r.rec.Submits()
	// A platform need not tell that a dialog was closed, but what it tells must be true.
	for _, s := range submits {
		if !s.Cancelled || s.Actor.Name != Alice || len(s.Values) != 0 {
			r.Errorf("closing the dialog submitted %+v", s)
		}
	}
	if len(submits) > 1 {
		r.Errorf("closing the dialog was told %d times", len(submits))
	}
}

// checkDialogRefused: what is said to a submit that was not taken is read.
func checkDialogRefused(r *room) {
	form := r.openForm(func(chat.Submit) chat.Answer { return chat.Answer{Whisper: "This problem is over."} })
	if effect := form.Submit(map[string]string{"comment": "late"}); visible(effect.Whisper) != "This problem is over." || effect.Failed != "" {
		r.Errorf("alice sees %+v", effect)
	}
}

func checkDialogErrors(r *room) {
	refused := chat.Answer{FieldErrors: map[string]string{"comment": "Please say what you do."}}
	form := r.openForm(func(s chat.Submit) chat.Answer {
		if s.Values["comment"] == "x" {
			return refused
		}
		return chat.Answer{}
	})
	effect := form.Submit(map[string]string{"comment": "x"})
	if diff := cmp.Diff(refused.FieldErrors, effect.FieldErrors); diff != "" {
		r.Errorf("field errors: %s", diff)
	}
	if effect.Form == nil {
		r.Fatal("the dialog closed with what was typed")
	}
	if effect = effect.Form.Submit(map[string]string{"comment": "better"}); effect.Form != nil || effect.Failed != "" {
		r.Errorf("the second submit shows %+v", effect)
	}
	if n := len(r.rec.Submits()); n != 2 {
		r.Errorf("%d submits arrived", n)
	}
}
