// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"belfry/alert"
	"belfry/incident"
)

// ErrOutdated says that somebody else wrote a version meanwhile.
var ErrOutdated = errors.New("somebody else saved another version meanwhile")

const newestRetrospective = `SELECT version, at, body FROM incident_retrospectives WHERE incident_id = $1 ORDER BY version DESC LIMIT 1`

// Retrospective returns the newest version of an incident's retrospective as
// people edited it, or ErrNotFound when nobody did.
func (s *Store) Retrospective(ctx context.Context, id alert.ID) (incident.Retrospective, error) {
	var r incident.Retrospective
	err := s.query(ctx, "a retrospective", newestRetrospective, []any{int64(id)}, func(scan scanner) error {
		var at int64
		var body string
		if err := scan(&r.Version, &at, &body); err != nil {
			return err
		}
		r.At = timeOf(at)
		return json.Unmarshal([]byte(body), &r)
	})
	if err == nil && r.Version == 0 {
		err = fmt.Errorf("retrospective: %w", ErrNotFound)
	}
	return r, err
}

// EditRetrospective keeps a new version, which must follow upon the newest one:
// otherwise it returns ErrOutdated, and nothing is stored.
func (s *Store) EditRetrospective(ctx context.Context, id alert.ID, r incident.Retrospective) error {
	r.Text, r.By.Name = writable(r.Text), writable(r.By.Name)
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("can't encode a retrospective: %w", err)
	}
	outdated := false
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		var newest, there int64
		if err := t.one(ctx, `SELECT COUNT(*) FROM incidents WHERE id = $1`, []any{int64(id)}, &there); err != nil {
			return err
		}
		if err := t.one(ctx, `SELECT COALESCE(MAX(version), 0) FROM incident_retrospectives WHERE incident_id = $1`, []any{int64(id)}, &newest); err != nil {
			return err
		}
		if outdated = there == 0 || int64(r.Version) != newest+1; outdated {
			return nil
		}
		return t.exec(ctx, `INSERT INTO incident_retrospectives (incident_id, version, at, body) VALUES ($1, $2, $3, $4)`,
			int64(id), int64(r.Version), micros(r.At), string(body))
	})
	if err == nil && outdated {
		err = ErrOutdated
	}
	if err != nil {
		return fmt.Errorf("can't save the retrospective: %w", err)
	}
	return nil
}
