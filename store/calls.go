// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"belfry/alert"
	"belfry/incident"
)

// Call is an alert that calls for an incident (Effect.Calls): a row of table
// incident_calls, until it was answered.
type Call struct {
	ID      alert.ID
	AlertID alert.ID
	// Route is the name of the route by which it does.
	Route string
	// At is when it called, DueAt when to look (again).
	At, DueAt time.Time
	// Trouble is what keeps it from being answered, for people; often empty.
	Trouble string
}

// Origin names what machines declare, for IncidentView.
type Origin struct {
	// Name is the machine (Incident.Origin), Key which of its incidents.
	Name, Key string
	// Since is from when on its incidents are counted.
	Since time.Time
}

// Kin are the incidents of an Origin. Those named are among
// IncidentView.Incidents, too.
type Kin struct {
	// Newest is the number of the newest with its key, Open of the newest of the
	// machine that is open, whatever its key; 0: there is none.
	Newest, Open int64
	// Declared counts those of the machine that were declared since Origin.Since.
	Declared int
}

const (
	callColumns  = `id, alert_id, route, due_at, trouble`
	nextCalls    = `SELECT ` + callColumns + ` FROM incident_calls WHERE due_at > 0 ORDER BY due_at, id LIMIT $1`
	stuckCalls   = `SELECT ` + callColumns + ` FROM incident_calls WHERE trouble <> '' ORDER BY id`
	callStands   = `SELECT COUNT(*) FROM incident_calls WHERE id = $1`
	endCall      = `DELETE FROM incident_calls WHERE id = $1`
	newestOf     = `SELECT number FROM incidents WHERE origin = $1 AND origin_key = $2 AND origin <> '' ORDER BY number DESC LIMIT 1`
	newestOpen   = `SELECT number FROM incidents WHERE origin = $1 AND is_open = 1 AND origin <> '' ORDER BY number DESC LIMIT 1`
	declaredOf   = `SELECT COUNT(*) FROM incidents WHERE origin = $1 AND created_at >= $2 AND origin <> ''`
	postponeCall = `UPDATE incident_calls SET due_at = $1, trouble = $2 WHERE id = $3`
)

var insertCalls = newBulk(`INSERT INTO incident_calls (id, alert_id, route, due_at) VALUES `, `(?,?,?,?)`, ``)

// NextCalls returns up to limit calls, the first due first, also those that are
// due later.
func (s *Store) NextCalls(ctx context.Context, limit int) ([]Call, error) {
	return s.calls(ctx, nextCalls, int64(limit))
}

// StuckCalls returns the calls that have a Trouble, the oldest first.
func (s *Store) StuckCalls(ctx context.Context) ([]Call, error) { return s.calls(ctx, stuckCalls) }

func (s *Store) calls(ctx context.Context, text string, args ...any) (list []Call, err error) {
	err = s.query(ctx, "calls for incidents", text, args, func(scan scanner) error {
		var c Call
		var due int64
		err := scan(&c.ID, &c.AlertID, &c.Route, &due, &c.Trouble)
		c.At, c.DueAt = timeOf(int64(c.ID>>nodeBits)), timeOf(due)
		list = append(list, c)
		return err
	})
	return list, err
}

// PostponeCalls has calls looked at again at a time; those that were answered
// meanwhile are left alone. trouble is their Call.Trouble from then on.
func (s *Store) PostponeCalls(ctx context.Context, ids []alert.ID, until time.Time, trouble string) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		for _, id := range ids {
			if err := t.exec(ctx, postponeCall, micros(until), writable(trouble), int64(id)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("can't postpone calls for incidents: %w", err)
	}
	return nil
}

// SetOnCall has f told when calls were stored; it must not wait.
func (s *Store) SetOnCall(f func()) { s.onCall.Store(&f) }

// callFlush writes the calls of the alerts of a batch.
func (f *fold) callFlush(ctx context.Context) error {
	var rows []any
	for _, e := range f.touched {
		for _, route := range e.calls {
			rows = append(rows, int64(f.store.ids.next(f.now)), int64(e.a.ID), route, micros(f.now))
		}
	}
	if len(rows) == 0 {
		return nil
	}
	f.called = true
	return f.execBulk(ctx, insertCalls, nil, rows)
}

// answers says whether the calls that a change answers are still there, all of
// them: otherwise somebody else was first.
func (t *tx) answers(ctx context.Context, calls []alert.ID) (bool, error) {
	for _, id := range calls {
		var n int64
		if err := t.one(ctx, callStands, []any{int64(id)}, &n); err != nil || n == 0 {
			return false, err
		}
	}
	return true, nil
}

func (t *tx) endCalls(ctx context.Context, calls []alert.ID) error {
	for _, id := range calls {
		if err := t.exec(ctx, endCall, int64(id)); err != nil {
			return err
		}
	}
	return nil
}

// kin looks an origin up; the numbers found are to be read as well.
func (t *tx) kin(ctx context.Context, o Origin) (k Kin, numbers []int64, err error) {
	if o.Name == "" {
		return k, nil, nil
	}
	for _, x := range []struct {
		text string
		args []any
		into *int64
	}{{newestOf, []any{o.Name, o.Key}, &k.Newest}, {newestOpen, []any{o.Name}, &k.Open}} {
		if err := t.one(ctx, x.text, x.args, x.into); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return k, nil, err
		}
		if *x.into != 0 {
			numbers = append(numbers, *x.into)
		}
	}
	var n int64
	if err := t.one(ctx, declaredOf, []any{o.Name, micros(o.Since)}, &n); err != nil {
		return k, nil, err
	}
	k.Declared = int(n)
	return k, numbers, nil
}

// IncidentFrom returns the newest incident that a machine declared under a key,
// or ErrNotFound.
func (s *Store) IncidentFrom(ctx context.Context, name, key string) (*incident.Incident, error) {
	return s.incident(ctx, incidentFrom, name, key)
}

const incidentFrom = `SELECT ` + incidentColumns + ` FROM incidents WHERE origin = $1 AND origin_key = $2 AND origin <> '' ORDER BY number DESC LIMIT 1`
