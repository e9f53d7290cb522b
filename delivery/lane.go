// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"belfry/alert"
	"belfry/fault"
	"belfry/store"
)

const (
	// flushAfter bounds how long an outcome waits to be recorded: what a crash
	// finds unrecorded must be asked for.
	flushAfter = 300 * time.Millisecond
	// settleTimeout bounds the recording after the end was called.
	settleTimeout = 5 * time.Second
	// throttledBatch is how much a lane claims while its platform is slow to
	// take: little, so that what is sent was rendered just before.
	throttledBatch = 4
	// recently is how long after its pause a destination counts as slow.
	recently = 5 * time.Second
	// heldWait is how long a lane leaves a destination alone that another
	// process holds.
	heldWait = 2 * time.Second
	// troubleWait is the pause after the database failed.
	troubleWait = time.Second
)

// lane works one destination off.
type lane struct {
	engine *Engine
	name   string
	gate   *gate
	wake   chan struct{}
	fence  int64
	// quiet is until when the other side wants nothing for this destination.
	quiet time.Time
}

func (l *lane) run(ctx context.Context) {
	defer l.engine.wg.Done()
	var given *store.Claim
	for {
		wait, free := l.pass(ctx, given)
		given = nil
		if ctx.Err() != nil {
			l.release()
			l.engine.retire(l)
			return
		}
		if wait == 0 {
			continue
		}
		var over bool
		if given, over = l.wait(ctx, wait, free); over && wait < 0 {
			l.release()
			if l.engine.retire(l) {
				return
			}
		}
	}
}

// wait waits until there is something to do: for at most d, or below 0 for as
// long as an idle lane lingers; then over is true. A lane that is free leaves
// its claim with the store meanwhile, and gets it made by whoever makes
// something due.
func (l *lane) wait(ctx context.Context, d time.Duration, free bool) (given *store.Claim, over bool) {
	if d < 0 {
		d = l.engine.opt.Linger
	}
	var claims <-chan store.Claim
	if free {
		standing := l.engine.queue.Stand(l.name, l.limit())
		claims = standing.Claims()
		defer func() {
			if given != nil {
				return
			}
			if c, ok := standing.Cancel(); ok {
				given, over = &c, false
			}
		}()
	}
	select {
	case <-ctx.Done():
	case <-l.wake:
	case c := <-claims:
		given = &c
	case <-l.engine.opt.Clock.After(d):
		over = true
	}
	return given, over
}

// limit is how much to claim at a time.
func (l *lane) limit() int {
	if l.gate.throttled() || l.quietFor() > -recently {
		return min(l.engine.opt.Batch, throttledBatch)
	}
	return l.engine.opt.Batch
}

// pass claims a batch, unless it is given one, and carries it out. It returns
// how long to wait before the next: 0 for at once, below 0 when there is
// nothing to wait for. free says that only the lack of work makes it wait.
func (l *lane) pass(ctx context.Context, given *store.Claim) (wait time.Duration, free bool) {
	// Asked anew every time: a reload of the configuration changes senders.
	sender, ok := l.engine.opt.Senders(l.name)
	if given == nil {
		if !ok {
			return -1, false
		}
		if d := max(l.gate.quietFor(), l.quietFor()); d > 0 {
			return d, false
		}
		claim, err := l.engine.queue.Claim(ctx, l.name, l.limit())
		if err != nil {
			if ctx.Err() == nil {
				l.engine.opt.Log.Error("can't claim deliveries, will try again", "destination", l.name, "err", err)
			}
			return troubleWait, false
		}
		given = &claim
	}
	if given.Held {
		l.fence = 0
		return heldWait, false
	}
	l.fence = given.Fence
	next := given.Next
	if len(given.Duties) > 0 {
		b := &batch{lane: l, sender: sender, claim: *given, stuck: map[alert.ID]bool{}, receipts: map[alert.ID]string{}}
		if !b.carry(ctx) {
			return 0, false
		}
		next = earlier(next, b.again)
	}
	if next.IsZero() {
		return -1, true
	}
	left := next.Sub(l.engine.opt.Clock.Now())
	switch {
	case left <= 0:
		return 0, false
	case left > l.engine.opt.Linger+l.engine.opt.Poll:
		// A channel that is archived tomorrow needs nobody who waits for it: a
		// sweep finds it in time.
		return -1, true
	}
	return max(time.Millisecond, left), true
}

// earlier returns which of two times comes first; the zero time never comes.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// quietFor returns how long this destination must still be left alone.
func (l *lane) quietFor() time.Duration { return l.quiet.Sub(l.engine.opt.Clock.Now()) }

// hush stops what the wait asked for reaches.
func (l *lane) hush(scope fault.Scope, d time.Duration) {
	switch scope {
	case fault.This:
	case fault.Destination:
		l.quiet = l.engine.opt.Clock.Now().Add(d)
	default:
		l.gate.hush(d)
	}
}

func (l *lane) release() {
	if l.fence == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), settleTimeout)
	defer cancel()
	if err := l.engine.queue.Release(ctx, l.name, l.fence); err != nil {
		l.engine.opt.Log.Warn("can't give a destination back, it is free when its lease ends", "destination", l.name, "err", err)
	}
	l.fence = 0
}

// batch is one claim being carried out.
type batch struct {
	lane   *lane
	sender Sender
	claim  store.Claim
	// stuck are the alerts of which something failed: what follows waits.
	stuck map[alert.ID]bool
	// receipts are those of cards posted in this batch, by alert.
	receipts map[alert.ID]string
	results  []store.Settlement
	flushed  time.Time
	// lost: another process carries this destination's duties out now.
	lost bool
	// again is when the first of what is not done is due; zero: nothing is.
	again time.Time
	// unsettled: what became of something could not be recorded.
	unsettled bool
}

