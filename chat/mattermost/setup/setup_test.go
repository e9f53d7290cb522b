// SPDX-License-Identifier: Apache-2.0

package setup_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"belfry/chat/mattermost/mattermosttest"
	"belfry/chat/mattermost/setup"
	"belfry/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scene is a server that was just installed, and a data directory.
type scene struct {
	t    *testing.T
	mm   *mattermosttest.Server
	wish setup.Wish
	as   string // whose token is used
}

func fresh(t *testing.T) *scene {
	t.Helper()
	mm := mattermosttest.Start(t, mattermosttest.Options{Fresh: true})
	mm.AddChannel("ops")
	return &scene{t: t, mm: mm, as: "admin", wish: setup.Wish{URL: mm.URL(), Team: mattermosttest.Team, Channels: []string{"ops", "new"},
		CreateChannels: true, Connection: "chat", Bot: "belfry", PublicURL: "http://127.0.0.1:8080", CallbackURL: "http://127.0.0.1:8080/chat/chat",
		Command: "belfry", Triggers: []string{"status"}, OAuth: true, ChangeSettings: true, Data: filepath.Join(memory(t), "data")}}
}

// memory is a directory in memory where there is one: every step is synced to
// its disk, and these tests make thousands of them.
func memory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "belfry-setup-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func lookup(_ context.Context, host string) ([]netip.Addr, error) {
	switch host {
	case "belfry.example.org":
		return []netip.Addr{netip.MustParseAddr("10.0.16.20")}, nil
	case "public.example.org":
		return []netip.Addr{netip.MustParseAddr("203.0.113.7")}, nil
	}
	return nil, fmt.Errorf("no such host")
}

func (s *scene) open() *setup.Setup {
	s.t.Helper()
	made, err := setup.Open(s.wish, config.Secret(s.mm.UserToken(s.as)), setup.Options{Lookup: lookup})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(made.Close)
	return made
}

