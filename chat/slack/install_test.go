// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"belfry/chat/slack"
	"belfry/chat/slack/slacktest"
	"belfry/config"
	"belfry/doctor"
	"belfry/doctor/doctortest"
)

// shelf is a Vault and a Memory that several nodes share.
type shelf struct {
	mu     sync.Mutex
	kept   map[string]string
	used   map[string]bool
	broken bool
}

func newShelf() *shelf { return &shelf{kept: map[string]string{}, used: map[string]bool{}} }

func (s *shelf) Keep(_ context.Context, name, secret string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return errors.New("the disk is full")
	}
	s.kept[name] = secret
	return nil
}

func (s *shelf) Kept(_ context.Context, name string) (string, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, ok := s.kept[name]
	return text, ok, nil
}

func (s *shelf) UseOnce(_ context.Context, token string, _ time.Time) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.used[token]
	s.used[token] = true
	return first, nil
}

func (s *shelf) Setting(context.Context, string) (string, bool, error) { return "", false, nil }
func (s *shelf) SetSetting(context.Context, string, string) error      { return nil }

const installRedirect = "https://belfry.example.org/oauth/main/app"

// installable is a connection whose app is to be installed from our pages.
func installable(t *testing.T, s *shelf, rotates bool) (*connection, func() *slack.Platform) {
	t.Helper()
	c := connect(t)
	if rotates {
		c.fake.RotateTokens()
	}
	cfg := &slack.Config{URL: c.fake.URL(), AppToken: config.Secret(c.fake.AppToken()),
		Receiving: slack.Receiving{OAuth: &slack.OAuth{ClientID: slacktest.ClientID, ClientSecret: config.Secret(slacktest.ClientSecret), Install: true}}}
	if wrong := cfg.Validate(); len(wrong) > 0 {
		t.Fatal(wrong)
	}
	return c, func() *slack.Platform {
		p, err := cfg.Open(slack.Options{Name: "main", Clock: c.clock, Memory: s, Vault: s})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Close(context.Background()) })
		return p
	}
}

func install(t *testing.T, c *connection, p *slack.Platform) {
	t.Helper()
	to, err := p.InstallURL(t.Context(), installRedirect, "state", verifier)
	if err != nil {
		t.Fatal(err)
	}
	back, err := url.Parse(c.fake.Allow("alice", to))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Install(t.Context(), installRedirect, back.Query().Get("code"), verifier+"x"); err == nil {
		t.Error("another browser's code was taken")
	}
	text, err := p.Install(t.Context(), installRedirect, back.Query().Get("code"), verifier)
	if err != nil || !strings.Contains(text, slacktest.TeamName) {
		t.Fatalf("%q, %v", text, err)
	}
}

func TestTheAppIsInstalledFromOurPages(t *testing.T) {
	s := newShelf()
	c, open := installable(t, s, false)
	p := open()
	if _, err := p.Person(t.Context(), c.fake.UserID("alice")); err == nil || !strings.Contains(err.Error(), "/oauth/main/app") {
		t.Errorf("before it is installed: %v", err)
	}
	found := p.Examine(t.Context(), doctor.Visit{CallbackURL: "https://belfry.example/chat/main"})
	doctortest.Expect(t, found, "token", doctor.Fail, "not installed yet", "open https://belfry.example/oauth/main/app")
	install(t, c, p)
	if who, err := p.Person(t.Context(), c.fake.UserID("alice")); err != nil || who.Name != "alice" {
		t.Errorf("%+v, %v", who, err)
	}
	// After a restart, and on another node, it is there.
	if _, err := open().Person(t.Context(), c.fake.UserID("bob")); err != nil {
		t.Error(err)
	}
}

// TestTokensAreRenewedOnceForAllNodes: a refresh token works once.
func TestTokensAreRenewedOnceForAllNodes(t *testing.T) {
	s := newShelf()
	c, open := installable(t, s, true)
	one, two := open(), open()
	install(t, c, one)
	if _, err := two.Person(t.Context(), c.fake.UserID("bob")); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var turning sync.WaitGroup
	turning.Go(func() { // the node that waits looks again and again
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				c.clock.Advance(10 * time.Millisecond)
			}
		}
	})
	defer turning.Wait()
	defer close(stop)
	for round := 1; round <= 3; round++ {
		c.clock.Advance(10*time.Hour + 30*time.Minute)
		var wg sync.WaitGroup
		for _, p := range []*slack.Platform{one, two, one, two} {
			wg.Go(func() {
				if report, err := p.SelfCheck(context.Background()); err != nil {
					t.Errorf("round %d: %q, %v", round, report, err)
				}
			})
		}
		wg.Wait()
		if n := c.fake.Renewals(); n != round {
			t.Errorf("after round %d tokens were renewed %d times", round, n)
		}
	}
}

// TestATokenThatSlackCallsExpiredIsRenewed, whatever our clock says.
func TestATokenThatSlackCallsExpiredIsRenewed(t *testing.T) {
	s := newShelf()
	c, open := installable(t, s, true)
	p := open()
	install(t, c, p)
	c.fake.ExpireToken()
	if _, err := p.SelfCheck(t.Context()); err == nil {
		t.Error("an expired token was taken")
	}
	if _, err := p.SelfCheck(t.Context()); err != nil {
		t.Errorf("the call after that: %v", err)
	}
}

func TestAnInstallationIntoAnotherWorkspaceIsRefused(t *testing.T) {
	s := newShelf()
	c, open := installable(t, s, false)
	p := open()
	s.kept["slack installation main"] = `{"token":"xoxb-1-old","team":"T0ANOTHER01"}`
	to, err := p.InstallURL(t.Context(), installRedirect, "state", verifier)
	if err != nil {
		t.Fatal(err)
	}
	back, err := url.Parse(c.fake.Allow("alice", to))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Install(t.Context(), installRedirect, back.Query().Get("code"), verifier); err == nil || !strings.Contains(err.Error(), "another workspace") {
		t.Errorf("%v", err)
	}
}

func TestWhatCantBeKeptIsTold(t *testing.T) {
	s := newShelf()
	c, open := installable(t, s, false)
	p := open()
	s.broken = true
	to, err := p.InstallURL(t.Context(), installRedirect, "state", verifier)
	if err != nil {
		t.Fatal(err)
	}
	back, err := url.Parse(c.fake.Allow("alice", to))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Install(t.Context(), installRedirect, back.Query().Get("code"), verifier); err == nil || strings.Contains(err.Error(), c.fake.Token()) {
		t.Errorf("%v", err)
	}
}

func TestLeavingUninstallsTheApp(t *testing.T) {
	s := newShelf()
	c, open := installable(t, s, true)
	p := open()
	install(t, c, p)
	if err := p.Leave(t.Context()); err != nil || c.fake.Installed() {
		t.Fatalf("%v, installed: %v", err, c.fake.Installed())
	}
	if err := p.Leave(t.Context()); err != nil {
		t.Errorf("once more: %v", err)
	}
	if _, err := open().Person(t.Context(), c.fake.UserID("alice")); err == nil || !strings.Contains(err.Error(), "/oauth/main/app") {
		t.Errorf("then: %v", err)
	}
	install(t, c, p) // and it can come back
	if left := c.fake.Left(); len(left) != 1 || left[0] != "the app's token" {
		t.Errorf("%v", left)
	}
}

func TestLeavingRevokesAConfiguredToken(t *testing.T) {
	c := connect(t)
	for range 2 {
		if err := c.Leave(t.Context()); err != nil || c.fake.Installed() {
			t.Errorf("%v", err)
		}
	}
}
