// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"time"

	"belfry/alert"
)

// Mute says that alerts get no cards for a while: a row of table mutes.
type Mute struct {
	ID alert.ID
	// Number is short, for people: 1, 2, 3 …
	Number int64
	// Matchers are in Alertmanager's syntax; those muted fit all of them.
	Matchers string
	// Reason is why, By who; both for people to read.
	Reason, By string
	CreatedAt  time.Time
	// Until is when it ends or ended.
	Until time.Time
	// EndedBy is who ended it early; empty for nobody.
	EndedBy string
}

// maxMutes bounds the mutes that are in force at the same time: each is held
// against every new alert.
const maxMutes = 500

// CreateMute stores a mute and returns it with ID, Number and CreatedAt;
// ErrTooMany when there are too many already.
func (s *Store) CreateMute(ctx context.Context, m Mute) (Mute, error) {
	full := false
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		var open, last int64
		if err := t.one(ctx, `SELECT COUNT(*) FROM mutes WHERE settled = 0`, nil, &open); err != nil {
			return err
		}
		if full = open >= maxMutes; full {
			return nil
		}
		if err := t.one(ctx, `SELECT COALESCE(MAX(number), 0) FROM mutes`, nil, &last); err != nil {
			return err
		}
		m.ID, m.Number, m.CreatedAt = s.ids.next(t.now), last+1, t.now
		return t.exec(ctx, `INSERT INTO mutes (id, number, matchers, reason, created_by, created_at, until)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			int64(m.ID), m.Number, m.Matchers, m.Reason, m.By, micros(m.CreatedAt), micros(m.Until))
	})
	if err == nil && full {
		err = ErrTooMany
	}
	if err != nil {
		return Mute{}, fmt.Errorf("can't store the mute: %w", err)
	}
	return m, nil
}

// EndMute ends a mute now and returns it as it is then. It is ErrNotFound when
// there is none with this number that is still in force.
func (s *Store) EndMute(ctx context.Context, number int64, by string) (Mute, error) {
	var m Mute
	found := false
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		m, found = Mute{}, false
		return t.each(ctx, `UPDATE mutes SET until = $1, ended_by = $2 WHERE number = $3 AND settled = 0 AND until > $4
			RETURNING `+muteColumns, []any{micros(t.now), by, number, micros(t.now)}, func(scan scanner) (err error) {
			found = true
			m, err = scanMute(scan)
			return err
		})
	})
	if err == nil && !found {
		err = ErrNotFound
	}
	if err != nil {
		return Mute{}, fmt.Errorf("mute %d: %w", number, err)
	}
	return m, nil
}

// Mutes returns the mutes whose end was not settled yet, the first to end first.
func (s *Store) Mutes(ctx context.Context) ([]Mute, error) {
	var list []Mute
	err := s.query(ctx, "mutes", openMutes, nil, func(scan scanner) error {
		m, err := scanMute(scan)
		list = append(list, m)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// SettleMute notes that the cards which a mute kept back were made.
func (s *Store) SettleMute(ctx context.Context, id alert.ID) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		return t.exec(ctx, `UPDATE mutes SET settled = $1 WHERE id = $2`, micros(t.now), int64(id))
	})
	if err != nil {
		return fmt.Errorf("can't note that a mute is over: %w", err)
	}
	return nil
}

const (
	muteColumns = `id, number, matchers, reason, created_by, created_at, until, ended_by`
	openMutes   = `SELECT ` + muteColumns + ` FROM mutes WHERE settled = 0 ORDER BY until, id`
)

func scanMute(scan scanner) (Mute, error) {
	var m Mute
	var created, until int64
	err := scan(&m.ID, &m.Number, &m.Matchers, &m.Reason, &m.By, &created, &until, &m.EndedBy)
	m.CreatedAt, m.Until = timeOf(created), timeOf(until)
	return m, err
}
