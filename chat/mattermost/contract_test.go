// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/mattermost"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/clock"
	"belfry/config"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// connection is a platform, its server, and Belfry's callback address.
type connection struct {
	*mattermost.Platform
	fake     *mattermosttest.Server
	callback *httptest.Server
	clock    *clock.Manual
}

// connect opens a connection named "main" to a fresh server with the channel ops.
func connect(t *testing.T, r chat.Responder, change ...func(*mattermost.Config)) *connection {
	t.Helper()
	c := &connection{clock: clock.NewManual(time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC))}
	c.fake = mattermosttest.Start(t, mattermosttest.Options{Clock: c.clock, WriteTime: time.Millisecond})
	c.fake.AddChannel("ops")
	c.callback = httptest.NewServer(nil)
	t.Cleanup(c.callback.Close)
	cfg := &mattermost.Config{URL: c.fake.URL(), Token: config.Secret(c.fake.Token()), Team: mattermosttest.Team}
	for _, f := range change {
		f(cfg)
	}
	if wrong := cfg.Validate(); len(wrong) != 0 {
		t.Fatalf("the configuration is wrong: %v", wrong)
	}
	p, err := cfg.Open(mattermost.Options{Name: "main", CallbackURL: c.callback.URL + "/chat/main", Clock: c.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close(t.Context()) })
	c.Platform = p
	c.callback.Config.Handler = p.Handler(r)
	return c
}

func TestContract(t *testing.T) {
	chattest.Run(t, func(t *testing.T, r chat.Responder) *chattest.Harness {
		c := connect(t, r)
		return c.harness(t, c.fake.Token(), c.fake.RevokeToken)
	})
}

// harness holds the connection to the suite: what must stay secret, and how its
// credentials become worthless.
func (c *connection) harness(t *testing.T, secret string, revoke func()) *chattest.Harness {
	c.fake.AddUser(chattest.Carol)
	c.fake.AddUser(chattest.Nobody)
	c.fake.Deactivate(chattest.Carol)
	c.fake.Purge(chattest.Nobody)
	h := &chattest.Harness{
		Platform: c.Platform, Connection: "main", Channel: "ops",
		Secrets: []string{secret}, Now: c.clock.Now, Room: room{t, c.fake},
		Faults: faultsOf(t, c.fake, c.Platform),
	}
	h.Faults.Revoke, h.Faults.Archive = revoke, func() { c.fake.ArchiveChannel("ops") }
	return h
}

// faultsOf are the switches that every way to post can suffer.
func faultsOf(t *testing.T, fake *mattermosttest.Server, p chat.Closer) chattest.Faults {
	return chattest.Faults{
		RateLimit:  func() func() { fake.RateLimit(0, 0); return fake.Unlimited },
		LoseAnswer: func() { fake.TimeoutAfterAccepting(1) },
		FailBefore: func() { fake.Fail5xxBefore(1) },
		FailAfter:  func() { fake.Fail5xxAfter(1) },
		Slow:       fake.Slow,
		Down: func() func() {
			fake.Stop()
			_ = p.Close(t.Context()) // no idle connection is left that could look alive
			return fake.Restart
		},
	}
}

// room shows the fake's channel to the suite.
type room struct {
	t    *testing.T
	fake *mattermosttest.Server
}

func (r room) Messages() []chattest.Seen {
	var out []chattest.Seen
	for _, c := range r.fake.Room("ops").Cards() {
		out = append(out, see(c))
	}
	return out
}

func see(c *mattermosttest.Card) chattest.Seen {
	reading, post := c.Reading(), c.Post()
	s := chattest.Seen{Ref: chat.Ref{Channel: post.ChannelID, Post: post.ID}, Text: reading.Text, Color: c.Color(),
		Buttons: c.Buttons(), Links: reading.Links, Looks: reading.Looks, Rings: c.Rings()}
	label, _ := c.Priority()
	s.Priority = chat.Priority(label)
	for _, note := range c.Thread() {
		s.Thread = append(s.Thread, see(note))
	}
	return s
}

func (r room) Press(person string, ref chat.Ref, label string) chattest.Effect {
	r.t.Helper()
	for _, c := range r.fake.Room("ops").Cards() {
		if c.ID() == ref.Post {
			return effect(c.ClickAs(person, label))
		}
	}
	r.t.Fatalf("there is no post %q", ref.Post)
	return chattest.Effect{}
}

func (r room) Delete(ref chat.Ref) { r.fake.DeletePost(ref.Post) }

func effect(o mattermosttest.Outcome) chattest.Effect {
	e := chattest.Effect{Whisper: o.Whisper, Failed: o.Failed, FieldErrors: o.Errors}
	if len(o.Reading.Links) > 0 || len(o.Reading.Looks) > 0 {
		e.Failed += " formatted: " + o.Reading.Text
	}
	if o.Error != "" {
		e.Whisper = o.Error
	}
	if d := o.Dialog; d != nil {
		e.Form = &chattest.Form{Title: d.Title, Intro: mattermosttest.Read(d.Intro).Text, SubmitLabel: d.SubmitLabel,
			Submit: func(values map[string]string) chattest.Effect {
				for name, value := range values {
					d.Fill(name, value)
				}
				return effect(d.Submit())
			},
			Cancel: func() chattest.Effect { return effect(d.Cancel()) },
		}
		for _, f := range d.Elements {
			field := chattest.FormField{Name: f.Name, Label: f.Label, Help: f.Help, Value: f.Default, Optional: f.Optional}
			for _, o := range f.Options {
				field.Options = append(field.Options, o.Text)
			}
			e.Form.Fields = append(e.Form.Fields, field)
		}
	}
	return e
}
