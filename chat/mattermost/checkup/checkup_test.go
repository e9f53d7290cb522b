// SPDX-License-Identifier: Apache-2.0

package checkup_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"belfry/chat"
	"belfry/chat/mattermost"
	"belfry/chat/mattermost/checkup"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/clock"
	"belfry/config"
	"belfry/config/secrettest"
	"belfry/doctor"
	"belfry/doctor/doctortest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// belfry is the side that Mattermost calls.
type belfry struct{ *doctor.Probes }

func (belfry) Press(context.Context, chat.Press) chat.Answer   { panic("a probe is no press") }
func (belfry) Submit(context.Context, chat.Submit) chat.Answer { panic("a probe is no submit") }
func (belfry) Command(context.Context, chat.Command) chat.Answer {
	panic("a probe is no command")
}

// scene is a Mattermost that is set up well, and a Belfry that answers it.
type scene struct {
	t      *testing.T
	mm     *mattermosttest.Server
	server *httptest.Server
	config *mattermost.Config
	opt    checkup.Options
	visit  doctor.Visit
	// before stands between Mattermost and Belfry.
	before func(next http.Handler) http.Handler
}

func well(t *testing.T, o ...mattermosttest.Options) *scene {
	t.Helper()
	s := &scene{t: t, mm: mattermosttest.Start(t, append(o, mattermosttest.Options{Guarded: true})[0])}
	s.mm.AddChannel("ops")
	s.mm.SetSetting("SiteURL", s.mm.URL())
	s.mm.SetSetting("AllowedUntrustedInternalConnections", "127.0.0.1")
	s.server = httptest.NewUnstartedServer(nil)
	s.visit = doctor.Visit{Channels: []string{"ops"}, CallbackURL: "http://" + s.server.Listener.Addr().String() + "/chat/chat", Probes: doctor.NewProbes()}
	s.config = &mattermost.Config{URL: s.mm.URL(), Token: config.Secret(s.mm.Token()), Team: mattermosttest.Team,
		CommandTokens: []config.Secret{config.Secret(s.mm.AddCommand("belfry", s.visit.CallbackURL+"/command"))}}
	s.opt = checkup.Options{Name: "chat", Lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
		return nil, errors.New("no such host: " + host)
	}}
	p, err := s.config.Open(mattermost.Options{Name: "chat", CallbackURL: s.visit.CallbackURL})
	if err != nil {
		t.Fatal(err)
	}
	handler := p.Handler(belfry{s.visit.Probes})
	s.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.before != nil {
			s.before(handler).ServeHTTP(w, r)
			return
		}
		handler.ServeHTTP(w, r)
	})
	s.server.Start()
	t.Cleanup(func() { _ = p.Close(context.Background()); s.server.Close() })
	return s
}

// lend gives the visit an administrator's token.
func (s *scene) lend() { s.visit.Admin = config.Secret(s.mm.UserToken("admin")) }

func (s *scene) examine() []doctor.Finding {
	s.t.Helper()
	found := checkup.New(s.config, s.opt).Examine(s.t.Context(), s.visit)
	doctortest.Check(s.t, found)
	for _, secret := range []string{s.config.Token.Reveal(), s.mm.UserToken("admin"), s.config.CommandTokens[0].Reveal()} {
		secrettest.Check(s.t, secret, found)
	}
	if left := s.mm.Direct(mattermosttest.Bot, mattermosttest.Bot); len(left) != 0 {
		s.t.Errorf("the probe was left behind: %+v", left)
	}
	if s.mm.PostsIn("ops") != 0 {
		s.t.Error("people see the probe")
	}
	return found
}

func TestAWellConnection(t *testing.T) {
	s := well(t)
	s.lend()
	found := s.examine()
	doctortest.Only(t, found)
	for _, check := range []string{"server", "clock", "certificate", "rate limit", "token", "team", "channel ops", "callback", "round trip",
		"slash command", "site url", "commands", "internal connections", "outgoing TLS", "integration timeout"} {
		doctortest.Expect(t, found, check, doctor.OK)
	}
}

func TestWithoutAnAdministratorWhatIsHiddenIsToldAndHowToSeeIt(t *testing.T) {
	found := well(t).examine()
	doctortest.Only(t, found, "hidden settings")
	doctortest.Expect(t, found, "hidden settings", doctor.Warn, "not seen", "belfry doctor --admin-token-file FILE")
	doctortest.Expect(t, found, "internal connections", doctor.OK, "Mattermost calls 127.0.0.1") // seen at work
}

