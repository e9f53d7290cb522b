// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"

	"belfry/alert"
	"belfry/incident"
)

// IncidentChange is one act upon incidents, stored in one transaction. Apply may
// run more than once and must not keep what it is given.
type IncidentChange struct {
	// Numbers are the incidents that Apply looks at, Alerts the numbers of
	// alerts; those that do not exist are missing in its view.
	Numbers []int64
	Alerts  []int64
	// Calls are those that it answers: they are gone with it. Where one of them
	// was answered already, Apply is not asked and nothing is done.
	Calls []alert.ID
	// Origin, with a Name, is what View.Kin is about.
	Origin Origin
	// Key, when not empty, names what is done: it is noted with the first effect,
	// for good, and View.Known then says by which incident it was done.
	Key string
	// Apply decides. An error leaves everything as it was and is returned as
	// it is.
	Apply func(v IncidentView) ([]IncidentEffect, error)
}

// IncidentView is what a change may look at. All of it is the change's own.
type IncidentView struct {
	// Incidents by their numbers.
	Incidents map[int64]*incident.Incident
	// Alerts by their numbers, as they are in this transaction: what becomes of
	// them later is told by the alerts' own changes (see follow).
	Alerts map[int64]*alert.Alert
	// Known is the number of the incident for which Key was noted before; 0: it
	// was not. Whoever has a key decides for themselves what that means.
	Known int64
	// Next is the number that a new incident gets.
	Next int64
	// Kin are the incidents of the change's Origin.
	Kin Kin
}

// IncidentEffect is what is to be stored for one incident.
type IncidentEffect struct {
	// Incident is stored whole. ID 0 makes a new one, whose ID and Number are
	// then filled in, also in Entries; there is at most one in a change.
	Incident *incident.Incident
	// Entries are added to its timeline in order; their IDs are filled in.
	Entries []incident.Entry
	// NewCards are the destinations that get a card.
	NewCards []string
	// Stale makes every card of the incident due at its Revision; a dead card
	// is tried again.
	Stale bool
	// Back are connections that take again what EndDuties ended of it there: a
	// new card is posted, and its channel is kept as before.
	Back []string
	// Notes say which of Entries are said where.
	Notes []IncidentNote
	// Steps are ordered after the cards, in their order.
	Steps []IncidentStep
	// Priority of the duties made or touched.
	Priority int
}

// IncidentNote is an entry that is said.
type IncidentNote struct {
	// Entry is its place in IncidentEffect.Entries, from 0 on.
	Entry int
	// Destinations are those in whose card's thread it is said.
	Destinations []string
}

// ErrChannelTaken says that another incident that is still open has that channel.
var ErrChannelTaken = errors.New("another open incident is run in this channel")

// ChangeIncident carries a change out and returns once it is on disk. The error
// is Apply's, or why its effects were refused, or the storage's.
func (s *Store) ChangeIncident(ctx context.Context, c IncidentChange) error {
	var refused error
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		refused = nil
		v, stand, err := t.viewFor(ctx, &c)
		if err != nil || !stand {
			return err
		}
		before := make(map[alert.ID]*incident.Incident, len(v.Incidents))
		for _, i := range v.Incidents {
			before[i.ID] = i.Clone()
		}
		next := v.Next
		effects, err := decideIncident(c, v)
		if err == nil {
			err = checkIncidents(effects, before)
		}
		if err == nil {
			refused, err = t.channelsTaken(ctx, effects)
			if err != nil {
				return err
			}
			err = refused
		}
		if refused = err; refused != nil {
			return nil // others share the transaction, and nothing was written
		}
		for n := range effects {
			if err := t.putIncident(ctx, &effects[n], before[effects[n].Incident.ID], next); err != nil {
				return err
			}
		}
		if err := t.noteKey(ctx, &c, v, effects); err != nil {
			return err
		}
		return t.endCalls(ctx, c.Calls)
	})
	if err != nil {
		return &IncidentError{err}
	}
	return refused
}

// IncidentError is the storage's trouble with a change of an incident; what
// Apply says comes without it.
type IncidentError struct{ Err error }

