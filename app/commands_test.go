// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"belfry/alert"
	"belfry/app"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/clock"
	"belfry/store/opentest"
)

// office is a Mattermost whose people can type /belfry, with a Belfry behind it.
type office struct {
	t     *testing.T
	m     *mattermosttest.Server
	a     *app.App
	clock *clock.Manual
	token string
}

func newOffice(t *testing.T) *office {
	t.Helper()
	return newOfficeWith(t, "")
}

// newOfficeWith is an office with more in its configuration.
func newOfficeWith(t *testing.T, more string) *office {
	t.Helper()
	o := &office{t: t, m: mattermosttest.Start(t), clock: clock.NewManual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))}
	o.m.AddChannel("ops")
	o.token = o.m.AddCommand("belfry", "http://not.yet.example/")
	f := file(t, "connections: [{name: chat, kind: mattermost, url: \""+o.m.URL()+"\", token: \""+o.m.Token()+"\", team: "+mattermosttest.Team+
		", command_tokens: [\""+o.token+"\"]}]\ndefault: {channels: [chat/ops]}\n"+more)
	var err error
	if o.a, err = app.Start(t.Context(), app.Options{File: f, Data: opentest.Dir(t), Clock: o.clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, o.a) })
	o.m.MoveCommand("belfry", o.address())
	return o
}

func (o *office) address() string { return "http://" + o.a.Address() + "/chat/chat/command" }

func (o *office) report(reports ...alert.Report) {
	o.t.Helper()
	if err := o.a.Report("nagios")(o.t.Context(), reports); err != nil {
		o.t.Fatal(err)
	}
}

// types has somebody type a line, and wants to read these texts.
func (o *office) types(person, line string, want ...string) {
	o.t.Helper()
	seen := o.m.Type(person, "ops", line)
	for _, w := range want {
		if !strings.Contains(mattermosttest.Visible(seen.Whisper), w) {
			o.t.Errorf("%s types %q and sees %q (%s), without %q", person, line, seen.Whisper, seen.Failed, w)
		}
	}
	if seen.By != mattermosttest.Bot || seen.Posted != nil {
		o.t.Errorf("the answer to %q is by %q, posted: %v", line, seen.By, seen.Posted != nil)
	}
}

func TestAProblemIsAcknowledgedByTyping(t *testing.T) {
	o := newOffice(t)
	o.report(problem("web01")...)
	card := o.m.Room("ops").WaitCard("web01 is gone")
	if !card.Shows("#1") {
		t.Errorf("the card has no number: %q", card.Text())
	}
	o.types("alice", "/belfry problems", "1 problem open: 1 critical", "#1 🔴 DOWN web01")
	o.types("alice", "/belfry ack 1 on it", "Acknowledged: #1 🔴 DOWN web01", "Its card will tell.")
	card.WaitText("acknowledged by alice").WaitText("on it").WaitButtons("Un-acknowledge")
	o.types("bob", "/belfry ack web01", "Already acknowledged by alice.")
	o.types("bob", "/belfry unack #1", "No longer acknowledged")
	card.WaitButtons("Acknowledge", "Acknowledge with comment…")
	o.types("bob", "/belfry akc 1", "Did you mean “ack")
	o.types("bob", "/belfry", "Type to get", "ack <alert> [comment]")
	o.types("bob", "/belfry whoami", "You are bob on connection chat")
}

func TestAMuteKeepsNewProblemsOutOfChatUntilItEnds(t *testing.T) {
	o := newOffice(t)
	o.types("alice", "/belfry mute host=~“web.*” 2h moving", "Muted until", "unmute 1")
	o.report(problem("web01")...)
	o.report(problem("db01")...)
	o.m.Room("ops").WaitCard("db01 is gone")
	if n := len(o.m.Room("ops").Cards()); n != 1 {
		t.Errorf("%d cards while it is muted", n)
	}
	o.types("bob", "/belfry problems web", "1 problem open: 1 critical, 1 muted")
	o.clock.Advance(2 * time.Hour)
	o.m.Room("ops").WaitCard("web01 is gone")
}

func TestCommandsThatAreNotGenuineChangeNothing(t *testing.T) {
	o := newOffice(t)
	o.report(problem("web01")...)
	o.m.Room("ops").WaitCard("web01 is gone")
	form := func() url.Values {
		return url.Values{"token": {o.token}, "user_id": {o.m.User("alice").ID}, "channel_id": {o.m.Room("ops").Cards()[0].Post().ChannelID}, "text": {"ack 1"}}
	}
	const kind = "application/x-www-form-urlencoded"
	for name, send := range map[string]func() (*http.Request, error){
		"forged token": func() (*http.Request, error) {
			f := form()
			f.Set("token", strings.Repeat("z", 26))
			return http.NewRequest(http.MethodPost, o.address(), strings.NewReader(f.Encode()))
		},
		"no token": func() (*http.Request, error) {
			f := form()
			f.Del("token")
			return http.NewRequest(http.MethodPost, o.address(), strings.NewReader(f.Encode()))
		},
		"another header": func() (*http.Request, error) {
			r, err := http.NewRequest(http.MethodPost, o.address(), strings.NewReader(form().Encode()))
			if err == nil {
				r.Header.Set("Authorization", "Token "+strings.Repeat("z", 26))
			}
			return r, err
		},
		"JSON": func() (*http.Request, error) {
			r, err := http.NewRequest(http.MethodPost, o.address(), strings.NewReader(`{"token":"`+o.token+`","text":"ack 1"}`))
			if err == nil {
				r.Header.Set("Content-Type", "application/json")
			}
			return r, err
		},
		"GET": func() (*http.Request, error) {
			return http.NewRequest(http.MethodGet, o.address()+"?"+form().Encode(), nil)
		},
		"oversized": func() (*http.Request, error) {
			return http.NewRequest(http.MethodPost, o.address(), strings.NewReader(form().Encode()+"&x="+strings.Repeat("x", 1<<20)))
		},
		"nobody": func() (*http.Request, error) {
			f := form()
			f.Set("user_id", strings.Repeat("z", 26))
			f.Set("user_name", "alice")
			return http.NewRequest(http.MethodPost, o.address(), strings.NewReader(f.Encode()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := send()
			if err != nil {
				t.Fatal(err)
			}
			if req.Header.Get("Content-Type") == "" {
				req.Header.Set("Content-Type", kind)
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			said := readAll(t, res.Body)
			if res.StatusCode != http.StatusOK || !strings.Contains(said, "nothing was done") || !strings.Contains(said, `"ephemeral"`) || strings.Contains(said, o.token) {
				t.Errorf("the answer is %s %s", res.Status, said)
			}
		})
	}
	if card := o.m.Room("ops").Card("web01 is gone"); card.Shows("acknowledg") {
		t.Errorf("the card reads %q", card.Text())
	}
}

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
