// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import "time"

// faults are what is switched on.
type faults struct {
	slow               time.Duration
	loseAnswers        int
	failBefore         int
	failAfter          int
	perSecond, burst   float64
	tokens             float64
	refilled           time.Time
	limited            bool
	hideSecrets        bool
	dialogsFail        int
	usersFail          int
	proxyErrors        int
	proxyStatus, calls int
}

// set changes a switch.
func (s *Server) set(change func(*faults)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.faults)
}

// RateLimit lets perSecond calls through after a first burst, all others get
// 429: one bucket for everybody, as for one address. RateLimit(0, 0) refuses all.
func (s *Server) RateLimit(perSecond, burst int) {
	s.set(func(f *faults) {
		f.limited, f.perSecond, f.burst = true, float64(perSecond), float64(burst)
		f.tokens, f.refilled = float64(burst), s.clock.Now()
	})
}

// Unlimited takes the rate limit away.
func (s *Server) Unlimited() {
	s.set(func(f *faults) { f.limited = false })
}

// TimeoutAfterAccepting stores the next n posts or edits and breaks the
// connection instead of answering.
func (s *Server) TimeoutAfterAccepting(n int) {
	s.set(func(f *faults) { f.loseAnswers = n })
}

// Fail5xxBefore answers the next n posts or edits with 500 and does nothing.
func (s *Server) Fail5xxBefore(n int) {
	s.set(func(f *faults) { f.failBefore = n })
}

// Fail5xxAfter carries the next n posts or edits out and answers 500.
func (s *Server) Fail5xxAfter(n int) {
	s.set(func(f *faults) { f.failAfter = n })
}

// FailProxy answers the next n calls of any kind with an HTML page of a proxy
// that stands before the server.
func (s *Server) FailProxy(n, status int) {
	s.set(func(f *faults) { f.proxyErrors, f.proxyStatus = n, status })
}

// FailUserLookups answers the next n calls of GET /users/{id} with 500.
func (s *Server) FailUserLookups(n int) {
	s.set(func(f *faults) { f.usersFail = n })
}

// FailDialogs answers the next n calls that open a dialog with 500.
func (s *Server) FailDialogs(n int) {
	s.set(func(f *faults) { f.dialogsFail = n })
}

// RevokeToken makes the bot's token worthless.
func (s *Server) RevokeToken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, s.botToken)
}

// Slow makes every call take d longer, on the machine's clock.
func (s *Server) Slow(d time.Duration) {
	s.set(func(f *faults) { f.slow = d })
}

// Calls returns how many API calls came in so far, refused ones included.
func (s *Server) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults.calls
}

// take counts a fault down and says whether it strikes. s.mu must be held.
func take(n *int) bool {
	if *n <= 0 {
		return false
	}
	*n--
	return true
}

// allowed takes one call from the rate limit's bucket. s.mu must be held.
func (f *faults) allowed(now time.Time) bool {
	if !f.limited {
		return true
	}
	f.tokens = min(f.tokens+now.Sub(f.refilled).Seconds()*f.perSecond, max(f.burst, 1))
	if f.perSecond == 0 && f.burst == 0 {
		f.tokens = 0
	}
	f.refilled = now
	if f.tokens < 1 {
		return false
	}
	f.tokens--
	return true
}
