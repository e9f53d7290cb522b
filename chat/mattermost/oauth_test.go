// SPDX-License-Identifier: Apache-2.0

package mattermost_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"belfry/chat/mattermost"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/clock"
	"belfry/config"
	"belfry/config/secrettest"
	"belfry/fault"
)

const (
	callback = "https://belfry.example.org/oauth/main/personal"
	verifier = "verifier-verifier-verifier-verifier-verifier-0123456789"
)

// withOAuth is a connection with an application that the server knows.
func withOAuth(t *testing.T, s *mattermosttest.Server, log *bytes.Buffer) (*mattermost.Platform, mattermosttest.OAuthApp) {
	t.Helper()
	app := s.AddOAuthApp("Belfry", callback)
	return opened(t, s, &mattermost.OAuth{ClientID: app.ID, ClientSecret: config.Secret(app.ClientSecret)}, log), app
}

func opened(t *testing.T, s *mattermosttest.Server, o *mattermost.OAuth, log *bytes.Buffer) *mattermost.Platform {
	t.Helper()
	c := &mattermost.Config{URL: s.URL(), Token: config.Secret(s.Token()), Team: mattermosttest.Team, Timeout: 5 * time.Second, OAuth: o}
	if faults := c.Validate(); len(faults) > 0 {
		t.Fatal(faults)
	}
	options := mattermost.Options{Name: "main"}
	if log != nil {
		options.Log = slog.New(slog.NewTextHandler(log, nil))
	}
	p, err := c.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close(t.Context()) })
	return p
}

// codeFor sends name to the consent page, who allows, and returns the code.
func codeFor(t *testing.T, s *mattermosttest.Server, p *mattermost.Platform, name string) string {
	t.Helper()
	to, err := p.AuthorizeURL(t.Context(), callback, "the state", verifier)
	if err != nil {
		t.Fatal(err)
	}
	back, err := url.Parse(s.Allow(name, to))
	if err != nil || back.Query().Get("state") != "the state" {
		t.Fatalf("%s, %v", back, err)
	}
	return back.Query().Get("code")
}

func TestACodeTellsWhoItIsAndNothingIsKept(t *testing.T) {
	for _, version := range []string{"5.37.0", "11.1.9", "11.2.0", "12.0.0"} {
		t.Run(version, func(t *testing.T) {
			s := mattermosttest.Start(t)
			s.SetVersion(version)
			var log bytes.Buffer
			p, app := withOAuth(t, s, &log)
			to, err := p.AuthorizeURL(t.Context(), callback, "x", verifier)
			if err != nil {
				t.Fatal(err)
			}
			proves := version >= "11.2" && version[0] == '1'
			if got := strings.Contains(to, "code_challenge_method=S256"); got != proves {
				t.Errorf("a proof key: %v, want %v", got, proves)
			}
			if strings.Contains(to, app.ClientSecret) || strings.Contains(to, verifier) {
				t.Errorf("a secret in the address: %s", to)
			}
			code := codeFor(t, s, p, "alice")
			who, err := p.Identify(t.Context(), callback, code, verifier)
			if err != nil || who.ID != s.User("alice").ID || who.Name != "alice" || who.Connection != "main" {
				t.Fatalf("%+v, %v", who, err)
			}
			if n := s.OAuthTokens(); n != 0 {
				t.Errorf("%d tokens are alive", n)
			}
			// The code was used: a second time it tells nothing.
			if _, err := p.Identify(t.Context(), callback, code, verifier); !permanent(err) || !strings.Contains(err.Error(), "begin again") {
				t.Errorf("a replay: %v", err)
			}
			for _, secret := range []string{app.ClientSecret, code, s.Token()} {
				secrettest.Check(t, secret, log.String())
			}
		})
	}
}

func permanent(err error) bool {
	d, _ := fault.Of(err)
	return err != nil && d == fault.Permanent
}

func TestAProofKeyOfAnotherBrowserIsRefused(t *testing.T) {
	s := mattermosttest.Start(t)
	s.SetVersion("11.2.0")
	p, _ := withOAuth(t, s, nil)
	code := codeFor(t, s, p, "alice")
	if who, err := p.Identify(t.Context(), callback, code, strings.ToUpper(verifier)); err == nil {
		t.Errorf("it named %+v", who)
	}
	if n := s.OAuthTokens(); n != 0 {
		t.Errorf("%d tokens are alive", n)
	}
}

