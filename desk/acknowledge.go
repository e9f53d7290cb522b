// SPDX-License-Identifier: Apache-2.0

package desk

import (
	"context"

	"belfry/alert"
	"belfry/store"
)

// AnyGeneration is for acts that do not come from a button: they mean the
// alert as it is.
const AnyGeneration = -1

// Acknowledge notes that by takes care of the alert and has the monitoring
// system told. generation is the one the person's button was made for, so that
// an old button does nothing new. Errors are those of package alert, ErrNoAlert
// and ErrChanged.
func (d *Desk) Acknowledge(ctx context.Context, id alert.ID, generation int, by, comment string) error {
	return d.wish(ctx, id, func(a *alert.Alert) (alert.Event, error) {
		before := a.Ack.Generation
		e, err := a.RequestAck(by, comment, !d.can(a.Source, CanAcknowledge), d.clock.Now())
		if err == nil && generation != AnyGeneration && generation != before {
			err = ErrChanged
		}
		return e, err
	})
}

// Unacknowledge notes that by wants the acknowledgement removed and has the
// monitoring system told. Arguments and errors are as for Acknowledge.
func (d *Desk) Unacknowledge(ctx context.Context, id alert.ID, generation int, by string) error {
	return d.wish(ctx, id, func(a *alert.Alert) (alert.Event, error) {
		before := a.Ack.Generation
		e, err := a.RequestUnack(by, d.clock.Now())
		if err == nil && generation != AnyGeneration && generation != before {
			err = ErrChanged
		}
		return e, err
	})
}

// wish stores what a person wants and, where the monitoring system has to
// confirm it, the write-back.
func (d *Desk) wish(ctx context.Context, id alert.ID, act func(a *alert.Alert) (alert.Event, error)) error {
	return d.one(ctx, store.Change{ID: id, Apply: func(v store.View) ([]store.Effect, error) {
		if v.Alert == nil {
			return nil, ErrNoAlert
		}
		a := v.Alert.Clone()
		e, err := act(a)
		if err != nil {
			return nil, err
		}
		effect := d.effect(a, []alert.Event{e})
		// The card says "acknowledging…" to people who wait for it: it goes
		// ahead of other alerts of the same severity.
		effect.Priority++
		if e.Kind == alert.EventAckWanted || e.Kind == alert.EventUnackWanted {
			effect.Writeback = MonitorDestination(a.Source)
		}
		return []store.Effect{effect}, nil
	}})
}

// Instruct has the monitoring system told something about the alert's object:
// a comment, a downtime, a check, or whether to notify of it. ErrCannot when it can't be told that.
func (d *Desk) Instruct(ctx context.Context, id alert.ID, by, text string, what alert.Instruction) error {
	return d.one(ctx, store.Change{ID: id, Apply: func(v store.View) ([]store.Effect, error) {
		if v.Alert == nil {
			return nil, ErrNoAlert
		}
		a := v.Alert.Clone()
		if !d.can(a.Source, Ability(what.Do)) {
			return nil, ErrCannot
		}
		effect := d.effect(a, []alert.Event{a.Instruct(by, text, what, d.clock.Now())})
		effect.Writeback = MonitorDestination(a.Source)
		return []store.Effect{effect}, nil
	}})
}
