// SPDX-License-Identifier: Apache-2.0

package delivery_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"belfry/delivery"
	"belfry/store"
)

// agenda is a queue in which one thing is due, at a time. Whoever claims it learns
// that it is not due before tomorrow.
type agenda struct {
	*store.Store
	mu       sync.Mutex
	at       time.Time
	sweeps   int
	claims   int
	released int
}

func (a *agenda) Due(context.Context, time.Time) ([]store.DueDestination, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sweeps++
	return []store.DueDestination{{Name: "chat/incident-1", At: a.at}}, nil
}

func (a *agenda) Claim(_ context.Context, name string, _ int) (store.Claim, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.claims++
	a.at = time.Now().Add(24 * time.Hour)
	return store.Claim{Destination: name, Fence: 1, LeaseUntil: time.Now().Add(time.Minute), Next: a.at}, nil
}

func (a *agenda) Release(context.Context, string, int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.released++
	return nil
}

func (a *agenda) counts() (sweeps, claims int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sweeps, a.claims
}

// TestWhatIsDueTomorrowKeepsNobodyBusy: thousands of channels wait to be
// archived, and no lane looks after them until it is time.
func TestWhatIsDueTomorrowKeepsNobodyBusy(t *testing.T) {
	q := &agenda{Store: openStore(t), at: time.Now().Add(24 * time.Hour)}
	e := delivery.New(q, delivery.Options{Senders: func(string) (delivery.Sender, bool) { return newWall(nil), true }, Poll: 2 * time.Millisecond, Linger: time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { e.Run(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	wait := func(what string, ok func(sweeps, claims int) bool) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); !ok(q.counts()); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("waited in vain for %s", what)
			}
		}
	}
	wait("some sweeps", func(sweeps, _ int) bool { return sweeps > 20 })
	if _, claims := q.counts(); claims > 0 {
		t.Errorf("it was claimed %d times", claims)
	}
	q.mu.Lock()
	q.at = time.Now()
	q.mu.Unlock()
	wait("a claim", func(_, claims int) bool { return claims > 0 })
	wait("the end of the lane", func(int, int) bool { q.mu.Lock(); defer q.mu.Unlock(); return q.released > 0 })
}
