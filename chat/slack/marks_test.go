// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"strings"
	"testing"

	"belfry/chat/chattest"
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

func marks(t *testing.T, overSocket bool) *chattest.Marks {
	t.Helper()
	c, scribe := connect(t), &chattest.Scribe{}
	if overSocket {
		c.listen(t, scribe)
	} else {
		c.callAt(t, scribe)
	}
	own, other := c.fake.AddChannel("inc-42"), c.fake.AddChannel("town")
	return &chattest.Marks{
		Scribe: scribe, Connection: "main", Own: own.ID, Other: other.ID, Now: c.clock.Now,
		Say: func(person, channel, text, thread string) string {
			return c.fake.PostAs(person, channel, slackEscapes.Replace(text), thread)
		},
		SayAsProgram: func(person, channel, text string) string {
			return c.fake.PostByApp(person, channel, slackEscapes.Replace(text))
		},
		SayOurs: func(channel, text string) string { return c.say(t, channel, golden["recovered"]).Post },
		Mark:    func(person, channel, post, emoji string) { c.fake.Room(channel).At(post).React(person, emoji) },
		Unmark:  func(person, channel, post, emoji string) { c.fake.Room(channel).At(post).Unreact(person, emoji) },
		Told:    func(person, _, text string) { c.fake.WaitWhisper(person, text) },
		Settled: func() { c.Idle() },
	}
}
