// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
)

// migrations are forward only: a file that was released is never changed.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema up to date, under the write lock: of two processes
// that start at once one does it and the other finds it done.
func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		return err
	}
	return s.session.transaction(ctx, func(ctx context.Context, q *session) error {
		if err := q.exec(ctx, `CREATE TABLE IF NOT EXISTS belfry_schema (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)`); err != nil {
			return err
		}
		var have int
		if err := q.one(ctx, `SELECT COALESCE(MAX(version), 0) FROM belfry_schema`, nil, &have); err != nil {
			return err
		}
		if have > len(files) {
			return fmt.Errorf("the database has schema %d and this program knows %d: it was used by a newer Belfry, run that one", have, len(files))
		}
		for i := have; i < len(files); i++ {
			text, err := migrations.ReadFile(files[i])
			if err != nil {
				return err
			}
			if err := q.script(ctx, s.dialect.ddl(string(text))); err != nil {
				return fmt.Errorf("can't bring the schema to version %d: %w", i+1, err)
			}
			if err := q.exec(ctx, `INSERT INTO belfry_schema (version, applied_at) VALUES ($1, $2)`, i+1, micros(s.clock.Now())); err != nil {
				return err
			}
		}
		for i := have; i < len(files); i++ {
			if fill := fills[files[i]]; fill != nil {
				if err := fill(ctx, q); err != nil {
					return fmt.Errorf("can't fill what is new in schema %d: %w", i+1, err)
				}
			}
		}
		return s.fillLeft(ctx, q)
	})
}