// Error implements error.
func (e *IncidentError) Error() string {
	return "can't store what was done with the incident: " + e.Err.Error()
}

// Unwrap returns the storage's error.
func (e *IncidentError) Unwrap() error { return e.Err }

// decideIncident calls Apply; see decide.
func decideIncident(c IncidentChange, v IncidentView) (effects []IncidentEffect, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a change of an incident failed inside: %v\n%s", p, debug.Stack())
		}
	}()
	return c.Apply(v)
}

// checkIncidents refuses what is not the change's to touch.
func checkIncidents(effects []IncidentEffect, known map[alert.ID]*incident.Incident) error {
	seen := map[alert.ID]bool{}
	for _, e := range effects {
		i := e.Incident
		switch {
		case i == nil:
			return errors.New("an effect names no incident")
		case seen[i.ID]:
			return errors.New("one incident has two effects")
		case i.ID != 0 && (known[i.ID] == nil || known[i.ID].Number != i.Number):
			return fmt.Errorf("incident %d is not one that this change may touch", i.ID)
		case i.Status == "" || i.Kind == "":
			return errors.New("an incident needs a status and a kind")
		}
		if err := checkDestinations(&e); err != nil {
			return err
		}
		seen[i.ID] = true
	}
	return nil
}

func checkDestinations(e *IncidentEffect) error {
	texts := slices.Clone(e.NewCards)
	for _, n := range e.Notes {
		if n.Entry < 0 || n.Entry >= len(e.Entries) {
			return errors.New("a note is about no entry")
		}
		texts = append(texts, n.Destinations...)
	}
	for _, s := range e.Steps {
		if s.Entry < 0 || s.Entry > len(e.Entries) {
			return errors.New("a step is about no entry")
		}
		texts = append(texts, s.Destination, s.AfterCard, string(s.Kind), s.Receipt)
	}
	for _, text := range texts {
		if text != writable(text) {
			return fmt.Errorf("%q is not plain text (UTF-8 without NUL)", text)
		}
	}
	return nil
}

const channelTaken = `SELECT COUNT(*) FROM incident_channels c JOIN incidents i ON i.id = c.incident_id
	WHERE c.connection = $1 AND c.channel = $2 AND i.is_open = 1 AND i.id <> $3`

// channelsTaken refuses a second open incident in a channel: what is typed
// there would be about either.
func (t *tx) channelsTaken(ctx context.Context, effects []IncidentEffect) (refused, err error) {
	for _, e := range effects {
		for _, c := range e.Incident.Channels {
			if !e.Incident.Status.Open() {
				continue
			}
			var n int64
			if err := t.one(ctx, channelTaken, []any{c.Connection, c.ID, int64(e.Incident.ID)}, &n); err != nil {
				return nil, err
			}
			if n > 0 {
				return fmt.Errorf("channel %s: %w", c.Name, ErrChannelTaken), nil
			}
		}
	}
	return nil, nil
}

// viewFor is what a change looks at; stand is false where its calls were answered
// already.
func (t *tx) viewFor(ctx context.Context, c *IncidentChange) (v IncidentView, stand bool, err error) {
	if stand, err = t.answers(ctx, c.Calls); err != nil || !stand {
		return v, stand, err
	}
	kin, related, err := t.kin(ctx, c.Origin)
	if err != nil {
		return v, true, err
	}
	if v, err = t.incidentView(ctx, slices.Concat(c.Numbers, related)); err != nil {
		return v, true, err
	}
	v.Kin = kin
	if v.Known, err = t.keyOf(ctx, c.Key); err != nil {
		return v, true, err
	}
	v.Alerts, err = t.alertsCalled(ctx, c.Alerts)
	return v, true, err
}

