// SPDX-License-Identifier: Apache-2.0

package store

import (
	"time"

	"belfry/alert"
	"belfry/incident"
)

// DutyKind says what an outward duty is about.
type DutyKind string

// The kinds of duties.
const (
	// DutyCard: bring this card to at least revision Wanted. Its row lives as
	// long as the alert: it is the card.
	DutyCard DutyKind = "card"
	// DutyNote: say an event in the card's thread, once.
	DutyNote DutyKind = "note"
	// DutyWriteback: carry an event's intent out in a monitoring system.
	DutyWriteback DutyKind = "writeback"
	// DutyStep: do one step with an incident's channel (incident.StepKind). Like
	// a card it is brought up to date: Wanted grows with every order.
	DutyStep DutyKind = "step"
)

// lives says whether duties of a kind are brought up to date again and again;
// the others are carried out once.
func (k DutyKind) lives() bool { return k == DutyCard || k == DutyStep }

// DutyState says whether a duty needs work.
type DutyState string

// The states of a duty.
const (
	DutyDue  DutyState = "due"
	DutyDone DutyState = "done"
	DutyDead DutyState = "dead"
	// DutyEnded: its other side is gone for good, and LastError says why.
	DutyEnded DutyState = "ended"
)

// Duty is one outward duty, stored: a row of table deliveries.
type Duty struct {
	ID alert.ID
	// Destination is "connection/channel" or "monitor/source", or, for a step,
	// "connection/incident-42".
	Destination string
	Kind        DutyKind
	State       DutyState
	// AlertID is the alert that it is about, or the incident: ids are unique
	// over both.
	AlertID alert.ID
	// EventID is the event, or the incident's entry, that a note says or a
	// write-back carries out; 0 for cards.
	EventID alert.ID
	// Step is what a DutyStep does; else empty.
	Step incident.StepKind
	// Key is random and belongs to this duty alone (chat.Post.Key).
	Key string
	// Ref is random too; it is sealed into the card's buttons.
	Ref string
	// Receipt is what the sender gave back: for cards and notes the chat.Ref
	// as "channel post"; for write-backs when the command was handed over; for
	// steps what the courier must remember; that is also what a channel is to be
	// called, from the order on.
	Receipt string
	// Wanted is the least revision of the alert that must be shown, Reached
	// the one that is. Both 0 for write-backs; notes go from 0 to Wanted 1.
	Wanted, Reached int64
	// Priority is higher for what must go first (alert.Severity).
	Priority int
	DueAt    time.Time
	// Attempts counts failures since the last success.
	Attempts int
	// UnknownSince is when the first attempt began whose outcome is not
	// recorded: it may have arrived. Zero when there is no such attempt. In a
	// Claim it is about earlier attempts; elsewhere one under way counts too.
	UnknownSince time.Time
	LastError    string
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Claim is a batch of duties of one destination that the caller alone may
// carry out until LeaseUntil.
type Claim struct {
	Destination string
	// Fence names the lease; every later write about its duties carries it.
	Fence      int64
	LeaseUntil time.Time
	// Duties are in the order in which they must be carried out.
	Duties []Duty
	// Next is when the destination's next duty falls due that is not in
	// Duties; zero when there is none. With Held it is when the other lease ends.
	Next time.Time
	// Held is true when another process holds the destination; Duties is empty.
	Held bool
}

// Settlement is the outcome of one duty.
type Settlement struct {
	ID alert.ID
	// State after it: DutyDone, DutyDead, or DutyDue for another try at RetryAt.
	// A card whose Wanted has grown past Reached in the meantime becomes due
	// at once whatever State says, unless it is backing off.
	State DutyState
	// Reached is the revision that is now shown; ignored when 0.
	Reached int64
	// Receipt replaces the duty's when not empty.
	Receipt string
	// Unsent is true when the duty was not tried at all: it goes back as it
	// was, UnknownSince included; nothing else here counts.
	Unsent bool
	// Failed is true when the try counts as a failure (back-off grows).
	Failed bool
	// Unknown keeps UnknownSince: the attempt may have arrived.
	Unknown bool
	// Forget clears Receipt and Key is made anew: the message is gone and a
	// re-send must post a new one.
	Forget  bool
	RetryAt time.Time
	// Err is the trouble in plain words; never a secret.
	Err string
}

// DueDestination is a destination with work.
type DueDestination struct {
	Name string
	At   time.Time
	// Priority is the highest among its due duties.
	Priority int
}
