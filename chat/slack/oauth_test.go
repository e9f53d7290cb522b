// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"belfry/chat/slack"
	"belfry/chat/slack/slacktest"
	"belfry/config"
	"belfry/fault"
)

const (
	redirect = "https://belfry.example.org/oauth/main/personal"
	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)

func withOAuth(c *slack.Config) {
	c.OAuth = &slack.OAuth{ClientID: slacktest.ClientID, ClientSecret: config.Secret(slacktest.ClientSecret)}
}

// signIn takes somebody to Slack and back, and returns the code.
func (c *connection) signIn(t *testing.T, person string) string {
	t.Helper()
	to, err := c.AuthorizeURL(t.Context(), redirect, "the-state", verifier)
	if err != nil {
		t.Fatal(err)
	}
	back, err := url.Parse(c.fake.Allow(person, to))
	if err != nil || back.Query().Get("state") != "the-state" {
		t.Fatalf("%v: %s", err, back)
	}
	return back.Query().Get("code")
}

func TestSignInWithSlack(t *testing.T) {
	c := connect(t, withOAuth)
	code := c.signIn(t, "alice")
	who, err := c.Identify(t.Context(), redirect, code, verifier)
	if err != nil || who.Name != "alice" || who.ID != c.fake.UserID("alice") || who.Connection != "main" {
		t.Fatalf("%+v, %v", who, err)
	}
	if n := c.fake.SignInTokens(); n != 0 {
		t.Errorf("%d tokens of people are left alive", n)
	}
	if !strings.HasPrefix(c.fake.URL(), c.Site()) {
		t.Errorf("browsers are sent to %q", c.Site())
	}
	if _, err := c.Identify(t.Context(), redirect, code, verifier); err == nil || !strings.Contains(err.Error(), "begin again") {
		t.Errorf("a code was taken twice: %v", err)
	}
}

// TestIDTokensThatCantBeBelieved: each lets nobody in.
func TestIDTokensThatCantBeBelieved(t *testing.T) {
	now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		alg   string
		alter func(claims map[string]any)
	}{
		"signed by nobody":       {"none", nil},
		"signed by another key":  {"other", nil},
		"of another issuer":      {"", func(m map[string]any) { m["iss"] = "https://slack.example" }},
		"for another app":        {"", func(m map[string]any) { m["aud"] = "1.2" }},
		"of yesterday":           {"", func(m map[string]any) { m["exp"] = now.Add(-time.Minute).Unix() }},
		"for another sign-in":    {"", func(m map[string]any) { m["nonce"] = "another" }},
		"without a nonce":        {"", func(m map[string]any) { delete(m, "nonce") }},
		"of another workspace":   {"", func(m map[string]any) { m["https://slack.com/team_id"] = slacktest.OtherTeamID }},
		"without a workspace":    {"", func(m map[string]any) { delete(m, "https://slack.com/team_id") }},
		"of nobody":              {"", func(m map[string]any) { delete(m, "https://slack.com/user_id") }},
		"of somebody unknown":    {"", func(m map[string]any) { m["https://slack.com/user_id"] = "U0UNKNOWN1" }},
		"of a bot":               {"", func(m map[string]any) { m["https://slack.com/user_id"] = slacktest.BotUser }},
		"with an id of no shape": {"", func(m map[string]any) { m["https://slack.com/user_id"] = "../alice" }},
	} {
		t.Run(name, func(t *testing.T) {
			conn := connect(t, withOAuth)
			code := conn.signIn(t, "alice")
			alter := c.alter
			if alter == nil {
				alter = func(map[string]any) {}
			}
			conn.fake.AlterNextToken(c.alg, alter)
			who, err := conn.Identify(t.Context(), redirect, code, verifier)
			if d, _ := fault.Of(err); err == nil || d != fault.Permanent || who.ID != "" {
				t.Errorf("let in as %+v (%v)", who, err)
			}
			if n := conn.fake.SignInTokens(); n != 0 {
				t.Errorf("%d tokens of people are left alive", n)
			}
		})
	}
}

