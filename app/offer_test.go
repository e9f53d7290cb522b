// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"fmt"
	"strings"
	"testing"

	"belfry/app"
	"belfry/chat/slack/slacktest"
	"belfry/store/opentest"
)

// TestResolvingOffersToAcknowledgeWhatStillFires: by a button in the answer, and
// by typing; the cards say so when it is confirmed.
func TestResolvingOffersToAcknowledgeWhatStillFires(t *testing.T) {
	o := newOfficeWith(t, "incidents: {announce: [chat/ops]}\n")
	o.report(problem("web01")...)
	o.report(problem("web02")...)
	first, second := o.m.Room("ops").WaitCard("web01 is gone"), o.m.Room("ops").WaitCard("web02 is gone")
	o.types("alice", "/belfry incident new the shop is slow", "#1 started")
	o.types("alice", "/belfry incident attach #1 1", "attached alert #1")
	o.types("alice", "/belfry incident attach #1 2", "attached alert #2")
	first.ClickAs("bob", "Acknowledge")
	first.WaitText("acknowledged by bob")
	seen := o.m.Type("alice", "ops", "/belfry incident resolve #1 rolled back")
	if text := seen.Whisper; !strings.Contains(text, "1 attached alert still firing") || !strings.Contains(text, "web02") || strings.Contains(text, "web01") ||
		!strings.Contains(text, "“ack #1” acknowledges all of them") {
		t.Fatalf("the answer is %q", text)
	}
	if out := seen.Click("Leave them"); out.Whisper != "I left them as they are." || out.Failed != "" {
		t.Errorf("%+v", out)
	}
	if second.Shows("acknowledged") {
		t.Errorf("the card reads %q", second.Text())
	}
	if out := seen.Click("Acknowledge all"); !strings.Contains(out.Whisper, "Acknowledging 1 alert. Their cards say so when monitoring has confirmed it.") || out.Failed != "" {
		t.Errorf("%+v", out)
	}
	second.WaitText("acknowledged by alice")
	if out := seen.Click("Acknowledge all"); !strings.Contains(out.Whisper, "none fires that nobody has acknowledged") {
		t.Errorf("a second press: %+v", out)
	}
	o.report(problem("web03")...)
	third := o.m.Room("ops").WaitCard("web03 is gone")
	o.types("bob", "/belfry incident attach #1 3", "attached alert #3")
	o.types("bob", "/belfry incident ack #1 a new disk comes", "Acknowledging 1 alert", "web03")
	third.WaitText("acknowledged by bob").WaitNote("a new disk comes")
	o.types("bob", "/belfry incident ack #1", "none fires that nobody has acknowledged", "Nothing was changed")
}

// TestResolvingOffersToAcknowledgeInSlack: the answer is kept nowhere there, and
// its button works all the same.
func TestResolvingOffersToAcknowledgeInSlack(t *testing.T) {
	s := slacktest.Start(t)
	s.AddUser("alice")
	s.AddChannel("ops")
	a, err := app.Start(t.Context(), app.Options{Data: opentest.Dir(t), File: file(t, fmt.Sprintf(`
connections: [{name: team, kind: slack, url: %q, token: %q, signing_secret: %q}]
default: {channels: [team/ops]}
`, s.URL(), s.Token(), s.SigningSecret()))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, a) })
	s.CallAt("http://" + a.Address() + "/chat/team")
	if err := a.Report("nagios")(t.Context(), problem("web01")); err != nil {
		t.Fatal(err)
	}
	card := s.Room("ops").WaitCard("web01 is gone")
	s.Type("alice", "ops", "/belfry incident new the shop is slow")
	s.Type("alice", "ops", "/belfry incident attach #1 1")
	out := s.Type("alice", "ops", "/belfry incident resolve #1")
	if out.Answer == nil || !strings.Contains(out.Answer.Text, "1 attached alert still firing") {
		t.Fatalf("%+v", out)
	}
	if pressed := out.Answer.Click("Acknowledge all"); pressed.Failed != "" {
		t.Errorf("%+v", pressed)
	}
	s.WaitWhisper("alice", "Acknowledging 1 alert. Their cards say so when monitoring has confirmed it.")
	card.WaitShows("acknowledged by alice")
}
