// SPDX-License-Identifier: Apache-2.0

package estate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"belfry/alert"
	"belfry/fault"
	"belfry/monitor"
)

// maxText bounds what a person can leave with an object, in bytes.
const maxText = 2000

// maxRemarks bounds how many comments are kept with an object.
const maxRemarks = 20

// after waits as long as a command takes and then does it under the lock. What
// do returns is a refusal.
func (e *Estate) after(ctx context.Context, o alert.Object, do func(t *thing, now time.Time) error) (monitor.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return monitor.Receipt{}, fault.NewRetry(fmt.Errorf("the demo's estate was not told: %w", err))
	}
	select {
	case <-ctx.Done():
		return monitor.Receipt{}, fault.NewRetry(fmt.Errorf("the demo's estate was not told: %w", ctx.Err()))
	case <-e.clock.After(e.delay):
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.find(o)
	if err == nil {
		err = do(t, e.clock.Now())
	}
	if err != nil {
		return monitor.Receipt{}, fault.NewPermanent(err)
	}
	return monitor.Receipt{Confirmed: true}, nil
}

// Acknowledge implements monitor.Acknowledger. What is well can't be
// acknowledged; an acknowledgement lasts until the thing is well again.
func (e *Estate) Acknowledge(ctx context.Context, a monitor.Acknowledgement) (monitor.Receipt, error) {
	return e.after(ctx, a.Object, func(t *thing, now time.Time) error {
		author, err := named(a.Author)
		if err != nil {
			return err
		}
		if t.ok() {
			return fmt.Errorf("%s is %s; there is nothing to acknowledge", monitor.Quote(t.object.Name()), t.state)
		}
		t.acked, t.author, t.comment = true, author, text(a.Comment)
		r := t.report(alert.ReportAck, now)
		r.Author, r.Comment = t.author, t.comment
		e.say(r)
		return nil
	})
}

// Unacknowledge implements monitor.Acknowledger.
func (e *Estate) Unacknowledge(ctx context.Context, o alert.Object) (monitor.Receipt, error) {
	return e.after(ctx, o, func(t *thing, _ time.Time) error {
		t.acked, t.author, t.comment = false, "", ""
		return nil
	})
}

// Comment implements monitor.Commenter.
func (e *Estate) Comment(ctx context.Context, o alert.Object, author, remark string) (monitor.Receipt, error) {
	return e.after(ctx, o, func(t *thing, _ time.Time) error {
		if text(remark) == "" {
			return errors.New("the comment is empty")
		}
		author, err := named(author)
		if err != nil {
			return err
		}
		if t.remarks = append(t.remarks, author+": "+text(remark)); len(t.remarks) > maxRemarks {
			t.remarks = t.remarks[1:]
		}
		return nil
	})
}

// Downtime implements monitor.Downtimer, for downtimes that start now: the
// estate has no calendar.
func (e *Estate) Downtime(ctx context.Context, d monitor.Downtime) (monitor.Receipt, error) {
	return e.after(ctx, d.Object, func(t *thing, now time.Time) error {
		author, err := named(d.Author)
		switch {
		case err != nil:
			return err
		case !d.End.After(d.Start), !d.End.After(now):
			return errors.New("the downtime ends before it starts, or before now")
		case d.Start.After(now):
			return errors.New("the demo's estate has no calendar; a downtime has to start now")
		}
		t.downUntil = d.End
		r := t.report(alert.ReportDowntime, now)
		r.Author, r.Comment = author, text(d.Comment)
		e.say(r)
		return nil
	})
}

// CheckNow implements monitor.Checker: the result is what it was.
func (e *Estate) CheckNow(ctx context.Context, o alert.Object) (monitor.Receipt, error) {
	return e.after(ctx, o, func(*thing, time.Time) error { return nil })
}

// Status implements monitor.StatusReader.
func (e *Estate) Status(ctx context.Context, objects []alert.Object) ([]monitor.Status, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.NewRetry(fmt.Errorf("the demo's estate was not asked: %w", err))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.clock.Now()
	out := make([]monitor.Status, len(objects))
	for i, o := range objects {
		out[i].AsOf = now
		if t, err := e.find(o); err == nil {
			out[i] = monitor.Status{Known: true, OK: t.ok(), Acknowledged: t.acked, Author: t.author, Comment: t.comment,
				InDowntime: t.inDowntime(now), AsOf: now}
		}
	}
	return out, nil
}

// named returns the author as the estate keeps it; nobody may act unnamed.
func named(author string) (string, error) {
	if author = text(author); author == "" {
		return "", errors.New("nobody is named as the author")
	}
	return author, nil
}

// text makes what a person wrote fit to be kept.
func text(s string) string {
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return strings.TrimSpace(monitor.Printable(s))
}