// plan returns the plan as it is printed, and what it comes from.
func (s *scene) plan() (*setup.Setup, *setup.Plan, string) {
	s.t.Helper()
	made := s.open()
	p, err := made.Plan(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	var b strings.Builder
	if err := p.Print(&b); err != nil {
		s.t.Fatal(err)
	}
	return made, p, b.String()
}

// run carries a set-up out; said is what it told, err how it broke off.
func (s *scene) run() (left int, said string, err error) {
	s.t.Helper()
	made, p, _ := s.plan()
	var b strings.Builder
	left, err = made.Apply(s.t.Context(), p, func(o setup.Outcome) {
		fmt.Fprintf(&b, "%s %s: %v\n", o.Step.Verb, o.Step.Text, o.Err)
	})
	return left, b.String(), err
}

func (s *scene) finish() {
	s.t.Helper()
	if left, said, err := s.run(); err != nil || left != 0 {
		s.t.Fatalf("left %d, %v:\n%s", left, err, said)
	}
}

// works wants everything to be there, once.
func (s *scene) works() {
	s.t.Helper()
	if !s.mm.Knows("belfry") || !s.mm.InTeam("belfry") || !s.mm.InChannel("belfry", "ops") || !s.mm.InChannel("belfry", "new") {
		s.t.Error("the bot is not where it should be")
	}
	token, err := os.ReadFile(s.wish.TokenFile())
	if err != nil {
		s.t.Fatal(err)
	}
	if got := s.mm.TokensOf("belfry"); len(got) != 1 || got[0] != strings.TrimSpace(string(token)) {
		s.t.Errorf("the bot has %d tokens, and the file holds %v of them", len(got), len(got) == 1)
	}
	cmds, hooks, apps := s.mm.Commands(), s.mm.OutgoingHooks(), s.mm.OAuthApps()
	if len(cmds) != 1 || len(hooks) != 1 || len(apps) != 1 {
		s.t.Fatalf("%d commands, %d webhooks, %d applications", len(cmds), len(hooks), len(apps))
	}
	if owner := s.mm.User("belfry").ID; hooks[0].CreatorID != owner {
		s.t.Error("answers would be posted as who set it up")
	}
	for path, want := range map[string]string{s.wish.CommandFile(): cmds[0].Token, s.wish.OutgoingFile(): hooks[0].Token, s.wish.OAuthFile(): apps[0].ClientSecret} {
		if b, err := os.ReadFile(path); err != nil || strings.TrimSpace(string(b)) != want {
			s.t.Errorf("%s does not hold its secret: %v", path, err)
		}
		if info, err := os.Stat(path); err == nil && info.Mode().Perm() != 0o600 {
			s.t.Errorf("%s has mode %v", path, info.Mode())
		}
	}
	for _, key := range []string{"EnableBotAccountCreation", "EnableUserAccessTokens", "EnableOAuthServiceProvider"} {
		if s.mm.Setting(key) != true {
			s.t.Errorf("%s is not on", key)
		}
	}
	if got := s.mm.Setting("AllowedUntrustedInternalConnections"); got != "127.0.0.1" {
		s.t.Errorf("allowed connections: %v", got)
	}
}

// undone wants nothing of ours to be left.
func (s *scene) undone() {
	s.t.Helper()
	if s.mm.Knows("belfry") || s.mm.InTeam("belfry") || len(s.mm.TokensOf("belfry")) != 0 {
		s.t.Error("the bot is still there")
	}
	if n := len(s.mm.Commands()) + len(s.mm.OutgoingHooks()) + len(s.mm.OAuthApps()); n != 0 {
		s.t.Errorf("%d integrations are left", n)
	}
	for key, want := range map[string]any{"EnableBotAccountCreation": false, "EnableUserAccessTokens": false, "EnableOAuthServiceProvider": false,
		"AllowedUntrustedInternalConnections": "", "SiteURL": ""} {
		if got := s.mm.Setting(key); got != want {
			s.t.Errorf("%s is %v", key, got)
		}
	}
	left, err := os.ReadDir(s.wish.Data)
	if err != nil || len(left) != 0 {
		s.t.Errorf("files are left: %v %v", left, err)
	}
}

func (s *scene) remove() (left int, said string, err error) {
	s.t.Helper()
	r, err := setup.Undo(s.wish)
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Close()
	var b strings.Builder
	left, err = r.Run(s.t.Context(), config.Secret(s.mm.UserToken("admin")), func(what string, err error) { fmt.Fprintf(&b, "%s: %v\n", what, err) })
	return left, b.String(), err
}

func TestAFreshServerIsSetUpAndLeftAsItWas(t *testing.T) {
	s := fresh(t)
	before := s.mm.Calls()
	_, p, text := s.plan()
	if p.Blocked() != 0 || p.Todo() == 0 || s.mm.Knows("belfry") || len(s.mm.Commands()) != 0 || s.mm.Calls() == before {
		t.Errorf("a plan changed something, or nothing is planned:\n%s", text)
	}
	s.finish()
	s.works()
	if _, p, text := s.plan(); p.Todo() != 0 || p.Blocked() != 0 {
		t.Errorf("the second plan has something to do:\n%s", text)
	}
	s.finish()
	s.works()
	if left, said, err := s.remove(); err != nil || left != 0 {
		t.Errorf("left %d, %v:\n%s", left, err, said)
	}
	s.undone()
	if _, err := setup.Undo(s.wish); err == nil {
		t.Error("there is something to undo after everything was undone")
	}
}

// everywhere runs broken with every call that changes something failing,
// before it is carried out and after, and then mend. There are at least so many.
func everywhere(t *testing.T, atLeast int, before func(*scene), broken func(*scene) error, mend func(*scene)) {
	for _, lost := range []bool{false, true} {
		for n := 0; ; n++ {
			s := fresh(t)
			before(s)
			s.mm.FailCall(n, lost)
			err := broken(s)
			if !s.mm.Failed() {
				if n < atLeast || err != nil {
					t.Errorf("only %d calls change something: %v", n, err)
				}
				break
			}
			if err == nil {
				t.Errorf("call %d (lost: %v) failed and nobody was told", n, lost)
			}
			mend(s)
			if t.Failed() {
				t.Fatalf("after call %d (lost: %v)", n, lost)
			}
			s.mm.Close()
		}
	}
}

func TestAFailureAnywhere(t *testing.T) {
	everywhere(t, 12, func(*scene) {}, func(s *scene) error {
		_, _, err := s.run()
		return err
	}, func(s *scene) {
		s.finish()
		s.works()
		s.removeAll()
	})
}

func TestARemovalGoesOnWhereItStopped(t *testing.T) {
	everywhere(t, 12, (*scene).finish, func(s *scene) error {
		_, _, err := s.remove()
		return err
	}, (*scene).removeAll)
}

// removeAll wants a removal to undo everything.
func (s *scene) removeAll() {
	s.t.Helper()
	if left, said, err := s.remove(); err != nil || left != 0 {
		s.t.Errorf("left %d, %v:\n%s", left, err, said)
	}
	s.undone()
}

func TestWhatWasThereBeforeStays(t *testing.T) {
	s := fresh(t)
	for _, key := range []string{"EnableBotAccountCreation", "EnableUserAccessTokens", "EnableOAuthServiceProvider"} {
		s.mm.SetSetting(key, true)
	}
	s.mm.SetSetting("AllowedUntrustedInternalConnections", "jenkins.example.org 127.0.0.0/8")
	s.mm.AddChannel("new")
	other := *s
	other.wish.Data = filepath.Join(t.TempDir(), "other")
	other.finish() // what an earlier Belfry made, whose notes are not ours
	token, err := os.ReadFile(other.wish.TokenFile())
	if err != nil {
		t.Fatal(err)
	}
	if err := setup.WriteFile(s.wish.TokenFile(), token, 0o600); err != nil {
		t.Fatal(err)
	}
	s.finish()
	if r, err := setup.Undo(s.wish); err == nil {
		r.Close()
		if left, said, err := s.remove(); err != nil || left != 0 {
			t.Fatalf("%d %v\n%s", left, err, said)
		}
	}
	if !s.mm.Knows("belfry") || !s.mm.InChannel("belfry", "ops") || len(s.mm.Commands()) != 1 || s.mm.Setting("AllowedUntrustedInternalConnections") != "jenkins.example.org 127.0.0.0/8" {
		t.Error("something was undone that was there before")
	}
}

// TestASecretThatIsNotShownIsNotOverwritten: the connection lives on it.
func TestASecretThatIsNotShownIsNotOverwritten(t *testing.T) {
	s := fresh(t)
	s.finish()
	before, err := os.ReadFile(s.wish.OAuthFile())
	if err != nil {
		t.Fatal(err)
	}
	s.mm.HideOAuthSecrets()
	if _, said, err := s.run(); !strings.Contains(said+fmt.Sprint(err), "doesn't show the secret") {
		t.Errorf("%v\n%s", err, said)
	}
	if after, err := os.ReadFile(s.wish.OAuthFile()); err != nil || string(after) != string(before) {
		t.Errorf("%v: the secret is %q now", err, after)
	}
}

func TestASettingChangedSinceStays(t *testing.T) {
	s := fresh(t)
	s.finish()
	s.mm.SetSetting("AllowedUntrustedInternalConnections", "127.0.0.1 jenkins.example.org")
	s.mm.SetSetting("SiteURL", "https://chat.example.org")
	if left, said, err := s.remove(); err != nil || left != 0 {
		t.Fatalf("%d %v\n%s", left, err, said)
	}
	if got := s.mm.Setting("AllowedUntrustedInternalConnections"); got != "jenkins.example.org" {
		t.Errorf("allowed connections: %v", got)
	}
	if got := s.mm.Setting("SiteURL"); got != "https://chat.example.org" {
		t.Errorf("the site's URL: %v", got)
	}
}

func TestNoSecretIsTold(t *testing.T) {
	s := fresh(t)
	_, said, err := s.run()
	_, _, plan := s.plan()
	b, readErr := os.ReadFile(filepath.Join(s.wish.Data, "mattermost-chat.receipts.json"))
	if readErr != nil {
		t.Fatal(readErr)
	}
	all := said + plan + string(b) + fmt.Sprint(err)
	for _, secret := range append(s.mm.TokensOf("belfry"), s.mm.UserToken("admin"), s.mm.Commands()[0].Token, s.mm.OutgoingHooks()[0].Token, s.mm.OAuthApps()[0].ClientSecret) {
		if strings.Contains(all, secret) {
			t.Errorf("a secret is told:\n%s", all)
		}
	}
}