func (t *tx) incidentView(ctx context.Context, numbers []int64) (IncidentView, error) {
	v := IncidentView{Incidents: map[int64]*incident.Incident{}}
	if err := t.one(ctx, `SELECT COALESCE(MAX(number), 0) + 1 FROM incidents`, nil, &v.Next); err != nil {
		return v, err
	}
	for _, n := range numbers {
		if v.Incidents[n] != nil {
			continue
		}
		var list []*incident.Incident
		err := t.each(ctx, incidentByNumber, []any{n}, func(scan scanner) error {
			i, err := scanIncident(scan)
			list = append(list, i)
			return err
		})
		if err != nil {
			return v, err
		}
		for _, i := range list {
			if err := complete(i, func(text string, row func(scanner) error) error { return t.each(ctx, text, []any{int64(i.ID)}, row) }); err != nil {
				return v, err
			}
			v.Incidents[n] = i
		}
	}
	return v, nil
}

const (
	insertIncident = `INSERT INTO incidents (id, number, status, is_open, kind, severity, private, title, parent, duplicate_of, revision, entries,
		last_id, remind_at, origin, origin_key, created_at, updated_at, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`
	updateIncident = `UPDATE incidents SET status = $1, is_open = $2, kind = $3, severity = $4, private = $5, title = $6, parent = $7, duplicate_of = $8,
		revision = $9, entries = $10, last_id = CASE WHEN last_id < $11 THEN $12 ELSE last_id END, remind_at = $13,
		updated_at = $14, body = $15 WHERE id = $16`
	putWords = `INSERT INTO incident_words (number, words) VALUES ($1, $2) ON CONFLICT (number) DO UPDATE SET words = excluded.words`
	putTask  = `INSERT INTO incident_tasks (incident_id, number, kind, owner, due_at, done_at, body) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (incident_id, number) DO UPDATE SET kind = excluded.kind, owner = excluded.owner, due_at = excluded.due_at,
			done_at = excluded.done_at, body = excluded.body`
	putAttached = `INSERT INTO incident_alerts (incident_id, alert_id, source, fingerprint, body) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (incident_id, alert_id) DO UPDATE SET body = excluded.body`
	putChannel = `INSERT INTO incident_channels (incident_id, connection, channel, body) VALUES ($1, $2, $3, $4)
		ON CONFLICT (incident_id, connection, channel) DO UPDATE SET body = excluded.body`
)

var insertEntries = newBulk(`INSERT INTO incident_entries (incident_id, at, id, kind, body) VALUES `, `(?,?,?,?,?)`, ``)

