// SPDX-License-Identifier: Apache-2.0

package desk

import (
	"context"
	"errors"
	"time"

	"belfry/alert"
	"belfry/monitor"
	"belfry/store"
)

// ConfirmAck notes that the monitoring system has the acknowledgement. by and
// comment are empty when it does not say whose it is.
func (d *Desk) ConfirmAck(ctx context.Context, id alert.ID, by, comment string) error {
	return d.onAlert(ctx, id, func(a *alert.Alert) (alert.Event, bool, error) {
		e, changed := a.ConfirmAck(by, comment, d.clock.Now())
		return e, changed, nil
	})
}

// ConfirmUnack notes that the monitoring system has no acknowledgement any
// more. by is who removed it, where that is known.
func (d *Desk) ConfirmUnack(ctx context.Context, id alert.ID, by string) error {
	return d.onAlert(ctx, id, func(a *alert.Alert) (alert.Event, bool, error) {
		e, changed := a.ConfirmUnack(by, d.clock.Now())
		return e, changed, nil
	})
}

// Refuse notes that the monitoring system refused what generation asked for.
func (d *Desk) Refuse(ctx context.Context, id alert.ID, generation int, reason string) error {
	return d.onAlert(ctx, id, func(a *alert.Alert) (alert.Event, bool, error) {
		e, changed := a.RefuseAck(generation, reason, d.clock.Now())
		return e, changed, nil
	})
}

// Delay notes why what generation asked for still waits.
func (d *Desk) Delay(ctx context.Context, id alert.ID, generation int, reason string) error {
	return d.onAlert(ctx, id, func(a *alert.Alert) (alert.Event, bool, error) {
		e, changed := a.DelayAck(generation, reason, d.clock.Now())
		return e, changed, nil
	})
}

// Instructed notes that the monitoring system took an instruction, or why not.
func (d *Desk) Instructed(ctx context.Context, id alert.ID, e alert.Event, refusal string) error {
	return d.onAlert(ctx, id, func(a *alert.Alert) (alert.Event, bool, error) {
		return a.Instructed(e, refusal, d.clock.Now()), true, nil
	})
}

// Refresh has the cards of an alert rendered anew.
func (d *Desk) Refresh(ctx context.Context, id alert.ID) error {
	return d.onAlert(ctx, id, func(a *alert.Alert) (alert.Event, bool, error) {
		return a.Refresh(d.clock.Now()), true, nil
	})
}

// noticesAtOnce bounds how many notices are ended in one go.
const noticesAtOnce = 1000

// EndNotices ends the notices of custom notifications that no more contacts
// can be told of. Nobody reads of it: their cards say all there is.
func (d *Desk) EndNotices(ctx context.Context) error {
	open, err := d.store.Alerts(ctx, store.Filter{Topic: alert.TopicCustom, Status: alert.Firing, Limit: noticesAtOnce})
	if err != nil {
		return err
	}
	var changes []store.Change
	for _, a := range open {
		changes = append(changes, store.Change{ID: a.ID, Apply: func(v store.View) ([]store.Effect, error) {
			if v.Alert == nil {
				return nil, nil
			}
			if a := v.Alert.Clone(); a.EndNotice(d.clock.Now()) {
				return []store.Effect{{Alert: a}}, nil
			}
			return nil, nil
		}})
	}
	errs, err := d.store.Change(ctx, changes...)
	return errors.Join(append(errs, err)...)
}

// settled is how old something must be before a status that shows otherwise is
// believed: cores write their status some seconds after they acted.
const settled = 15 * time.Second

// Observe compares what a monitoring system shows with the open problems of
// its source: acknowledgements set or removed there, recoveries whose
// notification never came, names that nobody passed along. read is asked for
// their status.
func (d *Desk) Observe(ctx context.Context, source string, read monitor.StatusReader) error {
	open, err := d.store.OpenAlerts(ctx, source)
	if err != nil {
		return err
	}
	problems := open[:0]
	for _, a := range open {
		if a.Topic == alert.TopicProblem {
			problems = append(problems, a)
		}
	}
	if len(problems) == 0 {
		return nil
	}
	objects := make([]alert.Object, len(problems))
	for i, a := range problems {
		objects[i] = a.Object
	}
	statuses, err := read.Status(ctx, objects)
	if err != nil {
		return err
	}
	for i, a := range problems {
		if i < len(statuses) && statuses[i].Known {
			if err := d.named(ctx, a, statuses[i]); err != nil {
				return err
			}
			if err := d.observe(ctx, a, statuses[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// named notes names that the monitoring system tells and nobody passed along:
// whoever was told of the alert before only had what identifies its object.
func (d *Desk) named(ctx context.Context, seen *alert.Alert, s monitor.Status) error {
	if _, news := seen.Clone().Named(s.HostName, s.ServiceName, d.clock.Now()); !news {
		return nil
	}
	return d.onAlert(ctx, seen.ID, func(a *alert.Alert) (alert.Event, bool, error) {
		e, changed := a.Named(s.HostName, s.ServiceName, d.clock.Now())
		return e, changed, nil
	})
}

// observe turns a difference into the report that was missed. It counts only
// if nothing happened to the alert since it was compared.
func (d *Desk) observe(ctx context.Context, seen *alert.Alert, s monitor.Status) error {
	old := func(t time.Time) bool { return s.AsOf.Sub(t) > settled }
	r := alert.Report{Object: seen.Object, ProblemID: seen.ProblemID, At: s.AsOf, NoEmoji: seen.NoEmoji,
		State: seen.State, Severity: seen.Severity, Author: s.Author, Comment: s.Comment}
	switch {
	case s.OK && old(seen.UpdatedAt):
		r.Kind, r.Severity, r.State = alert.ReportRecovery, alert.SeverityOK, "OK"
		if seen.Object.Kind == alert.KindHost {
			r.State = "UP"
		}
		r.Output = "recovered; seen in the status, no notification came"
	case s.OK:
		return nil
	case s.Acknowledged && seen.Ack.Phase == alert.AckNone && old(seen.UpdatedAt):
		r.Kind = alert.ReportAck
	case !s.Acknowledged && seen.Ack.Phase == alert.AckSet && !seen.Ack.Local && old(seen.UpdatedAt):
		r.Kind, r.Author = alert.ReportUnack, ""
	default:
		return nil
	}
	c := d.intake(seen.Source, r)
	apply := c.Apply
	c.Apply = func(v store.View) ([]store.Effect, error) {
		if now := v.Open[alert.TopicProblem]; now == nil || now.ID != seen.ID || now.Revision != seen.Revision {
			return nil, nil
		}
		return apply(v)
	}
	return d.one(ctx, c)
}
