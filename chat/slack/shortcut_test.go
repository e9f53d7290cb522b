// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"context"
	"strings"
	"testing"

	"belfry/chat"
	"belfry/chat/chattest"
)

// bureau declares incidents about messages, and keeps them.
type bureau struct {
	chattest.Scribe
	about []chat.Quoted
}

func (b *bureau) DeclareAbout(_ context.Context, who chat.Actor, m chat.Quoted) chat.Answer {
	b.about = append(b.about, m)
	return chat.Answer{Dialog: &chat.Dialog{Title: "Declare an incident", SubmitLabel: "Declare", State: "s",
		Fields: []chat.Field{{Name: "summary", Label: "Summary", Value: who.Name + ": " + m.Text, Multiline: true}}}}
}

// TestShortcutsOnMessages: over HTTP and Socket Mode, on messages of people,
// programs and in threads, and on what nobody wrote.
func TestShortcutsOnMessages(t *testing.T) {
	bothWays(t, func(t *testing.T, overSocket bool) {
		c, b := connect(t), &bureau{}
		if overSocket {
			c.listen(t, b)
		} else {
			c.callAt(t, b)
		}
		own := c.fake.AddChannel("inc-42")
		b.Own(own.ID)
		root := c.fake.PostAs("alice", "inc-42", "ask &lt;!channel&gt; or <@"+c.fake.UserID("bob")+"> &amp; co", "")
		out := c.fake.Room("inc-42").At(root).Shortcut("bob", "belfry_declare")
		if out.Failed != "" || out.Form == nil || out.Form.Title() != "Declare an incident" || out.Form.Fields()[0].Value != "bob: ask <!channel> or @bob & co" {
			t.Fatalf("%+v", out)
		}
		c.Idle()
		m := b.about[0]
		if m.Author.Name != "alice" || m.Ref.Post != root || !strings.HasSuffix(m.Link, ".slack.com/archives/"+own.ID+"/p"+strings.Replace(root, ".", "", 1)) {
			t.Errorf("%+v", m)
		}
		reply := c.fake.PostAs("bob", "inc-42", "the disk is full", root)
		c.fake.Room("inc-42").At(reply).Shortcut("alice", "belfry_timeline")
		c.fake.WaitWhisper("alice", "kept as timeline")
		c.fake.Room("inc-42").At(reply).Shortcut("bob", "belfry_timeline")
		c.fake.WaitWhisper("bob", "stands in the record already")
		kept := b.Kept()
		if len(kept) != 1 || kept[0].Message.Text != "the disk is full" || !strings.Contains(kept[0].Message.Link, "?thread_ts="+root) {
			t.Errorf("%+v", kept)
		}
		long := strings.Repeat("日", 40_000)
		c.fake.Room("inc-42").At(c.fake.PostAs("alice", "inc-42", long, "")).Shortcut("bob", "belfry_timeline")
		c.fake.WaitWhisper("bob", "kept as timeline")
		if kept := b.Kept(); len(kept) != 2 || kept[1].Message.Text != long {
			t.Errorf("%d are kept", len(kept))
		}
		b.Fail(1)
		c.fake.Room("inc-42").At(root).Shortcut("bob", "belfry_timeline")
		c.fake.WaitWhisper("bob", "could not keep this message")
		b.Break()
		c.fake.Room("inc-42").At(root).Shortcut("bob", "belfry_timeline")
		c.fake.WaitWhisper("bob", "was not kept")
	})
	d := openDesk(t, false) // whose Responder can do neither
	for shortcut, say := range map[string]string{"belfry_declare": "declares no incidents", "belfry_timeline": "doesn't know this shortcut"} {
		d.card.Shortcut("alice", shortcut)
		d.fake.WaitWhisper("alice", say)
	}
}
