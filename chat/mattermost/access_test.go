// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/mattermost"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/clock"
	"belfry/config"
	"belfry/config/secrettest"
	"belfry/fault"
	"belfry/seal"
)

const password = "correct horse battery staple"

// byAccount signs in as a person where no bot can be had.
func byAccount(c *mattermost.Config) { c.Token, c.LoginID, c.Password = "", "robot", password }

// connectAccount opens a connection by login and password.
func connectAccount(t *testing.T, r chat.Responder) *connection {
	t.Helper()
	c := connect(t, r, byAccount)
	c.fake.AddUser("robot")
	c.fake.SetPassword("robot", password)
	return c
}

func TestContractByAccount(t *testing.T) {
	chattest.Run(t, func(t *testing.T, r chat.Responder) *chattest.Harness {
		c := connectAccount(t, r)
		return c.harness(t, password, func() { c.fake.SetPassword("robot", "another"); c.fake.EndSessions("robot") })
	})
}

func TestASessionIsOpenedOnceAndAnewWhenItEnds(t *testing.T) {
	c := connectAccount(t, &chattest.Recorder{})
	for range 3 {
		if _, err := c.post(t, "ops"); err != nil {
			t.Fatal(err)
		}
	}
	if tried, sessions := c.fake.Logins("robot"); tried != 1 || sessions != 1 {
		t.Errorf("%d logins, %d sessions", tried, sessions)
	}
	c.fake.EndSessions("robot")
	if _, err := c.post(t, "ops"); err != nil {
		t.Fatal(err)
	}
	if tried, _ := c.fake.Logins("robot"); tried != 2 || c.fake.PostsIn("ops") != 4 {
		t.Errorf("%d logins, %d posts", tried, c.fake.PostsIn("ops"))
	}
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, sessions := c.fake.Logins("robot"); sessions != 0 {
		t.Errorf("%d sessions are left behind", sessions)
	}
}

// TestWhatIsUnderWayWhenAConnectionIsReplacedLeavesNoSession: a reload lets go of
// the platform while the engine still carries a batch out with it. That is
// finished, and what it signed in for is ended.
func TestWhatIsUnderWayWhenAConnectionIsReplacedLeavesNoSession(t *testing.T) {
	c := connectAccount(t, &chattest.Recorder{})
	if _, err := c.post(t, "ops"); err != nil {
		t.Fatal(err)
	}
	c.fake.Slow(50 * time.Millisecond)
	before, done := c.fake.Calls(), make(chan error, 1)
	go func() {
		_, err := c.post(t, "ops")
		done <- err
	}()
	for c.fake.Calls() == before {
		time.Sleep(time.Millisecond)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if _, sessions := c.fake.Logins("robot"); sessions != 0 {
		t.Errorf("%d sessions are left behind by what was under way", sessions)
	}
	if _, err := c.post(t, "ops"); err != nil { // the next of its batch
		t.Fatal(err)
	}
	if tried, sessions := c.fake.Logins("robot"); sessions != 0 || c.fake.PostsIn("ops") != 3 {
		t.Errorf("after %d logins %d sessions are left behind, and %d posts stand", tried, sessions, c.fake.PostsIn("ops"))
	}
}

// TestAWrongPasswordIsNotTriedAgainAndAgain: the server locks the account.
func TestAWrongPasswordIsNotTriedAgainAndAgain(t *testing.T) {
	c := connectAccount(t, &chattest.Recorder{})
	c.fake.SetPassword("robot", "another")
	for range 30 {
		_, err := c.post(t, "ops")
		says(t, err, fault.Retry, "login_id or password")
		secrettest.Check(t, password, err)
	}
	if tried, _ := c.fake.Logins("robot"); tried > 2 {
		t.Errorf("%d logins", tried)
	}
	c.fake.SetPassword("robot", password)
	c.clock.Advance(6 * time.Minute)
	if _, err := c.post(t, "ops"); err != nil {
		t.Error(err)
	}
}

func TestListeningByAccount(t *testing.T) {
	l := listen(t)
	l.stop()
	l.fake.AddUser("robot")
	l.fake.SetPassword("robot", password)
	byAccount(l.cfg)
	l.start()
	l.fake.Say("alice", "ops", "", "!ack 1")
	l.heard("ack 1")
	l.fake.EndSessions("robot")
	l.until("a new session", func() bool { tried, _ := l.fake.Logins("robot"); return tried >= 2 })
	l.fake.Say("alice", "ops", "", "!ack 2")
	l.heard("ack 1", "ack 2")
	secrettest.Check(t, password, l.log.String())
}

// hook is a connection by an incoming webhook.
type hook struct {
	chat.Platform
	fake *mattermosttest.Server
	url  string
}

func openHook(t *testing.T, locked bool, change ...func(*mattermost.Config)) *hook {
	t.Helper()
	h := &hook{fake: mattermosttest.Start(t, mattermosttest.Options{Clock: clock.NewManual(time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC))})}
	h.fake.AddChannel("ops")
	h.fake.AddChannel("db")
	h.url = h.fake.AddIncoming("alice", "ops", locked)
	cfg := &mattermost.Config{WebhookURL: config.Secret(h.url)}
	for _, f := range change {
		f(cfg)
	}
	if wrong := cfg.Validate(); len(wrong) != 0 {
		t.Fatalf("the configuration is wrong: %v", wrong)
	}
	p, err := cfg.OpenChat(mattermost.Options{Name: "main", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.(chat.Closer).Close(t.Context()) })
	h.Platform = p
	return h
}

