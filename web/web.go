// SPDX-License-Identifier: Apache-2.0

// Package web is HTTP for people: the built-in room with its live cards, the
// lists of alerts and incidents and everything known about one, deliveries that wait or
// failed, signing in and setting up.
//
// The flow of a request: secure (headers) → cross-origin protection → session
// → the route's guard (anybody, signed in, administrator) → one action, one
// file each (routes.go is the table) → a template. Templates escape all that
// comes from monitoring and chat; the content security policy forbids inline
// scripts and styles, so that even a hole in a template would stay inert.
//
// Live updates are server-sent events (events.go): the page is told which card
// changed and gets it rendered as it is now. Everything works without scripts,
// too, by forms and redirects.
package web

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"

	"belfry/alert"
	"belfry/chat"
	"belfry/chat/console"
	"belfry/clock"
	"belfry/store"
)

// Options are what the pages need.
type Options struct {
	Store Store
	Room  *console.Room
	// Responder turns presses in the room into acts.
	Responder chat.Responder
	// Payloads are those that were not understood, Replay decodes one again.
	Payloads Payloads
	Replay   Replay
	// Accounts links accounts of chat platforms to people; nil: none can be.
	Accounts Accounts
	// BaseURL is how people's browsers reach Belfry: scheme and host, no path.
	BaseURL string
	// TrustedProxies may say in X-Forwarded-For whose request they pass on.
	TrustedProxies []netip.Prefix
	// DemoKey, when not empty, signs in whoever brings it to /demo, as an
	// administrator named DemoName. For belfry demo alone.
	DemoKey, DemoName string
	Version           string
	// Tester posts test cards; nil: there is nothing to test.
	Tester Tester
	// Doctor looks into everything; nil: nothing can be looked into.
	Doctor Doctor
	// Connections are those to chat; nil: none can be shown.
	Connections Connections
	// Incidents carries out what people do with incidents; nil: they can only
	// be read.
	Incidents Incidents
	// Locate finds the channels that can become an incident's; nil: only those
	// of the room can.
	Locate Locate
	// FindPeople asks chat who has a name; nil: only those who take part or have
	// an account can be named.
	FindPeople FindPeople
	// Gate says who may act on incidents; nil: everybody who is signed in.
	Gate chat.Gate
	// Clock is the machine's when nil, Log silent.
	Clock clock.Clock
	Log   *slog.Logger
}

// Store is what the pages read and write. *store.Store is one.
type Store interface {
	IncidentStore
	People
	Settings
	// Sessions, found by tokens that are stored hashed.
	scs.CtxStore
	// Alert returns one alert or store.ErrNotFound.
	Alert(ctx context.Context, id alert.ID) (*alert.Alert, error)
	// AlertsByID returns those of the alerts that exist.
	AlertsByID(ctx context.Context, list []alert.ID) (map[alert.ID]*alert.Alert, error)
	// Alerts returns the alerts that a filter lets through, newest first.
	Alerts(ctx context.Context, f store.Filter) ([]*alert.Alert, error)
	// Events returns the newest limit events of an alert, the oldest of them first.
	Events(ctx context.Context, id alert.ID, limit int) ([]alert.Event, error)
	// Duties returns what an alert led to: cards, notes and write-backs.
	Duties(ctx context.Context, id alert.ID) ([]store.Duty, error)
	// Due returns the destinations that have something to do.
	Due(ctx context.Context, now time.Time) ([]store.DueDestination, error)
	// DeadDuties returns the newest limit duties that were given up.
	DeadDuties(ctx context.Context, limit int) ([]store.Duty, error)
	// Resend makes a dead duty due again, or returns store.ErrNotFound;
	// ResendAll does so with all of a destination.
	Resend(ctx context.Context, id alert.ID) error
	ResendAll(ctx context.Context, destination string) (int, error)
	Counts(ctx context.Context) (store.Counts, error)
}

