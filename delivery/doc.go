// SPDX-License-Identifier: Apache-2.0

// Package delivery brings the outside up to date: it carries out stored duties
// until each is done, however often the process dies or the other side fails.
//
// The flow: somebody stores duties and calls Wake with their destinations. Each
// destination with work has one lane, a goroutine that claims a batch (the
// claim is durable before anything is sent, so that after a crash it is known
// what may have been sent), hands each duty to its Sender and settles the
// outcomes. A lane that ran out of work leaves its next claim with the store
// for a while (Queue.Stand): whoever makes something due claims it for the lane
// in the same transaction, so that a click is on its way after one commit. One lane per destination is what gives order per channel. What a
// duty says is decided at the moment of sending, from the state of then: ten
// changes during an outage are one edit.
//
// Lanes of one connection share a gate: it bounds what is in flight, lets the
// most severe go first, and stops all of them when the platform answers "too
// many", to start again one at a time and double from there.
//
// The engine knows duties and senders, nothing of platforms and monitors.
package delivery

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"belfry/clock"
	"belfry/fault"
	"belfry/store"
)

// Queue is where duties are kept: store.Store.
type Queue interface {
	Due(ctx context.Context, now time.Time) ([]store.DueDestination, error)
	Claim(ctx context.Context, destination string, limit int) (store.Claim, error)
	Settle(ctx context.Context, destination string, fence int64, results []store.Settlement) (lost bool, err error)
	Release(ctx context.Context, destination string, fence int64) error
	// Stand leaves a claim for the change that makes something due.
	Stand(destination string, limit int) *store.Standing
}

// Errand is one duty on its way.
type Errand struct {
	store.Duty
	// CardReceipt is the receipt of the card that a note belongs to, when this
	// batch posted it; otherwise the sender looks it up.
	CardReceipt string
}

// Outcome is what became of an errand.
type Outcome struct {
	// Err carries the decision (package fault); nil: done.
	Err error
	// Reached is the alert's revision that is shown now (cards).
	Reached int64
	// Receipt is kept with the duty when not empty, also next to an error.
	Receipt string
	// Unknown says that it is still not known whether an earlier attempt
	// arrived, because asking failed: Err is about the asking.
	Unknown bool
	// Again, when above zero and Err is nil, means: handed over but not
	// finished; look again after that time.
	Again time.Duration
	// Refused, when Err is nil, means: the other side said no, people were told
	// so, and nothing is left to do.
	Refused bool
}

// Result is how an attempt ended, in words for those who count.
type Result string

// The results.
const (
	// Done: nothing is left to do.
	Done Result = "done"
	// Refused: the other side said no, and people were told so.
	Refused Result = "refused"
	// Failed: it did not work this time and is tried again.
	Failed Result = "failed"
	// Limited: the other side asked for a pause.
	Limited Result = "rate_limited"
	// Uncertain: it may have arrived; that is asked for before it is repeated.
	Uncertain Result = "unknown"
	// GivenUp: only a person can mend it, or what it was about is gone.
	GivenUp Result = "given_up"
)

// result is how an attempt ended; empty: it has not, and is looked at again.
func (o Outcome) result() Result {
	switch decision, _ := fault.Of(o.Err); decision {
	case fault.None:
		switch {
		case o.Again > 0:
			return ""
		case o.Refused:
			return Refused
		}
		return Done
	case fault.RetryAfter:
		return Limited
	case fault.Unknown:
		return Uncertain
	case fault.Permanent, fault.Gone:
		return GivenUp
	case fault.Retry:
	}
	return Failed
}

// Sender carries out the duties of one connection or monitoring system.
type Sender interface {
	// Send carries e out before ctx ends. When e.UnknownSince is set an earlier
	// attempt may have arrived: Send asks before it repeats.
	Send(ctx context.Context, e Errand) Outcome
}

// Options tune an engine; zero values mean the defaults.
type Options struct {
	// Senders returns who carries out the duties of a destination; false when
	// it is not configured (any more): its duties wait.
	Senders func(destination string) (Sender, bool)
	Clock   clock.Clock
	Log     *slog.Logger
	// Batch is how many duties a lane claims at a time (32).
	Batch int
	// InFlight bounds the errands of one connection that go side by side (16).
	InFlight int
	// SendTimeout bounds one errand (10 s).
	SendTimeout time.Duration
	// Poll is the safety net for lost wake-ups (5 s).
	Poll time.Duration
	// Linger is how long a lane without work keeps its lease (10 s).
	Linger time.Duration
	// Observe is told of each attempt that ended, and must return at once; nil:
	// nobody is.
	Observe func(d store.Duty, r Result)
	// Backoff returns the wait before the try after the given number of
	// failures (1, 2, …).
	Backoff func(kind store.DutyKind, failures int) time.Duration
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	setDefault(&o.Batch, 32)
	setDefault(&o.InFlight, 16)
	setDefault(&o.SendTimeout, 10*time.Second)
	setDefault(&o.Poll, 5*time.Second)
	setDefault(&o.Linger, 10*time.Second)
	if o.Observe == nil {
		o.Observe = func(store.Duty, Result) {}
	}
	if o.Backoff == nil {
		o.Backoff = Backoff
	}
	return o
}

func setDefault[T int | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

// Backoff doubles from half a second to five minutes, or to ten seconds for
// write-backs: somebody waits for those, and a core that comes back is told
// soon. A quarter up or down is random, so that many do not come at once.
func Backoff(kind store.DutyKind, failures int) time.Duration {
	most := 5 * time.Minute
	if kind == store.DutyWriteback {
		most = 10 * time.Second
	}
	d := most
	if failures < 12 {
		d = min(most, 500*time.Millisecond<<max(failures-1, 0))
	}
	return time.Duration(float64(d) * (0.75 + rand.Float64()/2)) //nolint:gosec // spreads load, keeps no secret
}
