// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"strings"
)

// Card is a post as people see it, as it is whenever it is asked.
type Card struct {
	s  *Server
	id string
}

// Outcome is what somebody sees after a click or a submit.
type Outcome struct {
	// Whisper is the ephemeral text as it is read, its markup resolved;
	// Reading says how it looks.
	Whisper string
	Reading Reading
	// Failed is the API's complaint, with status and error id. The web app of
	// 5.34 showed people nothing at all then.
	Failed string
	// Dialog was opened, or stayed open.
	Dialog *Dialog
	// Error and Errors (by field name) are shown in the dialog.
	Error  string
	Errors map[string]string
}

// ID is the post's id.
func (c *Card) ID() string { return c.id }

// Post returns a copy of the post as stored.
func (c *Card) Post() Post {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return *c.s.posts[c.id]
}

// Reading returns what is read on the card, and how it looks.
func (c *Card) Reading() Reading {
	p := c.Post()
	return readPost(p.Message, attachmentsOf(p.Props))
}

// Text is all that is read on the card.
func (c *Card) Text() string { return c.Reading().Text }

// Shows says whether text can be read on the card.
func (c *Card) Shows(text string) bool {
	return strings.Contains(Visible(c.Text()), Visible(text))
}

// Color is the colour of the bar at the side.
func (c *Card) Color() string {
	for _, a := range attachmentsOf(c.Post().Props) {
		return a.Color
	}
	return ""
}

// Fallback is what notifications show.
func (c *Card) Fallback() string {
	for _, a := range attachmentsOf(c.Post().Props) {
		return a.Fallback
	}
	return ""
}

func (c *Card) actions() []action {
	var out []action
	for _, a := range attachmentsOf(c.Post().Props) {
		out = append(out, a.Actions...)
	}
	return out
}

// Buttons returns the labels of the buttons.
func (c *Card) Buttons() []string {
	var out []string
	for _, a := range c.actions() {
		out = append(out, a.Name)
	}
	return out
}

// Thread returns the notes below the card, oldest first.
func (c *Card) Thread() []*Card {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	var out []*Card
	for _, p := range c.s.channels[c.s.posts[c.id].ChannelID].posts {
		if p.RootID == c.id && p.DeleteAt == 0 {
			out = append(out, &Card{s: c.s, id: p.ID})
		}
	}
	return out
}

// Rings returns whom the card rang when it was posted.
func (c *Card) Rings() []string {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.s.ringing(c.s.posts[c.id])
}

// Click clicks a button as alice and returns what she sees.
func (c *Card) Click(label string) Outcome { return c.ClickAs("alice", label) }

// ClickAs clicks a button as somebody. People whose account was ended may
// click too: their screen, or a session that was cached, is still there.
func (c *Card) ClickAs(person, label string) Outcome {
	for _, a := range c.actions() {
		if a.Name == label {
			return c.PressAs(person, a.ID)
		}
	}
	c.s.fatalf("the card has no button %q, only %q:\n%s", label, c.Buttons(), c.Text())
	return Outcome{}
}

// PressAs sends the click that a screen would which still shows the button
// with this action id.
func (c *Card) PressAs(person, actionID string) Outcome {
	c.s.mu.Lock()
	user := *c.s.user(person)
	before := c.s.dialogs[user.ID]
	c.s.mu.Unlock()
	res := c.s.press(user, c.id, actionID)
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	out := Outcome{Failed: res.err.text(), Reading: Read(res.whisper)}
	out.Whisper = out.Reading.Text
	if opened := c.s.dialogs[user.ID]; opened != before {
		out.Dialog = opened
	}
	return out
}

// WaitText waits until the card shows text.
func (c *Card) WaitText(text string) *Card {
	c.room().wait("the card to show "+text, func() bool { return c.Shows(text) })
	return c
}

// WaitNote waits until a note in the thread shows text and returns it.
func (c *Card) WaitNote(text string) *Card {
	var found *Card
	c.room().wait("a note that shows "+text, func() bool {
		for _, n := range c.Thread() {
			if n.Shows(text) {
				found = n
				return true
			}
		}
		return false
	})
	return found
}

// WaitButtons waits until the card has exactly these buttons.
func (c *Card) WaitButtons(labels ...string) *Card {
	c.room().wait("the buttons "+strings.Join(labels, ", "), func() bool {
		return strings.Join(c.Buttons(), "\n") == strings.Join(labels, "\n")
	})
	return c
}

func (c *Card) room() *Room { return &Room{s: c.s, name: c.Post().ChannelID} }

// WaitDialog waits for a dialog on the person's screen and returns it.
func (s *Server) WaitDialog(person string) *Dialog {
	id := s.User(person).ID
	var d *Dialog
	(&Room{s: s, name: s.anyChannel()}).wait("a dialog for "+person, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		d = s.dialogs[id]
		return d != nil
	})
	return d
}

func (s *Server) anyChannel() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.channels {
		return id
	}
	s.fatalf("there is no channel")
	return ""
}
