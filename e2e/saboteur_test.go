// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// fault is what happens to a call in place of being carried out; pass carries it
// out.
type fault func(w http.ResponseWriter, pass func(http.ResponseWriter))

// saboteur stands between Belfry and a chat, and lets one call go wrong.
type saboteur struct {
	*httptest.Server
	next http.Handler

	mu sync.Mutex
	// left is how many calls go well before the one that does not; below 0: all do.
	left int
	// wrong is what happens to it.
	wrong fault
	// every is part of the calls of which every other goes wrong, seen how many
	// there were; empty: none.
	every string
	seen  int
	// done are the calls that the chat carried out since the last order.
	done []string
	// under is how many calls are under way.
	under int
}

// sabotage starts a saboteur before the chat at an address.
func sabotage(t *testing.T, address string) *saboteur {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	s := &saboteur{next: httputil.NewSingleHostReverseProxy(target), left: -1}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// order lets n calls go well, and the next one go wrong.
func (s *saboteur) order(n int, wrong fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left, s.wrong, s.done = n, wrong, nil
}

// alternate lets every other call go wrong that has part in its method and path,
// the first one first.
func (s *saboteur) alternate(part string, wrong fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left, s.every, s.seen, s.wrong, s.done = -1, part, 0, wrong, nil
}

// struck says whether the call that was to go wrong came.
func (s *saboteur) struck() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left < 0
}

// hits is how many of the calls that alternate names went wrong.
func (s *saboteur) hits() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return (s.seen + 1) / 2
}

// calls are those that the chat carried out since the last order.
func (s *saboteur) calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.done...)
}

// finished is how many calls the chat carried out since the last order; ok is
// false while one is under way.
func (s *saboteur) finished() (n int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.done), s.under == 0
}

// aboutPeople are calls that belong to what somebody types, before there is an
// incident, and to Belfry's look at the connection.
func aboutPeople(path string) bool {
	for _, part := range []string{"/users", "users.", "auth.test", "team.info", "/config", "/license", "/system", "/commands", "/websocket", "usergroups"} {
		if strings.Contains(path, part) {
			return true
		}
	}
	return false
}

func (s *saboteur) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.under++
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.under--
	}()
	pass := func(w http.ResponseWriter) {
		s.next.ServeHTTP(w, r)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.done = append(s.done, r.Method+" "+r.URL.Path)
	}
	s.mu.Lock()
	counts := !aboutPeople(r.URL.Path) && s.left >= 0
	strikes := counts && s.left == 0
	if counts {
		s.left--
	}
	if s.every != "" && strings.Contains(r.Method+" "+r.URL.Path, s.every) {
		strikes = s.seen%2 == 0
		s.seen++
	}
	wrong := s.wrong
	s.mu.Unlock()
	if strikes {
		wrong(w, pass)
		return
	}
	pass(w)
}

// Ways in which a call goes wrong.
func limited(w http.ResponseWriter, _ func(http.ResponseWriter)) {
	w.Header().Set("Retry-After", "1")
	w.Header().Set("X-Ratelimit-Reset", "1")
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = io.WriteString(w, `{"ok":false,"error":"ratelimited"}`)
}

func broken(w http.ResponseWriter, _ func(http.ResponseWriter)) {
	w.WriteHeader(http.StatusBadGateway)
	_, _ = io.WriteString(w, "<html>nobody is at home</html>")
}

// lost carries the call out and breaks the connection instead of answering.
func lost(_ http.ResponseWriter, pass func(http.ResponseWriter)) {
	pass(httptest.NewRecorder())
	panic(http.ErrAbortHandler)
}
