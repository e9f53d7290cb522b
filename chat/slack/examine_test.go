// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"strings"
	"testing"

	"belfry/chat/slack"
	"belfry/doctor"
	"belfry/doctor/doctortest"
)

func (c *connection) examine(t *testing.T, channels ...string) []doctor.Finding {
	t.Helper()
	list := c.Examine(t.Context(), doctor.Visit{Channels: channels, CallbackURL: "https://belfry.example/chat/main"})
	doctortest.Check(t, list)
	for _, f := range list {
		for _, secret := range []string{c.fake.Token(), c.fake.AppToken(), c.fake.SigningSecret()} {
			if strings.Contains(f.Seen+f.Remedy, secret) {
				t.Errorf("%s shows a secret", f.Check)
			}
		}
	}
	return list
}

func TestAConnectionThatIsWell(t *testing.T) {
	c := connect(t)
	list := c.examine(t, "ops")
	for _, f := range list {
		if f.Level != doctor.OK {
			t.Errorf("%s: %s", f.Check, f.Seen)
		}
	}
	for _, check := range []string{"token", "scopes", "socket mode", "signing secret", "clock", "channel ops"} {
		doctortest.Expect(t, list, check, doctor.OK)
	}
	if n := c.fake.Sockets(); n != 0 {
		t.Errorf("%d connections were opened", n)
	}
}

func TestWhatIsWrongWithAConnection(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*slack.Config)
		spoil  func(*connection)
		check  string
		level  doctor.Level
		texts  []string
	}{
		"a scope of posting": {spoil: func(c *connection) { c.fake.Ungrant("groups:history") }, check: "scopes", level: doctor.Fail,
			texts: []string{"groups:history", "Install to Workspace", "belfry slack manifest"}},
		"a scope of less": {spoil: func(c *connection) { c.fake.Ungrant("reactions:read") }, check: "scopes", level: doctor.Warn, texts: []string{"acknowledging and keeping messages by emoji"}},
		"a revoked token": {spoil: func(c *connection) { c.fake.RevokeToken() }, check: "token", level: doctor.Fail, texts: []string{"Install to Workspace"}},
		"Socket Mode off": {spoil: func(c *connection) { c.fake.DisableSocketMode(true) }, check: "socket mode", level: doctor.Fail, texts: []string{"Enable Socket Mode"}},
		"another app token": {change: func(c *slack.Config) { c.AppToken = "xapp-1-A0-1-other" }, check: "socket mode", level: doctor.Fail,
			texts: []string{"connections:write"}},
		"an odd secret":     {change: func(c *slack.Config) { c.SigningSecret = "hunter2" }, check: "signing secret", level: doctor.Warn, texts: []string{"Basic Information"}},
		"a private channel": {spoil: func(c *connection) { c.fake.AddPrivateChannel("secret") }, check: "channel secret", level: doctor.Fail, texts: []string{"/invite @belfry"}},
		"a public channel":  {spoil: func(c *connection) { c.fake.AddChannel("noc"); c.fake.Leave("noc") }, check: "channel noc", level: doctor.Warn, texts: []string{"/invite @belfry"}},
		"no channel":        {check: "channel nowhere", level: doctor.Fail},
		"down":              {spoil: func(c *connection) { c.fake.Stop() }, check: "token", level: doctor.Fail, texts: []string{"proxy"}},
	} {
		t.Run(name, func(t *testing.T) {
			conn := connect(t, func(cfg *slack.Config) {
				if c.change != nil {
					c.change(cfg)
				}
			})
			if c.spoil != nil {
				c.spoil(conn)
			}
			var channels []string
			if rest, ok := strings.CutPrefix(c.check, "channel "); ok {
				channels = []string{rest}
			}
			doctortest.Expect(t, conn.examine(t, channels...), c.check, c.level, c.texts...)
		})
	}
}

// TestSwappedTokensAreToldFromOneAnother where they are configured.
func TestSwappedTokensAreToldFromOneAnother(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  slack.Config
		want string
	}{
		"an app token as the bot's":     {slack.Config{Token: "xapp-1-a", AppToken: "xapp-1-a"}, "is an app-level token; it begins with xoxb-"},
		"a bot's token as the app's":    {slack.Config{Token: "xoxb-1-a", AppToken: "xoxb-1-a"}, "is a bot's token; it begins with xapp-"},
		"a person's token":              {slack.Config{Token: "xoxp-1-a", AppToken: "xapp-1-a"}, "is a person's token"},
		"a token as the signing secret": {slack.Config{Token: "xoxb-1-a", SigningSecret: "xapp-1-a"}, "it is an app-level token, not the signing secret"},
	} {
		wrong := c.cfg.Validate()
		if len(wrong) != 1 || !strings.Contains(wrong[0].Error(), c.want) {
			t.Errorf("%s: %v", name, wrong)
		}
	}
}
