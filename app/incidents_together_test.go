// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"belfry/app"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/chat/slack/slacktest"
	"belfry/store/opentest"
)

// together is an incident that is announced on Mattermost and on Slack: alice
// types in the one, bob in the other.
type together struct {
	t *testing.T
	m *mattermosttest.Server
	s *slacktest.Server
}

func newTogether(t *testing.T) *together {
	t.Helper()
	w := &together{t: t, m: mattermosttest.Start(t), s: slacktest.Start(t)}
	w.m.AddChannel("ops")
	w.s.AddUser("bob")
	w.s.AddChannel("alerts")
	token := w.m.AddCommand("incident", "http://not.yet.example/")
	a, err := app.Start(t.Context(), app.Options{Data: opentest.Dir(t), File: file(t, fmt.Sprintf(`
connections:
  - {name: chat, kind: mattermost, url: %q, token: %q, team: %s, command_tokens: [%q]}
  - {name: team, kind: slack, url: %q, token: %q, signing_secret: %q}
default: {channels: [chat/ops]}
incidents: {announce: [chat/ops, team/alerts]}
`, w.m.URL(), w.m.Token(), mattermosttest.Team, token, w.s.URL(), w.s.Token(), w.s.SigningSecret()))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, a) })
	w.m.MoveCommand("incident", "http://"+a.Address()+"/chat/chat/command")
	w.s.CallAt("http://" + a.Address() + "/chat/team")
	return w
}

// alice types on Mattermost, and reads the answer.
func (w *together) alice(line string) string {
	seen := w.m.Type("alice", "ops", line)
	text := mattermosttest.Visible(seen.Whisper)
	for _, look := range seen.Reading.Looks {
		text += "\n" + mattermosttest.Visible(look)
	}
	return text + seen.Failed
}

// bob types on Slack, and reads the answer.
func (w *together) bob(line string) string {
	out := w.s.Type("bob", "alerts", line)
	if out.Answer == nil {
		return out.Failed
	}
	return out.Answer.Text + out.Failed
}

// TestTwoPeopleOnTwoPlatformsRunOneIncident: what one does the other sees, and
// where both do the same at the same moment, one does it and the other is told
// who did.
func TestTwoPeopleOnTwoPlatformsRunOneIncident(t *testing.T) {
	w := newTogether(t)
	if got := w.alice("/incident new SEV1 the shop is slow"); !strings.Contains(got, "#1 SEV1 started") {
		t.Fatalf("alice reads %q", got)
	}
	m, s := w.m.Room("ops").WaitCard("#1 the shop is slow"), w.s.Room("alerts").WaitCard("#1 the shop is slow")
	if got := w.bob("/incident assign #1 commander me"); !strings.Contains(got, "commander") {
		t.Fatalf("bob reads %q", got)
	}
	m.WaitText("commander: bob")
	s.WaitShows("commander: bob")

	const each = 10
	both := func(alice, bob func(n int)) {
		var done sync.WaitGroup
		done.Go(func() {
			for n := range each {
				alice(n)
			}
		})
		done.Go(func() {
			for n := range each {
				bob(n)
			}
		})
		done.Wait()
	}
	wants := func(who, got, want string) {
		if !strings.Contains(got, want) {
			t.Errorf("%s reads %q, without %q", who, got, want)
		}
	}
	both(func(n int) {
		wants("alice", w.alice(fmt.Sprintf("/incident task #1 look at a%02d", n)), fmt.Sprintf("a%02d", n))
	},
		func(n int) {
			wants("bob", w.bob(fmt.Sprintf("/incident task #1 look at b%02d", n)), fmt.Sprintf("b%02d", n))
		})
	list := w.alice("/incident tasks #1") + w.bob("/incident tasks #1")
	for n := range each {
		for _, who := range []string{"a", "b"} {
			if task := fmt.Sprintf("look at %s%02d", who, n); strings.Count(list, task) != 2 {
				t.Errorf("alice and bob read %q %d times in their lists:\n%s", task, strings.Count(list, task), list)
			}
		}
	}

	answers := make(chan string, 2)
	var done sync.WaitGroup
	done.Go(func() { answers <- w.alice("/incident mitigate #1 rolled back") })
	done.Go(func() { answers <- w.bob("/incident mitigate #1 new pool") })
	done.Wait()
	one, other := <-answers, <-answers
	if strings.Contains(one, "already") {
		one, other = other, one
	}
	wants("who was first", one, "#1 SEV1 mitigated")
	wants("who came second", other, "#1 is mitigated already, by ")
	wants("bob", w.bob("/incident resolve #1 new disk"), "#1 SEV1 resolved")
	m.WaitText("resolved").WaitNote("resolved it: new disk")
	s.WaitShows("resolved")
	s.WaitNote("new disk")
	for where, n := range map[string]int{"Mattermost": len(w.m.Room("ops").Cards()), "Slack": len(w.s.Room("alerts").Cards())} {
		if n != 1 {
			t.Errorf("%s has %d cards", where, n)
		}
	}
}
