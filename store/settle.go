// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"belfry/alert"
)

// Settle notes what became of claimed duties; those not named stay claimed. When
// the fence is no longer ours lost is true and nothing is noted as done: another
// process carries the duties out and will ask what arrived. But what we sent
// late may have replaced something newer, so the cards that were sent are made
// due for a fresh render. What is due again later is told nobody (Options.OnDue):
// the results say when.
func (s *Store) Settle(ctx context.Context, destination string, fence int64, results []Settlement) (lost bool, err error) {
	err = s.write(ctx, func(ctx context.Context, t *tx) (err error) {
		lost, err = t.settle(ctx, destination, fence, results)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("can't record what became of deliveries to %s: %w", destination, err)
	}
	return lost, nil
}

var (
	// renderAnew is for cards and steps that may show something old. tried -1 tells the
	// one who is carrying such a card out now (see after).
	renderAnew = newBulk(`UPDATE deliveries SET reached = 0, tried = -1,
		due_at = CASE state WHEN 'due' THEN due_at ELSE ? END, state = 'due', updated_at = ?
		WHERE kind IN ('card', 'step') AND state <> 'ended' AND destination = ? AND id IN (`, `?`, `)`)
	loadRows   = newBulk(`SELECT `+dutyColumns+` FROM deliveries WHERE destination = ? AND id IN (`, `?`, `)`)
	updateRows = newBulk(`WITH v (id, state, key, receipt, tried, reached, due_at, attempts, claimed_at, unknown_since, last_error, updated_at) AS (VALUES `,
		`(CAST(? AS BIGINT),?,?,?,CAST(? AS BIGINT),CAST(? AS BIGINT),CAST(? AS BIGINT),CAST(? AS BIGINT),CAST(? AS BIGINT),CAST(? AS BIGINT),?,CAST(? AS BIGINT))`,
		`) UPDATE deliveries SET state = v.state, key = v.key, receipt = v.receipt, tried = v.tried, reached = v.reached,
		due_at = v.due_at, attempts = v.attempts, claimed_at = v.claimed_at, unknown_since = v.unknown_since,
		last_error = v.last_error, updated_at = v.updated_at FROM v WHERE deliveries.id = v.id`)
	// wakeNotes and parkNotes keep notes, and steps with a card, behind it (about
	// || see alertsDue); pushBack keeps what has an order in it.
	wakeNotes = newBulk(`UPDATE deliveries SET state = 'due', wanted = wanted + CASE WHEN kind = 'step' AND state <> 'waiting' THEN 1 ELSE 0 END
		WHERE (kind = 'note' AND state = 'waiting' AND destination = ? OR kind = 'step' AND after_card = ? AND state <> 'ended') AND alert_id IN (`, `?`, `) RETURNING destination`)
	parkNotes = newBulk(`UPDATE deliveries SET state = 'waiting'
		WHERE destination || '' = ? AND kind = 'note' AND state = 'due' AND alert_id IN (`, `?`, `)`)
)

const pushBack = `UPDATE deliveries SET due_at = $1
	WHERE alert_id = $2 AND destination = $3 AND kind = $4 AND id > $5 AND state IN ('due', 'waiting') AND due_at < $6`

func (t *tx) settle(ctx context.Context, destination string, fence int64, results []Settlement) (lost bool, err error) {
	ours, err := t.holds(ctx, destination, fence)
	if err != nil {
		return false, err
	}
	if !ours {
		return true, t.renderAnew(ctx, destination, results)
	}
	byID := make(map[alert.ID]*Settlement, len(results))
	list := make([]any, 0, len(results))
	for i := range results {
		byID[results[i].ID] = &results[i]
		list = append(list, int64(results[i].ID))
	}
	var rows []row
	err = t.eachBulk(ctx, loadRows, []any{destination}, list, func(scan scanner) error {
		r, err := scanRow(scan)
		rows = append(rows, r)
		return err
	})
	if err != nil {
		return false, err
	}
	o := order{tx: t, destination: destination}
	var args []any
	for i := range rows {
		before := rows[i]
		r := &rows[i]
		r.after(byID[r.ID], t.now)
		o.note(&before, r)
		if r.State == DutyDue && !r.DueAt.After(t.now) { // whoever settles knows what is due later
			t.due[destination] = struct{}{}
		}
		args = append(args, int64(r.ID), string(r.State), r.Key, r.Receipt, r.tried, r.Reached, micros(r.DueAt), int64(r.Attempts),
			r.claimedAt, micros(r.UnknownSince), r.LastError, micros(t.now))
	}
	if err := t.execBulk(ctx, updateRows, nil, args); err != nil {
		return false, err
	}
	return false, o.keep(ctx)
}

// holds says whether the lease with this fence is ours.
func (t *tx) holds(ctx context.Context, destination string, fence int64) (bool, error) {
	var one int
	err := t.one(ctx, `SELECT 1 FROM destinations WHERE name = $1 AND fence = $2 AND owner = $3 AND life = $4`,
		[]any{destination, fence, t.store.owner, t.store.life}, &one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func (t *tx) renderAnew(ctx context.Context, destination string, results []Settlement) error {
	var sent []any
	for i := range results {
		if !results[i].Unsent {
			sent = append(sent, int64(results[i].ID))
		}
	}
	if len(sent) > 0 {
		t.due[destination] = struct{}{}
	}
	return t.execBulk(ctx, renderAnew, []any{micros(t.now), micros(t.now), destination}, sent)
}

// after makes r what it is after x.
func (r *row) after(x *Settlement, now time.Time) {
	began := r.claimedAt
	r.claimedAt = 0
	if r.State == DutyEnded { // while it was being tried: where it stands counts, and no more
		if x.Receipt != "" {
			r.Receipt = x.Receipt
		}
		return
	}
	if x.Unsent {
		return
	}
	switch {
	case !x.Unknown:
		r.UnknownSince = time.Time{}
	case r.UnknownSince.IsZero() && began != 0:
		r.UnknownSince = timeOf(began)
	case r.UnknownSince.IsZero():
		r.UnknownSince = now
	}
	if x.Forget {
		r.Receipt, r.Key, r.Reached, r.UnknownSince = "", secret(), 0, time.Time{}
	}
	if x.Receipt != "" {
		r.Receipt = x.Receipt
	}
	if x.Reached != 0 {
		r.Reached = x.Reached
	}
	r.Attempts++
	if !x.Failed {
		r.Attempts = 0
	}
	r.LastError = strings.ToValidUTF8(strings.ReplaceAll(x.Err, "\x00", ""), "\uFFFD")
	r.state(x, now)
}

// state decides what r is now: what x says, but for what changed while it was
// being tried.
func (r *row) state(x *Settlement, now time.Time) {
	anew := r.tried < 0
	grown := r.Wanted > r.tried
	switch {
	case r.State == DutyDone && r.Kind == DutyWriteback:
		return // it was dropped meanwhile (Effect.DropWritebacks)
	case r.Kind.lives() && anew:
		r.Reached = 0
	case r.Kind == DutyNote && x.State == DutyDone && x.Reached == 0:
		r.Reached = r.Wanted
	}
	r.State = x.State
	switch x.State {
	case DutyDone:
		if r.Kind.lives() && (anew || r.Wanted > r.Reached) {
			r.State, r.DueAt = DutyDue, now
		}
	case DutyDead:
		if r.Kind.lives() && grown {
			r.State, r.DueAt, r.Attempts = DutyDue, now, 0
		}
	default:
		r.State, r.DueAt = DutyDue, now
		if x.RetryAt.After(now) {
			r.DueAt = x.RetryAt
		}
	}
}

// order gathers what must follow from settlements so that everything stays
// behind what comes before it.
type order struct {
	*tx
	destination string
	wake, park  []any
	pushed      [][]any
}

func (o *order) note(before, r *row) {
	later := r.State == DutyDue && r.DueAt.After(o.now)
	switch {
	case r.Kind == DutyStep:
	case r.Kind != DutyCard:
		if later {
			o.push(r, r.Kind, r.ID)
		}
	case r.Receipt != "" && before.Receipt == "":
		o.wake = append(o.wake, int64(r.AlertID))
	case r.Receipt == "" && r.State != DutyDue:
		o.park = append(o.park, int64(r.AlertID))
	case r.Receipt == "" && later:
		o.push(r, DutyNote, 0)
	}
}

func (o *order) push(r *row, kind DutyKind, above alert.ID) {
	at := micros(r.DueAt)
	o.pushed = append(o.pushed, []any{at, int64(r.AlertID), o.destination, string(kind), int64(above), at})
}

func (o *order) keep(ctx context.Context) error {
	err := o.eachBulk(ctx, wakeNotes, []any{o.destination, o.destination}, o.wake, func(scan scanner) error {
		var destination string
		if err := scan(&destination); err != nil {
			return err
		}
		o.due[destination] = struct{}{}
		return nil
	})
	if err != nil {
		return err
	}
	if err := o.execBulk(ctx, parkNotes, []any{o.destination}, o.park); err != nil {
		return err
	}
	for _, args := range o.pushed {
		if err := o.exec(ctx, pushBack, args...); err != nil {
			return err
		}
	}
	return nil
}