// carry carries the claim out. What is then left is told by a wake-up, or due
// at b.again; when carry returns false it is not known what is left.
func (b *batch) carry(ctx context.Context) bool {
	now := b.lane.engine.opt.Clock.Now
	// Nothing is sent in the last quarter of the lease: another process could
	// take over while it is on its way.
	stop := b.claim.LeaseUntil.Add(-b.claim.LeaseUntil.Sub(now()) / 4)
	b.flushed = now()
	for _, d := range b.claim.Duties {
		if b.sender == nil || b.stuck[d.AlertID] || b.lost || ctx.Err() != nil || !now().Before(stop) {
			b.giveBack(d)
			continue
		}
		outcome, tried := b.attempt(ctx, d, stop)
		if !tried {
			b.giveBack(d)
			continue
		}
		b.record(d, outcome)
		if now().Sub(b.flushed) > flushAfter {
			b.flush()
		}
	}
	b.flush()
	return !b.lost && !b.unsettled
}

// attempt sends one duty through the gate. The errand outlives the end of ctx:
// what has begun is finished.
func (b *batch) attempt(ctx context.Context, d store.Duty, stop time.Time) (Outcome, bool) {
	o := b.lane.engine.opt
	left := stop.Sub(o.Clock.Now())
	entry, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	if b.lane.quietFor() > 0 || b.lane.gate.quietFor() > 0 || b.lane.gate.enter(entry, d.Priority) != nil {
		return Outcome{}, false
	}
	sending, done := context.WithTimeout(context.WithoutCancel(ctx), min(o.SendTimeout, left))
	defer done()
	outcome := b.send(sending, Errand{Duty: d, CardReceipt: b.receipts[d.AlertID]})
	decision, after := fault.Of(outcome.Err)
	if decision == fault.RetryAfter {
		b.lane.hush(fault.ScopeOf(outcome.Err), after)
	}
	b.lane.gate.leave(decision != fault.RetryAfter)
	return outcome, true
}

// send has the sender carry e out. One that breaks down over an alert must not
// take the others down with it.
func (b *batch) send(ctx context.Context, e Errand) (out Outcome) {
	defer func() {
		if broke := recover(); broke != nil {
			b.lane.engine.opt.Log.Error("a delivery broke down inside, please report this", "destination", e.Destination,
				"kind", e.Kind, "alert", e.AlertID, "panic", broke, "stack", string(debug.Stack()))
			out = Outcome{Err: fault.NewUnknown(errors.New("it broke down inside, see the log"))}
		}
	}()
	return b.sender.Send(ctx, e)
}

func (b *batch) giveBack(d store.Duty) {
	b.results = append(b.results, store.Settlement{ID: d.ID, State: store.DutyDue, Unsent: true,
		Unknown: !d.UnknownSince.IsZero()})
}

// record turns an outcome into what is stored.
func (b *batch) record(d store.Duty, out Outcome) {
	o := b.lane.engine.opt
	now := o.Clock.Now()
	decision, after := fault.Of(out.Err)
	s := store.Settlement{ID: d.ID, State: store.DutyDue, Reached: out.Reached, Receipt: out.Receipt,
		Unknown: out.Unknown}
	if out.Err != nil {
		s.Err = out.Err.Error()
		s.Failed = true
		s.RetryAt = now.Add(o.Backoff(d.Kind, d.Attempts+1))
	}
	switch decision {
	case fault.None:
		s.State = store.DutyDone
		if out.Again > 0 {
			s.State, s.RetryAt = store.DutyDue, now.Add(out.Again)
		}
	case fault.RetryAfter:
		s.Failed = false // being asked to wait is no failure of this duty
		s.RetryAt = now.Add(after)
	case fault.Permanent:
		s.State = store.DutyDead
	case fault.Gone:
		s.State, s.Forget, s.Receipt = store.DutyDead, true, ""
	case fault.Unknown:
		s.Unknown = true
	case fault.Retry:
	}
	if s.State == store.DutyDue {
		b.again = earlier(b.again, s.RetryAt)
	}
	if s.State != store.DutyDone && d.Kind != store.DutyStep { // a step that fails stops no other
		b.stuck[d.AlertID] = b.stuck[d.AlertID] || d.Kind != store.DutyNote || s.State == store.DutyDue
	}
	if out.Err != nil {
		o.Log.Warn("delivery not done", "destination", d.Destination, "kind", d.Kind, "alert", d.AlertID,
			"decision", decision.String(), "failures", d.Attempts+1, "err", out.Err)
	}
	if d.Kind == store.DutyCard && s.Receipt != "" {
		b.receipts[d.AlertID] = s.Receipt
	}
	b.results = append(b.results, s)
	if r := out.result(); r != "" {
		o.Observe(d, r)
	}
}

// flush records the outcomes so far. When the database fails they stay
// unrecorded: the duties are claimed again later as unknown and asked for.
func (b *batch) flush() {
	o := b.lane.engine.opt
	b.flushed = o.Clock.Now()
	if len(b.results) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), settleTimeout)
	defer cancel()
	lost, err := b.lane.engine.queue.Settle(ctx, b.claim.Destination, b.claim.Fence, b.results)
	switch {
	case err != nil:
		b.unsettled = true
		o.Log.Error("can't record deliveries, they will be asked for before they are repeated", "destination", b.claim.Destination, "err", err)
	case lost:
		b.lost, b.lane.fence = true, 0
		o.Log.Warn("another process took this destination over while deliveries were on their way; their cards are rendered anew", "destination", b.claim.Destination)
	}
	b.results = b.results[:0]
}
