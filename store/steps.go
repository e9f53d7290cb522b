// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"time"

	"belfry/alert"
	"belfry/incident"
)

// IncidentStep orders a step of what is done with an incident's channel
// (DutyStep). One that is known is due once more: like a card it is brought up
// to date, however often it was ordered meanwhile.
type IncidentStep struct {
	// Destination is "connection/incident-42".
	Destination string
	Kind        incident.StepKind
	// Entry is the entry that it is about: its place in IncidentEffect.Entries,
	// from 1 on. 0: none. Each entry has a step of its own.
	Entry int
	// AfterCard is the destination whose card must be posted before; empty:
	// none. Whenever that card is posted, the step is due again.
	AfterCard string
	// Receipt is what its duty has from the beginning; that of one which is known
	// already stays as it is.
	Receipt string
	// DueAt is when it is due; zero: now.
	DueAt time.Time
}

// StepDestination is where the steps of an incident's channel go.
func StepDestination(connection string, number int64) string {
	return fmt.Sprintf("%s/incident-%d", connection, number)
}

const (
	// orderAgain keeps the back-off of a step that fails, and leaves one alone
	// that waits for its card.
	orderAgain = `UPDATE deliveries SET wanted = wanted + 1,
		due_at = CASE WHEN state = 'due' AND attempts > 0 THEN due_at ELSE $1 END,
		attempts = CASE state WHEN 'dead' THEN 0 ELSE attempts END,
		state = CASE WHEN state IN ('waiting', 'ended') THEN state ELSE 'due' END,
		priority = $2, updated_at = $3
		WHERE alert_id = $4 AND kind = 'step' AND destination = $5 AND step = $6 AND event_id = $7`
	orderStep = `INSERT INTO deliveries (id, destination, kind, state, alert_id, event_id, key, ref, wanted, priority, due_at, created_at, updated_at, step, after_card, receipt)
		VALUES ($1, $2, 'step', $3, $4, $5, $6, $7, 1, $8, $9, $10, $11, $12, $13, $14)`
	cardPosted = `SELECT COUNT(*) FROM deliveries WHERE alert_id = $1 AND kind = 'card' AND destination = $2 AND receipt <> ''`
)

// orderSteps stores the steps of an effect, in their order.
func (t *tx) orderSteps(ctx context.Context, e *IncidentEffect) error {
	for _, s := range e.Steps {
		var about alert.ID
		if s.Entry > 0 {
			about = e.Entries[s.Entry-1].ID
		}
		if err := t.orderStep(ctx, e, s, about); err != nil {
			return err
		}
		t.due[s.Destination] = struct{}{}
	}
	return nil
}

func (t *tx) orderStep(ctx context.Context, e *IncidentEffect, s IncidentStep, about alert.ID) error {
	id, now, due := int64(e.Incident.ID), micros(t.now), micros(t.now)
	if s.DueAt.After(t.now) {
		due = micros(s.DueAt)
	}
	n, err := t.execCount(ctx, orderAgain, due, int64(e.Priority), now, id, s.Destination, string(s.Kind), int64(about))
	if err != nil || n > 0 {
		return err
	}
	state := DutyDue
	if s.AfterCard != "" {
		var posted int64
		if err := t.one(ctx, cardPosted, []any{id, s.AfterCard}, &posted); err != nil {
			return err
		}
		if posted == 0 {
			state = dutyWaiting
		}
	}
	return t.exec(ctx, orderStep, int64(t.store.ids.next(t.now)), s.Destination, string(state), id, int64(about), secret(), secret(),
		int64(e.Priority), due, now, now, string(s.Kind), s.AfterCard, s.Receipt)
}
