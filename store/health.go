// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"time"
)

// Struggle is a destination whose duties were tried in vain.
type Struggle struct {
	Destination string
	// Waiting counts the duties that failed and are tried again; Attempts is
	// how often that which failed most did.
	Waiting, Attempts int
	// LastError is what one of them failed with.
	LastError string
}

// Struggles returns the destinations with duties that failed since their last
// success and are tried again, by name.
func (s *Store) Struggles(ctx context.Context) ([]Struggle, error) {
	var list []Struggle
	err := s.query(ctx, "what struggles", `SELECT destination, COUNT(*), MAX(attempts), MAX(last_error)
		FROM deliveries WHERE state = 'due' AND attempts > 0 GROUP BY destination ORDER BY destination`, nil,
		func(scan scanner) error {
			var d Struggle
			err := scan(&d.Destination, &d.Waiting, &d.Attempts, &d.LastError)
			list = append(list, d)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("can't read what struggles: %w", err)
	}
	return list, nil
}

// LastHeard returns when each source's newest news was stored, as far as its
// alerts are still kept. It reads all of them: it is for people who ask, not
// for every minute.
func (s *Store) LastHeard(ctx context.Context) (map[string]time.Time, error) {
	heard := map[string]time.Time{}
	err := s.query(ctx, "when sources were heard of", `SELECT source, MAX(updated_at) FROM alerts GROUP BY source`, nil,
		func(scan scanner) error {
			var source string
			var at int64
			err := scan(&source, &at)
			heard[source] = timeOf(at)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("can't read when sources were heard of: %w", err)
	}
	return heard, nil
}
