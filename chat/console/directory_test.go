// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"belfry/alert"
	"belfry/chat/chattest"
	"belfry/chat/console/consoletest"
	"belfry/store"
)

// TestKnowsPeople holds the room to the contract. It has no groups but those
// by role, so the suite's "oncall" are its responders.
func TestKnowsPeople(t *testing.T) {
	chattest.RunDirectory(t, func(t *testing.T) *chattest.Directory {
		s := openStore(t)
		room := consoletest.Open(t, s, &chattest.Recorder{})
		person := func(name, role string) store.Person {
			p, err := s.CreatePerson(t.Context(), store.Person{Name: name, Role: role})
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		ids := map[string]string{}
		for _, name := range []string{chattest.Alice, chattest.Bob} {
			ids[name] = strconv.FormatInt(int64(person(name, store.RoleResponder).ID), 10)
		}
		return &chattest.Directory{
			Directory: room.Console, Connection: "room",
			ID: func(name string) string { return ids[name] },
			AddGroup: func(string, ...string) string {
				person("root", store.RoleAdmin)
				return "responders"
			},
			AddChannel: func(name string, members ...string) string {
				c := kept(t, room, name, false)
				var in []alert.ID
				all, err := s.People(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range all {
					if slices.Contains(members, p.Name) {
						in = append(in, p.ID)
					}
				}
				if err := s.RoomInvite(t.Context(), c.Name, in...); err != nil {
					t.Fatal(err)
				}
				return c.Name
			},
			AddPeople: func(n int) {
				for i := range n {
					person(fmt.Sprintf("p%d", i), store.RoleMember)
				}
			},
			Down: func() { room.Storage.Down() },
		}
	})
}

// TestNobodyIsTakenForAnotherByName: an id is somebody's own, whatever others call
// themselves.
func TestNobodyIsTakenForAnotherByName(t *testing.T) {
	s := openStore(t)
	room := consoletest.Open(t, s, &chattest.Recorder{})
	anna, err := s.CreatePerson(t.Context(), store.Person{Name: "anna", Role: store.RoleMember})
	if err != nil {
		t.Fatal(err)
	}
	id := strconv.FormatInt(int64(anna.ID), 10)
	if _, err := s.CreatePerson(t.Context(), store.Person{Name: id, Role: store.RoleMember}); err != nil {
		t.Fatal(err)
	}
	found, err := room.Console.FindPeople(t.Context(), []string{id, "@Anna"})
	if err != nil || found[0].Actor.Name != "anna" || found[1].Actor.ID != id {
		t.Errorf("%+v, %v", found, err)
	}
}
