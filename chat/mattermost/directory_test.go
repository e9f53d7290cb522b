// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"fmt"
	"strings"
	"testing"

	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/fault"
	"belfry/seal"
)

// TestKnowsPeople holds Mattermost to the contract: an old server without
// groups, and a new one with a licence.
func TestKnowsPeople(t *testing.T) {
	t.Run("5.37", func(t *testing.T) {
		chattest.RunDirectory(t, func(t *testing.T) *chattest.Directory {
			d, _ := directory(t)
			d.HideWords = "license"
			return d
		})
	})
	t.Run("10.11", func(t *testing.T) {
		chattest.RunDirectory(t, func(t *testing.T) *chattest.Directory {
			d, fake := directory(t)
			fake.SetVersion("10.11.0")
			fake.License()
			d.AddGroup = func(name string, members ...string) string { fake.AddGroup(name, members...); return name }
			d.HideGroups, d.HideWords = func() { fake.Forbid("read_group_members") }, "administrator"
			return d
		})
	})
}

func directory(t *testing.T) (*chattest.Directory, *mattermosttest.Server) {
	c := connect(t, nil)
	c.fake.AddUser(chattest.Carol)
	c.fake.Deactivate(chattest.Carol)
	return &chattest.Directory{
		Directory: c.Platform, Connection: "main", Secrets: []string{c.fake.Token()},
		ID:      func(person string) string { return c.fake.User(person).ID },
		Program: mattermosttest.Bot, Mail: mattermosttest.Email, HideMail: c.fake.HideEmails,
		Share: func(shown string, people ...string) {
			for _, person := range people {
				c.fake.ShowAs(person, shown)
			}
		},
		Rings: func(word string) []string {
			m := golden["card"]
			m.Mentions = []string{word}
			if _, err := c.Post(t.Context(), chat.Post{Channel: "ops", Key: seal.Random(), Message: m}); err != nil {
				t.Fatal(err)
			}
			cards := c.fake.Room("ops").Cards()
			return cards[len(cards)-1].Rings()
		},
		AddChannel: func(name string, members ...string) string {
			c.fake.AddChannel(name)
			in := map[string]bool{mattermosttest.Bot: true}
			for _, m := range members {
				in[m] = true
			}
			for _, u := range c.fake.Users() {
				if !in[u] {
					c.fake.Leave(u, name)
				}
			}
			return name
		},
		AddPeople: func(n int) {
			for i := range n {
				c.fake.AddUser(fmt.Sprintf("p%d", i))
			}
		},
		Down: c.fake.Stop,
	}, c.fake
}

// TestAGroupOfAChannelThatWeAreNotIn says what to do.
func TestAGroupOfAChannelThatWeAreNotIn(t *testing.T) {
	c := connect(t, nil)
	c.fake.Leave(mattermosttest.Bot, "ops")
	_, err := c.FindGroup(t.Context(), "~ops")
	says(t, err, fault.Permanent, "invite")
}

// TestAGroupIsTheOneOfThatName: the server finds groups by parts of names.
func TestAGroupIsTheOneOfThatName(t *testing.T) {
	c := connect(t, nil)
	c.fake.SetVersion("10.11.0")
	c.fake.License()
	for i := range 250 {
		c.fake.AddGroup(fmt.Sprintf("oncall-%03d", i), "bob")
	}
	c.fake.AddGroup("oncall", "alice")
	c.fake.AddGroup("oncall-old", "bob")
	c.fake.RemoveGroup("oncall-old")
	got, err := c.FindGroup(t.Context(), "oncall")
	if err != nil || len(got) != 1 || got[0].Name != "alice" {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = c.FindGroup(t.Context(), "oncall-old")
	says(t, err, fault.Permanent, "~oncall-old")
}

// TestHandlesAreAskedForOnce: a line with many people costs one call.
func TestHandlesAreAskedForOnce(t *testing.T) {
	c := connect(t, nil)
	before := c.fake.Calls()
	got, err := c.FindPeople(t.Context(), []string{"@alice", "bob", "nobody", "alice", strings.Repeat("é", 40)})
	if err != nil || !got[0].Known() || !got[1].Known() || got[2].Known() || got[3].Actor != got[0].Actor || got[4].Known() {
		t.Errorf("%+v, %v", got, err)
	}
	if n := c.fake.Calls() - before; n != 1 {
		t.Errorf("%d calls", n)
	}
}
