// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"belfry/app"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/store/opentest"
)

const hookToken = "hook-token-0123456789"

func hookFile(m *mattermosttest.Server, jq string) string {
	return fmt.Sprintf(`
connections: [{name: chat, kind: mattermost, url: "%s", token: "%s", team: %s}]
default: {channels: [chat/ops]}
sources:
  - {name: uptime, kind: webhook, program: uptime-kuma, token: %s}
  - {name: own, kind: webhook, jq: '%s', token: %s-own}
  - {name: tools, kind: chathook, token: %s-tools}
`, m.URL(), m.Token(), mattermosttest.Team, hookToken, jq, hookToken, hookToken)
}

// send posts as a tool does: with nothing but an address.
func send(t *testing.T, a *app.App, source, token, kind, body string) (int, string) {
	t.Helper()
	r, err := http.Post("http://"+a.Address()+"/hooks/"+source+"/"+token, kind, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	said, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, strings.TrimSpace(string(said))
}

func sample(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "translate", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestUptimeKumasPayloadsBecomeACardAndEndIt(t *testing.T) {
	m := mattermosttest.Start(t)
	m.AddChannel("ops")
	a := start(t, file(t, hookFile(m, ".")), opentest.Dir(t))
	defer stop(t, a)
	down, up := sample(t, "uptime-kuma_down.json"), sample(t, "uptime-kuma_up.json")
	if status, said := send(t, a, "uptime", "wrong-token-0123456789", "application/json", down); status != 401 {
		t.Errorf("a wrong token: %d %s", status, said)
	}
	if status, said := send(t, a, "uptime", hookToken, "application/json", down); status != 200 || said != `{"accepted":1}` {
		t.Fatalf("%d %s", status, said)
	}
	card := m.Room("ops").WaitCard("Shop front page").WaitButtons("Acknowledge", "Acknowledge with comment…")
	if !card.Shows("connect ECONNREFUSED") || !card.Shows("CRITICAL") {
		t.Errorf("it reads %q", card.Text())
	}
	card.Click("Acknowledge")
	card.WaitText("acknowledged by alice")
	if status, said := send(t, a, "uptime", hookToken, "application/json", up); status != 200 {
		t.Fatalf("%d %s", status, said)
	}
	card.WaitText("RESOLVED").WaitButtons()
	if n := len(m.Room("ops").Cards()); n != 1 {
		t.Errorf("%d cards", n)
	}
}

func TestASlackPostBecomesACardAndGoodEndsIt(t *testing.T) {
	m := mattermosttest.Start(t)
	m.AddChannel("ops")
	m.AddChannel("deploys")
	a := start(t, file(t, hookFile(m, ".")), opentest.Dir(t))
	defer stop(t, a)
	form := func(json string) string { return url.Values{"payload": {json}}.Encode() }
	const forms = "application/x-www-form-urlencoded"
	post := func(body string) {
		t.Helper()
		if status, said := send(t, a, "tools", hookToken+"-tools", forms, form(body)); status != 200 || said != "ok" {
			t.Fatalf("%d %s", status, said)
		}
	}
	post(`{"attachments":[{"color":"danger","title":"[FIRING] web-01 is down","text":"<!channel> look"}]}`)
	card := m.Room("ops").WaitCard("web-01 is down").WaitButtons("Acknowledge", "Acknowledge with comment…")
	post(`{"attachments":[{"color":"good","title":"[RESOLVED] web-01 is up","text":"back after a restart"}]}`)
	card.WaitText("RESOLVED").WaitButtons()
	card.WaitNote("back after a restart")

	// An end of nothing that is known, and a plain message in its own channel.
	post(`{"attachments":[{"color":"good","title":"backup succeeded"}]}`)
	m.Room("ops").WaitCard("backup succeeded").WaitButtons()
	post(`{"text":"shop 1.2 is out","username":"ci","channel":"deploys"}`)
	m.Room("deploys").WaitCard("shop 1.2 is out")
	if rings := m.Room("ops").Rings(); len(rings) != 0 {
		t.Errorf("a post rang %v", rings)
	}
	if status, said := send(t, a, "tools", hookToken+"-tools", forms, form(`{"text":""}`)); status != 400 || !strings.Contains(said, "No text specified.") {
		t.Errorf("%d %s", status, said)
	}
}

func TestWhatIsNotUnderstoodSurvivesAndIsReplayedOnceMended(t *testing.T) {
	m := mattermosttest.Start(t)
	m.AddChannel("ops")
	dir := opentest.Dir(t)
	began := time.Now().Truncate(time.Hour)
	a := start(t, file(t, hookFile(m, `{status: .state, title: .alert.title}`)), dir)
	status, said := send(t, a, "own", hookToken+"-own", "application/json", `{"state":"firing","alert":{"name":"oven is cold"}}`)
	if status != 202 || !strings.Contains(said, "alert.title is missing") {
		t.Fatalf("%d %s", status, said)
	}
	notice := m.Room("ops").WaitCard("Payloads of own").WaitText("sent something that can't be understood")
	if text := notice.Text(); strings.Contains(text, "oven is cold") || strings.Contains(text, "title is missing") {
		t.Errorf("a channel is told what was sent: %s", text)
	}
	stop(t, a)

	a = start(t, file(t, hookFile(m, `{status: .state, title: .alert.title}`)), dir)
	defer stop(t, a)
	s := signedIn(t, a)
	id := s.onlyPayload(t, "alert.title is missing")
	if text := s.replay(t, id); !strings.Contains(text, "still not understood: output 1: title is null") {
		t.Errorf("it reads %s", text)
	}
	if err := a.Reload(file(t, hookFile(m, `{status: .state, title: .alert.name}`))); err != nil {
		t.Fatal(err)
	}
	if text := s.replay(t, id); !strings.Contains(text, "It was understood: 1 report was taken.") || !strings.Contains(text, "None. What a tool sends") {
		t.Errorf("it reads %s", text)
	}
	m.Room("ops").WaitCard("oven is cold")
	// What comes within the hour isn't told again, although another process
	// told of it: what was sent behind it is there, and it is not.
	if status, said := send(t, a, "own", hookToken+"-own", "application/json", `{"state":"strange"}`); status != 202 {
		t.Errorf("%d %s", status, said)
	}
	send(t, a, "own", hookToken+"-own", "application/json", `{"state":"firing","alert":{"name":"oven is hot"}}`)
	m.Room("ops").WaitCard("oven is hot")
	if n := len(m.Posts("ops")); n != 3 && began.Equal(time.Now().Truncate(time.Hour)) {
		t.Errorf("%d posts, want the notice and two cards", n)
	}
	if text := s.replay(t, id); !strings.Contains(text, "no longer kept") {
		t.Errorf("it reads %s", text)
	}
}

// keeper is an administrator's browser.
type keeper struct {
	base string
	http *http.Client
}

func signedIn(t *testing.T, a *app.App) *keeper {
	t.Helper()
	o := &keeper{base: a.URL(), http: browser(t)}
	setup, err := url.Parse(a.SetupLink())
	if err != nil {
		t.Fatal(err)
	}
	o.read(t, "/setup", url.Values{"token": {setup.Query().Get("token")}, "name": {"root"}, "password": {secretOfRoot}, "again": {secretOfRoot}})
	return o
}

// read returns what a page says, or what a form leads to says.
func (o *keeper) read(t *testing.T, path string, form url.Values) string {
	t.Helper()
	var r *http.Response
	var err error
	if form == nil {
		r, err = o.http.Get(o.base + path)
	} else {
		r, err = o.http.PostForm(o.base+path, form)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	page, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v: %s", path, r.StatusCode, err, page)
	}
	return string(page)
}

// onlyPayload returns the number of the one payload that is kept.
func (o *keeper) onlyPayload(t *testing.T, fault string) string {
	t.Helper()
	page := o.read(t, "/payloads", nil)
	found := regexp.MustCompile(`href="/payloads/(\d+)"`).FindAllStringSubmatch(page, -1)
	if len(found) != 1 || !strings.Contains(page, fault) {
		t.Fatalf("%d payloads on %s", len(found), page)
	}
	return found[0][1]
}

func (o *keeper) replay(t *testing.T, id string) string {
	t.Helper()
	return o.read(t, "/payloads/replay", url.Values{"id": {id}})
}
