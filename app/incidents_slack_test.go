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

// TestIncidentsAreRunFromSlack: by their own slash command, whatever it is
// called, and by the other one.
func TestIncidentsAreRunFromSlack(t *testing.T) {
	s := slacktest.Start(t)
	s.AddUser("alice")
	s.AddUser("bob")
	s.AddChannel("ops")
	a, err := app.Start(t.Context(), app.Options{Data: opentest.Dir(t), File: file(t, fmt.Sprintf(`
connections: [{name: team, kind: slack, url: %q, token: %q, signing_secret: %q}]
default: {channels: [team/ops]}
incidents: {command: trouble, announce: [team/ops]}
`, s.URL(), s.Token(), s.SigningSecret()))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, a) })
	s.CallAt("http://" + a.Address() + "/chat/team")
	types := func(person, line, want string) {
		t.Helper()
		out := s.Type(person, "ops", line)
		if out.Failed != "" || out.Answer == nil || !strings.Contains(out.Answer.Text, want) {
			t.Errorf("%s types %q: %+v, without %q", person, line, out, want)
		}
	}
	types("alice", "/trouble new SEV1 the shop is slow", "#1 SEV1 started: the shop is slow")
	types("bob", "/belfry trouble assign #1 commander @alice", "You made alice commander.")
	types("bob", "/trouble assign #1 scribe @nobody", "@nobody is not known in this workspace")
	types("bob", "/trouble task #1 @Bob call the provider", "for bob")
	types("bob", "/trouble mitigate #1 rolled back", "#1 SEV1 mitigated")
	types("bob", "/belfry status", "Nothing is wrong at this moment.")
	out := s.Type("bob", "ops", "/trouble new")
	if out.Form == nil {
		t.Fatalf("no form opened: %+v", out.Answer)
	}
	again := out.Form.Submit(map[string]string{"title": strings.Repeat("no mail ", 30), "severity": "SEV2"})
	if again == nil || !strings.Contains(again.Errors["title"], "at most 200 fit") {
		t.Fatalf("a long title: %+v", again)
	}
	if done := out.Form.Submit(map[string]string{"title": "no mail", "severity": "SEV2"}); done != nil {
		t.Fatalf("the right one: %+v", done)
	}
	s.Room("ops").WaitCard("#2 no mail").WaitShows("by bob")
}

// TestMessagesBecomeIncidentsInSlack: by a shortcut on any message, and by emoji
// in the incident's own channel.
func TestMessagesBecomeIncidentsInSlack(t *testing.T) {
	s := slacktest.Start(t)
	s.AddUser("alice")
	s.AddChannel("ops")
	s.AddChannel("war")
	a, err := app.Start(t.Context(), app.Options{Data: opentest.Dir(t), File: file(t, fmt.Sprintf(`
connections: [{name: team, kind: slack, url: %q, token: %q, signing_secret: %q}]
default: {channels: [team/ops]}
incidents: {announce: [team/ops]}
`, s.URL(), s.Token(), s.SigningSecret()))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, a) })
	s.CallAt("http://" + a.Address() + "/chat/team")
	ts := s.PostAs("alice", "ops", "nobody can pay &lt;@here&gt;", "")
	out := s.Room("ops").At(ts).Shortcut("alice", "belfry_declare")
	if out.Form == nil {
		t.Fatalf("no form opened: %+v", out)
	}
	if done := out.Form.Submit(map[string]string{"title": "no payments", "severity": "SEV1"}); done != nil {
		t.Fatalf("%+v", done)
	}
	s.Room("ops").WaitCard("#1 no payments").WaitShows("nobody can pay <@here>")
	s.Type("alice", "war", "/incident convert #1")
	said := s.PostAs("alice", "war", "the bank is down", "")
	s.Room("war").At(said).React("alice", "pushpin")
	s.WaitWhisper("alice", "This stands in the timeline of #1 now.")
	s.Room("war").At(said).React("alice", "wrench")
	s.WaitWhisper("alice", "This is follow-up 1 of #1 now.")
	if out := s.Type("alice", "war", "/incident timeline"); out.Answer == nil || !strings.Contains(out.Answer.Text, "the bank is down") {
		t.Errorf("%+v", out.Answer)
	}
}
