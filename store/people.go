// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"belfry/alert"
)

// The roles of people.
const (
	RoleAdmin  = "admin"
	RoleMember = "member"
)

// Person is somebody who can sign in.
type Person struct {
	ID alert.ID
	// Name is what they sign in with and what others read. Two names that
	// differ only in capitals are the same.
	Name string
	// Role is RoleAdmin or RoleMember.
	Role string
	// PasswordHash is an encoded hash; the store does not know which.
	PasswordHash string
	CreatedAt    time.Time
}

// CreatePerson adds a person and returns it with its ID and CreatedAt, or
// ErrExists.
func (s *Store) CreatePerson(ctx context.Context, p Person) (Person, error) {
	added := false
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		p.ID, p.CreatedAt = s.ids.next(t.now), t.now
		n, err := t.execCount(ctx, `INSERT INTO people (id, handle, name, role, password_hash, created_at)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (handle) DO NOTHING`,
			int64(p.ID), handle(p.Name), p.Name, p.Role, p.PasswordHash, micros(p.CreatedAt))
		added = n > 0
		return err
	})
	if err == nil && !added {
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

func (s *Store) person(ctx context.Context, where string, arg any) (Person, error) {
	var p Person
	found := false
	err := s.query(ctx, "a person", `SELECT id, name, role, password_hash, created_at FROM people WHERE `+where, []any{arg},
		func(scan scanner) error {
			found = true
			var created int64
			err := scan(&p.ID, &p.Name, &p.Role, &p.PasswordHash, &created)
			p.CreatedAt = timeOf(created)
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
