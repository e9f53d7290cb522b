// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

func isPostgres(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

// openPostgres opens the database at address and begins to listen for what
// other processes make due.
func (s *Store) openPostgres(ctx context.Context, address string) error {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		// The driver's words may quote the address, password and all.
		return errors.New("can't understand the PostgreSQL address: it looks like postgres://USER:PASSWORD@HOST:5432/NAME, with special characters in the password written as %XX")
	}
	s.dialect = postgresDialect()
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "belfry"
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	s.read = &reads{DB: stdlib.OpenDB(*config)}
	s.read.SetMaxOpenConns(readers + 1) // the writer's is one of them
	s.read.SetMaxIdleConns(readers + 1)
	s.stop = append(s.stop, s.read.Close)
	s.session = &session{db: s.read.DB, dialect: s.dialect, setup: []string{
		// "Kept" includes power loss, whatever the server's default is; a
		// stricter setting (remote_apply) stays.
		`SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`,
		// A process that freezes in a transaction must not stop the others.
		`SET idle_in_transaction_session_timeout = '10s'`,
	}}
	s.stop = append(s.stop, s.session.close)
	if err := s.session.open(ctx); err != nil {
		return hidePassword(fmt.Errorf("can't reach the database: %w", err), config.Password)
	}
	s.listen(config)
	return nil
}

// hidePassword makes sure that no text of a driver shows it.
func hidePassword(err error, password string) error {
	if password == "" || !strings.Contains(err.Error(), password) {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), password, "(secret)"))
}
