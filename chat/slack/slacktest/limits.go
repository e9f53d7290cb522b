// SPDX-License-Identifier: Apache-2.0

package slacktest

import "time"

// bucket is what is left of a rate limit.
type bucket struct {
	perSecond, most, left float64
	filled                time.Time
}

// take takes one, or returns how long until there is one.
func (b *bucket) take(now time.Time) time.Duration {
	b.left = min(b.most, b.left+now.Sub(b.filled).Seconds()*b.perSecond)
	b.filled = now
	if b.left < 1 {
		return time.Duration((1 - b.left) / b.perSecond * float64(time.Second))
	}
	b.left--
	return 0
}

// perMinute are Slack's tiers: https://docs.slack.dev/apis/web-api/rate-limits
var perMinute = map[int]float64{1: 1, 2: 20, 3: 50, 4: 100}

// The special limit of chat.postMessage: one a second for a channel with short
// bursts, several hundred a minute for the workspace.
const (
	channelBurst    = 8
	workspaceMinute = 600
)

// limit returns how long the caller must wait, 0 when the call may go on.
// s.mu must be held.
func (s *Server) limit(q *request, m method) time.Duration {
	if s.faults.limited > 0 {
		return s.faults.limited
	}
	if !s.opts.Tiers {
		return 0
	}
	now := s.clock.Now()
	if q.name == "chat.postMessage" {
		return max(s.bucket("post/"+q.args["channel"], 1, channelBurst, now).take(now),
			s.bucket("post", workspaceMinute/60, workspaceMinute/10, now).take(now))
	}
	rate, ok := perMinute[m.tier]
	if !ok {
		return 0
	}
	return s.bucket(q.name, rate/60, rate, now).take(now)
}

func (s *Server) bucket(name string, perSecond, most float64, now time.Time) *bucket {
	b := s.limits[name]
	if b == nil {
		b = &bucket{perSecond: perSecond, most: most, left: most, filled: now}
		s.limits[name] = b
	}
	return b
}
