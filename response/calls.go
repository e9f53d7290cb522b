// SPDX-License-Identifier: Apache-2.0

package response

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"belfry/alert"
	"belfry/incident"
	"belfry/store"
)

const (
	// callsAtOnce bounds the calls of one look.
	callsAtOnce = 200
	// fullAgain is when a call that a rule's limit held back is looked at again.
	fullAgain = 5 * time.Minute
	// strangeFor is how long a call by a route that declares nothing is kept, and
	// strangeAgain when it is looked at again: another process on the database may
	// have the newer configuration, which this one gets a moment later.
	strangeFor   = 10 * time.Minute
	strangeAgain = time.Minute
)

// waitError says that calls are to be looked at again at a time.
type waitError struct{ until time.Time }

func (e *waitError) Error() string { return "later" }

// Called has KeepCalls look at once; it never waits.
func (r *Response) Called() {
	select {
	case r.called <- struct{}{}:
	default:
	}
}

// KeepCalls declares the incidents that alerts call for by their routes, until
// ctx ends. rule returns how a route declares; false when it does not (any
// more), and its calls are then dropped a while later. Calls are in the store with their
// alerts, and gone in the transaction that answers them: none is lost or
// answered twice, whatever is killed, however many processes look.
func (r *Response) KeepCalls(ctx context.Context, rule func(route string) (incident.Rule, bool), log *slog.Logger) {
	for ctx.Err() == nil {
		wait, err := r.answerCalls(ctx, rule, log)
		if err != nil && ctx.Err() == nil {
			log.Warn("can't declare what alerts call for, will try again", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-r.called:
		case <-r.clock.After(wait):
		}
	}
}

// called is a call with its alert.
type called struct {
	store.Call
	alert *alert.Alert
}

// answerCalls answers what is due and returns when to look again.
func (r *Response) answerCalls(ctx context.Context, rule func(string) (incident.Rule, bool), log *slog.Logger) (wait time.Duration, err error) {
	for ctx.Err() == nil {
		all, err := r.store.NextCalls(ctx, callsAtOnce)
		if err != nil || len(all) == 0 {
			return lookEvery, err
		}
		now := r.now()
		due := slices.DeleteFunc(slices.Clone(all), func(c store.Call) bool { return c.DueAt.After(now) })
		if len(due) == 0 {
			return min(lookEvery, all[0].DueAt.Sub(now)), nil
		}
		if err := r.answerAll(ctx, due, rule, log); err != nil {
			return lookEvery, err
		}
	}
	return lookEvery, nil
}

// answerAll answers calls, those that belong to one incident together.
func (r *Response) answerAll(ctx context.Context, due []store.Call, rule func(string) (incident.Rule, bool), log *slog.Logger) error {
	type group struct{ route, key string }
	groups, order := map[group][]called{}, []group(nil)
	rules := map[string]incident.Rule{}
	for _, c := range due {
		found, known := rule(c.Route)
		a, err := r.store.Alert(ctx, c.AlertID)
		if errors.Is(err, store.ErrUnreadable) && (known || r.now().Sub(c.At) < strangeFor) { // no reason to let the others wait
			if err := r.spoilt(ctx, []alert.ID{c.ID}, c.Route, err, log); err != nil {
				return err
			}
			continue
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrUnreadable) {
			return err
		}
		g := group{route: c.Route} // of no rule: dropped
		if known && err == nil {
			g.key = found.Key(a.MatchLabels())
			rules[c.Route] = found
		}
		if groups[g] == nil {
			order = append(order, g)
		}
		groups[g] = append(groups[g], called{c, a})
	}
	for _, g := range order {
		found, known := rules[g.route]
		if err := r.answer(ctx, found, known && g.key != "", g.key, groups[g], log); err != nil {
			return err
		}
	}
	return nil
}

// answer declares an incident for calls of one group, or attaches their alerts
// to the one that there is.
func (r *Response) answer(ctx context.Context, rule incident.Rule, known bool, key string, list []called, log *slog.Logger) error {
	ids, numbers := make([]alert.ID, len(list)), []int64(nil)
	for n, c := range list {
		ids[n] = c.ID
		if c.alert != nil {
			numbers = append(numbers, c.alert.Number)
		}
	}
	if now := r.now(); !known && slices.ContainsFunc(list, func(c called) bool { return c.alert != nil && now.Sub(c.At) < strangeFor }) {
		return r.store.PostponeCalls(ctx, ids, now.Add(strangeAgain), "")
	}
	if !known {
		log.Warn("alerts called for incidents by a route that declares none any more, or are no longer kept", "route", list[0].Route, "alerts", len(list))
		return r.drop(ctx, ids)
	}
	settings, now := r.settings(), r.now()
	origin := store.Origin{Name: rule.By().Name, Key: key, Since: now.Add(-incident.LimitSpan)}
	err := r.store.ChangeIncident(ctx, store.IncidentChange{Calls: ids, Alerts: numbers, Origin: origin, Apply: func(v store.IncidentView) ([]store.IncidentEffect, error) {
		return r.callEffects(v, &settings, &rule, key, numbers)
	}})
	if later, ok := errors.AsType[*waitError](err); ok {
		return r.store.PostponeCalls(ctx, ids, later.until, "")
	}
	if errors.Is(err, store.ErrUnreadable) { // the route's last incident, mostly
		return r.spoilt(ctx, ids, rule.Route, err, log)
	}
	if _, storage := errors.AsType[*store.IncidentError](err); err == nil || storage {
		return err
	}
	// It would be refused for ever. The alerts themselves have their cards.
	log.Error("a route can't declare its incident", "route", rule.Route, "alerts", len(list), "err", err)
	return r.drop(ctx, ids)
}

// spoilt puts calls off that can't be answered because something stored can't be
// read back, and has that told: in the log, and where people look (package
// doctor). A newer Belfry beside this one may read it, or somebody mends it.
func (r *Response) spoilt(ctx context.Context, ids []alert.ID, route string, why error, log *slog.Logger) error {
	log.Error("alerts call for an incident in vain, will try again", "route", route, "alerts", len(ids), "after", spoiltAgain.String(), "err", why)
	return r.store.PostponeCalls(ctx, ids, r.now().Add(spoiltAgain), why.Error())
}

func (r *Response) drop(ctx context.Context, ids []alert.ID) error {
	return r.store.ChangeIncident(ctx, store.IncidentChange{Calls: ids, Apply: func(store.IncidentView) ([]store.IncidentEffect, error) { return nil, nil }})
}

// callEffects decides what becomes of calls: the incident of their group gets
// the alerts while it is open; else another one is declared, unless the last one
// ended a moment ago (*waitError) or the rule has reached its limit: then
// whichever of its incidents is open gets them.
func (r *Response) callEffects(v store.IncidentView, s *incident.Settings, rule *incident.Rule, key string, alerts []int64) ([]store.IncidentEffect, error) {
	at := r.now()
	var all, firing []*alert.Alert
	for _, number := range alerts {
		a := v.Alerts[number]
		if a == nil {
			continue
		}
		all = append(all, a)
		if a.Status == alert.Firing {
			firing = append(firing, a)
		}
	}
	if i := v.Incidents[v.Kin.Newest]; i != nil && i.Status.Open() {
		return r.attachAll(i.Clone(), i, nil, all, rule, at), nil
	} else if i != nil && len(firing) > 0 {
		if until := i.Ended().Add(rule.CoolDown); at.Before(until) {
			return nil, &waitError{until}
		}
	}
	if len(firing) == 0 {
		return nil, nil // it is over, and nobody was called
	}
	if v.Kin.Declared >= rule.Limit {
		i := v.Incidents[v.Kin.Open]
		if i == nil {
			return nil, &waitError{at.Add(fullAgain)}
		}
		before, entries := i.Clone(), []incident.Entry(nil)
		if e, first := i.Catch(rule, at); first {
			entries = append(entries, e)
		}
		return r.attachAll(before, i, entries, all, rule, at), nil
	}
	i, entries, err := incident.Declare(s, rule.Declaration(firing[0]), at)
	if err != nil {
		return nil, fmt.Errorf("route %s: %w", rule.Route, err)
	}
	i.Number, i.Origin, i.OriginKey = v.Next, rule.By().Name, key
	return r.attachAll(nil, i, entries, firing[1:], rule, at), nil
}

// attachAll attaches alerts to i after entries; before is i as it was, nil for a
// new one. Those that are attached already, or
// do not fit any more, which is told once, are left out: they have cards of their own.
func (r *Response) attachAll(before, i *incident.Incident, entries []incident.Entry, alerts []*alert.Alert, rule *incident.Rule, at time.Time) []store.IncidentEffect {
	for _, a := range alerts {
		e, err := i.Attach(a, rule.By(), at)
		ok := err == nil
		if !ok && len(i.Alerts) >= incident.MaxAlerts {
			e, ok = i.Overflow(rule, at)
		}
		if ok {
			entries = append(entries, e)
		}
	}
	if len(entries) == 0 {
		return nil
	}
	return []store.IncidentEffect{r.effect(before, i, entries...)}
}
