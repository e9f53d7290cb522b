// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// AckPhase is where an acknowledgement stands. Only AckSet means that the
// monitoring system confirmed it.
//
//	none ──request──▶ pending ──confirm──▶ set ──request──▶ removing ──confirm──▶ none
//	  ▲                  │ refuse            ▲                  │ refuse
//	  └──────────────────┘                   └──────────────────┘
//
// A report from the monitoring system wins over any phase.
type AckPhase string

// The phases of an acknowledgement.
const (
	AckNone     AckPhase = ""
	AckPending  AckPhase = "pending"
	AckSet      AckPhase = "set"
	AckRemoving AckPhase = "removing"
)

// Ack is the acknowledgement of an alert.
type Ack struct {
	Phase AckPhase `json:"phase,omitempty"`
	// By and Comment are the person's, for people to read.
	By      string `json:"by,omitempty"`
	Comment string `json:"comment,omitempty"`
	// At is when it was wanted or confirmed; with AckNone when the monitoring
	// system last had its removal, if ever.
	At time.Time `json:"at,omitzero"`
	// Trouble says in plain words why it still waits or why it was refused.
	Trouble string `json:"trouble,omitempty"`
	// Local is true when the source can not be told: only Belfry knows.
	Local bool `json:"local,omitempty"`
	// Generation grows with every change of phase that a button can cause, so
	// that an old button can be told from a current one.
	Generation int `json:"generation,omitempty"`
}

// Refusals that people can cause; their texts are shown to them.
var (
	ErrResolved     = errors.New("this problem is over; there is nothing to acknowledge")
	ErrAcknowledged = errors.New("already acknowledged")
	ErrPending      = errors.New("already being acknowledged")
	ErrNotAcked     = errors.New("it is not acknowledged")
	ErrRemoving     = errors.New("the acknowledgement is already being removed")
	ErrNotProblem   = errors.New("this is a notice, not a problem; there is nothing to acknowledge")
)

// RequestAck notes that by wants to acknowledge. With local true no monitoring
// system has to confirm and the phase is AckSet at once.
func (a *Alert) RequestAck(by, comment string, local bool, now time.Time) (Event, error) {
	switch {
	case a.Topic != TopicProblem:
		return Event{}, ErrNotProblem
	case a.Status == Resolved:
		return Event{}, ErrResolved
	case a.Ack.Phase == AckPending:
		return Event{}, fmt.Errorf("%w by %s", ErrPending, a.Ack.By)
	case a.Ack.Phase == AckSet, a.Ack.Phase == AckRemoving:
		return Event{}, fmt.Errorf("%w by %s", ErrAcknowledged, a.Ack.By)
	}
	a.Ack = Ack{Phase: AckPending, By: by, Comment: comment, At: now, Generation: a.Ack.Generation + 1}
	kind := EventAckWanted
	if local {
		a.Ack.Phase, a.Ack.Local, kind = AckSet, true, EventAcknowledged
	}
	return a.touch(kind, by, comment, now), nil
}

// RequestUnack notes that by wants the acknowledgement removed.
func (a *Alert) RequestUnack(by string, now time.Time) (Event, error) {
	switch {
	case a.Topic != TopicProblem:
		return Event{}, ErrNotProblem
	case a.Status == Resolved:
		return Event{}, ErrResolved
	case a.Ack.Phase == AckNone, a.Ack.Phase == AckPending:
		return Event{}, ErrNotAcked
	case a.Ack.Phase == AckRemoving:
		return Event{}, ErrRemoving
	}
	a.Ack.Generation++
	if a.Ack.Local {
		a.Ack = Ack{Generation: a.Ack.Generation}
		return a.touch(EventUnacked, by, "", now), nil
	}
	a.Ack.Phase, a.Ack.Trouble = AckRemoving, ""
	return a.touch(EventUnackWanted, by, "", now), nil
}

