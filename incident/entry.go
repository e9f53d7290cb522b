// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"time"

	"belfry/alert"
)

// EntryKind says what an entry of a timeline tells.
type EntryKind string

// The kinds of entries.
const (
	EntryDeclared  EntryKind = "declared"
	EntryStarted   EntryKind = "started"
	EntryMitigated EntryKind = "mitigated"
	EntryResolved  EntryKind = "resolved"
	EntryClosed    EntryKind = "closed"
	EntryCancelled EntryKind = "cancelled"
	EntryReopened  EntryKind = "reopened"
	// EntryUpdate is a word to everybody on how it stands.
	EntryUpdate   EntryKind = "update"
	EntrySummary  EntryKind = "summary"
	EntrySeverity EntryKind = "severity"
	EntryRenamed  EntryKind = "renamed"
	// EntryField: a type, service, environment or custom field changed.
	EntryField  EntryKind = "field"
	EntryRole   EntryKind = "role"
	EntryJoined EntryKind = "joined"
	// EntryInvited: somebody was asked to come.
	EntryInvited  EntryKind = "invited"
	EntryTask     EntryKind = "task"
	EntryFollowUp EntryKind = "followup"
	EntryDone     EntryKind = "done"
	// EntryEvent is something that happened, told by a person, at its own time.
	EntryEvent EntryKind = "event"
	// EntrySaid is a message that somebody wrote in chat, at its own time.
	EntrySaid EntryKind = "said"
	// EntryNote is what a person wanted to keep.
	EntryNote     EntryKind = "note"
	EntryAttached EntryKind = "attached"
	EntryDetached EntryKind = "detached"
	// EntryAlert: something became of an attached alert. What says what, Is is
	// the alert's name, Was how its severity changed.
	EntryAlert        EntryKind = "alert"
	EntrySub          EntryKind = "sub"
	EntryHasSub       EntryKind = "has_sub"
	EntryDuplicate    EntryKind = "duplicate"
	EntryHasDuplicate EntryKind = "has_duplicate"
	// EntryChannel: a channel became the incident's, or something about it.
	EntryChannel EntryKind = "channel"
	// EntryTrouble: chat did not let Belfry do something, or a limit did not.
	EntryTrouble EntryKind = "trouble"
	// EntryReminder: Belfry reminded people of something. What is the
	// ReminderKind, Since since when it is missing; Is is the role, or the
	// owner of the task Was; Was is "last" when it is not said again.
	EntryReminder EntryKind = "reminder"
)

// Entry is one entry of an incident's timeline. Entries are only ever added.
type Entry struct {
	IncidentID alert.ID  `json:"-"`
	ID         alert.ID  `json:"-"`
	Kind       EntryKind `json:"-"`
	// At is when it happened, RecordedAt when it was written down: people tell
	// later what they saw.
	At         time.Time `json:"-"`
	RecordedAt time.Time `json:"recorded_at"`
	// By is who did or told it.
	By Person `json:"by"`
	// Text is in the person's own words; may be empty.
	Text string `json:"text,omitempty"`
	// Link leads to the message that it came from, KeptBy is who had it kept
	// (EntrySaid); both may be empty.
	Link   string `json:"link,omitempty"`
	KeptBy Person `json:"kept_by,omitzero"`
	// What is what it is about: the role, the field, the task's number.
	What string `json:"what,omitempty"`
	// Was and Is are what it was changed from and to.
	Was string `json:"was,omitempty"`
	Is  string `json:"is,omitempty"`
	// Since is since when something is missing that people are reminded of.
	Since time.Time `json:"since,omitzero"`
	// Other is the number of another incident that it is about, Alert an alert's.
	Other int64 `json:"other,omitempty"`
	Alert int64 `json:"alert,omitempty"`
}

// Notable says whether an entry is told where the incident is announced; the
// others are for those who run it.
func (k EntryKind) Notable() bool {
	switch k {
	case EntryDeclared, EntryStarted, EntryMitigated, EntryResolved, EntryClosed, EntryCancelled, EntryReopened, EntryUpdate, EntrySeverity, EntryDuplicate, EntryReminder:
		return true
	}
	return false
}
