// SPDX-License-Identifier: Apache-2.0

package setup_test

import (
	"os"
	"strings"
	"testing"

	"belfry/chat/mattermost/setup"
	"belfry/config"
)

// plans wants lines in a plan, and nothing planned to be left out of it.
func (s *scene) plans(lines ...string) {
	s.t.Helper()
	_, _, text := s.plan()
	for _, line := range lines {
		if !strings.Contains(text, line) {
			s.t.Errorf("%q is not in the plan:\n%s", line, text)
		}
	}
}

func TestWhatIsInTheWayIsToldWithWhoCanHelp(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*scene)
		lines  []string
	}{
		"settings are not ours to change": {
			func(s *scene) { s.wish.ChangeSettings = false },
			[]string{"blocked setting EnableBotAccountCreation: false → true; the bot can't be made without it",
				"who can: a system administrator, in System Console → Integrations → Bot Accounts; or this command with --change-settings"},
		},
		"the environment sets a key": {
			func(s *scene) { s.mm.LockSetting("EnableUserAccessTokens", false) },
			[]string{"blocked setting EnableUserAccessTokens: false → true",
				`who can: whoever starts the server, because its environment sets it: MM_SERVICESETTINGS_ENABLEUSERACCESSTOKENS="true"`},
		},
		"an ordinary account": {
			func(s *scene) { s.as = "alice" },
			[]string{"blocked settings: @alice may not read them", "who can: a system administrator"},
		},
		"a person has the bot's name": {
			func(s *scene) { s.mm.AddUser("belfry") },
			[]string{"blocked @belfry is a person's account, not a bot's", "--bot NAME"},
		},
		"a channel is missing": {
			func(s *scene) { s.wish.CreateChannels = false },
			[]string{"blocked there is no channel new in the team ops-team", "--create-channels"},
		},
		"a channel is archived": {
			func(s *scene) { s.mm.ArchiveChannel("ops") },
			[]string{"blocked the channel ops is archived"},
		},
		"a list with commas": {
			func(s *scene) {
				s.mm.SetSetting("AllowedUntrustedInternalConnections", "127.0.0.0/8,jenkins.example.org")
			},
			[]string{`change  setting AllowedUntrustedInternalConnections: "127.0.0.0/8,jenkins.example.org" → "127.0.0.0/8 jenkins.example.org 127.0.0.1"`},
		},
		"a name that leads to a private address": {
			func(s *scene) {
				s.wish.CallbackURL = "https://belfry.example.org/chat/chat"
				s.mm.SetSetting("AllowedUntrustedInternalConnections", "10.0.16.20")
			},
			[]string{`→ "10.0.16.20 belfry.example.org"`},
		},
		"a name that can't be looked up here": {
			func(s *scene) { s.wish.CallbackURL = "https://nowhere.example.org/chat/chat" },
			[]string{"note    nowhere.example.org can't be looked up from here", "AllowedUntrustedInternalConnections"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := fresh(t)
			c.change(s)
			s.plans(c.lines...)
		})
	}
}

func TestNoSettingIsChangedUnlessTold(t *testing.T) {
	s := fresh(t)
	s.wish.ChangeSettings = false
	left, said, err := s.run()
	if err != nil || left == 0 {
		t.Errorf("left %d, %v", left, err)
	}
	for _, key := range []string{"EnableBotAccountCreation", "EnableUserAccessTokens", "EnableOAuthServiceProvider"} {
		if s.mm.Setting(key) != false {
			t.Errorf("%s was changed", key)
		}
	}
	if s.mm.Knows("belfry") || strings.Contains(said, "@belfry: <nil>") || len(s.mm.Commands()) != 1 {
		t.Errorf("what can be done was not, or what can't be done was:\n%s", said)
	}
}

func TestAnAccountWithoutRightsMakesNothing(t *testing.T) {
	s := fresh(t)
	s.as = "alice"
	left, said, err := s.run()
	if err != nil || left < 5 || s.mm.Knows("belfry") || len(s.mm.Commands()) != 0 {
		t.Errorf("left %d, %v:\n%s", left, err, said)
	}
}

func TestAnotherIntegrationsCommandStays(t *testing.T) {
	s := fresh(t)
	other := *s
	other.wish.CallbackURL, other.wish.Data, other.wish.Connection = "http://127.0.0.1:9/chat/chat", t.TempDir(), "other"
	other.finish()
	s.plans("blocked the word /belfry is another integration's in this team")
	if _, _, err := s.run(); err != nil {
		t.Fatal(err)
	}
	if got := s.mm.Commands(); len(got) != 1 || got[0].URL != "http://127.0.0.1:9/chat/chat/command" {
		t.Errorf("%+v", got)
	}
}

func TestAMovedBelfryTakesItsIntegrationsAlong(t *testing.T) {
	s := fresh(t)
	s.finish()
	s.wish.PublicURL, s.wish.CallbackURL = "http://127.0.0.2:8080", "http://127.0.0.2:8080/chat/chat"
	s.wish.Triggers = []string{"status", "fridge"}
	s.plans("change  slash command /belfry → http://127.0.0.2:8080/chat/chat/command", "change  OAuth application",
		"change  outgoing webhook for status, fridge in public channels → http://127.0.0.2:8080/chat/chat/outgoing")
	if left, said, err := s.run(); err != nil || left != 0 {
		t.Fatalf("left %d, %v\n%s", left, err, said)
	}
	if got := s.mm.Commands(); len(got) != 1 || got[0].URL != "http://127.0.0.2:8080/chat/chat/command" {
		t.Errorf("%+v", got)
	}
	if got := s.mm.OutgoingHooks(); len(got) != 1 || strings.Join(got[0].CallbackURLs, " ") != "http://127.0.0.2:8080/chat/chat/outgoing" ||
		strings.Join(got[0].TriggerWords, " ") != "status fridge" || got[0].CreatorID != s.mm.User("belfry").ID {
		t.Errorf("%+v", got)
	}
	if got := s.mm.OAuthApps(); len(got) != 1 || got[0].CallbackURLs[0] != "http://127.0.0.2:8080/oauth/chat/personal" {
		t.Errorf("%+v", got)
	}
}

func TestALostTokenIsReplacedAndRevoked(t *testing.T) {
	s := fresh(t)
	s.finish()
	if err := os.Remove(s.wish.TokenFile()); err != nil {
		t.Fatal(err)
	}
	s.finish()
	s.works() // one token, and it is the one in the file
}

func TestAWrongAdministratorsToken(t *testing.T) {
	s := fresh(t)
	made, err := setup.Open(s.wish, config.Secret("wrong"), setup.Options{Lookup: lookup})
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	if _, err := made.Plan(t.Context()); err == nil || !strings.Contains(err.Error(), "does not accept the administrator's token") || strings.Contains(err.Error(), "wrong") {
		t.Errorf("got %v", err)
	}
}

func TestAProxyBeforeTheServerIsTold(t *testing.T) {
	s := fresh(t)
	made := s.open()
	s.mm.FailProxy(1, 403)
	if _, err := made.Plan(t.Context()); err == nil {
		t.Error("a page of a proxy was taken for an answer")
	}
}
