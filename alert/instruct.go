// SPDX-License-Identifier: Apache-2.0

package alert

import "time"

// Instruct notes that by wants the monitoring system told something.
func (a *Alert) Instruct(by, text string, what Instruction, now time.Time) Event {
	e := a.touch(EventInstructed, by, text, now)
	e.Instruction = &what
	return e
}

// Instructed notes that the monitoring system took what wanted asked for, or,
// with a refusal, why not.
func (a *Alert) Instructed(wanted Event, refusal string, now time.Time) Event {
	kind, text := EventInstructDone, wanted.Text
	if refusal != "" {
		kind, text = EventInstructFail, refusal
	}
	e := a.touch(kind, wanted.Actor, text, now)
	e.Instruction = wanted.Instruction
	return e
}

// Refresh makes the alert's cards be rendered anew although nothing about it
// changed: their buttons had grown too old.
func (a *Alert) Refresh(now time.Time) Event {
	updated := a.UpdatedAt
	e := a.touch(EventRefreshed, "", "", now)
	a.UpdatedAt = updated
	return e
}
