// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"belfry/clock"
	"belfry/fault"

	"golang.org/x/time/rate"
)

const (
	// burst is how many messages a channel takes at once.
	burst = 5
	// maxPaced bounds how many channels are remembered.
	maxPaced = 10_000
)

// pace keeps to Slack's limits, so that Slack seldom has to: a message a
// second for each channel, several hundred a minute for the workspace; and to
// what Slack asked when it did. Nobody waits in here: what must wait goes back
// to the engine, which knows what is most severe. How far the wait reaches is
// said with it: a full channel holds up itself only, an exhausted method only
// what needs it, and the workspace everybody.
type pace struct {
	clock     clock.Clock
	perSecond rate.Limit

	mu        sync.Mutex
	workspace *rate.Limiter
	channels  map[string]*paced
	quiet     time.Time            // the workspace's
	methods   map[string]time.Time // quiet until
}

type paced struct {
	limit *rate.Limiter
	quiet time.Time
}

func newPace(now clock.Clock, perSecond, perMinute float64) *pace {
	return &pace{clock: now, perSecond: rate.Limit(perSecond), channels: map[string]*paced{}, methods: map[string]time.Time{},
		workspace: rate.NewLimiter(rate.Limit(perMinute/60), max(burst, int(perMinute/10)))}
}

// errPaced is why something has to wait.
var errPaced = errors.New("to keep within what Slack takes")

// post takes the right to post to a channel now, or returns a RetryAfter.
func (p *pace) post(channel string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	if d := p.quiet.Sub(now); d > 0 {
		return wait(fault.Connection, "the workspace", d)
	}
	c := p.channel(channel, now)
	if d := c.quiet.Sub(now); d > 0 {
		return wait(fault.Destination, "the channel", d)
	}
	one := c.limit.ReserveN(now, 1)
	if d := one.DelayFrom(now); d > 0 {
		one.CancelAt(now)
		return wait(fault.Destination, "the channel", d)
	}
	all := p.workspace.ReserveN(now, 1)
	if d := all.DelayFrom(now); d > 0 {
		all.CancelAt(now)
		one.CancelAt(now)
		return wait(fault.Connection, "the workspace", d)
	}
	return nil
}

// method says whether a method may be called now: nil, or a RetryAfter for
// what needs it.
func (p *pace) method(name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	if d := p.methods[name].Sub(now); d > 0 {
		return wait(fault.This, name, d)
	}
	return nil
}

// asked notes that Slack asked to wait before another post to the channel, and
// returns how far that reaches. Slack does not say whether the channel or the
// workspace is full: a second channel that is refused meanwhile tells.
func (p *pace) asked(channel string, d time.Duration) fault.Scope {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	until := now.Add(d)
	for id, c := range p.channels {
		if id != channel && c.quiet.After(now) {
			p.quiet = later(p.quiet, until)
			return fault.Connection
		}
	}
	c := p.channel(channel, now)
	c.quiet = later(c.quiet, until)
	return fault.Destination
}

// askedFor notes that Slack asked to wait before another call of a method.
func (p *pace) askedFor(method string, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.methods[method] = later(p.methods[method], p.clock.Now().Add(d))
}

// channel returns what is kept of a channel; the caller holds mu.
func (p *pace) channel(id string, now time.Time) *paced {
	if c, ok := p.channels[id]; ok {
		return c
	}
	if len(p.channels) >= maxPaced {
		for other, c := range p.channels {
			if !c.quiet.After(now) && c.limit.TokensAt(now) >= burst {
				delete(p.channels, other)
			}
		}
	}
	c := &paced{limit: rate.NewLimiter(p.perSecond, max(burst, int(p.perSecond)))}
	p.channels[id] = c
	return c
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func wait(scope fault.Scope, what string, d time.Duration) error {
	return fault.NewRetryAfterOnly(scope, fmt.Errorf("%s must wait %v %w", what, d.Round(time.Millisecond), errPaced), d)
}
