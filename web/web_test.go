// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"belfry/chat"
	"belfry/chat/chattest"
	"belfry/chat/console"
	"belfry/clock"
	"belfry/seal"
	"belfry/store"
	"belfry/store/opentest"
	"belfry/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is Belfry's pages on a real store, served over HTTP.
type site struct {
	t     testing.TB
	store *store.Store
	room  *console.Room
	rec   *chattest.Recorder
	web   *web.Web
	url   string
}

const password = "correct horse battery"

// open starts a site; change may alter its options.
func open(t testing.TB, change func(*web.Options)) *site {
	t.Helper()
	return openAt(t, clock.System{}, change)
}

// openAt is open with another clock for what is stored.
func openAt(t testing.TB, c clock.Clock, change func(*web.Options)) *site {
	t.Helper()
	s := &site{t: t, rec: &chattest.Recorder{}}
	s.store = opentest.Open(t, store.Options{Clock: c})
	var err error
	if s.room, err = console.Open(console.Options{Name: "room", Storage: s.store}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	s.url = "http://" + server.Listener.Addr().String()
	o := web.Options{Store: s.store, Room: s.room, Responder: s.rec, Payloads: s.store, Replay: s.replay, BaseURL: s.url, Version: "test"}
	if change != nil {
		change(&o)
	}
	if s.web, err = web.New(o); err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = s.web.Handler()
	server.Config.RegisterOnShutdown(s.web.Close)
	server.Start()
	t.Cleanup(func() {
		s.web.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := server.Config.Shutdown(ctx); err != nil {
			t.Errorf("open pages keep the server from stopping: %v", err)
		}
		server.Close()
	})
	return s
}

// browser is one person's browser without scripts.
type browser struct {
	t    testing.TB
	site *site
	http *http.Client
}

func (s *site) browser() *browser {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	transport := &http.Transport{}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &browser{t: s.t, site: s, http: &http.Client{Jar: jar, Transport: transport, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// page is an answer as it came.
type page struct {
	status int
	header http.Header
	body   string
}

// text is the body without the escapes of HTML.
func (p page) text() string { return html.UnescapeString(p.body) }

func (b *browser) do(method, path string, form url.Values, header ...string) page {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.site.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	answer, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{answer.StatusCode, answer.Header, string(body)}
}

func (b *browser) get(path string, header ...string) page { return b.do("GET", path, nil, header...) }

func (b *browser) post(path string, fields ...string) page {
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.do("POST", path, form)
}

// want checks an answer's status and that texts can be read in it.
func (p page) want(t testing.TB, status int, texts ...string) page {
	t.Helper()
	if p.status != status {
		t.Errorf("the status is %d, not %d: %.600s", p.status, status, p.body)
	}
	for _, text := range texts {
		if !strings.Contains(p.text(), text) {
			t.Errorf("%q can't be read in:\n%.3000s", text, p.body)
		}
	}
	return p
}

func (p page) leadsTo(t testing.TB, path string) page {
	t.Helper()
	if p.status != http.StatusSeeOther || p.header.Get("Location") != path {
		t.Errorf("it leads to %d %q, not to %q: %.600s", p.status, p.header.Get("Location"), path, p.body)
	}
	return p
}

// setUp makes the first administrator by the one-time link and returns their browser.
func (s *site) setUp(name string) *browser {
	s.t.Helper()
	link, needed, err := web.PrepareSetup(s.t.Context(), s.store)
	if err != nil || !needed {
		s.t.Fatalf("no link: %v, %v", needed, err)
	}
	b := s.browser()
	_, token, _ := strings.Cut(link, "token=")
	b.post("/setup", "token", token, "name", name, "password", password, "again", password).leadsTo(s.t, "/")
	return b
}

// letIn has the administrator add a member, who signs in.
func (s *site) letIn(admin *browser, name string) *browser {
	s.t.Helper()
	admin.post("/people", "name", name, "password", password, "again", password).leadsTo(s.t, "/people")
	b := s.browser()
	b.post("/signin", "name", name, "password", password, "next", "/").leadsTo(s.t, "/")
	return b
}

// card puts a card into the room.
func (s *site) card(channel string, m chat.Message) chat.Ref {
	s.t.Helper()
	ref, err := s.room.Post(context.Background(), chat.Post{Channel: channel, Key: seal.Random(), Message: m})
	if err != nil {
		s.t.Fatal(err)
	}
	return ref
}

func (s *site) update(ref chat.Ref, m chat.Message) {
	s.t.Helper()
	if err := s.room.Update(context.Background(), ref, "", m); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) note(ref chat.Ref, text string) {
	s.t.Helper()
	_, err := s.room.Post(context.Background(), chat.Post{Channel: ref.Channel, Thread: &ref, Key: seal.Random(),
		Message: chat.Message{Summary: text, Lines: []chat.Line{{{Text: text}}}}})
	if err != nil {
		s.t.Fatal(err)
	}
}

// diskFull is a card as package message makes it.
func diskFull() chat.Message {
	began := time.Now().Add(-7 * time.Minute)
	return chat.Message{
		Color: "#CC0000", Icon: "🔴", State: "CRITICAL", Title: "Disk /var on web01", Link: "https://monitoring.example/services/7",
		Summary: "CRITICAL: Disk /var on web01: 98 % full", Open: true,
		Lines:  []chat.Line{{{Text: "since "}, {Text: began.Format("15:04"), Time: began}, {Text: " · 10.0.3.17 · contacts ops-day, storage · "}, {Text: "#1742", Link: "https://belfry.example/alerts/1742"}}},
		Output: "DISK CRITICAL - free space: /var 412 MB (2% inode=71%)\n/var/log/journal 38 GB\n/var/lib/docker 121 GB",
		Buttons: []chat.Button{
			{Action: "ack", Label: "Acknowledge", Style: chat.StylePrimary, Token: "secret-token.ack"},
			{Action: "ackComment", Label: "Acknowledge with comment…", Token: "secret-token.comment"},
		},
	}
}
