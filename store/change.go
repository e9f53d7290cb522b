// SPDX-License-Identifier: Apache-2.0

package store

import (
	"time"

	"belfry/alert"
)

// Change is one act upon the alerts of one object. Many changes that wait at
// the same time are folded into one transaction (see writer): Apply may
// therefore run more than once and must not keep what it is given.
type Change struct {
	// ID names one alert; or, when ID is 0, Source and Fingerprint name the
	// open alerts of an object.
	ID          alert.ID
	Source      string
	Fingerprint alert.Fingerprint
	// Intake, when not empty, is looked for in the object's history first:
	// View.Seen then says whether it was found. Set only for repeated hand-overs.
	Intake string
	// Apply decides. An error leaves everything as it was and is returned to
	// the caller of Store.Change alone.
	Apply func(v View) ([]Effect, error)
}

// View is what a change may look at: the newest state, the effects of earlier
// changes in the same transaction included.
type View struct {
	// Alert is the one named by ID; nil when there is none.
	Alert *alert.Alert
	// Open are the object's open alerts by topic (changes by fingerprint).
	Open map[alert.Topic]*alert.Alert
	Seen bool
}

// Effect is what is to be stored for one alert.
type Effect struct {
	// Alert is stored whole. ID 0 makes a new one and is then filled in, also
	// in Events and duties.
	Alert *alert.Alert
	// Events are added in order; their IDs are filled in.
	Events []alert.Event
	// NewCards are the destinations that get a card.
	NewCards []string
	// Stale makes every card of the alert due at Alert.Revision; a dead card
	// is tried again.
	Stale bool
	// Notes are the destinations in whose threads the notable ones among
	// Events are said.
	Notes []string
	// Calls are the routes by which the alert calls for an incident: each is kept
	// until it was answered (Store.NextCalls).
	Calls []string
	// Writeback, when not empty, is the monitor destination that gets a
	// write-back for the last of Events.
	Writeback string
	// DropWritebacks ends the alert's undone write-backs of earlier wishes about
	// the acknowledgement: they are moot. Instructions stay.
	DropWritebacks bool
	// Priority of the duties made or touched.
	Priority int
	// DueAt of the duties; zero means now.
	DueAt time.Time
}
