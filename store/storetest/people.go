// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"belfry/store"
)

func peopleCases() map[string]func(t *testing.T, w *world) {
	return map[string]func(t *testing.T, w *world){
		"roles, passwords and leaving":         roles,
		"the last administrator stays":         lastAdmin,
		"linked accounts":                      identities,
		"a person comes with an account":       createLinked,
		"of many one links an account":         linkRace,
		"what was used once is used for good":  usedOnce,
		"a person who goes takes all accounts": removal,
	}
}

func (w *world) person(t *testing.T, name, role string) store.Person {
	t.Helper()
	p, err := w.CreatePerson(w.ctx, store.Person{Name: name, Role: role, PasswordHash: "hash of " + name})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w *world) link(t *testing.T, p store.Person, user string) store.Identity {
	t.Helper()
	i := store.Identity{Connection: "chat", UserID: user, Name: "name of " + user, Person: p.ID}
	if err := w.Link(w.ctx, i); err != nil {
		t.Fatal(err)
	}
	i.LinkedAt = w.clock.Now()
	return i
}

func roles(t *testing.T, w *world) {
	alice, bob := w.person(t, "alice", store.RoleAdmin), w.person(t, "Bob", store.RoleMember)
	if err := w.SetRole(w.ctx, bob.ID, store.RoleResponder); err != nil {
		t.Fatal(err)
	}
	if err := w.SetPassword(w.ctx, bob.ID, "new"); err != nil {
		t.Fatal(err)
	}
	bob.Role, bob.PasswordHash, bob.Epoch = store.RoleResponder, "new", 1
	got, err := w.People(w.ctx)
	if diff := cmp.Diff([]store.Person{alice, bob}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	nobody := alice.ID + bob.ID
	for what, err := range map[string]error{
		"role": w.SetRole(w.ctx, nobody, store.RoleMember), "password": w.SetPassword(w.ctx, nobody, "x"), "removal": w.RemovePerson(w.ctx, nobody),
	} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s of nobody: %v", what, err)
		}
	}
}