// People is where those who may sign in are kept.
type People interface {
	CountPeople(ctx context.Context) (int, error)
	CreatePerson(ctx context.Context, p store.Person) (store.Person, error)
	// PersonByName and PersonByID return store.ErrNotFound for nobody.
	PersonByName(ctx context.Context, name string) (store.Person, error)
	PersonByID(ctx context.Context, id alert.ID) (store.Person, error)
	// People returns everybody by name, Identities the accounts of one or, for
	// 0, of all.
	People(ctx context.Context) ([]store.Person, error)
	Identities(ctx context.Context, person alert.ID) ([]store.Identity, error)
	// These return store.ErrNotFound for nobody and store.ErrLastAdmin where no
	// administrator would be left. SetPassword and Unlink end all sessions.
	SetRole(ctx context.Context, id alert.ID, role string) error
	SetPassword(ctx context.Context, id alert.ID, hash string) error
	Unlink(ctx context.Context, person alert.ID, connection, userID string) error
	RemovePerson(ctx context.Context, id alert.ID) error
}

// Web serves the pages.
type Web struct {
	o         Options
	clock     clock.Clock
	log       *slog.Logger
	origin    *http.CrossOriginProtection
	secure    bool
	sessions  *scs.SessionManager
	pages     map[string]func() (*template.Template, error)
	passwords *passwords
	attempts  *attempts
	static    map[string]asset
	act       http.Handler
	tests     channelTests
	checkup   checkup
	runs      runs
	stop      chan struct{}
	stopOnce  sync.Once
}

// sessionLife is how long somebody stays signed in on a device.
const sessionLife = 30 * 24 * time.Hour

// New checks the options and parses all templates.
func New(o Options) (*Web, error) {
	if o.Store == nil || o.Room == nil || o.Responder == nil {
		return nil, errors.New("the web pages need a store, the room and somebody who answers presses")
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	w := &Web{o: o, clock: o.Clock, log: o.Log, passwords: newPasswords(),
		attempts: newAttempts(o.Clock), stop: make(chan struct{}),
		origin: http.NewCrossOriginProtection()}
	if err := w.reachedAt(o.BaseURL); err != nil {
		return nil, err
	}
	if o.Payloads == nil || o.Replay == nil {
		return nil, errors.New("the web pages need the payloads and somebody who replays them")
	}
	var err error
	if w.static, err = loadStatic(); err != nil {
		return nil, err
	}
	if w.pages, err = w.readPages(); err != nil {
		return nil, fmt.Errorf("the pages' templates can't be read: %w", err)
	}
	w.sessions = w.newSessions()
	w.act = http.StripPrefix("/room", o.Room.Handler(o.Responder))
	return w, nil
}

// reachedAt takes what the base URL says: whether cookies may only travel
// encrypted, and which origin is ours behind a proxy that changes Host.
func (w *Web) reachedAt(base string) error {
	if base == "" {
		return nil
	}
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return fmt.Errorf("the base URL %q must be http:// or https:// and a host, such as https://belfry.example.org", base)
	}
	w.secure = u.Scheme == "https"
	if err := w.origin.AddTrustedOrigin(u.Scheme + "://" + u.Host); err != nil {
		return fmt.Errorf("the base URL %q is no origin: %w", base, err)
	}
	return nil
}

// newSessions does without scs.New: that starts a goroutine, which can't be
// stopped for sure, for a store in memory that we do not use.
func (w *Web) newSessions() *scs.SessionManager {
	return &scs.SessionManager{
		Lifetime: sessionLife,
		Store:    w.o.Store,
		Codec:    scs.GobCodec{},
		Cookie: scs.SessionCookie{Name: "belfry_session", Path: "/", Persist: true,
			HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: w.secure},
		ErrorFunc: func(rw http.ResponseWriter, r *http.Request, err error) {
			w.log.ErrorContext(r.Context(), "can't load or store a session", "err", err)
			w.fail(rw, r, http.StatusServiceUnavailable, "Belfry can't reach its database just now. Nothing is lost; please try again in a moment.")
		},
	}
}

// Close ends the live updates of all open pages, so that a server's Shutdown
// need not wait for them: give it to http.Server.RegisterOnShutdown. It may be
// called more than once.
func (w *Web) Close() { w.stopOnce.Do(func() { close(w.stop) }) }
