// SPDX-License-Identifier: Apache-2.0

package slacktest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

func contains(text, part string) bool { return strings.Contains(Visible(text), Visible(part)) }

// Outcome is what somebody sees at once of what they did; whispers may come
// later, see Whispers.
type Outcome struct {
	// Failed is Slack's own complaint, shown as a warning sign.
	Failed string
	// Form is the form that is open then; nil: none.
	Form *Form
	// Answer is what a slash command answered at once.
	Answer *Whisper
}

// troubled is what people see when the app did not answer as it should.
func troubled(a Answered) string {
	if a.ok() {
		return ""
	}
	return fmt.Sprintf("We had some trouble connecting. Try again? (%d %.200s)", a.Status, a.Body)
}

// person is how a payload names somebody.
func (s *Server) person(user string) map[string]any {
	out := map[string]any{"id": user, "team_id": TeamID}
	if u := s.users[user]; u != nil {
		if u.Stranger {
			out["team_id"] = OtherTeamID
		}
		out["name"], out["username"] = u.Name, u.Name
	}
	return out
}

// base are the fields that every interaction has. s.mu must be held.
func (s *Server) base(kind, user string) map[string]any {
	return map[string]any{"type": kind, "user": s.person(user), "team": map[string]any{"id": TeamID, "domain": Domain}, "api_app_id": AppID,
		"token": "legacy-verification-token", "is_enterprise_install": false, "enterprise": nil}
}

// ClickAs presses the button with this label as somebody, on the screen that
// shows the card as it is now. The test fails when there is no such button.
func (c *Card) ClickAs(person, label string) Outcome {
	return c.ClickID(c.s.UserID(person), label)
}

// ClickID is ClickAs by a user's id, for whoever is not there any more.
func (c *Card) ClickID(user, label string) Outcome {
	m := c.Message()
	button, legacy := m.button(label)
	if button == nil {
		c.s.fatalf("there is no button %q on the card:\n%s", label, c.Text())
		return Outcome{}
	}
	c.s.mu.Lock()
	payload := c.s.press(user, &m, button, legacy)
	c.s.mu.Unlock()
	return c.s.outcome(user, c.s.deliver("interactive", payload, false))
}

// press is the payload of a press. s.mu must be held.
func (s *Server) press(user string, m *Message, button map[string]any, legacy string) map[string]any {
	kind := "block_actions"
	if legacy != "" {
		kind = "interactive_message"
	}
	p := s.base(kind, user)
	p["trigger_id"], p["response_url"] = s.newTrigger(user, m.Channel)
	p["channel"] = map[string]any{"id": m.Channel, "name": s.channels[m.Channel].Name}
	if legacy != "" {
		p["callback_id"], p["message_ts"], p["attachment_id"], p["action_ts"] = legacy, m.TS, "1", s.stamp()
		p["original_message"] = s.show(m, false)
		p["actions"] = []any{map[string]any{"name": button["name"], "type": button["type"], "value": button["value"]}}
		return p
	}
	p["container"] = map[string]any{"type": "message_attachment", "message_ts": m.TS, "attachment_id": 1, "channel_id": m.Channel,
		"is_ephemeral": false, "is_app_unfurl": false}
	p["message"], p["state"] = s.show(m, false), map[string]any{"values": map[string]any{}}
	p["actions"] = []any{map[string]any{"type": "button", "action_id": button["action_id"], "block_id": "b1", "value": button["value"],
		"text": button["text"], "action_ts": s.stamp()}}
	return p
}

// outcome is what somebody sees after something was delivered.
func (s *Server) outcome(user string, a Answered) Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Outcome{Failed: troubled(a), Form: s.inbox.views[user]}
	return out
}

// button finds a button by its label; legacy is the callback_id of an
// attachment's button of the older kind.
func (m *Message) button(label string) (button map[string]any, legacy string) {
	find := func(blocks []any) {
		for _, b := range blocks {
			block, _ := b.(map[string]any)
			elements, _ := block["elements"].([]any)
			for _, e := range elements {
				el, _ := e.(map[string]any)
				text, _ := el["text"].(map[string]any)
				if el["type"] == "button" && text["text"] == label {
					button = el
				}
			}
		}
	}
	find(m.Blocks)
	for _, a := range m.Attachments {
		att, _ := a.(map[string]any)
		blocks, _ := att["blocks"].([]any)
		find(blocks)
		actions, _ := att["actions"].([]any)
		for _, x := range actions {
			if el, _ := x.(map[string]any); el["text"] == label {
				button = el
				legacy, _ = att["callback_id"].(string)
			}
		}
	}
	return button, legacy
}

