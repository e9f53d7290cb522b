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
	s.knows = len(files)
	return s.session.transaction(ctx, func(ctx context.Context, q *session) error {
		if err := q.exec(ctx, `CREATE TABLE IF NOT EXISTS belfry_schema (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)`); err != nil {
			return err
		}
		have, err := q.schema(ctx, len(files))
		if err != nil {
			return err
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

// schema returns the database's version, or ErrNewer where that is above what the
// program knows.
func (q *session) schema(ctx context.Context, knows int) (have int, err error) {
	if err := q.one(ctx, `SELECT COALESCE(MAX(version), 0) FROM belfry_schema`, nil, &have); err != nil {
		return 0, err
	}
	if have > knows {
		return have, fmt.Errorf("the database has schema %d and this program knows %d: it %w", have, knows, ErrNewer)
	}
	return have, nil
}

// current refuses to write beside a newer process, which brought the schema
// further since this one began: neither would know where the other keeps things,
// and what was taken could be taken twice. The write lock is held (dialect.begin),
// so the answer stays true.
func (t *tx) current(ctx context.Context) error {
	if !t.dialect.shared {
		return nil
	}
	_, err := t.schema(ctx, t.store.knows)
	return err
}
