// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"strings"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/slack"
)

// TestMarks holds Slack to the contract of those on which messages are marked,
// by Request URL and Socket Mode.
func TestMarks(t *testing.T) {
	bothWays(t, func(t *testing.T, overSocket bool) {
		chattest.RunMarks(t, func(t *testing.T) *chattest.Marks { return marks(t, overSocket) })
	})
}

// slackEscapes is what Slack makes of what people type.
var slackEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// meanwhile turns the clock while something is brought that is not taken: Slack
// waits by it before it brings it again.
func (c *connection) meanwhile(bring func()) {
	done := make(chan struct{})
	go func() { defer close(done); bring() }()
	for {
		select {
		case <-done:
			return
		case <-time.After(500 * time.Millisecond):
			c.clock.Advance(3 * time.Second)
		}
	}
}

func marks(t *testing.T, overSocket bool) *chattest.Marks {
	t.Helper()
	c, scribe := connect(t, func(cfg *slack.Config) { cfg.Reactions = map[string]string{"wrench": chat.ReactAck} }), &chattest.Scribe{}
	if overSocket {
		c.listen(t, scribe)
	} else {
		c.callAt(t, scribe)
	}
	own, other := c.fake.AddChannel("inc-42"), c.fake.AddChannel("town")
	return &chattest.Marks{
		Scribe: scribe, Connection: "main", Own: own.ID, Other: other.ID, Now: c.clock.Now, Longest: 40_000,
		Say: func(person, channel, text, thread string) string {
			return c.fake.PostAs(person, channel, slackEscapes.Replace(text), thread)
		},
		SayAsProgram: func(person, channel, text string) string {
			return c.fake.PostByApp(person, channel, slackEscapes.Replace(text))
		},
		SayJoined: func(person, channel string) string { return c.fake.PostJoined(person, channel) },
		MarkDeleted: func(person, channel, post, emoji string) {
			c.fake.DeleteMessage(channel, post)
			c.fake.Room(channel).At(post).React(person, emoji)
		},
		SayOurs: func(channel, text string) string { return c.say(t, channel, golden["recovered"]).Post },
		Mark: func(person, channel, post, emoji string) {
			c.meanwhile(func() { c.fake.Room(channel).At(post).React(person, emoji) })
		},
		Unmark:  func(person, channel, post, emoji string) { c.fake.Room(channel).At(post).Unreact(person, emoji) },
		Told:    func(person, _, text string) { c.fake.WaitWhisper(person, text) },
		Settled: func() { c.Idle() },
	}
}
