// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"
)

// sessionTimeout bounds the calls that bring no context.
const sessionTimeout = 10 * time.Second

var _ scs.CtxStore = (*Store)(nil)

// hashed is what stands for a session's token in the database.
func hashed(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// FindCtx implements scs.CtxStore.
func (s *Store) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	var text string
	err = s.query(ctx, "a session", `SELECT data FROM sessions WHERE token = $1 AND expires_at > $2`,
		[]any{hashed(token), micros(s.clock.Now())}, func(scan scanner) error {
			found = true
			return scan(&text)
		})
	if err != nil || !found {
		return nil, false, err
	}
	data, err = base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, false, fmt.Errorf("a session can't be read back: %w", err)
	}
	return data, true, nil
}

// CommitCtx implements scs.CtxStore.
func (s *Store) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		return t.exec(ctx, `INSERT INTO sessions (token, data, expires_at) VALUES ($1, $2, $3)
			ON CONFLICT (token) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at`,
			hashed(token), base64.StdEncoding.EncodeToString(data), micros(expiry))
	})
	if err != nil {
		return fmt.Errorf("can't store a session: %w", err)
	}
	return nil
}

// DeleteCtx implements scs.CtxStore.
func (s *Store) DeleteCtx(ctx context.Context, token string) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		return t.exec(ctx, `DELETE FROM sessions WHERE token = $1`, hashed(token))
	})
	if err != nil {
		return fmt.Errorf("can't end a session: %w", err)
	}
	return nil
}

// Find implements scs.Store.
func (s *Store) Find(token string) (data []byte, found bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), sessionTimeout)
	defer cancel()
	return s.FindCtx(ctx, token)
}

// Commit implements scs.Store.
func (s *Store) Commit(token string, data []byte, expiry time.Time) error {
	ctx, cancel := context.WithTimeout(context.Background(), sessionTimeout)
	defer cancel()
	return s.CommitCtx(ctx, token, data, expiry)
}

// Delete implements scs.Store.
func (s *Store) Delete(token string) error {
	ctx, cancel := context.WithTimeout(context.Background(), sessionTimeout)
	defer cancel()
	return s.DeleteCtx(ctx, token)
}

// DeleteExpiredSessions removes sessions that are over and returns how many.
func (s *Store) DeleteExpiredSessions(ctx context.Context) (int, error) {
	n := 0
	err := s.write(ctx, func(ctx context.Context, t *tx) (err error) {
		n, err = t.execCount(ctx, `DELETE FROM sessions WHERE expires_at <= $1`, micros(t.now))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("can't remove sessions that are over: %w", err)
	}
	return n, nil
}