// TestOneThingWrong: what is wrong is found, with its remedy, and nothing else.
func TestOneThingWrong(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*scene)
		level  doctor.Level
		check  string
		texts  []string
		also   []string // checks that can't be well then, either
	}{
		"no SiteURL": {func(s *scene) { s.mm.SetSetting("SiteURL", "") }, doctor.Fail, "site url",
			[]string{"SiteURL is empty", "System Console → Environment → Web Server → Site URL: http://127.0.0.1", "config.json: ServiceSettings.SiteURL", "mmctl config set ServiceSettings.SiteURL http://127.0.0.1"}, nil},
		"SiteURL of another scheme": {func(s *scene) { s.mm.SetSetting("SiteURL", "https://"+s.mm.Addr()) }, doctor.Warn, "site url", []string{"another scheme"}, nil},
		"SiteURL of another port":   {func(s *scene) { s.mm.SetSetting("SiteURL", "http://127.0.0.1:1") }, doctor.Warn, "site url", []string{"another port", "set url of connection chat to that"}, nil},
		"SiteURL with a subpath":    {func(s *scene) { s.mm.SetSetting("SiteURL", s.mm.URL()+"/chat/") }, doctor.Warn, "site url", []string{"another subpath"}, nil},
		"commands are off": {func(s *scene) { s.mm.SetSetting("EnableCommands", false) }, doctor.Fail, "commands",
			[]string{"mmctl config set ServiceSettings.EnableCommands true", "Enable Custom Slash Commands: true"}, []string{"slash command"}},
		"the environment rules a key": {func(s *scene) { s.mm.LockSetting("EnableCommands", false) }, doctor.Fail, "commands",
			[]string{`MM_SERVICESETTINGS_ENABLECOMMANDS="true"`}, []string{"slash command"}},
		"names are the account's": {func(s *scene) {
			s.config.Username = "watch"
			s.mm.SetSetting("EnablePostUsernameOverride", false)
		}, doctor.Warn, "name", []string{`username is "watch"`, "ServiceSettings.EnablePostUsernameOverride true"}, nil},
		"icons are the account's": {func(s *scene) {
			s.config.IconURL = "https://belfry.example.org/i.png"
			s.mm.SetSetting("EnablePostIconOverride", false)
		}, doctor.Warn, "icon", []string{"Enable integrations to override profile picture icons", "ServiceSettings.EnablePostIconOverride true"}, nil},
		"no OAuth provider": {func(s *scene) {
			s.config.OAuth = &mattermost.OAuth{ClientID: strings.Repeat("a", 26), ClientSecret: config.Secret(strings.Repeat("s", 26))}
			s.mm.SetSetting("EnableOAuthServiceProvider", false)
		}, doctor.Fail, "oauth", []string{"ServiceSettings.EnableOAuthServiceProvider true"}, nil},
		"certificates are not checked": {func(s *scene) { s.mm.SetSetting("EnableInsecureOutgoingConnections", true) }, doctor.Warn, "outgoing TLS",
			[]string{"ServiceSettings.EnableInsecureOutgoingConnections false"}, nil},
		"Mattermost is impatient": {func(s *scene) { s.mm.SetSetting("OutgoingIntegrationRequestsTimeout", float64(1)) }, doctor.Warn, "integration timeout",
			[]string{"waits only 1 s", "ServiceSettings.OutgoingIntegrationRequestsTimeout 30"}, nil},
		"requests are limited": {func(s *scene) { s.mm.RateLimit(1000, 99); s.mm.SetRateLimit(true, 10) }, doctor.Warn, "rate limit",
			[]string{"10 requests per second", "RateLimitSettings.PerSec", "requests_per_second of connection chat"}, nil},
		"more than the limit is asked for": {func(s *scene) {
			s.mm.RateLimit(1000, 99)
			s.mm.SetRateLimit(true, 10)
			s.config.RequestsPerSecond = 500
		}, doctor.Warn, "rate limit", []string{"takes 10 requests per second, and requests_per_second is 500"}, nil},
		"the bot is not in the channel": {func(s *scene) { s.mm.Leave(mattermosttest.Bot, "ops") }, doctor.Fail, "channel ops",
			[]string{"/invite @belfry", "mmctl channel users add ops-team:ops belfry"}, nil},
		"the channel is archived": {func(s *scene) { s.mm.ArchiveChannel("ops") }, doctor.Fail, "channel ops", []string{"archived", "mmctl channel unarchive ops-team:ops"}, nil},
		"there is no such channel": {func(s *scene) { s.visit.Channels = []string{"nosuch"} }, doctor.Fail, "channel nosuch",
			[]string{"handle", "not its display name"}, nil},
		"a display name": {func(s *scene) { s.visit.Channels = []string{"Channel ops"} }, doctor.Fail, "channel Channel ops", []string{"is no channel", "small letters"}, nil},
		"the token is a person's": {func(s *scene) {
			s.config.Token = config.Secret(s.mm.UserToken("alice"))
		}, doctor.Warn, "token", []string{"@alice", "belfry mattermost setup --url"}, nil},
		"an old version": {func(s *scene) { s.mm.SetVersion("5.20.1") }, doctor.Fail, "server", []string{"5.20.1", "upgrade Mattermost to 5.37"}, nil},
		"the address is not allowed": {func(s *scene) {
			s.mm.SetSetting("AllowedUntrustedInternalConnections", "jenkins.example.org")
		}, doctor.Fail, "internal connections",
			[]string{`is "jenkins.example.org"`, "mmctl config set ServiceSettings.AllowedUntrustedInternalConnections 'jenkins.example.org 127.0.0.1'",
				"Allow untrusted internal connections to: jenkins.example.org 127.0.0.1 (config.json: ServiceSettings.AllowedUntrustedInternalConnections)"},
			[]string{"callback", "slash command"}},
		"a list with commas": {func(s *scene) { s.mm.SetSetting("AllowedUntrustedInternalConnections", "jenkins,127.0.0.1") }, doctor.Warn, "internal connections",
			[]string{"divided by commas", "'jenkins 127.0.0.1'"}, []string{"callback", "slash command"}},
		"the command leads elsewhere": {func(s *scene) { s.mm.MoveCommand("belfry", "http://127.0.0.1:9/x") }, doctor.Fail, "slash command",
			[]string{"/belfry leads to http://127.0.0.1:9/x", "Request URL: http://127.0.0.1:"}, nil},
		"the command's token was regenerated": {func(s *scene) { s.mm.SetCommandToken("belfry", strings.Repeat("n", 26)) }, doctor.Fail, "slash command",
			[]string{"a token that it doesn't know", "the setting command_tokens of connection chat"}, nil},
		"answers are changed on their way": {func(s *scene) {
			s.before = func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.HasSuffix(r.URL.Path, "/action") {
						next.ServeHTTP(httptest.NewRecorder(), r)
						w.WriteHeader(http.StatusAccepted)
						return
					}
					next.ServeHTTP(w, r)
				})
			}
		}, doctor.Fail, "callback", []string{"reached Belfry, but could not use its answer", "look for a proxy"}, nil},
		"a sign-in page before Belfry": {func(s *scene) {
			s.before = func(http.Handler) http.Handler { return http.RedirectHandler("/login", http.StatusFound) }
		}, doctor.Fail, "callback", []string{"could not call", "without a sign-in page"}, []string{"slash command"}},
		"another Belfry": {func(s *scene) {
			s.visit.Probes = doctor.NewProbes() // not those that the server knows
			s.config.CommandTokens = s.config.CommandTokens[:1]
		}, doctor.Fail, "callback", []string{"something else than this Belfry answers"}, []string{"slash command"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := well(t)
			s.lend()
			c.change(s)
			found := s.examine()
			doctortest.Expect(t, found, c.check, c.level, c.texts...)
			doctortest.Only(t, found, append(c.also, c.check)...)
		})
	}
}

