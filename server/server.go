// SPDX-License-Identifier: Apache-2.0

// Package server is HTTP for machines: what monitoring systems hand over
// (intake.go), what tools post that know nothing of Belfry (hooks.go; what of it no program understands is kept, and told in a channel: notice.go), what
// chat platforms call back (handed to the connection's own handler), and health
// (health.go). Pages for people are package web's.
//
// The flow of an intake: find the source by its token, read the body within
// its limit, let the source's monitor decode it, give the reports to the desk,
// and answer 2xx only when they are stored for good.
package server

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"belfry/alert"
	"belfry/clock"
	"belfry/config"
	"belfry/monitor"
)

// Desk takes reports in.
type Desk interface {
	Ingest(ctx context.Context, source string, reports []alert.Report) (warnings []string, err error)
}

// Source is a monitoring system that may hand over.
type Source struct {
	Name string
	// Kind is the monitor's kind as configured.
	Kind string
	// Token must be shown over TCP; empty: the source is taken from the unix
	// socket alone.
	Token   config.Secret
	Monitor monitor.Monitor
}

// Setup is what a configuration decides; it changes with a reload.
type Setup struct {
	Sources []Source
	// Chats are the callback handlers by connection name.
	Chats map[string]http.Handler
}

// Options of a server.
type Options struct {
	Desk Desk
	Log  *slog.Logger
	// Ready returns why the server can't work just now, or nil.
	Ready func(ctx context.Context) error
	// Pages serves everything that is not for machines; nil for none.
	Pages http.Handler
	// BaseURL is how people's browsers reach the pages; empty: no link to them.
	BaseURL string
	// Clock is the machine's when nil.
	Clock clock.Clock
	// Payloads keeps what hooks send and can't be understood; nil: it is refused.
	Payloads Payloads
	// Tester carries out tests that are ordered over the socket; nil: none are.
	Tester Tester
	// Doctor carries out examinations that are ordered over the socket; nil:
	// none are.
	Doctor Doctor
	// Answerer tries what words are answered with, over the socket; nil: it can't be tried.
	Answerer Answerer
	// Reread reads the configuration again; nil: there is none to read.
	Reread func() error
	// API serves programs below /api/, over TCP; nil: there is none.
	API http.Handler
	// Counter is told of hand-overs; nil: nobody is.
	Counter Counter
	// Metrics answers whoever measures Belfry, over the socket, and over TCP
	// with MetricsToken; without a token over the socket alone.
	Metrics      http.Handler
	MetricsToken config.Secret
}

// Counter counts hand-overs.
type Counter interface {
	// TookIn is told of one hand-over: its source, empty where none is known,
	// what became of it (Outcomes are the words), and how many reports
	// were stored.
	TookIn(source, outcome string, reports int)
}

// nobody counts nothing.
type nobody struct{}

func (nobody) TookIn(string, string, int) {}

// Server serves machines.
type Server struct {
	opt   Options
	setup atomic.Pointer[setup]
	told  told
}

// setup is a Setup made ready for look-ups.
type setup struct {
	byToken map[[sha256.Size]byte]*Source
	byName  map[string]*Source
	chats   map[string]http.Handler
}

// New returns a server that knows no sources yet.
func New(o Options) *Server {
	if o.Counter == nil {
		o.Counter = nobody{}
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	s := &Server{opt: o, told: told{hour: map[string]time.Time{}}}
	s.Apply(Setup{})
	return s
}

// Apply puts a new setup in place; requests under way keep the old one.
func (s *Server) Apply(next Setup) {
	made := &setup{byToken: map[[sha256.Size]byte]*Source{}, byName: map[string]*Source{}, chats: next.Chats}
	for i := range next.Sources {
		src := &next.Sources[i]
		made.byName[src.Name] = src
		if src.Token != "" {
			made.byToken[sha256.Sum256([]byte(src.Token.Reveal()))] = src
		}
	}
	s.setup.Store(made)
}

// Handler serves TCP: every hand-over shows its source's token.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /intake", s.intake(false))
	mux.HandleFunc("POST /intake/{source}", s.intake(false))
	mux.HandleFunc("POST /hooks/{source}/{token}", s.hook)
	mux.HandleFunc("/hooks/", s.noHook)
	mux.HandleFunc("/chat/{connection}/", s.chat)
	mux.HandleFunc("GET /livez", s.live)
	mux.HandleFunc("GET /readyz", s.ready)
	if s.opt.API != nil {
		mux.Handle("/api/", s.opt.API)
	}
	if s.opt.Metrics != nil {
		mux.HandleFunc("GET /metrics", s.metrics)
	}
	if s.opt.Pages != nil {
		mux.Handle("/", s.opt.Pages)
	}
	return mux
}

// SocketHandler serves the unix socket: whoever may open it may hand over for
// any source, so that a token is not needed on the same host.
func (s *Server) SocketHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /intake", s.intake(true))
	mux.HandleFunc("POST /intake/{source}", s.intake(true))
	mux.HandleFunc("GET /livez", s.live)
	mux.HandleFunc("GET /readyz", s.ready)
	if s.opt.Metrics != nil {
		mux.Handle("GET /metrics", s.opt.Metrics)
	}
	if s.opt.Tester != nil {
		mux.HandleFunc("POST /test", s.test)
	}
	if s.opt.Doctor != nil {
		mux.HandleFunc("POST /doctor", s.doctor)
	}
	if s.opt.Answerer != nil {
		mux.HandleFunc("POST /answer", s.answer)
	}
	if s.opt.Reread != nil {
		mux.HandleFunc("POST /reload", s.reread)
	}
	return mux
}

// chat hands a callback to its connection.
func (s *Server) chat(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("connection")
	h := s.setup.Load().chats[name]
	if h == nil {
		http.Error(w, "no connection of this name takes callbacks", http.StatusNotFound)
		return
	}
	http.StripPrefix("/chat/"+name, h).ServeHTTP(w, r)
}

// sourceOf finds who hands over. The tokens are compared by their SHA-256 in a
// map: how long that takes says nothing about a token.
func (s *Server) sourceOf(r *http.Request, trusted bool) (*Source, string) {
	set := s.setup.Load()
	name := r.PathValue("source")
	if trusted {
		return set.trusted(name)
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		return nil, "show the source's token as \"Authorization: Bearer …\""
	}
	src := set.byToken[sha256.Sum256([]byte(token))]
	if src == nil || name != "" && src.Name != name {
		return nil, "this token belongs to no source of this name"
	}
	return src, ""
}

// trusted finds the source named over the socket; without a name the only
// source there is.
func (set *setup) trusted(name string) (*Source, string) {
	if name == "" && len(set.byName) == 1 {
		for _, src := range set.byName {
			return src, ""
		}
	}
	if src := set.byName[name]; src != nil {
		return src, ""
	}
	return nil, "no source of this name is configured"
}