func lastAdmin(t *testing.T, w *world) {
	alice, bob := w.person(t, "alice", store.RoleAdmin), w.person(t, "bob", store.RoleMember)
	if err := w.SetRole(w.ctx, alice.ID, store.RoleMember); !errors.Is(err, store.ErrLastAdmin) {
		t.Errorf("demoted: %v", err)
	}
	if err := w.RemovePerson(w.ctx, alice.ID); !errors.Is(err, store.ErrLastAdmin) {
		t.Errorf("removed: %v", err)
	}
	if err := w.SetRole(w.ctx, alice.ID, store.RoleAdmin); err != nil {
		t.Errorf("the same role again: %v", err)
	}
	if err := w.SetRole(w.ctx, bob.ID, store.RoleAdmin); err != nil {
		t.Fatal(err)
	}
	// Both at once: one stays.
	var wait sync.WaitGroup
	var refused atomic.Int32
	for _, p := range []store.Person{alice, bob} {
		wait.Go(func() {
			if err := w.RemovePerson(w.ctx, p.ID); errors.Is(err, store.ErrLastAdmin) {
				refused.Add(1)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n, err := w.CountPeople(w.ctx); n != 1 || refused.Load() != 1 || err != nil {
		t.Errorf("%d people are left, %d refused, %v", n, refused.Load(), err)
	}
}

func identities(t *testing.T, w *world) {
	alice, bob := w.person(t, "alice", store.RoleAdmin), w.person(t, "bob", store.RoleMember)
	one, two := w.link(t, alice, "u1"), w.link(t, bob, "u2")
	w.clock.Advance(time.Hour)
	renamed := one
	renamed.Name = "other name"
	if err := w.Link(w.ctx, renamed); err != nil {
		t.Fatalf("again: %v", err)
	}
	stolen := one
	stolen.Person = bob.ID
	if err := w.Link(w.ctx, stolen); !errors.Is(err, store.ErrExists) {
		t.Errorf("another's account: %v", err)
	}
	if err := w.Link(w.ctx, store.Identity{Connection: "chat", UserID: "u3", Person: alice.ID + 1}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("nobody's: %v", err)
	}
	all, err := w.Identities(w.ctx, 0)
	if diff := cmp.Diff([]store.Identity{two, renamed}, all); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	his, err := w.Identities(w.ctx, bob.ID)
	if diff := cmp.Diff([]store.Identity{two}, his); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	got, err := w.PersonByIdentity(w.ctx, "chat", "u1")
	if diff := cmp.Diff(alice, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	for _, other := range [][2]string{{"chat2", "u1"}, {"chat", "u9"}} {
		if _, err := w.PersonByIdentity(w.ctx, other[0], other[1]); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%v: %v", other, err)
		}
	}
	if err := w.Unlink(w.ctx, bob.ID, "chat", "u1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("bob unlinks alice's: %v", err)
	}
	if err := w.Unlink(w.ctx, alice.ID, "chat", "u1"); err != nil {
		t.Error(err)
	}
	if _, err := w.PersonByIdentity(w.ctx, "chat", "u1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unlinked: %v", err)
	}
	if p, err := w.PersonByID(w.ctx, alice.ID); p.Epoch != 1 || err != nil {
		t.Errorf("her sessions go on: %+v, %v", p, err)
	}
}

func createLinked(t *testing.T, w *world) {
	account := store.Identity{Connection: "chat", UserID: "u1", Name: "carol"}
	p, err := w.CreateLinkedPerson(w.ctx, store.Person{Name: "carol", Role: store.RoleMember}, account)
	if err != nil || p.ID == 0 {
		t.Fatal(p, err)
	}
	got, err := w.PersonByIdentity(w.ctx, "chat", "u1")
	if diff := cmp.Diff(p, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	other := store.Identity{Connection: "chat", UserID: "u2", Name: "dave"}
	if _, err := w.CreateLinkedPerson(w.ctx, store.Person{Name: "CAROL", Role: store.RoleMember}, other); !errors.Is(err, store.ErrExists) {
		t.Errorf("a name that is taken: %v", err)
	}
	if _, err := w.CreateLinkedPerson(w.ctx, store.Person{Name: "dave", Role: store.RoleMember}, account); !errors.Is(err, store.ErrExists) {
		t.Errorf("an account that is taken: %v", err)
	}
	all, err := w.Identities(w.ctx, 0)
	if n, _ := w.CountPeople(w.ctx); n != 1 || len(all) != 1 || err != nil {
		t.Errorf("%d people, %d accounts, %v", n, len(all), err)
	}
}

func linkRace(t *testing.T, w *world) {
	var wait sync.WaitGroup
	var won, lost atomic.Int32
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		p := w.person(t, name, store.RoleMember)
		wait.Go(func() {
			switch err := w.Link(w.ctx, store.Identity{Connection: "chat", UserID: "u", Name: "u", Person: p.ID}); {
			case err == nil:
				won.Add(1)
			case errors.Is(err, store.ErrExists):
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if won.Load() != 1 || lost.Load() != 4 {
		t.Errorf("%d won, %d lost", won.Load(), lost.Load())
	}
}

func usedOnce(t *testing.T, w *world) {
	until := w.clock.Now().Add(time.Minute)
	var wait sync.WaitGroup
	var firsts atomic.Int32
	for range 10 {
		wait.Go(func() {
			first, err := w.UseOnce(w.ctx, "token", until)
			if err != nil {
				t.Error(err)
			}
			if first {
				firsts.Add(1)
			}
		})
	}
	wait.Wait()
	if firsts.Load() != 1 {
		t.Errorf("%d were first", firsts.Load())
	}
	w.clock.Advance(30 * time.Second)
	if first, err := w.UseOnce(w.ctx, "other", until.Add(time.Hour)); !first || err != nil {
		t.Error(first, err)
	}
	if first, err := w.UseOnce(w.ctx, "token", until); first || err != nil {
		t.Errorf("before its end: %v, %v", first, err)
	}
	w.reopen(t)
	if first, err := w.UseOnce(w.ctx, "token", until); first || err != nil {
		t.Errorf("after a restart: %v, %v", first, err)
	}
}

func removal(t *testing.T, w *world) {
	w.person(t, "alice", store.RoleAdmin)
	bob := w.person(t, "bob", store.RoleAdmin)
	w.link(t, bob, "u1")
	w.link(t, bob, "u2")
	if err := w.RemovePerson(w.ctx, bob.ID); err != nil {
		t.Fatal(err)
	}
	if all, err := w.Identities(w.ctx, 0); len(all) != 0 || err != nil {
		t.Errorf("left: %v, %v", all, err)
	}
	if _, err := w.PersonByID(w.ctx, bob.ID); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}
