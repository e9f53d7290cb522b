// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"slices"
	"strings"
	"time"
)

// patience is how long the Wait methods wait before they fail the test.
const patience = 15 * time.Second

// Room is a channel as people see it.
type Room struct {
	s    *Server
	name string
}

// Room returns the channel with this handle or id. The test fails when there is none.
func (s *Server) Room(name string) *Room {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &Room{s: s, name: s.channelNamed(name).ID}
}

// Cards returns the messages in the channel, oldest first, without the notes
// in threads.
func (r *Room) Cards() []*Card {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var out []*Card
	for _, p := range r.s.channelNamed(r.name).posts {
		if p.DeleteAt == 0 && p.RootID == "" {
			out = append(out, &Card{s: r.s, id: p.ID})
		}
	}
	return out
}

// matching returns the cards in which text can be read.
func (r *Room) matching(text string) []*Card {
	return slices.DeleteFunc(r.Cards(), func(c *Card) bool { return !strings.Contains(Visible(c.Text()), Visible(text)) })
}

// Card returns the one card in which text can be read; the test fails when
// there are none or several.
func (r *Room) Card(text string) *Card {
	found := r.matching(text)
	if len(found) != 1 {
		r.s.fatalf("%d cards show %q, not one; the channel shows:\n%s", len(found), text, r.all())
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

// Rings returns whom the posts in the channel rang, one entry per post and
// person or group, in order; notes and deleted posts included.
func (r *Room) Rings() []string {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var out []string
	for _, p := range r.s.channelNamed(r.name).posts {
		out = append(out, r.s.ringing(p)...)
	}
	return out
}

func (r *Room) all() string {
	var b strings.Builder
	for i, c := range r.Cards() {
		if i > 0 {
			b.WriteString("\n---\n")
		}
		b.WriteString(c.Text())
	}
	return b.String()
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
	text = strings.NewReplacer("\u200b", "", "\u2060", "", "\ufeff", "", "\u200a", " ").Replace(text)
	return strings.Join(strings.Fields(text), " ")
}
