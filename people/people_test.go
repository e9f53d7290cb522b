// SPDX-License-Identifier: Apache-2.0

package people_test

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"belfry/chat"
	"belfry/clock"
	"belfry/config"
	"belfry/fault"
	"belfry/people"
	"belfry/seal"
	"belfry/store"
	"belfry/store/opentest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const base = "https://belfry.example.org"

// provider is a chat platform that knows who allowed what: a code is
// "code of NAME for REDIRECT with VERIFIER".
type provider struct {
	who map[string]chat.Actor
	err error
}

func (p *provider) Site() string { return "https://chat.example.org" }

func (p *provider) AuthorizeURL(_ context.Context, redirect, state, verifier string) (string, error) {
	return p.Site() + "/oauth/authorize?" + url.Values{"redirect_uri": {redirect}, "state": {state}, "v": {verifier}}.Encode(), p.err
}

func (p *provider) Identify(_ context.Context, redirect, code, verifier string) (chat.Actor, error) {
	if p.err != nil {
		return chat.Actor{}, p.err
	}
	name, rest, _ := strings.Cut(code, "|")
	who, ok := p.who[name]
	if !ok || rest != redirect+"|"+verifier {
		return chat.Actor{}, fault.NewPermanent(fmt.Errorf("mattermost refuses: bad code"))
	}
	return who, nil
}

// allow is what name's browser comes back with.
func allow(t *testing.T, name, to string) (state, code string) {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	return q.Get("state"), name + "|" + q.Get("redirect_uri") + "|" + q.Get("v")
}

type house struct {
	*people.People
	t     *testing.T
	store *store.Store
	clock *clock.Manual
	chat  *provider
	rules people.Connection
	admin store.Person
}

func actor(name string) chat.Actor {
	return chat.Actor{Connection: "chat", ID: "id-of-" + name, Name: name}
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := emptyHouse(t)
	h.admin = h.person("root", store.RoleAdmin)
	return h
}

// emptyHouse has nobody in it.
func emptyHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, clock: clock.NewManual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)), chat: &provider{who: map[string]chat.Actor{}}}
	for _, name := range []string{"alice", "bob", "mallory"} {
		h.chat.who[name] = actor(name)
	}
	h.store = opentest.Open(t, store.Options{Clock: h.clock})
	sealer, err := seal.New(bytes.Repeat([]byte{3}, 32))
	if err != nil {
		t.Fatal(err)
	}
	h.People = people.New(h.store, sealer, base, h.clock)
	h.rules = people.Connection{Name: "chat", Act: config.Act{Linked: true}, Identifier: h.chat}
	h.apply()
	return h
}

func (h *house) apply() {
	h.Apply([]people.Connection{h.rules, {Name: "other", Act: h.rules.Act, Identifier: h.chat}, {Name: "plain"},
		{Name: "room", Room: true, Act: h.rules.Act}})
}

func (h *house) person(name, role string) store.Person {
	h.t.Helper()
	p, err := h.store.CreatePerson(h.t.Context(), store.Person{Name: name, Role: role})
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *house) link(p store.Person, a chat.Actor) {
	h.t.Helper()
	if err := h.store.Link(h.t.Context(), store.Identity{Connection: a.Connection, UserID: a.ID, Name: a.Name, Person: p.ID}); err != nil {
		h.t.Fatal(err)
	}
}

// unchanged checks that nobody came and nothing was linked.
func (h *house) unchanged() {
	h.t.Helper()
	all, err := h.store.Identities(h.t.Context(), 0)
	n, _ := h.store.CountPeople(h.t.Context())
	if len(all) != 0 || n != 1 || err != nil {
		h.t.Errorf("%d people, accounts %v, %v", n, all, err)
	}
}
