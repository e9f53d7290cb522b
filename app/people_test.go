// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"belfry/app"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/store/opentest"
)

// gated is a street where only people with a role may act.
type gated struct {
	*street
	base    string
	text    string
	browser *http.Client
}

func newGated(t *testing.T, act string) *gated {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	g := &gated{street: &street{t: t, m: mattermosttest.Start(t)}, base: "http://" + address}
	g.m.AddChannel("ops")
	oauth := g.m.AddOAuthApp("Belfry", g.base+"/oauth/chat/personal")
	token := g.m.AddCommand("belfry", g.base+"/chat/chat/command")
	g.text = "connections: [{name: chat, kind: mattermost, url: \"" + g.m.URL() + "\", token: \"" + g.m.Token() + "\", team: " + mattermosttest.Team +
		", oauth: {client_id: " + oauth.ID + ", client_secret: \"" + oauth.ClientSecret + "\"}, command_tokens: [\"" + token + "\"], act: \"ACT\"}]\ndefault: {channels: [chat/ops]}\n"
	f := file(t, strings.Replace(g.text, "ACT", act, 1))
	f.Server.Listen = address
	if g.a, err = app.Start(t.Context(), app.Options{File: f, Data: opentest.Dir(t)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, g.a) })
	if err := g.a.Report("nagios")(t.Context(), problem("web01")); err != nil {
		t.Fatal(err)
	}
	g.card = g.m.Room("ops").WaitCard("web01 is gone").WaitButtons("Acknowledge", "Acknowledge with comment…")
	g.browser = browser(t)
	g.browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	setup, err := url.Parse(g.a.SetupLink())
	if err != nil {
		t.Fatal(err)
	}
	g.send("/setup", url.Values{"token": {setup.Query().Get("token")}, "name": {"root"}, "password": {secretOfRoot}, "again": {secretOfRoot}})
	return g
}

const secretOfRoot = "correct horse battery"

// send posts a form as the browser does, or gets a page, and returns where it
// leads or what it reads.
func (g *gated) send(path string, form url.Values) string {
	g.t.Helper()
	var res *http.Response
	var err error
	if form == nil {
		res, err = g.browser.Get(g.base + path)
	} else {
		res, err = g.browser.PostForm(g.base+path, form)
	}
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 400 {
		g.t.Fatalf("%s: %d %v: %.800s", path, res.StatusCode, err, body)
	}
	if to := res.Header.Get("Location"); to != "" {
		return to
	}
	return string(body)
}

// connect follows the link of a refusal, through Mattermost, to the end.
func (g *gated) connect(name, link string) {
	g.t.Helper()
	path, ours := strings.CutPrefix(link, g.base)
	if !ours {
		g.t.Fatal(link)
	}
	back := g.m.Allow(name, g.send(path, url.Values{}))
	if to := g.send(strings.TrimPrefix(back, g.base), nil); to != "/oauth/confirm" {
		g.t.Fatal(to)
	}
	page := g.send("/oauth/confirm", nil)
	person := regexp.MustCompile(`name="person" value="(\d+)"`).FindStringSubmatch(page)
	if person == nil {
		g.t.Fatal(page)
	}
	g.send("/oauth/confirm", url.Values{"person": {person[1]}})
}

var connectLink = regexp.MustCompile(`\[Connect\]\((http[^)]+)\)`)

// refused presses and returns the link that the refusal offers, or "".
func (g *gated) refused(says string) string {
	g.t.Helper()
	body := g.press("Acknowledge")
	_, said := g.call("action", body)
	if !strings.Contains(said, says) {
		g.t.Errorf("it says %s", said)
	}
	if m := connectLink.FindStringSubmatch(said); m != nil {
		return m[1]
	}
	return ""
}

func TestOnlyLinkedPeopleActWhereTheRuleSaysSo(t *testing.T) {
	g := newGated(t, "linked")
	link := g.refused("yours is not. Nothing was done.")
	if link == "" {
		t.Fatal("the refusal does not offer to connect")
	}
	g.card.ClickAs("alice", "Acknowledge with comment…")
	if whisper := g.card.ClickAs("alice", "Acknowledge with comment…"); !strings.Contains(whisper.Whisper, "Connect") {
		t.Errorf("%+v", whisper)
	}
	g.untouched()
	g.connect("alice", link)
	g.card.ClickAs("alice", "Acknowledge")
	g.card.WaitText("acknowledged by alice")
	if got := g.card.ClickAs("bob", "Un-acknowledge"); !strings.Contains(got.Whisper, "yours is not") {
		t.Errorf("bob: %+v", got)
	}
	if n := g.m.OAuthTokens(); n != 0 {
		t.Errorf("%d tokens of people are alive", n)
	}
}

// TestARoleCountsAtOnce: a rule that a reload brings, and a role that an
// administrator changes, hold from the next press on.
func TestARoleCountsAtOnce(t *testing.T) {
	g := newGated(t, "role:responder")
	g.connect("alice", g.refused("Connect"))
	// root is an administrator and may; a second one takes the role away.
	g.send("/people", url.Values{"name": {"second"}, "role": {"admin"}, "password": {secretOfRoot}, "again": {secretOfRoot}})
	root := regexp.MustCompile(`id="person-(\d+)"[^>]*><summary><b>root<`).FindStringSubmatch(g.send("/people", nil))
	if root == nil {
		t.Fatal("root is not listed")
	}
	g.send("/people/"+root[1]+"/role", url.Values{"role": {"member"}})
	if link := g.refused("takes the role responder here, and you (root) are a member"); link != "" {
		t.Error("somebody who is linked is offered to connect")
	}
	g.untouched()
	if err := g.a.Reload(file(t, strings.Replace(g.text, "ACT", "linked", 1))); err != nil {
		t.Fatal(err)
	}
	g.card.ClickAs("alice", "Acknowledge")
	g.card.WaitText("acknowledged by alice")
}

// TestTypedCommandsAskTheSameRule: whoever may not press may not type either,
// gets the same way out, and may look all the same.
func TestTypedCommandsAskTheSameRule(t *testing.T) {
	g := newGated(t, "linked")
	types := func(line, want string) (links []string) {
		t.Helper()
		seen := g.m.Type("alice", "ops", line)
		if !strings.Contains(mattermosttest.Visible(seen.Whisper), want) {
			t.Errorf("%s: %q (%s)", line, seen.Whisper, seen.Failed)
		}
		return seen.Reading.Links
	}
	types("/belfry problems", "1 problem open")
	types("/belfry whoami", "not linked with anybody")
	for _, line := range []string{"ack 1 mine", "mute host=\"web01\" 2h", "downtime 1 2h", "check 1"} {
		if links := types("/belfry "+line, "yours is not. Nothing was done."); len(links) != 1 {
			t.Errorf("%s offers %q", line, links)
		}
	}
	g.untouched()
	links := types("/belfry connect", "This link is for @alice alone")
	if len(links) != 1 {
		t.Fatal(links)
	}
	g.connect("alice", links[0])
	types("/belfry whoami", "In Belfry you are root, an administrator.")
	types("/belfry connect", "linked already")
	types("/belfry ack 1 mine", "Acknowledged")
	g.card.WaitText("acknowledged by alice")
}
