// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"belfry/config"
	"belfry/store"
)

func TestWhoMayActIsRead(t *testing.T) {
	const text = `
connections:
  - {name: a, kind: accounts, oauth: true, act: linked, sign_in: anyone}
  - {name: b, kind: accounts, oauth: true, act: role:admin}
  - {name: c, kind: accounts, act: anyone}
  - {name: room, kind: console, act: role:responder}
default:
  channels: [room/alerts]
`
	f, problems := config.Load("belfry.yaml", []byte(text), kinds())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	got := map[string][2]string{}
	for _, c := range f.Connections {
		got[c.Name] = [2]string{c.Act.String(), string(c.SignIn)}
	}
	want := map[string][2]string{"a": {"linked", "anyone"}, "b": {"role:admin", ""}, "c": {"anyone", ""}, "room": {"role:responder", ""}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestRolesAreTheStores keeps the words of the file and of the database alike.
func TestRolesAreTheStores(t *testing.T) {
	if diff := cmp.Diff([]string{store.RoleMember, store.RoleResponder, store.RoleAdmin}, config.Roles()); diff != "" {
		t.Error(diff)
	}
}
