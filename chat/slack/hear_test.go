// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"belfry/chat"
	"belfry/chat/slack"
	"belfry/chat/slack/slacktest"
)

// radio is an office that answers to the word "fridge".
type radio struct {
	*office
	reply *chat.Reply
}

func (r *radio) Hears(_, text string) bool { return strings.HasPrefix(strings.ToLower(text), "fridge") }

func (r *radio) Hear(_ context.Context, h chat.Heard) *chat.Reply {
	text := h.Actor.Name + " in " + h.ChannelName + ": " + h.Text
	if h.Thread != nil {
		text += " below " + h.Thread.Post
	}
	r.note(text)
	return r.reply
}

// studio is a desk whose office is a radio.
type studio struct {
	*desk
	radio *radio
}

func openStudio(t *testing.T, overSocket bool, change ...func(*slack.Config)) *studio {
	t.Helper()
	s := &studio{desk: &desk{connection: connect(t, change...), office: &office{open: map[chat.Ref]bool{}}}}
	s.radio = &radio{s.office, &chat.Reply{Comment: true, Body: []chat.Part{{Markup: "it has **"}, {Text: "4.5 *°C* <!channel>"}, {Markup: "**"}}}}
	if overSocket {
		s.listen(t, s.radio)
	} else {
		s.callAt(t, s.radio)
	}
	s.card = s.postCard(t, "Disk /var on web01")
	return s
}

// said is what stands in the channel beside the card, and below what was asked.
func (s *studio) said() (alone, below int) {
	s.Idle()
	for _, c := range s.fake.Room("ops").Cards() {
		if c.Message().BotID != "" && c.ID() != s.card.ID() {
			alone++
		}
		for _, n := range c.Thread() {
			if n.Message().BotID != "" {
				below++
			}
		}
	}
	return alone, below
}

func (s *studio) expectSaid(t *testing.T, alone, below int) {
	t.Helper()
	if a, b := s.said(); a != alone || b != below {
		t.Errorf("%d messages and %d comments were said, want %d and %d", a, b, alone, below)
	}
}

func TestWordsAreAnsweredForAll(t *testing.T) {
	bothWays(t, func(t *testing.T, overSocket bool) {
		s := openStudio(t, overSocket)
		s.fake.Say("alice", "ops", "Fridge top &amp; <http://web01.example.org|web01.example.org>", "")
		s.Idle()
		note := s.fake.Room("ops").Card("Fridge top").Thread()
		if len(note) != 1 || !note[0].Shows("it has 4.5 *°C* <!channel>") || len(note[0].Rings()) != 0 {
			t.Fatalf("%+v", note)
		}
		if looks := note[0].Reading().Looks; len(looks) != 1 || looks[0] != "bold: 4.5 *°C* <!channel>" {
			t.Errorf("it looks %q", looks)
		}
		if phone := slacktest.Visible(note[0].Notification()); phone != "it has 4.5 *°C* <!channel>" {
			t.Errorf("a phone says %q", phone)
		}
		s.fake.Say("bob", "ops", "fridge", s.card.ID())
		s.Idle()
		if got := s.card.Thread(); len(got) != 2 || !got[1].Shows("it has") {
			t.Errorf("%d in the thread", len(got))
		}
		s.radio.reply.Comment = false
		s.fake.Say("bob", "ops", "fridge", s.card.ID())
		s.expectSaid(t, 1, 2)
		s.expect(t, "alice in ops: Fridge top & web01.example.org", "bob in ops: fridge below "+s.card.ID(), "bob in ops: fridge below "+s.card.ID())
	})
}

func TestAWordIsAnsweredOnce(t *testing.T) {
	bothWays(t, func(t *testing.T, overSocket bool) {
		s := openStudio(t, overSocket, func(c *slack.Config) { c.Word = "fridge!" })
		payload := s.fake.Say("alice", "ops", "fridge", "")[0]
		for range 3 {
			s.clock.Advance(time.Second)
			s.fake.Again(payload)
		}
		if overSocket {
			s.fake.Twice("events_api", payload)
		}
		// The same message under another event's id, as a second subscription has it.
		payload["event_id"] = "Ev0SECOND"
		s.clock.Advance(time.Second)
		s.fake.Again(payload)
		s.Idle() // events are worked on side by side
		// What begins with the command word is a command, and nothing else.
		s.fake.Say("alice", "ops", "fridge!ack", "")
		s.expectSaid(t, 0, 1)
		s.expect(t, "alice in ops: fridge", "alice: ack")
	})
}

