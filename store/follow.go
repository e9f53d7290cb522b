// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"belfry/alert"
	"belfry/incident"
)

// followedSet knows the objects whose alerts are attached to incidents that are
// not over, so that what happens to any other alert costs one look into a map.
// It may hold more than it must: what it finds is looked for on disk. It is
// right for the reason that openSet is; where the database is shared there is
// none, and every change of an alert that could be told is looked for.
type followedSet struct{ objects map[object]struct{} }

// notOver are the incidents that may be told something (see incident.Follows).
const notOver = `status NOT IN ('closed', 'cancelled')`

func loadFollowed(ctx context.Context, q *session) (*followedSet, error) {
	s := &followedSet{objects: map[object]struct{}{}}
	err := q.each(ctx, `SELECT DISTINCT a.source, a.fingerprint FROM incident_alerts a JOIN incidents i ON i.id = a.incident_id WHERE i.`+notOver, nil,
		func(scan scanner) error {
			var o object
			err := scan(&o.source, &o.fingerprint)
			s.add(o)
			return err
		})
	return s, err
}

// add notes an object. That the transaction may still fail does no harm.
func (s *followedSet) add(o object) {
	if s != nil {
		s.objects[o] = struct{}{}
	}
}

// may says whether an object's alerts may be attached to something.
func (s *followedSet) may(o object) bool {
	if s == nil {
		return true
	}
	_, ok := s.objects[o]
	return ok
}

var (
	// The rows of wanted are few, and each is looked up by the index.
	incidentsOfObjects = newBulk(`WITH wanted (source, fingerprint) AS (VALUES `, `(?, ?)`, `) SELECT i.number, a.source, a.fingerprint
		FROM wanted CROSS JOIN incident_alerts a JOIN incidents i ON i.id = a.incident_id
		WHERE a.source = wanted.source AND a.fingerprint = wanted.fingerprint AND i.`+notOver)
	alertsByNumber = newBulk(`SELECT `+alertColumns("")+` FROM alerts WHERE number IN (`, `?`, `)`)
)

// alertsCalled returns alerts by their numbers.
func (t *tx) alertsCalled(ctx context.Context, numbers []int64) (map[int64]*alert.Alert, error) {
	found := map[int64]*alert.Alert{}
	err := t.eachBulk(ctx, alertsByNumber, nil, idArgs(numbers), func(scan scanner) error {
		a, _, err := scanAlert(scan)
		if err == nil {
			found[a.Number] = a
		}
		return err
	})
	return found, err
}

// follow tells the incidents that alerts are attached to what became of those,
// in the transaction in which it did: so it is told once, or not at all where
// the change itself was not stored. Nothing of an incident may keep an alert
// from being stored: one that can't be read back is left alone.
func (f *fold) follow(ctx context.Context) error {
	news := map[object][]*entry{}
	var wanted []any
	for _, e := range f.touched {
		o := object{e.a.Source, e.a.Fingerprint}
		if !slices.ContainsFunc(e.events, func(ev alert.Event) bool { return incident.Tells(&ev) }) || !f.store.followed.may(o) {
			continue
		}
		if news[o] == nil {
			wanted = append(wanted, o.source, string(o.fingerprint))
		}
		news[o] = append(news[o], e)
	}
	if len(wanted) == 0 {
		return nil
	}
	of := map[int64][]*entry{}
	err := f.eachBulk(ctx, incidentsOfObjects, nil, wanted, func(scan scanner) error {
		var number int64
		var o object
		if err := scan(&number, &o.source, &o.fingerprint); err != nil {
			return err
		}
		for _, e := range news[o] {
			if !slices.Contains(of[number], e) { // two of its alerts are the object's
				of[number] = append(of[number], e)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, number := range slices.Sorted(maps.Keys(of)) {
		if err := f.tellIncident(ctx, number, of[number]); err != nil {
			return err
		}
	}
	return nil
}

// tellIncident tells one incident what became of alerts.
func (f *fold) tellIncident(ctx context.Context, number int64, news []*entry) error {
	v, err := f.incidentView(ctx, []int64{number})
	if errors.Is(err, ErrUnreadable) {
		f.store.log.Error("what became of an alert is not told in its incident's timeline", "incident", number, "err", err)
		return nil
	}
	if err != nil {
		return err
	}
	i := v.Incidents[number]
	before := i.Clone()
	entries, err := followed(i, news, f.now.UTC().Truncate(time.Microsecond))
	if err != nil {
		f.store.log.Error("what became of an alert is not told in its incident's timeline", "incident", number, "err", err)
		return nil
	}
	if i.Revision == before.Revision {
		return nil
	}
	e := IncidentEffect{Incident: i, Entries: entries, Stale: true, Priority: int(alert.SeverityCritical)}
	return f.putIncident(ctx, &e, before, 0)
}

// followed has i note what became of alerts. Somebody else's mistake there must
// not take down what everybody depends on.
func followed(i *incident.Incident, news []*entry, now time.Time) (entries []incident.Entry, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it failed inside: %v\n%s", p, debug.Stack())
		}
	}()
	for _, e := range news {
		entries = append(entries, i.Follow(e.a, e.events, now)...)
	}
	return entries, nil
}
