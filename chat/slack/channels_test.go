// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"strings"
	"testing"

	"belfry/chat"
	"belfry/chat/slack"
	"belfry/fault"
	"belfry/seal"

	"github.com/google/go-cmp/cmp"
)

func (c *connection) opened(t *testing.T, n chat.NewChannel) chat.Channel {
	t.Helper()
	ch, err := c.OpenChannel(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// TestAChannelIsMadeOnce: the same order finds what it made, whatever became
// of the answer; another order of the same name gets a name of its own.
func TestAChannelIsMadeOnce(t *testing.T) {
	c := connect(t)
	n := chat.NewChannel{Key: seal.Random(), Name: "INC-42 Disk full!", Purpose: "Disk <!here> & co"}
	first := c.opened(t, n)
	if first.Name != "inc-42-disk-full" || first.URL != "https://operations.slack.com/archives/"+first.ID {
		t.Errorf("it became %+v", first)
	}
	if again := c.opened(t, n); again != first {
		t.Errorf("the same order made %+v beside %+v", again, first)
	}
	if got := c.fake.Look(first.ID); !strings.HasPrefix(got.Purpose, "Disk &lt;!here&gt; &amp; co [belfry "+n.Key) {
		t.Errorf("its purpose is %q", got.Purpose)
	}
	n.Key = seal.Random()
	if other := c.opened(t, n); other.ID == first.ID || other.Name != "inc-42-disk-full-2" {
		t.Errorf("another order got %+v", other)
	}
	// Killed between making it and noting its key.
	c.fake.MakeOwn("inc-43")
	n = chat.NewChannel{Key: seal.Random(), Name: "inc-43"}
	if got := c.opened(t, n); got.Name != "inc-43" || got.ID != c.fake.Look("inc-43").ID {
		t.Errorf("what an earlier attempt made was left: %+v", got)
	}
	// Taken by somebody else, and archived.
	c.fake.AddChannel("inc-44")
	c.fake.ArchiveChannel("inc-44")
	if got := c.opened(t, chat.NewChannel{Key: seal.Random(), Name: "inc-44", Private: true}); got.Name != "inc-44-2" || !c.fake.Look(got.ID).Private {
		t.Errorf("a taken name: %+v", got)
	}
}

func TestChannelNames(t *testing.T) {
	for in, want := range map[string]string{
		"INC-42 Disk /var": "inc-42-disk-var", "  ": "incident", "Über größe": "ber-gr-e", "日本": "incident", "a_b": "a_b",
		strings.Repeat("x", 100): strings.Repeat("x", 80), "--x--": "x",
	} {
		if got := slack.ChannelName(in); got != want {
			t.Errorf("%q became %q, not %q", in, got, want)
		}
	}
	if got := slack.Header(strings.Repeat("&", 300), 250); len(got) > 250 || !strings.HasSuffix(got, "…") {
		t.Errorf("a long header has %d characters: %q", len(got), got)
	}
}

func TestAppsThatMayMakeNoChannelsSaySo(t *testing.T) {
	c := connect(t)
	c.fake.Ungrant("channels:manage", "groups:write")
	_, err := c.OpenChannel(t.Context(), chat.NewChannel{Key: seal.Random(), Name: "x"})
	if d, _ := fault.Of(err); d != fault.Permanent || !strings.Contains(err.Error(), "administrator") || !strings.Contains(err.Error(), "channels:manage") {
		t.Errorf("%v: %v", d, err)
	}
}

// TestInvite: one who can't come keeps nobody out, who is in is no refusal.
func TestInvite(t *testing.T) {
	c := connect(t)
	ch := c.opened(t, chat.NewChannel{Key: seal.Random(), Name: "inc-1"})
	alice, bob := c.fake.UserID("alice"), c.fake.UserID("bob")
	c.fake.AddUser("carol")
	carol := c.fake.UserID("carol")
	c.fake.Deactivate("carol")
	for range 2 {
		refused, err := c.Invite(t.Context(), ch.ID, []string{alice, carol, bob, alice, "nonsense", "U0UNKNOWN99"})
		want := []chat.Refusal{{Person: "nonsense", Why: "is no id of a person in Slack"},
			{Person: carol, Why: "has an account that was switched off"}, {Person: "U0UNKNOWN99", Why: "is not known in this workspace"}}
		if diff := cmp.Diff(want, refused); diff != "" || err != nil {
			t.Errorf("%v: %s", err, diff)
		}
	}
	if refused, err := c.Invite(t.Context(), ch.ID, []string{alice}); len(refused) != 0 || err != nil {
		t.Errorf("who is in: %v, %v", refused, err)
	}
	got := c.fake.Look(ch.ID)
	if !got.Members[alice] || !got.Members[bob] || got.Members[carol] {
		t.Errorf("in the channel: %v", got.Members)
	}
}

// TestWhatStandsAboveAChannel: topic, purpose (with our key), pins and links,
// each repeated without harm, other people's left alone.
func TestWhatStandsAboveAChannel(t *testing.T) {
	c := connect(t)
	key := seal.Random()
	ch := c.opened(t, chat.NewChannel{Key: key, Name: "inc-1"})
	d := chat.Description{Topic: "critical · commander <@U1> & alice\nx", Purpose: "about disks"}
	for range 2 {
		if err := c.Describe(t.Context(), ch.ID, d); err != nil {
			t.Fatal(err)
		}
	}
	got := c.fake.Look(ch.ID)
	if got.Topic != "critical · commander &lt;@U1&gt; &amp; alice x" || got.Purpose != "about disks [belfry "+key+"]" {
		t.Errorf("topic %q, purpose %q", got.Topic, got.Purpose)
	}
	if n := len(c.fake.Calls("conversations.setTopic")); n != 1 {
		t.Errorf("the topic was set %d times", n)
	}
	ref := c.say(t, ch.ID, golden["recovered"])
	for range 2 {
		if err := c.Pin(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.fake.Look(ch.ID); len(got.Pins) != 1 {
		t.Errorf("pins %v", got.Pins)
	}
	for range 2 {
		if err := c.Unpin(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
	}
	c.fake.AddBookmark(ch.ID, "Run book", "https://wiki.example/")
	for _, links := range [][]chat.Link{
		{{Text: "Incident", URL: "https://b.example/1"}, {Text: "Call", URL: "https://meet.example/1"}},
		{{Text: "Incident", URL: "https://b.example/1"}, {Text: "Call", URL: "https://meet.example/2"}},
		{{Text: "Incident", URL: "https://b.example/1"}, {Text: "Call", URL: "https://meet.example/2"}},
	} {
		if err := c.Bookmark(t.Context(), ch.ID, links); err != nil {
			t.Fatal(err)
		}
	}
	var shown []string
	for _, b := range c.fake.Look(ch.ID).Bookmarks {
		shown = append(shown, b.Title+" "+b.Link)
	}
	want := []string{"Run book https://wiki.example/", "Incident https://b.example/1", "Call https://meet.example/2"}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Error(diff)
	}
	if err := c.Bookmark(t.Context(), ch.ID, []chat.Link{{Text: "x", URL: "javascript:x"}}); err == nil {
		t.Error("a link that is none was taken")
	}
}

func TestRenameAndArchive(t *testing.T) {
	c := connect(t)
	c.fake.AddChannel("inc-2-done")
	ch := c.opened(t, chat.NewChannel{Key: seal.Random(), Name: "inc-2"})
	for range 2 {
		got, err := c.Rename(t.Context(), ch.ID, chat.NewChannel{Name: "INC-2 done"})
		if err != nil || got.ID != ch.ID || got.Name != "inc-2-done-2" {
			t.Errorf("renamed to %+v, %v", got, err)
		}
	}
	c.say(t, "inc-2-done-2", golden["recovered"])
	for range 2 {
		if err := c.Archive(t.Context(), ch.ID); err != nil {
			t.Fatal(err)
		}
	}
	if !c.fake.Look(ch.ID).Archived {
		t.Error("it is not archived")
	}
	err := c.Unarchive(t.Context(), ch.ID)
	if d, _ := fault.Of(err); d != fault.Permanent || !strings.Contains(err.Error(), "by hand") {
		t.Errorf("%v: %v", d, err)
	}
	other := c.opened(t, chat.NewChannel{Key: seal.Random(), Name: "inc-3"})
	if err := c.Unarchive(t.Context(), other.ID); err != nil {
		t.Errorf("an open channel: %v", err)
	}
}
