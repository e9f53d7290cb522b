// SPDX-License-Identifier: Apache-2.0

// Package slacktest is a Slack workspace for tests and benchmarks: real HTTP on
// 127.0.0.1, state of its own per instance, and the habits of the real one as
// its reference describes them, traps included. What Slack refuses, this one
// refuses, with the same words: blocks over their limits or with fields that
// do not exist, scopes that were not granted, tokens of the wrong kind, too
// many calls. What Slack is only thought to do, it does in the harsher way.
//
// A test sets up channels and people (world.go), switches faults on
// (faults.go), and then asks in users' words what stands in a channel
// (room.go, card.go). What programs see is in api.go and the files named after
// methods; blocks.go checks Block Kit, and read.go says what people read.
package slacktest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"belfry/clock"
)

// Options are what a workspace starts with; the zero value is fine.
type Options struct {
	// Clock stamps messages and rules the rate limits. Default: the machine's.
	Clock clock.Clock
	// Tiers keeps to Slack's rate limits; without it only ordered ones count.
	Tiers bool
	// OnPost is called after each new message, outside of all locks.
	OnPost func(at time.Time, channel, text string)
}

// Server is one fake Slack with one workspace.
type Server struct {
	clock clock.Clock
	opts  Options
	tb    testing.TB

	mu       sync.Mutex
	methods  map[string]method
	users    map[string]*User
	groups   map[string]*Group
	channels map[string]*Channel
	hooks    map[string]*hook
	scopes   map[string]bool
	botToken string
	appToken string
	secret   string
	revoked  bool
	free     bool
	serial   int64 // the last message's microseconds
	ids      int
	faults   faults
	limits   map[string]*bucket
	calls    []Call
	inbox    inbound

	listening sync.Mutex
	addr      string
	server    *http.Server
	closing   chan struct{}
}

// New starts a workspace on a free port of 127.0.0.1. Call Close.
func New(opts Options) (*Server, error) {
	if opts.Clock == nil {
		opts.Clock = clock.System{}
	}
	s := &Server{clock: opts.Clock, opts: opts, methods: map[string]method{}, users: map[string]*User{}, groups: map[string]*Group{},
		channels: map[string]*Channel{}, hooks: map[string]*hook{}, scopes: map[string]bool{}, limits: map[string]*bucket{}}
	s.chatMethods()
	s.listMethods()
	s.keepMethods()
	s.inbox = newInbound()
	s.inboundMethods()
	s.populate()
	if err := s.listen("127.0.0.1:0"); err != nil {
		return nil, err
	}
	return s, nil
}

// Start is New for a test: it ends with the test, and assertions fail it.
func Start(t testing.TB, opts ...Options) *Server {
	t.Helper()
	var o Options
	if len(opts) > 0 {
		o = opts[0]
	}
	s, err := New(o)
	if err != nil {
		t.Fatalf("can't start a Slack: %v", err)
	}
	s.tb = t
	t.Cleanup(s.Close)
	return s
}

// fatalf ends the test; without one it panics, since an assertion that fails
// must not be overlooked.
func (s *Server) fatalf(format string, args ...any) {
	if s.tb == nil {
		panic(fmt.Sprintf(format, args...))
	}
	s.tb.Helper()
	s.tb.Fatalf(format, args...)
}

// URL is where the Web API is, for Config.URL.
func (s *Server) URL() string { return "http://" + s.Addr() + "/api" }

// Addr is the host and port.
func (s *Server) Addr() string {
	s.listening.Lock()
	defer s.listening.Unlock()
	return s.addr
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.api)
	s.inboundRoutes(mux)
	mux.HandleFunc("POST /services/{team}/{app}/{secret}", s.incoming)
	return mux
}

func (s *Server) listen(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("can't listen on %s: %w", addr, err)
	}
	s.listening.Lock()
	defer s.listening.Unlock()
	s.addr = l.Addr().String()
	s.closing = make(chan struct{})
	s.server = &http.Server{Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second}
	server := s.server
	go func() { _ = server.Serve(l) }() // ends with Close; its error says only that
	return nil
}

// Stop closes all connections and listens no more; Restart brings the server
// back on the same port with all it knew.
func (s *Server) Stop() {
	s.listening.Lock()
	defer s.listening.Unlock()
	if s.server == nil {
		return
	}
	close(s.closing)
	_ = s.server.Close() // only ever closes sockets that are gone anyway
	s.server = nil
}

// Restart undoes Stop.
func (s *Server) Restart() {
	if err := s.listen(s.Addr()); err != nil {
		s.fatalf("can't come back: %v", err)
	}
}

// Close ends the server.
func (s *Server) Close() { s.Stop() }

// sleep waits on the machine's clock, but no longer than the request or the server live.
func (s *Server) sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	s.listening.Lock()
	closing := s.closing
	s.listening.Unlock()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-closing:
	}
}

// newID returns an id of Slack: a letter for the kind, then ten of 0–9 A–Z.
// s.mu must be held.
func (s *Server) newID(kind string) string {
	s.ids++
	return fmt.Sprintf("%s0%09X", kind, 0x51ACC0000+s.ids)
}