func TestACodeBelongsToItsBrowserAndAddress(t *testing.T) {
	c := connect(t, withOAuth)
	code := c.signIn(t, "alice")
	if _, err := c.Identify(t.Context(), redirect, code, verifier+"x"); err == nil {
		t.Error("another verifier was taken")
	}
	if _, err := c.Identify(t.Context(), redirect+"/x", code, verifier); err == nil || !strings.Contains(err.Error(), "redirect URL") {
		t.Errorf("another address: %v", err)
	}
	c.clock.Advance(11 * time.Minute)
	if _, err := c.Identify(t.Context(), redirect, code, verifier); err == nil || !strings.Contains(err.Error(), "begin again") {
		t.Errorf("an old code: %v", err)
	}
}

func TestAWrongClientSecretIsToldAndNotShown(t *testing.T) {
	const wrong = "wr0ngwr0ngwr0ngwr0ng"
	c := connect(t, withOAuth, func(c *slack.Config) { c.OAuth.ClientSecret = wrong })
	_, err := c.Identify(t.Context(), redirect, c.signIn(t, "alice"), verifier)
	if err == nil || !strings.Contains(err.Error(), "Client Secret is wrong") || strings.Contains(err.Error(), wrong) {
		t.Errorf("%v", err)
	}
}

func TestWithoutOAuthNobodyIsSentAnywhere(t *testing.T) {
	c := connect(t)
	if _, err := c.AuthorizeURL(t.Context(), redirect, "s", verifier); err == nil {
		t.Error("sent somewhere")
	}
	if _, err := c.Identify(t.Context(), redirect, "c", verifier); err == nil {
		t.Error("identified")
	}
	if c.config.Links() {
		t.Error("accounts can't be linked without oauth")
	}
}

func TestWhatIsWrongWithHearingIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*slack.Config)
		want   string
	}{
		"a command":      {func(c *slack.Config) { c.Command = "belfry" }, "no slash command"},
		"a word":         {func(c *slack.Config) { c.Word = "two words" }, "command_word"},
		"a word's start": {func(c *slack.Config) { c.Word = "/ack" }, "keeps for itself"},
		"an emoji":       {func(c *slack.Config) { c.Reactions = map[string]string{":x:": "ack"} }, "no emoji's name"},
		"an act":         {func(c *slack.Config) { c.Reactions = map[string]string{"x": "explode"} }, "neither ack nor unack"},
		"a mail domain":  {func(c *slack.Config) { c.ByEmail = "a@example.org" }, "no mail domain"},
		"connections":    {func(c *slack.Config) { c.Sockets = 11 }, "between 1 and 10"},
		"no client":      {func(c *slack.Config) { c.OAuth = &slack.OAuth{ClientSecret: "x"} }, "Client ID"},
		"a client":       {func(c *slack.Config) { c.OAuth = &slack.OAuth{ClientID: "A012", ClientSecret: "x"} }, "two numbers"},
		"no secret":      {func(c *slack.Config) { c.OAuth = &slack.OAuth{ClientID: "1.2"} }, "Client Secret"},
		"a token":        {func(c *slack.Config) { c.OAuth = &slack.OAuth{ClientID: "1.2", ClientSecret: "xoxb-1"} }, "is a token"},
	} {
		cfg := slack.Config{Token: "xoxb-1-abc", AppToken: "xapp-1-abc"}
		c.change(&cfg)
		wrong := cfg.Validate()
		if len(wrong) != 1 || !strings.Contains(wrong[0].Error(), c.want) {
			t.Errorf("%s: %v", name, wrong)
		}
	}
}

func TestMailAddressesAreReadFromSlack(t *testing.T) {
	c := connect(t, func(c *slack.Config) { c.ByEmail = "example.org" })
	who, err := c.Person(t.Context(), c.fake.UserID("alice"))
	if err != nil {
		t.Fatal(err)
	}
	if address, err := c.MailAddress(t.Context(), who); err != nil || address != "alice@example.org" || c.MailDomain() != "example.org" {
		t.Errorf("%q, %v", address, err)
	}
	if !c.config.Links() || c.Identifies() {
		t.Error("accounts are linked by mail alone here")
	}
}
