// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"time"
)

// MaxRetrospective bounds what people make of a retrospective, in characters.
const MaxRetrospective = 300_000

// Retrospective is the account of an incident as people edited it. Where nobody
// did there is none, and the record speaks.
type Retrospective struct {
	// Version counts from 1; each is kept.
	Version int       `json:"-"`
	At      time.Time `json:"-"`
	By      Person    `json:"by"`
	// Text is Markdown.
	Text string `json:"text"`
}

// EditRetrospective makes the version that follows upon version after (0: there
// was none).
func EditRetrospective(after int, text string, by Person, at time.Time) (Retrospective, error) {
	text, err := need(text, "what the retrospective says", MaxRetrospective)
	return Retrospective{Version: after + 1, At: at, By: by, Text: text}, err
}

// Took says how long it took from the moment when i was declared until it
// reached a status; ok is false when it did not, or is no longer there.
// Acknowledged is who takes it on: that is Started.
func (i *Incident) Took(s Status) (d time.Duration, ok bool) {
	m, ok := i.Moments[s]
	if !ok || m.At.IsZero() {
		return 0, false
	}
	return max(0, m.At.Sub(i.CreatedAt)), true
}
