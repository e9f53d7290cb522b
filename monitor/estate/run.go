// SPDX-License-Identifier: Apache-2.0

package estate

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"belfry/alert"
)

const (
	// firstAfter and secondAfter are when the first problems come: a demo that
	// shows nothing for a while looks broken.
	firstAfter  = 200 * time.Millisecond
	secondAfter = 500 * time.Millisecond
	// again is the wait until reports that were not taken are sent again.
	again = time.Second
	// atOnce bounds how many reports go in one call.
	atOnce = 100
)

// Run lets the estate live until ctx ends, and hands what it reports to
// deliver, in order. What deliver refuses is kept and handed over again, marked
// as repeated. The result is always ctx's error.
func (e *Estate) Run(ctx context.Context, deliver func(context.Context, []alert.Report) error) error {
	e.allIsWell()
	turns := 0
	next := e.clock.After(firstAfter)
	for {
		retry := e.flush(ctx, deliver)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-e.wake:
		case <-retry:
		case <-next:
			turns++
			e.turn()
			next = e.clock.After(e.pause(turns))
		}
	}
}

// pause returns the time to the next turn.
func (e *Estate) pause(turns int) time.Duration {
	if turns == 1 {
		return secondAfter - firstAfter
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.pace/2 + time.Duration(e.chance.Int64N(int64(e.pace)))
}

// allIsWell ends what an earlier run left open: this one knows nothing of it.
func (e *Estate) allIsWell() {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.clock.Now()
	for _, t := range e.things {
		if t.ok() {
			e.say(t.report(alert.ReportRecovery, now))
		}
	}
}

// say queues a report. The caller holds the lock.
func (e *Estate) say(r alert.Report) {
	r.Intake = rand.Text()
	e.waiting = append(e.waiting, r)
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// flush hands over what waits. Where that fails it returns when to try again.
func (e *Estate) flush(ctx context.Context, deliver func(context.Context, []alert.Report) error) <-chan time.Time {
	for {
		e.mu.Lock()
		some := slices.Clone(e.waiting[:min(atOnce, len(e.waiting))])
		e.mu.Unlock()
		if len(some) == 0 || ctx.Err() != nil {
			return nil
		}
		err := deliver(ctx, some)
		e.mu.Lock()
		if err == nil {
			e.waiting = e.waiting[len(some):]
		} else {
			for i := range some {
				e.waiting[i].Repeated = true
			}
		}
		e.mu.Unlock()
		if err != nil {
			return e.clock.After(again)
		}
	}
}
