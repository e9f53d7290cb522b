// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"testing"

	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/mattermost"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/seal"
)

// TestNameAndIconWhereAllowed: by each way to post, and as long as the server
// allows it; otherwise the post is there all the same.
func TestNameAndIconWhereAllowed(t *testing.T) {
	const icon = "https://belfry.example.org/icon.png"
	looks := func(c *mattermost.Config) { c.Username, c.IconURL = "Belfry", icon }
	for way, open := range map[string]func(*testing.T) (chat.Platform, *mattermosttest.Server){
		"belfry": func(t *testing.T) (chat.Platform, *mattermosttest.Server) {
			c := connect(t, &chattest.Recorder{}, looks)
			return c, c.fake
		},
		"robot": func(t *testing.T) (chat.Platform, *mattermosttest.Server) {
			c := connect(t, &chattest.Recorder{}, looks, byAccount)
			c.fake.AddUser("robot")
			c.fake.SetPassword("robot", password)
			return c, c.fake
		},
		"alice": func(t *testing.T) (chat.Platform, *mattermosttest.Server) {
			h := openHook(t, false, looks)
			return h, h.fake
		},
	} {
		for _, c := range []struct {
			name              string
			names, icons, v12 bool
		}{{"both on", true, true, false}, {"both off", false, false, false}, {"names only", true, false, false}, {"icons only", false, true, false}, {"12", true, true, true}} {
			t.Run(way+" "+c.name, func(t *testing.T) {
				p, fake := open(t)
				fake.SetSetting("EnablePostUsernameOverride", c.names)
				fake.SetSetting("EnablePostIconOverride", c.icons)
				if c.v12 {
					fake.StripOverrides()
				}
				ref, err := p.Post(t.Context(), chat.Post{Channel: "ops", Key: seal.Random(), Message: card("disk full")})
				if err != nil {
					t.Fatal(err)
				}
				wantName, wantIcon := way, ""
				if c.names && (!c.v12 || way != "robot") {
					wantName = "Belfry"
				}
				if c.icons && (!c.v12 || way != "robot") {
					wantIcon = icon
				}
				for range 2 { // an edit must not change it
					if name, picture := fake.Room("ops").Card("disk full").Author(); name != wantName || picture != wantIcon {
						t.Errorf("shown as %q with %q, want %q with %q", name, picture, wantName, wantIcon)
					}
					if err := p.Update(t.Context(), ref, "k", card("disk full")); err != nil {
						t.Fatal(err)
					}
				}
			})
		}
	}
}
