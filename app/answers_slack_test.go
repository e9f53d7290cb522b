// SPDX-License-Identifier: Apache-2.0

package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"belfry/app"
	"belfry/chat/slack/slacktest"
	"belfry/clock"
	"belfry/store/opentest"
)

// pantry is a Slack whose people talk about a fridge, with a Belfry behind it.
type pantry struct {
	t     *testing.T
	s     *slacktest.Server
	a     *app.App
	clock *clock.Manual
	asked atomic.Int32
}

func newPantry(t *testing.T, overSocket bool) *pantry {
	t.Helper()
	p := &pantry{t: t, clock: clock.NewManual(time.Now().Truncate(time.Millisecond))}
	p.s = slacktest.Start(t, slacktest.Options{Clock: p.clock})
	p.s.AddChannel("ops")
	p.s.AddChannel("town")
	fridge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.asked.Add(1)
		jsonOf(`{"temp": 4.5, "note": "fridge | <!channel> *all* <https://evil.example|x>"}`)(w, r)
	}))
	t.Cleanup(fridge.Close)
	way := fmt.Sprintf("signing_secret: %q", p.s.SigningSecret())
	if overSocket {
		way = fmt.Sprintf("app_token: %q", p.s.AppToken())
	}
	answers := strings.ReplaceAll(answersYAML, "FRIDGE", fridge.URL) + "  - {name: here, kind: template, channels: [team/ops], template: \"only here\"}\n"
	text := fmt.Sprintf("connections: [{name: team, kind: slack, url: %q, token: %q, messages_per_second: 1000, messages_per_minute: 60000, %s}]\ndefault: {channels: [team/ops]}\n", p.s.URL(), p.s.Token(), way) + answers
	var err error
	if p.a, err = app.Start(t.Context(), app.Options{File: file(t, text), Data: opentest.Dir(t), Clock: p.clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, p.a) })
	if overSocket {
		p.s.WaitSockets(2)
	} else {
		p.s.CallAt("http://" + p.a.Address() + "/chat/team")
	}
	return p
}

// bothWays runs a test over HTTP and over Socket Mode.
func bothWays(t *testing.T, test func(t *testing.T, p *pantry)) {
	t.Run("HTTP", func(t *testing.T) { test(t, newPantry(t, false)) })
	t.Run("Socket", func(t *testing.T) { test(t, newPantry(t, true)) })
}

func TestInSlackTheSameWordsAreAnswered(t *testing.T) {
	bothWays(t, func(t *testing.T, p *pantry) {
		p.s.Say("alice", "ops", "fridge top", "")
		note := p.s.Room("ops").Card("fridge top").WaitNote("temperature 4.5 °C")
		if !note.Shows("Fridge top") || !note.Shows("fridge | <!channel> *all* <https://evil.example|x>") || len(note.Rings()) != 0 || len(note.Reading().Links) != 0 || note.Color() != "#3fa34d" {
			t.Errorf("%q in %s rings %q, leads to %q", note.Text(), note.Color(), note.Rings(), note.Reading().Links)
		}
		if m := note.Message(); m.Username != "The fridge" || m.Icon != "https://fridge.example.org/icon.png" {
			t.Errorf("signed %q %q", m.Username, m.Icon)
		}
		p.s.Say("alice", "ops", "Status", "")
		p.s.Room("ops").Card("Status").WaitNote("Nothing is wrong at this moment.")
		if err := p.a.Report("nagios")(t.Context(), problem("web|01 <!here>")); err != nil {
			t.Fatal(err)
		}
		card := p.s.Room("ops").WaitCard("web|01 <!here>")
		p.s.Say("bob", "ops", "kaputt", card.ID())
		last := p.s.Room("ops").WaitCard("1 broken, asks bob:")
		if !last.Shows("web|01 <!here> DOWN") || len(last.Rings()) != 0 {
			t.Errorf("%q rings %q", last.Text(), last.Rings())
		}
		p.s.Say("bob", "ops", "loud", card.ID())
		card.WaitNote("fridge says fridge")
		p.s.Say("alice", "town", "here please", "")
		p.s.Say("alice", "ops", "here please", "")
		p.s.Room("ops").Card("here please").WaitNote("only here")
		if n := len(p.s.Room("town").Card("here please").Thread()); n != 0 {
			t.Errorf("%d answers where there is none", n)
		}
	})
}

// TestInSlackTwoProgramsDoNotTalkThroughUs: the answer begins with a word that
// is answered, and somebody repeats it.
func TestInSlackTwoProgramsDoNotTalkThroughUs(t *testing.T) {
	bothWays(t, func(t *testing.T, p *pantry) {
		// Slack tells the app of its own answers, too, as of any message.
		told := func(user string, extra map[string]any) {
			event := map[string]any{"type": "message", "user": user, "text": "loud", "channel": p.s.Look("ops").ID, "ts": p.s.PostAs("bob", "ops", "loud", ""), "channel_type": "channel", "team": slacktest.TeamID}
			for k, v := range extra {
				event[k] = v
			}
			p.s.Happen(event)
		}
		told(slacktest.BotUser, map[string]any{"bot_id": slacktest.BotID, "app_id": slacktest.AppID})
		told(slacktest.BotUser, nil)
		told("U0OTHERBOT1", map[string]any{"bot_id": "B0OTHERAPP1"})
		told(p.s.UserID("bob"), map[string]any{"app_id": "A0OTHERAPP1"})
		told(p.s.UserID("bob"), map[string]any{"edited": map[string]any{"ts": "1700000000.000100"}})
		told(p.s.UserID("bob"), map[string]any{"subtype": "message_changed"})
		// A program with a person's account can't be told from them.
		for i := range 21 {
			text, want := fmt.Sprintf("loud %02d", i), "fridge says"
			p.s.Say("alice", "ops", text, "")
			if i == 8 {
				want = "two programs that answer each other"
			}
			if i <= 8 {
				p.s.Room("ops").Card(text).WaitNote(want)
			}
		}
		p.s.Say("bob", "ops", "loud for bob", "")
		p.s.Room("ops").Card("loud for bob").WaitNote("fridge says")
		if n := len(p.s.Calls("chat.postMessage")); n != 10 || p.asked.Load() != 9 {
			t.Errorf("%d answers, asked %d times", n, p.asked.Load())
		}
	})
}

func TestInSlackAMessageIsAnsweredOnce(t *testing.T) {
	p := newPantry(t, false)
	payload := p.s.Say("alice", "ops", "loud", "")[0]
	p.s.Room("ops").Card("loud").WaitNote("fridge says")
	for i := range 3 {
		p.clock.Advance(time.Second)
		payload["event_id"] = fmt.Sprintf("Ev0AGAIN%d", i)
		if a := p.s.Again(payload); a.Status != http.StatusOK {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	}
	if n := len(p.s.Calls("chat.postMessage")); n != 1 || p.asked.Load() != 1 {
		t.Errorf("%d answers, asked %d times", n, p.asked.Load())
	}
}
