// SPDX-License-Identifier: Apache-2.0

package delivery_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"belfry/alert"
	"belfry/delivery"
	"belfry/store"
)

// asking counts the claims that lanes ask for, and tells when one stands.
type asking struct {
	*store.Store
	claims atomic.Int64
	stands chan struct{}
}

func (c *asking) Claim(ctx context.Context, destination string, limit int) (store.Claim, error) {
	c.claims.Add(1)
	return c.Store.Claim(ctx, destination, limit)
}

func (c *asking) Stand(destination string, limit int) *store.Standing {
	st := c.Store.Stand(destination, limit)
	c.stands <- struct{}{}
	return st
}

// TestAFreeLaneNeverAsks: what comes while a lane has nothing to do is claimed
// with the change itself, so that one commit lies between a press and its
// command.
func TestAFreeLaneNeverAsks(t *testing.T) {
	s := openStore(t)
	w := newWall(s)
	q := &asking{Store: s, stands: make(chan struct{}, 100)}
	e := delivery.New(q, delivery.Options{
		Senders: func(string) (delivery.Sender, bool) { return w, true },
		Poll:    time.Hour, Linger: time.Hour,
	})
	s.SetOnDue(e.Wake)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { e.Run(ctx); close(done) }()
	defer func() { s.SetOnDue(nil); cancel(); <-done }()
	stands := func() {
		t.Helper()
		select {
		case <-q.stands:
		case <-time.After(20 * time.Second):
			t.Fatal("the lane never became free")
		}
	}
	first := fire(t, s, "first", "chat/ops", alert.SeverityCritical)
	wakeUntil(t, e, q)
	asked := q.claims.Load()
	for i := range 5 {
		fire(t, s, fmt.Sprint("more", i), "chat/ops", alert.SeverityCritical)
		stands()
	}
	say(t, s, first, "chat/ops")
	stands()
	settled(t, s)
	// One wake-up of before may have come late.
	if n := q.claims.Load(); n > asked+1 {
		t.Errorf("%d claims were asked for", n-asked)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.order) != 6 || len(w.said[first]) != 1 {
		t.Errorf("posted %d cards, said %d notes; want 6 and 1", len(w.order), len(w.said[first]))
	}
}

// wakeUntil waits until the first lane is free; an engine that only begins to
// run may not hear of what came before.
func wakeUntil(t *testing.T, e *delivery.Engine, q *asking) {
	t.Helper()
	for range 2000 {
		e.Wake([]string{"chat/ops"})
		select {
		case <-q.stands:
			// A second wake-up may have come while it worked.
			for {
				select {
				case <-q.stands:
				case <-time.After(50 * time.Millisecond):
					return
				}
			}
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatal("the lane never became free")
}
