// SPDX-License-Identifier: Apache-2.0

package chattest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"belfry/chat"
)

// Scribe is a chat.Recorder that keeps what it is given, as Belfry does: one
// mark on one message once, however often it is repeated.
type Scribe struct {
	Recorder
	mu       sync.Mutex
	kept     []chat.Marked
	channels []string
	failing  int
	breaking bool
}

var _ chat.Recorder = (*Scribe)(nil)

// MarkOf implements chat.Recorder with three emoji.
func (s *Scribe) MarkOf(emoji string) string {
	return map[string]string{"pushpin": chat.MarkTimeline, "star": "task", "wrench": "followup"}[emoji]
}

// Records implements chat.Recorder.
func (s *Scribe) Records(_ context.Context, _, channel string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing > 0 {
		s.failing--
		return false, errors.New("the disk is full")
	}
	return slices.Contains(s.channels, channel), nil
}

// RecordChannels implements chat.Recorder.
func (s *Scribe) RecordChannels(context.Context, string, int) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.channels), nil
}

// Record implements chat.Recorder.
func (s *Scribe) Record(_ context.Context, m chat.Marked) (chat.Answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing > 0 {
		s.failing--
		return chat.Answer{}, errors.New("the disk is full")
	}
	if s.breaking {
		s.breaking = false
		panic("the Scribe broke down")
	}
	for _, k := range s.kept {
		if k.Mark == m.Mark && k.Message.Ref == m.Message.Ref {
			return chat.Answer{}, nil
		}
	}
	s.kept = append(s.kept, m)
	return chat.Answer{Whisper: "kept as " + m.Mark}, nil
}

// Own makes channels, by the platform's ids, those of incidents.
func (s *Scribe) Own(channels ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels = channels
}

// Fail has the next n calls fail.
func (s *Scribe) Fail(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = n
}

// Break has the next Record break down.
func (s *Scribe) Break() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.breaking = true
}

// Kept is what was kept so far.
func (s *Scribe) Kept() []chat.Marked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.kept)
}
