// SPDX-License-Identifier: Apache-2.0

// Package openitcockpittest is an openITCOCKPIT for tests: a real HTTP server
// with hosts, services, a user with rights, and a core behind a queue.
//
// It behaves as its source does (CmdController::submit, HostsController and
// ServicesController::index and byUuid, Filter, AppAuthenticationMiddleware):
// a command is answered with 200 before anybody looked at its object, and its
// parameters are joined with ; as they are, so that a ; shifts them and a new
// line begins another command (core.go). What was carried out shows in the
// lists only after the queue's delay. Tests ask it in people's words:
// Acknowledged, Commands, Requests.
package openitcockpittest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Key is the API key that the server takes.
const Key = "d2083e61fee067077ac239b7d89084f31c16a66f5e2908f6f74009492b600d3d"

// Rights are what the role of the key's user allows.
type Rights struct {
	Submit, Hosts, Services, ByUUID bool
}

// Fault is what goes wrong with a request.
type Fault int

// The faults.
const (
	// None: all is well.
	None Fault = iota
	// Hang takes the request and never answers.
	Hang
	// Cut closes the connection instead of answering.
	Cut
	// LoginPage answers with a page for people, as a proxy with a log-in does.
	LoginPage
	// Redirect sends to a log-in page.
	Redirect
	// Broken is a fault of openITCOCKPIT's own, after the command was queued.
	Broken
	// Busy asks to come again in a second.
	Busy
	// Garbage answers with half a JSON, after the command was queued.
	Garbage
	// Echo answers 400 with all that came in the message, the key included.
	Echo
)

// Server is one openITCOCKPIT. Its methods are safe for concurrent use.
type Server struct {
	URL string

	t     testing.TB
	http  *httptest.Server
	core  *core
	hung  chan struct{}
	close sync.Once

	mu       sync.Mutex
	key      string
	rights   Rights
	down     bool
	reads    Fault
	submits  Fault
	skew     time.Duration
	requests []string
}

// New starts a server whose commands show after delay.
func New(t testing.TB, delay time.Duration) *Server {
	t.Helper()
	s := &Server{t: t, key: Key, rights: Rights{true, true, true, true}, hung: make(chan struct{}), core: newCore(delay)}
	s.http = httptest.NewServer(s)
	s.URL = s.http.URL
	t.Cleanup(s.stop)
	return s
}

func (s *Server) stop() {
	s.close.Do(func() {
		close(s.hung)
		s.http.CloseClientConnections()
		s.http.Close()
		s.core.stop()
	})
}

// Host adds a host that is up and returns its UUID.
func (s *Server) Host(name string) (uuid string) { return s.core.add("", name, "") }

// Service adds a service that is fine and returns its UUID.
func (s *Server) Service(host, name string) (uuid string) { return s.core.add(host, "", name) }

// SetState has the core see a state: 0 is fine. It ends acknowledgements then.
func (s *Server) SetState(uuid string, state int) {
	s.core.change(uuid, func(o *object) {
		if o.state = state; state == 0 {
			o.acked, o.author, o.comment = false, "", ""
		}
	})
}

// Hide takes an object out of the containers that the key's user may see.
func (s *Server) Hide(uuid string) { s.core.change(uuid, func(o *object) { o.hidden = true }) }

// Disable disables an object: the core does not have it.
func (s *Server) Disable(uuid string) { s.core.change(uuid, func(o *object) { o.disabled = true }) }

// Unexport makes an object one that the core was not given yet.
func (s *Server) Unexport(uuid string) {
	s.core.change(uuid, func(o *object) { o.unexported = true })
}

// Command carries out a command of the core at once, as from its web pages.
func (s *Server) Command(line string) { s.core.carryOut(line) }

// Acknowledged says who acknowledged an object, as its page shows it.
func (s *Server) Acknowledged(uuid string) (author, comment string, ok bool) {
	o := s.core.look(uuid)
	return o.author, o.comment, o.acked
}

// InDowntime says whether an object is in one.
func (s *Server) InDowntime(uuid string) bool { return s.core.look(uuid).downtime > 0 }

// Notifies says whether the core notifies of an object.
func (s *Server) Notifies(uuid string) bool { return !s.core.look(uuid).silent }

// Commands returns every line that the core has been given, in order.
func (s *Server) Commands() []string { return s.core.commands() }

// OnNotify is called for acknowledgements that the core notifies of.
func (s *Server) OnNotify(f func(Notification)) { s.core.onNotify(f) }

// Requests returns what was asked for: method, address, and "with key".
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Down makes the server unreachable, Up ends that.
func (s *Server) Down() { s.set(func() { s.down = true }); s.http.CloseClientConnections() }

// Up ends Down.
func (s *Server) Up() { s.set(func() { s.down = false }) }

// FailReads has everything but commands go wrong; FailSubmits commands.
func (s *Server) FailReads(f Fault) { s.set(func() { s.reads = f }) }

