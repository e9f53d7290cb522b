// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// readyFor is how long an answer of Ready holds: whoever asks often must
	// not wear the disk out.
	readyFor = 5 * time.Second
	// leastRoom is what must be free on the database's disk, in bytes. Small
	// changes still fit where the log was before, and say nothing about the next
	// alert storm.
	leastRoom = 16 << 20
	// settingReady is what is written to see whether anything can be.
	settingReady = "ready"
)

// readiness is the last answer of Ready.
type readiness struct {
	mu  sync.Mutex
	at  time.Time
	err error
}

// Ready returns nil when what is handed over can be stored, or why it can't be:
// the database does not answer or does not write, or its disk is full (ErrFull).
// It writes, at most once in five seconds.
func (s *Store) Ready(ctx context.Context) error {
	r := &s.ready
	r.mu.Lock()
	defer r.mu.Unlock()
	now := s.clock.Now()
	if age := now.Sub(r.at); !r.at.IsZero() && age >= 0 && age < readyFor {
		return r.err
	}
	err := s.canStore(ctx, now)
	if errors.Is(err, context.Canceled) {
		return err // who asked went away, and learned nothing
	}
	r.at, r.err = now, err
	return err
}

func (s *Store) canStore(ctx context.Context, now time.Time) error {
	if err := s.Ping(ctx); err != nil {
		return err
	}
	if s.room != nil {
		// A disk that does not tell is found out by writing.
		if free, err := s.room(); err == nil && free < leastRoom {
			return fmt.Errorf("less than %d MB are left: %w", leastRoom>>20, ErrFull)
		}
	}
	if err := s.SetSetting(ctx, settingReady, now.UTC().Format(time.RFC3339)); err != nil {
		return fmt.Errorf("can't write to the database: %w", err)
	}
	return nil
}
