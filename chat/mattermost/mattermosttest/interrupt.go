// SPDX-License-Identifier: Apache-2.0

package mattermosttest

import (
	"net/http"
	"net/http/httptest"
)

// interruption is a call that goes wrong.
type interruption struct {
	after int // calls that go well before it
	lost  bool
	armed bool
}

// FailCall lets n calls that change something go well and the next one fail:
// refused with 500 and nothing done, or, when lost, carried out without an
// answer. It says nothing about calls after that one.
func (s *Server) FailCall(n int, lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interrupted = interruption{after: n, lost: lost, armed: true}
}

// Failed says whether the call of FailCall came.
func (s *Server) Failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.interrupted.armed
}

// interrupt makes the call fail that FailCall wants to fail.
func (s *Server) interrupt(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		i := &s.interrupted
		changes := r.Method != http.MethodGet && r.URL.Path != "/api/v4/users/ids" // which only reads
		strikes := i.armed && changes && i.after == 0
		lost := i.lost
		if strikes {
			i.armed = false
		} else if i.armed && changes {
			i.after--
		}
		s.mu.Unlock()
		switch {
		case !strikes:
			next.ServeHTTP(w, r)
		case lost:
			next.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler) // breaks the connection, and only that
		default:
			answer(w, http.StatusInternalServerError, fail(http.StatusInternalServerError, "app.interrupted.app_error", "Something went wrong."))
		}
	})
}
