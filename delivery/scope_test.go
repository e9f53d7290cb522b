// SPDX-License-Identifier: Apache-2.0

package delivery_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"belfry/alert"
	"belfry/delivery"
	"belfry/fault"
	"belfry/store"
)

// full is a channel that asks for a pause once, for itself alone or for what
// was tried alone, and notes in which order things arrive.
type full struct {
	*wall
	scope fault.Scope
	quiet time.Duration
	mu    sync.Mutex
	asked time.Time
	came  []string
	again time.Duration // how long after the answer the full channel was tried again
}

func (f *full) Send(ctx context.Context, e delivery.Errand) delivery.Outcome {
	f.mu.Lock()
	if e.Destination == "chat/full" {
		if f.asked.IsZero() {
			f.asked = time.Now()
			f.mu.Unlock()
			return delivery.Outcome{Err: fault.NewRetryAfterOnly(f.scope, errWall, f.quiet)}
		}
		if f.again == 0 {
			f.again = time.Since(f.asked)
		}
	}
	f.came = append(f.came, e.Destination)
	f.mu.Unlock()
	return f.wall.Send(ctx, e)
}

// TestAFullChannelHoldsUpItselfOnly: a wait that one channel asked for keeps
// nothing from the other channels of its connection.
func TestAFullChannelHoldsUpItselfOnly(t *testing.T) {
	s := openStore(t)
	f := &full{wall: newWall(s), scope: fault.Destination, quiet: 300 * time.Millisecond}
	for i := range 4 {
		fire(t, s, fmt.Sprint("full", i), "chat/full", alert.SeverityCritical)
		fire(t, s, fmt.Sprint("ops", i), "chat/ops", alert.SeverityWarning)
	}
	run(t, s, f)
	settled(t, s)
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, name := range f.came[:4] {
		if name != "chat/ops" {
			t.Errorf("the other channel waited for the full one: %d was %s of %v", i, name, f.came)
		}
	}
	if f.again < f.quiet {
		t.Errorf("the full channel was tried again %v after it asked for %v", f.again, f.quiet)
	}
	if len(f.posts) != 8 {
		t.Errorf("%d cards arrived, want 8", len(f.posts))
	}
}

// TestWhatAloneMustWaitHoldsUpNothing: a wait for one kind of call keeps not
// even its own channel waiting.
func TestWhatAloneMustWaitHoldsUpNothing(t *testing.T) {
	s := openStore(t)
	f := &full{wall: newWall(s), scope: fault.This, quiet: 300 * time.Millisecond}
	for i := range 4 {
		fire(t, s, fmt.Sprint("full", i), "chat/full", alert.SeverityWarning)
	}
	run(t, s, f)
	settled(t, s)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.again >= f.quiet {
		t.Errorf("the channel waited %v for one errand", f.again)
	}
	if len(f.posts) != 4 {
		t.Errorf("%d cards arrived, want 4", len(f.posts))
	}
}

func TestAWaitThatWasAskedForStopsTheWholeConnection(t *testing.T) {
	s := openStore(t)
	w := &timed{wall: newWall(s), quiet: 400 * time.Millisecond}
	limited := make(chan struct{}, 1)
	runObserved(t, s, w, func(_ store.Duty, r delivery.Result) {
		if r == delivery.Limited {
			limited <- struct{}{}
		}
	})
	fire(t, s, "first", "chat/room0", alert.SeverityWarning)
	<-limited // from now on the connection is known to want quiet
	for i := range 5 {
		fire(t, s, fmt.Sprint("h", i), fmt.Sprintf("chat/room%d", i+1), alert.SeverityWarning)
	}
	settled(t, s)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, at := range w.at[1:] {
		if d := at.Sub(w.answered); d < w.quiet-5*time.Millisecond {
			t.Errorf("something was sent %s after it was asked to wait %s", d, w.quiet)
		}
	}
	if len(w.posts) != 6 {
		t.Errorf("%d cards arrived, want 6", len(w.posts))
	}
}

// timed asks the first one for quiet and notes when the others come.
type timed struct {
	*wall
	quiet    time.Duration
	tm       sync.Mutex
	at       []time.Time
	answered time.Time
}

func (w *timed) Send(ctx context.Context, e delivery.Errand) delivery.Outcome {
	w.tm.Lock()
	w.at = append(w.at, time.Now())
	first := len(w.at) == 1
	if first {
		w.answered = time.Now()
	}
	w.tm.Unlock()
	if first {
		return delivery.Outcome{Err: fault.NewRetryAfter(errWall, w.quiet)}
	}
	return w.wall.Send(ctx, e)
}
