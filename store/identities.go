// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"belfry/alert"
)

// Identity is an account of a chat platform that is a person's.
type Identity struct {
	// Connection is the name of the configured connection, UserID the
	// platform's id of the account there: no other has both.
	Connection, UserID string
	// Name is the account's handle as it was when it was linked.
	Name     string
	Person   alert.ID
	LinkedAt time.Time
}

// Link says that an account is a person's. Saying so again changes nothing but
// its Name. It returns ErrExists when it is another person's, ErrNotFound when
// the person is gone.
func (s *Store) Link(ctx context.Context, i Identity) error {
	var refused error
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		refused = nil
		var owner, there int64
		err := t.one(ctx, `SELECT person_id FROM identities WHERE connection = $1 AND user_id = $2`, []any{i.Connection, i.UserID}, &owner)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err := t.one(ctx, `SELECT COUNT(*) FROM people WHERE id = $1`, []any{int64(i.Person)}, &there); err != nil {
			return err
		}
		switch {
		case there == 0:
			refused = ErrNotFound
			return nil
		case err == nil && owner != int64(i.Person):
			refused = ErrExists
			return nil
		}
		return t.exec(ctx, `INSERT INTO identities (connection, user_id, name, person_id, linked_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (connection, user_id) DO UPDATE SET name = excluded.name`,
			i.Connection, i.UserID, i.Name, int64(i.Person), micros(t.now))
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return fmt.Errorf("can't link %s of connection %s: %w", i.Name, i.Connection, err)
	}
	return nil
}

// Unlink says that an account is not the person's any more, and ends their
// sessions: one of them may have come by that account. It returns ErrNotFound
// when it was not theirs.
func (s *Store) Unlink(ctx context.Context, person alert.ID, connection, userID string) error {
	gone := false
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.execCount(ctx, `DELETE FROM identities WHERE connection = $1 AND user_id = $2 AND person_id = $3`, connection, userID, int64(person))
		gone = n == 0
		if err != nil || gone {
			return err
		}
		return t.exec(ctx, `UPDATE people SET epoch = epoch + 1 WHERE id = $1`, int64(person))
	})
	if err == nil && gone {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("can't unlink an account of connection %s: %w", connection, err)
	}
	return nil
}

// PersonByIdentity returns whose account this is, or ErrNotFound.
func (s *Store) PersonByIdentity(ctx context.Context, connection, userID string) (Person, error) {
	return s.person(ctx, `id = (SELECT person_id FROM identities WHERE connection = $1 AND user_id = $2)`, connection, userID)
}

// Identities returns the accounts of a person, or of everybody for 0.
func (s *Store) Identities(ctx context.Context, person alert.ID) ([]Identity, error) {
	var out []Identity
	where, args := ``, []any(nil)
	if person != 0 {
		where, args = ` WHERE person_id = $1`, []any{int64(person)}
	}
	err := s.query(ctx, "linked accounts", `SELECT connection, user_id, name, person_id, linked_at FROM identities`+
		where+` ORDER BY connection, name, user_id`, args, func(scan scanner) error {
		var i Identity
		var linked int64
		err := scan(&i.Connection, &i.UserID, &i.Name, &i.Person, &linked)
		i.LinkedAt = timeOf(linked)
		out = append(out, i)
		return err
	})
	return out, err
}

// UseOnce notes that what token stands for was used, and says whether this was
// the first time. What can't be used after until is forgotten then.
func (s *Store) UseOnce(ctx context.Context, token string, until time.Time) (first bool, err error) {
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		if err := t.exec(ctx, `DELETE FROM used_once WHERE expires_at < $1`, micros(t.now)); err != nil {
			return err
		}
		n, err := t.execCount(ctx, `INSERT INTO used_once (token, expires_at) VALUES ($1, $2) ON CONFLICT (token) DO NOTHING`,
			hashed(token), micros(until))
		first = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("can't note that a link was used: %w", err)
	}
	return first, nil
}
