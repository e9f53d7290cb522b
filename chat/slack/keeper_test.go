// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"strings"
	"testing"

	"belfry/chat"
	"belfry/chat/chattest"
)

// TestKeepsChannels holds Slack to the contract of those that keep channels.
func TestKeepsChannels(t *testing.T) { chattest.RunKeeper(t, keeper) }

// readHeader is how people read a topic: Slack parses no markup there.
var readHeader = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

func keeper(t *testing.T) *chattest.Keeper {
	c := connect(t)
	c.fake.AddUser(chattest.Carol)
	c.fake.Deactivate(chattest.Carol)
	return &chattest.Keeper{
		Keeper: c.Platform, Secrets: []string{c.fake.Token(), c.fake.SigningSecret()}, MaxTopic: 250, MaxPurpose: 250,
		ID: c.fake.UserID, Unknown: "U0UNKNOWN99",
		Take: func(name string, archived bool) {
			c.fake.AddChannel(name)
			if archived {
				c.fake.ArchiveChannel(name)
			}
		},
		Forbid: func() { c.fake.Ungrant("channels:manage", "groups:write", "channels:write.invites") },
		Lose:   func() { c.fake.TimeoutAfterAccepting(1) },
		Fail:   func() { c.fake.Fail5xxBefore(1) },
		Say:    func(channel string) chat.Ref { return c.say(t, channel, golden["recovered"]) },
		PinOther: func(channel string) chat.Ref {
			ts := c.fake.PostAs("alice", channel, "look", "")
			c.fake.PinMessage(channel, ts)
			return chat.Ref{Channel: channel, Post: ts}
		},
		AddLink: func(channel string, l chat.Link) { c.fake.AddBookmark(channel, l.Text, l.URL) },
		Look: func(channel string) chattest.KeptChannel {
			ch := c.fake.Look(channel)
			out := chattest.KeptChannel{Name: ch.Name, Title: ch.Name, RawTopic: ch.Topic, RawPurpose: ch.Purpose, Private: ch.Private, Archived: ch.Archived,
				Topic: readHeader.Replace(ch.Topic), Purpose: readHeader.Replace(ch.Purpose), Pins: ch.Pins}
			for id := range ch.Members {
				out.Members = append(out.Members, id)
			}
			for _, b := range ch.Bookmarks {
				out.Links = append(out.Links, chat.Link{Text: b.Title, URL: b.Link})
			}
			return out
		},
	}
}
