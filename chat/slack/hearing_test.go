// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/slack/slacktest"
)

// callAt has the workspace call the platform over HTTP.
func (c *connection) callAt(t *testing.T, r chat.Responder) {
	t.Helper()
	server := httptest.NewServer(c.Handler(r))
	t.Cleanup(server.Close)
	c.fake.CallAt(server.URL + "/chat/main")
}

// listen has the platform open its Socket Mode connections.
func (c *connection) listen(t *testing.T, r chat.Responder) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := c.Listen(ctx, r); err != nil {
			t.Errorf("listening ended: %v", err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	c.fake.WaitSockets(2)
}

// Press presses as the suite's people do.
func (r room) Press(person string, ref chat.Ref, label string) chattest.Effect {
	r.t.Helper()
	r.fake.AddUser(person)
	id := r.fake.UserID(person)
	card := r.fake.Room("ops").At(ref.Post)
	switch person {
	case chattest.Carol:
		r.fake.Deactivate(person)
	case chattest.Nobody:
		r.fake.Purge(person)
	}
	before := len(r.fake.WhispersTo(id))
	out := card.ClickID(id, label)
	r.Idle()
	e := chattest.Effect{Failed: out.Failed, Form: r.form(id, out.Form)}
	for _, w := range r.fake.WhispersTo(id)[before:] {
		e.Whisper += w.Text
	}
	return e
}

// form shows a form to the suite; nil for none.
func (r room) form(person string, f *slacktest.Form) *chattest.Form {
	if f == nil {
		return nil
	}
	out := &chattest.Form{Title: f.Title(), Intro: f.Intro(), SubmitLabel: f.SubmitLabel()}
	for _, field := range f.Fields() {
		out.Fields = append(out.Fields, chattest.FormField{Name: field.Name, Label: field.Label, Help: field.Help, Value: field.Value, Optional: field.Optional,
			Options: field.Options, Several: field.Several})
	}
	intro := f.Intro()
	out.Submit = func(values map[string]string) chattest.Effect {
		next := f.Submit(values)
		r.Idle()
		if next == nil {
			return chattest.Effect{}
		}
		e := chattest.Effect{Failed: next.Failed, FieldErrors: next.Errors, Form: r.form(person, next)}
		if said := next.Intro(); said != intro { // what is wrong stands above
			e.Whisper = said[:len(said)-len("\n"+intro)]
		}
		return e
	}
	out.Cancel = func() chattest.Effect {
		a := f.Cancel()
		r.Idle()
		if a.Status != 200 {
			return chattest.Effect{Failed: string(a.Body)}
		}
		return chattest.Effect{}
	}
	return out
}

// soon waits until ok holds.
func soon(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
