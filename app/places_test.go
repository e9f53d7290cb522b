// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"belfry/alert"
	"belfry/app"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/chat/slack/slacktest"
	"belfry/store/opentest"
)

// places is one alert that a route sends to Mattermost, Slack and the room.
type places struct {
	t      *testing.T
	a      *app.App
	client *http.Client
	m      *mattermosttest.Card
	s      *slacktest.Card
	slack  *slacktest.Server
}

func newPlaces(t *testing.T) *places {
	t.Helper()
	m, s := mattermosttest.Start(t), slacktest.Start(t)
	m.AddChannel("ops")
	s.AddChannel("alerts")
	text := fmt.Sprintf(`
connections:
  - {name: chat, kind: mattermost, url: %q, token: %q, team: %s}
  - {name: team, kind: slack, url: %q, token: %q, signing_secret: %q}
  - {name: room, kind: console, channels: [wall]}
routes:
  - match: severity="critical"
    channels: [chat/ops, team/alerts, room/wall]
default: {channels: [room/wall]}
`, m.URL(), m.Token(), mattermosttest.Team, s.URL(), s.Token(), s.SigningSecret())
	a, err := app.Start(t.Context(), app.Options{File: file(t, text), Data: opentest.Dir(t), DemoKey: "k"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, a) })
	s.CallAt("http://" + a.Address() + "/chat/team")
	if err := a.Report("nagios")(t.Context(), problem("web01")); err != nil {
		t.Fatal(err)
	}
	p := &places{t: t, a: a, slack: s, client: browser(t)}
	p.get("/demo?key=k")
	p.m = m.Room("ops").WaitCard("web01 is gone")
	p.s = s.Room("alerts").WaitCard("web01 is gone")
	return p
}

func (p *places) get(path string) string {
	p.t.Helper()
	return textOf(p.t)(p.client.Get(p.a.URL() + path))
}

// types a line in the room's channel and returns the answer's page.
func (p *places) types(line string) string {
	p.t.Helper()
	r, err := p.client.PostForm(p.a.URL()+"/room/line", url.Values{"channel": {"wall"}, "line": {line}})
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	page, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return html.UnescapeString(string(page))
}

// TestAnIncidentIsRunInTheRoom: in the incident's own channel no number is
// needed, and its people are found by name.
func TestAnIncidentIsRunInTheRoom(t *testing.T) {
	p := newPlaces(t)
	for _, x := range [][2]string{
		{"incident new SEV1 the shop is slow", "#1 SEV1 started: the shop is slow"}, {"incident convert #1", "You made the channel"},
		{"incident assign commander @you", "You made you commander"}, {"incident assign scribe @nobody", "@nobody is nobody who can sign in to this Belfry"},
		{"incident mitigate rolled back", "#1 SEV1 mitigated"}, {"/incident timeline", "mitigated it: rolled back"},
	} {
		if got := p.types(x[0]); !strings.Contains(got, x[1]) {
			t.Errorf("%q: no %q in %s", x[0], x[1], got)
		}
	}
}

// everywhere waits until all three cards show a text.
func (p *places) everywhere(text string) {
	p.t.Helper()
	p.m.WaitText(text)
	p.s.WaitShows(text)
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		page := html.UnescapeString(p.get("/?channel=wall"))
		if strings.Contains(page, text) {
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("the room never showed %q: %s", text, page)
		}
	}
}

var (
	pressForm   = regexp.MustCompile(`(?s)<form class="buttons" method="post" action="/room/press">.*?</form>`)
	hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
	pageButton  = regexp.MustCompile(`<button[^>]*name="([^"]*)"[^>]*value="([^"]*)"[^>]*>([^<]*)`)
)

// pressOnPage presses a button in the room as soon as it is there.
func (p *places) pressOnPage(label string) {
	p.t.Helper()
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		page := p.get("/?channel=wall")
		for _, form := range pressForm.FindAllString(page, -1) {
			if values := pressed(form, label); values != nil {
				r, err := p.client.PostForm(p.a.URL()+"/room/press", values)
				if err != nil || r.StatusCode >= 400 {
					p.t.Fatalf("the press was not taken: %v, %v", r, err)
				}
				_ = r.Body.Close()
				return
			}
		}
		if time.Now().After(end) {
			p.t.Fatalf("the room shows no button %q: %s", label, pressForm.FindAllString(page, -1))
		}
	}
}

