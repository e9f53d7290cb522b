// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/slack"
	"belfry/chat/slack/slacktest"
	"belfry/config"
	"belfry/config/secrettest"
	"belfry/fault"
	"belfry/seal"
)

func (c *connection) say(t *testing.T, channel string, m chat.Message) chat.Ref {
	t.Helper()
	ref, err := c.Post(t.Context(), chat.Post{Channel: channel, Key: seal.Random(), Message: m})
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// TestWhatSlackGets: metadata, no unfurling, nothing parsed, and a
// notification that says the card in one line.
func TestWhatSlackGets(t *testing.T) {
	c := connect(t)
	key := seal.Random()
	ref, err := c.Post(t.Context(), chat.Post{Channel: "#ops", Key: key, Message: golden["card"]})
	if err != nil {
		t.Fatal(err)
	}
	got := c.fake.Calls("chat.postMessage")[0].Args
	if got["unfurl_links"] != "false" || got["unfurl_media"] != "false" || got["username"] != "" || !strings.HasPrefix(got["channel"], "C") {
		t.Errorf("posted with %v", got)
	}
	if want := `{"event_type":"belfry_message","event_payload":{"key":"` + key + `"}}`; got["metadata"] != want {
		t.Errorf("metadata %s", got["metadata"])
	}
	card := c.fake.Room("ops").Cards()[0]
	if slacktest.Visible(card.Notification()) != "CRITICAL: Disk /var on web01: 98 % full" {
		t.Errorf("a phone says %q", card.Notification())
	}
	if err := c.Update(t.Context(), ref, key, golden["recovered"]); err != nil {
		t.Fatal(err)
	}
	got = c.fake.Calls("chat.update")[0].Args
	if got["parse"] != "none" || got["link_names"] != "false" || got["metadata"] == "" {
		t.Errorf("edited with %v", got)
	}
}

// TestANoteWithoutItsCardIsTakenBack: Slack puts an answer to a deleted message
// into the channel and says nothing of it.
func TestANoteWithoutItsCardIsTakenBack(t *testing.T) {
	c := connect(t)
	ref := c.say(t, "ops", golden["recovered"])
	c.fake.DeleteMessage(ref.Channel, ref.Post)
	_, err := c.Post(t.Context(), chat.Post{Channel: "ops", Thread: &ref, Key: seal.Random(), Message: golden["note"]})
	if d, _ := fault.Of(err); d != fault.Gone {
		t.Errorf("%v: %v", d, err)
	}
	if n := len(c.fake.Room("ops").Cards()); n != 0 {
		t.Errorf("%d notes stand in the channel by themselves", n)
	}
	if len(c.fake.Calls("chat.delete")) != 1 {
		t.Error("the note was not taken back")
	}
}

// TestNamesOfManyChannels: all pages are read, once, and a name that is not
// there is not asked for again at once.
func TestNamesOfManyChannels(t *testing.T) {
	c := connect(t)
	c.fake.PageSize(7)
	for i := range 30 {
		c.fake.AddChannel(fmt.Sprintf("team-%02d", i))
	}
	c.fake.AddPrivateChannel("secret")
	c.fake.AddChannel("old")
	c.fake.ArchiveChannel("old")
	c.say(t, "team-29", golden["recovered"])
	c.say(t, "#team-03", golden["recovered"])
	if n := len(c.fake.Calls("conversations.list")); n != 5 {
		t.Errorf("the list was read in %d calls, want 5", n)
	}
	for _, name := range []string{"secret", "old", "nowhere"} {
		_, err := c.Post(t.Context(), chat.Post{Channel: name, Key: seal.Random(), Message: golden["recovered"]})
		if d, _ := fault.Of(err); d != fault.Permanent || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "invite the app") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(c.fake.Calls("conversations.list")); n != 5 {
		t.Errorf("unknown names had the list read again: %d calls", n)
	}
	c.fake.Join("secret")
	c.clock.Advance(11 * time.Second)
	c.say(t, "secret", golden["recovered"])
}

// TestAChannelTheAppIsNotIn: public ones are posted to where the scope allows it.
func TestAChannelTheAppIsNotIn(t *testing.T) {
	c := connect(t)
	c.fake.Leave("ops")
	c.say(t, "ops", golden["recovered"])
	c.fake.Ungrant("chat:write.public")
	_, err := c.Post(t.Context(), chat.Post{Channel: "ops", Key: seal.Random(), Message: golden["recovered"]})
	if d, _ := fault.Of(err); d != fault.Permanent || !strings.Contains(err.Error(), "invite it there") || !strings.Contains(err.Error(), "ops") {
		t.Errorf("%v", err)
	}
}

// TestAPublicChannelIsJoinedToLookForAMessage: posting takes no membership,
// looking for what an attempt left does.
func TestAPublicChannelIsJoinedToLookForAMessage(t *testing.T) {
	c := connect(t)
	c.fake.Leave("ops")
	p := chat.Post{Channel: "ops", Key: seal.Random(), Message: golden["recovered"]}
	c.fake.TimeoutAfterAccepting(1)
	if _, err := c.Post(t.Context(), p); err == nil {
		t.Fatal("an answer that was lost was no fault")
	}
	if _, err := c.Post(t.Context(), p); err != nil {
		t.Error(err)
	}
	if n := len(c.fake.Room("ops").Cards()); n != 1 {
		t.Errorf("%d messages stand in the channel", n)
	}
	if len(c.fake.Calls("conversations.join")) != 1 {
		t.Error("it was not joined")
	}
}

// TestListsThatCanNotBeHadAreLeftAlone: a missing scope does not have every
// card ask again.
func TestListsThatCanNotBeHadAreLeftAlone(t *testing.T) {
	c := connect(t)
	c.fake.Ungrant("users:read", "usergroups:read")
	for range 5 {
		c.say(t, "ops", golden["card"])
	}
	if n := len(c.fake.Calls("users.list")); n != 1 {
		t.Errorf("the people were asked for %d times", n)
	}
}

// TestWhoIsRung: handles of people and groups, ids, configured words; who is
// known by no word is named and does not keep the card back.
func TestWhoIsRung(t *testing.T) {
	c := connect(t, func(c *slack.Config) { c.Mentions = map[string]string{"duty": "S0DUTY00001"} })
	c.fake.AddGroup("oncall", "alice")
	m := golden["card"]
	m.Mentions = []string{"alice", "oncall", c.fake.UserID("bob"), "duty", "everyone", "stranger"}
	c.say(t, "ops", m)
	if rings := strings.Join(c.fake.Room("ops").Rings(), " "); rings != "alice oncall bob S0DUTY00001 everyone" {
		t.Errorf("it rings %q", rings)
	}
	if !c.fake.Room("ops").Cards()[0].Shows("@stranger") {
		t.Error("who is not known is not named")
	}
	c = connect(t)
	c.fake.Ungrant("users:read", "usergroups:read")
	c.say(t, "ops", m)
	if !c.fake.Room("ops").Cards()[0].Shows("@alice") {
		t.Error("without the scope the name is missing")
	}
}

// TestAnotherNameAndPicture are sent where they are configured, and need a scope.
func TestAnotherNameAndPicture(t *testing.T) {
	c := connect(t, func(c *slack.Config) { c.Username, c.IconEmoji = "Night watch", ":bell:" })
	c.say(t, "ops", golden["recovered"])
	if m := c.fake.Room("ops").Cards()[0].Message(); m.Username != "Night watch" || m.Icon != ":bell:" {
		t.Errorf("shown as %q, %q", m.Username, m.Icon)
	}
	c.fake.Ungrant("chat:write.customize")
	_, err := c.Post(t.Context(), chat.Post{Channel: "ops", Key: seal.Random(), Message: golden["recovered"]})
	if err == nil || !strings.Contains(err.Error(), "chat:write.customize") {
		t.Errorf("without the scope: %v", err)
	}
}

// TestFindBelievesNobodyElse: others can read our keys and put them into
// messages of their own.
func TestFindBelievesNobodyElse(t *testing.T) {
	c := connect(t)
	c.say(t, "ops", golden["recovered"])
	key := seal.Random()
	c.fake.PostWithMetadata("ops", "belfry_message", map[string]any{"key": key})
	if ref, ok, err := c.Find(t.Context(), "ops", key, c.clock.Now().Add(-chat.FindMargin-time.Minute)); ok || err != nil {
		t.Errorf("found %+v, %v", ref, err)
	}
}

// TestPaceOfItsOwn: at Slack's published rates a storm in many channels goes
// through without Slack having to say stop, critical or not.
func TestPaceOfItsOwn(t *testing.T) {
	c := connectTo(t, slacktest.Options{Tiers: true}, func(c *slack.Config) { c.MessagesPerSecond, c.MessagesPerMinute = 0, 0 })
	const channels, each = 12, 20
	for i := range channels {
		c.fake.AddChannel(fmt.Sprintf("team-%02d", i))
	}
	left := make([]int, channels)
	for i := range left {
		left[i] = each
	}
	seconds := 0
	for ; slices.Max(left) > 0 && seconds < 200; seconds++ {
		for i := range left {
			for left[i] > 0 {
				_, err := c.Post(t.Context(), chat.Post{Channel: fmt.Sprintf("team-%02d", i), Key: seal.Random(), Message: golden["recovered"]})
				if d, _ := fault.Of(err); err != nil && d != fault.RetryAfter {
					t.Fatal(err)
				}
				if err != nil {
					break
				}
				left[i]--
			}
		}
		c.clock.Advance(time.Second)
	}
	for _, call := range c.fake.Calls("chat.postMessage") {
		if call.Error != "" {
			t.Fatalf("Slack had to say %s", call.Error)
		}
	}
	if n := channels * each; slices.Max(left) > 0 || seconds < n/5-30 {
		t.Errorf("%d messages took %d s, left %v", n, seconds, left)
	}
}

// TestTokenStaysHere: a Slack, or what stands before it, that echoes the
// secrets in everything it says does not get them into an error or a log line.
func TestTokenStaysHere(t *testing.T) {
	const token, app, signing = "xoxb-secret-of-the-bot", "xapp-secret-of-the-app", "secretforsigning"
	var answers atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			t.Errorf("the token did not arrive: %q", r.Header.Get("Authorization"))
		}
		w.Header().Set("Location", "https://login.example/?token="+token)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(int(answers.Load()))
		echo := token + " " + app + " " + signing
		_ = json.NewEncoder(w).Encode(map[string]any{"ok": false, "error": echo, "needed": echo, "provided": echo,
			"response_metadata": map[string]any{"messages": []string{echo}}})
	}))
	defer srv.Close()
	var log bytes.Buffer
	c := &slack.Config{URL: srv.URL, Token: token, AppToken: app, SigningSecret: signing, Timeout: time.Second}
	p, err := c.Open(slack.Options{Name: "main", Log: slog.New(slog.NewJSONHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close(t.Context()) }()
	const id = "C012ABCDEF0"
	ref := chat.Ref{Channel: id, Post: "1700000000.000100"}
	for _, status := range []int32{200, 302, 400, 401, 403, 404, 429, 500} {
		answers.Store(status)
		_, post := p.Post(t.Context(), chat.Post{Channel: id, Key: seal.Random(), Message: golden["card"]})
		_, note := p.Post(t.Context(), chat.Post{Channel: id, Thread: &ref, Key: seal.Random(), Message: golden["note"]})
		_, _, find := p.Find(t.Context(), id, "k", time.Now())
		_, check := p.SelfCheck(t.Context())
		_, open := p.OpenChannel(t.Context(), chat.NewChannel{Key: "k", Name: "x"})
		for _, err := range []error{post, note, find, check, open, p.Update(t.Context(), ref, "k", golden["card"])} {
			if err == nil {
				t.Errorf("%d: nonsense was taken for an answer", status)
			}
			for _, s := range []config.Secret{token, app, signing} {
				secrettest.Check(t, s.Reveal(), err)
			}
		}
	}
	secrettest.Check(t, token, log.String(), *c)
	secrettest.Check(t, signing, log.String(), *c)
}

func TestValidate(t *testing.T) {
	for what, c := range map[string]slack.Config{
		"token_file":          {},
		"app_token_file":      {Token: "xoxb-123456"},
		"is an app-level":     {Token: "xapp-1", AppToken: "xapp-1"},
		"is a bot's token":    {Token: "xoxb-123456", AppToken: "xoxb-123456"},
		"is a person's token": {Token: "xoxp-1", AppToken: "xapp-1"},
		"beside":              {Token: "xoxb-123456", TokenFile: "x", AppToken: "xapp-1"},
		"a webhook":           {Token: "xoxb-123456", WebhookURL: "https://hooks.slack.com/services/T/B/X"},
		"is no webhook":       {WebhookURL: "hooks.slack.com/services/T/B/X"},
		"/services/":          {WebhookURL: "https://hooks.slack.com/T/B/X"},
		"mention_ids":         {Token: "xoxb-123456", AppToken: "xapp-1", Mentions: map[string]string{"oncall": "oncall"}},
		"icon_emoji":          {Token: "xoxb-123456", AppToken: "xapp-1", IconEmoji: "bell"},
		"messages_per_second": {Token: "xoxb-123456", AppToken: "xapp-1", MessagesPerSecond: -1},
		"timeout":             {Token: "xoxb-123456", AppToken: "xapp-1", Timeout: time.Hour},
		"url":                 {Token: "xoxb-123456", AppToken: "xapp-1", URL: "ftp://x"},
	} {
		var all []string
		for _, err := range c.Validate() {
			all = append(all, err.Error())
			secrettest.Check(t, "xoxb-123456", err)
		}
		if !strings.Contains(strings.Join(all, "\n"), what) {
			t.Errorf("%s is not among %q", what, all)
		}
	}
	good := slack.Config{Token: "xoxb-123456", AppToken: "xapp-1"}
	if wrong := good.Validate(); len(wrong) != 0 {
		t.Errorf("%v", wrong)
	}
}
