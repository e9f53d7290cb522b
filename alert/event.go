// SPDX-License-Identifier: Apache-2.0

package alert

import "time"

// EventKind says what happened to an alert.
type EventKind string

// The kinds of events. Those for which Notable is true are also said in the
// thread below the card.
const (
	EventOpened       EventKind = "opened"
	EventChanged      EventKind = "changed"
	EventRenotified   EventKind = "renotified"
	EventResolved     EventKind = "resolved"
	EventAckWanted    EventKind = "ack_wanted"
	EventAcknowledged EventKind = "acknowledged"
	EventAckRefused   EventKind = "ack_refused"
	EventAckDelayed   EventKind = "ack_delayed"
	EventAckWaits     EventKind = "ack_waits"
	EventUnackWanted  EventKind = "unack_wanted"
	EventUnacked      EventKind = "unacknowledged"
	EventUnackRefused EventKind = "unack_refused"
	EventDowntime     EventKind = "downtime"
	EventDowntimeEnd  EventKind = "downtime_end"
	EventFlapping     EventKind = "flapping"
	EventFlappingEnd  EventKind = "flapping_end"
	EventCustom       EventKind = "custom"
	EventInstructed   EventKind = "instructed"
	EventInstructDone EventKind = "instruction_done"
	EventInstructFail EventKind = "instruction_refused"
	EventRefreshed    EventKind = "refreshed"
)

// Notable says whether people want to read of this event in the card's thread.
// What the card itself already says when it is posted is not repeated, and what
// is only wanted is not news until it is confirmed.
func (k EventKind) Notable() bool {
	switch k {
	case EventOpened, EventRenotified, EventAckWanted, EventAckWaits, EventUnackWanted, EventInstructed, EventRefreshed:
		return false
	}
	return true
}

// Event is one entry of an alert's history.
type Event struct {
	ID      ID        `json:"-"`
	AlertID ID        `json:"-"`
	At      time.Time `json:"-"`
	Kind    EventKind `json:"-"`
	// Actor is who did it, for people: a chat handle, a monitoring user, or
	// empty for the system itself.
	Actor string `json:"actor,omitempty"`
	// Text is what they said or what was seen: untrusted.
	Text string `json:"text,omitempty"`
	// State and Severity are what the alert had after the event, where it changed.
	State    string   `json:"state,omitempty"`
	Severity Severity `json:"severity,omitempty"`
	// Previous and PreviousSeverity are those before the event (EventChanged).
	Previous         string   `json:"previous,omitempty"`
	PreviousSeverity Severity `json:"previous_severity,omitempty"`
	// Generation is the Ack.Generation that the event belongs to.
	Generation int `json:"generation,omitempty"`
	// Intake is the sender's id of the report that made the event, so that a
	// repeat after an unknown outcome is recognised. Empty for people's acts.
	Intake string `json:"intake,omitempty"`
	// Instruction is what a monitoring system is to do (EventInstructed).
	Instruction *Instruction `json:"instruction,omitempty"`
}

// Instruction is an order to a monitoring system that is not about the
// acknowledgement.
type Instruction struct {
	// Do is "comment", "downtime", "check" or "notifications".
	Do string `json:"do"`
	// Off is true when notifications are to stop, false when they are to go on.
	Off bool `json:"off,omitempty"`
	// Start and End bound a downtime.
	Start time.Time `json:"start,omitzero"`
	End   time.Time `json:"end,omitzero"`
}
