// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"

	"belfry/alert"
)

var (
	loadOpen = newBulk(`WITH wanted (source, fingerprint) AS (VALUES `, `(?, ?)`, `) SELECT `+alertColumns("a.")+`
		FROM wanted CROSS JOIN alerts a
		WHERE a.source = wanted.source AND a.fingerprint = wanted.fingerprint AND a.closed = 0`)
	loadByID = newBulk(`SELECT `+alertColumns("")+` FROM alerts WHERE id IN (`, `?`, `)`)
)

// load reads the alerts that the batch's changes are about.
func (f *fold) load(ctx context.Context, batch []*operation) error {
	if open := f.store.open; open != nil && open.doubt {
		if err := open.load(ctx, f.session); err != nil {
			return err
		}
	}
	var byID, byObject []any
	for _, op := range batch {
		for i := range op.changes {
			c := &op.changes[i]
			if c.ID != 0 {
				if _, known := f.byID[c.ID]; !known {
					f.byID[c.ID] = nil
					byID = append(byID, int64(c.ID))
				}
				continue
			}
			o := object{c.Source, c.Fingerprint}
			if _, known := f.byObject[o]; known {
				continue
			}
			f.byObject[o] = nil
			if f.store.open == nil {
				byObject = append(byObject, o.source, string(o.fingerprint))
				continue
			}
			for id := range f.store.open.of(o) {
				if _, known := f.byID[id]; !known {
					f.byID[id] = nil
					byID = append(byID, int64(id))
				}
			}
		}
	}
	take := func(scan scanner) error {
		a, lastID, err := scanAlert(scan)
		if err != nil {
			return err
		}
		if f.byID[a.ID] != nil {
			return nil
		}
		e := &entry{a: a, lastID: lastID}
		f.byID[a.ID] = e
		o := object{a.Source, a.Fingerprint}
		f.byObject[o] = append(f.byObject[o], e)
		return nil
	}
	if err := f.eachBulk(ctx, loadByID, nil, byID, take); err != nil {
		return err
	}
	return f.eachBulk(ctx, loadOpen, nil, byObject, take)
}

const (
	seenInAlert = `SELECT 1 FROM alerts a WHERE a.id = $1 AND (a.intake = $2
		OR EXISTS (SELECT 1 FROM events e WHERE e.alert_id = a.id AND e.intake = $2))`
	seenInHistory = `SELECT 1 FROM alerts a WHERE a.source = $1 AND a.fingerprint = $2 AND a.closed <> 0 AND (a.intake = $3
		OR EXISTS (SELECT 1 FROM events e WHERE e.alert_id = a.id AND e.intake = $3)) LIMIT 1`
)

// seen looks for a change's Intake in the history of its object or alert, what
// this batch adds included.
func (f *fold) seen(ctx context.Context, c *Change) (bool, error) {
	if c.Intake == "" {
		return false, nil
	}
	entries := f.byObject[object{c.Source, c.Fingerprint}]
	if c.ID != 0 {
		entries = nil
		if e := f.byID[c.ID]; e != nil {
			entries = []*entry{e}
		}
	}
	for _, e := range entries {
		for i := range e.events {
			if e.events[i].Intake == c.Intake {
				return true, nil
			}
		}
	}
	var one int
	var err error
	if c.ID != 0 {
		err = f.one(ctx, seenInAlert, []any{int64(c.ID), c.Intake}, &one)
	} else {
		for _, e := range entries {
			err = f.one(ctx, seenInAlert, []any{int64(e.a.ID), c.Intake}, &one)
			if !errors.Is(err, sql.ErrNoRows) {
				return err == nil, err
			}
		}
		err = f.one(ctx, seenInHistory, []any{c.Source, string(c.Fingerprint), c.Intake}, &one)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// chain is what stands before a new duty of an alert at a destination.
type chain struct {
	// card: there is one; shown: it has a receipt; stuck: it has none and gets
	// none for now, or notes wait behind it already; cardDue is when it is due.
	// ended: nobody is there any more (DutyEnded).
	card, shown, stuck, ended bool
	cardDue                   int64
	// noteDue and writebackDue are when the last undone one is due.
	noteDue, writebackDue int64
}

type chainKey struct {
	alert       alert.ID
	destination string
}

var loadChains = newBulk(`SELECT alert_id, destination, kind, state, receipt, due_at FROM deliveries WHERE alert_id IN (`, `?`,
	`) AND (kind = 'card' OR state IN ('due', 'waiting'))`)

// chains reads what is in the database already of the entries that get duties.
func (t *tx) chains(ctx context.Context, touched []*entry) (map[chainKey]*chain, error) {
	found := map[chainKey]*chain{}
	var list []any
	for _, e := range touched {
		if !e.fresh && len(e.duties) > 0 {
			list = append(list, int64(e.a.ID))
		}
	}
	err := t.eachBulk(ctx, loadChains, nil, list, func(scan scanner) error {
		var key chainKey
		var kind DutyKind
		var state DutyState
		var receipt string
		var due int64
		if err := scan(&key.alert, &key.destination, &kind, &state, &receipt, &due); err != nil {
			return err
		}
		c := found[key]
		if c == nil {
			c = &chain{}
			found[key] = c
		}
		switch kind {
		case DutyCard:
			c.card, c.shown, c.cardDue = true, receipt != "", due
			c.stuck = c.stuck || !c.shown && state != DutyDue
			c.ended = state == DutyEnded
		case DutyNote:
			c.noteDue = max(c.noteDue, due)
			c.stuck = c.stuck || state == dutyWaiting
		case DutyWriteback:
			c.writebackDue = max(c.writebackDue, due)
		}
		return nil
	})
	return found, err
}
