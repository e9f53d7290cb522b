// SPDX-License-Identifier: Apache-2.0

package slacktest

import "time"

// faults are what is switched on.
type faults struct {
	slow        time.Duration
	loseAnswers int
	failBefore  int
	failAfter   int
	status      int
	code        string
	limited     time.Duration
	pages       int
}

// RateLimit answers every call with 429 and asks to wait. Unlimited ends that.
func (s *Server) RateLimit(wait time.Duration) { s.order(func(f *faults) { f.limited = wait }) }

// Unlimited undoes RateLimit.
func (s *Server) Unlimited() { s.order(func(f *faults) { f.limited = 0 }) }

// TimeoutAfterAccepting stores the next n posts or edits and breaks the
// connection instead of answering.
func (s *Server) TimeoutAfterAccepting(n int) { s.order(func(f *faults) { f.loseAnswers = n }) }

// Fail5xxBefore answers the next n posts or edits with a 5xx page and does nothing.
func (s *Server) Fail5xxBefore(n int) {
	s.order(func(f *faults) { f.failBefore, f.status, f.code = n, 503, "" })
}

// Fail5xxAfter carries the next n posts or edits out and answers with a 5xx page.
func (s *Server) Fail5xxAfter(n int) {
	s.order(func(f *faults) { f.failAfter, f.status, f.code = n, 502, "" })
}

// FailBefore answers the next n posts or edits with ok:false and this code, as
// Slack does with 200, and does nothing; FailAfter carries them out.
func (s *Server) FailBefore(n int, code string) {
	s.order(func(f *faults) { f.failBefore, f.status, f.code = n, 200, code })
}

// FailAfter is described at FailBefore.
func (s *Server) FailAfter(n int, code string) {
	s.order(func(f *faults) { f.failAfter, f.status, f.code = n, 200, code })
}

// RevokeToken makes the bot's token worthless.
func (s *Server) RevokeToken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked = true
}

// Slow makes every call take d longer, on the machine's clock.
func (s *Server) Slow(d time.Duration) { s.order(func(f *faults) { f.slow = d }) }

// PageSize makes every list come in pages of at most n.
func (s *Server) PageSize(n int) { s.order(func(f *faults) { f.pages = n }) }

func (s *Server) order(how func(*faults)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how(&s.faults)
}

// take counts a fault down and says whether it strikes. s.mu must be held.
func take(n *int) bool {
	if *n <= 0 {
		return false
	}
	*n--
	return true
}

// Call is one call of the Web API that came in.
type Call struct {
	Method string
	Args   map[string]string
	At     time.Time
	// Error is what it was answered, empty for success.
	Error string
}

// Calls returns the calls of a method so far, all of them for "".
func (s *Server) Calls(method string) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Call
	for _, c := range s.calls {
		if method == "" || c.Method == method {
			out = append(out, c)
		}
	}
	return out
}
