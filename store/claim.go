// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"belfry/alert"
)

// takeLease takes, keeps or renews a destination's lease; no row comes back
// when somebody else has it. The fence grows when it changes hands, and when a
// process that started again finds its own earlier life there.
const takeLease = `INSERT INTO destinations (name, owner, life, fence, lease_until) VALUES ($1, $2, $3, 1, $4)
	ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, life = excluded.life, lease_until = excluded.lease_until,
		fence = destinations.fence + CASE WHEN destinations.owner = excluded.owner AND destinations.life = excluded.life THEN 0 ELSE 1 END
	WHERE destinations.lease_until <= $5 OR destinations.owner = excluded.owner
	RETURNING fence`

// Claim takes the destination's lease, or renews it, and returns up to limit
// duties that are due, in the order in which they must be carried out: the
// highest priority first, but of one alert a card before its notes and the rest
// by age. Before it returns, that they are being tried is on disk.
//
// A note whose card has no receipt is handed out only behind that card. What was
// claimed before and not settled is handed out again, with UnknownSince set: a
// caller settles one claim before the next. With limit 0 only the lease is taken.
func (s *Store) Claim(ctx context.Context, destination string, limit int) (Claim, error) {
	var c Claim
	err := s.write(ctx, func(ctx context.Context, t *tx) (err error) {
		c, err = t.claim(ctx, destination, limit)
		return err
	})
	if err != nil {
		return Claim{}, fmt.Errorf("can't claim %s: %w", destination, err)
	}
	return c, nil
}

func (t *tx) claim(ctx context.Context, destination string, limit int) (Claim, error) {
	s := t.store
	c := Claim{Destination: destination, LeaseUntil: t.now.Add(s.lease)}
	err := t.one(ctx, takeLease, []any{destination, s.owner, s.life, micros(c.LeaseUntil), micros(t.now)}, &c.Fence)
	if errors.Is(err, sql.ErrNoRows) {
		var until int64
		err = t.one(ctx, `SELECT lease_until FROM destinations WHERE name = $1`, []any{destination}, &until)
		return Claim{Destination: destination, Held: true, Next: timeOf(until)}, err
	}
	if err != nil {
		return c, err
	}
	rows, more, err := t.choose(ctx, destination, limit)
	if err != nil {
		return c, err
	}
	taken := make([]alert.ID, 0, len(rows))
	for i := range rows {
		taken = append(taken, rows[i].ID)
		c.Duties = append(c.Duties, rows[i].shown())
	}
	if more {
		c.Next = t.now
	} else if c.Next, err = t.nextDue(ctx, destination); err != nil {
		return c, err
	}
	return c, t.execBulk(ctx, markTried, []any{micros(t.now)}, idArgs(taken))
}

// markTried notes that an attempt begins. If an earlier one was never settled,
// its outcome is unknown from its beginning on.
var markTried = newBulk(`UPDATE deliveries SET
	unknown_since = CASE WHEN unknown_since = 0 THEN claimed_at ELSE unknown_since END,
	claimed_at = ?, tried = wanted WHERE id IN (`, `?`, `)`)

// alertsDue are all that is due of some alerts at a destination. The destination
// is dressed up so that SQLite does not read all that is due there to find them.
var alertsDue = newBulk(`SELECT `+dutyColumns+` FROM deliveries
	WHERE destination || '' = ? AND due_at <= ? AND state = 'due' AND alert_id IN (`, `?`, `)`)

const chooseDue = `SELECT ` + dutyColumns + ` FROM deliveries WHERE destination = $1 AND state = 'due' AND due_at <= $2
	ORDER BY priority DESC, due_at, id LIMIT $3`

const nextDue = `SELECT COALESCE(MIN(due_at), 0) FROM deliveries WHERE destination = $1 AND state = 'due' AND due_at > $2`

// choose returns what is to be carried out next, and whether more is due now.
func (t *tx) choose(ctx context.Context, destination string, limit int) (rows []row, more bool, err error) {
	add := func(scan scanner) error {
		r, err := scanRow(scan)
		rows = append(rows, r)
		return err
	}
	err = t.each(ctx, chooseDue, []any{destination, micros(t.now), int64(limit) + 1}, add)
	if err != nil {
		return nil, false, err
	}
	more = len(rows) > limit
	// Cards and steps stand for themselves. What follows a card or has an order brings
	// along what comes before it, whatever that one's priority.
	var alerts []alert.ID
	rank := map[alert.ID]int{}
	for i := range rows {
		if _, known := rank[rows[i].AlertID]; !known {
			rank[rows[i].AlertID] = i
		}
		if !rows[i].Kind.lives() && !slices.Contains(alerts, rows[i].AlertID) {
			alerts = append(alerts, rows[i].AlertID)
		}
	}
	if len(alerts) > 0 {
		rows = slices.DeleteFunc(rows, func(r row) bool { return slices.Contains(alerts, r.AlertID) })
		if err := t.eachBulk(ctx, alertsDue, []any{destination, micros(t.now)}, idArgs(alerts), add); err != nil {
			return nil, false, err
		}
		slices.SortFunc(rows, func(a, b row) int {
			return cmp.Or(cmp.Compare(rank[a.AlertID], rank[b.AlertID]), cmp.Compare(place(a.Kind), place(b.Kind)), cmp.Compare(a.ID, b.ID))
		})
		more = len(rows) > limit
	}
	return rows[:min(limit, len(rows))], more, nil
}

// place orders the duties of one alert at one destination.
func place(k DutyKind) int {
	if k == DutyCard {
		return 0
	}
	return 1
}

// nextDue is when the first duty falls due that is not due now.
func (t *tx) nextDue(ctx context.Context, destination string) (next time.Time, err error) {
	var at int64
	err = t.one(ctx, nextDue, []any{destination, micros(t.now)}, &at)
	return timeOf(at), err
}

// Release gives the destination's lease back. With a fence that is no longer
// ours it does nothing.
func (s *Store) Release(ctx context.Context, destination string, fence int64) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		return t.exec(ctx, `UPDATE destinations SET owner = '', lease_until = 0 WHERE name = $1 AND fence = $2 AND owner = $3 AND life = $4`,
			destination, fence, s.owner, s.life)
	})
	if err != nil {
		return fmt.Errorf("can't give %s back: %w", destination, err)
	}
	return nil
}
