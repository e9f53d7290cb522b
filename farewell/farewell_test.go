// SPDX-License-Identifier: Apache-2.0

package farewell_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/mattermost"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/chat/slack"
	"belfry/chat/slack/slacktest"
	"belfry/clock"
	"belfry/config"
	"belfry/farewell"
	"belfry/incident"
	"belfry/message"
	"belfry/response"
	"belfry/store"
	"belfry/store/opentest"
)

// TestAChannelWhoseAnswerWasLostIsNotLeft: a process died after the server made
// an incident's channel and before anybody noted that. Nobody but the server
// knows of it.
func TestAChannelWhoseAnswerWasLostIsNotLeft(t *testing.T) {
	t.Run("Mattermost", func(t *testing.T) {
		m := mattermosttest.Start(t)
		p, err := (&mattermost.Config{URL: m.URL(), Token: config.Secret(m.Token()), Team: mattermosttest.Team}).Open(mattermost.Options{Name: "chat"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Close(t.Context()) })
		lostChannel(t, p, func() { m.FailCall(0, true) }, func() []string { return m.Left("belfry") }, "bot belfry can act")
	})
	t.Run("Slack", func(t *testing.T) {
		s := slacktest.Start(t)
		p, err := (&slack.Config{URL: s.URL(), Token: config.Secret(s.Token())}).Open(slack.Options{Name: "chat"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Close(t.Context()) })
		lostChannel(t, p, func() { s.TimeoutAfterAccepting(1) }, s.Left, "the app's token")
	})
}

// lostChannel has the answer to making a channel lost, and looks at what is left.
func lostChannel(t *testing.T, p chat.Platform, lose func(), stays func() []string, want string) {
	t.Helper()
	now := clock.NewManual(time.Now())
	s := opentest.Open(t, store.Options{Clock: now})
	settings := incident.Defaults()
	settings.Channel.On = []string{"chat"}
	r := response.New(s, func() incident.Settings { return settings }, func() []string { return nil }, now)
	if _, err := r.Declare(t.Context(), incident.Declaration{Title: "the shop is slow", By: incident.Person{Connection: "chat", ID: "u1", Name: "anna"}}, 0, 0); err != nil {
		t.Fatal(err)
	}
	claim, err := s.Claim(t.Context(), store.StepDestination("chat", 1), 10)
	if err != nil || len(claim.Duties) != 1 {
		t.Fatalf("%+v, %v", claim, err)
	}
	lose()
	d := claim.Duties[0]
	if c, err := p.(chat.ChannelKeeper).OpenChannel(t.Context(), chat.NewChannel{Key: d.Key, Name: d.Receipt, Title: "#1"}); err == nil {
		t.Fatalf("the answer is not lost: %+v", c)
	}
	now.Advance(time.Hour) // and it never came back
	if left := fmt.Sprint(stays()); !strings.Contains(left, "channel inc-1-the-shop-is-slow") {
		t.Fatalf("before: %s", left)
	}
	var did []string
	f := farewell.New(farewell.Options{Connection: "chat", Platform: p, Store: s, Record: r, Clock: now, Archive: true, Why: "chat was disconnected",
		Say: func() message.Options { return message.Options{Now: now.Now()} }})
	left, err := f.Run(t.Context(), func(what, wrong string) { did = append(did, what+wrong) })
	if err != nil || left != 0 || len(did) == 0 || did[0] != "a channel that may have been made is archived" {
		t.Errorf("%d, %v, %q", left, err, did)
	}
	if left := fmt.Sprint(stays()); left != "["+want+"]" {
		t.Errorf("left: %s", left)
	}
	if waits, err := s.Unfinished(t.Context()); err != nil || len(waits) != 0 {
		t.Errorf("still waiting: %v, %v", waits, err)
	}
}
