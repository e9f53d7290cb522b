// SPDX-License-Identifier: Apache-2.0

package courier_test

import (
	"slices"
	"strings"
	"testing"

	"belfry/clock"
	"belfry/incident"
	"belfry/response"
)

func respond(h *hall) *response.Response {
	s := incident.Defaults()
	s.Severities[0].Private = true
	return response.New(h.store, func() incident.Settings { return s }, func() []string { return []string{"chat/incidents"} }, clock.System{})
}

func anna() incident.Person { return incident.Person{Connection: "chat", ID: "u1", Name: "anna"} }

// must fails the test when an act was refused.
func must(t *testing.T) func(response.Done, error) {
	return func(_ response.Done, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestAnIncidentHasOneLivingCard: whatever becomes of the first post, there is
// one card, and it says how the incident stands.
func TestAnIncidentHasOneLivingCard(t *testing.T) {
	for name, next := range map[string][]string{"at once": nil, "its answer is lost": {"lost"}, "it can't be seen yet": {"slow"}, "it is still being written": {"slow", "busy"}} {
		t.Run(name, func(t *testing.T) {
			h := newHall(t)
			h.next = next
			r, ok := respond(h), must(t)
			ok(r.Declare(t.Context(), incident.Declaration{Title: "the shop is slow", By: anna()}, 0, 0))
			h.deliver(func() bool { h.mu.Lock(); defer h.mu.Unlock(); return len(h.next) == 0 && len(h.posts) > 0 })
			h.mu.Lock()
			h.posts[0].hidden = false
			h.mu.Unlock()
			ok(r.Update(t.Context(), 1, anna(), "half of the orders go through"))
			ok(r.AddTask(t.Context(), 1, incident.ToDo, anna(), anna(), "call", clock.System{}.Now()))
			ok(r.Move(t.Context(), 1, incident.Mitigate, anna(), "rolled back"))
			h.deliver(h.quiet)
			h.wantOneCard("mitigated #1 mitigated: the shop is slow")
			if notes := h.notes(); len(notes) != 2 || !strings.Contains(notes[0], "anna says: half of the orders") || !strings.Contains(notes[1], "anna mitigated it: rolled back") {
				t.Errorf("notes %q", notes)
			}
		})
	}
}

// TestWhatBecomesPrivateIsNoLongerShown: its card where it was announced tells
// nothing any more, and in its own channel once somebody said that this is right.
func TestWhatBecomesPrivateIsNoLongerShown(t *testing.T) {
	h := newHall(t)
	r, ok := respond(h), must(t)
	ok(r.Declare(t.Context(), incident.Declaration{Title: "the shop is slow", By: anna()}, 0, 0))
	ok(r.Run(t.Context(), 1, anna(), incident.Channel{Connection: "chat", ID: "war"}))
	h.deliver(h.quiet)
	ok(r.SetSeverity(t.Context(), 1, anna(), "SEV0", ""))
	ok(r.Update(t.Context(), 1, anna(), "it was an attack"))
	ok(r.Rename(t.Context(), 1, anna(), "somebody broke in"))
	h.deliver(h.quiet)
	// It was not private when that channel became its own: who is in there may
	// not be who may know.
	if cards := h.cards(); len(cards) != 2 || cards[0] != "private #1 is private" || cards[1] != "private #1 is private" {
		t.Errorf("cards %q", cards)
	}
	ok(r.Run(t.Context(), 1, anna(), incident.Channel{Connection: "chat", ID: "war"}))
	h.deliver(h.quiet)
	cards := slices.Sorted(slices.Values(h.cards())) // the channels go side by side
	if len(cards) != 2 || cards[0] != "private #1 is private" || !strings.Contains(cards[1], "SEV0 started: somebody broke in") {
		t.Errorf("cards %q", cards)
	}
	for _, q := range h.posts {
		if q.root != "" && q.ref.Channel != "war" {
			t.Errorf("a note where it was announced: %q", q.text)
		}
	}
	ok(r.Declare(t.Context(), incident.Declaration{Title: "a secret", Private: true, By: anna()}, 0, 0))
	h.deliver(h.quiet)
	if len(h.cards()) != 2 {
		t.Errorf("a private incident was announced: %q", h.cards())
	}
}
