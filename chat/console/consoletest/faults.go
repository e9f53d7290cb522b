// SPDX-License-Identifier: Apache-2.0

// Package consoletest tests what stands on the built-in room: Storage makes
// the room's storage fail on demand, Room is the room as people see it, read
// from the HTML that their browsers get and pressed through the handler that
// their browsers call.
package consoletest

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"belfry/alert"
	"belfry/chat/console"
	"belfry/fault"
	"belfry/store"
)

// Storage is a real storage with faults in front of it. The zero faults let
// everything through.
type Storage struct {
	console.Storage

	mu         sync.Mutex
	limited    bool
	down       bool
	slow       time.Duration
	loseAnswer bool
	failBefore bool
	failAfter  bool
}

// errBroken is what a database says that failed in the middle.
var errBroken = errors.New("disk I/O error")

// RateLimit refuses every call until lift is called, and says to wait.
func (s *Storage) RateLimit() (lift func()) {
	s.set(func() { s.limited = true })
	return func() { s.set(func() { s.limited = false }) }
}

// Down lets every call fail as after the store was closed, until up is called.
func (s *Storage) Down() (up func()) {
	s.set(func() { s.down = true })
	return func() { s.set(func() { s.down = false }) }
}

// Slow makes every call take d, or until its caller gives up.
func (s *Storage) Slow(d time.Duration) { s.set(func() { s.slow = d }) }

// LoseAnswer stores the next post and then waits until its caller gives up, or
// for a short while, as a connection that broke.
func (s *Storage) LoseAnswer() { s.set(func() { s.loseAnswer = true }) }

// FailBefore fails the next post or edit before it was stored, FailAfter
// afterwards.
func (s *Storage) FailBefore() { s.set(func() { s.failBefore = true }) }

// FailAfter fails the next post or edit after it was stored.
func (s *Storage) FailAfter() { s.set(func() { s.failAfter = true }) }

func (s *Storage) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// take returns a switch that holds for one call and resets it.
func (s *Storage) take(flag *bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := *flag
	*flag = false
	return was
}

// call lets one call meet the faults that hold for all.
func (s *Storage) call(ctx context.Context) error {
	s.mu.Lock()
	limited, down, slow := s.limited, s.down, s.slow
	s.mu.Unlock()
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	switch {
	case down:
		return store.ErrClosed
	case limited:
		return fault.NewRetryAfter(errors.New("the room takes no more at this moment"), 2*time.Second)
	}
	return nil
}

// write lets a call that changes something meet all faults.
func (s *Storage) write(ctx context.Context, post bool, do func() error) error {
	if err := s.call(ctx); err != nil {
		return err
	}
	if s.take(&s.failBefore) {
		return errBroken
	}
	if err := do(); err != nil {
		return err
	}
	if s.take(&s.failAfter) {
		return errBroken
	}
	if post && s.take(&s.loseAnswer) {
		return store.ErrUncertain
	}
	return nil
}

// RoomPost implements console.Storage.
func (s *Storage) RoomPost(ctx context.Context, m store.RoomMessage) (stored store.RoomMessage, err error) {
	err = s.write(ctx, true, func() error {
		stored, err = s.Storage.RoomPost(ctx, m)
		return err
	})
	return stored, err
}

// RoomUpdate implements console.Storage.
func (s *Storage) RoomUpdate(ctx context.Context, id alert.ID, body json.RawMessage) (stored store.RoomMessage, err error) {
	err = s.write(ctx, false, func() error {
		stored, err = s.Storage.RoomUpdate(ctx, id, body)
		return err
	})
	return stored, err
}

// RoomFind implements console.Storage.
func (s *Storage) RoomFind(ctx context.Context, channel, key string) (store.RoomMessage, bool, error) {
	if err := s.call(ctx); err != nil {
		return store.RoomMessage{}, false, err
	}
	return s.Storage.RoomFind(ctx, channel, key)
}

// People implements console.Storage.
func (s *Storage) People(ctx context.Context) ([]store.Person, error) {
	if err := s.call(ctx); err != nil {
		return nil, err
	}
	return s.Storage.People(ctx)
}
