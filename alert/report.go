// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// ReportKind says what a monitoring system reports.
type ReportKind string

// The kinds of reports: Nagios' notification types, which cover what the
// other systems send.
const (
	ReportProblem           ReportKind = "problem"
	ReportRecovery          ReportKind = "recovery"
	ReportAck               ReportKind = "acknowledgement"
	ReportUnack             ReportKind = "unacknowledgement"
	ReportFlapping          ReportKind = "flapping_start"
	ReportFlappingEnd       ReportKind = "flapping_stop"
	ReportDowntime          ReportKind = "downtime_start"
	ReportDowntimeEnd       ReportKind = "downtime_end"
	ReportDowntimeCancelled ReportKind = "downtime_cancelled"
	ReportCustom            ReportKind = "custom"
)

// Report is one thing that a monitoring system said about one object.
type Report struct {
	Kind ReportKind
	// Intake is the sender's own random id of this hand-over, if it has one.
	Intake string
	// Repeated is true when an earlier hand-over with the same Intake may have
	// arrived: then, and only then, the history is searched for it.
	Repeated bool
	Object   Object
	Labels   Labels
	State    string
	Severity Severity
	Output   string
	Link     string
	// ProblemID as the system numbers problems; empty if it does not.
	ProblemID string
	// At is when it happened by the monitoring system's clock; zero: unknown.
	At time.Time
	// Author and Comment belong to acknowledgements, downtimes and custom notifications.
	Author, Comment string
	Contact         string
	// Channel and Mention are named by the host or the contact itself.
	Channel, Mention string
	// NoEmoji is true when the sender wants cards without emoji.
	NoEmoji bool
}

// Topic returns the topic that a report of this kind belongs to when no
// problem is open for the object.
func (k ReportKind) Topic() Topic {
	switch k {
	case ReportFlapping, ReportFlappingEnd:
		return TopicFlapping
	case ReportDowntime, ReportDowntimeEnd, ReportDowntimeCancelled:
		return TopicDowntime
	case ReportCustom:
		return TopicCustom
	}
	return TopicProblem
}

// Applied is what a report leads to.
type Applied struct {
	// Alerts are the alerts that changed or are new (ID 0), in the order in
	// which they must be stored: one that ended comes before its successor.
	Alerts []*Alert
	// Events[i] are the new events of Alerts[i].
	Events [][]Event
}

func (p *Applied) add(a *Alert, events ...Event) {
	for i := range events {
		events[i].AlertID = a.ID
	}
	if i := slices.Index(p.Alerts, a); i >= 0 {
		p.Events[i] = append(p.Events[i], events...)
		return
	}
	p.Alerts = append(p.Alerts, a)
	p.Events = append(p.Events, events)
}

// Apply says what r does to the open alerts of its object: problem is the one
// with TopicProblem, notice the one with r.Kind.Topic() where that is another
// topic; either may be nil. The arguments are changed in place and appear in
// the result if, and only if, there is something to store.
func Apply(source string, problem, notice *Alert, r Report, now time.Time) Applied {
	var out Applied
	switch r.Kind {
	case ReportProblem:
		applyProblem(&out, source, problem, &r, now)
	case ReportRecovery:
		if problem != nil && sameProblem(problem, &r) {
			out.add(problem, problem.resolve(&r, now))
		}
	case ReportAck:
		applyAck(&out, source, problem, &r, now)
	case ReportUnack:
		if problem != nil {
			if e, ok := problem.ConfirmUnack(r.Author, now); ok {
				e.Intake = r.Intake
				out.add(problem, e)
			}
		}
	default:
		applyNotice(&out, source, problem, notice, &r, now)
	}
	return out
}

// applyProblem opens, changes or repeats a problem. The same notification
// comes once for every contact: only what is new makes an event.
func applyProblem(out *Applied, source string, a *Alert, r *Report, now time.Time) {
	if a != nil && !sameProblem(a, r) {
		// Its recovery never came: the new number says that it is over.
		out.add(a, a.resolve(&Report{State: "superseded"}, now))
		a = nil
	}
	if a == nil {
		a = newAlert(source, TopicProblem, r, now)
		e := a.touch(EventOpened, "", firstLine(r.Output), now)
		e.Intake = r.Intake
		out.add(a, e)
		return
	}
	worse := a.State != r.State || a.Severity != r.Severity
	said := a.Output != r.Output && r.Output != ""
	more := a.addressed(r)
	if !worse && !said && !more && (a.ProblemID != "" || r.ProblemID == "") {
		return
	}
	previous, previousSeverity := a.State, a.Severity
	a.take(r)
	kind := EventRenotified
	if worse {
		kind = EventChanged
	}
	e := a.touch(kind, "", firstLine(r.Output), now)
	e.Intake = r.Intake
	if worse {
		e.Previous, e.PreviousSeverity = previous, previousSeverity
	}
	out.add(a, e)
}

