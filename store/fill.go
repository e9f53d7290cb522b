// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"belfry/incident"
)

// fills are what computes the content of new columns and tables from what was
// there, by the migration that made place for it. They run after the last
// migration, so that they may use everything that the program knows. What can't
// be read back must not keep Belfry from starting: it is noted, told, and tried
// again at each start.
var fills = map[string]func(ctx context.Context, q *session) error{
	"migrations/0011_figures.sql": fillFigures,
}

const (
	// fillChunk is how many incidents are held in memory at once.
	fillChunk = 500
	// settingUnfilled names the numbers, with spaces between, of the incidents of
	// which migration 0011's tables have nothing because they could not be read back.
	settingUnfilled = "incidents without figures"
	incidentsAfter  = `SELECT ` + incidentColumns + ` FROM incidents WHERE number > $1 ORDER BY number LIMIT $2`
)

// fillFigures computes what migration 0011 made place for, and notes of which
// incidents it could not.
func fillFigures(ctx context.Context, q *session) error {
	var left []int64
	for after := int64(0); ; {
		var list []*incident.Incident
		n := 0
		err := q.each(ctx, incidentsAfter, []any{after, int64(fillChunk)}, func(scan scanner) error {
			i, err := scanIncident(scan)
			switch n++; {
			case errors.Is(err, ErrUnreadable):
				left, after = append(left, i.Number), i.Number
				return nil
			case err != nil:
				return err
			}
			list, after = append(list, i), i.Number
			return nil
		})
		if err != nil {
			return err
		}
		for _, i := range list {
			if err := q.putFigures(ctx, i, &incident.Incident{}); err != nil {
				return fmt.Errorf("can't count incident %s: %w", i.Ref(), err)
			}
		}
		if n < fillChunk {
			return q.noteUnfilled(ctx, left)
		}
	}
}

func (q *session) noteUnfilled(ctx context.Context, numbers []int64) error {
	if len(numbers) == 0 {
		return q.exec(ctx, `DELETE FROM settings WHERE name = $1`, settingUnfilled)
	}
	texts := make([]string, len(numbers))
	for n, number := range numbers {
		texts[n] = strconv.FormatInt(number, 10)
	}
	return q.exec(ctx, `INSERT INTO settings (name, value, updated_at) VALUES ($1, $2, 0)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, settingUnfilled, strings.Join(texts, " "))
}

// fillLeft tries again what fillFigures had to leave, and tells what it leaves
// still: without a row in incident_viewers nobody finds a private incident, also
// when it can be read by now.
func (s *Store) fillLeft(ctx context.Context, q *session) error {
	var noted string
	err := q.each(ctx, `SELECT value FROM settings WHERE name = $1`, []any{settingUnfilled}, func(scan scanner) error { return scan(&noted) })
	if err != nil || noted == "" {
		return err
	}
	var left []int64
	for word := range strings.FieldsSeq(noted) {
		number, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			continue // nobody but noteUnfilled writes it
		}
		err = q.fillOne(ctx, number)
		if errors.Is(err, ErrUnreadable) {
			s.log.Error("an incident can't be read back: it counts in no figures, and is in no list if it is private; that is made up for at the first start that can read it",
				"incident", number, "err", err)
			left = append(left, number)
		} else if err != nil {
			return err
		}
	}
	if len(left) == len(strings.Fields(noted)) {
		return nil
	}
	return q.noteUnfilled(ctx, left)
}

// fillOne is fillFigures for one incident.
func (q *session) fillOne(ctx context.Context, number int64) error {
	var list []*incident.Incident
	err := q.each(ctx, incidentByNumber, []any{number}, func(scan scanner) error {
		i, err := scanIncident(scan)
		list = append(list, i)
		return err
	})
	if err != nil {
		return err
	}
	for _, i := range list {
		// It may have changed since it can be read again.
		for _, text := range []string{deleteFigures, deleteViewers} {
			if err := q.exec(ctx, text, int64(i.ID)); err != nil {
				return err
			}
		}
		if err := q.putFigures(ctx, i, &incident.Incident{}); err != nil {
			return fmt.Errorf("can't count incident %s: %w", i.Ref(), err)
		}
	}
	return nil
}