func TestATokenThatIsRefused(t *testing.T) {
	s := well(t)
	s.mm.RevokeToken()
	found := checkup.New(s.config, s.opt).Examine(t.Context(), s.visit)
	doctortest.Expect(t, found, "token", doctor.Fail, "was revoked", "mmctl token generate", "the setting token of connection chat")
	doctortest.Only(t, found, "token")
}

func TestABotThatIsInNoTeam(t *testing.T) {
	s := well(t)
	s.mm.LeaveTeam(mattermosttest.Bot)
	found := s.examine()
	doctortest.Expect(t, found, "team", doctor.Fail, "mmctl team users add ops-team belfry")
}

func TestAMattermostThatIsNotThere(t *testing.T) {
	s := well(t)
	s.mm.Stop()
	found := checkup.New(s.config, s.opt).Examine(t.Context(), s.visit)
	doctortest.Check(t, found)
	doctortest.Expect(t, found, "server", doctor.Fail, "not reached", "start what should listen at "+s.config.URL)
	if len(found) != 1 {
		t.Errorf("what can't be seen was judged:\n%s", doctortest.Text(found))
	}
}

func TestWhatIsNoMattermost(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		texts  []string
	}{
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://chat.example.org/", http.StatusFound)
		}, []string{"a redirect to https://chat.example.org/", "set url"}},
		"a web server": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, []string{"not as a Mattermost", "subpath"}},
		"a sign-in":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, []string{"sign-in page"}},
		"a proxy":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, []string{"systemctl status mattermost"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := well(t)
			other := httptest.NewServer(c.answer)
			defer other.Close()
			s.config.URL = other.URL
			found := checkup.New(s.config, s.opt).Examine(t.Context(), s.visit)
			doctortest.Check(t, found)
			doctortest.Expect(t, found, "server", doctor.Fail, c.texts...)
		})
	}
}

