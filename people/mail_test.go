// SPDX-License-Identifier: Apache-2.0

package people_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"belfry/chat"
	"belfry/store"
)

// post knows mail addresses.
type post struct {
	addresses map[string]string
	err       error
}

func (post) MailDomain() string { return "example.org" }

func (p post) MailAddress(_ context.Context, who chat.Actor) (string, error) {
	return p.addresses[who.Name], p.err
}

func TestAMailAddressLinksItsPerson(t *testing.T) {
	h := newHouse(t)
	h.person("alice", store.RoleResponder)
	h.rules.Mailer = post{addresses: map[string]string{
		"alice": "Alice@Example.ORG", "mallory": "alice@example.org.evil", "eve": "root@elsewhere.org", "nobody": "nobody@example.org",
		"odd": "../root@example.org", "none": "", "second": "alice@example.org@example.org",
	}}
	h.apply()
	for _, name := range []string{"mallory", "eve", "nobody", "odd", "none", "second"} {
		if a := h.Connect(t.Context(), actor(name)); strings.Contains(a.Whisper, "linked now") || a.Link == nil {
			t.Errorf("%s: %+v", name, a)
		}
		if no := h.May(t.Context(), actor(name)); no == nil {
			t.Errorf("%s may act", name)
		}
	}
	if a := h.Connect(t.Context(), actor("alice")); !strings.Contains(a.Whisper, "you are alice, a responder") {
		t.Errorf("%+v", a)
	}
	if no := h.May(t.Context(), actor("alice")); no != nil {
		t.Errorf("%+v", no)
	}
	if a := h.Connect(t.Context(), actor("alice")); !strings.Contains(a.Whisper, "linked already") {
		t.Errorf("%+v", a)
	}
}

func TestAMailAddressThatCantBeReadLinksNobody(t *testing.T) {
	h := newHouse(t)
	h.rules.Mailer = post{err: errors.New("missing_scope")}
	h.apply()
	if a := h.Connect(t.Context(), actor("alice")); !strings.Contains(a.Whisper, "nothing was linked") {
		t.Errorf("%+v", a)
	}
}
