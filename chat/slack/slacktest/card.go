// SPDX-License-Identifier: Apache-2.0

package slacktest

import (
	"slices"
	"strings"
)

// Card is a message as people see it, as it is whenever it is asked.
type Card struct {
	s           *Server
	channel, ts string
}

// ID is the message's ts.
func (c *Card) ID() string { return c.ts }

// Message returns a copy of the message as stored. Deleted ones are stored, too.
func (c *Card) Message() (out Message) {
	c.s.in(c.channel, func(ch *Channel) {
		for _, m := range ch.messages {
			if m.TS == c.ts {
				out = *m
			}
		}
	})
	return out
}

// Reading returns what is read on the card, and how it looks.
func (c *Card) Reading() Reading {
	m := c.Message()
	return m.read()
}

// Text is all that is read on the card.
func (c *Card) Text() string { return c.Reading().Text }

// Shows says whether text can be read on the card.
func (c *Card) Shows(text string) bool { return strings.Contains(Visible(c.Text()), Visible(text)) }

// Notification is what a phone shows of it, its markup resolved.
func (c *Card) Notification() string { return ReadText(c.Message().Text).Text }

// Color is the colour of the bar at the side.
func (c *Card) Color() string {
	for _, a := range c.Message().Attachments {
		if att, ok := a.(map[string]any); ok {
			color, _ := att["color"].(string)
			return color
		}
	}
	return ""
}

// Buttons returns the labels of the buttons.
func (c *Card) Buttons() []string {
	m := c.Message()
	return m.Buttons()
}

// Thread returns the notes below the card, oldest first.
func (c *Card) Thread() []*Card {
	var out []*Card
	c.s.in(c.channel, func(ch *Channel) {
		for _, m := range ch.messages {
			if m.ThreadTS == c.ts && !m.Deleted {
				out = append(out, &Card{s: c.s, channel: ch.ID, ts: m.TS})
			}
		}
	})
	return out
}

// Rings returns whom the card rang when it was posted.
func (c *Card) Rings() []string { return c.Message().rings }

// WaitShows waits until text can be read on the card.
func (c *Card) WaitShows(text string) {
	(&Room{c.s, c.channel}).wait("the card to show "+text, func() bool { return c.Shows(text) })
}

// WaitNote waits until a note below the card shows text, and returns it.
func (c *Card) WaitNote(text string) *Card {
	var found *Card
	(&Room{c.s, c.channel}).wait("a note that shows "+text, func() bool {
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

// WaitButtons waits until the card has exactly the buttons with these labels.
func (c *Card) WaitButtons(labels ...string) *Card {
	(&Room{c.s, c.channel}).wait("the buttons "+strings.Join(labels, ", "), func() bool { return slices.Equal(c.Buttons(), labels) })
	return c
}
