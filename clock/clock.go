// SPDX-License-Identifier: Apache-2.0

// Package clock is the one source of time. Everything that decides by time
// takes a Clock, so that a test can turn it: either with the real clock inside
// a testing/synctest bubble, or with a Manual one where real sockets and
// databases rule the bubble out.
package clock

import (
	"sync"
	"time"
)

// Clock tells the time and wakes people up.
type Clock interface {
	// Now returns the current time in UTC, cut to microseconds (the resolution
	// that is stored).
	Now() time.Time
	// After sends the time once d has passed. A d of zero or less fires at once.
	After(d time.Duration) <-chan time.Time
}

// System is the machine's clock.
type System struct{}

// Now implements Clock.
func (System) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// After implements Clock.
func (System) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Manual is a clock that only moves when it is told to. The zero value is not
// usable: call NewManual.
type Manual struct {
	mu      sync.Mutex
	now     time.Time
	waiting []waiter
}

type waiter struct {
	at time.Time
	ch chan time.Time
}

// NewManual returns a clock that stands at now.
func NewManual(now time.Time) *Manual {
	return &Manual{now: now.UTC().Truncate(time.Microsecond)}
}

// Now implements Clock.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// After implements Clock.
func (m *Manual) After(d time.Duration) <-chan time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	ch := make(chan time.Time, 1)
	if d <= 0 {
		ch <- m.now
		return ch
	}
	m.waiting = append(m.waiting, waiter{m.now.Add(d), ch})
	return ch
}

// Advance moves the clock by d and fires what falls due.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
	left := m.waiting[:0]
	for _, w := range m.waiting {
		if w.at.After(m.now) {
			left = append(left, w)
			continue
		}
		w.ch <- m.now
	}
	m.waiting = left
}
