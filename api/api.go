// SPDX-License-Identifier: Apache-2.0

// Package api is the JSON API by which programs run incidents: declare, read,
// tell how it stands, move along the lifecycle, note, attach. docs/api.md is its
// manual.
//
// The flow: API.Handler finds the program by its token, a bounded body is
// decoded strictly (decode.go: what isn't known is told), the act goes to
// package response like anybody's (acts.go), and the incident as it is then goes
// back (show.go); lists and timelines are read.go's. A program acts by its own name and never as a person. With an
// Idempotency-Key an act counts once: the key is noted in the act's own
// transaction, so whoever got no answer may ask again.
package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"belfry/alert"
	"belfry/config"
	"belfry/incident"
	"belfry/response"
	"belfry/store"
)

// Program is somebody who may use the API.
type Program struct {
	// Name is what the timelines call it: "program deploy".
	Name  string
	Token config.Secret
	// TokenFile is where the token stands.
	TokenFile string
	// Limit is how many incidents it may declare within incident.LimitSpan.
	Limit int
}

// by is the program as the timelines name it.
func (p *Program) by() incident.Person { return incident.Machine("program", p.Name) }

// Store is what is read; *store.Store is one.
type Store interface {
	Incident(ctx context.Context, number int64) (*incident.Incident, error)
	Incidents(ctx context.Context, f store.IncidentFilter) ([]*incident.Incident, error)
	IncidentEntries(ctx context.Context, id alert.ID, f store.EntryFilter) ([]incident.Entry, error)
}

// Options are what the API works with; all but FindPeople must be set.
type Options struct {
	Store    Store
	Response *response.Response
	// BaseURL is where the pages are, without a slash at its end.
	BaseURL string
	// FindPeople says who has a name on a connection; nil: nobody is looked up.
	FindPeople func(ctx context.Context, connection, name string) ([]incident.Person, error)
	Log        *slog.Logger
}

// API serves programs. Call Apply before the first request.
type API struct {
	o        Options
	programs atomic.Pointer[map[[sha256.Size]byte]*Program]
}

// New returns an API that knows no program yet.
func New(o Options) *API {
	a := &API{o: o}
	a.Apply(nil)
	return a
}

// Apply says who may use it from now on.
func (a *API) Apply(programs []Program) {
	known := make(map[[sha256.Size]byte]*Program, len(programs))
	for i := range programs {
		if p := programs[i]; p.Token != "" {
			known[sha256.Sum256([]byte(p.Token.Reveal()))] = &p
		}
	}
	a.programs.Store(&known)
}

// program finds who asks. Tokens are compared by their SHA-256 in a map: how
// long that takes says nothing about a token.
func (a *API) program(r *http.Request) *Program {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		return nil
	}
	return (*a.programs.Load())[sha256.Sum256([]byte(token))]
}

const (
	// maxBody bounds what is sent, in bytes.
	maxBody = 64 << 10
	// actWithin bounds a request.
	actWithin = 10 * time.Second
	// maxKey bounds an Idempotency-Key, in bytes.
	maxKey = 200
)

// Handler serves everything below /api/.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/incidents", a.by(declare))
	mux.HandleFunc("GET /api/incidents", a.by(list))
	mux.HandleFunc("GET /api/incidents/{number}", a.by(one))
	mux.HandleFunc("GET /api/incidents/{number}/timeline", a.by(timeline))
	for name, do := range acts() {
		mux.HandleFunc("POST /api/incidents/{number}/"+name, a.by(do))
	}
	mux.HandleFunc("/api/", a.by(func(q *request) (int, any) {
		allowed := allow(mux, q.r)
		if allowed == "" {
			return fault(http.StatusNotFound, "there is nothing at this address; docs/api.md lists what there is")
		}
		q.w.Header().Set("Allow", allowed)
		return fault(http.StatusMethodNotAllowed, "this address takes %s", allowed)
	}))
	return mux
}

// allow returns the methods that the address of a request takes.
func allow(mux *http.ServeMux, r *http.Request) string {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "/api/" {
			allowed = append(allowed, method)
		}
	}
	return strings.Join(allowed, ", ")
}

// request is a request of a program.
type request struct {
	context.Context
	*API
	r   *http.Request
	w   http.ResponseWriter
	who *Program
	// run carries acts out, once for each key.
	run *response.Response
	// sees is which other incidents the program may know of.
	sees incident.Sees
}

// by returns the handler of what do answers, for programs alone.
func (a *API) by(do func(q *request) (status int, answer any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who := a.program(r)
		if who == nil {
			w.Header().Set("WWW-Authenticate", `Bearer realm="belfry"`)
			reply(w, http.StatusUnauthorized, failure{Error: "show a program's token as \"Authorization: Bearer …\"; they are configured under incidents, api"})
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), actWithin)
		defer cancel()
		q := &request{Context: ctx, API: a, r: r, w: w, who: who}
		q.sees = incident.Sees(q.knows).Once()
		key := r.Header.Get("Idempotency-Key")
		if len(key) > maxKey || strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' }) {
			reply(w, http.StatusBadRequest, failure{Error: "the Idempotency-Key is at most 200 characters of ASCII"})
			return
		}
		if key != "" {
			key = who.by().Name + " " + key
		}
		q.run = a.o.Response.For(response.Program{Key: key, Limit: who.Limit})
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		status, answer := do(q)
		reply(w, status, answer)
	}
}

// failure is the answer to what could not be done.
type failure struct {
	// Error says what is wrong, and what to do.
	Error string `json:"error"`
	// Possible are the steps that would be possible instead.
	Possible []incident.Act `json:"possible,omitempty"`
}

func reply(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // who went away asks again
}