func TestOnlyWhatPeopleTypeIsHeard(t *testing.T) {
	bothWays(t, func(t *testing.T, overSocket bool) {
		s := openStudio(t, overSocket)
		channel := s.fake.Look("ops").ID
		event := func(change map[string]any) {
			e := map[string]any{"type": "message", "user": s.fake.UserID("alice"), "text": "fridge", "channel": channel,
				"ts": s.fake.PostAs("alice", "ops", "fridge", ""), "channel_type": "channel", "team": slacktest.TeamID}
			for k, v := range change {
				e[k] = v
			}
			s.fake.Happen(e)
			s.Idle()
		}
		event(map[string]any{"user": s.fake.UserID(slacktest.Bot), "bot_id": slacktest.BotID, "app_id": slacktest.AppID}) // our own
		event(map[string]any{"user": s.fake.UserID(slacktest.Bot)})
		event(map[string]any{"bot_id": "B0OTHERAPP1"})
		event(map[string]any{"app_id": "A0OTHERAPP1"}) // in alice's name
		event(map[string]any{"subtype": "bot_message", "bot_id": "B0OTHERAPP1"})
		event(map[string]any{"subtype": "message_changed", "message": map[string]any{"text": "fridge", "user": s.fake.UserID("alice")}})
		event(map[string]any{"subtype": "message_deleted"})
		event(map[string]any{"subtype": "channel_join"})
		event(map[string]any{"edited": map[string]any{"user": s.fake.UserID("alice"), "ts": "1700000000.000100"}})
		event(map[string]any{"user": "USLACKBOT"})
		event(map[string]any{"ts": "1700000000.000100"}) // long ago
		event(map[string]any{"text": "the fridge"})
		s.expectSaid(t, 0, 0)
		s.expect(t)
		event(nil)
		s.expectSaid(t, 0, 1)
	})
}

func TestAnAnswersOwnNameIsShownWhereTheAppMayChooseOne(t *testing.T) {
	s := openStudio(t, false)
	s.radio.reply.Username, s.radio.reply.IconURL = "The fridge", "https://fridge.example.org/icon.png"
	ask := func() slacktest.Message {
		s.fake.Say("alice", "ops", "fridge", "")
		s.Idle()
		cards := s.fake.Room("ops").Cards()
		notes := cards[len(cards)-1].Thread()
		if len(notes) != 1 {
			t.Fatalf("%d answers", len(notes))
		}
		return notes[0].Message()
	}
	if m := ask(); m.Username != "The fridge" || m.Icon != "https://fridge.example.org/icon.png" {
		t.Errorf("signed %q %q", m.Username, m.Icon)
	}
	s.fake.Ungrant("chat:write.customize") // since the token was looked at
	if m := ask(); m.Username != "" || m.Icon != "" {
		t.Errorf("signed %q %q", m.Username, m.Icon)
	}
}

func TestAnAnswerWaitsWhenSlackAsksTo(t *testing.T) {
	s := openStudio(t, false)
	s.fake.Say("alice", "ops", "fridge", "")
	s.expectSaid(t, 0, 1) // they and the channel are known now
	posts := len(s.fake.Calls("chat.postMessage"))
	s.fake.RateLimit(3 * time.Second)
	s.fake.Say("alice", "ops", "fridge", "")
	soon(t, "the first try", func() bool { return len(s.fake.Calls("chat.postMessage")) > posts })
	s.fake.Unlimited()
	soon(t, "the answer", func() bool {
		s.clock.Advance(time.Second)
		return len(s.fake.Room("ops").Cards()[2].Thread()) == 1
	})
	s.expectSaid(t, 0, 2)
}

func TestAnAnswerOfUnknownOutcomeIsNotRepeated(t *testing.T) {
	s := openStudio(t, false)
	s.fake.TimeoutAfterAccepting(1)
	s.fake.Say("alice", "ops", "fridge", "")
	s.expectSaid(t, 0, 1)
}

func TestWhenNobodyCanBeNamedThatIsSaidAndNotForEver(t *testing.T) {
	s := openStudio(t, false)
	s.fake.Ungrant("users:read")
	for range 30 {
		s.fake.Say("alice", "ops", "fridge", "")
		s.Idle()
	}
	if n := len(s.fake.Whispers("alice")); n != 10 {
		t.Errorf("told %d times", n)
	}
	s.expectSaid(t, 0, 0)
}
