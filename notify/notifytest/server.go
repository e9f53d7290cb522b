// SPDX-License-Identifier: Apache-2.0

// Package notifytest plays the other side of `belfry notify`: an HTTP server
// that takes hand-overs as belfry serve does, and fails on demand in the ways
// that servers and networks fail. It reads bodies with the decoder of the real
// server, checks the token, and keeps what it took; a notification that comes
// twice counts once only if the second says that it is repeated.
package notifytest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"belfry/monitor/notification"
)

// Fault is a way to fail. Any other decimal text is a status that is answered
// without taking anything.
type Fault string

// The faults.
const (
	// None: everything is taken.
	None Fault = ""
	// Hang: the request is read and never answered.
	Hang Fault = "hang"
	// Swallow: taken, but the answer never comes.
	Swallow Fault = "swallow"
	// Close: the connection is closed before anything is read.
	Close Fault = "close"
	// Picky: a hand-over that holds the word "poison" is answered 400.
	Picky Fault = "picky"
	// Partly: what holds the word "poison" is not taken, the rest of the
	// hand-over is, and the answer is 422.
	Partly Fault = "partly"
)

// Server is one fake server; its state is its own.
type Server struct {
	// URL is http://127.0.0.1:port, or the socket's path for a unix socket.
	URL   string
	token string
	http  *http.Server
	done  chan struct{}
	stop  sync.Once

	mu       sync.Mutex
	fault    Fault
	requests int
	taken    []notification.Notification
	known    map[string]bool
}

// Start listens on network "tcp" or "unix" at address. An empty token lets
// everybody in, as the real server does on its socket.
func Start(network, address, token string) (*Server, error) {
	ln, err := new(net.ListenConfig).Listen(context.Background(), network, address)
	if err != nil {
		return nil, err
	}
	s := &Server{URL: ln.Addr().String(), token: token, done: make(chan struct{}), known: make(map[string]bool)}
	if network == "tcp" {
		s.URL = "http://" + s.URL
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /intake/{source}", s.intake)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.http.Serve(ln) }() // ends with Stop
	return s, nil
}

// Stop closes everything; what hangs is cut off. It may be called twice.
func (s *Server) Stop() {
	s.stop.Do(func() {
		close(s.done)
		_ = s.http.Close()
	})
}

// Fail makes all later requests fail so; None ends it.
func (s *Server) Fail(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Taken returns what was taken, in order. One that was posted twice without
// saying so is in it twice.
func (s *Server) Taken() []notification.Notification {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]notification.Notification(nil), s.taken...)
}

// Requests returns how many requests came, failed or not.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

func (s *Server) intake(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests++
	fault := s.fault
	s.mu.Unlock()
	if fault == Close {
		cutOff(w)
		return
	}
	if s.token != "" && r.Header.Get("Authorization") != "Bearer "+s.token {
		answer(w, http.StatusUnauthorized, "the token is missing or wrong")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, notification.MaxBody))
	if err != nil {
		answer(w, http.StatusRequestEntityTooLarge, "the body is too large")
		return
	}
	if fault == Hang {
		s.hang(r)
		return
	}
	var status int
	if _, err := fmt.Sscanf(string(fault), "%d", &status); err == nil {
		answer(w, status, "told to fail")
		return
	}
	if fault == Picky && strings.Contains(string(body), "poison") {
		answer(w, http.StatusBadRequest, "output: poison is not taken")
		return
	}
	left, err := s.take(r.Header.Get("Content-Type"), body, fault == Partly)
	if err != nil {
		answer(w, http.StatusBadRequest, err.Error())
		return
	}
	if left > 0 {
		answer(w, http.StatusUnprocessableEntity, "poison is not taken")
		return
	}
	if fault == Swallow {
		s.hang(r)
		return
	}
	answer(w, http.StatusOK, "")
}

// take keeps what body holds and returns how many it left out, which is none
// unless partly.
func (s *Server) take(contentType string, body []byte, partly bool) (left int, err error) {
	decoded, err := notification.Decode(contentType, body, notification.Links{})
	if err != nil {
		return 0, err
	}
	for _, w := range decoded.Warnings {
		if strings.HasPrefix(w, "unknown key") {
			return 0, errors.New(w) // our own client must know the keys
		}
	}
	all, err := split(body)
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range all {
		switch {
		case partly && strings.Contains(n.Output, "poison"):
			left++
		case !n.Repeated || !s.known[n.ID]:
			s.known[n.ID] = true
			s.taken = append(s.taken, n)
		}
	}
	return left, nil
}

// split returns the notifications of a body that the decoder took.
func split(body []byte) ([]notification.Notification, error) {
	if body = bytes.TrimSpace(body); body[0] == '[' {
		var all []notification.Notification
		err := json.Unmarshal(body, &all)
		return all, err
	}
	all := make([]notification.Notification, 1)
	return all, json.Unmarshal(body, &all[0])
}

func (s *Server) hang(r *http.Request) {
	select {
	case <-s.done:
	case <-r.Context().Done():
	}
}

func cutOff(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			_ = conn.Close()
		}
	}
}

// answer is in the shape of the real server's answers.
func answer(w http.ResponseWriter, status int, trouble string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": trouble}) // the client may be gone
}

// Key returns what n says for a JSON key, "" if nothing.
func Key(n notification.Notification, key string) string {
	b, err := json.Marshal(n)
	if err != nil {
		return ""
	}
	var keys map[string]any
	if err := json.Unmarshal(b, &keys); err != nil {
		return ""
	}
	if v, ok := keys[key]; ok {
		return fmt.Sprint(v)
	}
	return ""
}
