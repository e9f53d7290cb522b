// SPDX-License-Identifier: Apache-2.0

// Package people knows who somebody in chat is in Belfry, and therefore what
// they may do there.
//
// Who may act (gate.go) is asked before every act and read from the store each
// time, so that a role that was taken away is gone at once. Which accounts are
// one person's is account.go's. How an account
// becomes a person's (flow.go): in chat somebody gets a link that only their
// own account can use, within minutes and once; or they begin on a page of
// Belfry. The browser is sent to the platform with a state that is sealed and
// tied to that browser by a cookie; it comes back with a code, which is traded
// for the account's id and nothing else; then the person who is signed in
// confirms. Signing in by a linked account is the same way without the last
// step.
//
// What this guards against: one person luring another into finishing what they
// began (the cookie is missing), into using their link (it is another account),
// and answers that are repeated, altered, late or of another connection.
package people

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"belfry/alert"
	"belfry/chat"
	"belfry/clock"
	"belfry/config"
	"belfry/seal"
	"belfry/store"
)

// Store is where people are kept. *store.Store is one.
type Store interface {
	CountPeople(ctx context.Context) (int, error)
	// PersonByID, PersonByName and PersonByIdentity return store.ErrNotFound for nobody.
	PersonByID(ctx context.Context, id alert.ID) (store.Person, error)
	PersonByName(ctx context.Context, name string) (store.Person, error)
	PersonByIdentity(ctx context.Context, connection, userID string) (store.Person, error)
	// Identities returns the accounts of a person.
	Identities(ctx context.Context, person alert.ID) ([]store.Identity, error)
	// Link returns store.ErrExists for another person's account.
	Link(ctx context.Context, i store.Identity) error
	CreateLinkedPerson(ctx context.Context, p store.Person, account store.Identity) (store.Person, error)
	UseOnce(ctx context.Context, token string, until time.Time) (first bool, err error)
}

// Connection is what a configured connection says about people.
type Connection struct {
	Name   string
	Act    config.Act
	SignIn config.SignIn
	// Identifier tells whose a browser is; nil: accounts can't be linked here.
	Identifier chat.Identifier
	// Mailer links accounts by their mail addresses; nil: that is not allowed.
	Mailer chat.Mailer
	// Installer is a platform whose app is installed from Belfry's pages; nil: it isn't.
	Installer chat.Installer
	// Room is true for the built-in room: who acts there is signed in, and the
	// actor's id is the person's.
	Room bool
}

// People is safe for concurrent use.
type People struct {
	store       Store
	sealer      *seal.Sealer
	clock       clock.Clock
	base        string
	connections atomic.Pointer[[]Connection]
}

var _ chat.Gate = (*People)(nil)

// New returns People who know no connection yet. base is how browsers reach
// Belfry: scheme and host, no path.
func New(s Store, sealer *seal.Sealer, base string, c clock.Clock) *People {
	p := &People{store: s, sealer: sealer, base: strings.TrimRight(base, "/"), clock: c}
	p.Apply(nil)
	return p
}

// Apply puts the connections of a configuration in place.
func (p *People) Apply(connections []Connection) { p.connections.Store(&connections) }

func (p *People) connection(name string) (Connection, bool) {
	list := *p.connections.Load()
	i := slices.IndexFunc(list, func(c Connection) bool { return c.Name == name })
	if i < 0 {
		return Connection{}, false
	}
	return list[i], true
}

// Provider is a connection by whose accounts people can sign in.
type Provider struct {
	Name string
	// Site is where a browser is sent, scheme and host.
	Site string
	// Open is true when everybody with an account there becomes a member.
	Open bool
}

// Providers lists them, by name.
func (p *People) Providers() []Provider {
	var out []Provider
	for _, c := range *p.connections.Load() {
		if c.Identifier != nil {
			out = append(out, Provider{Name: c.Name, Site: c.Identifier.Site(), Open: c.SignIn == config.SignInAnyone})
		}
	}
	slices.SortFunc(out, func(a, b Provider) int { return strings.Compare(a.Name, b.Name) })
	return out
}
