// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"time"
)

const nextReminder = `SELECT number, remind_at FROM incidents WHERE remind_at > 0 ORDER BY remind_at LIMIT 1`

// NextReminder returns the incident that people are to be reminded of first,
// and when (Incident.RemindAt); the number is 0 when there is none.
func (s *Store) NextReminder(ctx context.Context) (number int64, at time.Time, err error) {
	var due int64
	err = s.query(ctx, "reminders", nextReminder, nil, func(scan scanner) error { return scan(&number, &due) })
	if err != nil {
		return 0, time.Time{}, err
	}
	return number, timeOf(due), nil
}

// PostponeReminder has an incident's next reminder looked at again at a time,
// without reading the incident.
func (s *Store) PostponeReminder(ctx context.Context, number int64, until time.Time) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error { return t.exec(ctx, postponeReminder, micros(until), number) })
	if err != nil {
		return fmt.Errorf("can't postpone the reminders of #%d: %w", number, err)
	}
	return nil
}

const postponeReminder = `UPDATE incidents SET remind_at = $1 WHERE number = $2 AND remind_at > 0`

// Unresting returns the numbers of the incidents of which people may have to be
// reminded: those that are open, and those with a task that has a date and is
// not done.
func (s *Store) Unresting(ctx context.Context) (numbers []int64, err error) {
	err = s.query(ctx, "incidents", unresting, nil, func(scan scanner) error {
		var n int64
		err := scan(&n)
		numbers = append(numbers, n)
		return err
	})
	return numbers, err
}

const unresting = `SELECT number FROM incidents WHERE is_open = 1 UNION
	SELECT i.number FROM incident_tasks t JOIN incidents i ON i.id = t.incident_id WHERE t.done_at = 0 AND t.due_at > 0 ORDER BY 1`
