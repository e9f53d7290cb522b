// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"fmt"
	"slices"
	"time"

	"belfry/alert"
)

// AlertState is how an attached alert stood when something last became of it.
type AlertState string

// The states of attached alerts.
const (
	AlertFiring       AlertState = "firing"
	AlertAcknowledged AlertState = "acknowledged"
	AlertOver         AlertState = "over"
)

// What an entry of kind EntryAlert tells, in Entry.What.
const (
	AlertWasAcked   = "acknowledged"
	AlertWasUnacked = "unacknowledged"
	AlertWasOver    = "over"
	AlertWasWorse   = "worse"
	AlertWasBetter  = "better"
	// AlertIsBack: the same object has a problem again. It is another alert.
	AlertIsBack = "again"
)

const (
	// followedFor is how long after it was resolved an incident is still told
	// what becomes of its alerts: most recoveries come a little later.
	followedFor = 24 * time.Hour
	// maxFollowed bounds the entries that monitoring can make: half of the
	// timeline is people's. maxReturns bounds the alerts that it can attach.
	maxFollowed = MaxEntries / 2
	maxReturns  = MaxAlerts / 2
)

// stateOf is how an alert stands.
func stateOf(a *alert.Alert) AlertState {
	switch {
	case a.Status == alert.Resolved:
		return AlertOver
	case a.Ack.Phase == alert.AckSet, a.Ack.Phase == alert.AckRemoving:
		return AlertAcknowledged
	}
	return AlertFiring
}

// Tells says whether an event of an alert is told in the timelines of the
// incidents that it is attached to.
func Tells(e *alert.Event) bool { return told(e) != "" }

// told is what an event is told as; "" for one that isn't.
func told(e *alert.Event) string {
	switch e.Kind {
	case alert.EventOpened:
		return AlertIsBack
	case alert.EventAcknowledged:
		return AlertWasAcked
	case alert.EventUnacked:
		return AlertWasUnacked
	case alert.EventResolved:
		return AlertWasOver
	case alert.EventChanged:
		if e.Severity > e.PreviousSeverity {
			return AlertWasWorse
		}
		if e.Severity < e.PreviousSeverity {
			return AlertWasBetter
		}
	}
	return ""
}

// Follows says whether the incident is told what becomes of its alerts.
func (i *Incident) Follows(now time.Time) bool {
	return i.Status.Open() || i.Status == Resolved && now.Sub(i.Moments[Resolved].At) < followedFor
}

// Follow notes what became of an alert that is attached, or of another one of
// the same object: a problem that comes back is a new alert, and is attached,
// too. events are those of the alert that are new. It returns the entries that
// the timeline gets; none where there is nothing to tell.
func (i *Incident) Follow(a *alert.Alert, events []alert.Event, now time.Time) []Entry {
	at := i.attached(a)
	if at < 0 || !i.Follows(now) {
		return nil
	}
	var entries []Entry
	for n := range events {
		what := told(&events[n])
		if what == "" || what == AlertIsBack && i.Alerts[at].Alert == a.ID {
			continue
		}
		if i.Entries >= maxFollowed {
			if e, first := i.Trouble("alerts", fmt.Sprintf("The timeline has %d entries. The rest is kept for people: what becomes of the alerts is no longer written here.", maxFollowed), now); first {
				entries = append(entries, e)
			}
			break
		}
		e := i.touch(EntryAlert, Person{Name: teller(a, &events[n])}, now, excerpt(events[n].Text, MaxLine))
		if events[n].At.Before(now) && !events[n].At.IsZero() {
			e.At = events[n].At
		}
		e.What, e.Alert, e.Is = what, a.Number, a.Name()
		if what == AlertWasWorse || what == AlertWasBetter {
			e.Was = events[n].PreviousSeverity.String() + " → " + events[n].Severity.String()
		}
		entries = append(entries, e)
		if what == AlertIsBack && len(i.Alerts) < maxReturns {
			i.Alerts = append(i.Alerts, attach(a, Moment{At: e.At, By: Belfry()}))
			at = len(i.Alerts) - 1
		}
	}
	if state := stateOf(a); i.Alerts[at].State != state {
		i.Alerts[at].State = state
		if len(entries) == 0 {
			i.Revision++
		}
	}
	return entries
}

// Recall takes over how the attached alerts stand, by their numbers: an incident
// that is over is not told. asked are those that were looked for: what is missing
// of them is no longer kept, and over.
func (i *Incident) Recall(alerts map[int64]*alert.Alert, asked []alert.ID) {
	for n := range i.Alerts {
		x := &i.Alerts[n]
		if a := alerts[x.Number]; a != nil {
			x.State = stateOf(a)
		} else if slices.Contains(asked, x.Alert) {
			x.State = AlertOver
		}
	}
}

// attached returns where an alert stands in Alerts: itself, or the newest of
// the same object's problems; -1: nowhere.
func (i *Incident) attached(a *alert.Alert) int {
	at := -1
	for n := range i.Alerts {
		x := &i.Alerts[n]
		if x.Alert == a.ID {
			return n
		}
		if a.Topic == alert.TopicProblem && x.Topic == a.Topic && x.Source == a.Source && x.Fingerprint == a.Fingerprint {
			at = n
		}
	}
	return at
}

// teller is who told an event: a person where one is named, else the
// monitoring system.
func teller(a *alert.Alert, e *alert.Event) string {
	if e.Actor != "" {
		return e.Actor
	}
	return a.Source
}

// attach makes an Attached of an alert.
func attach(a *alert.Alert, m Moment) Attached {
	return Attached{Alert: a.ID, Number: a.Number, Name: a.Name(), Source: a.Source, Fingerprint: a.Fingerprint, Topic: a.Topic,
		Severity: a.Severity, State: stateOf(a), StartsAt: a.StartsAt, Moment: m}
}
