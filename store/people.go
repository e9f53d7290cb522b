// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"belfry/alert"
)

// The roles of people, from the one that may do everything down.
const (
	RoleAdmin     = "admin"
	RoleResponder = "responder"
	RoleMember    = "member"
)

// ErrLastAdmin says that without this person nobody could let others in.
var ErrLastAdmin = errors.New("this is the last administrator")

// Person is somebody who can sign in.
type Person struct {
	ID alert.ID
	// Name is what they sign in with and what others read. Two names that
	// differ only in capitals are the same.
	Name string
	// Role is RoleAdmin, RoleResponder or RoleMember.
	Role string
	// PasswordHash is an encoded hash; the store does not know which. Empty:
	// they sign in by a linked account.
	PasswordHash string
	// Epoch grows when all their sessions end: a session of another one is over.
	Epoch     int64
	CreatedAt time.Time
}

// CreatePerson adds a person and returns it with its ID and CreatedAt, or
// ErrExists.
func (s *Store) CreatePerson(ctx context.Context, p Person) (Person, error) {
	return s.createPerson(ctx, p, nil)
}

// CreateLinkedPerson adds a person with an account that is theirs, both or
// neither. It returns ErrExists when the name or the account is taken.
func (s *Store) CreateLinkedPerson(ctx context.Context, p Person, account Identity) (Person, error) {
	return s.createPerson(ctx, p, &account)
}

// createPerson looks first and writes then: a change that is refused must have
// written nothing, since it shares its transaction with others.
func (s *Store) createPerson(ctx context.Context, p Person, account *Identity) (Person, error) {
	taken := false
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		var n int64
		if err := t.one(ctx, `SELECT COUNT(*) FROM people WHERE handle = $1`, []any{handle(p.Name)}, &n); err != nil {
			return err
		}
		taken = n > 0
		if !taken && account != nil {
			if err := t.one(ctx, `SELECT COUNT(*) FROM identities WHERE connection = $1 AND user_id = $2`,
				[]any{account.Connection, account.UserID}, &n); err != nil {
				return err
			}
			taken = n > 0
		}
		if taken {
			return nil
		}
		p.ID, p.CreatedAt = s.ids.next(t.now), t.now
		if err := t.exec(ctx, `INSERT INTO people (id, handle, name, role, password_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			int64(p.ID), handle(p.Name), p.Name, p.Role, p.PasswordHash, micros(p.CreatedAt)); err != nil || account == nil {
			return err
		}
		return t.exec(ctx, `INSERT INTO identities (connection, user_id, name, person_id, linked_at) VALUES ($1, $2, $3, $4, $5)`,
			account.Connection, account.UserID, account.Name, int64(p.ID), micros(t.now))
	})
	if err == nil && taken {
		err = ErrExists
	}
	if err != nil {
		return Person{}, fmt.Errorf("can't add the person %s: %w", p.Name, err)
	}
	return p, nil
}

func handle(name string) string { return strings.ToLower(name) }

// PersonByName returns a person, or ErrNotFound.
func (s *Store) PersonByName(ctx context.Context, name string) (Person, error) {
	return s.person(ctx, `handle = $1`, handle(name))
}

// PersonByID returns a person, or ErrNotFound.
func (s *Store) PersonByID(ctx context.Context, id alert.ID) (Person, error) {
	return s.person(ctx, `id = $1`, int64(id))
}

const personColumns = `SELECT id, name, role, password_hash, epoch, created_at FROM people`

func scanPerson(scan scanner) (Person, error) {
	var p Person
	var created int64
	err := scan(&p.ID, &p.Name, &p.Role, &p.PasswordHash, &p.Epoch, &created)
	p.CreatedAt = timeOf(created)
	return p, err
}

func (s *Store) person(ctx context.Context, where string, args ...any) (Person, error) {
	var p Person
	found := false
	err := s.query(ctx, "a person", personColumns+` WHERE `+where, args, func(scan scanner) (err error) {
		found = true
		p, err = scanPerson(scan)
		return err
	})
	if err == nil && !found {
		err = fmt.Errorf("person: %w", ErrNotFound)
	}
	return p, err
}

// CountPeople returns how many people can sign in.
func (s *Store) CountPeople(ctx context.Context) (int, error) {
	n := 0
	err := s.query(ctx, "people", `SELECT COUNT(*) FROM people`, nil, func(scan scanner) error { return scan(&n) })
	return n, err
}

// People returns everybody, by name.
func (s *Store) People(ctx context.Context) ([]Person, error) {
	var out []Person
	err := s.query(ctx, "people", personColumns+` ORDER BY handle`, nil, func(scan scanner) error {
		p, err := scanPerson(scan)
		out = append(out, p)
		return err
	})
	return out, err
}

// SetRole gives a person another role. It returns ErrNotFound, or ErrLastAdmin
// when nobody would be left who can let people in.
func (s *Store) SetRole(ctx context.Context, id alert.ID, role string) error {
	return s.changePerson(ctx, "change the role of", id, role != RoleAdmin, func(ctx context.Context, t *tx) error {
		return t.exec(ctx, `UPDATE people SET role = $2 WHERE id = $1`, int64(id), role)
	})
}

// SetPassword gives a person another password and ends all their sessions, or
// returns ErrNotFound.
func (s *Store) SetPassword(ctx context.Context, id alert.ID, hash string) error {
	return s.changePerson(ctx, "set the password of", id, false, func(ctx context.Context, t *tx) error {
		return t.exec(ctx, `UPDATE people SET password_hash = $2, epoch = epoch + 1 WHERE id = $1`, int64(id), hash)
	})
}

// RemovePerson removes a person with all their accounts. It returns
// ErrNotFound, or ErrLastAdmin.
func (s *Store) RemovePerson(ctx context.Context, id alert.ID) error {
	return s.changePerson(ctx, "remove", id, true, func(ctx context.Context, t *tx) error {
		for _, text := range []string{`DELETE FROM identities WHERE person_id = $1`, `DELETE FROM room_members WHERE person_id = $1`} {
			if err := t.exec(ctx, text, int64(id)); err != nil {
				return err
			}
		}
		return t.exec(ctx, `DELETE FROM people WHERE id = $1`, int64(id))
	})
}

// changePerson changes somebody who is there; demotes says that they are no
// administrator afterwards.
func (s *Store) changePerson(ctx context.Context, doing string, id alert.ID, demotes bool, do func(context.Context, *tx) error) error {
	var refused error
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		refused = nil
		var role string
		switch err := t.one(ctx, `SELECT role FROM people WHERE id = $1`, []any{int64(id)}, &role); {
		case errors.Is(err, sql.ErrNoRows):
			refused = ErrNotFound
			return nil
		case err != nil:
			return err
		}
		if demotes && role == RoleAdmin {
			var others int64
			if err := t.one(ctx, `SELECT COUNT(*) FROM people WHERE role = $1 AND id <> $2`, []any{RoleAdmin, int64(id)}, &others); err != nil {
				return err
			}
			if others == 0 {
				refused = ErrLastAdmin
				return nil
			}
		}
		return do(ctx, t)
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return fmt.Errorf("can't %s person %d: %w", doing, id, err)
	}
	return nil
}
