// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"errors"
	"sync"
	"time"

	"belfry/chat"
	"belfry/fault"
)

const (
	// sentKept is how long a key is remembered; a duty's next attempt comes
	// within minutes, and after a restart the engine itself asks first.
	sentKept = time.Hour
	maxSent  = 20_000
)

// sent knows what became of the keys that this process posted, so that one
// never makes two messages.
type sent struct {
	mu   sync.Mutex
	keys map[string]*attempt
}

type attempt struct {
	at      time.Time // of the first attempt
	ref     chat.Ref  // where it stands; empty when nothing is known of that
	unknown bool
	running bool
}

func newSent() *sent { return &sent{keys: map[string]*attempt{}} }

// begin says what is known of a key: where its message stands, or since when
// nobody knows whether it does. Otherwise the caller may post and calls end.
func (s *sent) begin(key string, now time.Time) (ref chat.Ref, since time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.keys[key]
	switch {
	case a == nil:
		s.prune(now)
		s.keys[key] = &attempt{at: now, running: true}
		return chat.Ref{}, time.Time{}, nil
	case a.running:
		return chat.Ref{}, time.Time{}, fault.NewRetryAfterOnly(fault.This, errors.New("an earlier attempt is still under way"), pendingWait)
	case a.ref.Post != "":
		return a.ref, time.Time{}, nil
	}
	a.running = true
	if a.unknown {
		return chat.Ref{}, a.at, nil
	}
	a.at = now
	return chat.Ref{}, time.Time{}, nil
}

// end records what became of an attempt.
func (s *sent) end(key string, ref chat.Ref, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.keys[key]
	if a == nil {
		return
	}
	a.running = false
	decision, _ := fault.Of(err)
	switch {
	case err == nil:
		a.ref, a.unknown = ref, false
	case decision == fault.Unknown:
		a.unknown = true
	case !a.unknown: // nothing is out there, and nothing has to be remembered
		delete(s.keys, key)
	}
}

// settled records what somebody found out about a key in the channel.
func (s *sent) settled(key string, ref chat.Ref, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.keys[key]
	if a == nil || a.running && !found {
		return
	}
	if a.ref, a.unknown = ref, false; !found {
		delete(s.keys, key)
	}
}

// prune forgets what is old; the caller holds mu.
func (s *sent) prune(now time.Time) {
	if len(s.keys) < maxSent {
		return
	}
	for key, a := range s.keys {
		if !a.running && (now.Sub(a.at) > sentKept || a.ref.Post != "") {
			delete(s.keys, key)
		}
	}
}