// pressed are the fields that a form sends when this button is pressed, nil
// when it has no such button.
func pressed(form, label string) url.Values {
	values := url.Values{}
	for _, f := range hiddenField.FindAllStringSubmatch(form, -1) {
		values.Set(f[1], html.UnescapeString(f[2]))
	}
	for _, b := range pageButton.FindAllStringSubmatch(form, -1) {
		if strings.TrimSpace(html.UnescapeString(b[3])) == label {
			values.Set(b[1], html.UnescapeString(b[2]))
			return values
		}
	}
	return nil
}

// TestOneAlertInThreeChats: one alert has a card in each channel that its route
// names, on whatever platform; a click in one shows in all, and the end of the
// problem, too. Each stays one card.
func TestOneAlertInThreeChats(t *testing.T) {
	p := newPlaces(t)
	p.everywhere("web01 is gone")
	if out := p.s.ClickAs("alice", "Acknowledge"); out.Failed != "" {
		t.Fatalf("Slack shows alice %q", out.Failed)
	}
	p.everywhere("acknowledged by alice")
	if out := p.m.WaitButtons("Un-acknowledge").ClickAs("bob", "Un-acknowledge"); out.Failed != "" || out.Whisper != "" {
		t.Fatalf("Mattermost shows bob %+v", out)
	}
	p.s.WaitNote("bob")
	p.m.WaitButtons("Acknowledge", "Acknowledge with comment…")
	p.s.WaitButtons("Acknowledge", "Acknowledge with comment…")
	if p.s.Shows("acknowledged by") {
		t.Errorf("Slack still shows %q", p.s.Text())
	}
	p.pressOnPage("Acknowledge")
	p.m.WaitButtons("Un-acknowledge")
	p.s.WaitButtons("Un-acknowledge")
	p.everywhere("acknowledged by")
	over := []alert.Report{{Kind: alert.ReportRecovery, Object: problem("web01")[0].Object, State: "UP", Output: "web01 is back"}}
	if err := p.a.Report("nagios")(t.Context(), over); err != nil {
		t.Fatal(err)
	}
	p.everywhere("web01 is back")
	p.s.WaitButtons()
	if n := len(p.slack.Room("alerts").Cards()); n != 1 {
		t.Errorf("Slack has %d cards", n)
	}
}

// TestWithinSlacksLimitsTheMostSevereComesFirst: a storm of warnings in one
// channel at Slack's own rates (a message a second, short bursts) neither keeps
// a critical alert behind it nor touches another channel, and Slack never has
// to say stop.
func TestWithinSlacksLimitsTheMostSevereComesFirst(t *testing.T) {
	s := slacktest.Start(t, slacktest.Options{Tiers: true})
	s.AddChannel("noise")
	s.AddChannel("calm")
	a := start(t, file(t, fmt.Sprintf(`
connections: [{name: team, kind: slack, url: %q, token: %q, signing_secret: %q}]
routes:
  - {match: host="calm", channels: [team/calm]}
default: {channels: [team/noise]}
`, s.URL(), s.Token(), s.SigningSecret())), opentest.Dir(t))
	defer stop(t, a)
	report := func(host string, severity alert.Severity) {
		r := problem(host)
		r[0].Severity = severity
		if err := a.Report("nagios")(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	const storm = 60
	for i := range storm {
		report(fmt.Sprintf("warning%02d", i), alert.SeverityWarning)
	}
	s.Room("noise").WaitCard("warning00 is gone")
	report("critical", alert.SeverityCritical)
	report("calm", alert.SeverityWarning)
	s.Room("noise").WaitCard("critical is gone")
	s.Room("calm").WaitCard("calm is gone")
	if n := len(s.Room("noise").Cards()); n > storm/2 {
		t.Errorf("the critical alert came behind %d of %d warnings", n-1, storm)
	}
	for _, c := range s.Calls("chat.postMessage") {
		if c.Error != "" {
			t.Errorf("Slack had to say %s", c.Error)
		}
	}
}

// TestAChatThatIsDownHoldsUpNoOther: while Slack can't be reached, what happens
// goes on elsewhere; then Slack shows what is true by then, once.
func TestAChatThatIsDownHoldsUpNoOther(t *testing.T) {
	p := newPlaces(t)
	p.slack.Stop()
	if out := p.m.WaitButtons("Acknowledge", "Acknowledge with comment…").ClickAs("bob", "Acknowledge"); out.Failed != "" || out.Whisper != "" {
		t.Fatalf("Mattermost shows bob %+v", out)
	}
	p.m.WaitText("acknowledged by bob")
	p.slack.Restart()
	p.everywhere("acknowledged by bob")
	p.s.WaitButtons("Un-acknowledge")
	if n := len(p.slack.Room("alerts").Cards()); n != 1 {
		t.Errorf("Slack has %d cards", n)
	}
}