// FailSubmits has commands go wrong.
func (s *Server) FailSubmits(f Fault) { s.set(func() { s.submits = f }) }

// Revoke makes the key invalid.
func (s *Server) Revoke() { s.set(func() { s.key = "another" }) }

// Allow sets what the role of the key's user allows.
func (s *Server) Allow(r Rights) { s.set(func() { s.rights = r }) }

// SetClock puts the server's clock wrong.
func (s *Server) SetClock(ahead time.Duration) { s.set(func() { s.skew = ahead }) }

func (s *Server) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := r.Header.Get("Authorization")
	with := ""
	if header != "" {
		with = " with key"
	}
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.URL.RequestURI()+with)
	down, rights, key, skew := s.down, s.rights, s.key, s.skew
	wrong := s.reads
	submit := strings.HasPrefix(r.URL.Path, "/nagios_module/cmd/")
	if submit {
		wrong = s.submits
	}
	s.mu.Unlock()
	if down {
		drop(w)
		return
	}
	if skew != 0 {
		w.Header().Set("Date", time.Now().Add(skew).UTC().Format(http.TimeFormat))
	}
	var body map[string]any
	if r.Method == http.MethodPost {
		_ = json.NewDecoder(r.Body).Decode(&body) // what is no JSON is no data to CakePHP either
	}
	if !s.misbehave(w, r, wrong, body) {
		return
	}
	// The header is looked at before the query.
	given, ok := strings.CutPrefix(header, "X-OITC-API")
	if !ok {
		given = r.URL.Query().Get("apikey")
	}
	if strings.TrimSpace(given) != key {
		if strings.HasSuffix(r.URL.Path, ".json") || r.Header.Get("Accept") == "application/json" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		http.Redirect(w, r, "/users/login", http.StatusFound)
		return
	}
	if submit {
		s.cmd(w, r, rights, body)
		return
	}
	s.read(w, r, rights)
}

// misbehave does what a fault says. The result is true when the request is to
// be answered all the same.
func (s *Server) misbehave(w http.ResponseWriter, r *http.Request, f Fault, body map[string]any) bool {
	switch f {
	case None:
		return true
	case Hang:
		select {
		case <-s.hung:
		case <-r.Context().Done():
		}
	case Cut:
		drop(w)
	case LoginPage:
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		_, _ = w.Write([]byte("<!DOCTYPE html><html><head><title>openITCOCKPIT - Login</title></head><body><form></form></body></html>"))
	case Redirect:
		http.Redirect(w, r, "/users/login?redirect="+url.QueryEscape(r.Header.Get("Authorization")), http.StatusFound)
	case Broken:
		if body != nil {
			_, _ = s.core.queue(body)
		}
		fail(w, r, http.StatusInternalServerError, "An Internal Error Has Occurred.")
	case Busy:
		w.Header().Set("Retry-After", "1")
		fail(w, r, http.StatusServiceUnavailable, "Service Unavailable")
	case Garbage:
		if body != nil {
			_, _ = s.core.queue(body)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"message":"Command added`))
	case Echo:
		fail(w, r, http.StatusBadRequest, "bad: "+r.Header.Get("Authorization")+"\n"+r.URL.String())
	}
	return false
}

// drop closes the connection without an answer.
func drop(w http.ResponseWriter) {
	if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = c.Close()
	}
}

// fail answers as CakePHP does for exceptions in JSON.
func fail(w http.ResponseWriter, r *http.Request, code int, message string) {
	answer(w, code, map[string]any{"message": message, "url": r.URL.RequestURI(), "code": code})
}

// answer writes JSON, with the token that openITCOCKPIT adds to everything.
func answer(w http.ResponseWriter, code int, v map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	v["_csrfToken"] = nil
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v)
}

// cmd is NagiosModule's CmdController.
func (s *Server) cmd(w http.ResponseWriter, r *http.Request, rights Rights, body map[string]any) {
	switch {
	case !rights.Submit:
		forbid(w)
		return
	case r.URL.Path != "/nagios_module/cmd/submit.json":
		fail(w, r, http.StatusNotFound, "Not Found")
		return
	case r.Method != http.MethodPost && r.Method != http.MethodGet:
		fail(w, r, http.StatusMethodNotAllowed, "Method Not Allowed")
		return
	}
	if r.Method == http.MethodGet {
		body = map[string]any{}
		for k, v := range r.URL.Query() {
			body[k] = v[0]
		}
	}
	command, ok := body["command"].(string)
	if !ok {
		fail(w, r, http.StatusBadRequest, "Bad Request")
		return
	}
	args, ok := s.core.queue(body)
	if !ok {
		fail(w, r, http.StatusNotFound, "Command not found")
		return
	}
	answer(w, http.StatusOK, map[string]any{"message": "Command added successfully to queue", "command": command, "args": args})
}

// forbid is what the request policy answers where a role lacks a right.
func forbid(w http.ResponseWriter) {
	answer(w, http.StatusForbidden, map[string]any{"status": 403, "statusText": "Forbidden"})
}
