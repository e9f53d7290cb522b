// SPDX-License-Identifier: Apache-2.0

package slacktest

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// envelope wraps an event as the Events API does. s.mu must be held.
func (s *Server) envelope(event map[string]any) map[string]any {
	s.inbox.serial++
	event["event_ts"] = s.stamp()
	return map[string]any{"token": "legacy-verification-token", "team_id": TeamID, "api_app_id": AppID, "event": event, "type": "event_callback",
		"event_id": fmt.Sprintf("Ev%09dx", s.inbox.serial), "event_time": s.clock.Now().Unix(),
		"authorizations": []any{map[string]any{"enterprise_id": nil, "team_id": TeamID, "user_id": BotUser, "is_bot": true}}}
}

// Happen brings an event to the app as often as Slack would: again, up to three
// times, when it was not answered with 200. It returns the last answer.
func (s *Server) Happen(event map[string]any) (payload map[string]any, a Answered) {
	s.mu.Lock()
	payload = s.envelope(event)
	s.mu.Unlock()
	for n := range 4 {
		if a = s.attempt(payload, n); a.ok() {
			return payload, a
		}
	}
	s.mu.Lock()
	s.inbox.missed = append(s.inbox.missed, payload)
	s.mu.Unlock()
	return payload, a
}

// attempt is the nth repetition of an event, the first of which is none.
func (s *Server) attempt(payload map[string]any, n int) Answered {
	s.mu.Lock()
	base := s.inbox.request
	s.mu.Unlock()
	switch {
	case base == "":
		return s.overSocket("events_api", payload, false, n)
	case n == 0:
		return s.deliver("events_api", payload, false)
	}
	raw, err := json.Marshal(payload)
	if err != nil {
		s.fatalf("no payload: %v", err)
	}
	req := s.Signed(PathEvents, "application/json", raw)
	req.Header.Set("X-Slack-Retry-Num", strconv.Itoa(n))
	req.Header.Set("X-Slack-Retry-Reason", "http_error")
	return s.Post(req)
}

// Again brings an event once more, as Slack does where it did not see the answer.
func (s *Server) Again(payload map[string]any) Answered {
	return s.deliver("events_api", payload, false)
}

// React puts an emoji on the card as somebody, Unreact takes it away.
func (c *Card) React(person, emoji string) map[string]any {
	return c.reaction("reaction_added", person, emoji)
}

// Unreact is described at React.
func (c *Card) Unreact(person, emoji string) map[string]any {
	return c.reaction("reaction_removed", person, emoji)
}

func (c *Card) reaction(kind, person, emoji string) map[string]any {
	m := c.Message()
	payload, _ := c.s.Happen(map[string]any{"type": kind, "user": c.s.UserID(person), "reaction": emoji, "item_user": m.User,
		"item": map[string]any{"type": "message", "channel": m.Channel, "ts": m.TS}})
	return payload
}

// Say writes a message into a channel as somebody, thread may be empty. The
// app is told as of a message; where it begins with its name, as of a mention
// too.
func (s *Server) Say(person, channel, text, thread string) (payloads []map[string]any) {
	ts, c := s.PostAs(person, channel, text, thread), s.Look(channel)
	event := func(kind string) map[string]any {
		e := map[string]any{"type": kind, "user": s.UserID(person), "text": text, "channel": c.ID, "ts": ts, "channel_type": "channel", "team": TeamID}
		if thread != "" {
			e["thread_ts"] = thread
		}
		return e
	}
	if contains(text, "<@"+BotUser+">") {
		p, _ := s.Happen(event("app_mention"))
		payloads = append(payloads, p)
	}
	p, _ := s.Happen(event("message"))
	return append(payloads, p)
}

// PostJoined has Slack say that somebody joined a channel, which they did not
// write, and returns the ts.
func (s *Server) PostJoined(person, channel string) (ts string) {
	ts = s.PostAs(person, channel, "<@"+s.UserID(person)+"> has joined the channel", "")
	s.in(channel, func(c *Channel) { c.messages[len(c.messages)-1].Subtype = "channel_join" })
	return ts
}

// PostByApp has another app write in a person's name, and returns the ts.
func (s *Server) PostByApp(person, channel, text string) (ts string) {
	ts = s.PostAs(person, channel, text, "")
	s.in(channel, func(c *Channel) {
		m := c.messages[len(c.messages)-1]
		m.BotID, m.Username = "B0OTHERAPP", "Builds"
	})
	return ts
}

// Challenge is what Slack does when the Request URL for events is saved: it
// wants the challenge back. It returns what came.
func (s *Server) Challenge(challenge string) Answered {
	raw, err := json.Marshal(map[string]any{"token": "legacy-verification-token", "challenge": challenge, "type": "url_verification"})
	if err != nil {
		s.fatalf("no challenge: %v", err)
	}
	return s.Post(s.Signed(PathEvents, "application/json", raw))
}
