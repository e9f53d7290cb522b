// SPDX-License-Identifier: Apache-2.0

package chattest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"belfry/chat"
	"belfry/fault"
	"belfry/seal"

	"github.com/google/go-cmp/cmp"
)

// checkOneWay: a card is posted whole, without buttons that lead nowhere, and
// stays as it is: one that was brought up to date in part would be no card.
func checkOneWay(r *room) {
	m := fullCard()
	ref, key := r.post(m)
	seen := r.only()
	r.reads(seen, m.Icon, m.State, m.Title, "since 10:04", "contact Ops on duty", "run book", "DISK CRITICAL - /var 98%", "1234")
	if !strings.EqualFold(seen.Color, m.Color) || len(seen.Buttons) != 0 {
		r.Errorf("colour %q, buttons %q", seen.Color, seen.Buttons)
	}
	if !slices.Contains(seen.Links, m.Link) || !slices.Contains(seen.Links, m.More) {
		r.Errorf("links %q", seen.Links)
	}
	r.update(ref, key, card("changed"))
	if diff := cmp.Diff(seen, r.only()); diff != "" {
		r.Errorf("a one-way platform edited: %s", diff)
	}
	if _, ok := r.Platform.(chat.Receiver); ok {
		r.Error("a one-way platform takes presses")
	}
}

// checkOneWayNote: what happens after is a message of its own that says what it
// is about, and rings nobody.
func checkOneWayNote(r *room) {
	ref, _ := r.post(card("Disk /var on web01"))
	note := chat.Message{Summary: "Disk /var on web01: alice acknowledged", Lines: []chat.Line{{{Text: "alice", Bold: true}, {Text: " acknowledged"}}}}
	if _, err := r.Platform.Post(r.context(), chat.Post{Channel: r.Channel, Thread: &ref, Key: seal.Random(), Message: note}); err != nil {
		r.Fatal(err)
	}
	seen := r.Room.Messages()
	if len(seen) != 2 || len(seen[0].Thread) != 0 || len(seen[1].Rings) != 0 {
		r.Fatalf("the channel shows %+v", seen)
	}
	r.reads(seen[1], "Disk /var on web01", "alice acknowledged")
}

// checkOneWayRepetition: nobody can say whether a message arrived; so it is
// repeated, and the repetition says what it may be.
func checkOneWayRepetition(r *room) {
	for _, c := range []struct {
		name   string
		breaks func()
		left   int
	}{{"LoseAnswer", r.Faults.LoseAnswer, 2}, {"FailAfter", r.Faults.FailAfter, 2}, {"FailBefore", r.Faults.FailBefore, 1}} {
		r.Run(c.name, func(t *testing.T) {
			s := *r
			s.T = t
			s.need(c.name, c.breaks != nil)
			p := s.order()
			c.breaks()
			_, err := s.Platform.Post(s.context(), p)
			s.decided(err, fault.Unknown)
			if _, ok := s.find(p.Key); ok {
				t.Error("it claims to know that the message arrived")
			}
			if _, err := s.Platform.Post(s.context(), p); err != nil {
				t.Fatal(err)
			}
			seen := s.Room.Messages()
			if len(seen) != c.left {
				t.Fatalf("%d messages stand in the channel, not %d", len(seen), c.left)
			}
			s.reads(seen[len(seen)-1], p.Message.Title, "repetition")
			for _, m := range seen {
				s.Room.Delete(m.Ref)
			}
		})
	}
}

// checkOneWayRefusals: faults are decided as those of any platform.
func checkOneWayRefusals(r *room) {
	r.post(card("before"))
	try := func(ctx context.Context, want ...fault.Decision) string {
		r.Helper()
		_, err := r.Platform.Post(ctx, r.order())
		return r.decided(err, want...)
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	try(gone, fault.Retry)
	if r.Faults.RateLimit != nil {
		lift := r.Faults.RateLimit()
		try(r.context(), fault.RetryAfter)
		lift()
	}
	if r.Faults.Down != nil {
		up := r.Faults.Down()
		try(r.context(), fault.Retry)
		up()
	}
	if n := len(r.Room.Messages()); n != 1 {
		r.Errorf("%d messages stand in the channel, not one", n)
	}
	r.post(card("after"))
	if r.Faults.Revoke != nil {
		r.Faults.Revoke()
		if text := try(r.context(), fault.Retry, fault.Permanent); !strings.Contains(text, r.Connection) {
			r.Errorf("the error doesn't name the connection: %s", text)
		}
	}
	if r.Faults.Slow != nil {
		r.Faults.Slow(patience)
		soon, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		try(soon, fault.Unknown)
	}
}

// checkOneWayHostile: hostile text is as harmless in cards, tables and notes.
func checkOneWayHostile(r *room) {
	show := func(m chat.Message, thread *chat.Ref) Seen {
		r.Helper()
		if _, err := r.Platform.Post(r.context(), chat.Post{Channel: r.Channel, Thread: thread, Key: seal.Random(), Message: m}); err != nil {
			r.Fatalf("can't post: %v", err)
		}
		seen := r.only()
		r.Room.Delete(seen.Ref)
		return seen
	}
	tabled := func(text string) chat.Message {
		m := listing(text)
		m.Title, m.Color, m.Output = "Disk /var on web01", "#cc0000", "DISK CRITICAL"
		return m
	}
	note := func(text string) chat.Message {
		return chat.Message{Summary: "by " + text + " and", Lines: []chat.Line{{{Text: text}}}}
	}
	other := &chat.Ref{Channel: r.Channel, Post: "other"}
	card, table, line := show(hostileCard("plain"), nil), show(tabled("plain"), nil), show(note("plain"), other)
	for _, name := range hostileNames() {
		r.Run(name, func(t *testing.T) {
			s := *r
			s.T = t
			text, oneLine := hostile[name], chat.CleanLine(hostile[name])
			s.harmless(show(hostileCard(text), nil), card, text)
			s.harmless(show(tabled(oneLine), nil), table, oneLine)
			s.harmless(show(note(oneLine), other), line, oneLine)
		})
	}
}

// checkOneWayOversized: no size of any field keeps a card from being posted.
func checkOneWayOversized(r *room) {
	for i, unit := range []string{"x", "<&>\"\\", "@channel ", "`", "日", "\n"} {
		long := strings.Repeat(unit, 20_000/len(unit))
		m := fullCard()
		m.Title, m.State, m.Summary, m.Output = long, long, long, long
		m.Lines = []chat.Line{{{Text: fmt.Sprint(i, " ")}, {Text: long, Bold: true}}}
		r.post(m)
		seen := r.only()
		if len(seen.Rings) != 0 {
			r.Errorf("%q rings %q", unit, seen.Rings)
		}
		r.Room.Delete(seen.Ref)
	}
}
