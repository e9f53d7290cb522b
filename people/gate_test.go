// SPDX-License-Identifier: Apache-2.0

package people_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"belfry/chat"
	"belfry/config"
	"belfry/store"
)

func TestWhoMayActIsReadEachTime(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	may := func(a chat.Actor) string {
		if no := h.May(ctx, a); no != nil {
			if no.Link != nil {
				return no.Whisper + " " + no.Link.Text
			}
			return no.Whisper
		}
		return "may"
	}
	h.rules.Act = config.Act{}
	h.apply()
	if got := may(actor("alice")); got != "may" {
		t.Errorf("anyone: %s", got)
	}
	h.rules.Act = config.Act{Linked: true}
	h.apply()
	if got := may(actor("alice")); !strings.Contains(got, "is not") || !strings.HasSuffix(got, "Connect") {
		t.Errorf("unlinked: %s", got)
	}
	alice := h.person("alice", store.RoleMember)
	h.link(alice, actor("alice"))
	for name, a := range map[string]chat.Actor{
		"the same id elsewhere": {Connection: "other", ID: actor("alice").ID, Name: "alice"},
		"the same name":         {Connection: "chat", ID: "another", Name: "alice"},
		"nobody":                {Connection: "chat"},
		"no connection":         {Connection: "gone", ID: actor("alice").ID},
	} {
		if got := may(a); got == "may" {
			t.Errorf("%s may", name)
		}
	}
	steps := []struct {
		do   func() error
		need string
		want string
	}{
		{nil, "", "may"},
		{nil, "member", "may"},
		{nil, "responder", "takes the role responder"},
		{func() error { return h.store.SetRole(ctx, alice.ID, store.RoleResponder) }, "responder", "may"},
		{nil, "admin", "takes the role admin"},
		{func() error { return h.store.SetRole(ctx, alice.ID, store.RoleAdmin) }, "admin", "may"},
		{nil, "responder", "may"},
		{func() error { return h.store.SetRole(ctx, alice.ID, store.RoleMember) }, "responder", "takes the role responder"},
		{func() error { return h.store.Unlink(ctx, alice.ID, "chat", actor("alice").ID) }, "", "is not"},
		{func() error { h.link(alice, actor("alice")); return nil }, "", "may"},
		{func() error { return h.store.RemovePerson(ctx, alice.ID) }, "", "is not"},
	}
	for i, s := range steps {
		if s.do != nil {
			if err := s.do(); err != nil {
				t.Fatal(err)
			}
		}
		h.rules.Act = config.Act{Linked: true, Role: s.need}
		h.apply()
		if got := may(actor("alice")); !strings.Contains(got, s.want) {
			t.Errorf("step %d: %s", i, got)
		}
	}
	if err := h.store.Close(); err != nil {
		t.Fatal(err)
	}
	if got := may(actor("alice")); !strings.Contains(got, "could not look up") {
		t.Errorf("without a database: %s", got)
	}
}

func TestInTheRoomPeopleAreThemselves(t *testing.T) {
	h := newHouse(t)
	h.rules.Act = config.Act{Linked: true, Role: "responder"}
	h.apply()
	bob := h.person("bob", store.RoleMember)
	for id, ok := range map[string]bool{strconv.FormatInt(int64(h.admin.ID), 10): true, strconv.FormatInt(int64(bob.ID), 10): false, "12": false, "x": false} {
		if no := h.May(t.Context(), chat.Actor{Connection: "room", ID: id, Name: "x"}); (no == nil) != ok {
			t.Errorf("%s: %+v", id, no)
		}
	}
}

func TestWho(t *testing.T) {
	h := newHouse(t)
	reads := func(want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, h.Who(t.Context(), actor("alice"))); diff != "" {
			t.Error(diff)
		}
	}
	reads("This account is not linked with anybody in Belfry.", "To act here takes a linked account.")
	h.link(h.person("al", store.RoleResponder), actor("alice"))
	h.rules.Act.Role = "admin"
	h.apply()
	reads("In Belfry you are al, a responder.", "To act here takes a linked account and the role admin.")
	h.rules.Act = config.Act{}
	h.apply()
	reads("In Belfry you are al, a responder.")
	if got := h.Connect(t.Context(), actor("alice")); got.Link != nil || !strings.Contains(got.Whisper, "linked already") {
		t.Errorf("%+v", got)
	}
	if got := h.Connect(t.Context(), chat.Actor{Connection: "plain", ID: "x", Name: "x"}); got.Link != nil || !strings.Contains(got.Whisper, "can't be linked") {
		t.Errorf("%+v", got)
	}
}