// putIncident writes one effect; before is the incident as it was, nil for a new one.
func (t *tx) putIncident(ctx context.Context, e *IncidentEffect, before *incident.Incident, next int64) error {
	i, ids := e.Incident, &t.store.ids
	fresh := i.ID == 0
	if fresh {
		i.ID, i.Number = ids.next(t.now), next
		before = &incident.Incident{}
	} else {
		var last alert.ID
		if err := t.one(ctx, `SELECT last_id FROM incidents WHERE id = $1`, []any{int64(i.ID)}, &last); err != nil {
			return err
		}
		ids.after(last) // what another process gave stays below
	}
	rows := make([]any, 0, len(e.Entries)*insertEntries.width)
	for n := range e.Entries {
		x := &e.Entries[n]
		x.IncidentID, x.ID = i.ID, ids.next(t.now)
		body, err := json.Marshal(x)
		if err != nil {
			return fmt.Errorf("can't encode an entry: %w", err)
		}
		rows = append(rows, int64(i.ID), micros(x.At), int64(x.ID), string(x.Kind), string(body))
	}
	duties := t.incidentDuties(e, fresh)
	body, err := json.Marshal(i)
	if err != nil {
		return fmt.Errorf("can't encode incident %s: %w", i.Ref(), err)
	}
	if fresh {
		err = t.exec(ctx, insertIncident, int64(i.ID), i.Number, string(i.Status), bit(i.Status.Open()), string(i.Kind), writable(i.Severity), bit(i.Private),
			writable(i.Title), i.Parent, i.DuplicateOf, i.Revision, int64(i.Entries), int64(ids.last), micros(i.RemindAt), writable(i.Origin), writable(i.OriginKey), micros(i.CreatedAt),
			micros(i.UpdatedAt), string(body))
	} else {
		err = t.exec(ctx, updateIncident, string(i.Status), bit(i.Status.Open()), string(i.Kind), writable(i.Severity), bit(i.Private), writable(i.Title), i.Parent,
			i.DuplicateOf, i.Revision, int64(i.Entries), int64(ids.last), int64(ids.last), micros(i.RemindAt), micros(i.UpdatedAt), string(body),
			int64(i.ID))
	}
	if err != nil {
		return err
	}
	if words := searchText(i); words != searchText(before) {
		if err := t.exec(ctx, putWords, i.Number, words); err != nil {
			return err
		}
	}
	if err := t.execBulk(ctx, insertEntries, nil, rows); err != nil {
		return err
	}
	if err := t.putParts(ctx, i, before); err != nil {
		return err
	}
	if err := t.putFigures(ctx, i, before); err != nil {
		return err
	}
	if err := t.back(ctx, i.ID, e.Back); err != nil {
		return err
	}
	if e.Stale && !fresh {
		now := micros(t.now)
		err := t.eachBulk(ctx, staleCards, nil, []any{int64(i.ID), i.Revision, int64(e.Priority), now, now}, func(scan scanner) error {
			var destination string
			if err := scan(&destination); err != nil {
				return err
			}
			t.due[destination] = struct{}{}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := t.flushDuties(ctx, []*entry{duties}); err != nil {
		return err
	}
	return t.orderSteps(ctx, e)
}

// incidentDuties are the new duties of an effect, in the form in which those of
// alerts are made: what holds for cards and notes is the same for both.
func (t *tx) incidentDuties(e *IncidentEffect, fresh bool) *entry {
	n := &entry{a: &alert.Alert{ID: e.Incident.ID, Revision: e.Incident.Revision}, fresh: fresh}
	add := func(kind DutyKind, destination string, about alert.ID) {
		n.duties = append(n.duties, newDuty{id: t.store.ids.next(t.now), destination: destination, kind: kind, state: DutyDue,
			event: about, priority: e.Priority, dueAt: micros(t.now)})
	}
	for _, destination := range e.NewCards {
		add(DutyCard, destination, 0)
	}
	for _, note := range e.Notes {
		for _, destination := range note.Destinations {
			add(DutyNote, destination, e.Entries[note.Entry].ID)
		}
	}
	return n
}

// putParts writes the tasks, alerts and channels that are not as they were.
func (t *tx) putParts(ctx context.Context, i, before *incident.Incident) error {
	for n, x := range i.Tasks {
		if n < len(before.Tasks) && reflect.DeepEqual(before.Tasks[n], x) {
			continue
		}
		if err := t.putPart(ctx, x, putTask, int64(i.ID), int64(x.Number), string(x.Kind), writable(x.Owner.Name), micros(x.Due), micros(x.Done.At)); err != nil {
			return err
		}
	}
	for n, x := range i.Alerts {
		// All of them: the incident may have been over when the set was read.
		t.store.followed.add(object{x.Source, x.Fingerprint})
		if n < len(before.Alerts) && reflect.DeepEqual(before.Alerts[n], x) {
			continue
		}
		if err := t.putPart(ctx, x, putAttached, int64(i.ID), int64(x.Alert), writable(x.Source), writable(string(x.Fingerprint))); err != nil {
			return err
		}
	}
	for n, x := range i.Channels {
		if n < len(before.Channels) && before.Channels[n] == x {
			continue
		}
		if err := t.putPart(ctx, x, putChannel, int64(i.ID), writable(x.Connection), writable(x.ID)); err != nil {
			return err
		}
	}
	return nil
}

// putPart writes one row whose last column is the thing itself as JSON.
func (t *tx) putPart(ctx context.Context, thing any, text string, columns ...any) error {
	body, err := json.Marshal(thing)
	if err != nil {
		return fmt.Errorf("can't encode a part of an incident: %w", err)
	}
	return t.exec(ctx, text, append(columns, string(body))...)
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// writable is a text that every database holds.
func writable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}
