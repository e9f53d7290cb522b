// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
)

// Statements that write many rows. The casts tell PostgreSQL what a parameter
// is where no column does.
var (
	insertAlerts = newBulk(`INSERT INTO alerts (id, number, source, fingerprint, topic, closed, severity, revision, last_id,
		starts_at, ends_at, updated_at, body, intake, opened) VALUES `, `(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`, ``)
	updateAlerts = newBulk(`WITH v (id, closed, severity, revision, last_id, starts_at, ends_at, updated_at, body) AS (VALUES `,
		`(CAST(? AS BIGINT),CAST(? AS BIGINT),CAST(? AS BIGINT),CAST(? AS BIGINT),CAST(? AS BIGINT),CAST(? AS BIGINT),CAST(? AS BIGINT),CAST(? AS BIGINT),?)`,
		`) UPDATE alerts SET closed = v.closed, severity = v.severity, revision = v.revision, last_id = v.last_id,
		starts_at = v.starts_at, ends_at = v.ends_at, updated_at = v.updated_at, body = v.body
		FROM v WHERE alerts.id = v.id`)
	insertEvents = newBulk(`INSERT INTO events (alert_id, id, at, kind, intake, body) VALUES `, `(?,?,?,?,?,?)`, ``)
	insertDuties = newBulk(`INSERT INTO deliveries (id, destination, kind, state, alert_id, event_id, key, ref, wanted,
		priority, due_at, created_at, updated_at) VALUES `, `(?,?,?,?,?,?,?,?,?,?,?,?,?)`, ``)
	staleCards = newBulk(`WITH v (alert_id, revision, priority, due_at, now) AS (VALUES `,
		`(CAST(? AS BIGINT),CAST(? AS BIGINT),CAST(? AS BIGINT),CAST(? AS BIGINT),CAST(? AS BIGINT))`,
		`) UPDATE deliveries SET
			wanted = CASE WHEN wanted < v.revision THEN v.revision ELSE wanted END,
			priority = v.priority,
			due_at = CASE deliveries.state WHEN 'due' THEN deliveries.due_at ELSE v.due_at END,
			attempts = CASE state WHEN 'dead' THEN 0 ELSE attempts END,
			state = 'due', updated_at = v.now
		FROM v WHERE deliveries.alert_id = v.alert_id AND kind = 'card' AND state <> 'ended' RETURNING destination`)
	endWritebacks = newBulk(`UPDATE deliveries SET state = 'done', claimed_at = 0, unknown_since = 0, updated_at = ?
		WHERE kind = 'writeback' AND state NOT IN ('done', 'ended') AND alert_id IN (`, `?`, `)
		AND EXISTS (SELECT 1 FROM events WHERE events.alert_id = deliveries.alert_id AND events.id = deliveries.event_id
			AND events.kind IN ('ack_wanted', 'unack_wanted'))`)
)

// flush writes what was folded. What ends comes before what begins: only one
// alert of a topic may be open.
func (f *fold) flush(ctx context.Context) error {
	if len(f.touched) == 0 {
		return nil
	}
	if err := f.flushAlerts(ctx); err != nil {
		return err
	}
	var events, stale, moot []any
	for _, e := range f.touched {
		var err error
		if events, err = e.appendEvents(events); err != nil {
			return err
		}
		if e.stale && !e.fresh {
			stale = append(stale, int64(e.a.ID), e.a.Revision, int64(e.priority), e.dueAt, micros(f.now))
		}
		if e.moot && !e.fresh {
			moot = append(moot, int64(e.a.ID))
		}
	}
	if err := f.execBulk(ctx, insertEvents, nil, events); err != nil {
		return err
	}
	err := f.eachBulk(ctx, staleCards, nil, stale, func(scan scanner) error {
		var destination string
		if err := scan(&destination); err != nil {
			return err
		}
		f.due[destination] = struct{}{}
		return nil
	})
	if err != nil {
		return err
	}
	if err := f.execBulk(ctx, endWritebacks, []any{micros(f.now)}, moot); err != nil {
		return err
	}
	if err := f.callFlush(ctx); err != nil {
		return err
	}
	return f.flushDuties(ctx, f.touched)
}

// appendEvents adds the rows of the events that need one.
func (n *entry) appendEvents(rows []any) ([]any, error) {
	list := n.events
	if n.opening() != nil {
		list = list[1:] // it is in the alert's row
	}
	for i := range list {
		ev := &list[i]
		intake, body, err := encodeEvent(nil, ev)
		if err != nil {
			return nil, err
		}
		rows = append(rows, int64(n.a.ID), int64(ev.ID), micros(ev.At), string(ev.Kind), intake, string(body))
	}
	return rows, nil
}

