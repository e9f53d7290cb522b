// SPDX-License-Identifier: Apache-2.0

package alert

import "time"

// sameSaid is how far apart one custom notification can reach us for different
// contacts. It is also how long a notice of one stays open for them.
const sameSaid = 2 * time.Minute

// applyNotice handles downtime, flapping and custom notifications: on the card
// of an open problem, otherwise on a card of their own.
func applyNotice(out *Applied, source string, problem, notice *Alert, r *Report, now time.Time) {
	kind, starts := noticeEvent(r.Kind)
	if kind == EventCustom {
		applyCustom(out, source, problem, notice, r, now)
		return
	}
	if problem != nil && problem.noteFlag(kind, starts) {
		out.note(problem, kind, r, now)
	}
	switch {
	case starts && notice == nil && problem == nil:
		out.openNotice(source, r, now)
	case starts && notice != nil:
		out.alsoFor(notice, r, now)
	case !starts && notice != nil:
		notice.Status, notice.EndsAt = Resolved, now
		out.note(notice, kind, r, now)
	}
}

// applyCustom notes what somebody said by a custom notification. It comes once
// for every contact and has neither end nor number: the same words of the same
// person soon after are the same notification.
func applyCustom(out *Applied, source string, problem, notice *Alert, r *Report, now time.Time) {
	said := Said{By: r.Author, Text: r.Comment, At: r.At}
	if said.At.IsZero() || said.At.After(now) {
		said.At = now
	}
	for _, a := range []*Alert{problem, notice} {
		if a != nil && a.Said.same(said) {
			out.alsoFor(a, r, now)
			return
		}
	}
	if problem != nil {
		problem.Said = said
		problem.addressed(r)
		out.note(problem, EventCustom, r, now)
		return
	}
	if notice != nil {
		notice.Status, notice.EndsAt = Resolved, now
		out.add(notice)
	}
	out.openNotice(source, r, now).Said = said
}

// same says whether two contacts were told the same.
func (s Said) same(o Said) bool {
	return s.By == o.By && s.Text == o.Text && !s.At.IsZero() && s.At.Sub(o.At).Abs() < sameSaid
}

// openNotice makes an alert of its own for r.
func (p *Applied) openNotice(source string, r *Report, now time.Time) *Alert {
	a := newAlert(source, r.Kind.Topic(), r, now)
	a.Severity = SeverityInfo
	a.Ack.By, a.Ack.Comment = r.Author, r.Comment
	p.note(a, EventOpened, r, now)
	return a
}

// note adds an event of what r says to a.
func (p *Applied) note(a *Alert, kind EventKind, r *Report, now time.Time) {
	e := a.touch(kind, r.Author, r.Comment, now)
	e.Intake = r.Intake
	p.add(a, e)
}

// alsoFor adds one more contact's address to what is known already.
func (p *Applied) alsoFor(a *Alert, r *Report, now time.Time) {
	if a.addressed(r) {
		p.note(a, EventRenotified, r, now)
	}
}

// EndNotice ends the notice of a custom notification once no more contacts can
// be told of it, and says whether it did. Its card stays as it is.
func (a *Alert) EndNotice(now time.Time) bool {
	if a.Topic != TopicCustom || a.Status == Resolved || now.Sub(a.UpdatedAt) < sameSaid {
		return false
	}
	a.Status, a.EndsAt = Resolved, now
	return true
}
