// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/slack"
	"belfry/chat/slack/slacktest"
	"belfry/clock"
	"belfry/config"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// connection is a platform and its workspace.
type connection struct {
	*slack.Platform
	fake   *slacktest.Server
	clock  *clock.Manual
	config *slack.Config
}

// connect opens a connection named "main" to a fresh workspace with the channel ops.
func connect(t *testing.T, change ...func(*slack.Config)) *connection {
	t.Helper()
	return connectTo(t, slacktest.Options{}, change...)
}

func connectTo(t *testing.T, o slacktest.Options, change ...func(*slack.Config)) *connection {
	t.Helper()
	c := &connection{clock: clock.NewManual(time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC))}
	o.Clock = c.clock
	c.fake = slacktest.Start(t, o)
	c.fake.AddChannel("ops")
	cfg := &slack.Config{URL: c.fake.URL(), Token: config.Secret(c.fake.Token()), SigningSecret: config.Secret(c.fake.SigningSecret()), AppToken: config.Secret(c.fake.AppToken()),
		// The suite's clock stands still: nothing must wait for its own pace.
		MessagesPerSecond: 1000, MessagesPerMinute: 60_000}
	for _, f := range change {
		f(cfg)
	}
	if wrong := cfg.Validate(); len(wrong) != 0 {
		t.Fatalf("the configuration is wrong: %v", wrong)
	}
	p, err := cfg.Open(slack.Options{Name: "main", CallbackURL: "https://belfry.example/chat/main", Clock: c.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close(t.Context()) })
	c.Platform, c.config = p, cfg
	return c
}

// TestContract holds Slack to the contract, presses over HTTP;
// TestContractOverSocket has them come over Socket Mode.
func TestContract(t *testing.T) {
	contract(t, func(t *testing.T, c *connection, r chat.Responder) { c.callAt(t, r) })
}

func TestContractOverSocket(t *testing.T) {
	contract(t, func(t *testing.T, c *connection, r chat.Responder) { c.listen(t, r) })
}

func contract(t *testing.T, hear func(*testing.T, *connection, chat.Responder)) {
	chattest.Run(t, func(t *testing.T, r chat.Responder) *chattest.Harness {
		c := connect(t)
		hear(t, c, r)
		return &chattest.Harness{
			Platform: c.Platform, Connection: "main", Channel: "ops",
			Secrets: []string{c.fake.Token(), c.fake.SigningSecret()}, Now: c.clock.Now, Room: room{t, c},
			Faults: chattest.Faults{
				RateLimit: func() func() {
					c.fake.RateLimit(2 * time.Second)
					return func() { c.fake.Unlimited(); c.clock.Advance(2 * time.Second) }
				},
				LoseAnswer: func() { c.fake.TimeoutAfterAccepting(1) },
				FailBefore: func() { c.fake.Fail5xxBefore(1) },
				FailAfter:  func() { c.fake.Fail5xxAfter(1) },
				Revoke:     c.fake.RevokeToken,
				Archive:    func() { c.fake.ArchiveChannel("ops") },
				Slow:       c.fake.Slow,
				Down: func() func() {
					c.fake.Stop()
					_ = c.Close(t.Context()) // no idle connection is left that could look alive
					return c.fake.Restart
				},
			},
			Lacks: map[chattest.Ability]string{
				chattest.FindDeleted: "a channel's history leaves deleted messages out",
				chattest.Prioritize:  "messages have no priority in Slack",
			},
		}
	})
}

// room shows the fake's channel to the suite.
type room struct {
	t *testing.T
	*connection
}

func (r room) Messages() []chattest.Seen {
	var out []chattest.Seen
	for _, c := range r.fake.Room("ops").Cards() {
		out = append(out, see(c))
	}
	return out
}

func see(c *slacktest.Card) chattest.Seen {
	reading, m := c.Reading(), c.Message()
	s := chattest.Seen{Ref: chat.Ref{Channel: m.Channel, Post: m.TS}, Text: reading.Text, Color: c.Color(),
		Buttons: c.Buttons(), Links: reading.Links, Looks: reading.Looks, Rings: c.Rings()}
	for _, note := range c.Thread() {
		s.Thread = append(s.Thread, see(note))
	}
	return s
}

func (r room) Delete(ref chat.Ref) { r.fake.DeleteMessage(ref.Channel, ref.Post) }
