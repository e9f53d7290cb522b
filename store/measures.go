// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"time"

	"belfry/alert"
)

// FiringCount is how many alerts of a source fire with one severity.
type FiringCount struct {
	Source   string
	Severity alert.Severity
	N        int
}

// DutyCount is how many duties a destination has in a state.
type DutyCount struct {
	Destination string
	// State is DutyDue or DutyDead.
	State DutyState
	N     int
	// Failing are those that were tried in vain since their last success.
	Failing int
	// Oldest is when the first of them fell due, or is tried again.
	Oldest time.Time
}

// Measures is how much there is, for those who watch Belfry.
type Measures struct {
	Firing []FiringCount
	Duties []DutyCount
	// Payloads counts what was not understood and is kept, by source.
	Payloads map[string]int
}

// Measures counts. All of it is in the order of the names.
func (s *Store) Measures(ctx context.Context) (Measures, error) {
	m := Measures{Payloads: map[string]int{}}
	err := s.query(ctx, "what fires", `SELECT source, severity, COUNT(*) FROM alerts WHERE closed = 0 GROUP BY source, severity ORDER BY source, severity`, nil,
		func(scan scanner) error {
			var c FiringCount
			err := scan(&c.Source, &c.Severity, &c.N)
			m.Firing = append(m.Firing, c)
			return err
		})
	if err != nil {
		return m, err
	}
	const counted = `destination, COUNT(*), SUM(CASE WHEN attempts > 0 THEN 1 ELSE 0 END), MIN(due_at) FROM deliveries`
	err = s.query(ctx, "what waits", `SELECT 'due', `+counted+` WHERE state = 'due' GROUP BY destination
		UNION ALL SELECT 'dead', `+counted+` WHERE state = 'dead' GROUP BY destination ORDER BY 2, 1`, nil,
		func(scan scanner) error {
			var c DutyCount
			var oldest int64
			err := scan(&c.State, &c.Destination, &c.N, &c.Failing, &oldest)
			c.Oldest = timeOf(oldest)
			m.Duties = append(m.Duties, c)
			return err
		})
	if err != nil {
		return m, err
	}
	err = s.query(ctx, "payloads", `SELECT source, COUNT(*) FROM payloads GROUP BY source`, nil, func(scan scanner) error {
		var source string
		var n int
		err := scan(&source, &n)
		m.Payloads[source] = n
		return err
	})
	return m, err
}