// Shortcut uses a message shortcut on the card as somebody.
func (c *Card) Shortcut(person, callback string) Outcome {
	user, m := c.s.UserID(person), c.Message()
	c.s.mu.Lock()
	p := c.s.base("message_action", user)
	p["trigger_id"], p["response_url"] = c.s.newTrigger(user, m.Channel)
	p["callback_id"], p["message_ts"], p["action_ts"] = callback, m.TS, c.s.stamp()
	p["channel"] = map[string]any{"id": m.Channel, "name": c.s.channels[m.Channel].Name}
	p["message"] = c.s.show(&m, false)
	c.s.mu.Unlock()
	return c.s.outcome(user, c.s.deliver("interactive", p, false))
}

// AddStranger makes somebody of another workspace, who is in no channel yet.
func (s *Server) AddStranger(name string) *User {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.addUser(name)
	u.Stranger = true
	return u
}

// At returns the card at ts, whether or not it still stands there.
func (r *Room) At(ts string) *Card { return &Card{s: r.s, channel: r.id, ts: ts} }

// PostForeign puts up a message with attachments as another program's
// webhook does, and returns its card. attachments is JSON.
func (s *Server) PostForeign(channel, attachments string) *Card {
	var card *Card
	s.in(channel, func(c *Channel) {
		m := &Message{BotID: "B0FOREIGN01", User: "", Hooked: true}
		if err := json.Unmarshal([]byte(attachments), &m.Attachments); err != nil {
			s.fatalf("no attachments: %v", err)
			return
		}
		s.keep(c, m)
		card = &Card{s: s, channel: c.ID, ts: m.TS}
	})
	return card
}

// Type types a slash command into a channel as somebody.
func (s *Server) Type(person, channel, line string) Outcome {
	user, c := s.UserID(person), s.Look(channel)
	word, text, _ := strings.Cut(line, " ")
	s.mu.Lock()
	trigger, response := s.newTrigger(user, c.ID)
	name := ""
	if u := s.users[user]; u != nil {
		name = u.Name
	}
	text = s.escaped(text)
	s.mu.Unlock()
	a := s.deliver("slash_commands", map[string]any{"token": "legacy-verification-token", "team_id": TeamID, "team_domain": Domain, "channel_id": c.ID,
		"channel_name": c.Name, "user_id": user, "user_name": name, "command": word, "text": text, "api_app_id": AppID,
		"is_enterprise_install": "false", "response_url": response, "trigger_id": trigger}, true)
	out := s.outcome(user, a)
	if !a.ok() {
		out.Failed = fmt.Sprintf("%s failed with the error \"dispatch_failed\" (%d %.200s)", word, a.Status, a.Body)
		return out
	}
	if len(a.Body) == 0 {
		return out
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w, kind, code := s.readShown(a.Body)
	if code != "" || kind != "ephemeral" {
		out.Failed = fmt.Sprintf("%s failed: %s %s", word, kind, code)
		return out
	}
	w.By, w.Channel, w.user = "answer", c.ID, user
	out.Answer = &w
	return out
}

// typedMention is a person or channel as it is typed.
var typedMention = regexp.MustCompile(`(^|\s)([@#])([a-zA-Z0-9._-]+)`)

// escaped is a text as Slack delivers it for a command with should_escape: who
// and what is known by its name comes as <@U…|name> and <#C…|name>. s.mu must
// be held.
func (s *Server) escaped(text string) string {
	text = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
	return typedMention.ReplaceAllStringFunc(text, func(found string) string {
		m := typedMention.FindStringSubmatch(found)
		if u := s.userNamed(m[3]); m[2] == "@" && u != nil {
			return m[1] + "<@" + u.ID + "|" + u.Name + ">"
		}
		if c := s.channelNamed(m[3]); m[2] == "#" && c != nil {
			return m[1] + "<#" + c.ID + "|" + c.Name + ">"
		}
		return found
	})
}
