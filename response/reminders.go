// SPDX-License-Identifier: Apache-2.0

package response

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"belfry/incident"
	"belfry/store"
)

// lookEvery is how often it is looked for what falls due: another process on
// the same database may have stored it.
const lookEvery = 15 * time.Second

// spoiltAgain is when what can't be read back is looked at again.
const spoiltAgain = 5 * time.Minute

// KeepReminders reminds people of what incidents lack, until ctx ends. What is
// due is in the store: a restart loses nothing, and what was missed meanwhile is
// said once. Whoever says it notes so in the same transaction: of several
// processes one does.
func (r *Response) KeepReminders(ctx context.Context, log *slog.Logger) {
	var armed *rules
	for ctx.Err() == nil {
		wait, err := r.keepReminders(ctx, &armed, log)
		if err != nil && ctx.Err() == nil {
			log.Warn("can't remind people of incidents, will try again", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-r.clock.After(wait):
		}
	}
}

// rules are the settings by which reminders are due.
type rules struct {
	reminders incident.Reminders
	leader    string
}

// keepReminders says what is due and returns when to look again. armed are the
// rules by which all that is stored was reckoned; nil: that isn't known.
func (r *Response) keepReminders(ctx context.Context, armed **rules, log *slog.Logger) (wait time.Duration, err error) {
	s := r.settings()
	now := rules{s.Reminders, s.Leader()}
	if *armed == nil || **armed != now {
		if err := r.rearm(ctx, log); err != nil {
			return lookEvery, err
		}
		*armed = &now
	}
	for ctx.Err() == nil {
		number, at, err := r.store.NextReminder(ctx)
		if err != nil || number == 0 {
			return lookEvery, err
		}
		if left := at.Sub(r.now()); left > 0 {
			return min(left, lookEvery), nil
		}
		err = r.remind(ctx, number)
		if errors.Is(err, store.ErrUnreadable) { // the others are due all the same
			log.Error("nobody can be reminded of an incident", "err", err, "incident", number)
			err = r.store.PostponeReminder(ctx, number, r.now().Add(spoiltAgain))
		}
		if err != nil {
			return lookEvery, err
		}
	}
	return lookEvery, nil
}

// rearm reckons anew when people are reminded: by other settings, or of
// incidents that were stored when there were no reminders yet.
func (r *Response) rearm(ctx context.Context, log *slog.Logger) error {
	numbers, err := r.store.Unresting(ctx)
	if err != nil {
		return err
	}
	for _, number := range numbers {
		i, err := r.store.Incident(ctx, number)
		if errors.Is(err, store.ErrUnreadable) {
			log.Error("nobody can be reminded of an incident", "err", err, "incident", number)
			continue
		}
		if err != nil {
			return fmt.Errorf("incident #%d: %w", number, err)
		}
		settings := r.settings()
		if i.NextReminder(&settings).Equal(i.RemindAt) {
			continue
		}
		err = r.change(ctx, []int64{number}, func(v store.IncidentView) ([]store.IncidentEffect, error) {
			if i := v.Incidents[number]; i != nil {
				return []store.IncidentEffect{r.quiet(i.Clone(), i)}, nil
			}
			return nil, nil
		})
		if err != nil {
			return fmt.Errorf("incident #%d: %w", number, err)
		}
	}
	return nil
}

// remind says what is due about one incident; where by now nothing is, only the
// next time is stored.
func (r *Response) remind(ctx context.Context, number int64) error {
	return r.change(ctx, []int64{number}, func(v store.IncidentView) ([]store.IncidentEffect, error) {
		i := v.Incidents[number]
		if i == nil {
			return nil, nil
		}
		settings := r.settings()
		before := i.Clone()
		return []store.IncidentEffect{r.quiet(before, i, i.Remind(&settings, r.now())...)}, nil
	})
}

// quiet is effect for what no card shows.
func (r *Response) quiet(before, i *incident.Incident, entries ...incident.Entry) store.IncidentEffect {
	e := r.effect(before, i, entries...)
	e.Stale = false
	return e
}
