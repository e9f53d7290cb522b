// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"belfry/web"
)

// routes reads the route table: what is added there is tested here.
func routes(t *testing.T) (patterns []string) {
	t.Helper()
	source, err := os.ReadFile("routes.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"((?:GET|POST) /[^"]*)":\s*w\.(\w+)\(`).FindAllStringSubmatch(string(source), -1) {
		patterns = append(patterns, m[2]+" "+m[1])
	}
	if len(patterns) < 15 {
		t.Fatalf("only %d routes were found", len(patterns))
	}
	return patterns
}

func TestWithoutASessionOnlyTheDoorIsOpen(t *testing.T) {
	s := open(t, nil)
	s.setUp("alice")
	b := s.browser()
	for _, r := range routes(t) {
		guard, method, path := fields3(r)
		path = strings.NewReplacer("{$}", "", "{id}", "1").Replace(path)
		plain := b.do(method, path, nil)
		data := b.do(method, path, nil, "Accept", "application/json")
		stream := b.do(method, path, nil, "Accept", "text/event-stream")
		if guard == "anybody" {
			continue
		}
		if plain.status != http.StatusSeeOther || !strings.HasPrefix(plain.header.Get("Location"), "/signin") {
			t.Errorf("%s: %d %s", r, plain.status, plain.header.Get("Location"))
		}
		if data.status != http.StatusUnauthorized || stream.status != http.StatusUnauthorized {
			t.Errorf("%s: a script gets %d, a stream %d", r, data.status, stream.status)
		}
	}
	if got := s.rec.Presses(); len(got) != 0 {
		t.Errorf("somebody pressed: %+v", got)
	}
}

func fields3(s string) (a, b, c string) {
	f := strings.Fields(s)
	return f[0], f[1], f[2]
}

func TestMembersDoNotAdminister(t *testing.T) {
	s := open(t, nil)
	admin := s.setUp("alice")
	b := s.letIn(admin, "bob")
	n := 0
	for _, r := range routes(t) {
		guard, method, path := fields3(r)
		if guard != "admin" {
			continue
		}
		n++
		b.do(method, path, nil).want(t, 403, "for administrators")
	}
	if n == 0 {
		t.Error("no route is for administrators")
	}
	if body := b.get("/").body; strings.Contains(body, "/deliveries") {
		t.Error("a member is offered the deliveries")
	}
	if n, err := s.store.CountPeople(t.Context()); n != 2 || err != nil {
		t.Errorf("%d people, %v", n, err)
	}
}

func TestOtherSitesCanNotPost(t *testing.T) {
	s := open(t, nil)
	admin := s.setUp("alice")
	s.card("ops", diskFull())
	for _, r := range routes(t) {
		_, method, path := fields3(r)
		if method != "POST" {
			continue
		}
		form := url.Values{"name": {"mallory"}, "password": {password}, "again": {password}}
		admin.do(method, path, form, "Sec-Fetch-Site", "cross-site").want(t, 403, "another site")
		admin.do(method, path, form, "Sec-Fetch-Site", "same-site").want(t, 403, "another site")
		admin.do(method, path, form, "Origin", "https://evil.example").want(t, 403, "another site")
		admin.do(method, path, form, "Origin", "null").want(t, 403, "another site")
	}
	admin.get("/").want(t, 200, "alice") // not even signed out
	if n, err := s.store.CountPeople(t.Context()); n != 1 || err != nil {
		t.Errorf("%d people, %v", n, err)
	}
	// Behind a proxy that changes Host the base URL's origin is ours.
	proxied := open(t, func(o *web.Options) { o.BaseURL = "https://belfry.example" })
	proxied.browser().do("POST", "/signin", nil, "Origin", "https://belfry.example", "Sec-Fetch-Site", "same-origin").want(t, 401)
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	s := open(t, nil)
	admin := s.setUp("alice")
	for _, path := range []string{"/", "/alerts", "/deliveries", "/signin", "/nowhere", "/static/app.js", "/static/nothing.js", "/alerts/x"} {
		h := admin.get(path).header
		csp := h.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s: the policy %q lacks %s", path, csp, part)
			}
		}
		if strings.Contains(csp, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: headers %v", path, h)
		}
		if !strings.HasPrefix(path, "/static/app") && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be cached: %v", path, h["Cache-Control"])
		}
	}
}

func TestStaticFilesAreOurOwn(t *testing.T) {
	s := open(t, nil)
	body := s.browser().get("/signin").want(t, 200).body
	links := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(body, -1)
	if len(links) < 4 {
		t.Fatalf("links: %v", links)
	}
	for _, m := range links {
		if !strings.HasPrefix(m[1], "/") && !strings.HasPrefix(m[1], "#") {
			t.Errorf("the page loads %q from elsewhere", m[1])
		}
		if strings.HasPrefix(m[1], "/static/") {
			p := s.browser().get(m[1]).want(t, 200)
			if !strings.Contains(p.header.Get("Cache-Control"), "immutable") {
				t.Errorf("%s is not cached: %v", m[1], p.header)
			}
		}
	}
	for _, inline := range []string{" style=", "<style", " onclick=", " onload=", "<script>"} {
		if strings.Contains(body, inline) {
			t.Errorf("the page has %q, which its own policy forbids", inline)
		}
	}
	lines := strings.Count(s.browser().get("/static/app.js").body, "\n")
	if lines > 300 {
		t.Errorf("the script has %d lines", lines)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	s := open(t, nil)
	for _, base := range []string{"belfry.example", "ftp://belfry.example", "https://", "https://belfry.example/sub", "::"} {
		if _, err := web.New(web.Options{Store: s.store, Room: s.room, Responder: s.rec, Payloads: s.store, Replay: s.replay, BaseURL: base}); err == nil || !strings.Contains(err.Error(), "base URL") {
			t.Errorf("%q: %v", base, err)
		}
	}
	if _, err := web.New(web.Options{}); err == nil {
		t.Error("pages without a store")
	}
}
