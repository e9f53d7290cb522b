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

// Named notes the names for people that the monitoring system tells, where
// nobody passed them along. changed is false when there is nothing new.
func (a *Alert) Named(host, service string, now time.Time) (e Event, changed bool) {
	o := &a.Object
	if o.HostDisplay == "" && host != "" && host != o.Host {
		o.HostDisplay, changed = host, true
	}
	if o.Kind == KindService && o.ServiceDisplay == "" && service != "" && service != o.Service {
		o.ServiceDisplay, changed = service, true
	}
	if !changed {
		return Event{}, false
	}
	return a.Refresh(now), true
}

// Refresh makes the alert's cards be rendered anew although nothing about it
// changed: their buttons had grown too old.
func (a *Alert) Refresh(now time.Time) Event {
	updated := a.UpdatedAt
	e := a.touch(EventRefreshed, "", "", now)
	a.UpdatedAt = updated
	return e
}
