// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"strconv"
	"testing"
	"time"

	"belfry/clock"
	"belfry/store"
	"belfry/web"
)

func id(p store.Person) string { return strconv.FormatInt(int64(p.ID), 10) }

func (s *site) person(name string) store.Person {
	s.t.Helper()
	p, err := s.store.PersonByName(s.t.Context(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

func TestAdministratorsLookAfterPeople(t *testing.T) {
	s := open(t, nil)
	admin := s.setUp("root")
	b := s.letIn(admin, "bob")
	bob := s.person("bob")
	if err := s.store.Link(t.Context(), store.Identity{Connection: "chat", UserID: "u1", Name: "bobby", Person: bob.ID}); err != nil {
		t.Fatal(err)
	}
	admin.get("/people").want(t, 200, "bob", "@bobby in chat", "root")

	admin.post("/people/"+id(bob)+"/role", "role", "owner").want(t, 422, "no such role")
	admin.post("/people/"+id(bob)+"/role", "role", "admin").leadsTo(t, "/people")
	b.get("/people").want(t, 200, "Let somebody in") // at once, in the session that is open
	admin.post("/people/"+id(bob)+"/role", "role", "responder").leadsTo(t, "/people")
	b.get("/people").want(t, 403)

	admin.post("/people/"+id(bob)+"/unlink", "connection", "chat", "user", "u2").want(t, 404, "nothing was done")
	admin.post("/people/"+id(bob)+"/unlink", "connection", "chat", "user", "u1").leadsTo(t, "/people")
	if all, err := s.store.Identities(t.Context(), 0); len(all) != 0 || err != nil {
		t.Error(all, err)
	}
	b.get("/").leadsTo(t, "/signin") // that session may have come by the account
	b.post("/signin", "name", "bob", "password", password, "next", "/").leadsTo(t, "/")

	const other = "another horse battery"
	admin.post("/people/"+id(bob)+"/password", "password", other, "again", "x").want(t, 422, "differ")
	admin.post("/people/"+id(bob)+"/password", "password", "short", "again", "short").want(t, 422)
	b.get("/").want(t, 200)
	admin.post("/people/"+id(bob)+"/password", "password", other, "again", other).leadsTo(t, "/people")
	b.get("/").leadsTo(t, "/signin")
	b.post("/signin", "name", "bob", "password", password).want(t, 401)
	b.post("/signin", "name", "bob", "password", other, "next", "/").leadsTo(t, "/")

	admin.post("/people/"+id(bob)+"/remove").leadsTo(t, "/people")
	b.get("/").leadsTo(t, "/signin")
	b.post("/signin", "name", "bob", "password", other).want(t, 401)
	admin.post("/people/"+id(bob)+"/remove").want(t, 404)
	admin.post("/people/x/remove").want(t, 404)

	root := s.person("root")
	admin.post("/people/"+id(root)+"/remove").want(t, 409, "last administrator")
	admin.post("/people/"+id(root)+"/role", "role", "member").want(t, 409, "last administrator")
	admin.get("/people").want(t, 200)
}

func TestEverybodyHasAPageOfTheirOwn(t *testing.T) {
	s := open(t, nil)
	b := s.letIn(s.setUp("root"), "bob")
	elsewhere := s.browser()
	elsewhere.post("/signin", "name", "bob", "password", password, "next", "/").leadsTo(t, "/")
	const other = "another horse battery"
	b.get("/profile").want(t, 200, "bob", "Your role is member", "Current password")
	b.post("/profile/password", "current", "guess", "password", other, "again", other).want(t, 401, "current password is wrong")
	b.post("/profile/password", "current", password, "password", other, "again", "x").want(t, 422, "differ")
	elsewhere.get("/").want(t, 200)
	b.post("/profile/password", "current", password, "password", other, "again", other).leadsTo(t, "/profile")
	b.get("/profile").want(t, 200, "Your password is changed")
	elsewhere.get("/").leadsTo(t, "/signin")
	elsewhere.post("/signin", "name", "bob", "password", password).want(t, 401)

	bob := s.person("bob")
	link := func() {
		t.Helper()
		if err := s.store.Link(t.Context(), store.Identity{Connection: "chat", UserID: "u1", Name: "bobby", Person: bob.ID}); err != nil {
			t.Fatal(err)
		}
	}
	link()
	b.post("/profile/unlink", "connection", "chat", "user", "u2").want(t, 404)
	b.post("/profile/unlink", "connection", "chat", "user", "u1").leadsTo(t, "/profile")
	b.get("/profile").want(t, 200, "not linked any more")
	link()
	if err := s.store.SetPassword(t.Context(), bob.ID, ""); err != nil { // came by an account, and has no password
		t.Fatal(err)
	}
	b.get("/profile").leadsTo(t, "/signin?next=%2Fprofile")
}

// Whoever is signed out everywhere hears nothing more of what goes on.
func TestLiveUpdatesEndWithThePerson(t *testing.T) {
	for name, end := range map[string]func(s *site, bob store.Person) error{
		"removed":        func(s *site, bob store.Person) error { return s.store.RemovePerson(t.Context(), bob.ID) },
		"a new password": func(s *site, bob store.Person) error { return s.store.SetPassword(t.Context(), bob.ID, "x") },
	} {
		t.Run(name, func(t *testing.T) {
			now := clock.NewManual(time.Now())
			s := open(t, func(o *web.Options) { o.Clock = now })
			b := s.letIn(s.setUp("root"), "bob")
			live := b.listen(t, "ops", b.position(), "")
			if err := end(s, s.person("bob")); err != nil {
				t.Fatal(err)
			}
			done := make(chan event)
			go func() { done <- live.next() }()
			for {
				select {
				case e := <-done:
					if e.name != "reload" {
						t.Errorf("heard %+v", e)
					}
					return
				case <-time.After(10 * time.Millisecond):
					now.Advance(30 * time.Second) // until the stream's heart beats
				}
			}
		})
	}
}
