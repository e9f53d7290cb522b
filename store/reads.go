// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"sync"
)

// maxReads bounds the statements that are kept prepared: there are a few of
// each kind, and lists (see bulk) in a few sizes.
const maxReads = 128

// reads is the reading side. In SQLite it keeps statements prepared, because
// preparing takes longer than most reads; PostgreSQL's driver does so itself.
type reads struct {
	*sql.DB
	keep bool

	mu    sync.Mutex
	stmts map[string]*sql.Stmt
}

// QueryContext runs a statement and keeps it for the next time.
func (r *reads) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	st, err := r.prepared(ctx, text) //nolint:sqlclosecheck // kept, and closed with the pool
	if err != nil {
		return nil, err
	}
	if st == nil {
		return r.DB.QueryContext(ctx, text, args...)
	}
	return st.QueryContext(ctx, args...)
}

// prepared returns the statement with this text, or nil when it is not kept.
func (r *reads) prepared(ctx context.Context, text string) (*sql.Stmt, error) {
	if !r.keep {
		return nil, nil
	}
	r.mu.Lock()
	st := r.stmts[text]
	full := len(r.stmts) >= maxReads
	r.mu.Unlock()
	if st != nil || full {
		return st, nil
	}
	// Not under the lock: it may wait for a connection.
	made, err := r.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if st := r.stmts[text]; st != nil { // somebody was quicker
		return st, made.Close() //nolint:sqlclosecheck // the other one is used
	}
	if r.stmts == nil {
		r.stmts = map[string]*sql.Stmt{}
	}
	r.stmts[text] = made
	return made, nil
}
