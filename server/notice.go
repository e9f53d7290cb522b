// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"belfry/alert"
)

const (
	// toldEach is how often a channel is told of one source's payloads.
	toldEach = time.Hour
	// noticeLabel is the label by which routes find what Belfry tells of itself,
	// noticePayload its value for payloads that were not understood.
	noticeLabel   = "belfry"
	noticePayload = "payload"
)

// told remembers until when the sources' payloads were told of. It only saves
// asking: what decides is the history of what was told.
type told struct {
	mu   sync.Mutex
	hour map[string]time.Time
}

// tellPayload has a channel told that a source sends what is not understood:
// the tool was answered that all is well, and nobody looks into a log that they
// do not expect anything in. It is a notice like any message of that source, so
// that routes lead it, and it is told once an hour, whatever comes and whoever
// restarts: its number of the hour is that of the hand-over, which counts once.
// The fault and the payload are for administrators; a channel has more readers.
func (s *Server) tellPayload(ctx context.Context, src *Source) {
	hour := s.opt.Clock.Now().UTC().Truncate(toldEach)
	s.told.mu.Lock()
	known := s.told.hour[src.Name].Equal(hour)
	s.told.mu.Unlock()
	if known {
		return
	}
	r := alert.Report{
		Kind:   alert.ReportCustom,
		Object: alert.Object{Kind: alert.KindRule, Rule: "Payloads of " + src.Name},
		Labels: alert.Labels{noticeLabel: noticePayload},
		Intake: fmt.Sprintf("payload-notice-%d", hour.Unix()), Repeated: true,
		Author: "Belfry",
		Comment: src.Name + " sent something that can't be understood, so it may be an alert that nobody sees. It is kept: an administrator finds it and what is wrong with it on the page Payloads," +
			" and replays it there once its program is mended. This is said once an hour.",
		Link: s.payloadsPage(),
	}
	if _, err := s.opt.Desk.Ingest(ctx, src.Name, []alert.Report{r}); err != nil {
		s.opt.Log.Error("can't tell a channel of a payload that was not understood", "source", src.Name, "err", err)
		return // the next one tells
	}
	s.told.mu.Lock()
	defer s.told.mu.Unlock()
	s.told.hour[src.Name] = hour
}

// payloadsPage is where the payloads are shown; empty: nobody knows the address.
func (s *Server) payloadsPage() string {
	if s.opt.BaseURL == "" {
		return ""
	}
	return strings.TrimSuffix(s.opt.BaseURL, "/") + "/payloads"
}
