// SPDX-License-Identifier: Apache-2.0

package delivery_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"belfry/alert"
	"belfry/delivery"
	"belfry/fault"
	"belfry/store"
)

// script answers with one outcome after the other.
type script struct {
	mu   sync.Mutex
	left []delivery.Outcome
}

func (s *script) Send(context.Context, delivery.Errand) delivery.Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.left) == 0 {
		return delivery.Outcome{Receipt: "wall x", Reached: 1}
	}
	next := s.left[0]
	s.left = s.left[1:]
	return next
}

func TestEachAttemptThatEndedIsObserved(t *testing.T) {
	s := openStore(t)
	var mu sync.Mutex
	var seen []delivery.Result
	sender := &script{left: []delivery.Outcome{{Err: fault.NewRetry(errWall)}, {Err: fault.NewRetryAfter(errWall, time.Millisecond)}, {Err: fault.NewUnknown(errWall)},
		{Again: time.Millisecond}, {Refused: true, Reached: 1}}}
	e := delivery.New(s, delivery.Options{
		Senders: func(string) (delivery.Sender, bool) { return sender, true },
		Poll:    50 * time.Millisecond, Linger: 50 * time.Millisecond,
		Backoff: func(store.DutyKind, int) time.Duration { return time.Millisecond },
		Observe: func(d store.Duty, r delivery.Result) {
			mu.Lock()
			defer mu.Unlock()
			if d.Destination != "chat/ops" || d.Kind != store.DutyCard {
				t.Errorf("seen: %+v", d)
			}
			seen = append(seen, r)
		},
	})
	s.SetOnDue(e.Wake)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { e.Run(ctx); close(ended) }()
	defer func() { s.SetOnDue(nil); cancel(); <-ended }()
	fire(t, s, "one", "chat/ops", alert.SeverityWarning)
	settled(t, s)
	sender.mu.Lock()
	sender.left = []delivery.Outcome{{Err: fault.NewPermanent(errWall)}, {Err: fault.NewGone(errWall)}}
	sender.mu.Unlock()
	for _, host := range []string{"two", "three", "four"} {
		fire(t, s, host, "chat/ops", alert.SeverityWarning)
		settled(t, s)
	}
	want := []delivery.Result{delivery.Failed, delivery.Limited, delivery.Uncertain, delivery.Refused, delivery.GivenUp, delivery.GivenUp, delivery.Done}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(seen, want) {
		t.Errorf("seen %v, want %v", seen, want)
	}
}
