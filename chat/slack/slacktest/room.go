// SPDX-License-Identifier: Apache-2.0

package slacktest

import (
	"slices"
	"strings"
	"time"
)

// patience is how long the Wait methods wait before they fail the test.
const patience = 15 * time.Second

// Room is a channel as people see it.
type Room struct {
	s  *Server
	id string
}

// Room returns the channel with this name or id. The test fails when there is none.
func (s *Server) Room(name string) *Room {
	return &Room{s: s, id: s.Look(name).ID}
}

// Cards returns the messages in the channel, oldest first, without the notes
// in threads.
func (r *Room) Cards() []*Card {
	var out []*Card
	r.s.in(r.id, func(c *Channel) {
		for _, m := range c.messages {
			if !m.Deleted && m.ThreadTS == "" {
				out = append(out, &Card{s: r.s, channel: c.ID, ts: m.TS})
			}
		}
	})
	return out
}

// matching returns the cards in which text can be read.
func (r *Room) matching(text string) []*Card {
	return slices.DeleteFunc(r.Cards(), func(c *Card) bool { return !c.Shows(text) })
}

// Card returns the one card in which text can be read; the test fails when
// there are none or several.
func (r *Room) Card(text string) *Card {
	found := r.matching(text)
	if len(found) != 1 {
		r.s.fatalf("%d cards show %q, not one; the channel shows:\n%s", len(found), text, r.all())
		return nil
	}
	return found[0]
}

// WaitCard waits until exactly one card shows text and returns it.
func (r *Room) WaitCard(text string) *Card {
	r.wait("one card that shows "+text, func() bool { return len(r.matching(text)) == 1 })
	return r.Card(text)
}

// WaitCards waits until n cards stand in the channel and returns them.
func (r *Room) WaitCards(n int) []*Card {
	r.wait("cards in number", func() bool { return len(r.Cards()) == n })
	return r.Cards()
}

// Rings returns whom the messages in the channel rang, one entry per message
// and person or group, in order.
func (r *Room) Rings() []string {
	var out []string
	r.s.in(r.id, func(c *Channel) {
		for _, m := range c.messages {
			out = append(out, m.rings...)
		}
	})
	return out
}

func (r *Room) all() string {
	var parts []string
	for _, c := range r.Cards() {
		parts = append(parts, c.Text())
	}
	return strings.Join(parts, "\n---\n")
}

// wait polls on the machine's clock until ok or until patience ends.
func (r *Room) wait(what string, ok func() bool) {
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			r.s.fatalf("waited %v for %s; the channel shows:\n%s", patience, what, r.all())
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// Visible is text as the eye takes it: without zero width characters, white
// space folded.
func Visible(text string) string {
	text = strings.NewReplacer("\u200b", "", "\u2060", "", "\ufeff", "").Replace(text)
	return strings.Join(strings.Fields(text), " ")
}
