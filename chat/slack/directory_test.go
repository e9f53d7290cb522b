// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/slack"
	"belfry/chat/slack/slacktest"
	"belfry/fault"
)

// TestKnowsPeople holds Slack to the contract: a workspace with user groups,
// and one of the free plan.
func TestKnowsPeople(t *testing.T) {
	t.Run("Paid", func(t *testing.T) {
		chattest.RunDirectory(t, func(t *testing.T) *chattest.Directory {
			d, fake := directory(t)
			d.AddGroup = func(name string, members ...string) string { fake.AddGroup(name, members...); return name }
			d.HideGroups, d.HideWords = func() { fake.Ungrant("usergroups:read") }, "usergroups:read"
			return d
		})
	})
	t.Run("Free", func(t *testing.T) {
		chattest.RunDirectory(t, func(t *testing.T) *chattest.Directory {
			d, fake := directory(t)
			fake.Free()
			d.HideWords = "paid plan"
			return d
		})
	})
}

func directory(t *testing.T) (*chattest.Directory, *slacktest.Server) {
	c := connect(t)
	c.fake.AddUser(chattest.Carol)
	c.fake.Deactivate(chattest.Carol)
	return &chattest.Directory{
		Directory: c.Platform, Connection: "main", Secrets: []string{c.fake.Token(), c.fake.SigningSecret()},
		ID: c.fake.UserID, Program: slacktest.Bot,
		Mail:     func(person string) string { return person + "@example.org" },
		HideMail: func() { c.fake.Ungrant("users:read.email") },
		ByShown:  true,
		Share: func(shown string, people ...string) {
			for _, person := range people {
				c.fake.ShowAs(person, shown)
			}
		},
		Rings: func(word string) []string {
			m := golden["card"]
			m.Mentions = []string{word}
			c.say(t, "ops", m)
			cards := c.fake.Room("ops").Cards()
			return cards[len(cards)-1].Rings()
		},
		AddChannel: func(name string, members ...string) string {
			c.fake.AddChannelWith(name, members...)
			c.clock.Advance(time.Minute) // lists of names are not read more often
			return name
		},
		AddPeople: func(n int) {
			for i := range n {
				c.fake.AddUser(fmt.Sprintf("p%d", i))
			}
			c.fake.PageSize(300)
		},
		Down: c.fake.Stop,
	}, c.fake
}

// TestAPersonByDisplayName: what people read behind "@" is a display name, and
// one that several have is nobody's.
func TestAPersonByDisplayName(t *testing.T) {
	c := connect(t)
	c.fake.AddUser("ahuber")
	c.fake.ShowAs("ahuber", "Anna")
	c.fake.AddUser("amaier")
	c.fake.ShowAs("amaier", "alice") // is somebody's handle
	for _, name := range []string{"b1", "b2"} {
		c.fake.AddUser(name)
		c.fake.ShowAs(name, "Bert")
	}
	got, err := c.FindPeople(t.Context(), []string{"@anna", "@Alice", "bert"})
	if err != nil || got[0].Actor.Name != "ahuber" || got[1].Actor.ID != c.fake.UserID("alice") || got[2].Why != "is what @b1 and @b2 are shown as; write which of them is meant" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAStrangerIsNotFound(t *testing.T) {
	c := connect(t)
	c.fake.AddStranger("dave")
	got, err := c.FindPeople(t.Context(), []string{"dave", c.fake.UserID("dave"), "dave@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range got {
		if f.Known() || !strings.Contains(f.Why, "another workspace") {
			t.Errorf("%+v", f)
		}
	}
}

// TestAScopeThatIsMissingIsNamed: the one for names is not the one for mail
// addresses, and without it nobody can be called unknown.
func TestAScopeThatIsMissingIsNamed(t *testing.T) {
	for _, name := range []string{"@alice", "id"} {
		c := connect(t)
		if name == "id" {
			name = c.fake.UserID("alice")
		}
		c.fake.Ungrant("users:read")
		got, err := c.FindPeople(t.Context(), []string{name})
		if d, _ := fault.Of(err); d != fault.Retry || !strings.Contains(err.Error(), "lacks a scope") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	c := connect(t)
	c.fake.Ungrant("channels:read", "groups:read")
	got, err := c.FindGroup(t.Context(), "#"+c.fake.Look("ops").ID)
	if err == nil || !strings.Contains(err.Error(), "lacks a scope") || strings.Contains(err.Error(), "usergroups:read to the app") {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestAChannelThatIsNotReadToItsEnd: of people whom nobody read it can't be
// told whether they are among those who can act.
func TestAChannelThatIsNotReadToItsEnd(t *testing.T) {
	c := connect(t)
	c.fake.PageSize(700)
	crowd := []string{"alice"}
	for i := range 2*chat.MaxGroup + 200 {
		crowd = append(crowd, fmt.Sprintf("s%d", i))
		c.fake.AddStranger(crowd[i+1])
	}
	c.fake.AddChannelWith("shared", crowd...)
	got, err := c.FindGroup(t.Context(), "#shared")
	if d, _ := fault.Of(err); d != fault.Permanent || !strings.Contains(err.Error(), "smaller groups") {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestWordsOfTheConfiguration: what mention_ids says is believed for people and groups.
func TestWordsOfTheConfiguration(t *testing.T) {
	var bob, group string
	words := map[string]string{}
	c := connect(t, func(cfg *slack.Config) { cfg.Mentions = words })
	bob, group = c.fake.UserID("bob"), c.fake.AddGroup("ops-oncall", "alice").ID
	words["boss"], words["night"] = bob, group
	people, err := c.FindPeople(t.Context(), []string{"@boss"})
	if err != nil || people[0].Actor.Name != "bob" {
		t.Errorf("%+v, %v", people, err)
	}
	members, err := c.FindGroup(t.Context(), "@night")
	if err != nil || len(members) != 1 || members[0].Name != "alice" {
		t.Errorf("%+v, %v", members, err)
	}
}

// TestALargeWorkspaceIsReadOn: somebody who does not wait is told so; the
// walk goes on, and the next one is answered from it.
func TestALargeWorkspaceIsReadOn(t *testing.T) {
	c := connect(t)
	if _, err := c.SelfCheck(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.fake.Slow(200 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := c.FindPeople(ctx, []string{"alice"})
	if d, _ := fault.Of(err); d != fault.Retry || !strings.Contains(err.Error(), "still being read") {
		t.Fatalf("%v", err)
	}
	got, err := c.FindPeople(t.Context(), []string{"alice"})
	if err != nil || !got[0].Known() {
		t.Errorf("%+v, %v", got, err)
	}
	if n := len(c.fake.Calls("users.list")); n != 1 {
		t.Errorf("the people were listed %d times", n)
	}
}
