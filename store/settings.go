// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Setting returns a setting; ok is false when there is none.
func (s *Store) Setting(ctx context.Context, name string) (value string, ok bool, err error) {
	err = s.query(ctx, "a setting", `SELECT value FROM settings WHERE name = $1`, []any{name}, func(scan scanner) error {
		ok = true
		return scan(&value)
	})
	return value, ok, err
}

// SetSetting stores a setting.
func (s *Store) SetSetting(ctx context.Context, name, value string) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		return t.exec(ctx, `INSERT INTO settings (name, value, updated_at) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
			name, value, micros(t.now))
	})
	if err != nil {
		return fmt.Errorf("can't store setting %s: %w", name, err)
	}
	return nil
}

// SetSettingOnce stores a setting if there is none of that name; set says
// whether it did. Of several callers at once one wins.
func (s *Store) SetSettingOnce(ctx context.Context, name, value string) (set bool, err error) {
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.execCount(ctx, `INSERT INTO settings (name, value, updated_at) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO NOTHING`, name, value, micros(t.now))
		set = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("can't store setting %s: %w", name, err)
	}
	return set, nil
}

// TakeSetting removes a setting and returns it; of several callers at once one
// gets it. For one-time links: the name holds a hash of the link's secret.
func (s *Store) TakeSetting(ctx context.Context, name string) (value string, ok bool, err error) {
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		value, ok = "", true
		err := t.one(ctx, `DELETE FROM settings WHERE name = $1 RETURNING value`, []any{name}, &value)
		if errors.Is(err, sql.ErrNoRows) {
			ok, err = false, nil
		}
		return err
	})
	if err != nil {
		return "", false, fmt.Errorf("can't take setting %s: %w", name, err)
	}
	return value, ok, nil
}