// clocksApart is how much the clocks of two machines may differ.
const clocksApart = 5 * time.Second

// applyAck notes an acknowledgement that the system reports. One for a problem
// that Belfry never saw (it was down, or is new here) opens it: people must see
// what is wrong and that somebody has it.
func applyAck(out *Applied, source string, a *Alert, r *Report, now time.Time) {
	if a == nil && r.Severity == SeverityOK {
		return
	}
	if a == nil || !sameProblem(a, r) {
		applyProblem(out, source, a, r, now)
		a = out.Alerts[len(out.Alerts)-1]
	}
	if a.Ack.Phase == AckNone && !r.At.IsZero() && r.At.Before(a.Ack.At.Add(-clocksApart)) {
		return // it waited in a spool, and was removed since
	}
	if e, ok := a.ConfirmAck(r.Author, r.Comment, now); ok {
		e.Intake = r.Intake
		out.add(a, e)
	}
}

// noteFlag sets what the problem's card shows and says whether it is news.
func (a *Alert) noteFlag(kind EventKind, starts bool) bool {
	switch kind {
	case EventDowntime, EventDowntimeEnd:
		changed := a.InDowntime != starts
		a.InDowntime = starts
		return changed
	case EventFlapping, EventFlappingEnd:
		changed := a.Flapping != starts
		a.Flapping = starts
		return changed
	}
	return true
}

func noticeEvent(k ReportKind) (kind EventKind, starts bool) {
	switch k {
	case ReportDowntime:
		return EventDowntime, true
	case ReportDowntimeEnd, ReportDowntimeCancelled:
		return EventDowntimeEnd, false
	case ReportFlapping:
		return EventFlapping, true
	case ReportFlappingEnd:
		return EventFlappingEnd, false
	}
	return EventCustom, true
}

// sameProblem says whether r is about the problem that a shows. A number that
// is missing on either side matches: Nagios loses numbers without retention,
// Naemon before 1.4.3 has none. A rule's number is when it began to fire; where
// two Alertmanagers (or two Prometheus) report the same, each has its own, so
// only a later beginning is another problem.
func sameProblem(a *Alert, r *Report) bool {
	if a.ProblemID == "" || r.ProblemID == "" || a.ProblemID == r.ProblemID {
		return true
	}
	return a.Object.Kind == KindRule && !r.At.IsZero() && !r.At.After(a.StartsAt)
}

func newAlert(source string, topic Topic, r *Report, now time.Time) *Alert {
	a := &Alert{Source: source, Fingerprint: r.Object.Fingerprint(), Topic: topic, Status: Firing, StartsAt: r.At}
	if r.At.IsZero() || r.At.After(now) {
		a.StartsAt = now
	}
	a.take(r)
	a.addressed(r)
	return a
}

// take copies what r says of the present.
func (a *Alert) take(r *Report) {
	a.Object, a.State, a.Severity, a.NoEmoji = r.Object, r.State, r.Severity, r.NoEmoji
	a.Output = pick(r.Output, a.Output)
	a.Link = pick(r.Link, a.Link)
	a.ProblemID = pick(a.ProblemID, r.ProblemID)
	if r.Labels != nil {
		a.Labels = maps.Clone(r.Labels)
	}
}

// addressed adds whom and where r wants told and says whether any is new.
func (a *Alert) addressed(r *Report) bool {
	more := false
	for _, x := range []struct {
		to  *[]string
		val string
	}{{&a.Contacts, r.Contact}, {&a.Mentions, r.Mention}, {&a.Channels, r.Channel}} {
		if x.val != "" && !slices.Contains(*x.to, x.val) {
			*x.to = append(*x.to, x.val)
			more = true
		}
	}
	return more
}

// resolve ends the problem. What was pending is moot.
func (a *Alert) resolve(r *Report, now time.Time) Event {
	a.Status, a.EndsAt = Resolved, now
	if !r.At.IsZero() && !r.At.After(now) && !r.At.Before(a.StartsAt) {
		a.EndsAt = r.At
	}
	a.State = pick(r.State, a.State)
	a.Output = pick(r.Output, a.Output)
	a.Severity, a.Flapping = SeverityOK, false
	if a.Ack.Phase == AckPending {
		a.Ack = Ack{Generation: a.Ack.Generation + 1}
	}
	e := a.touch(EventResolved, "", firstLine(r.Output), now)
	e.Intake = r.Intake
	return e
}

func pick(first, second string) string {
	if first != "" {
		return first
	}
	return second
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
