// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"belfry/alert"
	"belfry/incident"
)

// dutyWaiting is how a due note is stored while its card has no receipt and
// gets none for now: nobody needs to look at it. Outside it shows as DutyDue.
const dutyWaiting DutyState = "waiting"

// row is a duty as stored.
type row struct {
	Duty
	tried, claimedAt int64
}

const dutyColumns = `id, destination, kind, state, alert_id, event_id, key, ref, receipt, wanted, tried, reached,
	priority, due_at, attempts, claimed_at, unknown_since, last_error, created_at, updated_at, step`

func scanRow(scan scanner) (row, error) {
	var r row
	var due, unknown, created, updated int64
	err := scan(&r.ID, &r.Destination, &r.Kind, &r.State, &r.AlertID, &r.EventID, &r.Key, &r.Ref, &r.Receipt,
		&r.Wanted, &r.tried, &r.Reached, &r.Priority, &due, &r.Attempts, &r.claimedAt, &unknown, &r.LastError, &created, &updated, &r.Step)
	r.DueAt, r.UnknownSince, r.CreatedAt, r.UpdatedAt = timeOf(due), timeOf(unknown), timeOf(created), timeOf(updated)
	return r, err
}

// shown is the duty as everybody sees it: an attempt that is not settled counts
// as one whose outcome is unknown.
func (r *row) shown() Duty {
	d := r.Duty
	if d.State == dutyWaiting {
		d.State = DutyDue
	}
	if d.UnknownSince.IsZero() {
		d.UnknownSince = timeOf(r.claimedAt)
	}
	return d
}

