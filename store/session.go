// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// session is the writer's own connection with its prepared statements. It
// opens itself when needed and again after it broke.
type session struct {
	db      *sql.DB
	dialect *dialect
	// setup is run on each new connection.
	setup []string

	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

func (q *session) open(ctx context.Context) error {
	if q.conn != nil {
		return nil
	}
	conn, err := q.db.Conn(ctx)
	if err != nil {
		return err
	}
	for _, text := range q.setup {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			return errors.Join(err, conn.Close())
		}
	}
	q.conn, q.stmts = conn, map[string]*sql.Stmt{}
	return nil
}

// close gives the connection back; the pool drops it when it is broken.
func (q *session) close() error {
	if q.conn == nil {
		return nil
	}
	for _, st := range q.stmts {
		_ = st.Close() // the connection goes too
	}
	err := q.conn.Close()
	q.conn, q.stmts = nil, nil
	return err
}

// transaction runs do between begin and commit. When it returns an error
// nothing was stored, but for ErrUncertain.
func (q *session) transaction(ctx context.Context, do func(context.Context, *session) error) error {
	if q.dialect.patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, q.dialect.patience)
		defer cancel()
	}
	if err := q.begin(ctx); err != nil {
		return err
	}
	if err := do(ctx, q); err != nil {
		q.rollback(ctx)
		return err
	}
	if err := q.word(ctx, "COMMIT"); err != nil {
		broken := q.rollback(ctx)
		if broken && q.dialect.shared {
			return fmt.Errorf("%w: %w", ErrUncertain, err)
		}
		return fmt.Errorf("can't commit: %w", err)
	}
	return nil
}

// begin opens a transaction. A connection that broke since the last one is
// replaced: nothing was done on it yet.
func (q *session) begin(ctx context.Context) error {
	used := q.conn != nil
	if err := q.open(ctx); err != nil {
		return fmt.Errorf("can't reach the database: %w", err)
	}
	err := q.word(ctx, q.dialect.begin)
	if err == nil {
		return nil
	}
	if broken := q.rollback(ctx); broken && used && ctx.Err() == nil {
		return q.begin(ctx)
	}
	return fmt.Errorf("can't begin to write: %w", err)
}

// rollback ends a transaction that failed and says whether the connection is
// broken; then the next transaction opens a new one.
func (q *session) rollback(ctx context.Context) (broken bool) {
	if ctx.Err() == nil && q.script(ctx, "ROLLBACK") == nil {
		return false
	}
	if !q.dialect.shared {
		// SQLite rolls back by itself on some errors (full disk, I/O): then
		// there is nothing left to roll back and the connection is well.
		return false
	}
	_ = q.close()
	return true
}

// script runs statements without parameters, not prepared.
func (q *session) script(ctx context.Context, text string) error {
	_, err := q.conn.ExecContext(ctx, text)
	return err
}

// word begins or ends a transaction. Where that is a single statement it is
// prepared like the others.
func (q *session) word(ctx context.Context, text string) error {
	if q.dialect.shared {
		return q.script(ctx, text)
	}
	return q.exec(ctx, text)
}

func (q *session) prepared(ctx context.Context, text string) (*sql.Stmt, error) {
	if st, ok := q.stmts[text]; ok {
		return st, nil
	}
	st, err := q.conn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	q.stmts[text] = st
	return st, nil
}

func (q *session) exec(ctx context.Context, text string, args ...any) error {
	_, err := q.execCount(ctx, text, args...)
	return err
}

// execCount also returns how many rows were touched.
func (q *session) execCount(ctx context.Context, text string, args ...any) (int, error) {
	st, err := q.prepared(ctx, text)
	if err != nil {
		return 0, err
	}
	res, err := st.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// each calls row for every row of the answer.
func (q *session) each(ctx context.Context, text string, args []any, row func(scan scanner) error) error {
	st, err := q.prepared(ctx, text)
	if err != nil {
		return err
	}
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	return drain(rows, row)
}

// one reads a single row; sql.ErrNoRows when there is none.
func (q *session) one(ctx context.Context, text string, args []any, dest ...any) error {
	st, err := q.prepared(ctx, text)
	if err != nil {
		return err
	}
	return st.QueryRowContext(ctx, args...).Scan(dest...)
}

// scanner is what a row is read with: sql.Rows.Scan.
type scanner func(dest ...any) error

func drain(rows *sql.Rows, row func(scan scanner) error) error {
	defer func() { _ = rows.Close() }() // rows.Err tells
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
