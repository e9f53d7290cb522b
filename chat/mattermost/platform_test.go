// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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

func card(title string) chat.Message {
	return chat.Message{Color: "#cc0000", Title: title, Summary: title,
		Buttons: []chat.Button{{Action: "ack", Label: "Acknowledge", Token: "claim.mac"}}}
}

func (c *connection) post(t *testing.T, channel string) (chat.Ref, error) {
	t.Helper()
	return c.Post(t.Context(), chat.Post{Channel: channel, Key: seal.Random(), Message: card("disk full")})
}

// says checks the decision and that the error tells what to do.
func says(t *testing.T, err error, want fault.Decision, words ...string) {
	t.Helper()
	if got, _ := fault.Of(err); err == nil || got != want {
		t.Fatalf("the outcome is %v (%v), not %v", got, err, want)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}

// A post that the server is still writing holds up nothing but itself: whether
// it is there must be asked, and the connection's other cards go on.
func TestWhatIsStillBeingWrittenIsUnknown(t *testing.T) {
	c := connect(t, &chattest.Recorder{})
	pending := 0
	for round := 1; pending == 0; round++ {
		if round > 100 {
			t.Fatal("no post ever met itself")
		}
		same := chat.Post{Channel: "ops", Key: seal.Random(), Message: card("disk full")}
		failed := make(chan error, 8)
		for range cap(failed) {
			go func() {
				_, err := c.Post(t.Context(), same)
				failed <- err
			}()
		}
		for range cap(failed) {
			if err := <-failed; err != nil {
				says(t, err, fault.Unknown, "still writing an earlier attempt")
				pending++
			}
		}
		if n := c.fake.PostsIn("ops"); n != round {
			t.Fatalf("%d posts after %d rounds", n, round)
		}
	}
}

func TestChannelsByHandleTeamAndID(t *testing.T) {
	c := connect(t, &chattest.Recorder{})
	c.fake.AddTeam("other")
	id := c.fake.AddChannelIn("other", "db", "O").ID
	for _, name := range []string{"ops", "~ops", mattermosttest.Team + "/ops", "other/db", id} {
		if _, err := c.post(t, name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	if ops, db := c.fake.PostsIn("ops"), c.fake.PostsIn("db"); ops != 3 || db != 2 {
		t.Errorf("ops has %d posts, db has %d", ops, db)
	}
	_, err := c.post(t, "db")
	says(t, err, fault.Permanent, `"db"`, "handle")
	before := c.fake.Calls()
	for _, name := range []string{"Display Name", "Ops", "../../users/me", "ops?x", "a/b/c", ""} {
		_, err := c.post(t, name)
		says(t, err, fault.Permanent, "handle")
	}
	if c.fake.Calls() != before {
		t.Error("the server was asked for what can be no channel")
	}
}

// TestTheHandleOfAChannelIsTheTeamsOwn: what the configuration allows in ops is
// not allowed in whatever somebody calls ops elsewhere.
func TestTheHandleOfAChannelIsTheTeamsOwn(t *testing.T) {
	c := connect(t, &chattest.Recorder{})
	c.fake.AddTeam("other")
	for id, want := range map[string]string{c.channelID(t): "ops", c.fake.AddChannelIn("other", "ops", "O").ID: "",
		c.fake.AddChannelIn("other", "db", "O").ID: "", strings.Repeat("z", 26): ""} {
		if got := mattermost.HandleOf(t.Context(), c.Platform, id); got != want {
			t.Errorf("the handle of %s is %q, want %q", id, got, want)
		}
	}
}

func TestBotNotInChannel(t *testing.T) {
	c := connect(t, &chattest.Recorder{})
	if _, err := c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	ref, err := c.post(t, "ops")
	if err != nil {
		t.Fatal(err)
	}
	c.fake.Leave(mattermosttest.Bot, "ops")
	_, err = c.post(t, "ops")
	says(t, err, fault.Permanent, "ops", "/invite @belfry")
	says(t, c.Update(t.Context(), ref, "k", card("x")), fault.Permanent, "@belfry")
	_, _, err = c.Find(t.Context(), "ops", "k", c.clock.Now())
	says(t, err, fault.Permanent, "ops", "/invite @belfry")
	c.fake.Join(mattermosttest.Bot, "ops")
	if _, err := c.post(t, "ops"); err != nil {
		t.Errorf("after the invitation: %v", err)
	}
	c.fake.AddChannelIn(mattermosttest.Team, "secret", "P")
	c.fake.Leave(mattermosttest.Bot, "secret")
	_, err = c.post(t, "secret")
	says(t, err, fault.Permanent, "private", "invite")
}

// TestChannelMadeAnew: an id that was believed is dropped when it is refused.
func TestChannelMadeAnew(t *testing.T) {
	c := connect(t, &chattest.Recorder{})
	if _, err := c.post(t, "ops"); err != nil {
		t.Fatal(err)
	}
	c.fake.RemoveChannel("ops")
	c.fake.AddChannel("ops")
	_, err := c.post(t, "ops")
	says(t, err, fault.Permanent)
	if _, err := c.post(t, "ops"); err != nil {
		t.Errorf("the new channel: %v", err)
	}
}

func TestFindBehindManyPosts(t *testing.T) {
	c := connect(t, &chattest.Recorder{})
	key := seal.Random()
	since := c.clock.Now()
	ref, err := c.Post(t.Context(), chat.Post{Channel: "ops", Key: key, Message: card("the one")})
	if err != nil {
		t.Fatal(err)
	}
	note, noteKey := chat.Ref{}, seal.Random()
	for i := range 1300 {
		c.clock.Advance(time.Second)
		o := chat.Post{Channel: "ops", Key: seal.Random(), Message: card("noise")}
		if i == 1200 {
			o.Key, o.Thread = noteKey, &ref
		}
		got, err := c.Post(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if i == 1200 {
			note = got
		}
	}
	if got, ok, err := c.Find(t.Context(), "ops", key, since); err != nil || !ok || got != ref {
		t.Errorf("found %+v, %v, %v; it is at %+v", got, ok, err, ref)
	}
	if got, ok, err := c.Find(t.Context(), "ops", noteKey, since); err != nil || !ok || got != note {
		t.Errorf("found the note as %+v, %v, %v; it is at %+v", got, ok, err, note)
	}
	if _, ok, err := c.Find(t.Context(), "ops", seal.Random(), since); err != nil || ok {
		t.Errorf("a key that was never posted: %v, %v", ok, err)
	}
}

// TestFindIgnoresForgedKeys: everybody in the channel can read our keys.
func TestFindIgnoresForgedKeys(t *testing.T) {
	c := connect(t, &chattest.Recorder{})
	key := seal.Random()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.fake.URL()+"/api/v4/posts",
		strings.NewReader(`{"channel_id":"`+c.channelID(t)+`","message":"x","props":{"belfry_key":"`+key+`"}}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.fake.UserToken("bob"))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if res.StatusCode != http.StatusCreated {
		t.Fatal(res.Status)
	}
	if _, ok, err := c.Find(t.Context(), "ops", key, c.clock.Now()); err != nil || ok {
		t.Errorf("bob's post passes for ours: %v, %v", ok, err)
	}
}

func (c *connection) channelID(t *testing.T) string {
	t.Helper()
	ref, err := c.post(t, "ops")
	if err != nil {
		t.Fatal(err)
	}
	return ref.Channel
}

// TestFindWhenServersClockIsBehind: the server stamps posts an hour ago.
func TestFindWhenServersClockIsBehind(t *testing.T) {
	ours := clock.NewManual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	fake := mattermosttest.Start(t, mattermosttest.Options{Clock: clock.NewManual(ours.Now().Add(-time.Hour))})
	fake.AddChannel("ops")
	cfg := &mattermost.Config{URL: fake.URL(), Token: config.Secret(fake.Token()), Team: mattermosttest.Team}
	p, err := cfg.Open(mattermost.Options{Name: "main", Clock: ours})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close(t.Context()) }()
	key, since := seal.Random(), ours.Now()
	if _, err := p.Post(t.Context(), chat.Post{Channel: "ops", Key: key, Message: card("x")}); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := p.Find(t.Context(), "ops", key, since); err != nil || !ok {
		t.Errorf("found %v, %v", ok, err)
	}
}

func TestRepeatAfterThirtySecondsNeedsFind(t *testing.T) {
	c := connect(t, &chattest.Recorder{})
	o := chat.Post{Channel: "ops", Key: seal.Random(), Message: card("x")}
	first, err := c.Post(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	c.clock.Advance(26 * time.Second)
	if again, err := c.Post(t.Context(), o); err != nil || again != first {
		t.Errorf("after 26 s: %+v, %v", again, err)
	}
	c.clock.Advance(5 * time.Second)
	if got, ok, err := c.Find(t.Context(), "ops", o.Key, c.clock.Now()); err != nil || !ok || got != first {
		t.Errorf("after 31 s it is found as %+v, %v, %v", got, ok, err)
	}
}

// TestUpdateKeepsButtonsWorking: reads give no integration back, so an update
// that was built from a read would kill the buttons.
func TestUpdateKeepsButtonsWorking(t *testing.T) {
	rec := &chattest.Recorder{}
	c := connect(t, rec)
	key := seal.Random()
	ref, err := c.Post(t.Context(), chat.Post{Channel: "ops", Key: key, Message: card("x")})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Update(t.Context(), ref, key, card("y")); err != nil {
		t.Fatal(err)
	}
	if out := c.fake.Room("ops").Card("y").Click("Acknowledge"); out.Failed != "" {
		t.Errorf("the click failed: %s", out.Failed)
	}
	if n := len(rec.Presses()); n != 1 {
		t.Errorf("%d presses", n)
	}
}

func TestTheWordOfAnythingButMattermost(t *testing.T) {
	c := connect(t, &chattest.Recorder{})
	ref, err := c.post(t, "ops")
	if err != nil {
		t.Fatal(err)
	}
	for status, want := range map[int]fault.Decision{
		502: fault.Unknown, 503: fault.Unknown, 504: fault.Unknown, 200: fault.Unknown, 201: fault.Unknown,
		302: fault.Permanent, 413: fault.Permanent, 407: fault.Permanent, 401: fault.Retry, 429: fault.RetryAfter,
	} {
		c.fake.FailProxy(1, status)
		_, err := c.post(t, "ops")
		if got, _ := fault.Of(err); got != want {
			t.Errorf("a post that a proxy answers with %d: %v (%v)", status, got, err)
		}
	}
	for _, status := range []int{500, 502, 200} {
		c.fake.FailProxy(1, status)
		_, _, err := c.Find(t.Context(), "ops", "k", c.clock.Now())
		if got, _ := fault.Of(err); got != fault.Retry {
			t.Errorf("a search that a proxy answers with %d: %v (%v)", status, got, err)
		}
	}
	if err := c.Update(t.Context(), ref, "k", card("x")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestOwnRateLimit(t *testing.T) {
	c := connect(t, &chattest.Recorder{}, func(cfg *mattermost.Config) { cfg.RequestsPerSecond = 1 })
	_, err := c.post(t, "ops") // resolves the channel with the only call of this second
	says(t, err, fault.RetryAfter, "our own limit")
	if _, after := fault.Of(err); after <= 0 || after > 2*time.Second {
		t.Errorf("asked to wait %v", after)
	}
	if c.fake.PostsIn("ops") != 0 {
		t.Error("it was posted all the same")
	}
}

func TestCheck(t *testing.T) {
	c := connect(t, &chattest.Recorder{})
	r, err := c.Check(t.Context())
	if err != nil || r.Bot != mattermosttest.Bot || r.Version != "5.37.0" || len(r.Advice) != 0 {
		t.Errorf("%v, %v", r, err)
	}
	c = connect(t, &chattest.Recorder{}, func(cfg *mattermost.Config) { cfg.Team = "nowhere" })
	_, err = c.Check(t.Context())
	says(t, err, fault.Permanent, "nowhere", "team")
	c = connect(t, &chattest.Recorder{}, func(cfg *mattermost.Config) { cfg.Token = "wrongwrongwrong" })
	_, err = c.Check(t.Context())
	says(t, err, fault.Retry, "token", "main")
	secrettest.Check(t, "wrongwrongwrong", err)
}

func TestValidate(t *testing.T) {
	good := mattermost.Config{URL: "https://chat.example.org/sub", TokenFile: "/etc/belfry/token", Team: "ops-team"}
	if wrong := good.Validate(); len(wrong) != 0 {
		t.Fatalf("a good configuration: %v", wrong)
	}
	for field, change := range map[string]func(*mattermost.Config){
		"url":                 func(c *mattermost.Config) { c.URL = "chat.example.org" },
		"token":               func(c *mattermost.Config) { c.Token = "both given" },
		"token_file":          func(c *mattermost.Config) { c.TokenFile = "" },
		"team":                func(c *mattermost.Config) { c.Team = "Ops Team" },
		"proxy":               func(c *mattermost.Config) { c.Proxy = "proxy:3128" },
		"callback_url":        func(c *mattermost.Config) { c.CallbackURL = "https://u:p@x" },
		"timeout":             func(c *mattermost.Config) { c.Timeout = time.Hour },
		"requests_per_second": func(c *mattermost.Config) { c.RequestsPerSecond = -1 },
	} {
		c := good
		change(&c)
		found := false
		for _, err := range c.Validate() {
			f, ok := errors.AsType[*config.FieldError](err)
			found = found || ok && f.Field == field
		}
		if !found {
			t.Errorf("%s: what is wrong is not told: %v", field, c.Validate())
		}
	}
	empty := (&mattermost.Config{}).Validate()
	if len(empty) != 3 {
		t.Errorf("of an empty configuration not all is told at once: %v", empty)
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte("tokentokentoken\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := mattermost.Config{URL: "http://127.0.0.1:1", TokenFile: token, Team: "t", CAFile: token}
	if _, err := c.Open(mattermost.Options{Name: "main"}); err == nil || !strings.Contains(err.Error(), "no certificate") {
		t.Errorf("a ca_file without certificates: %v", err)
	}
	c.CAFile, c.TokenFile = "", filepath.Join(dir, "none")
	if _, err := c.Open(mattermost.Options{Name: "main"}); err == nil || !strings.Contains(err.Error(), "connection main") {
		t.Errorf("no token's file: %v", err)
	}
}

// TestCertificates: a certificate that nobody vouches for is told before
// anything was sent, and ca_file makes it trusted.
func TestCertificates(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	c := mattermost.Config{URL: srv.URL, Token: "tokentokentoken", Team: "t"}
	p, err := c.Open(mattermost.Options{Name: "main"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Post(t.Context(), chat.Post{Channel: "ops", Key: "k", Message: card("x")})
	says(t, err, fault.Retry, "certificate")
	_ = p.Close(t.Context())

	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	c.CAFile = ca
	if p, err = c.Open(mattermost.Options{Name: "main"}); err != nil {
		t.Fatal(err)
	}
	_, err = p.Post(t.Context(), chat.Post{Channel: "ops", Key: "k", Message: card("x")})
	says(t, err, fault.Permanent, "no channel") // it spoke to the server, which knows none
	_ = p.Close(t.Context())
}