func TestACertificateThatNobodyKnows(t *testing.T) {
	s := well(t)
	other := httptest.NewTLSServer(http.NotFoundHandler())
	defer other.Close()
	other.Config.ErrorLog = nil
	s.config.URL = other.URL
	found := checkup.New(s.config, s.opt).Examine(t.Context(), s.visit)
	doctortest.Expect(t, found, "server", doctor.Fail, "certificate", "set ca_file of connection chat", "openssl s_client -connect 127.0.0.1:")
}

// TestACertificateThatIsNotChecked is never called trusted.
func TestACertificateThatIsNotChecked(t *testing.T) {
	s := well(t)
	h, err := s.mm.HTTPS()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	s.config.URL, s.config.Insecure = h.URL, true
	found := s.examine()
	doctortest.Check(t, found)
	doctortest.Expect(t, found, "server", doctor.OK)
	doctortest.Expect(t, found, "certificate", doctor.Warn, "is not checked (insecure)", "set ca_file of connection chat", "take insecure out")
}

func TestClocksThatAreApart(t *testing.T) {
	for apart, level := range map[time.Duration]doctor.Level{time.Second: doctor.OK, 30 * time.Second: doctor.Warn, -30 * time.Second: doctor.Warn, time.Hour: doctor.Fail} {
		s := well(t, mattermosttest.Options{Clock: shifted(apart), Guarded: true})
		doctortest.Expect(t, s.examine(), "clock", level)
	}
}

// shifted is the machine's clock, off by as much.
type shifted time.Duration

func (s shifted) Now() time.Time                         { return time.Now().Add(time.Duration(s)) }
func (s shifted) After(d time.Duration) <-chan time.Time { return clock.System{}.After(d) }

func TestAWrongAdministratorsToken(t *testing.T) {
	for name, c := range map[string]struct{ token, says string }{
		"revoked":     {strings.Repeat("x", 26), "does not accept it"},
		"of somebody": {"", "not a system administrator's"},
	} {
		t.Run(name, func(t *testing.T) {
			s := well(t)
			if c.token == "" {
				c.token = s.mm.UserToken("bob")
			}
			s.visit.Admin = config.Secret(c.token)
			found := s.examine()
			secrettest.Check(t, c.token, found)
			doctortest.Expect(t, found, "administrator's token", doctor.Warn, c.says, "--admin-token-file FILE")
			doctortest.Only(t, found, "administrator's token", "hidden settings")
		})
	}
}

func TestWithoutAServerNothingIsCalled(t *testing.T) {
	s := well(t)
	s.visit.Probes = nil
	found := s.examine()
	doctortest.Expect(t, found, "callback", doctor.Warn, "not seen", "start the server")
	doctortest.Expect(t, found, "internal connections", doctor.Warn, "not seen", "add it: System Console")
}

func TestAWebhookIsOneWay(t *testing.T) {
	s := well(t)
	hook := s.mm.AddIncoming("alice", "ops", false)
	id := path.Base(hook)
	s.config = &mattermost.Config{WebhookURL: config.Secret(hook)}
	found := checkup.New(s.config, s.opt).Examine(t.Context(), s.visit)
	doctortest.Check(t, found)
	secrettest.Check(t, id, found)
	doctortest.Expect(t, found, "webhook", doctor.OK)
	doctortest.Expect(t, found, "one way", doctor.Warn, "never brought up to date")
	s.mm.SetSetting("EnableIncomingWebhooks", false)
	found = checkup.New(s.config, s.opt).Examine(t.Context(), s.visit)
	doctortest.Expect(t, found, "webhook", doctor.Fail, "switched off", "mmctl config set ServiceSettings.EnableIncomingWebhooks true")
}

func TestASlowWayBack(t *testing.T) {
	s := well(t)
	s.before = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(1700 * time.Millisecond)
			next.ServeHTTP(w, r)
		})
	}
	doctortest.Expect(t, s.examine(), "round trip", doctor.Warn, "dialogs can't be opened", "curl -w '%{time_namelookup}")
}
