// SPDX-License-Identifier: Apache-2.0

package alert

import "slices"

// Priority is how much a card asks for attention where it is posted. The words
// are Mattermost's (metadata.priority of a post, 7.7 and later).
type Priority string

// The priorities, lowest first.
const (
	PriorityStandard  Priority = ""
	PriorityImportant Priority = "important"
	PriorityUrgent    Priority = "urgent"
)

// rank orders priorities. What is not known counts as the lowest.
func (p Priority) rank() int {
	return slices.Index([]Priority{PriorityImportant, PriorityUrgent}, p)
}

// Ring is how a card is announced in one channel when it is first posted, as
// the configuration wants it. The zero Ring is a card that rings nobody.
type Ring struct {
	// Mentions are handles without "@", each once.
	Mentions []string `json:"mentions,omitempty"`
	Priority Priority `json:"priority,omitempty"`
	// RequestAck asks readers to confirm that they read it, by the platform's
	// own means and apart from acknowledging the alert.
	RequestAck bool `json:"request_ack,omitempty"`
}

// Silent says whether r announces nothing.
func (r Ring) Silent() bool {
	return len(r.Mentions) == 0 && r.Priority == PriorityStandard && !r.RequestAck
}

// With returns r and what more adds to it: all mentions, and the higher
// priority. Both stay as they are.
func (r Ring) With(more Ring) Ring {
	out := Ring{Mentions: slices.Clip(r.Mentions), Priority: r.Priority, RequestAck: r.RequestAck || more.RequestAck}
	for _, m := range more.Mentions {
		if !slices.Contains(out.Mentions, m) {
			out.Mentions = append(out.Mentions, m)
		}
	}
	if more.Priority.rank() > r.Priority.rank() {
		out.Priority = more.Priority
	}
	return out
}

// SetRing keeps how the alert's card at a destination is announced, so that a
// card that can only be posted later, or again, is announced alike.
func (a *Alert) SetRing(destination string, r Ring) {
	if r.Silent() {
		return
	}
	if a.Rings == nil {
		a.Rings = map[string]Ring{}
	}
	a.Rings[destination] = r
}

// cloneRings returns a copy that shares nothing with rings.
func cloneRings(rings map[string]Ring) map[string]Ring {
	if rings == nil {
		return nil
	}
	out := make(map[string]Ring, len(rings))
	for destination, r := range rings {
		r.Mentions = slices.Clone(r.Mentions)
		out[destination] = r
	}
	return out
}
