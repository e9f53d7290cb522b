// SPDX-License-Identifier: Apache-2.0

// Package mattermosttest is a Mattermost server for tests and benchmarks: real
// HTTP on 127.0.0.1, state of its own per instance, and the habits of the real
// one (5.37) down to status codes and error ids, traps included. What a real
// server refuses, this one refuses.
//
// A test sets up channels and people (world.go), switches faults on
// (faults.go), and then asks in users' words what stands in a channel and
// clicks on it (room.go, card.go, dialog.go). What programs see is in api.go
// and posts.go; which people a post rings and what they read of it are in
// rings.go and read.go.
package mattermosttest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"belfry/clock"
)

// Options are what a server starts with; the zero value is fine.
type Options struct {
	// Clock rules the 30 s of pending_post_id, the 3 s of trigger ids and all
	// timestamps. Default: the machine's.
	Clock clock.Clock
	// WriteTime is how long the database takes for a new post, on the
	// machine's clock: while it lasts a second post with the same
	// pending_post_id is refused as pending.
	WriteTime time.Duration
	// OnPost is called after each new post, outside of all locks. The post
	// must not be changed.
	OnPost func(at time.Time, p *Post)
	// Fresh is a server as it is just after its installation: people and a
	// team, but no bot, the settings as shipped, and no calls to private
	// addresses unless AllowedUntrustedInternalConnections names them. Without
	// it all settings that integrations need are on and nothing is guarded.
	Fresh bool
	// Guarded makes no calls to private addresses unless
	// AllowedUntrustedInternalConnections names them, as Fresh does, and is
	// set up otherwise.
	Guarded bool
}

// The world every server starts with: one team, the bot and its people.
const (
	Team = "ops-team"
	Bot  = "belfry"
)

// Server is one fake Mattermost.
type Server struct {
	clock  clock.Clock
	opts   Options
	tb     testing.TB
	client *http.Client

	mu       sync.Mutex
	users    map[string]*User // by id
	names    map[string]*User
	tokens   map[string]*User
	teams    map[string]*team // by id
	channels map[string]*Channel
	posts    map[string]*Post
	pending  map[string]*pendingPost
	triggers map[string]trigger
	dialogs  map[string]*Dialog // by user id: the last one opened
	botToken string
	faults   faults

	config       settings
	locked       []string // keys that the environment sets, "Section.Key"
	accessTokens []accessToken
	commands     []*Command
	calls        map[string]*commandCall // by the id in response_url
	late         map[string][]string     // by user id
	outgoing     []*OutgoingHook
	hookCalls    []HookCall
	oauthApps    []*OAuthApp
	oauth        provider
	interrupted  interruption
	sockets      sockets
	reactions    map[string][]Reaction // by post
	logins       logins
	incoming     map[string]*IncomingHook
	wrapHooks    bool
	licensed     bool
	hideEmails   bool
	groups       []*Group
	strips       bool
	forbidden    map[string]bool // rights, see Forbid

	swept time.Time

	calling   sync.WaitGroup // calls of outgoing webhooks under way
	listening sync.Mutex
	addr      string
	server    *http.Server
	closing   chan struct{}
}

// New starts a server on a free port of 127.0.0.1. Call Close.
func New(opts Options) (*Server, error) {
	if opts.Clock == nil {
		opts.Clock = clock.System{}
	}
	s := &Server{
		clock: opts.Clock, opts: opts,
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		users:  map[string]*User{}, names: map[string]*User{}, tokens: map[string]*User{},
		teams: map[string]*team{}, channels: map[string]*Channel{}, posts: map[string]*Post{},
		forbidden: map[string]bool{}, oauth: newProvider(), pending: map[string]*pendingPost{}, triggers: map[string]trigger{}, dialogs: map[string]*Dialog{},
	}
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
		t.Fatalf("can't start a Mattermost: %v", err)
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

// URL is the site's address, as people configure it.
func (s *Server) URL() string { return "http://" + s.Addr() }

// Addr is the host and port.
func (s *Server) Addr() string {
	s.listening.Lock()
	defer s.listening.Unlock()
	return s.addr
}

// Token is the bot's.
func (s *Server) Token() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.botToken
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
	s.server = &http.Server{Handler: s.interrupt(s.routes()), ReadHeaderTimeout: 10 * time.Second}
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
func (s *Server) Close() {
	s.Stop()
	s.calling.Wait()
	s.client.CloseIdleConnections()
}

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

const idLetters = "ybndrfg8ejkmcpqxot1uwisza345h769"

// newID returns 26 characters a–z 0–9, as Mattermost's ids have.
func newID() string {
	var b [26]byte
	hi, lo := rand.Uint64(), rand.Uint64() //nolint:gosec // ids of a fake need not be secret
	for i := range b {
		if i == 13 {
			hi = lo
		}
		b[i] = idLetters[hi&31]
		hi >>= 5
		if i%12 == 11 {
			hi ^= rand.Uint64() //nolint:gosec // see above
		}
	}
	return string(b[:])
}

func millis(t time.Time) int64 { return t.UnixMilli() }