func (h *hook) try(t *testing.T, channel string) error {
	t.Helper()
	_, err := h.Post(t.Context(), chat.Post{Channel: channel, Key: seal.Random(), Message: card("disk full")})
	if err != nil {
		secrettest.Check(t, h.url[strings.LastIndexByte(h.url, '/')+1:], err)
	}
	return err
}

func TestAHookPostsOnceAndThenALineForEachChange(t *testing.T) {
	h := openHook(t, false, func(c *mattermost.Config) {
		c.Username, c.IconURL = "Belfry", "https://belfry.example.org/icon.png"
	})
	ref, err := h.Post(t.Context(), chat.Post{Channel: "~db", Key: "k1", Message: card("disk full")})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Update(t.Context(), ref, "k1", card("disk fine")); err != nil {
		t.Fatal(err)
	}
	note := chat.Message{Summary: "disk full: alice acknowledged: *on it* @all", Lines: []chat.Line{{{Text: "alice acknowledged"}}}}
	if _, err := h.Post(t.Context(), chat.Post{Channel: "~db", Thread: &ref, Key: "k2", Message: note}); err != nil {
		t.Fatal(err)
	}
	cards := h.fake.Room("db").Cards()
	if len(cards) != 2 || len(cards[0].Buttons()) > 0 || !cards[0].Shows("disk full") || !cards[1].Shows("disk full: alice acknowledged: *on it*") || cards[1].Rings() != nil {
		t.Errorf("the channel shows %q and %q", cards[0].Text(), cards[len(cards)-1].Text())
	}
	if !strings.Contains(string(cards[0].Post().Props), `"override_username":"Belfry"`) {
		t.Errorf("props %s", cards[0].Post().Props)
	}
}

// TestAnUnknownOutcomeIsRepeatedAndSaysSo: nobody can be asked.
func TestAnUnknownOutcomeIsRepeatedAndSaysSo(t *testing.T) {
	h := openHook(t, false)
	h.fake.TimeoutAfterAccepting(1)
	says(t, h.try(t, "ops"), fault.Unknown)
	h.fake.Fail5xxBefore(1)
	says(t, h.try(t, "ops"), fault.Unknown)
	if _, ok, err := h.Find(t.Context(), "ops", "k9", time.Now()); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	if _, err := h.Post(t.Context(), chat.Post{Channel: "ops", Key: "k9", Message: card("again")}); err != nil {
		t.Fatal(err)
	}
	h.fake.Room("ops").Card("Perhaps a repetition")
}

func TestWhyAHookRefuses(t *testing.T) {
	for _, wrapped := range []bool{false, true} {
		h := openHook(t, true)
		if wrapped {
			h.fake.WrapHookErrors()
		}
		says(t, h.try(t, "db"), fault.Permanent, "locked to another channel", `"db"`)
		says(t, h.try(t, "Nowhere"), fault.Permanent, "finds no channel", "handle")
		if report, err := h.Platform.(chat.SelfChecker).SelfCheck(t.Context()); err != nil || !strings.Contains(report, "one-way") {
			t.Errorf("%q, %v", report, err)
		}
		if n := h.fake.PostsIn("ops"); n > 0 {
			t.Errorf("the check posted %d messages", n)
		}
		h.fake.SetSetting("EnableIncomingWebhooks", false)
		says(t, h.try(t, "ops"), fault.Permanent, "switched off")
		h.fake.SetSetting("EnableIncomingWebhooks", true)
		h.fake.RateLimit(0, 0)
		if d, _ := fault.Of(h.try(t, "ops")); d != fault.RetryAfter {
			t.Errorf("a rate limit is %v", d)
		}
		h.fake.Unlimited()
		h.fake.RemoveIncoming(h.url)
		says(t, h.try(t, "ops"), fault.Permanent, "does not exist any more")
		_, err := h.Platform.(chat.SelfChecker).SelfCheck(t.Context())
		says(t, err, fault.Permanent, "does not exist any more")
		h.fake.Stop()
		_ = h.Platform.(chat.Closer).Close(t.Context()) // no idle connection is left that could look alive
		says(t, h.try(t, "ops"), fault.Retry, "nothing was sent")
	}
}

func TestWaysToPostExcludeEachOther(t *testing.T) {
	id := "abcdefghijklmnopqrstuvwxyz"
	for name, c := range map[string]*mattermost.Config{
		"login_id":      {URL: "https://x.example", Team: "t", Token: "t", LoginID: "a", Password: "p"},
		"password_file": {URL: "https://x.example", Team: "t", LoginID: "a"},
		"token":         {WebhookURL: config.Secret("https://x.example/hooks/" + id), Token: "t"},
		"url":           {WebhookURL: config.Secret("https://x.example/hooks/" + id), URL: "https://x.example"},
		"webhook_url":   {WebhookURL: config.Secret("https://x.example/hook/" + id)},
		"websocket":     {WebhookURL: config.Secret("https://x.example/hooks/" + id), Listening: mattermost.Listening{Websocket: true}},
		"command_word":  {URL: "https://x.example", Team: "t", Token: "t", Listening: mattermost.Listening{Websocket: true, Word: "a b"}},
		"reactions": {URL: "https://x.example", Team: "t", Token: "t",
			Listening: mattermost.Listening{Websocket: true, Reactions: map[string]string{"x": "explode"}}},
		"buttons":  {URL: "https://x.example", Team: "t", Token: "t", Listening: mattermost.Listening{Buttons: true}},
		"icon_url": {URL: "https://x.example", Team: "t", Token: "t", IconURL: "javascript:x"},
	} {
		wrong := c.Validate()
		if len(wrong) != 1 || !strings.Contains(errors.Join(wrong...).Error(), name) {
			t.Errorf("%s: %v", name, wrong)
		}
		secrettest.Check(t, id, errors.Join(wrong...))
	}
}
