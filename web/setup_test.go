// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"strings"
	"sync"
	"testing"

	"belfry/store"
	"belfry/web"
)

func (s *site) link() (path, token string) {
	s.t.Helper()
	path, needed, err := web.PrepareSetup(s.t.Context(), s.store)
	if err != nil || !needed {
		s.t.Fatalf("no link: %v, %v", needed, err)
	}
	_, token, _ = strings.Cut(path, "token=")
	return path, token
}

func TestTheSetupLinkMakesOneAdministratorAndIsDeadThen(t *testing.T) {
	s := open(t, nil)
	path, token := s.link()
	b := s.browser()
	b.get(path).want(t, 200, "Welcome to Belfry")
	b.post("/setup", "token", token, "name", "alice", "password", password, "again", password).leadsTo(t, "/")
	b.get("/deliveries").want(t, 200, "alice", "Deliveries")

	other := s.browser()
	other.get(path).want(t, 403, "This link does not hold")
	other.post("/setup", "token", token, "name", "mallory", "password", password, "again", password).want(t, 403, "This link does not hold")
	other.get("/").leadsTo(t, "/signin")
	if _, needed, err := web.PrepareSetup(t.Context(), s.store); needed || err != nil {
		t.Errorf("a link is made though there is an administrator (%v)", err)
	}
	p, err := s.store.PersonByName(t.Context(), "alice")
	if err != nil || p.Role != store.RoleAdmin || !strings.HasPrefix(p.PasswordHash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("stored: %+v, %v", p, err)
	}
}

func TestANewStartReplacesTheSetupLink(t *testing.T) {
	s := open(t, nil)
	old, token := s.link()
	now, _ := s.link()
	b := s.browser()
	b.get(old).want(t, 403)
	b.post("/setup", "token", token, "name", "alice", "password", password, "again", password).want(t, 403)
	b.get(now).want(t, 200)
}

func TestAMistakeDoesNotUseTheSetupLinkUp(t *testing.T) {
	s := open(t, nil)
	path, token := s.link()
	b := s.browser()
	for _, wrong := range [][4]string{
		{"alice", "too short", "too short", "at least 10 characters"},
		{"alice", password, password + "x", "differ"},
		{"Alice Doe", password, password, "lower-case letters"},
		{"", password, password, "lower-case letters"},
		{"a;b", password, password, "lower-case letters"},
		{"alice", strings.Repeat("x", 201), strings.Repeat("x", 201), "at most 200"},
	} {
		b.post("/setup", "token", token, "name", wrong[0], "password", wrong[1], "again", wrong[2]).want(t, 422, wrong[3])
	}
	b.get(path).want(t, 200)
	b.get("/setup?token=").want(t, 403)
	b.get("/setup").want(t, 403)
	if n, err := s.store.CountPeople(t.Context()); n != 0 || err != nil {
		t.Errorf("%d people, %v", n, err)
	}
}

func TestTwoWhoUseTheSetupLinkAtOnce(t *testing.T) {
	s := open(t, nil)
	_, token := s.link()
	var wg sync.WaitGroup
	status := make([]int, 4)
	for i := range status {
		b := s.browser()
		wg.Go(func() {
			status[i] = b.post("/setup", "token", token, "name", "admin"+string(rune('a'+i)), "password", password, "again", password).status
		})
	}
	wg.Wait()
	if n, err := s.store.CountPeople(t.Context()); n != 1 || err != nil {
		t.Errorf("%d people were made, %v: %v", n, err, status)
	}
}