func (s *Store) duties(ctx context.Context, where string, args ...any) ([]Duty, error) {
	var list []Duty
	err := s.query(ctx, "duties", `SELECT `+dutyColumns+` FROM deliveries WHERE `+where, args, func(scan scanner) error {
		r, err := scanRow(scan)
		list = append(list, r.shown())
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// Duty returns one duty, or ErrNotFound.
func (s *Store) Duty(ctx context.Context, id alert.ID) (Duty, error) {
	list, err := s.duties(ctx, `id = $1`, int64(id))
	if err != nil {
		return Duty{}, err
	}
	if len(list) == 0 {
		return Duty{}, fmt.Errorf("duty %d: %w", id, ErrNotFound)
	}
	return list[0], nil
}

// Cards returns an alert's cards, the oldest first.
func (s *Store) Cards(ctx context.Context, id alert.ID) ([]Duty, error) {
	return s.duties(ctx, `alert_id = $1 AND kind = 'card' ORDER BY id`, int64(id))
}

// Step returns the step that an incident has at a destination, or ErrNotFound.
// Of several, which are about entries, it is the newest.
func (s *Store) Step(ctx context.Context, id alert.ID, destination string, kind incident.StepKind) (Duty, error) {
	list, err := s.duties(ctx, `alert_id = $1 AND kind = 'step' AND destination = $2 AND step = $3 ORDER BY id DESC LIMIT 1`, int64(id), destination, string(kind))
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("step %s of incident %d: %w", kind, id, ErrNotFound)
	}
	if err != nil {
		return Duty{}, err
	}
	return list[0], nil
}

// Duties returns all duties of an alert, the oldest first.
func (s *Store) Duties(ctx context.Context, id alert.ID) ([]Duty, error) {
	return s.duties(ctx, `alert_id = $1 ORDER BY id`, int64(id))
}

var cardsOf = newBulk(`SELECT `+dutyColumns+` FROM deliveries WHERE kind = 'card' AND destination = ? AND alert_id IN (`, `?`, `)`)

// CardsOf returns the cards that the alerts have at a destination, by alert.
func (s *Store) CardsOf(ctx context.Context, alerts []alert.ID, destination string) (map[alert.ID]Duty, error) {
	found := make(map[alert.ID]Duty, len(alerts))
	err := s.queryBulk(ctx, "cards", cardsOf, []any{destination}, idArgs(alerts), func(scan scanner) error {
		r, err := scanRow(scan)
		found[r.AlertID] = r.shown()
		return err
	})
	return found, err
}

// DeadDuties returns the newest limit (100) duties that were given up, the newest first.
func (s *Store) DeadDuties(ctx context.Context, limit int) ([]Duty, error) {
	if limit <= 0 {
		limit = defaultLimit
	}
	return s.duties(ctx, `state = 'dead' ORDER BY id DESC LIMIT $1`, int64(limit))
}

// Resend makes a dead duty due at once. A card whose receipt was forgotten is
// posted anew. It returns ErrNotFound when there is no such dead duty.
func (s *Store) Resend(ctx context.Context, id alert.ID) error {
	n, err := s.resend(ctx, `id = $3`, int64(id))
	if err == nil && n == 0 {
		return fmt.Errorf("dead duty %d: %w", id, ErrNotFound)
	}
	return err
}

// ResendAll makes all dead duties of a destination due and returns how many.
func (s *Store) ResendAll(ctx context.Context, destination string) (int, error) {
	return s.resend(ctx, `destination = $3`, destination)
}

// queueUp puts a note or write-back that is sent again behind what comes before
// it: earlier ones that back off, and a card that is not posted yet.
const queueUp = `UPDATE deliveries SET
	due_at = COALESCE((SELECT MAX(e.due_at) FROM deliveries e WHERE e.alert_id = deliveries.alert_id
		AND e.destination = deliveries.destination AND e.state = 'due' AND e.due_at > deliveries.due_at
		AND (e.kind = deliveries.kind AND e.id < deliveries.id OR deliveries.kind = 'note' AND e.kind = 'card' AND e.receipt = '')), due_at),
	state = CASE WHEN kind = 'note' AND EXISTS (SELECT 1 FROM deliveries e WHERE e.alert_id = deliveries.alert_id
		AND e.destination = deliveries.destination AND e.kind = 'card' AND e.receipt = '' AND e.state <> 'due')
		THEN 'waiting' ELSE state END
	WHERE id = $1`

func (s *Store) resend(ctx context.Context, where string, arg any) (int, error) {
	n := 0
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		n = 0
		now := micros(t.now)
		var behind []int64
		err := t.each(ctx, `UPDATE deliveries SET state = 'due', attempts = 0, due_at = $1, updated_at = $2
			WHERE state = 'dead' AND `+where+` RETURNING id, kind, destination`, []any{now, now, arg}, func(scan scanner) error {
			var id int64
			var kind, destination string
			if err := scan(&id, &kind, &destination); err != nil {
				return err
			}
			n++
			t.due[destination] = struct{}{}
			if !DutyKind(kind).lives() {
				behind = append(behind, id)
			}
			return nil
		})
		slices.Sort(behind) // what comes first is in its place first
		for _, id := range behind {
			if err == nil {
				err = t.exec(ctx, queueUp, id)
			}
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("can't make dead duties due: %w", err)
	}
	return n, nil
}

// Due returns all destinations with duties that are due, now or later.
func (s *Store) Due(ctx context.Context, now time.Time) ([]DueDestination, error) {
	var list []DueDestination
	err := s.query(ctx, "what is due", `SELECT destination, MIN(due_at),
		MAX(CASE WHEN due_at <= $1 THEN priority ELSE 0 END)
		FROM deliveries WHERE state = 'due' GROUP BY destination ORDER BY destination`, []any{micros(now)},
		func(scan scanner) error {
			var d DueDestination
			var at int64
			err := scan(&d.Name, &at, &d.Priority)
			d.At = timeOf(at)
			list = append(list, d)
			return err
		})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// Counts is how much there is.
type Counts struct {
	// Firing are the alerts that are firing.
	Firing int
	// Due are the duties that need work, now or later; Dead were given up.
	Due, Dead int
	// Oldest is when the duty that waits longest fell due; zero when none is due.
	Oldest time.Time
}

// Counts returns how much there is.
func (s *Store) Counts(ctx context.Context) (Counts, error) {
	var c Counts
	err := s.query(ctx, "counts", `SELECT (SELECT COUNT(*) FROM alerts WHERE closed = 0),
		(SELECT COUNT(*) FROM deliveries WHERE state = 'due'),
		(SELECT COUNT(*) FROM deliveries WHERE state = 'dead'),
		(SELECT COALESCE(MIN(due_at), 0) FROM deliveries WHERE state = 'due')`, nil, func(scan scanner) error {
		var oldest int64
		err := scan(&c.Firing, &c.Due, &c.Dead, &oldest)
		c.Oldest = timeOf(oldest)
		return err
	})
	return c, err
}
