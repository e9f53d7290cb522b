// SPDX-License-Identifier: Apache-2.0

package people_test

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"belfry/chat"
	"belfry/people"
	"belfry/store"
)

// TestWhichAccountsAreOnePersons: linked ones and the room's, on connections
// that are still configured; who is nobody in Belfry has one alone.
func TestWhichAccountsAreOnePersons(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	h.Apply([]people.Connection{{Name: "room", Room: true}, {Name: "chat"}, {Name: "team"}})
	alice, bob := h.person("alice", store.RoleMember), h.person("bob", store.RoleMember)
	onTeam := chat.Actor{Connection: "team", ID: "U1", Name: "alice.h"}
	for _, a := range []chat.Actor{actor("alice"), onTeam, {Connection: "gone", ID: "x", Name: "alice"}} {
		h.link(alice, a)
	}
	inRoom := chat.Actor{Connection: "room", ID: strconv.FormatInt(int64(alice.ID), 10), Name: "alice"}
	for _, from := range []chat.Actor{actor("alice"), onTeam, inRoom} {
		got, err := h.Accounts(ctx, from)
		if err != nil || len(got) != 3 || got[0] != from {
			t.Errorf("%+v: %+v, %v", from, got, err)
		}
		if a, ok, err := h.On(ctx, from, "team"); err != nil || !ok || a != onTeam {
			t.Errorf("%+v: %+v, %v, %v", from, a, ok, err)
		}
		if a, ok, err := h.On(ctx, from, "gone"); err != nil || ok {
			t.Errorf("%+v: %+v, %v, %v", from, a, ok, err)
		}
	}
	stranger := chat.Actor{Connection: "team", ID: actor("alice").ID, Name: "alice"}
	for _, a := range []chat.Actor{stranger, {Connection: "gone", ID: "x", Name: "alice"}, {Connection: "room", ID: "nonsense"}} {
		got, err := h.Accounts(ctx, a)
		if diff := cmp.Diff([]chat.Actor{a}, got); diff != "" || err != nil {
			t.Errorf("%s, %v", diff, err)
		}
	}
	for _, x := range []struct {
		name, connection string
		want             chat.Actor
	}{
		{"Alice", "team", onTeam}, {"alice", "room", inRoom}, {"alice", "nowhere", actor("alice")},
		{"bob", "chat", chat.Actor{Connection: "room", ID: strconv.FormatInt(int64(bob.ID), 10), Name: "bob"}}, {"carol", "chat", chat.Actor{}},
	} {
		got, ok, err := h.Named(ctx, x.name, x.connection)
		if err != nil || got != x.want || ok != (x.want.ID != "") {
			t.Errorf("%s on %s: %+v, %v, %v", x.name, x.connection, got, ok, err)
		}
	}
	if err := h.store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Accounts(ctx, inRoom); err == nil {
		t.Error("a store that is closed knows nobody, and nothing was said")
	}
}
