// SPDX-License-Identifier: Apache-2.0

// Package desk is what people and machines can do with alerts, each act one
// transaction: take in what monitoring reports (Ingest), acknowledge and take
// that back, tell a monitoring system something (Instruct), and note what
// monitoring systems confirmed, refused or show (Confirm…, Refuse, Delay,
// Observe).
//
// An act changes the alert, adds to its history and makes the duties that
// follow: cards to bring up to date, notes to say, a write-back to carry out.
// Nothing here talks to the outside; the delivery engine does, afterwards.
package desk

import (
	"context"
	"errors"
	"slices"

	"belfry/alert"
	"belfry/clock"
	"belfry/store"
)

// Store is what the desk needs of the store.
type Store interface {
	// Change carries the acts out and returns each one's own error, and the
	// storage's.
	Change(ctx context.Context, changes ...store.Change) ([]error, error)
	// OpenAlerts returns a source's alerts that are firing.
	OpenAlerts(ctx context.Context, source string) ([]*alert.Alert, error)
	// Alerts returns the alerts that a filter lets through.
	Alerts(ctx context.Context, f store.Filter) ([]*alert.Alert, error)
	// Changed returns, with after 0, every alert that is firing.
	Changed(ctx context.Context, after alert.ID) ([]*alert.Alert, alert.ID, error)
	CreateMute(ctx context.Context, m store.Mute) (store.Mute, error)
	EndMute(ctx context.Context, number int64, by string) (store.Mute, error)
	// Mutes returns those whose end was not settled yet.
	Mutes(ctx context.Context) ([]store.Mute, error)
	SettleMute(ctx context.Context, id alert.ID) error
}

// Routing is where an alert belongs.
type Routing struct {
	// Destinations are "connection/channel", each once.
	Destinations []string
	// Rings is how the card at each of Destinations is announced, in their
	// order; nil: all of them silently.
	Rings []alert.Ring
	// Calls are the routes by which the alert calls for an incident.
	Calls []string
}

// Router knows the routes.
type Router interface {
	Route(l alert.Labeled) Routing
	// Named returns the destination of a channel that a report named itself:
	// "connection/channel", or "channel" of the default connection. ok is
	// false when there is no such connection.
	Named(channel string) (destination string, ok bool)
}

// Ability is something that a source's monitoring system may be able to do.
type Ability string

// The abilities.
const (
	CanAcknowledge Ability = "acknowledge"
	CanComment     Ability = "comment"
	CanDowntime    Ability = "downtime"
	CanCheck       Ability = "check"
	// CanNotifications is to notify of an object, or not to.
	CanNotifications Ability = "notifications"
)

// Abilities says what a source's monitoring system can be told.
type Abilities func(source string, a Ability) bool

// Desk carries acts out. It is safe for concurrent use.
type Desk struct {
	store  Store
	router Router
	can    Abilities
	clock  clock.Clock
	mutes  mutes
}

// New returns a desk.
func New(s Store, r Router, can Abilities, c clock.Clock) *Desk {
	return &Desk{store: s, router: r, can: can, clock: c, mutes: newMutes()}
}

// MonitorDestination is where the write-backs of a source go.
func MonitorDestination(source string) string { return "monitor/" + source }

// Errors that acts return besides those of package alert. Their texts are
// shown to people.
var (
	ErrNoAlert = errors.New("this alert is no longer kept")
	ErrChanged = errors.New("the card has changed since; look again and press once more")
	ErrCannot  = errors.New("this source can't be told that")
)

// one carries a single act out.
func (d *Desk) one(ctx context.Context, c store.Change) error {
	errs, err := d.store.Change(ctx, c)
	if err != nil {
		return err
	}
	return errs[0]
}

// onAlert carries out an act on one alert. act gets a copy that it may change,
// and says by its second result whether anything did.
func (d *Desk) onAlert(ctx context.Context, id alert.ID, act func(a *alert.Alert) (alert.Event, bool, error)) error {
	return d.one(ctx, store.Change{ID: id, Apply: func(v store.View) ([]store.Effect, error) {
		if v.Alert == nil {
			return nil, ErrNoAlert
		}
		a := v.Alert.Clone()
		e, changed, err := act(a)
		if err != nil || !changed {
			return nil, err
		}
		return []store.Effect{d.effect(a, []alert.Event{e})}, nil
	}})
}

// effect says what has to be stored and done for an alert that changed.
func (d *Desk) effect(a *alert.Alert, events []alert.Event) store.Effect {
	had := a.Cards
	out := store.Effect{Alert: a, Events: events, Priority: int(a.Severity), DropWritebacks: overtaken(a, events)}
	if a.Status == alert.Firing || len(had) == 0 {
		out.NewCards, out.Calls = d.routed(a)
		a.Cards, a.Called = slices.Concat(had, out.NewCards), slices.Concat(a.Called, out.Calls)
	}
	if len(had) == 0 {
		return out
	}
	out.Stale = true
	if slices.ContainsFunc(events, func(e alert.Event) bool { return e.Kind.Notable() }) {
		out.Notes = had
	}
	return out
}

// overtaken says whether events leave nothing to do of what was wanted before
// about the acknowledgement: it is confirmed or refused, there is a newer wish,
// or the problem is over.
func overtaken(a *alert.Alert, events []alert.Event) bool {
	if a.Ack.Generation == 0 {
		return false // nobody ever wanted anything
	}
	return a.Status == alert.Resolved || slices.ContainsFunc(events, func(e alert.Event) bool {
		switch e.Kind {
		case alert.EventAckWanted, alert.EventAcknowledged, alert.EventAckRefused,
			alert.EventUnackWanted, alert.EventUnacked, alert.EventUnackRefused:
			return true
		}
		return false
	})
}

// routed returns the destinations that should have a card and have none, and the
// routes by which a problem calls for an incident and did not yet: none at all
// while the alert is muted.
func (d *Desk) routed(a *alert.Alert) (fresh, calls []string) {
	if d.Muted(a) {
		return nil, nil
	}
	routing := d.router.Route(a)
	for _, name := range routing.Calls {
		if a.Topic == alert.TopicProblem && a.Status == alert.Firing && !slices.Contains(a.Called, name) {
			calls = append(calls, name)
		}
	}
	add := func(destination string) bool {
		if slices.Contains(a.Cards, destination) || slices.Contains(fresh, destination) {
			return false
		}
		fresh = append(fresh, destination)
		return true
	}
	for i, destination := range routing.Destinations {
		if add(destination) && i < len(routing.Rings) {
			a.SetRing(destination, routing.Rings[i])
		}
	}
	for _, named := range a.Channels {
		if destination, ok := d.router.Named(named); ok {
			add(destination)
		}
	}
	return fresh, calls
}
