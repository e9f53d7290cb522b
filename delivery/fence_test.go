// SPDX-License-Identifier: Apache-2.0

package delivery_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"belfry/alert"
	"belfry/clock"
	"belfry/delivery"
	"belfry/store"
)

// takenOver is a queue that another process takes over during the first batch.
type takenOver struct {
	*store.Store
	mu     sync.Mutex
	claims int
	lost   bool
	ended  chan struct{}
}

func (q *takenOver) Claim(ctx context.Context, destination string, limit int) (store.Claim, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.claims++; q.claims > 1 {
		if q.claims == 2 {
			close(q.ended)
		}
		return store.Claim{Held: true}, nil
	}
	return q.Store.Claim(ctx, destination, limit)
}

func (q *takenOver) Settle(context.Context, string, int64, []store.Settlement) (bool, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lost = true
	return true, nil
}

// slow takes half a second of the clock for each errand, so that outcomes are
// recorded one by one.
type slow struct {
	delivery.Sender
	clock *clock.Manual
}

func (s slow) Send(ctx context.Context, e delivery.Errand) delivery.Outcome {
	s.clock.Advance(500 * time.Millisecond)
	return s.Sender.Send(ctx, e)
}

func TestNothingMoreIsSentOnceAnotherProcessHasTakenOver(t *testing.T) {
	s := openStore(t)
	for i := range 5 {
		fire(t, s, fmt.Sprint("h", i), "chat/ops", alert.SeverityWarning)
	}
	w, c := newWall(s), clock.NewManual(time.Now())
	sent := &counting{Sender: slow{w, c}}
	q := &takenOver{Store: s, ended: make(chan struct{})}
	e := delivery.New(q, delivery.Options{Clock: c, Senders: func(string) (delivery.Sender, bool) { return sent, true }})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { e.Run(ctx); close(done) }()
	select {
	case <-q.ended:
	case <-time.After(10 * time.Second):
		t.Error("the batch never ended")
	}
	cancel()
	<-done
	if sent.mu.Lock(); sent.n != 1 || !q.lost {
		t.Errorf("%d were sent, want the one before the loss was known (%v)", sent.n, q.lost)
	}
	sent.mu.Unlock()
}

// breaking breaks down over one alert.
type breaking struct {
	*wall
	who alert.ID
}

func (b breaking) Send(ctx context.Context, e delivery.Errand) delivery.Outcome {
	if e.AlertID == b.who {
		panic("nil map")
	}
	return b.wall.Send(ctx, e)
}

func TestASenderThatBreaksDownOverOneAlertDeliversTheOthers(t *testing.T) {
	s := openStore(t)
	w := newWall(s)
	bad := fire(t, s, "bad", "chat/ops", alert.SeverityCritical)
	good := fire(t, s, "good", "chat/ops", alert.SeverityWarning)
	run(t, s, breaking{w, bad})
	waitFor(t, func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.shown[good] == 1 })
	duties, err := s.Duties(t.Context(), bad)
	if err != nil || len(duties) != 1 || duties[0].State == store.DutyDone {
		t.Errorf("%+v, %v", duties, err)
	}
}
