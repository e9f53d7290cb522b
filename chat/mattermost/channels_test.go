// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"strings"
	"testing"

	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/mattermost"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/fault"
	"belfry/seal"
)

// rights are all that keeping a channel takes.
func rights() []string {
	var out []string
	for _, right := range []string{"create_*_channel", "manage_*_channel_properties", "manage_*_channel_members", "delete_*_channel"} {
		out = append(out, strings.Replace(right, "*", "public", 1), strings.Replace(right, "*", "private", 1))
	}
	return out
}

// TestKeepsChannels holds Mattermost to the contract: an old server, which has
// no links above channels, and a new one with a licence.
func TestKeepsChannels(t *testing.T) {
	t.Run("5.37", func(t *testing.T) {
		chattest.RunKeeper(t, func(t *testing.T) *chattest.Keeper { return keeper(t, "") })
	})
	t.Run("10.11", func(t *testing.T) {
		chattest.RunKeeper(t, func(t *testing.T) *chattest.Keeper { return keeper(t, "10.11.0") })
	})
}

func keeper(t *testing.T, version string) *chattest.Keeper {
	c := connect(t, nil)
	c.fake.AddUser(chattest.Carol)
	c.fake.Deactivate(chattest.Carol)
	c.fake.AddUser("dave")
	c.fake.LeaveTeam("dave")
	k := &chattest.Keeper{
		Keeper: c.Platform, Secrets: []string{c.fake.Token()}, MaxTopic: 1024, MaxPurpose: 250, Titled: true,
		ID:      func(person string) string { return c.fake.User(person).ID },
		Unknown: strings.Repeat("x", 26), Outsider: c.fake.User("dave").ID,
		Take: func(name string, archived bool) {
			c.fake.AddChannel(name)
			if archived {
				c.fake.ArchiveChannel(name)
			}
		},
		Forbid: func() { c.fake.Forbid(rights()...) },
		Lose:   func() { c.fake.FailCall(0, true) },
		Fail:   func() { c.fake.FailCall(0, false) },
		Say: func(channel string) chat.Ref {
			ref, err := c.post(t, channel)
			if err != nil {
				t.Fatal(err)
			}
			return ref
		},
		AllowUnarchive: func() { c.fake.Promote(mattermosttest.Bot) },
	}
	k.PinOther = func(channel string) chat.Ref {
		ref := k.Say(channel)
		c.fake.PinPost(ref.Post)
		return ref
	}
	if version != "" {
		c.fake.SetVersion(version)
		c.fake.License()
		k.AddLink = func(channel string, l chat.Link) { c.fake.AddBookmark("alice", channel, l.Text, l.URL) }
	}
	k.Look = func(channel string) chattest.KeptChannel {
		ch, members, pins, links := c.fake.Look(channel)
		out := chattest.KeptChannel{Name: ch.Name, Title: ch.DisplayName, RawTopic: ch.Header, RawPurpose: ch.Purpose, Private: ch.Type == "P", Archived: ch.DeleteAt != 0,
			Topic: mattermosttest.Read(ch.Header).Text, Purpose: mattermosttest.Read(ch.Purpose).Text, Pins: pins}
		for id := range members {
			out.Members = append(out.Members, id)
		}
		for _, l := range links {
			out.Links = append(out.Links, chat.Link{Text: l.DisplayName, URL: l.LinkURL})
		}
		return out
	}
	return k
}

// TestAForeignKeyIsNotOurs: who copies a key into a channel of their own does
// not get our incident.
func TestAForeignKeyIsNotOurs(t *testing.T) {
	c := connect(t, nil)
	n := chat.NewChannel{Key: seal.Random(), Name: "inc-1"}
	c.fake.AddChannel("inc-1").Purpose = "[belfry " + n.Key + "]"
	got, err := c.OpenChannel(t.Context(), n)
	if err != nil || got.Name != "inc-1-2" {
		t.Errorf("%+v, %v", got, err)
	}
	if got.URL != c.fake.URL()+"/"+mattermosttest.Team+"/channels/inc-1-2" {
		t.Errorf("it is at %q", got.URL)
	}
	// Somebody gave it another name before the order was repeated.
	c.fake.RenameChannel("inc-1-2", "inc-of-the-week")
	again, err := c.OpenChannel(t.Context(), n)
	if err != nil || again.ID != got.ID || again.Name != "inc-of-the-week" {
		t.Errorf("the same order: %+v, %v", again, err)
	}
}

func TestALinkIsForServersThatHaveLinks(t *testing.T) {
	for version, licensed := range map[string]bool{"9.4.0": true, "9.5.0": false, "11.0.0": false} {
		c := connect(t, nil)
		c.fake.SetVersion(version)
		if licensed {
			c.fake.License()
		}
		ch, err := c.OpenChannel(t.Context(), chat.NewChannel{Key: seal.Random(), Name: "inc-1"})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Bookmark(t.Context(), ch.ID, []chat.Link{{Text: "x", URL: "https://b.example/"}}); err != nil {
			t.Errorf("%s: %v", version, err)
		}
	}
	c := connect(t, nil)
	c.fake.SetVersion("10.0.0")
	c.fake.License()
	ch, err := c.OpenChannel(t.Context(), chat.NewChannel{Key: seal.Random(), Name: "inc-1"})
	if err != nil {
		t.Fatal(err)
	}
	c.fake.Forbid("add_bookmark_public_channel")
	says(t, c.Bookmark(t.Context(), ch.ID, []chat.Link{{Text: "x", URL: "https://b.example/"}}), fault.Permanent, "administrator")
}

func TestAPinOfWhatIsGone(t *testing.T) {
	c := connect(t, nil)
	ref, err := c.post(t, "ops")
	if err != nil {
		t.Fatal(err)
	}
	c.fake.DeletePost(ref.Post)
	says(t, c.Pin(t.Context(), ref), fault.Gone, "deleted")
	if err := c.Unpin(t.Context(), ref); err != nil {
		t.Error(err)
	}
}

func TestChannelNames(t *testing.T) {
	for in, want := range map[string]string{
		"INC-42 Disk /var": "inc-42-disk-var", "  ": "incident", "日本": "incident", "a__b": "a_b", "x": "incident-x", "-- x --y": "x-y",
		strings.Repeat("x", 100): strings.Repeat("x", 64), strings.Repeat("y", 26): "incident-" + strings.Repeat("y", 26),
	} {
		if got := mattermost.ChannelName(in, 0); got != want {
			t.Errorf("%q became %q, not %q", in, got, want)
		}
	}
	if got := mattermost.ChannelName(strings.Repeat("x", 100), 11); got != strings.Repeat("x", 61)+"-12" {
		t.Errorf("with a suffix: %q", got)
	}
}