func (f *fold) flushAlerts(ctx context.Context) error {
	if err := f.number(ctx); err != nil {
		return err
	}
	var buffer []byte
	fresh, changed := make([]any, 0, len(f.touched)*insertAlerts.width), []any(nil)
	for _, e := range f.touched {
		a := e.a
		var err error
		if buffer, err = a.AppendJSON(buffer[:0]); err != nil {
			return fmt.Errorf("can't encode alert %d: %w", a.ID, err)
		}
		body := string(buffer)
		closed := int64(0)
		if a.Status != "firing" {
			closed = int64(a.ID)
		}
		if e.fresh {
			intake, opened, err := encodeOpening(buffer, e.opening())
			if err != nil {
				return err
			}
			fresh = append(fresh, int64(a.ID), a.Number, a.Source, string(a.Fingerprint), string(a.Topic), closed, int64(a.Severity),
				a.Revision, int64(e.lastID), micros(a.StartsAt), micros(a.EndsAt), micros(a.UpdatedAt), body, intake, opened)
			continue
		}
		changed = append(changed, int64(a.ID), closed, int64(a.Severity),
			a.Revision, int64(e.lastID), micros(a.StartsAt), micros(a.EndsAt), micros(a.UpdatedAt), body)
	}
	if err := f.execBulk(ctx, updateAlerts, nil, changed); err != nil {
		return err
	}
	return f.execBulk(ctx, insertAlerts, nil, fresh)
}

// number gives new alerts their numbers: the next after the highest there is,
// which Prune therefore never deletes. Nobody else makes alerts meanwhile
// (dialect.begin).
func (f *fold) number(ctx context.Context) error {
	var last int64
	for _, e := range f.touched {
		if !e.fresh {
			continue
		}
		if last == 0 {
			var err error
			if last, err = f.lastNumber(ctx); err != nil {
				return err
			}
		}
		last++
		e.a.Number = last
	}
	return nil
}

func (f *fold) lastNumber(ctx context.Context) (last int64, err error) {
	if open := f.store.open; open != nil {
		return open.number, nil
	}
	err = f.one(ctx, highestNumber, nil, &last)
	return last, err
}

const highestNumber = `SELECT COALESCE(MAX(number), 0) FROM alerts`

// flushDuties inserts the new duties, each behind what stands before it: a note
// is never due before its card or an earlier note, a write-back never before an
// earlier one.
func (t *tx) flushDuties(ctx context.Context, touched []*entry) error {
	chains, err := t.chains(ctx, touched)
	if err != nil {
		return err
	}
	rows := make([]any, 0, len(touched)*insertDuties.width)
	now := micros(t.now)
	var keys string
	next := func() (key string) {
		if keys == "" {
			keys = secrets(len(touched))
		}
		key, keys = keys[:secretLen], keys[secretLen:]
		return key
	}
	for _, e := range touched {
		for i := range e.duties {
			d := &e.duties[i]
			key := chainKey{e.a.ID, d.destination}
			c := chains[key]
			if c == nil {
				c = &chain{}
				if len(e.duties) > 1 { // else nothing will ask for it
					chains[key] = c
				}
			}
			wanted, ok := c.place(d)
			if !ok {
				continue
			}
			if d.kind == DutyCard {
				wanted = e.a.Revision
			}
			if d.state == DutyDue {
				t.due[d.destination] = struct{}{}
			}
			rows = append(rows, int64(d.id), d.destination, string(d.kind), string(d.state), int64(e.a.ID), int64(d.event),
				next(), next(), wanted, int64(d.priority), d.dueAt, now, now)
		}
	}
	return t.execBulk(ctx, insertDuties, nil, rows)
}

// place puts d behind what stands before it. ok is false when it is not
// needed: the alert has a card there, or its card was ended.
func (c *chain) place(d *newDuty) (wanted int64, ok bool) {
	switch d.kind {
	case DutyCard:
		if c.card {
			return 0, false
		}
		c.card, c.cardDue = true, d.dueAt
		return 0, true
	case DutyNote:
		if c.ended {
			return 0, false
		}
		switch {
		case c.stuck:
			d.state = dutyWaiting
		case c.card && !c.shown:
			d.dueAt = max(d.dueAt, c.cardDue)
		}
		d.dueAt = max(d.dueAt, c.noteDue)
		c.noteDue = d.dueAt
		return 1, true
	default:
		d.dueAt = max(d.dueAt, c.writebackDue)
		c.writebackDue = d.dueAt
		return 0, true
	}
}
