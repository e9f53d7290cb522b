// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"bytes"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"belfry/app"
	"belfry/chat/mattermost/mattermosttest"
	"belfry/store/opentest"
)

// unreachable is a Belfry that its Mattermost can't reach.
func unreachable(t *testing.T) (*street, func()) {
	t.Helper()
	s := &street{t: t, m: mattermosttest.Start(t)}
	s.m.AddChannel("ops")
	text := "connections: [{name: chat, kind: mattermost, url: \"" + s.m.URL() + "\", token: \"" + s.m.Token() + "\", team: " + mattermosttest.Team +
		", websocket: true, callback_url: \"http://127.0.0.1:1\"}]\ndefault: {channels: [chat/ops]}\n"
	var err error
	if s.a, err = app.Start(t.Context(), app.Options{File: file(t, text), Data: opentest.Dir(t)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s.a) })
	if err := s.a.Report("nagios")(t.Context(), problem("web01")); err != nil {
		t.Fatal(err)
	}
	s.card = s.m.Room("ops").WaitCard("web01 is gone").WaitText("reply “!ack 1” or react ✅").WaitButtons()
	s.listens()
	return s, func() {
		if err := s.a.Reload(file(t, text)); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *street) listens() {
	s.t.Helper()
	for end := time.Now().Add(15 * time.Second); s.m.Listening() != 1; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("%d websockets are open", s.m.Listening())
		}
	}
}

func TestWhereMattermostCanNotReachUsPeopleReactAndType(t *testing.T) {
	s, reload := unreachable(t)
	s.card.ReactAs("alice", "white_check_mark")
	s.card.WaitText("acknowledged by alice").WaitText("reply “!unack 1” or react ❌")
	s.m.Say("bob", "ops", s.card.ID(), "!unack 1")
	s.card.WaitText("reply “!ack 1”")
	// A reload reads the same things once more.
	reload()
	s.listens()
	s.m.Say("bob", "ops", s.card.ID(), "!ack 1 looking *into* it")
	s.card.WaitText("acknowledged by bob").WaitText("looking *into* it")
	wishes := 0
	for _, note := range s.card.Thread() {
		if strings.Contains(note.Text(), "alice acknowledged") {
			wishes++
		}
	}
	if wishes != 1 {
		t.Errorf("alice acknowledged %d times", wishes)
	}
}

// TestMessagesOfAnIncidentsChannelAreKept: by an emoji, once, also across a
// reload, and with what became of the attached alert in one timeline.
func TestMessagesOfAnIncidentsChannelAreKept(t *testing.T) {
	s, reload := unreachable(t)
	war := s.m.AddChannel("war")
	below := func(post, text string) {
		t.Helper()
		for end := time.Now().Add(15 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			for _, p := range s.m.Posts("war") {
				if p.RootID == post && strings.Contains(mattermosttest.Visible(mattermosttest.Read(p.Message+string(p.Props)).Text), text) {
					return
				}
			}
			if time.Now().After(end) {
				t.Fatalf("nothing like %q was said below %q", text, post)
			}
		}
	}
	for _, c := range [][2]string{
		{"!incident new the shop is slow", "the shop is slow"},
		{"!incident convert #1", "made the channel"},
		{"!incident attach 1", "attached alert #1"},
	} {
		below(s.m.Say("alice", "war", "", c[0]), c[1])
	}
	post := s.m.Say("bob", "war", "", "the disk of web01 is full")
	s.m.React("alice", post, "pushpin")
	below(post, "This stands in the timeline of #1 now.")
	reload()
	s.listens()
	s.m.React("bob", post, "pushpin")
	s.m.React("bob", post, "star")
	below(post, "This is task 1 of #1 now.")
	s.card.ReactAs("alice", "white_check_mark")
	s.card.WaitText("acknowledged by alice")
	asked := s.m.Say("alice", "war", "", "!incident timeline")
	below(asked, "the disk of web01 is full (kept by alice)")
	below(asked, "acknowledged alert #1, web01")
	said := 0
	for _, p := range s.m.Posts("war") {
		if p.RootID == post {
			said++
		}
	}
	if said != 2 || war.ID == "" {
		t.Errorf("%d answers stand below the message, not one for each mark", said)
	}
}

// journal is a log that is read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// TestALogLineNamesItsConnectionOnce: it did twice, where the platform said
// what its log says already.
func TestALogLineNamesItsConnectionOnce(t *testing.T) {
	m := mattermosttest.Start(t)
	m.AddChannel("ops")
	log := &journal{}
	a, err := app.Start(t.Context(), app.Options{Data: opentest.Dir(t), Log: slog.New(slog.NewTextHandler(log, nil)),
		File: file(t, "connections: [{name: chat, kind: mattermost, url: \""+m.URL()+"\", token: \""+m.Token()+"\", team: "+mattermosttest.Team+", websocket: true, callback_url: \"http://127.0.0.1:1\"}]\ndefault: {channels: [chat/ops]}\n")})
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, a)
	(&street{t: t, m: m, a: a}).listens()
	m.CutSockets()
	for end := time.Now().Add(15 * time.Second); !strings.Contains(log.String(), "the websocket is lost"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the loss of the websocket is not logged:\n%s", log)
		}
	}
	key := regexp.MustCompile(` ([a-z_]+)=`)
	for line := range strings.Lines(log.String()) {
		seen := map[string]bool{}
		for _, found := range key.FindAllStringSubmatch(line, -1) {
			if seen[found[1]] {
				t.Errorf("says %s twice: %s", found[1], line)
			}
			seen[found[1]] = true
		}
	}
}