// ConfirmAck notes that the monitoring system has the acknowledgement. by and
// comment are empty when it does not tell whose it is: the pending person's
// stay. The second result is false when nothing changed.
func (a *Alert) ConfirmAck(by, comment string, now time.Time) (Event, bool) {
	if a.Status == Resolved {
		return Event{}, false
	}
	ours := a.Ack.Phase != AckNone && (by == "" || SamePerson(by, a.Ack.By))
	switch a.Ack.Phase {
	case AckSet:
		if ours || comment == "" {
			return Event{}, false
		}
		a.Ack = Ack{Phase: AckSet, By: by, Comment: comment, At: now, Generation: a.Ack.Generation}
	case AckPending:
		if ours {
			a.Ack.Phase, a.Ack.Trouble = AckSet, ""
			break
		}
		a.Ack = Ack{Phase: AckSet, By: by, Comment: comment, At: now, Generation: a.Ack.Generation + 1}
	case AckRemoving:
		// Still acknowledged: the removal was not carried out yet. A status
		// read must not undo the person's wish; a new acknowledgement does.
		if ours {
			return Event{}, false
		}
		a.Ack = Ack{Phase: AckSet, By: by, Comment: comment, At: now, Generation: a.Ack.Generation + 1}
	case AckNone:
		a.Ack = Ack{Phase: AckSet, By: pick(by, "somebody"), Comment: comment, At: now, Generation: a.Ack.Generation + 1}
	}
	return a.touch(EventAcknowledged, a.Ack.By, a.Ack.Comment, now), true
}

// ConfirmUnack notes that the monitoring system has no acknowledgement. by is
// who removed it where that is known. A pending acknowledgement is not touched:
// "not there" is no news while it is on its way.
func (a *Alert) ConfirmUnack(by string, now time.Time) (Event, bool) {
	if a.Status == Resolved || a.Ack.Phase == AckNone || a.Ack.Phase == AckPending {
		return Event{}, false
	}
	a.Ack = Ack{Generation: a.Ack.Generation + 1, At: now}
	return a.touch(EventUnacked, by, "", now), true
}

// RefuseAck notes that the monitoring system refused what generation asked
// for, with its reason in plain words.
func (a *Alert) RefuseAck(generation int, reason string, now time.Time) (Event, bool) {
	if a.Ack.Generation != generation {
		return Event{}, false
	}
	switch a.Ack.Phase {
	case AckPending:
		by := a.Ack.By
		a.Ack = Ack{Generation: generation + 1, Trouble: reason}
		return a.touch(EventAckRefused, by, reason, now), true
	case AckRemoving:
		a.Ack.Phase, a.Ack.Trouble = AckSet, reason
		a.Ack.Generation = generation + 1
		return a.touch(EventUnackRefused, "", reason, now), true
	}
	return Event{}, false
}

// DelayAck notes why what generation asked for still waits. It is news in the
// thread the first time; when only the reason changes, the card alone tells:
// a core in trouble can change its reasons every second.
func (a *Alert) DelayAck(generation int, reason string, now time.Time) (Event, bool) {
	waiting := a.Ack.Phase == AckPending || a.Ack.Phase == AckRemoving
	if a.Ack.Generation != generation || !waiting || a.Ack.Trouble == reason {
		return Event{}, false
	}
	kind := EventAckDelayed
	if a.Ack.Trouble != "" {
		kind = EventAckWaits
	}
	a.Ack.Trouble = reason
	return a.touch(kind, "", reason, now), true
}

func (a *Alert) touch(kind EventKind, actor, text string, now time.Time) Event {
	a.Revision++
	a.UpdatedAt = now
	return Event{AlertID: a.ID, At: now, Kind: kind, Actor: actor, Text: text,
		State: a.State, Severity: a.Severity, Generation: a.Ack.Generation}
}

// SamePerson says whether two spellings name the same author: monitoring cores
// strip punctuation from what we hand them, so only letters and digits count.
func SamePerson(a, b string) bool { return squash(a) == squash(b) }

func squash(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}