func TestRefusalsOfTheProviderAreSaidPlainly(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, s *mattermosttest.Server, m *clock.Manual, o *mattermost.OAuth)
		at    string // another callback
		say   string
		retry bool
	}{
		"an old code": {spoil: func(_ *testing.T, _ *mattermosttest.Server, m *clock.Manual, _ *mattermost.OAuth) {
			m.Advance(11 * time.Minute)
		}, say: "older than ten minutes"},
		"another callback": {at: callback + "/x", say: "doesn't know this callback URL"},
		"trouble":          {spoil: func(_ *testing.T, s *mattermosttest.Server, _ *clock.Manual, _ *mattermost.OAuth) { s.FailTokens(1) }, say: "has trouble", retry: true},
		"a wrong secret": {spoil: func(_ *testing.T, _ *mattermosttest.Server, _ *clock.Manual, o *mattermost.OAuth) {
			o.ClientSecret = "wrongwrongwrong"
		}, say: "id or secret is wrong"},
		"an unknown app": {spoil: func(_ *testing.T, _ *mattermosttest.Server, _ *clock.Manual, o *mattermost.OAuth) {
			o.ClientID = strings.Repeat("a", 26)
		}, say: "id or secret is wrong"},
		"an ended account": {spoil: func(_ *testing.T, s *mattermosttest.Server, _ *clock.Manual, _ *mattermost.OAuth) {
			s.Deactivate("alice")
		}, say: "begin again"},
		"nobody answers": {spoil: func(_ *testing.T, s *mattermosttest.Server, _ *clock.Manual, _ *mattermost.OAuth) { s.Close() }, say: "did not answer", retry: true},
	} {
		t.Run(name, func(t *testing.T) {
			m := clock.NewManual(time.Now())
			s := mattermosttest.Start(t, mattermosttest.Options{Clock: m})
			app := s.AddOAuthApp("Belfry", callback)
			good := &mattermost.OAuth{ClientID: app.ID, ClientSecret: config.Secret(app.ClientSecret)}
			code := codeFor(t, s, opened(t, s, good, nil), "alice")
			o := *good
			if c.spoil != nil {
				c.spoil(t, s, m, &o)
			}
			at := callback
			if c.at != "" {
				at = c.at
			}
			var log bytes.Buffer
			_, err := opened(t, s, &o, &log).Identify(t.Context(), at, code, verifier)
			if err == nil || !strings.Contains(err.Error(), c.say) || permanent(err) == c.retry {
				t.Errorf("permanent %v: %v", permanent(err), err)
			}
			for _, secret := range []string{app.ClientSecret, code} {
				secrettest.Check(t, secret, err, log.String())
			}
		})
	}
}

// TestAnEchoOfTheSecretStaysHere: whatever stands before the server and repeats
// what it is sent does not get a secret into an error or a log.
func TestAnEchoOfTheSecretStaysHere(t *testing.T) {
	const secret, token = "secretsecretsecret42", "accessaccessaccess42"
	for _, status := range []int{200, 302, 400, 401, 404, 429, 500, 501} {
		for _, kind := range []string{"json", "token", "html"} {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_ = r.ParseForm()
				w.Header().Set("Location", "https://login.example/?x="+token+secret)
				switch {
				case kind == "html":
					w.WriteHeader(status)
					_, _ = w.Write([]byte("<html>" + secret))
				case kind == "token" && strings.HasPrefix(r.URL.Path, "/oauth/"):
					w.Header().Set("Content-Type", "application/json")
					_ = json.NewEncoder(w).Encode(map[string]string{"access_token": token, "token_type": "bearer"})
				default:
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(status)
					_ = json.NewEncoder(w).Encode(map[string]string{"id": "x " + secret + token, "message": secret + token, "error": secret, "error_description": secret})
				}
			}))
			var log bytes.Buffer
			c := &mattermost.Config{URL: srv.URL, Token: "tokentokentoken", Team: "t", Timeout: time.Second,
				OAuth: &mattermost.OAuth{ClientID: strings.Repeat("a", 26), ClientSecret: secret}}
			p, err := c.Open(mattermost.Options{Name: "main", Log: slog.New(slog.NewJSONHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Identify(t.Context(), callback, "codecodecode", verifier)
			if err == nil {
				t.Errorf("%d %s: nonsense named somebody", status, kind)
			}
			secrettest.Check(t, secret, err, log.String(), *c)
			if kind == "token" {
				secrettest.Check(t, token, err, log.String())
			}
			_ = p.Close(t.Context())
			srv.Close()
		}
	}
}

func TestWithoutAnApplicationNobodyIsAsked(t *testing.T) {
	p := opened(t, mattermosttest.Start(t), nil, nil)
	if to, err := p.AuthorizeURL(t.Context(), callback, "x", verifier); !permanent(err) || to != "" {
		t.Errorf("%q, %v", to, err)
	}
	if _, err := p.Identify(t.Context(), callback, "x", verifier); !permanent(err) {
		t.Error(err)
	}
	if (&mattermost.Config{}).Links() || !(&mattermost.Config{OAuth: &mattermost.OAuth{}}).Links() {
		t.Error("Links is wrong")
	}
}

func TestOAuthIsChecked(t *testing.T) {
	id := strings.Repeat("a", 26)
	for want, o := range map[string]mattermost.OAuth{
		"oauth.client_id":          {ClientSecret: "s"},
		"is no id of Mattermost's": {ClientID: "A-b", ClientSecret: "s"},
		"oauth.client_secret_file": {ClientID: id},
		"beside":                   {ClientID: id, ClientSecret: "s", ClientSecretFile: "f"},
		"white space":              {ClientID: id, ClientSecret: "s s"},
	} {
		c := &mattermost.Config{URL: "https://chat.example.org", Token: "t", Team: "t", OAuth: &o}
		got := errors.Join(c.Validate()...)
		if got == nil || !strings.Contains(got.Error(), want) {
			t.Errorf("%s: %v", want, got)
		}
	}
}
