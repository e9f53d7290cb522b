// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// dueChannel carries which destinations got something to do.
	dueChannel = "belfry_due"
	// maxNotice bounds its payload; PostgreSQL takes 8000 bytes.
	maxNotice = 7 << 10
	// relisten is the wait before a broken session is opened again. What is
	// missed meanwhile is found by asking Due.
	relisten = 2 * time.Second
)

// notice is the payload: who sends it, and the destinations; none means that
// there were too many to name.
type notice struct {
	Life         string   `json:"life"`
	Destinations []string `json:"destinations,omitempty"`
}

// announce tells other processes, with the commit. One notice for a whole
// batch: PostgreSQL lets commits with one wait for each other.
func (t *tx) announce(ctx context.Context) error {
	if len(t.due) == 0 || !t.dialect.shared {
		return nil
	}
	n := notice{Life: t.store.life, Destinations: keys(t.due)}
	text, err := json.Marshal(n)
	if err == nil && len(text) > maxNotice {
		text, err = json.Marshal(notice{Life: n.Life})
	}
	if err != nil {
		return err
	}
	return t.each(ctx, `SELECT pg_notify($1, $2)`, []any{dueChannel, string(text)}, func(scanner) error { return nil })
}

// listen hears what other processes announce, until the store is closed.
func (s *Store) listen(config *pgx.ConnConfig) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	s.stop = append(s.stop, func() error { cancel(); <-done; return nil })
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			err := s.hear(ctx, config)
			if ctx.Err() != nil {
				return
			}
			s.log.Warn("can't hear what other processes make due, looking for it instead", "again_in", relisten,
				"err", hidePassword(err, config.Password))
			select {
			case <-s.clock.After(relisten):
			case <-ctx.Done():
			}
		}
	}()
}

// hear is one session of listening.
func (s *Store) hear(ctx context.Context, config *pgx.ConnConfig) error {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ending) // nothing is lost with it
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+dueChannel); err != nil {
		return err
	}
	s.tell(nil) // what was announced before we listened
	for {
		heard, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		var n notice
		if json.NewDecoder(strings.NewReader(heard.Payload)).Decode(&n) != nil {
			n = notice{} // not ours to judge: look everywhere
		}
		if n.Life != s.life {
			s.tell(n.Destinations)
		}
	}
}
