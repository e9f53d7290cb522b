// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"belfry/clock"
	"belfry/web"
)

func sessionCookie(t *testing.T, p page) *http.Cookie {
	t.Helper()
	for _, c := range (&http.Response{Header: p.header}).Cookies() {
		if c.Name == "belfry_session" {
			return c
		}
	}
	t.Fatalf("no session cookie in %v", p.header)
	return nil
}

func TestSessionCookie(t *testing.T) {
	for base, secure := range map[string]bool{"": false, "http://belfry.example": false, "https://belfry.example": true} {
		s := open(t, func(o *web.Options) { o.BaseURL = base })
		_, token := s.link()
		c := sessionCookie(t, s.browser().post("/setup", "token", token, "name", "alice", "password", password, "again", password))
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure != secure || c.Path != "/" || c.Domain != "" {
			t.Errorf("%q: the cookie is %s", base, c)
		}
		if days := time.Duration(c.MaxAge) * time.Second / (24 * time.Hour); days != 30 {
			t.Errorf("%q: it lasts %d days", base, days)
		}
	}
}

func TestSignInAndOut(t *testing.T) {
	s := open(t, nil)
	admin := s.setUp("alice")
	b := s.letIn(admin, "bob")
	b.get("/").want(t, 200, "bob")
	b.get("/signin?next=/alerts").leadsTo(t, "/alerts")

	stolen := s.browser()
	stolen.http.Jar = b.http.Jar
	b.post("/signout").leadsTo(t, "/signin")
	b.get("/").leadsTo(t, "/signin")

	before := sessionCookie(t, b.post("/signin", "name", "BOB", "password", password)).Value
	b.post("/signout").leadsTo(t, "/signin")
	replay := s.browser().get("/", "Cookie", "belfry_session="+before)
	replay.leadsTo(t, "/signin")
}

// A session token that somebody planted before the sign-in is worth nothing.
func TestSignInMakesAFreshSession(t *testing.T) {
	s := open(t, nil)
	admin := s.setUp("alice")
	first := sessionCookie(t, s.browser().post("/signin", "name", "alice", "password", password))
	b := s.browser()
	again := b.do("POST", "/signin", map[string][]string{"name": {"alice"}, "password": {password}}, "Cookie", first.Name+"="+first.Value)
	if sessionCookie(t, again).Value == first.Value {
		t.Error("the session's token stayed the same")
	}
	s.browser().get("/", "Cookie", first.Name+"="+first.Value).leadsTo(t, "/signin")
	admin.get("/").want(t, 200)
}

func TestWrongNameAndWrongPasswordLookTheSame(t *testing.T) {
	s := open(t, nil)
	s.setUp("alice")
	b := s.browser()
	known := b.post("/signin", "name", "alice", "password", "not the password").want(t, 401, "The name or the password is wrong.")
	unknown := b.post("/signin", "name", "clara", "password", "not the password").want(t, 401)
	if strings.ReplaceAll(known.body, "alice", "") != strings.ReplaceAll(unknown.body, "clara", "") {
		t.Errorf("the answers differ:\n%s\n%s", known.body, unknown.body)
	}
	b.post("/signin", "name", "alice", "password", "").want(t, 401)
	b.post("/signin").want(t, 401)
	b.get("/").leadsTo(t, "/signin")
}

func TestSignInAttemptsAreLimited(t *testing.T) {
	now := clock.NewManual(time.Now())
	s := open(t, func(o *web.Options) { o.Clock = now })
	s.setUp("alice") // one attempt
	b := s.browser()
	tried := 0
	for b.post("/signin", "name", "alice", "password", "guess").status == http.StatusUnauthorized {
		if tried++; tried > 20 {
			t.Fatal("no limit after 20 attempts")
		}
	}
	b.post("/signin", "name", "alice", "password", password).want(t, 429, "Too many attempts")
	b.do("POST", "/signin", nil, "X-Forwarded-For", "203.0.113.9").want(t, 429)
	now.Advance(15 * time.Second)
	b.post("/signin", "name", "alice", "password", password).leadsTo(t, "/")
}

func TestSignInLeadsNowhereElse(t *testing.T) {
	s := open(t, nil)
	admin := s.setUp("alice")
	for next, want := range map[string]string{
		"/alerts?status=all": "/alerts?status=all", "https://evil.example/": "/", "//evil.example": "/", "/\\evil.example": "/",
		"javascript:alert(1)": "/", "": "/", "/%0d%0aSet-Cookie:x": "/%0d%0aSet-Cookie:x", "alerts": "/", "/\tx": "/",
	} {
		b := s.browser()
		b.http.Jar = admin.http.Jar
		b.do("GET", "/signin", nil).leadsTo(t, "/")
		if got := b.get("/signin?next=" + strings.NewReplacer("%", "%25", "\\", "%5c", "\t", "%09", "?", "%3f", "=", "%3d").Replace(next)).header.Get("Location"); got != want {
			t.Errorf("next %q leads to %q, not %q", next, got, want)
		}
	}
	s.browser().get("/alerts?status=all").leadsTo(t, "/signin?next=%2Falerts%3Fstatus%3Dall")
}

func TestDemoLink(t *testing.T) {
	s := open(t, func(o *web.Options) { o.DemoKey = "open-sesame" })
	s.browser().get("/demo?key=x").want(t, 403)
	s.browser().get("/demo").want(t, 403)
	for range 2 { // it can be used again while the demo runs
		b := s.browser()
		b.get("/demo?key=open-sesame").leadsTo(t, "/")
		b.get("/").want(t, 200, "demo")
	}
	// The person has no password: nobody signs in as them.
	for _, guess := range []string{"", "demo", "open-sesame"} {
		s.browser().post("/signin", "name", "demo", "password", guess).want(t, 401)
	}
	open(t, nil).browser().get("/demo?key=").want(t, 404)
}
